# SPDX-License-Identifier: ISC
"""The log is what auditors get.  It must be complete on every drive, survive a
drive that is pulled or full, and show every later change.  The chain is
checked here with other code than what wrote it."""
import hashlib
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import time

import pytest

from ceremony_tools import BIN, OVERLAY, environment, run, run_tty, stub

TOOL = BIN / "ceremony-log"


class Room:
    def __init__(self, top):
        self.top = top
        self.run = top / "run"
        self.master, self.slave = pty.openpty()
        self.env = environment(KEYROOM_RUN=self.run,
                               KEYROOM_TERMINALS=os.ttyname(self.slave))
        self.env["PATH"] = f"{top}/bin:{self.env['PATH']}"
        stub(top / "bin", "printlog", f'cat >"{top}/printed"; echo "$@" >"{top}/how"\n')
        self.prefix = []

    def log(self, *argv):
        return run(*self.prefix, TOOL, *argv, env=self.env)

    def alarm(self, seconds=5):
        end, seen = time.monotonic() + seconds, b""
        while time.monotonic() < end and b"***" not in seen[seen.find(b"***") + 3:]:
            if select.select([self.master], [], [], 0.1)[0]:
                seen += os.read(self.master, 4096)
        return seen

    def close(self):
        self.log("finish", "--no-print")
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def room(tmp_path):
    made = Room(tmp_path)
    yield made
    made.close()


def wait_for(condition, seconds=5):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def journal(folder):
    """(kind, text) of each line, the chain checked."""
    before, entries = "0" * 64, []
    lines = (folder / "journal").read_text().splitlines()
    for number, line in enumerate(lines, 1):
        digest, rest = line.split(" ", 1)
        assert digest == hashlib.sha256(f"{before} {rest}".encode()).hexdigest()
        match = re.fullmatch(r"(\d+) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (\w+) (.*)", rest)
        assert match and int(match[1]) == number
        entries.append((match[3], match[4]))
        before = digest
    return entries


def test_two_folders_get_the_same(room):
    one, two = room.top / "HSMFD" / "ceremony 61", room.top / "grün"
    one.parent.mkdir()
    done = room.log("start", one, two)
    assert done.returncode == 0, done.stderr
    assert f"Folder:     {one}: written".encode() in done.stdout
    assert room.log("note", "hello \x1b[31m\nworld").returncode == 0
    assert run_tty(TOOL, "record", "printf 'some output\\n'", env=room.env)[0] == 0
    done = room.log("finish")
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in one.iterdir()) == sorted(p.name for p in two.iterdir())
    for path in one.iterdir():
        assert path.read_bytes() == (two / path.name).read_bytes(), path
    entries = journal(one)
    assert entries[0][0] == "start" and str(one) in entries[0][1]
    assert entries[-1] == ("end", "")
    assert ("note", "hello \\x1b[31m world") in entries
    script = next(one.glob("terminal-*.typescript")).read_bytes()
    assert b"some output" in script
    assert subprocess.run(["sha256sum", "--quiet", "-c", "MANIFEST"], cwd=one,
                          check=False).returncode == 0
    digest = hashlib.sha256((one / "MANIFEST").read_bytes()).hexdigest()
    assert digest.encode() in done.stdout
    assert digest in (room.top / "printed").read_text()
    assert "--title=Ceremony log manifest - 1" in (room.top / "how").read_text()
    for folder in (one, two):
        done = room.log("verify", folder)
        assert done.returncode == 0, done.stderr


def test_files_of_other_programs_are_chained_and_shared(room):
    one, two = room.top / "one", room.top / "two"
    assert room.log("start", one, two).returncode == 0
    (one / "ksrsigner-20261122-133000.log").write_text("signed\n")
    (one / "two words\n\x1b").write_text("hostile\n")
    (two / "own").write_text("only here\n")
    assert room.log("finish", "--no-print").returncode == 0
    digest = hashlib.sha256(b"signed\n").hexdigest()
    assert ("note", f"file ksrsigner-20261122-133000.log 7 {digest}") in journal(two)
    assert (two / "ksrsigner-20261122-133000.log").read_text() == "signed\n"
    assert (two / "two words\n\x1b").read_text() == "hostile\n"
    assert (two / "own").read_text() == "only here\n" and not (one / "own").exists()
    for folder in (one, two):
        assert room.log("verify", folder).returncode == 0
        assert subprocess.run(["sha256sum", "--quiet", "-c", "MANIFEST"], cwd=folder,
                              check=False).returncode == 0


@pytest.fixture(scope="module")
def whole_log(tmp_path_factory):
    """A finished log with recordings, made once."""
    room = Room(tmp_path_factory.mktemp("whole"))
    folder = room.top / "log"
    assert room.log("start", folder).returncode == 0
    for turn in range(3):
        room.log("note", f"note {turn}")
        assert run_tty(TOOL, "record", f"seq {turn * 100 + 50}", env=room.env)[0] == 0
    assert wait_for(lambda: (folder / "journal").read_text().count(" close ") == 3)
    assert room.log("finish", "--no-print").returncode == 0
    assert not (room.top / "printed").exists()
    room.close()
    return folder


@pytest.fixture
def finished(whole_log, tmp_path):
    """A copy of it, ready to be tampered with."""
    shutil.copytree(whole_log, tmp_path / "log")
    return tmp_path / "log"


def tampered(data, how):
    lines = data.splitlines(keepends=True)
    return {
        "cut at the end": b"".join(lines[:-1]),
        "cut in a line": data[:-5],
        "first line gone": b"".join(lines[1:]),
        "line gone": b"".join(lines[:2] + lines[3:]),
        "lines swapped": b"".join(lines[:2] + [lines[3], lines[2]] + lines[4:]),
        "line twice": b"".join(lines[:3] + lines[2:]),
        "line put in": b"".join(lines[:2] + [lines[1].replace(b"note", b"nope")] + lines[2:]),
        "text changed": data.replace(b"note 1", b"note 7"),
        "time changed": re.sub(rb"T(\d\d):", lambda m: b"T%02d:" % ((int(m[1]) + 1) % 24), data, 1),
        "zero byte": data.replace(b"note 1", b"note \0"),
        "empty": b"",
        "more behind the end": data + lines[1],
    }[how]


@pytest.mark.parametrize("how", [
    "cut at the end", "cut in a line", "first line gone", "line gone", "lines swapped",
    "line twice", "line put in", "text changed", "time changed", "zero byte", "empty",
    "more behind the end"])
def test_every_change_of_the_journal_shows(room, finished, how):
    assert room.log("verify", finished).returncode == 0
    path = finished / "journal"
    changed = tampered(path.read_bytes(), how)
    assert changed != path.read_bytes()
    path.write_bytes(changed)
    done = room.log("verify", finished)
    assert done.returncode == 1 and done.stdout == b"", done


@pytest.mark.parametrize("change", [
    lambda p: p.write_bytes(p.read_bytes().replace(b"42", b"24")),
    lambda p: p.write_bytes(p.read_bytes()[:-1]),
    lambda p: p.write_bytes(p.read_bytes() + b"x"),
    lambda p: p.unlink(),
    lambda p: (p.unlink(), p.symlink_to("journal")),
])
def test_every_change_of_a_recording_shows(room, finished, change):
    change(sorted(finished.glob("*.typescript"))[0])
    done = room.log("verify", finished)
    assert done.returncode == 1 and b"line " in done.stderr


def test_recording_is_on_the_drive_at_once(room):
    """What is on the screen is in the file, without a newline, within a second."""
    folder = room.top / "log"
    room.log("start", folder)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(TOOL, [TOOL, "record", "printf 'password: '; exec sleep 3"], room.env)
    assert wait_for(lambda: any(b"password: " in p.read_bytes()
                                for p in folder.glob("*.typescript")), 3)
    assert wait_for(lambda: " data terminal-" in (folder / "journal").read_text(), 3)
    status = room.log("status")
    assert b"Recording:  terminal-" in status.stdout and status.returncode == 0
    os.close(terminal)
    os.waitpid(pid, 0)


def test_every_shell_is_recorded_from_the_next_prompt(room):
    """The shell's hook: before start nothing, after start the same terminal."""
    hook = OVERLAY / "etc/profile.d/zz-keyroom-record.sh"
    rc = room.top / "rc"
    rc.write_text(f". {hook}\nPS1='ready> '\n")
    command = f"exec bash --noprofile --rcfile {rc} -i"
    stub(room.top / "bin", "bash", f'exec /bin/bash --noprofile --rcfile {rc} -i\n')
    folder = room.top / "log"
    status, shown = run_tty(
        "/bin/sh", "-c", command, env=room.env,
        answers=[("ready> ", "echo before-$((1+1))\n"), ("ready> ", f"{TOOL} start {folder}\n"),
                 ("written", ""), ("ready> ", "echo after-$((1+1))\n"), ("ready> ", "exit 0\n")])
    assert status == 0, shown
    def text():
        return b"".join(p.read_bytes() for p in folder.glob("*.typescript"))
    assert wait_for(lambda: b"after-2" in text()), text()
    assert b"before-2" not in text()


def test_devices_are_recorded(room):
    if os.getuid() != 0:
        pytest.skip("needs loop devices")
    folder = room.top / "log"
    room.log("start", folder)
    with open(room.top / "image", "wb") as file:
        file.truncate(2_000_000)
    done = subprocess.run(["losetup", "-f", "--show", room.top / "image"],
                          capture_output=True, check=False, text=True)
    if done.returncode != 0:
        pytest.skip("no loop devices")
    subprocess.run(["losetup", "-d", done.stdout.strip()], check=True)
    name = pathlib.Path(done.stdout.strip()).name
    assert wait_for(lambda: f" device change block {name}" in (folder / "journal").read_text())


def test_ttyaudit_writes_into_the_log(room):
    folder = room.top / "log"
    room.log("start", folder)
    master, slave = pty.openpty()
    process = subprocess.Popen([BIN / "ttyaudit", os.ttyname(slave)], env=room.env,
                               cwd=room.top, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert b"the ceremony's log" in process.stderr.readline()
    os.write(master, b"from the HSM\n")
    assert wait_for(lambda: any(b" from the HSM\n" in p.read_bytes()
                                for p in folder.glob("ttyaudit-*.log")))
    assert room.log("finish", "--no-print").returncode == 0
    os.write(master, b"after the end\n")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    os.close(master)
    os.close(slave)
    after = [p for p in room.top.glob("ttyaudit-*.log")]
    assert len(after) == 1 and b" after the end\n" in after[0].read_bytes()
    assert room.log("verify", folder).returncode == 0


@pytest.fixture
def drives(room):
    """Two small drives in a mount namespace that the whole test lives in."""
    if os.getuid() != 0:
        pytest.skip("needs mounts")
    for name in ("one", "two"):
        (room.top / name).mkdir()
    holder = subprocess.Popen(
        ["unshare", "-m", "--propagation", "private", "sh", "-c",
         f"mount -t tmpfs -o size=200k one {room.top}/one && "
         f"mount -t tmpfs -o size=200k two {room.top}/two && echo ready && exec sleep 100"],
        stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"ready\n"
    room.prefix = ["nsenter", f"--mount=/proc/{holder.pid}/ns/mnt"]
    room.root = pathlib.Path(f"/proc/{holder.pid}/root")
    yield [room.top / "one" / "log", room.top / "two" / "log"]
    room.log("finish", "--no-print")
    holder.kill()
    holder.wait()


def inside(room, path):
    return room.root / str(path).lstrip("/")


def in_room(room, *argv):
    return subprocess.run([*room.prefix, *map(str, argv)], check=True)


def test_pulled_drive_raises_an_alarm_and_loses_nothing(room, drives):
    one, two = drives
    assert room.log("start", one, two).returncode == 0
    room.log("note", "before")
    time.sleep(0.7)
    # Pulled: the mount point is there, the drive is not.
    keep = room.top / "keep"
    keep.mkdir()
    in_room(room, "mount", "--bind", two.parent, keep)
    in_room(room, "umount", "-l", two.parent)
    room.log("note", "while it was away")
    seen = room.alarm()
    assert f"{two}".encode() in seen and b"\a" in seen
    done = room.log("status")
    assert done.returncode == 1 and f"{two}: LOST".encode() in done.stdout
    assert not inside(room, two).exists(), "nothing may go under the mount point"
    in_room(room, "mount", "--bind", keep, two.parent)
    assert wait_for(lambda: room.log("status").returncode == 0)
    assert room.log("finish", "--no-print").returncode == 0
    a, b = inside(room, one), inside(room, two)
    assert (a / "journal").read_bytes() == (b / "journal").read_bytes()
    kinds = [kind for kind, _ in journal(b)]
    assert "lost" in kinds and "back" in kinds
    assert ("note", "while it was away") in journal(b)
    assert room.log("verify", two).returncode == 0


def test_full_drive(room, drives):
    one, two = drives
    room.log("start", one, two)
    with open(inside(room, two) / "ballast", "wb") as file:
        try:
            file.write(bytes(300_000))
        except OSError:
            pass
    for turn in range(60):
        room.log("note", f"{turn} " + "x" * 200)
    seen = room.alarm()
    assert b"No space left on device" in seen
    (inside(room, two) / "ballast").unlink()
    assert wait_for(lambda: room.log("status").returncode == 0)
    assert room.log("finish", "--no-print").returncode == 0
    assert (inside(room, one) / "journal").read_bytes() == (inside(room, two) / "journal").read_bytes()


def test_drive_damaged_while_away_is_written_anew(room, drives):
    one, two = drives
    room.log("start", one, two)
    for turn in range(5):
        room.log("note", f"note {turn}")
    time.sleep(0.7)
    path = inside(room, two) / "journal"
    data = path.read_bytes()
    path.unlink()  # what fsck may leave
    assert b"LOG" in room.alarm()
    path.write_bytes(data[:-40] + bytes(40))
    assert wait_for(lambda: room.log("status").returncode == 0)
    assert (inside(room, two) / "journal.damaged").read_bytes().endswith(bytes(40))
    assert room.log("finish", "--no-print").returncode == 0
    assert room.log("verify", two).returncode == 0


def test_other_drive_in_its_place_is_not_written(room, drives):
    one, two = drives
    room.log("start", one, two)
    in_room(room, "mount", "-t", "tmpfs", "other", two.parent)
    inside(room, two).mkdir()
    (inside(room, two) / "journal").write_text("another ceremony's\n")
    room.log("note", "x")
    assert b"LOG" in room.alarm()
    time.sleep(1.2)
    assert (inside(room, two) / "journal").read_text() == "another ceremony's\n"
    done = room.log("finish", "--no-print")
    assert done.returncode == 5 and b"LOST" in done.stdout and b"the whole log is in" in done.stderr
    assert any(room.run.glob("log/*/journal"))
    assert room.log("verify", one).returncode == 0


def test_killed_recorder_leaves_a_log_that_says_so(room):
    folder = room.top / "log"
    room.log("start", folder)
    room.log("note", "last words")
    time.sleep(0.7)
    pids = [p.name for p in pathlib.Path("/proc").iterdir() if p.name.isdigit()
            and (p / "environ").exists() and TOOL.name.encode() in _read(p / "cmdline")
            and str(room.run).encode() in _read(p / "environ")]
    assert len(pids) == 1
    os.kill(int(pids[0]), signal.SIGKILL)
    time.sleep(0.2)
    done = room.log("verify", folder)
    assert done.returncode == 1 and b"has no end" in done.stderr
    assert ("note", "last words") in journal(folder)
    assert room.log("status").returncode == 5
    # And a new log can be started elsewhere.
    assert room.log("start", room.top / "log2").returncode == 0


def _read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_sigterm_ends_the_log_properly(room):
    folder = room.top / "log"
    room.log("start", folder)
    for process in pathlib.Path("/proc").iterdir():
        if process.name.isdigit() and str(room.run).encode() in _read(process / "environ") \
                and TOOL.name.encode() in _read(process / "cmdline"):
            os.kill(int(process.name), signal.SIGTERM)
    assert wait_for(lambda: room.log("verify", folder).returncode == 0)


def test_start_refuses(room, tmp_path):
    log = room.top / "log"
    assert room.log("start", log).returncode == 0
    done = room.log("start", room.top / "other")
    assert done.returncode == 1 and b"already" in done.stderr
    room.log("finish", "--no-print")
    before = (log / "journal").read_bytes()
    done = room.log("start", room.top / "fresh", log)
    assert done.returncode == 5 and b"holds a log already" in done.stderr
    assert (log / "journal").read_bytes() == before
    assert list((room.top / "fresh").iterdir()) == []
    (room.top / "file").write_text("")
    for name, status in [("file", 5), ("absent/below", 5), ("new\nline", 2), ("esc\x1b[2J", 2)]:
        done = room.log("start", room.top / name)
        assert done.returncode == status, (name, done)
        assert b"\x1b" not in done.stderr
    assert room.log("status").returncode == 5
    for name in ("-rf", "two words", "grün", "$(x)", "*"):
        done = run("sh", "-c", 'cd "$1" && exec "$2" start -- "$3"', "sh", room.top, TOOL, name,
                   env=room.env)
        assert done.returncode == 0, (name, done.stderr)
        assert room.log("finish", "--no-print").returncode == 0
        assert room.log("verify", room.top / name).returncode == 0


def test_write_protected_drive(room, drives):
    in_room(room, "mount", "-o", "remount,ro", room.top / "one")
    done = room.log("start", drives[0])
    assert done.returncode == 5 and b"Read-only file system" in done.stderr


@pytest.mark.parametrize("argv", [
    [], ["begin"], ["start"], ["status", "x"], ["verify"], ["verify", "a", "b"], ["note"],
    ["record", "a", "b"], ["start", "--no-print", "x"], ["finish", "--copies", "0"],
    ["finish", "--copies", "x"], ["--frob"], ["start"] + ["x"] * 9])
def test_wrong_command_lines(room, argv):
    done = room.log(*argv)
    assert done.returncode == 2, done


def test_without_a_log(room):
    for argv in (["status"], ["finish"], ["note", "x"]):
        done = room.log(*argv)
        assert done.returncode == 5 and b"no log is being kept" in done.stderr
    status, shown = run_tty(TOOL, "record", "true", env=room.env)
    assert status == 5 and "no log is being kept" in shown
    assert room.log("record", "true").returncode == 2  # no terminal
    assert room.log("verify", room.top / "absent").returncode == 3


def test_printer_that_fails(room):
    stub(room.top / "bin", "printlog", "exit 5\n")
    folder = room.top / "log"
    room.log("start", folder)
    done = room.log("finish")
    assert done.returncode == 5 and b"not printed" in done.stderr
    assert (folder / "MANIFEST").exists() and shutil.which("sha256sum")
