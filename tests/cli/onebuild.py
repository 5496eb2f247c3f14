# SPDX-License-Identifier: ISC
"""One build at a time in build/: boot tests run in several processes."""
import contextlib
import fcntl


@contextlib.contextmanager
def one_build(build):
    """Hold the lock of this folder for builds."""
    build.mkdir(exist_ok=True)
    with open(build / 'tests.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
