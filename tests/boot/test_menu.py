# SPDX-License-Identifier: ISC
"""Whoever stands before the menu can edit what the kernel is started with.  Shows
that such a machine starts, that neither a shell of systemd's own nor a prompt
without an audit comes of it, and that the audit names every word that was added.
Matters: an edit that nobody sees would turn off what the disc promises."""
import re
import time

import pytest

from machine import Machine, said

pytestmark = pytest.mark.slow

DOWN, END, BOOT = '\x0e', '\x05', '\x18'        # ctrl-n, ctrl-e, ctrl-x


def edit_and_boot(guest, words):
    """The serial console's entry, with these words at the end of its kernel's line.
    GRUB reads a serial line without a buffer worth the name: letter by letter."""
    guest.expect(r'Keyroom [0-9.+~a-z-]+, serial', 90)
    time.sleep(1)
    for key in (DOWN, 'e', DOWN, DOWN, END, *f' {words}', BOOT):
        guest.send(key)
        time.sleep(0.3 if key in (DOWN, 'e', END) else 0.05)


@pytest.mark.parametrize('words', [
    'systemd.unit=emergency.target systemd.setenv=SYSROOT=/media/X init_on_free=0',
    pytest.param('rescue systemd.mask=keyroom-audit.service systemd.debug_shell', marks=pytest.mark.matrix),
])
def test_edited_command_line_boots_and_is_caught(disc, tmp_path, words):
    with Machine(disc['ISO'], tmp_path, extra=['-device', 'usb-kbd']) as guest:
        edit_and_boot(guest, words)
        guest.expect(r'\x1b\[1;31m\*\*\* SYSTEM AUDIT FAILED', 150)
        guest.expect(r'UTC[^\n]* AUDIT FAILED', 60)
        guest.send('\r')
        guest.prompt()
        assert words in said(guest, 'cat /proc/cmdline')
        page = said(guest, 'cat /run/keyroom/audit')
        assert re.findall(r'FAIL  (\w+)', page) == ['kernel']
        # However the lines break.
        assert f'not in the menu: {words}'.replace(' ', '') in re.sub(r'\s', '', page), page
        # What was there at power-on and can type.
        assert re.search(r'0627:0001 QEMU QEMU USB Keyboard on \d-\d', page), page
        # No shell but those of the consoles.
        for unit in ('emergency.service', 'rescue.service', 'debug-shell.service'):
            assert guest.run(f'systemctl is-active {unit}')[0] != 0
        guest.must('systemctl is-active multi-user.target keyroom-usb keyroom-firewall')
