# SPDX-License-Identifier: ISC
"""The HSM's own log is evidence: ttyaudit must not lose a byte of it, in
bursts, with a slow or full drive, with a screen that has been stopped.
Pseudo terminals stand for the serial lines; the files are decoded and compared
with what was sent."""
import os
import pathlib
import pty
import random
import re
import signal
import subprocess
import termios
import threading
import time

import pytest

from ceremony_tools import BIN, environment, run

TOOL = BIN / "ttyaudit"
STAMP = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


class Audit:
    """ttyaudit on pseudo terminals of ours."""

    def __init__(self, folder, lines=1, argv=(), env=None, stdout=subprocess.DEVNULL,
                 wrap=()):
        self.folder = folder
        self.masters, self.paths, self.slaves = [], [], []
        for _ in range(lines):
            master, slave = pty.openpty()
            self.masters.append(master)
            self.slaves.append(slave)  # kept open: no hang-up before the tool opens
            self.paths.append(os.ttyname(slave))
        self.run = folder.parent / "run"
        self.process = subprocess.Popen(
            [*wrap, TOOL, *argv, *self.paths], cwd=folder, stdout=stdout,
            stderr=subprocess.PIPE, env=env or environment(run=self.run))
        for _ in range(lines):
            assert b" into " in self.process.stderr.readline()

    def send(self, data, line=0):
        view = memoryview(data)
        while view:
            view = view[os.write(self.masters[line], view[:65536]):]

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        self.errors = self.process.communicate(timeout=20)[1]
        for fd in self.masters + self.slaves:
            os.close(fd)
        return self.process.returncode

    def file(self, line=0):
        name = os.path.basename(self.paths[line])
        found = list(self.folder.glob(f"ttyaudit-{name}-*.log"))
        assert len(found) == 1, found
        return found[0].read_bytes()


def decode(recorded):
    """The bytes that the device sent, and the remarks."""
    data, remarks = bytearray(), []
    for line in recorded.split(b"\n")[:-1]:
        match = re.fullmatch(STAMP + rb"([ #+-])(.*)", line, re.S)
        assert match, line[:100]
        if match[1] in b"+-":
            del data[-1]
        if match[1] in b" -":
            data += match[2] + b"\n"
        else:
            remarks.append(match[2].decode())
    assert recorded.endswith(b"\n")
    return bytes(data), remarks


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "log folder"
    made.mkdir()
    return made


def test_ten_megabytes_in_bursts(folder):
    dice = random.Random(1)
    burst = b"".join(
        b"line %d %s\r\n" % (n, dice.randbytes(dice.randrange(200)).hex().encode())
        for n in range(5000))
    burst = burst[:1_000_000]
    audit = Audit(folder)
    for _ in range(10):
        audit.send(burst)
        time.sleep(0.02)
    assert audit.stop() == 0
    data, remarks = decode(audit.file())
    assert len(data) == 10_000_000 and data == burst * 10
    assert remarks[-1] == " end, 10000000 bytes recorded"


def test_every_byte_value_and_an_unended_line(folder):
    audit = Audit(folder)
    sent = bytes(range(256)) * 3 + b"\n\n\nno newline at the end"
    audit.send(sent)
    time.sleep(0.2)
    assert audit.stop(signal.SIGTERM) == 0
    data, remarks = decode(audit.file())
    assert data == sent
    assert "115200 baud" in remarks[0]


def test_line_is_on_the_drive_before_the_newline(folder):
    audit = Audit(folder)
    audit.send(b"password: ")
    end = time.monotonic() + 5
    while not audit.file().endswith(b"password: ") and time.monotonic() < end:
        time.sleep(0.02)
    assert audit.file().endswith(b"password: ")
    audit.stop()


def test_several_lines_at_once(folder):
    audit = Audit(folder, lines=3)
    for turn in range(200):
        for line in range(3):
            audit.send(b"device %d says %d\n" % (line, turn), line)
    time.sleep(0.2)
    assert audit.stop() == 0
    for line in range(3):
        data, _ = decode(audit.file(line))
        assert data == b"".join(b"device %d says %d\n" % (line, t) for t in range(200))


def test_screen_shows_escaped_text(folder):
    audit = Audit(folder, stdout=subprocess.PIPE)
    audit.send(b"red \x1b[31m\xff alarm\r\n")
    time.sleep(0.3)
    audit.process.send_signal(signal.SIGINT)
    shown, _ = audit.process.communicate(timeout=10)
    assert b"red \\x1b[31m\\xff alarm\n" in shown and b"\x1b" not in shown


def test_stopped_screen_stops_nothing(folder):
    """Nobody reads the screen: its pipe fills, the file does not wait."""
    reader, writer = os.pipe()
    audit = Audit(folder, stdout=writer)
    audit.send(b"0123456789abcde\n" * 40_000)
    time.sleep(0.3)
    assert audit.stop() == 0
    assert decode(audit.file())[0] == b"0123456789abcde\n" * 40_000
    os.close(reader)
    os.close(writer)


def test_device_gone_and_still_recording_the_other(folder):
    audit = Audit(folder, lines=2)
    audit.send(b"before\n")
    time.sleep(0.2)
    os.close(audit.masters[0])
    os.close(audit.slaves[0])
    audit.masters[0], audit.slaves[0] = pty.openpty()
    end = time.monotonic() + 5
    while b"device gone" not in audit.file(0) and time.monotonic() < end:
        time.sleep(0.05)
    audit.send(b"still here\n", 1)
    time.sleep(0.2)
    assert audit.stop() == 0
    data, remarks = decode(audit.file(0))
    assert data == b"before\n" and any("device gone" in r for r in remarks)
    assert decode(audit.file(1))[0] == b"still here\n"
    assert b"device gone" in audit.errors


@pytest.fixture
def small_drive(tmp_path):
    if os.getuid() != 0:
        pytest.skip("needs a mount")
    return ["unshare", "-m", "--propagation", "private", "sh", "-c",
            'mount -t tmpfs -o size=64k none . && cd "$PWD" && exec "$@"', "sh"]


def test_full_drive_is_said_and_the_rest_is_saved(folder, small_drive):
    audit = Audit(folder, wrap=small_drive)
    sent = b"fifteen letters\n" * 20_000
    audit.send(sent)
    time.sleep(0.5)
    saved = folder.parent / "run"
    inside = f"/proc/{audit.process.pid}/cwd"
    name = os.listdir(inside)[0]
    first = open(os.path.join(inside, name), "rb")
    assert audit.stop() == 5
    assert b"No space left on device; kept in memory" in audit.errors
    assert b"are saved in " in audit.errors
    rest = list(saved.glob("ttyaudit-*.log"))
    assert len(rest) == 1
    data, _ = decode(first.read() + rest[0].read_bytes())
    first.close()
    assert data == sent


def test_full_drive_that_gets_room_again(folder, small_drive):
    audit = Audit(folder, wrap=small_drive)
    inside = f"/proc/{audit.process.pid}/cwd"
    with open(os.path.join(inside, "ballast"), "wb") as file:
        file.write(bytes(40_000))
    sent = b"fifteen letters\n" * 1500
    audit.send(sent)
    assert b"kept in memory" in audit.process.stderr.readline()
    os.unlink(os.path.join(inside, "ballast"))
    assert b"writing again" in audit.process.stderr.readline()
    name = os.listdir(inside)[0]
    with open(os.path.join(inside, name), "rb") as file:
        assert audit.stop() == 0
        assert decode(file.read())[0] == sent


def test_existing_file_is_not_overwritten(folder):
    """Two recordings of one device within a second, and a file of that name."""
    audit = Audit(folder)
    name = os.path.basename(audit.paths[0])
    # Held open, or another test's terminal may get its number.
    master, slave = os.dup(audit.masters[0]), os.dup(audit.slaves[0])
    assert audit.stop() == 0
    now = int(time.time())
    for second in range(now - 1, now + 10):
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(second))
        (folder / f"ttyaudit-{name}-{stamp}.log").write_bytes(b"older")
    assert os.path.basename(os.ttyname(slave)) == name
    process = subprocess.Popen([TOOL, os.ttyname(slave)], cwd=folder,
                               stderr=subprocess.PIPE, env=environment(run=folder))
    assert b"-2.log" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    os.close(master)
    os.close(slave)
    assert process.returncode == 0
    older = [f for f in folder.iterdir() if f.read_bytes() == b"older"]
    assert len(older) == 11


def test_recorded_already(folder):
    audit = Audit(folder)
    done = run(TOOL, audit.paths[0], cwd=folder)
    assert audit.stop() == 0
    assert done.returncode == 3 and b"recorded already" in done.stderr


def test_dir_option(folder, tmp_path):
    other = tmp_path / "-other\nfolder"
    other.mkdir()
    audit = Audit(folder, argv=[f"--dir={other}", "-q", "--speed", "9600"])
    audit.send(b"x\n")
    time.sleep(0.2)
    assert audit.stop() == 0 and not list(folder.iterdir())
    data, remarks = decode(next(other.iterdir()).read_bytes())
    assert data == b"x\n" and "9600 baud" in remarks[0]


@pytest.mark.parametrize("argv,status", [
    ([], 2), (["-s", "300", "DEV"], 2), (["--speed", "x", "DEV"], 2),
    (["--baud", "DEV"], 2), (["/dev/null"], 3), (["absent"], 3), (["/etc/passwd"], 3),
    (["new\nline\x1b[2J"], 3), (["--", "-rf"], 3), (["DEV"] * 17, 2),
    (["--dir", "absent", "DEV"], 5),
])
def test_errors(folder, argv, status):
    master, slave = pty.openpty()
    argv = [os.ttyname(slave) if a == "DEV" else a for a in argv]
    done = run(TOOL, *argv, cwd=folder, timeout=10)
    assert done.returncode == status, done
    assert done.stderr.startswith(b"ttyaudit: ") and b"\x1b" not in done.stderr
    assert not list(folder.iterdir())
    os.close(master)
    os.close(slave)


def records(recorded):
    """(time, mark, bytes) of each record."""
    found = [re.fullmatch(rb"(\S+Z)([ #+-])(.*)", line, re.S) for line in recorded.split(b"\n")[:-1]]
    return [(match[1], match[2], match[3]) for match in found if match[2] in b" -"]


def test_return_alone_ends_a_line_with_its_own_time(folder):
    """Counters and menus: 0.3.4 gave all of it the time of its first byte."""
    audit = Audit(folder)
    for piece in (b"10 %\r", b"20 %\r", b"done\r\n", b"text\r", b"\nnext\r\r\n"):
        audit.send(piece)
        time.sleep(1.1)
    assert audit.stop() == 0
    data, _ = decode(audit.file())
    assert data == b"10 %\r20 %\rdone\r\ntext\r\nnext\r\r\n"
    found = records(audit.file())
    assert [text for _, _, text in found] == [b"10 %\r", b"20 %\r", b"done\r", b"text\r", b"next\r\r"]
    assert [mark for _, mark, _ in found] == [b" ", b"-", b"-", b" ", b" "]
    assert len({stamp for stamp, _, _ in found[:3]}) == 3


def test_open_prompt_has_the_time_when_it_appeared(folder):
    audit = Audit(folder)
    audit.send(b"starting ...")
    time.sleep(2.2)
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(time.time()))).encode()
    audit.send(b"PIN: ")
    time.sleep(0.3)
    assert audit.stop() == 0
    data, _ = decode(audit.file())
    (first, _, _), (prompt, mark, text) = records(audit.file())
    assert data == b"starting ...PIN: " and (mark, text) == (b"-", b"PIN: ")
    assert first < began <= prompt


@pytest.mark.parametrize("sent, shown", [
    (b"a\rb\n", b"a\\x0d\n"), (b"back\\slash\n", b"back\\\\slash\n"), (b"\x7f\x00\t\n", b"\\x7f\\x00\\x09\n"),
    (b"\xc3\xbc\n", b"\\xc3\\xbc\n"), (b"end\r\n", b"end\n")])
def test_screen_shows_what_the_manual_says(folder, sent, shown):
    audit = Audit(folder, stdout=subprocess.PIPE)
    audit.send(sent)
    time.sleep(0.3)
    audit.process.send_signal(signal.SIGINT)
    assert shown in audit.process.communicate(timeout=10)[0]


def test_stopped_terminal_stops_neither_reading_nor_the_end(folder):
    """Ctrl-S on the terminal that messages go to, as well: a device that goes away
    was announced there, and the reader waited for the terminal."""
    master, slave = pty.openpty()
    run_folder = folder.parent / "run"
    lines = [pty.openpty() for _ in range(2)]
    process = subprocess.Popen([TOOL, *(os.ttyname(s) for _, s in lines)], cwd=folder, stdin=slave,
                               stdout=slave, stderr=slave, env=environment(run=run_folder))
    shown = b""
    while shown.count(b" into ") < 2:
        shown += os.read(master, 4096)
    termios.tcflow(slave, termios.TCOOFF)
    os.close(lines[0][0])
    os.close(lines[0][1])
    time.sleep(1)
    sent = b"0123456789abcde\n" * 40_000
    view = memoryview(sent)
    while view:
        view = view[os.write(lines[1][0], view[:65536]):]
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0
    name = os.path.basename(os.ttyname(lines[1][1]))
    found, = folder.glob(f"ttyaudit-{name}-*.log")
    assert decode(found.read_bytes())[0] == sent
    termios.tcflow(slave, termios.TCOON)
    for fd in (master, slave, *lines[1]):
        os.close(fd)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def test_drive_that_hangs_stops_no_reading(folder):
    """The process that writes stands still: everything waits in memory."""
    audit = Audit(folder)
    writer, = children(audit.process.pid)
    os.kill(writer, signal.SIGSTOP)
    sent = b"fifteen letters\n" * 300_000
    began = time.monotonic()
    audit.send(sent)
    assert time.monotonic() - began < 15
    os.kill(writer, signal.SIGCONT)
    assert audit.stop() == 0
    assert decode(audit.file())[0] == sent


def test_process_that_writes_dies(folder):
    audit = Audit(folder)
    audit.send(b"before\n")
    time.sleep(0.5)
    os.kill(children(audit.process.pid)[0], signal.SIGKILL)
    time.sleep(0.3)
    audit.send(b"after\n")
    assert b"has died, bytes may be missing" in audit.process.stderr.readline()
    assert audit.stop() == 5
    text = b"".join(path.read_bytes() for path in folder.glob("ttyaudit-*.log"))
    assert b" before\n" in text and b" after\n" in text


def test_no_byte_is_lost_when_the_log_is_finished(folder):
    """Lines all the time, the log finished in between: what it does not have is in a file."""
    env = environment(run=folder.parent / "run", KEYROOM_TERMINALS="/nonexistent")
    log = folder.parent / "log"
    assert run(BIN / "ceremony-log", "start", log, env=env).returncode == 0
    audit = Audit(folder, env=env)
    sent = b""
    finish = None
    for turn in range(400):
        piece = b"line %d %s\n" % (turn, b"x" * 200)
        audit.send(piece)
        sent += piece
        time.sleep(0.003)
        if turn == 200:
            finish = subprocess.Popen([BIN / "ceremony-log", "finish", "--no-print"], env=env,
                                      stdout=subprocess.DEVNULL)
    assert finish.wait(timeout=20) == 0
    assert audit.stop() == 0
    begun, = log.glob("ttyaudit-*.log")
    rest, = folder.glob("ttyaudit-*.log")
    assert decode(begun.read_bytes() + rest.read_bytes())[0] == sent
    assert run(BIN / "ceremony-log", "verify", log, env=env).returncode == 0
    assert b"the ceremony's log takes no more: " in audit.errors and rest.name.encode() in audit.errors


def test_log_that_is_gone_is_said_at_once(folder):
    """And where what follows goes, which nobody looked for in the current folder."""
    env = environment(run=folder.parent / "run", KEYROOM_TERMINALS="/nonexistent")
    log = folder.parent / "log"
    assert run(BIN / "ceremony-log", "start", log, env=env).returncode == 0
    audit = Audit(folder, env=env)
    audit.send(b"before\n")
    time.sleep(0.5)
    pids = [path.parent.name for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")
            if b"ceremony-log" in _read(path) and env["SYSROOT"].encode() in _read(path.parent / "environ")]
    for pid in pids:
        os.kill(int(pid), signal.SIGKILL)
    wait = threading.Timer(20, audit.process.kill)
    wait.start()
    said = audit.process.stderr.readline()
    assert b"the ceremony's log takes no more: the process that kept the log has died" in said, said
    assert b"what follows goes into a file in this folder" in said
    audit.send(b"after\n")
    said = audit.process.stderr.readline()
    rest, = folder.glob("ttyaudit-*.log")
    assert f"does not have goes into ./{rest.name}".encode() in said, said
    assert audit.stop() == 0 and audit.errors == b""
    wait.cancel()
    assert b" after\n" in rest.read_bytes() and list(folder.glob("ttyaudit-*.log")) == [rest]


def _read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""
