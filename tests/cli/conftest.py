# SPDX-License-Identifier: ISC
"""What the command-line tests share: programs, reference data, SoftHSM tokens,
and a terminal that answers."""
import errno
import os
import pathlib
import pty
import select
import shutil
import subprocess
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("KEYROOM_BIN", TOP / "build/host/bin"))
DATA = TOP.parent / "shared/data"
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "123456"


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: minutes, not part of make check")


@pytest.fixture(scope="session")
def data():
    """The reference data beside the project; skips where it is absent."""
    if not DATA.is_dir():
        pytest.skip("no reference data beside the project")
    return DATA


def clean_env(env=None):
    base = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    for name, value in os.environ.items():
        if name.startswith(("ASAN_", "UBSAN_", "LSAN_")):
            base[name] = value
    base.update(env or {})
    return base


@pytest.fixture
def run(tmp_path):
    """run(program, *arguments) in a folder of its own, with no terminal."""

    def call(program, *arguments, env=None, stdin=b"", cwd=tmp_path, timeout=60):
        return subprocess.run(
            [str(BIN / program), *map(str, arguments)],
            input=stdin, capture_output=True, cwd=cwd, env=clean_env(env),
            timeout=timeout, check=False)

    return call


@pytest.fixture
def terminal(tmp_path):
    """terminal(answers, program, *arguments): on a terminal of its own; each
    answer is typed when its prompt has appeared.  Returns status and screen."""

    def call(answers, program, *arguments, env=None, cwd=tmp_path, timeout=60):
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(cwd)
            os.execve(str(BIN / program),
                      [str(BIN / program), *map(str, arguments)],
                      clean_env(env))
        screen, waiting, end = b"", list(answers), time.monotonic() + timeout
        while time.monotonic() < end:
            if select.select([fd], [], [], 0.1)[0]:
                try:
                    got = os.read(fd, 65536)
                except OSError as error:
                    if error.errno != errno.EIO:
                        raise
                    break
                if not got:
                    break
                screen += got
            if waiting and waiting[0][0].encode() in screen:
                prompt, answer = waiting.pop(0)
                screen = screen.replace(prompt.encode(), b"[asked]", 1)
                if callable(answer):
                    answer(pid)
                else:
                    os.write(fd, answer.encode())
        else:
            os.kill(pid, 9)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(fd)
        return status, screen.decode()

    return call


def softhsm_conf(folder):
    """A configuration of SoftHSM whose tokens live in this folder."""
    folder = pathlib.Path(folder)
    (folder / "tokens").mkdir(parents=True, exist_ok=True)
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder}/tokens\n"
                    "objectstore.backend = file\nlog.level = ERROR\n")
    return conf


def softhsm_token(folder, label):
    conf = softhsm_conf(folder)
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", label,
                    "--pin", PIN, "--so-pin", PIN], check=True,
                   capture_output=True,
                   env=dict(os.environ, SOFTHSM2_CONF=str(conf)))
    return conf


def softhsm_import(conf, token, label, pkcs8_der, key_id):
    """A private key (PKCS#8, DER bytes) into a token."""
    pem = pathlib.Path(conf).parent / f"{label}.pem"
    subprocess.run(["openssl", "pkey", "-inform", "DER", "-out", str(pem)],
                   input=pkcs8_der, check=True, capture_output=True)
    subprocess.run(["softhsm2-util", "--import", str(pem), "--token", token,
                    "--label", label, "--id", key_id, "--pin", PIN], check=True,
                   capture_output=True,
                   env=dict(os.environ, SOFTHSM2_CONF=str(conf)))
    pem.unlink()


@pytest.fixture(scope="session")
def softhsm_master(tmp_path_factory, data):
    """One token with the test keys KSK1 and KSK2, made once."""
    if not os.path.exists(SOFTHSM):
        pytest.skip("no SoftHSM")
    folder = tmp_path_factory.mktemp("softhsm")
    conf = softhsm_token(folder, "T")
    for number in "12":
        der = (data / f"keys/KSK{number}.der").read_bytes()
        softhsm_import(conf, "T", f"KSK{number}", der, f"0{number}")
    return folder


@pytest.fixture
def softhsm(softhsm_master, tmp_path):
    """A copy of that token; softhsm2.conf is in the test's own folder, where
    the reference configurations look for it."""
    shutil.copytree(softhsm_master / "tokens", tmp_path / "tokens")
    return softhsm_conf(tmp_path)
