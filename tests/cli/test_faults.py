# SPDX-License-Identifier: ISC
"""Shows: a signing run that is killed, or whose disk fails, at any change to
the file system leaves the old response or the new one, never a third thing;
and what is reported as failed has changed nothing.  Matters: a ceremony must be
able to say what the flash drive holds, whatever happened.

tests/preload/faults.c counts the calls and breaks one; the test walks over all
of them.  In `make check` the writes of log lines are sampled."""
import functools
import pathlib
import re
import shutil
import signal
import subprocess

import pytest
from conftest import BIN, TOP, clean_env
from rehearsal import Rehearsal

OLD = b"the response that was here before\n"
SAID = {"EIO": "Input/output error", "EROFS": "Read-only file system",
        "ENOSPC": "the disk is full: delete what is not needed there, or write elsewhere"}
LOG = re.compile(r"ksrsigner-\d{8}-\d{6}(-\d+)?\.log")


@pytest.fixture(scope="session")
def preload(tmp_path_factory):
    out = tmp_path_factory.mktemp("preload") / "faults.so"
    subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-shared",
                    "-fPIC", "-o", out, TOP / "tests/preload/faults.c", "-ldl"], check=True)
    return out


class Scene:
    """One way to sign, in a folder that is laid anew for each run."""

    def __init__(self, zone, preload, kind):
        self.zone, self.folder, self.kind, self.preload = zone, zone.folder, kind, preload
        self.out, self.log = self.folder / "drive", self.folder / "calls"
        self.words = ["--force", "--log-dir", self.out, "--no-previous-skr", "first quarter"]
        if kind == "chain":
            self.words += ["--chain", "--output-dir", self.out / "chain", "ksr-1.xml", "ksr-2.xml"]
            self.targets = [self.out / "chain" / name for name in ("skr-1.xml", "skr-2.xml")]
        else:
            self.words += ["ksr-1.xml", self.out / "skr.xml"]
            self.targets = [self.out / "skr.xml"]
        self.old = OLD if kind == "existing" else None
        self.new = {}

    def lay(self):
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()
        self.log.unlink(missing_ok=True)
        if self.old is not None:
            self.targets[0].write_bytes(self.old)

    def run(self, at=0, what="kill"):
        self.lay()
        env = clean_env({**self.zone.hsm.env, "FAULT_UNDER": str(self.out), "FAULT_LOG": str(self.log),
                         "FAULT_AT": str(at), "FAULT_DO": what, "LD_PRELOAD": str(self.preload)})
        if "ASAN_OPTIONS" in env:
            env["ASAN_OPTIONS"] += ":verify_asan_link_order=0"
        return subprocess.run([BIN / "ksrsigner", *self.words], cwd=self.folder, env=env, timeout=60,
                              capture_output=True, stdin=subprocess.DEVNULL, check=False)

    def published(self):
        """{path: bytes} of the responses that are in place."""
        return {path: path.read_bytes() for path in self.targets if path.exists()}

    def calls(self):
        """[(call, path)] of the last run."""
        return [tuple(line.split(" ", 2)[1:]) for line in self.log.read_text().splitlines()]

    def content(self):
        """{path: bytes} of what the drive holds but for logs."""
        return {str(path.relative_to(self.out)): path.read_bytes() for path in self.out.rglob("*")
                if path.is_file() and not LOG.fullmatch(path.name)}

    def before(self):
        return {self.targets[0].name: self.old} if self.old is not None else {}


@pytest.fixture(scope="module")
def zone(tmp_path_factory, programs):
    """Two requests in a row, and the key that signs both."""
    zone = Rehearsal(tmp_path_factory.mktemp("zone"), programs, algorithm=15, bundles=3)
    zone.add_ksk("ksk")
    for _ in range(2):
        zone.ask()
        zone.response = zone.request  # ksrgen continues from a request, too
    zone.configure(zone.normal("ksk"), zone.request)
    return zone


@pytest.fixture(params=["fresh", "existing", "chain"])
def scene(request, zone, preload):
    scene = Scene(zone, preload, request.param)
    done = scene.run()
    assert done.returncode == 0, done.stderr
    scene.new, scene.all_calls = scene.published(), scene.calls()
    assert sorted(scene.new) == scene.targets and len(scene.all_calls) > 20
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
    published = scene.published()
    old = {} if scene.old is None else {scene.targets[0]: scene.old}
    assert published in (old, scene.new), what
    for name, content in scene.content().items():
        path = scene.out / name
        beside = re.search(r"(?:chain\.new-\w{6}/)?(skr(?:-\d)?\.xml)(\.new-1|\.old-1)?$", name)
        assert beside, f"{what}: {name} is left"
        whole = scene.old if beside.group(2) == ".old-1" else next(
            made for target, made in scene.new.items() if target.name == beside.group(1))
        if path in scene.targets:
            continue
        assert whole.startswith(content), f"{what}: {name}"
        if beside.group(2) == ".old-1" and published == scene.new:
            assert content == whole, f"{what}: {name}"


def walk_kills(scene, every):
    seen = set()
    for at in chosen(scene, every):
        call, path = scene.all_calls[at - 1]
        for how in ("kill", "half") if call == "write" else ("kill",):
            what = f"{how} at {at}, {call} {path}"
            done = scene.run(at, how)
            assert done.returncode == -signal.SIGKILL, what
            check_killed(scene, what)
            seen.add(scene.published() == scene.new)
    assert seen == {False, True}


def walk_errors(scene, every, errors):
    for at in chosen(scene, every):
        call, path = scene.all_calls[at - 1]
        for error in errors:
            what = f"{error} at {at}, {call} {path}"
            done = scene.run(at, error)
            says = done.stderr.decode()
            assert done.returncode == 5, f"{what}: {done.returncode}, {says}"
            assert SAID[error] in says, f"{what}: {says}"
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
    assert scene.published() == scene.new


def test_no_call_escapes_the_count(scene, tmp_path):
    """The kernel sees no change below the folder that the preload did not."""
    calls = ("open,openat,creat,write,pwrite64,writev,fsync,fdatasync,sync_file_range,rename,renameat,renameat2,"
             "link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,chmod,fchmod,fchmodat,truncate,"
             "ftruncate,copy_file_range,sendfile")
    scene.lay()
    trace = tmp_path / "trace"
    done = subprocess.run(["strace", "-f", "-y", "-qq", "-s", "0", "-e", "signal=none", "-e", f"trace={calls}",
                           "-o", trace, BIN / "ksrsigner", *scene.words], cwd=scene.folder, timeout=60,
                          env=clean_env({**scene.zone.hsm.env, "ASAN_OPTIONS": "detect_leaks=0"}),
                          capture_output=True, stdin=subprocess.DEVNULL, check=False)
    if b"PTRACE" in done.stderr or b"ptrace" in done.stderr:
        pytest.skip("tracing is not permitted here")
    assert done.returncode == 0, done.stderr
    seen = [line for line in trace.read_text().splitlines() if str(scene.out) in line]
    seen = [line for line in seen if " open" not in line or "O_CREAT" in line or "O_TRUNC" in line]
    # A rename has both paths in one line, as one call.
    assert len(seen) == len(scene.all_calls), "\n".join(seen)
