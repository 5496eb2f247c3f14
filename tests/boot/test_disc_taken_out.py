# SPDX-License-Identifier: ISC
"""The DVD that the laptop was started from leaves its drive, by the button or by a
hand, or the card its reader, which stays: an alarm on every terminal, an audit that
says why it cannot be made, and a power key and a command that still end the session.
Matters: nothing can be read any more, not even the program that would say so.  (The
stick: test_screens.py.)"""
import re
import time

import pytest

from machine import Machine
from test_closed import SECRET, memory_holds

pytestmark = pytest.mark.slow
READER = '/machine/peripheral/medium-drive/medium-drive.0/legacy[0]'
# What the session's end says where process 1 had no part in it.
ALONE = 'switching off without it'


def wait_shutdown(guest, seconds):
    """Until the machine would be off: its memory is still there (-no-shutdown)."""
    end = time.monotonic() + seconds * guest.slow
    while guest.qmp('query-status')['return']['status'] != 'shutdown':
        assert time.monotonic() < end, guest.text[guest.place:]
        guest._read(1)


@pytest.mark.parametrize('medium, place, command', [
    ('dvd', 'medium-drive', None), ('usb', READER, 'poweroff'), ('dvd', 'medium-drive', 'frozen')],
    ids=['dvd', 'card', 'alone'])
def test_disc_taken_out_is_an_alarm_and_the_end_still_works(disc, tmp_path, medium, place, command):
    """By the key, by the command, and by the key where process 1 does not answer."""
    with Machine(disc['ISO'], tmp_path, medium=medium, extra=['-no-shutdown']) as guest:
        guest.choose('serial')
        guest.prompt(120)
        half = len(SECRET) // 2
        guest.must(f'for n in $(seq 5000); do echo "{SECRET[:half]}""{SECRET[half:]}$n"; done >/root/secret; '
                   'cp /root/secret /run/secret; cp /root/secret /dev/shm')
        guest.must('(sh -c \'s=$(cat /root/secret); sleep 1000; echo $s\' &)')
        guest.must('sleep 40', 200)              # what must stay is read into memory
        assert memory_holds(guest, tmp_path / 'before') > 4000
        guest.qmp('blockdev-open-tray', id=place, force=True)
        assert 'return' in guest.qmp('blockdev-remove-medium', id=place)
        found = guest.expect(r'\x1b\[1;31m\*\*\* THE DISC IS GONE[^*]*\*\*\*', 60)
        assert 'the power key, or poweroff' in ' '.join(found.group(0).split())
        guest.send('\r')
        guest.expect('DISC GONE', 60)
        guest.send('system-audit\r')
        guest.expect('the disc is gone: it cannot be read', 60)
        if command == 'frozen':
            guest.send('echo 1 >/sys/fs/cgroup/init.scope/cgroup.freeze\r')
            guest.prompt()
        if command == 'poweroff':
            guest.send('poweroff\r')
        else:
            guest.qmp('system_powerdown')
        wait_shutdown(guest, 120)
        assert not re.search('Kernel panic|Failed to|not found', guest.text[guest.place:])
        assert (ALONE in guest.text) == (command == 'frozen')
        assert memory_holds(guest, tmp_path / 'after') == 0
