# SPDX-License-Identifier: ISC
"""A text console is paged back: what it has shown is kept from its first shell on,
log or no log, and Page Up at the prompt opens it at its end.  Linux has no paging of
its own any more: what an audit said before it scrolled off was gone.  What was shown
must neither run nor paint anything, and a log that begins later must lack nothing."""
import fcntl
import os
import pty
import re
import socket
import struct
import time

import pytest

from ceremony_tools import BIN, SCRIPTS, TOP, environment, run, run_tty, stub

TOOL = BIN / "ceremony-log"
KEPT = 1024 * 1024
PAGE_UP = "\x1b[5~"


class Console:
    def __init__(self, top):
        self.top = top
        self.lately = top / "run/lately"
        self.log = top / "log"
        rc = top / "rc"
        rc.write_text(f"PS1='ready> '\n. {TOP}/image/rootfs/etc/profile.d/zz-keyroom-record.sh\n")
        stub(top / "bin", "bash", f"exec /bin/bash --noprofile --rcfile {rc} -i\n")
        self.env = environment(run=top / "run", TERM="linux", KEYROOM_TERMINALS="/dev/pts/none")
        self.env["PATH"] = f"{top}/bin:{self.env['PATH']}"

    def type(self, *lines, timeout=30):
        """Each line at a prompt, or ("what to wait for", keys); what was shown, and kept."""
        answers = [line if isinstance(line, tuple) else ("ready> ", f"{line}\n") for line in lines]
        answers += [("ready> ", f"page-back --text >{self.top}/text\n"), ("ready> ", "exit\n")]
        status, shown = run_tty(TOOL, "record", "--later", env=self.env, answers=answers, timeout=timeout)
        assert status == 0, shown
        return shown, (self.top / "text").read_text()


@pytest.fixture
def console(tmp_path):
    yield Console(tmp_path)
    run(TOOL, "finish", "--no-print", env=environment(run=tmp_path / "run"))


def test_what_was_shown_is_kept_as_text_without_a_log(console):
    shown, text = console.type("seq 200", r"printf '\033[31mred\033[0m \033]0;title\007wide: gr\303\274n\n'")
    assert "\n".join(map(str, range(1, 201))) in text
    assert "\nred wide: grün\n" in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    assert text.startswith("ready> seq 200\n")
    # With the shell it is gone.
    assert list(console.lately.iterdir()) == []


def test_page_up_opens_it_at_its_end_and_q_goes_back(console):
    shown, text = console.type("seq 1000 1200", ("ready> ", PAGE_UP), ("(END)", PAGE_UP), ("q goes back", PAGE_UP),
                               ("q goes back", "q"), "echo back-$((1+1))")
    paged = shown.split("\x1b[?1049h")[1].split("\x1b[?1049l")[0]
    first, rest = paged.split("(END)")
    assert "1200" in first and "1100" not in first
    assert "1160\n" in rest and "1140\n" in rest
    # The screen is as it was, and paging leaves no trace in what is kept.
    assert paged.rstrip().endswith("1200") and "back-2" in shown
    assert text.count("1200") == 2 and "goes back" not in text     # typed, and shown


def test_what_was_shown_runs_nothing(console):
    """Nor do keys in less: each is refused, and its prompt is there again."""
    shown, _ = console.type(r"printf '\033[5n\033P$q\033\\ x\n'", ("ready> ", "page-back\n"),
                            ("(END)", "!\n"), ("(END)", "v\n"), ("(END)", "q"), "echo back-$((1+1))")
    assert "back-2" in shown
    assert "\x1b[5n" not in shown.split("\x1b[?1049h")[1]


def test_a_log_has_all_from_the_next_prompt_on(console):
    """The same shell goes on: what was set in it is there, and nothing is lost."""
    shown, text = console.type("x=kept", "echo before-$x", f"ceremony-log start {console.log}", "echo a-$x", "seq 50",
                               "ceremony-log status", "ceremony-log finish --no-print", "echo between-$x",
                               f"ceremony-log start {console.log}2", "echo b-$x")
    one, two = (next(folder.glob("terminal-*")).read_text() for folder in (console.log, console.top / "log2"))
    head = r"Script started on \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00 \[COMMAND=.*TERM=\"linux\".*\n\x1b\[8;24;80t"
    assert re.match(head, one) and re.match(head, two)
    assert "a-kept" in one and "50\n" in one and "before-kept" not in one and "between-kept" not in one + two
    assert "b-kept" in two and "NOT RECORDED" not in shown
    assert [re.search(rf"^{word}-kept$", text, re.M) is not None for word in ("before", "a", "between", "b")] == [True] * 4
    assert run(TOOL, "verify", console.log, env=console.env).returncode == 0


def test_where_the_log_refuses_the_prompt_says_so(console):
    """What keeps it has died, and its door is still there."""
    (console.top / "run/log").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(console.top / "run/log/socket"))
    shown, _ = console.type("echo on-$((1+1))")
    assert "*** THIS TERMINAL IS NOT RECORDED ***" in shown and "on-2" in shown


def test_terminal_that_shows_a_recorded_one_counts_as_recorded(console):
    """A card of a script is recorded within it, and the console shows nothing else."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execvpe(TOOL, [TOOL, "record", "--later"], console.env)
    name = f"/dev/pts/{struct.unpack('I', fcntl.ioctl(fd, 0x80045430, bytes(4)))[0]}"    # TIOCGPTN
    env = {**console.env, "KEYROOM_TERMINALS": name}
    try:
        until = time.monotonic() + 20
        while not (console.lately.is_dir() and list(console.lately.iterdir())) and time.monotonic() < until:
            time.sleep(0.1)
        assert run(TOOL, "start", console.log, env=env).returncode == 0
        done = run(TOOL, "status", env=env)
        assert done.returncode == 1 and f"{name[5:]}: NOT RECORDED".encode() in done.stdout
        os.write(fd, b"exec ceremony-log record 'sleep 60'\n")
        until = time.monotonic() + 30
        while run(TOOL, "status", env=env).returncode != 0 and time.monotonic() < until:
            time.sleep(0.2)
        done = run(TOOL, "status", env=env)
        assert done.returncode == 0 and f"{name[5:]}: recorded".encode() in done.stdout
    finally:
        os.close(fd)
        os.waitpid(pid, 0)


def test_memory_is_bounded(console):
    """The last of it is there, whole lines."""
    shown, text = console.type("seq 500000", f"stat -c %s {console.lately}/* >{console.top}/size", timeout=120)
    sizes = [int(line) for line in (console.top / "size").read_text().split()]
    assert len(sizes) == 1 and KEPT < sizes[0] <= 2 * KEPT + 65536
    numbers = [int(line) for line in text.splitlines() if re.fullmatch(r"\d+", line)]
    assert numbers[-1] == 500000 and numbers == list(range(numbers[0], 500001)) and 19000 < len(numbers) < 20000


def test_without_memory_the_shell_is_there(console):
    """Its place is taken by a file: nothing is kept, and page-back says so."""
    console.lately.parent.mkdir(parents=True, exist_ok=True)
    console.lately.touch()
    status, shown = run_tty(TOOL, "record", "--later", env=console.env, answers=[
        ("ready> ", "page-back; echo status-$?\n"), ("status-3", "exit\n")])
    assert status == 0 and "is not kept" in shown


def test_elsewhere_it_says_so_in_one_line(console):
    done = run(SCRIPTS / "page-back", env=console.env)
    assert done.returncode == 3 and done.stdout == b"" and b"is not kept" in done.stderr
    assert done.stderr.count(b"\n") == 1
    # Another terminal, that was opened from a kept one, has nothing of its own.
    console.lately.mkdir(parents=True)
    (console.lately / "123").write_text("of another\n")
    status, shown = run_tty(SCRIPTS / "page-back", "--text", env={**console.env, "KEYROOM_RECORDED": "123:/dev/null"})
    assert status == 3 and "of another" not in shown


@pytest.mark.parametrize("argv, why", [
    (["record", "--later", "true"], "--later goes without a command"), (["status", "--later"], "--later belongs to record")])
def test_later_is_for_a_shell(console, argv, why):
    done = run(TOOL, *argv, env=console.env)
    assert done.returncode == 2 and why.encode() in done.stderr
