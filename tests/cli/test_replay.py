# SPDX-License-Identifier: ISC
"""A recording of a terminal is evidence of what was typed and shown.  Commands
are typed key by key under script(1), at several widths, and read back from the
page; recordings are made at random and compared, row by row, with what another
terminal emulator (tmux) shows of them; and what is left out is said."""
import os
import pty
import random
import re
import shutil
import struct
import fcntl
import subprocess
import termios
import time

import pytest

from ceremony_tools import BIN, environment, run
from cups_room import pdf_text

TOOL = BIN / "text2pdf"
ASIDE = "| "
NOTE = "* "


def header(columns, rows):
    return f'Script started on 2026-11-22 08:00:00+00:00 [TERM="xterm" TTY="/dev/pts/0" ' \
           f'COLUMNS="{columns}" LINES="{rows}"]\n'.encode()


def replay(data, columns=80, rows=24):
    """The lines, without the recording's own first one."""
    done = run(TOOL, "--script", "--text", stdin=header(columns, rows) + data)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().split("\n")[1:-1]


# Typed under script

class Typist:
    """A shell under script(1) in a terminal of this width."""

    def __init__(self, folder, columns, term="xterm"):
        self.path = folder / "recording"
        (folder / "rc").write_text("PS1='/media/HSMFD/ceremony-61 # '\nHISTFILE=\n")
        self.child, self.ours = pty.fork()
        if self.child == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
            os.chdir(folder)
            os.execvpe("script", ["script", "-q", "-f", "-c", "bash --noprofile --rcfile rc -i", str(self.path)],
                       dict(environment(), TERM=term, HOME=str(folder)))
        self.seen = b""
        self.wait(b"61 # ")

    def wait(self, what):
        end = time.monotonic() + 20
        while what not in self.seen and time.monotonic() < end:
            try:
                self.seen += os.read(self.ours, 65536)
            except OSError:
                break
        assert what in self.seen, (what, self.seen)
        self.seen = self.seen.split(what, 1)[1]

    def keys(self, *keys):
        for key in keys:
            for byte in key if key[:1] != b"\x1b" else [key]:
                os.write(self.ours, byte if isinstance(byte, bytes) else bytes([byte]))
                time.sleep(0.004)

    def size(self, columns):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))

    def end(self):
        self.keys(b"exit", b"\r")
        while True:
            try:
                if not os.read(self.ours, 65536):
                    break
            except OSError:
                break
        os.waitpid(self.child, 0)
        os.close(self.ours)
        return self.path.read_bytes()


UP, LEFT, HOME = b"\x1b[A", b"\x1b[D", b"\x01"
LONG = "echo --config ../ksrsigner.yaml /media/KSR/KSR.XML /media/KSR/SKR.XML and then some more"


def on_paper(recording, folder):
    """What the pages say, the pieces of lines put together."""
    (folder / "recording").write_bytes(recording)
    done = run(TOOL, "--script", folder / "recording")
    assert done.returncode == 0, done.stderr
    (folder / "out.pdf").write_bytes(done.stdout)
    text = pdf_text(folder / "out.pdf")
    pages = [page.split("Keyroom", 2 if "Keyroom" in page else 1)[0] for page in text.split("\f")]
    return re.sub(r"\s+", " ", re.sub(r"\s*\n\s*\u00bb ?", " ", "\n".join(pages)))


@pytest.mark.parametrize("term", ["xterm", "linux"])
@pytest.mark.parametrize("columns", [42, 61, 80, 84])
def test_typed_commands_are_read_back(tmp_path, columns, term):
    typist = Typist(tmp_path, columns, term)
    typist.keys(LONG.encode(), b"\r")
    typist.wait(b"61 # ")
    # Recalled, and edited in its middle and at its beginning.
    typist.keys(UP, *[LEFT] * 20, b"IN THE MIDDLE ", HOME, *[b"\x1b[C"] * 5, b"-e ", b"\r")
    typist.wait(b"61 # ")
    # Typed wrong, taken back, typed right; then recalled twice and cut short.
    typist.keys(b"echo " + b"wrong " * 14, *[b"\x7f"] * 84, b"right", b"\r")
    typist.wait(b"61 # ")
    typist.keys(UP, UP, UP, b"\x15", b"echo short", b"\r")
    typist.wait(b"61 # ")
    shown = on_paper(typist.end(), tmp_path)
    prompt = "/media/HSMFD/ceremony-61 # "
    edited = LONG.replace("echo ", "echo -e ")[:-20] + "IN THE MIDDLE " + LONG[-20:]
    assert prompt + LONG in shown and prompt + edited in shown
    assert prompt + "echo right right" in shown and prompt + "echo short short" in shown
    assert "wrong" not in shown


def test_typed_through_changes_of_size(tmp_path):
    """As ceremony-log notes them; what is typed before and behind is whole."""
    typist = Typist(tmp_path, 84)
    typist.keys(LONG.encode())
    time.sleep(0.3)
    first = typist.path.read_bytes()
    typist.size(42)
    time.sleep(0.5)
    typist.keys(b" TAIL", b"\r")
    typist.wait(b"61 # ")
    typist.keys(b"echo second " + b"abc " * 20, b"\r")
    typist.wait(b"61 # ")
    whole = typist.end()
    recording = first + b"\x1b[8;30;42t" + whole[len(first):]
    shown = on_paper(recording, tmp_path)
    # The line editor writes its line again: once each is whole.
    assert shown.count(LONG[5:] + " TAIL") >= 1
    assert "# echo second " + "abc " * 20 in shown


# Against another emulator

# Nothing of these is shown, and nothing behind them is changed.  libvterm writes
# behind the end of its list of parameters, moves the cursor back for a control
# character of two bytes, takes what follows an unknown byte or a byte that is out
# of order for text (or for another sequence), and may not return from a repetition.
COLOURS = b"\x1b[38:2:59:66:97;48:2:36:40:59;58:2:224:175:104;4:3m"
STRAYS = [COLOURS, b"\x1b[19m", b"\x1b[" + b";" * 40 + b"m", b"\x1b\xc3\xbc[m",
          b"\x1b\x80[1m", b"\x1b\xff7\x1b8", b"\x1b[1?2h",
          b"\x1b[ 5q", b"\x1b[2:0J", b"\x1b[2 J", b"\x1b)[", b"\x1b([", b"\x1b[\x3f\x3f25h"]
# The other emulator passes over these up to version 3.3, and gives each a column
# from 3.5 on.
CONTROLS_OF_TWO_BYTES = [b"\xc2\x80", b"\xc2\x85", b"\xc2\x9b", b"\xc2\x9f"]


class Recording:
    """Made at random.  The cursor is never left behind the last column, and never
    goes back over the beginning of a row: there emulators differ."""

    PIECES = {"text": 45, "new_line": 17, "to_begin": 4, "back": 4, "tab": 3, "step": 3, "erase_line": 3,
              "shift": 3, "place": 2, "colour": 3, "title": 2, "move_lines": 2, "save": 1, "modes": 1, "up": 1,
              "down": 1, "strays": 4, "repeat": 1}
    CLEARS = {"clear": 1, "erase_below": 1}
    WORDS = ["ksrsigner", "--config", "/media/KSR/KSR.XML", "ok", "Z\u00fcrich", "na\u00efve", "a", "1234567890"]

    def __init__(self, rng, columns, rows, clears):
        self.rng, self.columns, self.rows = rng, columns, rows
        self.column, self.out = 0, bytearray()
        pieces = dict(self.PIECES, **(self.CLEARS if clears else {}))
        for _ in range(rng.randint(20, 150)):
            getattr(self, rng.choices(list(pieces), pieces.values())[0])()

    def put(self, data, column=None):
        self.out += data
        if column is not None:
            self.column = column

    def text(self):
        text = " ".join(self.rng.choice(self.WORDS) for _ in range(self.rng.randint(1, 20)))
        if (self.column + len(text)) % self.columns == 0:
            text += "."
        self.put(text.encode(), (self.column + len(text)) % self.columns)

    def new_line(self):
        self.put(b"\r\n", 0)

    def to_begin(self):
        self.put(b"\r", 0)

    def back(self):
        count = min(self.column, self.rng.randint(1, 5))
        self.put(b"\b" * count, self.column - count)

    def tab(self):
        self.put(b"\t", min(self.columns - 1, (self.column // 8 + 1) * 8))

    def step(self):
        count, way = self.rng.randint(0, 9), self.rng.choice("ABCD")
        by = {"C": max(1, count), "D": -max(1, count)}.get(way, 0)
        self.put(f"\x1b[{count}{way}".encode(), max(0, min(self.columns - 1, self.column + by)))

    def erase_line(self):
        self.put(b"\x1b[%dK" % self.rng.randint(0, 2))

    def shift(self):
        self.put(b"\x1b[%d%c" % (self.rng.randint(1, 6), self.rng.choice(b"P@X")))

    def place(self):
        column = self.rng.randint(1, self.columns)
        self.put(b"\x1b[%d;%dH" % (self.rng.randint(1, self.rows), column), column - 1)

    def colour(self):
        self.put(b"\x1b[%dm" % self.rng.choice([0, 1, 7, 31, 44]))

    def title(self):
        self.put(b"\x1b]0;a title\x07")

    def move_lines(self):
        # Not the first row: what is deleted there is kept, and tmux forgets it.
        self.put(b"\x1b[2;1H\x1b[%d%c\r" % (self.rng.randint(1, 3), self.rng.choice(b"LM")), 0)

    def save(self):
        self.put(b"\x1b7")
        self.text()
        self.put(b"\x1b8\r", 0)

    def modes(self):
        self.put(b"\x1b[?25l\x1b[?2004h")

    def up(self):
        self.put(b"\x1bM")

    def down(self):
        self.put(b"\x1bD")

    def strays(self):
        self.put(self.rng.choice(STRAYS))

    def repeat(self):
        self.put(b"\rx", 1)
        count = self.rng.randint(1, self.columns - 3)
        self.put(b"\x1b[%db" % count, 1 + count)

    def clear(self):
        self.put(b"\x1b[H\x1b[2J", 0)

    def erase_below(self):
        self.put(b"\x1b[J")


def trimmed(lines):
    lines = [line.rstrip() for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    return lines


class Tmux:
    def __init__(self, folder):
        self.folder = folder
        self.argv = ["tmux", "-S", str(folder / "s"), "-f", "/dev/null"]
        self.env = dict(environment(), LC_ALL="C.UTF-8", HOME=str(folder))

    def call(self, *argv):
        return subprocess.run([*self.argv, *argv], env=self.env, cwd=self.folder, check=True,
                              capture_output=True).stdout.decode()

    def rows(self, data, columns, rows):
        (self.folder / "in").write_bytes(data)
        (self.folder / "done").unlink(missing_ok=True)
        self.call("start-server", ";", "set-option", "-g", "history-limit", "100000", ";", "new-session", "-d",
                  "-x", str(columns), "-y", str(rows),
                  'stty raw -echo; cat in; printf "\\033[6n"; head -c 4 >answer; touch done; sleep 1000')
        try:
            for _ in range(400):
                if (self.folder / "done").exists():
                    break
                time.sleep(0.02)
            assert (self.folder / "done").exists()
            return self.call("capture-pane", "-p", "-S", "-").split("\n")
        finally:
            self.call("kill-server")


@pytest.mark.skipif(not shutil.which("tmux"), reason="no tmux")
@pytest.mark.parametrize("clears", [False, True])
@pytest.mark.parametrize("seed", range(15))
def test_every_row_is_what_another_emulator_shows(tmp_path, seed, clears):
    rng = random.Random(seed)
    columns, rows = rng.choice([20, 42, 61, 80, 84]), rng.choice([5, 10, 24])
    data = bytes(Recording(rng, columns, rows, clears).out)
    ours = trimmed(line[at:at + columns] for line in replay(data, columns, rows)
                   for at in range(0, max(len(line), 1), columns))
    for _ in range(5):
        theirs = trimmed(Tmux(tmp_path).rows(data, columns, rows))
        # What somebody writes to all terminals of this machine is not ours.
        if not any("***" in row for row in theirs):
            break
    if clears:
        # tmux also keeps rows that were erased; how many empty ones is not the point.
        ours, theirs = [row for row in ours if row], [row for row in theirs if row]
    assert ours == theirs


# What a terminal does

@pytest.mark.parametrize("data,shown", [
    (b"line1\r\nline2\r\n\x1b[A\x1b[2Knew 2\r\n\x1b[2A\rnew 1\x1b[K\r\n", ["new 1", "new 2"]),
    (b"abc\tdef\r\x1b[3Cxyz\r\n", ["abcxyz  def"]),
    (b"x\x1b[12\r\n~ # date\r\n", ["x", " # date"]),            # the tilde ends the sequence
    (b"\x1b[999999999Cx\r\n", [" " * 79 + "x"]),
    (b"a\x0e\x0fb\x00\x7fc\r\n", ["abc"]),
    (b"a\x1b[1;31mb\x1b[mc\r\n", ["abc"]),
    (b"one\x1b[20Dtwo\r\n", ["two"]),
    (b"\x1b(0lqk\x1b(B ok\r\n", ["\u250c\u2500\u2510 ok"]),
    (b"Z\xc3\xbcrich \xe4\xb8\xad.\r\n", ["Z\u00fcrich \u4e2d."]),
    (b"bad \xff\xc3. \xe2\x82\r\n", ["bad \ufffd\ufffd. \ufffd"]),
    (b"keep\r\n\x1b[H\x1b[2J\x1b[3Jnext\r\n", ["keep", "next"]),
    (b"keep\r\n\x1bcnext\r\n", ["keep", "next"]),
    (b"no\nreturns\nat all\n", ["no", "returns", "at all"]),
    (b"x\x1b[3b\r\n\x1b[3by\x1b[999999999b", ["xxxx", "y" * 1921, NOTE + "[left out: a character that is repeated more often]"]),
    (b"\xe4\xb8\xad\x1b[2b\r\nx\r\x1b[3b\r\n\xcc\x81\x1b[3bz", ["\u4e2d" * 3, "x", "z"]),
    (b"x" * 80 + b"\x1b[3b", ["x" * 83]),
    # Over the right edge: what follows stands in another row.
    (b"REFUSED x\x1b[79b\rACCEPTED", ["REFUSED " + "x" * 72 + "ACCEPTED"]),
    (b"a\x1b[200b.", ["a" * 201 + "."]),
    ("x\u0301".encode() + b"\x1b[3b.", ["x\u0301."]),
    (b"\xe0\x82\x80\xed\xa0\x80.\r\n", ["\ufffd\ufffd."]),
    # A number that is too large is a large one; libvterm counts on over zero.
    (b"keep\r\n\x1b[4294967298Jx\x1b[18446744073709551617Cy", ["keep", "x" + " " * 78 + "y"]),
    (b"\x1b[000000000000000002Cx", ["  x"]),
    # What is erased with a mark is kept as well; with another it is another command.
    (b"keep\r\n\x1b[H\x1b[?2Jnext", ["keep", "next"]),
    (b"keep\r\n\x1b[2 Jmore\x1b[8;9;9 tx", ["keep", "morex"]),
    (b"", []),
])
def test_what_a_terminal_shows(data, shown):
    assert replay(data) == shown


SAVED = [
    (b"REFUSED \x1b[sACCEPTED\x1b[u", ["REFUSED ACCEPTED"]),
    (b"abc\x1b[sdef\x1b[uX\x1b[A", ["abcXef"]),
    (b"abc\x1b7def\x1b[uX\x1b[sgh\x1b8Y", ["abcXYh"]),
    (b"one\r\ntwo\x1b[1;40sthree\x1b[0uX", ["one", "twoXhree"]),
    # The terminals of the disc have no such mode.
    (b"one\x1b[?69h\x1b[s two\x1b[uX", ["oneXtwo"]),
    (b"one\x1b[?7;69h\x1b[2;9s two\x1b[uX", ["oneXtwo"]),
    # Other commands, and none.
    (b"one\x1b[s\x1b[>1u two\x1b[<uX\x1b[?uY", ["one twoXY"]),
    (b"one\x1b[s\x1b[?s two\x1b[ s\x1b[ uX\x1b[uY", ["oneYtwoX"]),
    (b"one\x1b[\rsX two\x1b[uY", ["Y two"]),
    (b"one\x1b]0;[s\x07 two\x1b]0;[u\x1b\\X", ["one twoX"]),
]


@pytest.mark.parametrize("data,shown", [
    ("abc\r\x1b[4h\u65e5\x1b[4l\u672c", ["\u65e5\u672cc"]),
    ("abc\r\x1b[4h\u65e5\u672cX\u00e9", ["\u65e5\u672cX\u00e9abc"]),
    ("abc\r\x1b[4h\x1b[!p\u65e5", ["\u65e5c"]),
    ("abc\r\x1b[7;4h\u65e5\x1b[2b\x1b[4;7lX", ["\u65e5" * 3 + "Xbc"]),
])
def test_insert_mode_makes_room_for_a_wide_character(tmp_path, data, shown):
    """A letter behind it was lost."""
    assert replay(data.encode()) == shown
    # tmux does not leave the mode for CSI ! p, and repeats no wide character; foot
    # and xterm do.
    if shutil.which("tmux") and "!p" not in data and "2b" not in data:
        assert trimmed(Tmux(tmp_path).rows(data.encode(), 80, 24)) == shown


def test_insert_mode_is_one_of_both_screens():
    lines = replay("abc\x1b[4h\x1b[?1049hde\r\u65e5\x1b[?1049l\r\u672c".encode())
    assert "\u672cabc" in lines
    assert ASIDE + "\u65e5de" in lines


@pytest.mark.parametrize("data,shown", SAVED)
def test_saved_cursor(tmp_path, data, shown):
    """What came behind CSI s stood over the first row of the screen."""
    assert replay(data) == shown
    if shutil.which("tmux"):
        assert trimmed(Tmux(tmp_path).rows(data, 80, 24)) == shown


@pytest.mark.parametrize("stray", STRAYS + CONTROLS_OF_TWO_BYTES)
def test_what_shows_nothing_changes_nothing(stray):
    assert replay(b"one\r\n" + stray + b"two\r\nth" + stray + b"ree\x1b[K\r\n" + stray + b"\x1b[K" + b"x" * 80 +
                  stray + b"y") == ["one", "two", "three", "x" * 80 + "y"]


@pytest.mark.parametrize("sequence", [b"\x1b[2" + b";" * 16 + b"J", b"\x1b[" + b"1;" * 16 + b"1H", b"\x1b[?" + b"1;" * 99 + b"h"])
def test_more_parameters_than_a_terminal_takes_are_said(sequence):
    lines = replay(b"one\r\n" + sequence + b"two\r\n")
    assert lines == ["one", NOTE + f"[left out: {len(sequence)} bytes of a sequence with too many parameters]", "two"]
    # As many as there is room for are taken.
    assert replay(b"one\x1b[5" + b";" * 15 + b"Gtwo") == ["one two"]


def test_a_cursor_never_leaves_its_screen():
    """It was a column before the first one, and the rows before a change of size
    grew until memory was full."""
    assert replay(b"\xc2\x80\x1b[8;24;40tx" + b"\r\xc2\x9f" * 9 + b"\x1b[8;24;80ty") == ["y"]


def test_what_scrolls_off_is_kept_and_a_line_is_one_line():
    lines = [f"{n} " + "abcdefghi " * (n % 30) for n in range(300)]
    assert replay("\r\n".join(lines).encode(), 42, 5) == trimmed(lines)


def test_the_recording_s_own_lines(tmp_path):
    """Without the carriage returns that it has none of; another may follow."""
    first = header(42, 10) + b"a" * 50 + b"\r\n\nScript done on 2026-11-22 08:01:00+00:00 [COMMAND_EXIT_CODE=\"0\"]\n"
    second = header(20, 10) + b"b" * 30 + b"\x1b[10Gc\r\nScript started on x [COLUMNS=\"80\" LINES=\"9\"]\r\n"
    done = run(TOOL, "--script", "--text", stdin=first + second)
    lines = done.stdout.decode().split("\n")
    assert lines[1] == "a" * 50 and lines[2].startswith("Script done on") and lines[3].startswith("Script started")
    # The second row of 20 columns ends with the tenth, which is overwritten.
    assert lines[4] == "b" * 29 + "c"
    # What a program shows is no header.
    assert lines[5] == 'Script started on x [COLUMNS="80" LINES="9"]'


@pytest.mark.parametrize("begin,end", [(b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?47h", b"\x1b[?47l"),
                                       (b"\x1b[?1047h", b"\x1b[?1047l"), (b"\x1b[?1;1049h", b"\x1b[?1049;25l")])
def test_alternate_screen_is_there_once_and_marked(begin, end):
    pages = b"".join(b"\x1b[H\x1b[2Jpage %d\r\n~\r\n:" % n for n in range(30))
    lines = replay(b"# less file\r\n" + begin + pages + b"\r\x1b[K" + end + b"# next\r\n")
    assert lines == ["# less file", NOTE + "[the alternate screen, as last seen:]", ASIDE + "page 29", ASIDE + "~",
                     NOTE + "[end of the alternate screen]", "# next"]


def test_alternate_screen_that_was_cleared_or_is_still_there():
    assert replay(b"# nano\r\n\x1b[?1049htext\x1b[H\x1b[2J\x1b[?1049l# \r\n")[2] == ASIDE + "text"
    lines = replay(b"# man x\r\n\x1b[?1049hMANUAL")
    assert lines[0] == "# man x" and "still there at the end" in lines[1] and lines[2] == ASIDE + "MANUAL"
    # Another size in between: it is drawn again, or is there as it was.
    for size in (b"\x1b[8;2;20t", b"\x1b[8;90;90t"):
        shown = replay(b"# less\r\n\x1b[?1049h\x1b#8\x1b[Hfirst" + size + b"second\x1b[?1049l# \r\n", 20, 24)
        assert shown[2] == ASIDE + "second" and len(shown) == 5
        shown = replay(b"# less\r\n\x1b[?1049hfirst" + size + b"\x1b[?1049l# \r\n", 20, 24)
        assert shown[2] == ASIDE + "first" and len(shown) == 5
    # A program cannot write our marks.
    assert replay(b"\x01\x02x\r\n") == ["x"]


@pytest.mark.parametrize("string", [b"\x1b]0;", b"\x1bP+q", b"\x1b^", b"\x1b_", b"\x1bX"])
def test_a_string_that_nobody_ends(string):
    """It ends where a terminal ends it, at the next sequence; and it is said."""
    lines = replay(b"# cat x\r\n" + string + b"title\r\nhidden\r\n\x1b[?2004h# sign\r\nyes\r\n")
    assert lines[0] == "# cat x" and lines[2:] == ["# sign", "yes"]
    assert re.fullmatch(r"\* \[left out: \d+ bytes of a string that nobody ended\]", lines[1])
    lines = replay(b"a\r\n" + string + b"x" * 5000)
    assert lines[0] == "a" and "left out: 50" in lines[1] and len(lines) == 2
    lines = replay(string + b"one\x18two\r\n")
    assert "left out" in lines[0] and lines[1:] == ["two"]


def test_a_picture_in_the_terminal_is_said():
    lines = replay(b"a\r\n\x1bPq#0;2;0;0;0#0~~@@\x1b\\b\r\n\x1b]0;title\x1b\\c\r\n")
    assert lines == ["a", NOTE + "[left out: 17 bytes of a picture or another string for the terminal]", "b", "c"]


@pytest.mark.parametrize("flood", [b"\x1b[99S", b"\x1b[999999999C x\r\n", b"\x1b#8\x1b[2J", b"\x1b[99999999L", b"\n",
                                   b"x\x1b[99T", b"\x1b[8;300;500t\x1b#8", b"\x1b[?1049hx\x1b[?1049l", b"\x1bP\x1b\\",
                                   b"\x1b]\x18", b"x\x1b[99999b", b"\x1b[8;2;2tx\x1b[9b", b"\x1b[8;2;2t\x1b[8;300;500t\x1b#8\x1bc"])
def test_a_small_recording_is_no_heap_of_paper(flood):
    """Whatever it says, it has no more lines than half its bytes, and some."""
    data = (flood * 21000)[:21000]
    began = time.monotonic()
    done = run(TOOL, "--script", stdin=header(500, 300) + data)
    assert done.returncode == 0, done.stderr
    pages = int(re.search(rb", (\d+) pages", done.stdout)[1])
    assert pages <= (1000 + 21000 // 2) // 52 + 20 and time.monotonic() - began < 60, pages


@pytest.mark.skipif("sanitize" in str(BIN), reason="the sanitizer takes more memory than any limit")
@pytest.mark.parametrize("flood,times", [(b"\x1b[?1049h\x1b#8\x1b[?1049l", 1300), (b"\x1bP\x1b\\", 1_000_000)],
                         ids=["screens", "strings"])
def test_what_waits_to_be_said_is_counted(flood, times):
    """Each alternate screen was kept until the row below it was there."""
    flood *= times
    done = run("prlimit", "--as=100000000", TOOL, "--script", "--text", stdin=header(400, 200) + b"first\r\n" + flood)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().split("\n")[1:-1]
    assert lines[0] == "first" and re.fullmatch(r"\* \[left out: \d+ more lines than .*", lines[-1])
    most = 1000 + len(flood) // 2
    assert len(lines) <= min(most, 100_000) + 100


@pytest.mark.parametrize("mark", ["\u0301", "\u0901", "\u200d"])
def test_marks_upon_one_letter_have_an_end(mark):
    """For each one more libvterm goes over all that are there: minutes a megabyte."""
    began = time.monotonic()
    lines = replay(("e" + mark * 300_000 + "\u00fc\u4e2d" + mark + "\r\nnext\r\n").encode())
    assert time.monotonic() - began < 10
    assert lines[0][0] == "e" and lines[0].rstrip(mark).endswith("\u00fc\u4e2d") and lines[1:] == ["next"]


def test_more_lines_than_it_should_have_are_counted():
    lines = replay(b"\x1b#8\x1b[2J" * 2000, 80, 24)
    assert re.fullmatch(r"\* \[left out: \d+ more lines than so short a recording should have\]", lines[-1])
    lines = replay(b"a\r\n" + b"\r\n" * 500 + b"b\r\n")
    assert lines[0] == "a" and lines[-1] == "b" and lines[-2] == NOTE + "[left out: 400 more empty lines]"


def test_sizes_that_are_none():
    for columns, rows in ((0, 0), (1, 1), (99999, 99999)):
        assert replay(b"hello\r\n", columns, rows) == ["hello"]
    assert replay(b"\x1b[8;0;0thello\x1b[8;1;1t\x1b[8;99999;99999t\x1b[8t\x1b[8;2;2;2t\r\n")[-1].endswith("hello")


@pytest.mark.parametrize("seed", range(10))
def test_any_bytes_are_a_recording(seed):
    rng = random.Random(seed)
    alphabet = [b"\x1b", b"[", b"]", b"?", b"1049", b"h", b"l", b";", b"8;", b"t", b"J", b"2", b"\r", b"\n", b"x",
                b"P", b"\\", b"\x9b", b"\xc3", b"\xe4\xb8\xad", b"c", b"\t", b"\b", b"99999", b"A", b"H", b"M", b"r",
                b"\x18", bytes([rng.randrange(256)])]
    data = b"".join(rng.choice(alphabet) for _ in range(20000))
    for line in replay(data, rng.choice([2, 9, 80]), rng.choice([2, 24])):
        assert not re.search("[\x00-\x1f\x7f-\x9f]", line)
