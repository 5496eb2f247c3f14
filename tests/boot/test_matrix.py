# SPDX-License-Identifier: ISC
"""The matrix: every profile's disc starts from a DVD and from a USB stick, under
BIOS, UEFI and UEFI with Secure Boot enforced, and finds its promises kept.
Matters: the machine on the table is whichever the room has.

"make test" runs a diagonal, in which every value occurs; "make test-matrix" all
of it.  KEYROOM_PROFILES="NAME NAME": these profiles alone."""
import itertools
import os
import pathlib
import re

import pytest

import drives
from machine import Machine

pytestmark = pytest.mark.slow

TOP = pathlib.Path(__file__).resolve().parents[2]
MEDIA = {'dvd': 'optical', 'usb': 'usb'}
FIRMWARE = ('bios', 'uefi', 'secureboot')
PROFILES = os.environ.get('KEYROOM_PROFILES', '').split() or sorted(
    path.parent.name for path in (TOP / 'image' / 'profiles').glob('*/settings'))


def diagonal():
    """As few cells as hold every value of each axis."""
    axes = (tuple(MEDIA), FIRMWARE, tuple(PROFILES))
    return {tuple(axis[n % len(axis)] for axis in axes) for n in range(max(map(len, axes)))}


def cells():
    """Every cell; what is off the diagonal is marked."""
    return [pytest.param(*cell, marks=() if cell in diagonal() else pytest.mark.matrix)
            for cell in itertools.product(MEDIA, FIRMWARE, PROFILES)]


@pytest.mark.parametrize('medium, firmware, profile', cells())
def test_every_disc_starts_everywhere(medium, firmware, profile, disc_of, tmp_path):
    with Machine(disc_of(profile)['ISO'], tmp_path, firmware, medium) as guest:
        guest.choose('serial')
        guest.prompt(120)
        assert f'KEYROOM_PROFILE={profile}' in guest.must('cat /etc/keyroom-release')
        assert f'kind={MEDIA[medium]}' in guest.must('cat /run/keyroom/boot')
        efi = guest.run('test -d /sys/firmware/efi')[0] == 0
        secure = guest.run('dmesg | grep -q "Secure boot enabled"')[0] == 0
        assert (efi, secure) == (firmware != 'bios', firmware == 'secureboot')
        # The firmware's memory is out of reach.
        assert guest.run('grep efivarfs /proc/mounts')[0] == 1
        page = guest.must('cat /run/keyroom/audit')
        assert 'SYSTEM AUDIT PASSED' in page and 'FAIL' not in page, page
        # At boot it leaves out what takes long.
        guest.must('system-audit', 200)
        guest.send('poweroff\r')
        guest.wait_off()
        # systemctl's own way says twice in red that no login service is there.
        assert 'Failed' not in guest.text[guest.place:], guest.text[guest.place:]


@pytest.mark.parametrize('medium', MEDIA)
def test_a_disk_inside_does_not_choose_the_kernel(medium, disc, tmp_path):
    """One that has the disc's id and a menu of its own must not be asked: what starts
    decides which root is trusted.  (QEMU's firmware names the medium first in any
    case; a machine's own may not.)"""
    drives.extract(disc['ISO'], tmp_path, 'boot/grub/grub.cfg')
    own = re.search(r'keyroom\.medium=(\S+)', (tmp_path / 'grub.cfg').read_text())[1]
    decoy = tmp_path / 'decoy'
    (decoy / '.disk').mkdir(parents=True)
    (decoy / '.disk' / own).touch()
    (decoy / 'boot/grub').mkdir(parents=True)
    (decoy / 'boot/grub/grub.cfg').write_text('serial\nterminal_output serial\necho the decoy starts\nsleep 500\n')
    inside = drives.make_drive(tmp_path / 'inside.img', 'DECOY', decoy)
    extra = ['-drive', f'id=inside,if=none,format=raw,file={inside}', '-device', 'ide-hd,drive=inside,bus=ide.1']
    with Machine(disc['ISO'], tmp_path, 'uefi', medium, extra=extra) as guest:
        guest.choose('serial')
        guest.prompt(120)
        assert f'kind={MEDIA[medium]}' in guest.must('cat /run/keyroom/boot')


def test_the_diagonal_holds_every_value():
    for axis, values in enumerate((MEDIA, FIRMWARE, PROFILES)):
        assert {cell[axis] for cell in diagonal()} == set(values)
