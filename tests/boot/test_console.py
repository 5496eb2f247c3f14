# SPDX-License-Identifier: ISC
"""Shows that who looks into a boot that fails has the means: "make shell" joins a
terminal to the machine's console, and "make boot-log" keeps what it said."""
import os
import pty
import re
import select
import subprocess
import time

import pytest

pytestmark = pytest.mark.slow


def test_shell_joins_the_console(disc, top, build):
    """The menu is seen, and Ctrl-] ends the machine."""
    master, slave = pty.openpty()
    done = subprocess.Popen(['make', '-s', 'shell', f'BUILD={build}'], cwd=top, stdin=slave, stdout=slave, stderr=slave,
                            start_new_session=True)
    os.close(slave)
    seen, until = b'', time.monotonic() + 300
    while b'serial console' not in seen and time.monotonic() < until:
        if select.select([master], [], [], 1)[0]:
            seen += os.read(master, 65536)
    os.write(master, b'\x1d')
    try:
        assert done.wait(60) == 0, seen[-2000:]
    finally:
        done.kill()
        os.close(master)
    assert b'Keyroom' in seen and b'Ctrl-]' in seen


def test_boot_log_keeps_what_was_said(disc, top, build):
    done = subprocess.run(['make', '-s', 'boot-log', f'BUILD={build}'], cwd=top, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    kept = build / 'boot-log'
    assert 'Linux version' in (kept / 'dmesg').read_text()
    assert re.search(r'^ *\d.*s keyroom-\S+\.service', (kept / 'units').read_text(), re.M)
    assert 'systemd' in (kept / 'journal').read_text()
    for path in kept.iterdir():
        assert '\x1b' not in path.read_text() or path.name == 'console'
        assert path.name == 'console' or '[exit status 0]' in path.read_text(), path
