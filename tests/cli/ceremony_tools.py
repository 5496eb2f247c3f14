# SPDX-License-Identifier: ISC
"""What the tests of the ceremony tools share: where things are, how to run."""
import os
import pathlib
import pty
import select
import struct
import subprocess
import time
import zlib

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("KEYROOM_BIN", TOP / "build/host/bin")).resolve()
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


def run_tty(*argv, answers=(), env=None, cwd=None, timeout=60):
    """Run on a terminal of its own; answers is a list of (text to wait for,
    what to type then).  Returns (exit status, everything shown)."""
    pid, fd = pty.fork()
    if pid == 0:
        try:
            os.chdir(cwd or "/")
            os.execvpe(str(argv[0]), [str(a) for a in argv], env or environment())
        finally:
            os._exit(127)
    shown, seen, waiting = b"", 0, list(answers)
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
        while waiting and (at := shown.find(waiting[0][0].encode(), seen)) >= 0:
            question, answer = waiting.pop(0)
            seen = at + len(question)
            os.write(fd, answer.encode())
    else:
        os.kill(pid, 9)
    os.close(fd)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status, shown.decode(errors="replace").replace("\r\n", "\n")


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


def png(width=40, height=30, color=2, bits=8, interlace=0):
    """A picture whose pixels say where they are."""
    pixel = {0: lambda x, y: bytes([x * 5]), 2: lambda x, y: bytes([x * 5, y % 256, 99]),
             6: lambda x, y: bytes([x * 5, y % 256, 99, 128])}[color]
    rows = b"".join(b"\0" + b"".join(pixel(x, y) for x in range(width)) for y in range(height))
    packed = zlib.compress(rows)

    def chunk(name, content):
        return (struct.pack(">I", len(content)) + name + content +
                struct.pack(">I", zlib.crc32(name + content)))
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"tEXt", b"a\0b") +
            chunk(b"IDAT", packed[:50]) + chunk(b"IDAT", packed[50:]) + chunk(b"IEND", b""))
