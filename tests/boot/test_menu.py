# SPDX-License-Identifier: ISC
"""Whoever stands before the menu can edit what the kernel is started with.  Shows
that such a machine starts, that neither a shell of systemd's own nor a prompt
without an audit comes of it, and that the audit names every word that was added.
Matters: an edit that nobody sees would turn off what the disc promises.

And shows what the menu's own entries promise: a disc that was copied to memory may go,
one that is checked is read whole, and a keyboard is chosen before the first prompt.
The machines have a serial line and no screen: there every entry speaks."""
import re
import time

import pytest

import drives
import nbd
from machine import HOTKEYS, Machine, said, type_on_keyboard

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


def choose_keyboard(guest, name, downs):
    """In the menu of keyboards, which comes back to the first one."""
    guest.choose('keyboard')
    guest.expect('Brazilian', 30)
    for key in (*[DOWN] * downs, '\r'):
        time.sleep(1)
        guest.send(key)
    guest.expect(f'Keyboard: {name}', 30)
    time.sleep(1)


def test_copied_to_memory_the_disc_may_go_and_the_keyboard_is_german(disc, tmp_path):
    with Machine(disc['ISO'], tmp_path, medium='usb', extra=['-vga', 'none']) as guest:
        choose_keyboard(guest, 'German', 2)
        guest.send(HOTKEYS['toram'])
        shown = guest.expect(r'copying the disc to memory.*?\[Keyroom ', 240).group(0)
        assert 'copying the disc to memory 100 %' in shown
        assert 'German keyboard; others: keyboard --list' in shown
        assert 'the disc was copied to memory and can be taken out' in shown
        guest.send('\r')
        guest.prompt()
        # The keys at Y's and Z's places.
        guest.must('chvt 7; (head -n 1 </dev/tty7 >/run/typed &); sleep 1', 20)
        type_on_keyboard(guest, 'yz\n')
        assert said(guest, 'until test -s /run/typed; do sleep 1; done; chvt 1; cat /run/typed') == 'zy'
        guest.must('test -z "$(findmnt -n /run/keyroom/medium)"')
        guest.qmp('device_del', id='medium-drive')
        guest.must('for n in $(seq 20); do ls /sys/block | grep -q sd || break; sleep 1; done; '
                   '! ls /sys/block | grep sd', 60)
        # It reads every file of every package; nothing is left of what was read before.
        guest.must('echo 3 >/proc/sys/vm/drop_caches')
        status, page = guest.run('system-audit', 300)
        assert status == 0 and 'SYSTEM AUDIT PASSED' in page, page
        assert 'THE DISC IS GONE' not in guest.text


def test_checked_disc_is_read_whole(disc, tmp_path):
    """Each byte of the image, once: counted where the disc is served."""
    start, size = drives.place_in(disc['ISO'], 'live/root.squashfs')
    with nbd.Drive(disc['ISO'], tmp_path / 'nbd') as drive, \
            Machine(disc['ISO'], tmp_path, served=drive, extra=['-vga', 'none']) as guest:
        guest.choose('check')
        guest.expect('checking the disc 100 %', 240)
        seen = bytearray(size // 512)
        count = 0
        for offset, length in list(drive.reads):
            first, end = max(offset - start, 0), min(offset + length - start, size)
            if first < end:
                count += end - first
                seen[first // 512:end // 512] = b'\1' * (end // 512 - first // 512)
        data = int(re.search(r'sha256:[^:]*:[^:]*:(\d+):', menu(disc, tmp_path)).group(1)) * 4096
        print(f'image of {size / 1e6:.1f} MB, {data / 1e6:.1f} MB of data: {count / 1e6:.1f} MB read')
        assert all(seen[:data // 512]) and count < 1.1 * size
        guest.prompt(180)
        assert 'checked=yes' in said(guest, 'cat /run/keyroom/boot')


def menu(disc, folder):
    """The text of the disc's menu."""
    drives.extract(disc['ISO'], folder, 'boot/grub/grub.cfg')
    return (folder / 'grub.cfg').read_text()
