# SPDX-License-Identifier: ISC
"""One build at a time in build/: tests run in several processes."""
import contextlib
import fcntl
import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def one_build(build):
    """Hold the lock of this folder for builds."""
    build.mkdir(exist_ok=True)
    with open(build / 'tests.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make(build, *arguments):
    """make, in the project's root; the folder's turn is waited for."""
    with one_build(build):
        subprocess.run(['make', '-s', *arguments], cwd=TOP, check=True, stdout=subprocess.DEVNULL)
