# SPDX-License-Identifier: ISC
"""Each ceremony tool in sh, its --help and its manual page name the same
options, as test_manuals.py shows for the programs: a page that lags behind
misleads the person at the terminal."""
import re

import pytest

from ceremony_tools import OVERLAY, SCRIPTS, environment, run

PAGES = OVERLAY / "usr/share/man/man1"
TOOLS = sorted(path.name for path in SCRIPTS.iterdir() if b"tool.sh" in path.read_bytes())


def helped(tool):
    done = run(SCRIPTS / tool, "--help", env=environment(KEYROOM_LIB=OVERLAY / "usr/lib/keyroom"))
    assert done.returncode == 0, done.stderr
    return re.findall(r"^  (?:-\w, |    )--([a-z0-9-]+)", done.stdout.decode(), re.M)


@pytest.mark.parametrize("tool", TOOLS)
def test_page_has_the_options_of_help(tool):
    page = (PAGES / f"{tool}.1").read_text()
    described = re.findall(r"^\.It (?:Fl \w , )?Fl -([a-z0-9-]+)", page, re.M)
    assert sorted(described) == sorted(helped(tool))
    assert {"help", "version"} <= set(described)


@pytest.mark.parametrize("tool", TOOLS)
def test_unknown_option_is_refused(tool):
    done = run(SCRIPTS / tool, "--no-such-option",
               env=environment(KEYROOM_LIB=OVERLAY / "usr/lib/keyroom"))
    assert done.returncode == 2 and b"--help" in done.stderr
