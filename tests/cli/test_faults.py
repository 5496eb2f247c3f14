# SPDX-License-Identifier: ISC
"""Shows: a signing run that is killed, or whose disk fails, at any change to
the file system leaves the old response or the new one, never a third thing;
and what is reported as failed has changed nothing.  Matters: a ceremony must be
able to say what the flash drive holds, whatever happened.

tests/preload/faults.c counts the calls and breaks one; the test walks over all
of them.  In `make check` the writes of log lines are sampled."""
import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest
from conftest import BIN, TOP, clean_env

OLD = b"the response that was here before\n"
LOG = re.compile(r"ksrsigner-\d{8}-\d{6}(-\d+)?\.log")


@pytest.fixture(scope="session")
def preload(tmp_path_factory):
    out = tmp_path_factory.mktemp("preload") / "faults.so"
    subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-shared",
                    "-fPIC", "-o", out, TOP / "tests/preload/faults.c", "-ldl"], check=True)
    return out


class Scene:
    """One way to sign, in a folder that is laid anew for each run."""

    def __init__(self, folder, data, preload, kind):
        self.folder, self.kind, self.preload = folder, kind, preload
        self.out = folder / "drive"
        self.log = folder / "calls"
        name = "2009-q4-2"
        self.words = ["--force", "--log-dir", self.out, "--config", data / f"config/{name}.yaml",
                      "--no-previous-skr", "first quarter"]
        ksr = data / f"test-quarters/ksr-root-{name}.xml"
        if kind == "chain":
            self.words += ["--chain", "--output-dir", self.out / "chain", ksr]
            self.target = self.out / f"chain/skr-root-{name}.xml"
        else:
            self.words += [ksr, self.out / "skr.xml"]
            self.target = self.out / "skr.xml"
        self.old = OLD if kind == "existing" else None

    def lay(self):
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()
        self.log.unlink(missing_ok=True)
        if self.old is not None:
            self.target.write_bytes(self.old)

    def run(self, at=0, what="kill"):
        self.lay()
        env = clean_env({"FAULT_UNDER": str(self.out), "FAULT_LOG": str(self.log),
                         "FAULT_AT": str(at), "FAULT_DO": what, "LD_PRELOAD": str(self.preload)})
        if "ASAN_OPTIONS" in env:
            env["ASAN_OPTIONS"] += ":verify_asan_link_order=0"
        return subprocess.run([BIN / "ksrsigner", *self.words], cwd=self.folder, env=env, timeout=60,
                              capture_output=True, stdin=subprocess.DEVNULL, check=False)

    def calls(self):
        """[(call, path)] of the last run."""
        return [tuple(line.split(" ", 2)[1:]) for line in self.log.read_text().splitlines()]

    def content(self):
        """{path: bytes} of what the drive holds but for logs."""
        return {str(path.relative_to(self.out)): path.read_bytes() for path in self.out.rglob("*")
                if path.is_file() and not LOG.fullmatch(path.name)}

    def before(self):
        return {"skr.xml": OLD} if self.old is not None else {}


@pytest.fixture(params=["fresh", "existing", "chain"])
def scene(request, softhsm, data, preload, tmp_path):
    scene = Scene(tmp_path, data, preload, request.param)
    done = scene.run()
    assert done.returncode == 0, done.stderr
    scene.new, scene.all_calls = scene.target.read_bytes(), scene.calls()
    assert scene.new.startswith(b"<?xml") and len(scene.all_calls) > 20
    return scene


def chosen(scene, every):
    """Numbers of calls: all, or all that are no plain line of the log."""
    def plain(i):
        call, path = scene.all_calls[i]
        return call == "write" and LOG.fullmatch(pathlib.Path(path).name)
    last = len(scene.all_calls)
    return [i + 1 for i in range(last) if every or i < 2 or i > last - 3 or i % 16 == 0 or not plain(i)]


def check_killed(scene, what):
    """The old state or the new one, and at most temporary files beside it."""
    for path, content in scene.content().items():
        if scene.out / path == scene.target:
            assert content in (scene.old, scene.new), what
        elif re.search(r"(\.new-1|chain\.new-\w{6}/[^/]*)$", path):
            assert scene.new.startswith(content), what
        elif path.endswith(".old-1"):
            assert scene.old.startswith(content), what
            if scene.target.read_bytes() == scene.new:
                assert content == scene.old, what
        else:
            raise AssertionError(f"{what}: {path} is left")
    if scene.kind == "existing":
        assert scene.target.exists(), what


def walk_kills(scene, every):
    seen = set()
    for at in chosen(scene, every):
        call, path = scene.all_calls[at - 1]
        for how in ("kill", "half") if call == "write" else ("kill",):
            what = f"{how} at {at}, {call} {path}"
            done = scene.run(at, how)
            assert done.returncode == -signal.SIGKILL, what
            check_killed(scene, what)
            seen.add(scene.target.exists() and scene.target.read_bytes() == scene.new)
    assert seen == {False, True}


def walk_errors(scene, every, errors):
    for at in chosen(scene, every):
        call, path = scene.all_calls[at - 1]
        for error in errors:
            what = f"{error} at {at}, {call} {path}"
            done = scene.run(at, error)
            says = done.stderr.decode()
            assert done.returncode == 5, f"{what}: {done.returncode}, {says}"
            assert os.strerror({"EIO": 5, "ENOSPC": 28, "EROFS": 30}[error]) in says, what
            assert scene.content() == scene.before(), f"{what}: {says}"
            assert sorted(p.name for p in scene.out.iterdir() if p.is_dir()) == [], what


def test_killed_at_a_call(scene):
    walk_kills(scene, every=False)


def test_a_call_fails(scene):
    walk_errors(scene, every=False, errors=["ENOSPC"])


@pytest.mark.slow
def test_killed_at_every_call(scene):
    walk_kills(scene, every=True)


@pytest.mark.slow
def test_every_call_fails(scene):
    walk_errors(scene, every=True, errors=["EIO", "ENOSPC", "EROFS"])


def test_signs_after_a_kill(scene):
    """What a killed run leaves does not stand in the way of the next."""
    renames = [i + 1 for i, (call, _) in enumerate(scene.all_calls) if call == "rename"]
    assert scene.run(renames[-1]).returncode == -signal.SIGKILL
    assert scene.content() != scene.before()
    scene.lay = functools.partial(scene.log.unlink, missing_ok=True)
    done = scene.run()
    assert done.returncode == 0, done.stderr
    assert scene.target.read_bytes() == scene.new
