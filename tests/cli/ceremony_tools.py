# SPDX-License-Identifier: ISC
"""What the tests of the ceremony tools share: where things are, how to run."""
import os
import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("KEYROOM_BIN", TOP / "build/host/bin"))
OVERLAY = TOP / "image/overlay"
SCRIPTS = OVERLAY / "usr/bin"

# Names that a tool may meet on a drive and that break careless scripts.
HOSTILE = [
    "two words", " leading", "trailing ", "-rf", "--help", "new\nline",
    "tab\tand\rreturn", "back\\slash", "gr\u00fc\u00dfe \u65e5\u672c", "quo'te\"s",
    "$(touch pwned)", "*", "esc\x1b[31mred", ".hidden", "%s%n",
]


def environment(**extra):
    """The programs under test come first in PATH; no setting of the caller."""
    env = {
        "PATH": f"{BIN}:{SCRIPTS}:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "HOME": "/nonexistent",
    }
    env.update({k: str(v) for k, v in extra.items()})
    return env


def run(*argv, stdin=b"", env=None, cwd=None, timeout=60):
    """Run one command without a terminal; outputs are bytes."""
    return subprocess.run(
        [str(a) if not isinstance(a, bytes) else a for a in argv],
        input=stdin, capture_output=True, env=env or environment(), cwd=cwd,
        timeout=timeout, check=False, start_new_session=True)


def write_hostile(folder):
    """One file of each hostile name, its content the name."""
    for name in HOSTILE:
        (folder / name).write_bytes(name.encode())


def stub(folder, name, body):
    """A program for PATH in a test's own folder."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n" + body)
    path.chmod(0o755)
    return path
