# SPDX-License-Identifier: ISC
"""The log is what auditors get.  It must be complete on every drive, survive a
drive that is pulled or full, and show every later change.  The chain is
checked here with other code than what wrote it."""
import fcntl
import fnmatch
import hashlib
import os
import pathlib
import pty
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

import pytest

from ceremony_tools import BIN, TOP, environment, run, run_tty, stub

TOOL = BIN / "ceremony-log"


class Room:
    def __init__(self, top):
        self.top = top
        self.run = top / "run"
        self.master, self.slave = pty.openpty()
        self.env = environment(run=self.run, KEYROOM_TERMINALS=os.ttyname(self.slave))
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
    assert ("file", f"7 {digest} ksrsigner-20261122-133000.log") in journal(two)
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
        "zero byte put in": data.replace(b"note 1", b"note 1\0"),
        "return put in": data.replace(b"note 1\n", b"note 1\r\n"),
        "empty": b"",
        "more behind the end": data + lines[1],
    }[how]


TAMPERED = ["cut at the end", "cut in a line", "first line gone", "line gone", "lines swapped",
            "line twice", "line put in", "text changed", "time changed", "zero byte", "zero byte put in",
            "return put in", "empty", "more behind the end"]


@pytest.mark.parametrize("how", TAMPERED)
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


def test_changes_of_size_are_in_the_recording(room):
    """Who plays it has to know: what follows is set in other columns."""
    folder = room.top / "log"
    room.log("start", folder)
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 84, 0, 0))
        os.execvpe(TOOL, [TOOL, "record", "echo one; read x; printf '\\n%050d\\n' 2; read x"], room.env)

    def text():
        return b"".join(path.read_bytes() for path in folder.glob("*.typescript"))
    assert wait_for(lambda: b"one" in text(), 5)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 42, 0, 0))
    os.write(terminal, b"\n")
    assert wait_for(lambda: b"0002" in text(), 5)
    os.write(terminal, b"\n")
    os.waitpid(pid, 0)
    os.close(terminal)
    assert text().count(b"\x1b[8;20;42t") == 1
    assert text().find(b"one") < text().find(b"\x1b[8;20;42t") < text().find(b"0002")
    assert b'COLUMNS="84" LINES="30"' in text()
    shown = run(BIN / "text2pdf", "--script", "--text", *folder.glob("*.typescript")).stdout.decode()
    assert "0" * 49 + "2\n" in shown
    room.log("finish")
    assert room.log("verify", folder).returncode == 0


@pytest.mark.parametrize("says,same", [
    (r"'\033[8;10;20t'", "\x1b[8;10;20t"), (r"'\033[8;10'; sleep 0.5; printf ';20t'", "\x1b[8;10;20t"),
    (r"'\033'; sleep 0.5; printf '[08;10;20t'", "\x1b[08;10;20t"), (r"'\033\303\274[8;10;\a20t'", "10;\a20t"),
    (r"'\033[1\033[8;10;20t'", "\x1b[8;10;20t"),
    (r"""'Script done on x\nScript started on x [COLUMNS="20" LINES="10"]\n'""", 'LINES="10"]\r\n'),
    (r"""'Script done on x\nScript st'; sleep 0.5; printf 'arted on x [COLUMNS="20" LINES="10"]\n'""",
     'LINES="10"]\r\n')])
@pytest.mark.parametrize("rows,columns", [(30, 84), (0, 0)])
def test_a_program_does_not_change_the_width_of_what_follows(room, says, same, rows, columns):
    """It can write what the recorder writes where the terminal gets another size:
    from there all was set at a width that nobody saw, what overwrote a row below
    what it overwrote, and lines broken where none was."""
    folder = room.top / "log"
    room.log("start", folder)
    (room.top / "say").write_text(f"printf {says}\nprintf '%060d' 7; printf '\\rCLEAR \\n'; printf '\\033[22;0;0tnext'\n")
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.execvpe(TOOL, [TOOL, "record", f". {room.top}/say"], room.env)
    shown = b""
    while select.select([terminal], [], [], 30)[0]:
        try:
            read = os.read(terminal, 4096)
        except OSError:
            break
        if not read:
            break
        shown += read
    status = os.waitpid(pid, 0)[1]
    os.close(terminal)
    paths = sorted(folder.glob("*.typescript"))
    assert len(paths) == 1, (status, shown)
    path = paths[0]
    assert wait_for(lambda: b"next" in path.read_bytes())
    text = path.read_bytes()
    own = b"\x1b[8;30;84t" if rows else b"\x1b[8;24;80t"
    assert text.count(own) == 1 and same.encode() + own in text
    shown = run(BIN / "text2pdf", "--script", "--text", path).stdout.decode().split("\n")
    assert any(line.endswith("CLEAR " + "0" * 53 + "7") for line in shown), shown


def test_every_shell_is_recorded_from_the_next_prompt(room):
    """The shell's hook: before start nothing, after start the same terminal."""
    hook = TOP / "image/rootfs/etc/profile.d/zz-keyroom-record.sh"
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
    # Once, with what to do; a drive that is full is not one to put back.
    assert seen.count(b"the drive is full. Nothing is lost: delete there what is not needed") == 1, seen
    assert b"put the drive back" not in seen and b"is back" not in seen
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
    os.kill(recorder(room), signal.SIGKILL)
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


def recorders(room):
    """The processes of the log, the one that keeps it first: the others are its children."""
    pids = [int(p.name) for p in pathlib.Path("/proc").iterdir() if p.name.isdigit()
            and TOOL.name.encode() in _read(p / "cmdline")
            and room.env["SYSROOT"].encode() in _read(p / "environ")]
    parents = {pid: int(_read(pathlib.Path(f"/proc/{pid}/stat")).rsplit(b")", 1)[1].split()[1]) for pid in pids}
    return sorted(pids, key=lambda pid: parents[pid] in pids)


def recorder(room):
    return recorders(room)[0]


def test_sigterm_ends_the_log_properly(room):
    folder = room.top / "log"
    room.log("start", folder)
    os.kill(recorder(room), signal.SIGTERM)
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


class Sender:
    """A program that speaks to the log by itself (lib/cli/feed.h)."""

    def __init__(self, room, request=None):
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(20)
        self.link.connect(str(room.run / "log/socket"))
        self.answers = self.link.makefile("rb")
        try:
            self.link.sendall(request or b"")
        except BrokenPipeError:
            pass                # it has answered already

    def answer(self):
        return self.answers.readline()

    def end(self):
        """What the log says of all that was sent, once it has it."""
        self.link.shutdown(socket.SHUT_WR)
        return self.answers.read().splitlines()[-1:]

    def close(self):
        self.answers.close()
        self.link.close()


def ask(room, request):
    sender = Sender(room, request)
    said = sender.answer()
    sender.close()
    return said


@pytest.mark.parametrize("request_, answer", [
    (b"note a remark\n", b"ok\n"),
    (b"note " + b"n" * 1_000_000 + b"\n", b"ok\n"),
    (b"note " + b"n" * 1_048_600 + b"\n", b"no a line has no more than 1048576 bytes\n"),
    (b"note " + b"n" * 9_000_000 + b"\n", b"no a line has no more than 1048576 bytes\n"),
    (b"note zero \0 byte\n", b"no a line has no zero bytes\n"),
    (b"stream terminal-a\nbytes", b"ok terminal-a\n"),
    (b"stream ../up\n", b"no a name is 1 to 100 of A-Z a-z 0-9 . _ -\n"),
    (b"stream " + b"a" * 101 + b"\n", b"no a name is 1 to 100 of A-Z a-z 0-9 . _ -\n"),
    (b"stream \n", b"no a name is 1 to 100 of A-Z a-z 0-9 . _ -\n"),
    (b"file 1 2 gr\xc3\xbcn\n", b"no a line of the journal is printable ASCII\n"),
    (b"step 3 begin\n", b"ok\n"),
    (b"step 3 confirm IW the words\n", b"ok\n"),
    (b"step 3 started\n", b"no expected begin, command TEXT, otherwise TEXT, confirm ROLE TEXT, value NAME: TEXT, "
     b"note TEXT, pause, resume, skip or end STATUS\n"),
    (b"except 1 3\n", b"no expected the number of the exception, that of the step and a text\n"),
    (b"script abc x.md\n", b"no expected 64 digits of a SHA-256 and a text\n"),
    (b"early 2026-11-29T10:00:00Z note x\n", b"no expected step, except or script behind the time\n"),
    (b"end now\n", b"no no such request\n"),
    (b"frob\n", b"no no such request\n"),
    (b"\n", b"no no such request\n"),
], ids=["note", "long note", "too long", "much too long", "zero byte", "stream", "way up", "long name",
        "no name", "not printable", "step", "confirmation", "no such event", "half an exception", "no hash",
        "early note", "the log's own kind", "unknown", "empty"])
def test_every_request_is_answered(room, request_, answer):
    room.log("start", room.top / "log")
    assert ask(room, request_) == answer
    kinds = [kind for kind, _ in journal(room.top / "log")]
    assert kinds.count(request_.split(b" ")[0].decode()) == (answer == b"ok\n")


STEPS = ["script " + "a" * 64 + " day.md", "after " + "b" * 64 + " /media/HSMFD/ceremony 61",
         "early 2026-11-29T10:00:00Z step 1 begin", "early 2026-11-29T10:00:00Z except 1 1 late",
         "step 2 begin", "step 2 command verify-media", "step 2 otherwise ls *", "step 2 confirm IW the words",
         "step 2 value Bag number: 7", "step 2 note gr\u00fcn", "step 2 pause", "step 2 resume", "step 2 skip",
         "step 2 end 0", "except 2 2 no printer"]


def test_lines_of_a_script_are_verified(room):
    """Every kind passes as it was written, and none passes where it is malformed,
    even in a chain that was made for it."""
    folder = room.top / "log"
    room.log("start", folder)
    for text in STEPS:
        assert ask(room, text.encode() + b"\n") == b"ok\n", text
    room.log("finish", "--no-print")
    done = room.log("verify", folder)
    assert done.returncode == 0, done.stderr
    kinds = [kind for kind, _ in journal(folder)]
    assert [kind for kind in kinds if kind in ("script", "after", "early", "step", "except")] == [
        text.split()[0] for text in STEPS]
    for text in ["script " + "a" * 63 + " x", "after " + "b" * 64, "early 10:00 step 1 begin", "early 1T1Z note x",
                 "early 2026-11-29T10:00:00Z step 1", "step x begin", "step 2", "step 2 started", "step 2 begin now",
                 "step 2 command ", "step 2 confirm IW", "step 2 value Bag 7", "step 2 end x", "except 1 x y",
                 "except 1 2"]:
        before, lines = "0" * 64, []
        for number, rest in enumerate(["start x", text, "end "], 1):
            rest = f"{number} 2026-11-29T10:00:00Z {rest}"
            before = hashlib.sha256(f"{before} {rest}".encode()).hexdigest()
            lines.append(f"{before} {rest}\n")
        (folder / "journal").write_text("".join(lines))
        done = room.log("verify", folder)
        assert done.returncode == 1 and b"line 2 is malformed" in done.stderr, text


def test_half_a_request_is_refused(room):
    room.log("start", room.top / "log")
    sender = Sender(room, b"note no end")
    assert sender.end() == [b"no a request is a whole line"]
    assert ("note", "no end") not in journal(room.top / "log")


def test_ok_says_that_the_note_is_on_the_drive(room):
    room.log("start", room.top / "log")
    for turn in range(20):
        assert room.log("note", f"turn {turn}").returncode == 0
        assert ("note", f"turn {turn}") in journal(room.top / "log")
    done = room.log("note", "n" * 120_000)
    assert done.returncode == 0 and ("note", "n" * 120_000) in journal(room.top / "log")


def test_idle_connections_keep_nobody_off(room):
    """64 were all there could be: the 65th was dropped with exit 0."""
    folder = room.top / "log"
    room.log("start", folder)
    idle = [Sender(room) for _ in range(300)]
    assert room.log("note", "the safe was opened").returncode == 0
    assert run_tty(TOOL, "record", "echo a ceremony step", env=room.env)[0] == 0
    assert ("note", "the safe was opened") in journal(folder)
    # In memory it is safe at once; on the drive a moment later.
    end = time.monotonic() + 20
    while b"a ceremony step" not in next(folder.glob("terminal-*")).read_bytes():
        assert time.monotonic() < end
        time.sleep(0.1)
    # And after a while they are told why they go.
    assert idle[0].answer() == b"no no request within 10 seconds\n"
    for sender in idle:
        sender.close()
    assert room.log("finish", "--no-print").returncode == 0


@pytest.mark.parametrize("count", [255, 1000, pytest.param(5000, marks=pytest.mark.slow)])
def test_streams_are_all_recorded(room, count):
    """One after the other, then as many at once, in two folders."""
    one, two = room.top / "one", room.top / "two"
    room.log("start", one, two)
    for turn in range(count):
        sender = Sender(room, b"stream terminal-%d.typescript\nhello %d\n" % (turn, turn))
        assert sender.answer() == b"ok terminal-%d.typescript\n" % turn
        assert sender.end() == [b"end %d" % len(b"hello %d\n" % turn)]
        sender.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2 * count + 200, HARD), HARD))
    senders = [Sender(room, b"stream same.log\n") for _ in range(count)]
    names = {sender.answer()[3:-1] for sender in senders}
    assert len(names) == count and {b"same.log", b"same-2.log"} < names
    for sender in senders:
        sender.link.sendall(b"x")
    assert {tuple(sender.end()) for sender in senders} == {(b"end 1",)}
    for sender in senders:
        sender.close()
    assert run_tty(TOOL, "record", "echo the KSK is made now", env=room.env)[0] == 0
    assert room.log("finish", "--no-print").returncode == 0
    for folder in (one, two):
        assert len(list(folder.glob("same*.log"))) == count
        for turn in range(count):
            assert (folder / f"terminal-{turn}.typescript").read_bytes() == b"hello %d\n" % turn
        assert b"the KSK is made now" in next(folder.glob("terminal-pts*")).read_bytes()
    done = subprocess.run(["sha256sum", "--quiet", "-c", "MANIFEST"], cwd=two, check=False)
    assert done.returncode == 0
    assert count > 255 or room.log("verify", two).returncode == 0


HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def test_no_descriptor_left_is_said(room):
    folder = room.top / "log"
    room.log("start", folder)
    subprocess.run(["prlimit", f"--pid={recorder(room)}", "--nofile=60:60"], check=True)
    senders, said = [], []
    for _ in range(100):
        senders.append(Sender(room, b"stream a.log\nx"))
        said.append(senders[-1].answer())
    taken = [s for s in said if s.startswith(b"ok a")]
    refused = [s for s in said if s in (b"no this machine has no descriptor left\n",
                                        b"no a.log: Too many open files\n") or
               s.startswith(b"no a-") and s.endswith(b".log: Too many open files\n")]
    assert taken and len(taken) + len(refused) == 100, said
    marker = room.top / "ran"
    status, shown = run_tty(TOOL, "record", f"touch {marker}", env=room.env)
    assert status == 5 and ("Too many open files" in shown or "no descriptor left" in shown), shown
    assert not marker.exists(), "record went on without ok"
    for sender in senders:
        sender.close()
    assert wait_for(lambda: room.log("note", "again").returncode == 0)
    assert room.log("finish", "--no-print").returncode == 0
    assert room.log("verify", folder).returncode == 0


def test_full_memory_is_said_by_everything(room):
    if os.getuid() != 0:
        pytest.skip("needs mounts")
    folder = room.top / "log"
    (room.run / "log").mkdir(parents=True)
    holder = subprocess.Popen(
        ["unshare", "-m", "--propagation", "private", "sh", "-c",
         f"mount -t tmpfs -o size=300k none {room.run} && echo ready && exec sleep 100"],
        stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"ready\n"
    inside_ = ["nsenter", f"--mount=/proc/{holder.pid}/ns/mnt"]
    room.prefix = inside_
    assert room.log("start", folder).returncode == 0
    status, shown = run_tty(*inside_, TOOL, "record", "seq 200000; echo last", env=room.env)
    assert status == 5 or "NOT RECORDED" in shown, shown[-400:]
    assert "No space left on device" in shown
    assert b"NOT RECORDING" in room.alarm()
    done = room.log("note", "x" * 100_000)
    assert done.returncode == 5 and b"No space left on device" in done.stderr
    done = room.log("status")
    assert done.returncode == 1 and b"FULL" in done.stdout
    room.log("finish", "--no-print")
    holder.kill()
    holder.wait()


def test_record_ends_when_the_log_has_every_byte(room):
    folder = room.top / "log"
    room.log("start", folder)
    for turn in range(5):
        assert run_tty(TOOL, "record", f"seq 20000; echo last {turn}", env=room.env)[0] == 0
    # At once: nothing is on its way any more.
    assert room.log("finish", "--no-print").returncode == 0
    text = b"".join(p.read_bytes() for p in folder.glob("terminal-*"))
    assert all(b"last %d" % turn in text for turn in range(5))


def test_record_gives_its_commands_status(room):
    room.log("start", room.top / "log")
    assert run_tty(TOOL, "record", "exit 7", env=room.env)[0] == 7


@pytest.mark.parametrize("how", ["died", "finished"])
def test_record_ends_with_0_only_where_the_log_has_it(room, how):
    """It ended as its command did, and who ran it took it for recorded."""
    room.log("start", room.top / "log")
    end = f"kill -9 {' '.join(map(str, recorders(room)))}" if how == "died" else f"{TOOL} finish --no-print >{room.top}/said"
    status, shown = run_tty(TOOL, "record", f"echo before; {end}; sleep 1; echo after", env=room.env)
    if how == "died":
        assert status == 5 and "ceremony-log: not recorded to its end: the process that kept the log has died" in shown
    else:
        assert status == 0 and "is not recorded any more" in shown


def test_stream_that_never_pauses_does_not_keep_finish(room):
    folder = room.top / "log"
    room.log("start", folder)
    flood = Sender(room, b"stream flood.log\n")
    flood.answer()
    stop = threading.Event()

    def pour():
        try:
            while not stop.is_set():
                flood.link.sendall(b"x" * 4096)
        except OSError:
            pass
    thread = threading.Thread(target=pour)
    thread.start()
    began = time.monotonic()
    try:
        assert room.log("finish", "--no-print").returncode == 0
        assert time.monotonic() - began < 20
        assert flood.answers.read().endswith(b"no the log has been finished\n")
    finally:
        stop.set()
        thread.join()
        flood.close()
    assert room.log("verify", folder).returncode == 0


def test_drive_that_hangs_holds_up_nobody(room):
    """The process that writes there stands still, as in a drive that does not answer."""
    one, two = room.top / "one", room.top / "two"
    room.log("start", one, two)
    children = recorders(room)[1:]
    assert len(children) == 2
    os.kill(children[1], signal.SIGSTOP)
    began = time.monotonic()
    for turn in range(5):
        assert room.log("note", f"turn {turn}").returncode == 0
    assert time.monotonic() - began < 20
    assert run_tty(TOOL, "record", "echo goes on", env=room.env)[0] == 0
    assert any(b"takes nothing" in room.alarm() for _ in range(3))
    done = room.log("status")
    assert done.returncode == 1 and done.stdout.count(b": SLOW, not all is written yet\n") == 1
    written = [f for f in (one, two) if ("note", "turn 4") in journal(f)]
    assert len(written) == 1
    os.kill(children[1], signal.SIGCONT)
    assert wait_for(lambda: room.log("status").returncode == 0)
    assert room.log("finish", "--no-print").returncode == 0
    assert (one / "journal").read_bytes() == (two / "journal").read_bytes()
    assert "slow" in [kind for kind, _ in journal(one)]


def test_process_of_a_drive_that_dies_is_replaced(room):
    one, two = room.top / "one", room.top / "two"
    room.log("start", one, two)
    os.kill(recorders(room)[1], signal.SIGKILL)
    assert b"has died" in room.alarm()
    room.log("note", "after")
    assert wait_for(lambda: room.log("status").returncode == 0)
    assert room.log("finish", "--no-print").returncode == 0
    assert (one / "journal").read_bytes() == (two / "journal").read_bytes()
    assert ("note", "after") in journal(one)


def test_pulled_drive_verifies_to_its_last_line(room):
    """The journal on a drive never vouches for what the drive does not have."""
    folder = room.top / "log"
    room.log("start", folder)
    sender = Sender(room, b"stream a.log\n")
    for turn in range(12):
        sender.link.sendall(b"%d " % turn * 20_000)
        snapshot = room.top / f"snapshot-{turn}"
        time.sleep(0.05)
        snapshot.mkdir()
        for name in ("journal", "a.log"):       # as the drive had it, the journal first
            (snapshot / name).write_bytes(_read(folder / name))
        done = room.log("verify", snapshot)
        assert done.returncode == 1
        assert done.stderr == b"ceremony-log: the journal has no end: cut, or not finished yet\n", done.stderr
        shutil.rmtree(snapshot)
    sender.close()


def test_finish_tries_every_folder_and_can_be_made_again(room):
    folders = [room.top / name for name in ("one", "two", "three")]
    one, two, three = folders
    room.log("start", *folders)
    room.log("note", "before")
    (one / "signer.log").write_text("signed\n")
    shutil.move(two, room.top / "away")
    three_blocked = three / "MANIFEST"
    (three_blocked / "x").mkdir(parents=True)   # no manifest can be put there
    done = room.log("finish", "--no-print")
    assert done.returncode == 5
    assert f"not complete: {two}, {three}:".encode() in done.stderr
    assert f"Folder:     {two}: LOST".encode() in done.stdout
    assert f"Folder:     {three}: NOT COMPLETE".encode() in done.stdout
    assert room.log("verify", one).returncode == 0 and (one / "MANIFEST").exists()
    # Again, when what was missing is back; a drive of another log stays as it is.
    two.mkdir()
    (two / "journal").write_text("another ceremony's\n")
    shutil.rmtree(three_blocked)
    done = room.log("finish", "--no-print")
    assert done.returncode == 5 and f"not complete: {two}:".encode() in done.stderr
    assert (two / "journal").read_text() == "another ceremony's\n"
    shutil.rmtree(two)
    shutil.move(room.top / "away", two)
    done = room.log("finish")
    assert done.returncode == 0, done.stderr
    for folder in folders:
        assert room.log("verify", folder).returncode == 0
        assert (folder / "signer.log").read_text() == "signed\n"
        assert (folder / "MANIFEST").read_bytes() == (one / "MANIFEST").read_bytes()
    assert "Ceremony log manifest" in (room.top / "how").read_text()


def test_first_folder_that_is_lost_spoils_no_other(room):
    """What other programs wrote is then taken from the first one that is written."""
    one, two, three = (room.top / name for name in ("one", "two", "three"))
    room.log("start", one, two, three)
    (one / "signer.log").write_text("first\n")
    (one / "journal").unlink()
    (one / "journal").write_text("damaged beyond use\n")
    assert wait_for(lambda: f"{one}: LOST".encode() in room.log("status").stdout)
    (two / "second.log").write_text("second\n")
    done = room.log("finish", "--no-print")
    assert done.returncode == 5 and f"not complete: {one}:".encode() in done.stderr
    for folder in (two, three):
        assert room.log("verify", folder).returncode == 0
        assert (folder / "second.log").read_text() == "second\n"
    assert not (three / "signer.log").exists()


def test_slow_drive_that_goes_on_is_waited_for(room, drives):
    """Much to write: it is synced in parts, and each part says that the drive goes on."""
    in_room(room, "mount", "-t", "tmpfs", "-o", "size=80m", "large", drives[0].parent)
    room.log("start", drives[0])
    sender = Sender(room, b"stream a.log\n")
    sender.answer()
    for _ in range(60):
        sender.link.sendall(bytes(1_000_000))
    assert sender.end() == [b"end 60000000"]
    sender.close()
    assert room.log("finish", "--no-print").returncode == 0
    assert inside(room, drives[0] / "a.log").stat().st_size == 60_000_000
    assert room.log("verify", drives[0]).returncode == 0


def test_finish_copies_large_files_and_folders_in_streams(room):
    one, two = room.top / "one", room.top / "two"
    room.log("start", one, two)
    with open(one / "big", "wb") as file:
        file.truncate(130_000_000)
    (one / "signer logs" / "deep").mkdir(parents=True)
    (one / "signer logs" / "deep" / "a.log").write_text("a\n")
    # The most that it takes could not be told from what the kernel counts of a child:
    # that begins with the size of whoever started it.
    limited = ["prlimit", "--as=100000000"] if "sanitize" not in str(BIN) else []
    subprocess.run([*limited, TOOL, "finish", "--no-print"], env=room.env, stdout=subprocess.DEVNULL, check=True)
    assert (two / "big").stat().st_size == 130_000_000
    assert (two / "signer logs" / "deep" / "a.log").read_text() == "a\n"
    assert room.log("verify", two).returncode == 0
    assert not [p for p in two.rglob("*.part")]


# Root reads what it may not read: so without that.
READS_WHAT_IT_MAY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]


@pytest.mark.parametrize("kind", ["file", "folder", "deep"])
def test_what_cannot_be_read_keeps_nothing_else_out_of_the_chain(room, kind):
    one, two = room.top / "one", room.top / "two"
    room.log("start", one, two)
    (one / "sub").mkdir()
    for name in ("a.log", "sub/b.log", "z.log"):
        (one / name).write_text(f"{name}\n")
    bad = one / "bad"
    if kind == "file":
        bad.write_text("no sector\n")
        bad.chmod(0)
    else:
        bad.mkdir(0)
    if kind == "deep":
        bad.chmod(0o700)
        (bad / "/".join("x" * 70)).mkdir(parents=True)
    room.prefix = READS_WHAT_IT_MAY
    done = room.log("finish", "--no-print")
    room.prefix = []
    assert done.returncode == 5 and f"Folder:     {one}: NOT COMPLETE: {one}/bad".encode() in done.stdout, done
    noted = [text.split(" ", 2)[2] for kind, text in journal(two) if kind == "file"]
    assert noted == ["a.log", "sub/b.log", "z.log"]
    assert any(kind == "note" and text.startswith(f"not in the journal: {one}/bad") for kind, text in journal(one))
    assert all((two / name).read_text() == f"{name}\n" for name in noted) and (two / "MANIFEST").exists()
    # Readable again, it is still not in the chain, and no later finish says that all is well.
    if kind == "deep":
        shutil.rmtree(bad)
    else:
        bad.chmod(0o700)
    for _ in range(2):
        done = room.log("finish", "--no-print")
        assert done.returncode == 5 and f"not in the journal: {one}/bad".encode() in done.stderr, done
        assert f"Manifest:   {two}".encode() in done.stdout and b": LOST" not in done.stdout
    assert room.log("verify", one).returncode == 0 and room.log("verify", two).returncode == 0


def test_another_file_of_the_same_name_is_said(room):
    """It was taken for the copy: the chain vouched for one, and the drive had another."""
    one, two = room.top / "one", room.top / "two"
    room.log("start", one, two)
    for name in ("same.log", "other.log", "longer.log", "empty.log", "link.log", "z.log"):
        (one / name).write_text(f"{name}\n" * 20000)
    (two / "same.log").write_text("same.log\n" * 20000)
    (two / "other.log").write_text("other.log\n" * 19999 + "Other.log\n")
    (two / "longer.log").write_text("longer.log\n" * 20001)
    (two / "empty.log").write_text("")
    (two / "link.log").symlink_to(one / "link.log")
    for name in ("other.log", "longer.log", "empty.log", "link.log"):
        done = room.log("finish", "--no-print")
        assert done.returncode == 5 and f"Folder:     {two}: NOT COMPLETE: ".encode() in done.stdout
        (two / sorted(path.name for path in two.glob("*.log") if path.is_symlink() or
                      path.read_bytes() != (one / path.name).read_bytes())[0]).unlink()
        assert (two / "z.log").exists()
    done = room.log("finish", "--no-print")
    assert done.returncode == 0 and room.log("verify", two).returncode == 0, done


def test_a_file_named_as_a_half_of_another_is_kept(room):
    one, two = room.top / "one", room.top / "two"
    room.log("start", one, two)
    (one / "a.log").write_text("a\n")
    for name in ("a.log.part", "a.log.part-1"):
        (two / name).write_text("mine\n")
    assert room.log("finish", "--no-print").returncode == 0
    assert (two / "a.log").read_text() == "a\n"
    assert sorted(path.name for path in two.glob("*part*")) == ["a.log.part", "a.log.part-1"]
    assert all(path.read_text() == "mine\n" for path in two.glob("*part*"))


@pytest.mark.parametrize("text", ["as at 2026-11-22T08:00:00Z end of it", "Z end ", "end "])
def test_a_note_is_not_the_end(room, text):
    folder = room.top / "log"
    room.log("start", folder)
    assert room.log("note", text).returncode == 0
    os.kill(recorder(room), signal.SIGKILL)
    time.sleep(0.3)
    done = room.log("finish", "--no-print")
    assert done.returncode == 5 and b"the journal has no end" in done.stderr, done
    assert f"ends with {(folder / 'journal').read_text().splitlines()[-1][:64]}\n".encode() in done.stdout


def test_the_last_hash_is_of_a_whole_line(room):
    """Half a line, where the process that kept the log died, has no hash."""
    folder = room.top / "log"
    room.log("start", folder)
    room.log("note", "x" * 100_000)
    last = (folder / "journal").read_text().splitlines()[-1]
    os.kill(recorder(room), signal.SIGKILL)
    time.sleep(0.3)
    spool, = (path for path in room.run.rglob("journal") if path.is_file())
    whole = spool.read_bytes()
    for more in (b"", b"0" * 64 + b" 4 2026-11-22T08:00:00Z end ", b"0" * 30):
        spool.write_bytes(whole + more)
        done = room.log("finish", "--no-print")
        assert done.returncode == 5 and b"the journal has no end" in done.stderr, done
        assert f"Journal:    ends with {last[:64]}\n".encode() in done.stdout
    spool.write_bytes(b"0" * 64)
    done = room.log("finish", "--no-print")
    assert done.returncode == 5 and b"no whole line" in done.stderr and b"ends with" not in done.stdout


def test_finish_after_the_recorder_died(room):
    folder = room.top / "log"
    room.log("start", folder)
    room.log("note", "last words")
    os.kill(recorder(room), signal.SIGKILL)
    time.sleep(0.3)
    for argv in (["note", "x"], ["status"]):
        done = room.log(*argv)
        assert done.returncode == 5 and b"has died" in done.stderr
    done = room.log("finish", "--no-print")
    assert done.returncode == 5 and b"the journal has no end" in done.stderr
    assert (folder / "MANIFEST").exists() and ("note", "last words") in journal(folder)


SHELLS = [["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"]]


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_log_is_verified_by_any_shell(shell, room, finished, tmp_path):
    """With what finish put beside it, from elsewhere and from where it is."""
    plain = {"PATH": "/usr/bin:/bin"}
    script = finished / "verify"
    done = run(*shell, script, env=plain, cwd="/")
    lines = len(journal(finished))
    assert done.returncode == 0 and f"{lines} lines, complete".encode() in done.stdout, done
    assert run(*shell, "verify", env=plain, cwd=finished).returncode == 0
    assert run(*shell, script, finished, env=plain, cwd="/").returncode == 0
    data = (finished / "journal").read_bytes()
    for how in TAMPERED:
        (finished / "journal").write_bytes(tampered(data, how))
        done = run(*shell, script, env=plain, cwd="/")
        assert done.returncode == 1 and done.stdout == b"" and done.stderr, (how, done)
    (finished / "journal").write_bytes(data)
    recording = sorted(finished.glob("*.typescript"))[0]
    recording.write_bytes(recording.read_bytes().replace(b"42", b"24"))
    done = run(*shell, script, env=plain, cwd="/")
    assert done.returncode == 1 and recording.name.encode() in done.stderr
    (finished / "journal").unlink()
    assert run(*shell, script, env=plain, cwd="/").returncode == 3
    assert run(*shell, script, "a", "b", env=plain, cwd="/").returncode == 2


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_chain_is_checked_by_the_lines_in_the_manual(shell, finished):
    page = (TOP / "man/ceremony-log.1").read_text()
    lines = page[page.index(".Bd -literal"):page.index(".Ed")].split("\n", 1)[1].replace("\\e", "\\")
    done = run(*shell, "-c", lines, cwd=finished)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    path = finished / "journal"
    path.write_bytes(path.read_bytes().replace(b"note 1", b"note 7"))
    assert run(*shell, "-c", lines, cwd=finished).stdout.count(b"note 7") == 1


@pytest.mark.skipif(os.getuid() != 0, reason="needs a mount")
@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_verify_without_room_says_so_and_nothing_else(shell, finished, tmp_path):
    """What is to be compared goes into temporary files.  On a full disk none was
    written, nothing was compared, and a journal that had been changed was complete.
    Whole or changed, and wherever the room ends: no room is no verdict."""
    script = finished / "verify"
    full = tmp_path / "full"
    full.mkdir()
    whole = (finished / "journal").read_bytes()
    changed = whole.replace(b"note 1", b"note 9")
    assert changed != whole
    ends = {}
    for data, verdict in ((whole, 0), (changed, 1)):
        (finished / "journal").write_bytes(data)
        for files, left in ((6, 2000), (12, 2000), (2000, 0), (2000, 2), (2000, 2000)):
            done = run("unshare", "-m", "--propagation", "private", "sh", "-c",
                       f'mount -t tmpfs -o size={4 * left + 4}k,nr_inodes={files} none {full} &&'
                       f'head -c 4096 /dev/zero >{full}/fill && exec "$@"',
                       "sh", *shell, script, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": str(full)})
            ends.setdefault(done.returncode, []).append((files, left))
            assert done.returncode in (3, verdict), (files, left, done)
            assert done.returncode != 3 or b"no room for temporary files" in done.stderr
        assert verdict in ends and 3 in ends, ends


def test_verify_names_each_thing(room, finished):
    recordings = sorted(finished.glob("*.typescript"))
    recordings[0].write_bytes(recordings[0].read_bytes().replace(b"42", b"24"))
    recordings[1].unlink()
    recordings[2].write_bytes(recordings[2].read_bytes() + b"x")
    (finished / "terminal-added.typescript").write_text("never shown\n")
    lines = (finished / "journal").read_bytes().splitlines(keepends=True)
    notes = [n for n, line in enumerate(lines, 1) if b" note " in line]
    lines[notes[1] - 1] = lines[notes[1] - 1].replace(b"note 1", b"note 9")
    (finished / "journal").write_bytes(b"".join(lines))
    done = room.log("verify", finished)
    said = done.stderr.decode()
    assert done.returncode == 1
    assert f"line {notes[1]}, or one before it, was changed" in said
    assert f"{recordings[0].name}: was changed between byte" in said
    assert f"{recordings[1].name}: not there" in said
    assert f"{recordings[2].name}: has another size" in said
    assert "terminal-added.typescript: not in the journal" in said


@pytest.mark.parametrize("name", ["signer.log", "two words\n\x1b", "back\\slash", "gr\u00fcn %s $(x)",
                                  "folder/in.log", "ends\n"])
def test_verify_covers_what_other_programs_wrote(room, name):
    folder = room.top / "log"
    room.log("start", folder)
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("signed\n")
    assert room.log("finish", "--no-print").returncode == 0
    assert room.log("verify", folder).returncode == 0
    path.write_text("Signed\n")
    done = room.log("verify", folder)
    assert done.returncode == 1 and b": was changed" in done.stderr and b"\x1b" not in done.stderr
    path.unlink()
    done = room.log("verify", folder)
    assert done.returncode == 1 and b": not there" in done.stderr


def test_verify_takes_kinds_of_lines_that_it_does_not_know(room, finished):
    """The journal will get more of them; their place in the chain is what counts."""
    before, lines = "0" * 64, []
    for number, (kind, text) in enumerate([("start", "x"), ("later", "12 done"), ("end", "")], 1):
        rest = f"{number} 2030-01-01T00:00:00Z {kind} {text}"
        before = hashlib.sha256(f"{before} {rest}".encode()).hexdigest()
        lines.append(f"{before} {rest}\n")
    folder = room.top / "new"
    folder.mkdir()
    (folder / "journal").write_text("".join(lines))
    assert room.log("verify", folder).returncode == 0
    (folder / "journal").write_text("".join(lines).replace("12 done", "13 done"))
    assert room.log("verify", folder).returncode == 1


def shell_room(room):
    """bash with the disc's hook; what "bash -l" is inside a recording, too."""
    hook = TOP / "image/rootfs/etc/profile.d/zz-keyroom-record.sh"
    rc = room.top / "rc"
    rc.write_text(f"PS1='ready> '\n. {hook}\n")
    stub(room.top / "bin", "bash", f'exec /bin/bash --noprofile --rcfile {rc} -i\n')
    return f"exec /bin/bash --noprofile --rcfile {rc} -i"


RED = "\x1b[1;31m*** THIS TERMINAL IS NOT RECORDED ***\x1b[0m"


def test_window_that_is_opened_from_a_recorded_shell_gets_one_that_records(room):
    """It runs what SHELL names, and a plain sh asks no log."""
    assert room.log("start", room.top / "log").returncode == 0
    status, shown = run_tty(TOOL, "record", 'echo "shell: $SHELL"', env=room.env)
    assert status == 0 and "shell: /bin/bash" in shown, shown


def test_prompt_of_a_terminal_that_is_not_recorded_is_red(room):
    command = shell_room(room)
    room.log("start", room.top / "log")
    os.kill(recorder(room), signal.SIGKILL)
    status, shown = run_tty(
        "/bin/sh", "-c", command, env=room.env,
        answers=[("ready> ", "echo a-$((1+1))\n"), ("ready> ", f"{TOOL} start {room.top}/new >/dev/null\n"),
                 ("ready> ", "echo b-$((1+1))\n"), ("ready> ", "exit 3\n")])
    assert status == 0
    first, second = shown.split("b-2")[0], shown.split("b-2")[1]
    assert first.count(RED) == 2 and "has died" in first and RED not in second
    assert room.log("finish", "--no-print").returncode == 0
    text = b"".join(p.read_bytes() for p in (room.top / "new").glob("*.typescript"))
    assert b"b-2" in text and b"a-2" not in text


def test_shell_of_a_terminal_opened_by_a_recorded_one_is_recorded(room):
    """Typed "foot", "setsid foot": the environment is that of a recorded shell."""
    command = shell_room(room)
    folder = room.top / "log"
    room.log("start", folder)
    opener = room.top / "opener.py"
    opener.write_text("import pty, sys\npty.spawn(['/bin/sh', '-c', sys.argv[1]])\n")
    run_tty("/bin/sh", "-c", command, env=room.env, answers=[
        ("ready> ", f"setsid -w /usr/bin/python3 {opener} '{command}'\n"), ("ready> ", "echo in-$((1+1))\n"),
        ("ready> ", "exit\n"), ("ready> ", "exit\n")])
    assert room.log("finish", "--no-print").returncode == 0
    held = [p for p in folder.glob("*.typescript") if b"in-2" in p.read_bytes()]
    assert len(list(folder.glob("*.typescript"))) == 2 and held


def test_recorded_shell_knows_that_its_window_was_told(room):
    """And a shell to which the log said no does not pass that on."""
    command = shell_room(room)
    room.log("start", room.top / "log")
    _, shown = run_tty("/bin/sh", "-c", command, env=room.env, answers=[
        ("ready> ", "echo told=$KEYROOM_TOLD\n"), ("told=", ""), ("ready> ", "exit\n")])
    assert "told=inside" in shown, shown


def test_shells_are_recorded_in_the_next_log_too(room):
    """A shell that was recorded when the last log was finished.

    What was shown passes through a pipe and a socket, and onto the drive through a process
    of its own: whoever types faster than a person waits for each."""
    command = shell_room(room)
    has_it = f"until grep -qs a-[2] {room.top}/a/*.typescript; do sleep 0.1; done"
    run_tty("/bin/sh", "-c", command, env=room.env, answers=[
        ("ready> ", f"{TOOL} start {room.top}/a >/dev/null\n"), ("ready> ", "echo a-$((1+1))\n"),
        ("ready> ", f"{has_it}\n"), ("ready> ", f"{TOOL} finish --no-print >/dev/null\n"), ("ready> ", "echo between-$((1+1))\n"),
        ("ready> ", f"{TOOL} start {room.top}/b >/dev/null\n"), ("ready> ", "echo b-$((1+1))\n"),
        ("ready> ", "exit\n"), ("ready> ", "exit\n")])
    assert room.log("finish", "--no-print").returncode == 0
    text = [b"".join(p.read_bytes() for p in (room.top / name).glob("*.typescript")) for name in "ab"]
    assert b"a-2" in text[0] and b"between-2" not in text[0] + text[1] and b"b-2" in text[1]


def _number(master):
    """Of the terminal that belongs to this end (TIOCGPTN)."""
    return struct.unpack("I", fcntl.ioctl(master, 0x80045430, bytes(4)))[0]


def test_status_compares_open_terminals_with_recorded_ones(room):
    folder = room.top / "log"
    recorded, one = pty.fork()
    if recorded == 0:
        os.execvpe("/bin/sh", ["/bin/sh", "-c", f"sleep 3; exec {TOOL} record 'sleep 60'"], room.env)
    bare, two = pty.fork()
    if bare == 0:
        os.execvpe("/bin/bash", ["/bin/bash", "--norc", "-i"], room.env)
    names = [f"/dev/pts/{_number(fd)}" for fd in (one, two)]
    room.env["KEYROOM_TERMINALS"] = ":".join([*names, os.ttyname(room.slave)])
    assert room.log("start", folder).returncode == 0
    short = [name.removeprefix("/dev/") for name in names]
    assert wait_for(lambda: f"Terminal:   {short[0]}: recorded\n".encode() in room.log("status").stdout, 10)
    done = room.log("status")
    assert done.returncode == 1 and b"the log is not complete" in done.stderr
    assert f"Terminal:   {short[1]}: NOT RECORDED (bash, process {bare})\n".encode() in done.stdout
    # The log itself says so, and so does every terminal, once.
    assert wait_for(lambda: ("unrecorded", f"{short[1]} {bare} bash") in journal(folder), 15)
    assert f"{short[1]} is NOT RECORDED".encode() in room.alarm()
    os.kill(bare, signal.SIGKILL)
    os.waitpid(bare, 0)
    os.close(two)
    assert room.log("status").returncode == 0
    os.kill(recorded, signal.SIGKILL)
    os.close(one)
    os.waitpid(recorded, 0)
    assert [kind for kind, _ in journal(folder)].count("unrecorded") <= 2


def opened(terminal, *, reads, writes):
    """Begin what setsid begins there: a program that has the terminal as its files, and
    no terminal of its own."""
    line = os.open(terminal, os.O_RDWR | os.O_NOCTTY)
    made = subprocess.Popen(["sleep", "60"], start_new_session=True,
                            stdin=line if reads else subprocess.DEVNULL,
                            stdout=line if writes else subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(line)
    return made


@pytest.mark.parametrize("reads, writes", [(True, True), (True, False), (False, True)])
def test_program_without_a_terminal_of_its_own_is_found_on_the_one_it_opened(room, reads, writes):
    """dash, for one, makes no terminal its own that it is given as a file: the kernel
    knows of nobody there, and a root shell went without recording and alarm."""
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    os.close(slave)
    room.env["KEYROOM_TERMINALS"] = f"{name}:{os.ttyname(room.slave)}"
    assert room.log("start", room.top / "log").returncode == 0
    assert room.log("status").returncode == 0
    made = opened(name, reads=reads, writes=writes)
    try:
        done = room.log("status")
        short = name.removeprefix("/dev/")
        assert f"Terminal:   {short}: NOT RECORDED (sleep, process {made.pid})\n".encode() in done.stdout, done
        assert done.returncode == 1
        assert wait_for(lambda: ("unrecorded", f"{short} {made.pid} sleep") in journal(room.top / "log"), 15)
    finally:
        made.kill()
        made.wait()
    assert room.log("status").returncode == 0
    os.close(master)


def test_shell_that_was_put_on_a_recorder_s_own_terminal_is_found(room):
    """It reads and shows beside the recording; one within the recording is part of it."""
    recorded, master = pty.fork()
    if recorded == 0:
        os.execvpe("/bin/sh", ["/bin/sh", "-c", f"sleep 3; exec {TOOL} record 'tty >{room.top}/inner; sleep 60'"],
                   room.env)
    outer = f"/dev/pts/{_number(master)}"
    room.env["KEYROOM_TERMINALS"] = f"{outer}:{os.ttyname(room.slave)}"
    assert room.log("start", room.top / "log").returncode == 0
    line = f"Terminal:   {outer.removeprefix('/dev/')}: ".encode()
    assert wait_for(lambda: line + b"recorded\n" in room.log("status").stdout, 10)
    note = room.top / "inner"
    assert wait_for(lambda: note.exists() and note.read_text().endswith("\n"), 20)
    inner = note.read_text().strip()
    room.env["KEYROOM_TERMINALS"] += f":{inner}"
    for terminal, reads, found in ((outer, True, True), (outer, False, False), (inner, True, False)):
        made = opened(terminal, reads=reads, writes=True)
        done = room.log("status")
        made.kill()
        made.wait()
        assert (line + f"NOT RECORDED (sleep, process {made.pid})\n".encode() in done.stdout) == found, done
        assert done.returncode == found, done
    os.kill(recorded, signal.SIGKILL)
    os.close(master)
    os.waitpid(recorded, 0)


def test_shell_of_one_terminal_that_talks_on_another_is_found(room):
    """Typed into a recorded terminal, "sh </dev/tty8 >/dev/tty8" is typed and shown there."""
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    os.close(slave)
    child, mine = pty.fork()
    if child == 0:
        os.execvp("/bin/sh", ["/bin/sh", "-c", f"exec sleep 60 <{name} >{name} 2>&1"])
    room.env["KEYROOM_TERMINALS"] = f"{name}:{os.ttyname(room.slave)}"
    assert room.log("start", room.top / "log").returncode == 0
    words = f"Terminal:   {name.removeprefix('/dev/')}: NOT RECORDED (sleep, process {child})\n".encode()
    assert wait_for(lambda: words in room.log("status").stdout), room.log("status")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(mine)
    os.close(master)


def patterns(name):
    header = (TOP / "tools/evidence/terminals.h").read_text()
    return re.search(rf'#define {name}\s[\s\\]*"(.*)"', header).group(1).split(":")


@pytest.mark.parametrize("name, told, watched", [
    *((f"/dev/{name}", True, True) for name in ("tty1", "tty6", "ttyS0", "pts/0", "pts/17")),
    *((f"/dev/{name}", False, True) for name in ("tty7", "tty12", "tty63", "ttyS1", "ttyS31", "ttyUSB0", "ttyACM3")),
    *((f"/dev/{name}", False, True) for name in ("tty0", "console")),
    *((f"/dev/{name}", False, False) for name in ("tty", "ttyprintk", "ptmx", "pts/ptmx"))])
def test_every_terminal_on_which_a_shell_could_run_is_watched(name, told, watched):
    """Those beyond the six consoles, too, and the two names for whichever console it is;
    the serial line to an HSM is told nothing."""
    for which, wanted in (("TERMINALS_TOLD", told), ("TERMINALS_WATCHED", watched)):
        assert any(fnmatch.fnmatchcase(name, one) for one in patterns(which)) == wanted


def test_audit_fails_where_a_terminal_is_not_recorded(room):
    """The check by itself, as system-audit reads it."""
    check = TOP / "tools/system/audit/47-terminals"

    def audit():
        return run("sh", "-euc", 'found=; note() { found=${found:+$found, }$1; }; run=$SYSROOT/run/keyroom\n'
                   '. "$1"; verdict=PASS; check || verdict=FAIL; echo "$verdict $found"', "sh", check,
                   env=room.env).stdout.decode().strip()
    assert audit() == "PASS no log is kept"
    assert room.log("start", room.top / "log").returncode == 0
    assert audit() == "PASS all are"
    bare, master = pty.fork()
    if bare == 0:
        os.execvpe("/bin/bash", ["/bin/bash", "--norc", "-i"], room.env)
    number, before = _number(master), room.env["KEYROOM_TERMINALS"]
    room.env["KEYROOM_TERMINALS"] = f"/dev/pts/{number}"
    assert wait_for(lambda: audit() == f"FAIL pts/{number} is not")
    os.kill(bare, signal.SIGKILL)
    os.waitpid(bare, 0)
    os.close(master)
    room.env["KEYROOM_TERMINALS"] = before
    assert audit() == "PASS all are"
    os.kill(recorder(room), signal.SIGKILL)
    assert audit() == "FAIL the log does not answer"
