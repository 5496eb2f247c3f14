# SPDX-License-Identifier: ISC
"""Fixtures of the command-line tests: running a program without a terminal, and
a SoftHSM token with the reference keys (tokens.py has the rest)."""
import os
import pathlib
import shutil
import subprocess

import pytest
from tokens import Hsm, needs_softhsm

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("KEYROOM_BIN", TOP / "build/host/bin"))


def clean_env(env=None):
    base = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    for name, value in os.environ.items():
        if name.startswith(("ASAN_", "UBSAN_", "LSAN_")):
            base[name] = value
    base.update(env or {})
    return base


@pytest.fixture
def run(tmp_path, programs):
    """run(program, *arguments) in a folder of its own, with no terminal; what is
    read and written is bytes."""

    def call(program, *arguments, stdin=b"", timeout=60):
        return subprocess.run(
            [str(BIN / program), *map(str, arguments)], input=stdin,
            capture_output=True, cwd=tmp_path, env=clean_env(),
            timeout=timeout, check=False)

    return call


@pytest.fixture(scope="session")
def reference_token(tmp_path_factory, data):
    """One token with the test keys KSK1 and KSK2, made once."""
    needs_softhsm()
    hsm = Hsm(tmp_path_factory.mktemp("reference"))
    hsm.make_token()
    for number in "12":
        hsm.import_key(data / f"keys/KSK{number}.der", f"KSK{number}",
                       number=f"0{number}")
    return hsm


@pytest.fixture
def softhsm(reference_token, tmp_path, programs):
    """A copy of that token in the test's own folder, where the reference
    configurations look for softhsm2.conf."""
    hsm = Hsm(tmp_path, programs)
    shutil.copytree(reference_token.folder / "tokens", tmp_path / "tokens",
                    dirs_exist_ok=True)
    return hsm


@pytest.fixture
def hsm(tmp_path, programs):
    """A token of the test's own without keys, and a configuration that names it."""
    needs_softhsm()
    hsm = Hsm(tmp_path, programs)
    hsm.make_token()
    hsm.configure()
    return hsm
