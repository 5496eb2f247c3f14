# SPDX-License-Identifier: ISC
"""Shows that a tool whose remark the ceremony's log does not take says so, does
the rest of its work, and ends with 5.  Matters: who reads the log later must be
able to rely on what is not in it."""
import os
import re
import shutil
import signal
import subprocess

import pytest

from ceremony_tools import BIN, LIB, SCRIPTS, environment, run, stub

TOOL = """lib={lib}
. "$lib/tool.sh"
remark "$(printf 'done\\033[31m')"
remark again
echo the rest
remarked
"""


@pytest.fixture
def tool(tmp_path):
    """A tool that makes two remarks, and how it is run."""
    path = stub(tmp_path, "some-tool", TOOL.format(lib=LIB))
    return lambda: run(path, env=environment(run=tmp_path / "run", KEYROOM_TERMINALS="/nonexistent"))


def log(tmp_path, *words):
    return run(BIN / "ceremony-log", *words,
               env=environment(run=tmp_path / "run", KEYROOM_TERMINALS="/nonexistent"))


def test_without_a_log_nothing_is_said(tool):
    done = tool()
    assert (done.returncode, done.stdout, done.stderr) == (0, b"the rest\n", b"")


def test_remarks_are_in_the_log(tool, tmp_path):
    assert log(tmp_path, "start", tmp_path / "log").returncode == 0
    assert tool().returncode == 0
    text = (tmp_path / "log/journal").read_text()
    assert log(tmp_path, "finish", "--no-print").returncode == 0
    assert " note some-tool: done\\x1b[31m\n" in text and " note some-tool: again\n" in text


def test_remark_that_the_log_does_not_take(tool, tmp_path):
    """Its process was killed: the socket is there, and nobody answers."""
    assert log(tmp_path, "start", tmp_path / "log").returncode == 0
    keepers = subprocess.run(["pgrep", "-f", f"ceremony-log start {tmp_path}/log"], capture_output=True,
                             text=True, check=True).stdout.split()
    for pid in keepers:
        os.kill(int(pid), signal.SIGKILL)
    done = tool()
    assert done.returncode == 5 and done.stdout == b"the rest\n"
    assert done.stderr.count(b"NOT IN THE LOG") == 2 and b"has died" in done.stderr
    assert b"\x1b" not in done.stderr


def test_log_that_says_no(tool, tmp_path):
    """It is full: what it says is said on."""
    (tmp_path / "run/log").mkdir(parents=True)
    subprocess.run(["/usr/bin/python3", "-c", "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])",
                    tmp_path / "run/log/socket"], check=True)
    stub(tmp_path / "bin", "ceremony-log", 'echo "ceremony-log: the log refuses: it is full" >&2; exit 5\n')
    path = tmp_path / "some-tool"
    env = environment(run=tmp_path / "run")
    env["PATH"] = f"{tmp_path}/bin:{env['PATH']}"
    done = run(path, env=env)
    assert done.returncode == 5 and b"the log refuses: it is full" in done.stderr


def test_every_tool_that_makes_remarks_ends_so():
    assert shutil.which("sh")
    made = [p for p in [*SCRIPTS.iterdir(), *(SCRIPTS.parent / "sbin").iterdir(), LIB / "print.sh"]
            if re.search(r"^\s*remark ", p.read_text(), re.M)]
    assert len(made) >= 8
    for path in made:
        assert re.search(r"^\s*remarked\n(\}\n)?\Z", path.read_text(), re.M), path
