# SPDX-License-Identifier: ISC
"""A manual that lies costs an hour in front of cameras: for every ceremony tool
the options in --help and in its man page are the same, mandoc has no complaint,
and shellcheck none about the scripts."""
import re
import shutil
import subprocess

import pytest

from ceremony_tools import BIN, MAN, ROOT, SCRIPTS, TOP, environment, run

C_TOOLS = ["ceremony-log", "displaycsr", "hsmfd-hash", "text2pdf", "ttyaudit", "verify-media"]
SH_TOOLS = ["configure-printer", "copy-hsmfd", "digest", "hsm-list", "keyboard", "mount-drive", "page-back",
            "print-script", "print-ttyaudit", "printlog", "prove-media", "screencap-verify", "set-clock", "show", "usb-allow"]
ENV = environment()


SBIN_TOOLS = ["hsm-driver"]


def path_of(tool):
    if tool in SBIN_TOOLS:
        return ROOT / "usr/sbin" / tool
    return BIN / tool if tool in C_TOOLS else SCRIPTS / tool


def page_of(tool):
    return MAN / f"{tool}.{8 if tool in SBIN_TOOLS else 1}"


@pytest.mark.parametrize("tool", C_TOOLS + SH_TOOLS + SBIN_TOOLS)
def test_help_and_page_have_the_same_options(tool):
    done = run(path_of(tool), "--help", env=ENV)
    assert done.returncode == 0 and done.stderr == b""
    text = done.stdout.decode()
    assert text.startswith(f"usage: {tool}") and "exit status:" in text
    assert max(map(len, text.splitlines())) <= 80
    in_help = set(re.findall(r"^ +(?:-\w, )? *--([a-z0-9-]+)", text, re.M))
    in_page = set(re.findall(r"^\.It .*Fl -([a-z0-9-]+)", page_of(tool).read_text(), re.M))
    assert in_help == in_page and {"help", "version"} <= in_help
    letters = set(re.findall(r"^ +-(\w),? ", text, re.M))
    in_page = set(re.findall(r"^\.It Fl (\w) ", page_of(tool).read_text(), re.M))
    assert letters == in_page


@pytest.mark.parametrize("tool", C_TOOLS + SH_TOOLS + SBIN_TOOLS)
def test_version_and_short_help(tool):
    done = run(path_of(tool), "--version", env=ENV)
    assert done.returncode == 0 and done.stdout.decode().startswith(tool + " ")
    assert run(path_of(tool), "-h", env=ENV).stdout == run(path_of(tool), "--help", env=ENV).stdout


@pytest.mark.parametrize("tool", C_TOOLS + SH_TOOLS + SBIN_TOOLS)
def test_unknown_options_are_refused(tool):
    for option in ("--frobnicate", "--hel", "--versio", "-%"):
        done = run(path_of(tool), option, env=ENV)
        assert done.returncode == 2 and done.stdout == b"", (option, done)
        assert f"see {tool} --help".encode() in done.stderr


@pytest.mark.skipif(not shutil.which("mandoc"), reason="no mandoc")
@pytest.mark.parametrize("tool", C_TOOLS + SH_TOOLS + SBIN_TOOLS)
def test_page_is_sound(tool):
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page_of(tool)],
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "EXIT STATUS" in page_of(tool).read_text()


def test_every_tool_is_in_this_list():
    shared = [p.name for p in SCRIPTS.iterdir() if "/tool.sh" in p.read_text()]
    assert set(shared) - {"hsm-network", "system-audit"} == set(SH_TOOLS)


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="no shellcheck")
def test_scripts_are_clean():
    done = subprocess.run(["shellcheck", "-x", "-P", TOP, *[path_of(t) for t in SH_TOOLS + SBIN_TOOLS]],
                          capture_output=True, check=False, cwd=TOP)
    assert done.returncode == 0, done.stdout.decode()


def test_scripts_run_with_dash():
    for name in SH_TOOLS + SBIN_TOOLS:
        assert path_of(name).read_text().startswith("#!/bin/sh\n# SPDX-License-Identifier: ISC\n")
        assert subprocess.run(["dash", "-n", path_of(name)], check=False).returncode == 0
