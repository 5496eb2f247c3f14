# SPDX-License-Identifier: ISC
"""A clock that was wrong meant a ceremony step done twice.  set-clock takes
one form of time, asks again when it is unlikely, and keeps what it did.  A
date of our own in PATH stands for the system's, so no clock is touched."""
import os
import re

import pytest

from ceremony_tools import LIB, SCRIPTS, environment, run, run_tty, stub

TOOL = SCRIPTS / "set-clock"
DISC = 1767225600  # 2026-01-01


@pytest.fixture
def room(tmp_path):
    class Room:
        log = tmp_path / "date"
        notes = tmp_path / "notes"
        mark = tmp_path / "run" / "clock-set"
        lib = tmp_path / "lib" / "keyroom"

        def env(self, **extra):
            return environment(PATH=f"{tmp_path}/bin:/usr/bin:/bin",
                               lib=self.lib, run=tmp_path / "run", **extra)

        def set(self, *argv, answers=()):
            return run_tty(TOOL, *argv, answers=answers, env=self.env())

        def was_set(self):
            return self.log.read_text().split() if self.log.exists() else []

    made = Room()
    made.lib.mkdir(parents=True)
    (made.lib / "tool.sh").symlink_to(LIB / "tool.sh")
    (made.lib.parent / "clock-epoch").touch()
    os.utime(made.lib.parent / "clock-epoch", (DISC, DISC))
    stub(tmp_path / "bin", "date",
         f'case " $* " in *" -s "*) echo "$3" >>"{made.log}" ;; *) exec /bin/date "$@" ;; esac\n')
    stub(tmp_path / "bin", "ceremony-log", f'printf "%s\\n" "$@" >>"{made.notes}"\n')
    return made


@pytest.mark.parametrize("text", [
    "2026-11-22 13:05", "2026-11-22 13:05:00", "2026-11-22T13:05:00Z",
    " 2026-11-22 13:05 UTC ",
])
def test_sets(room, text):
    status, shown = room.set(text)
    assert status == 0, shown
    assert room.was_set() == ["@1795352700"]
    assert "New:        2026-11-22 13:05:00 UTC, Sunday" in shown
    assert re.search(r"^Old:        2\d{3}-", shown, re.M)
    assert re.fullmatch(r"\d+ 1795352700\n", room.mark.read_text())
    assert "to 2026-11-22 13:05:00 UTC, Sunday" in room.notes.read_text()


def test_asks(room):
    status, shown = room.set(answers=[("HH:MM: ", "2026-11-22 13:05\n")])
    assert status == 0, shown
    assert room.was_set() == ["@1795352700"]


def test_without_a_log_it_still_works(room):
    (room.log.parent / "bin" / "ceremony-log").unlink()
    assert room.set("2026-11-22 13:05")[0] == 0


@pytest.mark.parametrize("text,why", [
    ("2025-12-31 23:59", "before this disc was made"),
    ("2036-06-01 00:00", "more than 10 years after"),
    ("2062-11-22 13:05", "more than 10 years after"),
])
def test_unlikely_time_is_typed_twice(room, text, why):
    status, shown = room.set(text, answers=[("all the same: ", text + "\n")])
    assert status == 0 and why in shown
    assert len(room.was_set()) == 1


@pytest.mark.parametrize("second", ["2025-12-31 23:58", "y", "", "2026-11-22 13:05", "\x04"])
def test_unlikely_time_typed_once_is_refused(room, second):
    status, shown = room.set("2025-12-31 23:59", answers=[("all the same: ", second + "\n")])
    assert status == 1, shown
    assert room.was_set() == [] and not room.mark.exists()


def test_unlikely_time_needs_a_terminal(room):
    done = run(TOOL, "2001-01-01 00:00", stdin=b"2001-01-01 00:00\n", env=room.env())
    assert done.returncode == 1 and room.was_set() == []


@pytest.mark.parametrize("text", [
    "", "now", "tomorrow", "13:05", "11/22/2026 13:05", "22.11.2026 13:05",
    "2026-11-22", "2026-11-22 1:05 pm", "2026-11-22 13:05 CET",
    "2026-11-22 13:05+01:00", "@0", "2026-11-22 13:05; reboot",
    "2026-11-22 13:05\n2026", "$(reboot)", "2026-11-22 13:0\x1b[2J",
    "٢٠٢٦-11-22 13:05",
])
def test_not_a_time(room, text):
    status, shown = room.set(text)
    assert status == 2 and "not a time" in shown and "\x1b" not in shown
    assert room.was_set() == []


@pytest.mark.parametrize("text", [
    "2026-02-29 12:00", "2026-13-01 12:00", "2026-11-31 12:00",
    "2026-11-22 24:00", "2026-11-22 13:60", "2026-11-22 13:05:60",
    "0000-00-00 00:00",
])
def test_no_such_time(room, text):
    status, shown = room.set(text)
    assert status == 2 and "no such time" in shown and room.was_set() == []


def test_usage(room):
    assert room.set("2026-11-22", "13:05")[0] == 2
    assert room.set("-s", "2026-11-22 13:05")[0] == 2
    assert room.was_set() == []


def test_disc_without_a_date(room):
    (room.lib.parent / "clock-epoch").unlink()
    status, shown = room.set("2026-11-22 13:05")
    assert status == 3 and "missing" in shown and room.was_set() == []


def test_system_refuses(room):
    stub(room.log.parent / "bin", "date",
         'case " $* " in *" -s "*) exit 1 ;; *) exec /bin/date "$@" ;; esac\n')
    status, shown = room.set("2026-11-22 13:05")
    assert status == 5 and "cannot be set" in shown and not room.mark.exists()
