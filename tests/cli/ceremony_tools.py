# SPDX-License-Identifier: ISC
"""What the tests of the ceremony tools share: where things are, how to run."""
import atexit
import functools
import os
import pathlib
import pty
import select
import shutil
import struct
import subprocess
import tempfile
import time
import zlib

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("KEYROOM_BIN", TOP / "build/host/bin")).resolve()
# The scripts as the disc has them; "make signer" lays them out there.
ROOT = TOP / "build/host/root"
SCRIPTS = ROOT / "usr/bin"
LIB = ROOT / "usr/lib/keyroom"
MAN = TOP / "man"

# Names that a tool may meet on a drive and that break careless scripts.
HOSTILE = [
    "two words", " leading", "trailing ", "-rf", "--help", "new\nline",
    "tab\tand\rreturn", "back\\slash", "gr\u00fc\u00dfe \u65e5\u672c", "quo'te\"s",
    "$(touch pwned)", "*", "esc\x1b[31mred", ".hidden", "%s%n",
]


# What a test may have of its own in the system that the tools see.
PARTS = {"lib": "usr/lib/keyroom", "run": "run/keyroom", "usb": "sys/bus/usb"}
REAL = ("dev", "etc", "proc", "sys")


def sysroot(root=None, **parts):
    """The folder for SYSROOT: "root" itself, or a new one with this machine's REAL
    folders; in it the given folders as PARTS, and the project's own lib."""
    if root is None:
        root = pathlib.Path(tempfile.mkdtemp(prefix="kr."))
        atexit.register(shutil.rmtree, root, ignore_errors=True)
        (root / "run").mkdir()
        for name in REAL:
            if not any(PARTS[part].startswith(name + "/") for part in parts):
                (root / name).symlink_to(f"/{name}")
    for part, folder in parts.items():
        link(pathlib.Path(root) / PARTS[part], folder)
    lib = pathlib.Path(root) / PARTS["lib"]
    if not lib.exists():
        link(lib, LIB)
    elif not lib.is_symlink():
        for path in LIB.iterdir():
            if not (lib / path.name).exists():
                (lib / path.name).symlink_to(path)
    return root


def link(path, target):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        path.unlink()
    pathlib.Path(target).mkdir(parents=True, exist_ok=True)
    if path != pathlib.Path(target):
        path.symlink_to(target)


@functools.cache
def plain():
    """This machine, with the project's own lib."""
    return sysroot()


def environment(root=None, lib=None, run=None, usb=None, **extra):
    """The programs under test come first in PATH; no setting of the caller.  The system
    that they see is "root", or this machine with other PARTS, see sysroot()."""
    parts = {name: part for name, part in (("lib", lib), ("run", run), ("usb", usb)) if part is not None}
    env = {
        "SYSROOT": str(sysroot(root, **parts) if root is not None or parts else plain()),
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
