# SPDX-License-Identifier: ISC
"""docs/CEREMONY.md is what the administrator follows in front of cameras.
tests/boot/test_ceremony_day.py types each of its commands on the booted disc;
here, in seconds: a command that it names in passing and that no test runs, or an
option that the tool does not have, fails."""
import pathlib
import re

import pytest

import script
from ceremony_tools import BIN, ROOT, SCRIPTS, TOP, environment, run

DOCUMENT = TOP / "docs/CEREMONY.md"
# Commands of the distribution: not ours to test, but on the disc.
SYSTEM = {"cd", "cp", "ls", "umount", "shutdown", "lpadmin", "lpq", "ping"}


def commands():
    text = DOCUMENT.read_text()
    lines = [item.text for item in script.commands(BIN, DOCUMENT)]
    # In the running text too, where they begin with one of our names.
    ours = {p.name for p in SCRIPTS.iterdir()} | {p.name for p in BIN.iterdir()}
    quoted = [q for q in re.findall(r"`([^`\n]+)`", text) if q.split()[0] in ours | {"hsm-driver"}]
    return sorted({tuple(line.split()) for line in lines + quoted})


def sources():
    here = pathlib.Path(__file__)
    return {p: p.read_text() for folder in ("cli", "boot", "image")
            for p in (TOP / "tests" / folder).glob("*.py") if p != here}


def path_of(tool):
    for folder in (SCRIPTS, BIN, ROOT / "usr/sbin"):
        if (folder / tool).exists():
            return folder / tool
    return None


def test_the_document_has_commands():
    found = {command[0] for command in commands()}
    assert {"verify-media", "set-clock", "hsmfd-hash", "ceremony-log", "configure-printer",
            "ttyaudit", "hsm-list", "ksrsigner", "printlog", "print-script", "print-ttyaudit",
            "copy-hsmfd", "displaycsr", "digest", "usb-allow", "screencap-verify"} <= found


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_command_is_run_by_a_test(command):
    tool = command[0]
    if tool in SYSTEM:
        return
    assert path_of(tool), f"{tool} is not a program of ours"
    users = [p.name for p, text in sources().items() if re.search(rf'["\' /]{re.escape(tool)}["\' )]', text)
             and p.name not in ("test_manuals.py", "test_tool_manuals.py")]
    assert users, f"no test runs {tool}"


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_options_exist(command):
    tool, *words = command
    if tool in SYSTEM or path_of(tool) is None:
        return
    text = run(path_of(tool), "--help",
               env=environment()).stdout.decode()
    for word in words:
        option = word.split("=")[0]
        if re.fullmatch(r"--[a-z-]+", option) and option not in ("--help", "--version"):
            assert re.search(rf"{option}\b", text), f"{tool} has no {option}"
        elif re.fullmatch(r"-[a-z]", option):
            assert re.search(rf"^ *{option},", text, re.M), f"{tool} has no {option}"
    if tool == "ceremony-log" and words:
        assert re.search(rf"ceremony-log {words[0]}\b", text)
