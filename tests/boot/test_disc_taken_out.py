# SPDX-License-Identifier: ISC
"""The DVD that the laptop was started from leaves its drive, by the button or by a
hand, or the card its reader, which stays: an alarm on every terminal, an audit that
says why it cannot be made, and a power key and a command that still end the session.
Matters: nothing can be read any more, not even the program that would say so.  (The
stick: test_screens.py.)"""
import re

import pytest

from machine import Machine

pytestmark = pytest.mark.slow


@pytest.mark.parametrize('medium, place, command', [
    ('dvd', 'medium-drive', None),
    ('usb', '/machine/peripheral/medium-drive/medium-drive.0/legacy[0]', 'poweroff')], ids=['dvd', 'card'])
def test_disc_taken_out_is_an_alarm_and_the_end_still_works(disc, tmp_path, medium, place, command):
    with Machine(disc['ISO'], tmp_path, medium=medium) as guest:
        guest.choose('serial')
        guest.prompt(120)
        guest.must('sleep 40', 200)              # what must stay is read into memory
        guest.qmp('blockdev-open-tray', id=place, force=True)
        assert 'return' in guest.qmp('blockdev-remove-medium', id=place)
        found = guest.expect(r'\x1b\[1;31m\*\*\* THE DISC IS GONE[^*]*\*\*\*', 60)
        assert 'the power key, or poweroff' in ' '.join(found.group(0).split())
        guest.send('\r')
        guest.expect('DISC GONE', 60)
        guest.send('system-audit\r')
        guest.expect('the disc is gone: it cannot be read', 60)
        if command:
            guest.send(f'{command}\r')
        else:
            guest.qmp('system_powerdown')
        guest.wait_off(120)
        assert not re.search('Kernel panic|Failed to|not found', guest.text[guest.place:])
