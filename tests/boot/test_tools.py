# SPDX-License-Identifier: ISC
"""The ceremony's tools where they are used, on the booted disc: verify-media
gives the published hash from a DVD and from a USB stick; the clock, the log and
the flash drive's hash work together.  The host has the second opinion on every
hash."""
import hashlib
import re

import pytest

import drives
from machine import Machine, press, said

pytestmark = pytest.mark.slow


def digest(path):
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


@pytest.mark.parametrize('firmware, medium, clock', [('bios', 'dvd', 1970), ('uefi', 'usb', 2040)])
def test_verify_media_gives_the_hash_of_the_iso(firmware, medium, clock, disc, tmp_path):
    """And the laptop's clock, without a battery or wrong by years, is no obstacle: it
    is never before the disc's own making, and every prompt says that nobody has set it."""
    with Machine(disc['ISO'], tmp_path, firmware, medium, extra=['-rtc', f'base={clock}-01-02T03:04:05']) as guest:
        guest.choose('serial')
        guest.prompt(90)
        assert 'CLOCK NOT SET' in last_prompt(guest)
        assert clock < 2000 or said(guest, 'date -u +%Y') == str(clock)
        guest.must('[ "$(date +%s)" -ge "$(stat -c %Y /usr/lib/clock-epoch)" ]')
        out = guest.must('verify-media --verify ' + digest(disc['ISO']), 120)
        assert 'Result:     same' in out
        assert {'/live/vmlinuz', '/live/initrd', '/live/root.squashfs', '/boot/efi.img'} <= set(
            re.findall(r'Part:       (\S+),', out))
        assert guest.run('verify-media --verify ' + '0' * 64, 120)[0] == 1


def last_prompt(guest):
    return guest.text[:guest.place].rsplit('[Keyroom', 1)[1]


@pytest.fixture
def hsmfd(tmp_path):
    folder = tmp_path / 'HSMFD'
    (folder / 'ceremony 60').mkdir(parents=True)
    (folder / 'ceremony 60' / 'log').write_text('the last ceremony\n')
    return drives.make_drive(tmp_path / 'hsmfd.img', 'HSMFD', folder)


def test_clock_hash_and_log_on_the_disc(disc, hsmfd, tmp_path):
    (tmp_path / 'KSR').mkdir()
    twins = [drives.make_drive(tmp_path / f'ksr{n}.img', 'KSR', tmp_path / 'KSR') for n in range(2)]
    with Machine(disc['ISO'], tmp_path, drives=[hsmfd, *twins]) as guest:
        guest.choose('serial')
        guest.prompt(90)
        assert 'CLOCK NOT SET' in last_prompt(guest)
        # Two drives of one label, found at the same moment.
        guest.must('until mountpoint -q /media/KSR && mountpoint -q /media/KSR_; do sleep 1; done', 30)
        guest.must('until mountpoint -q /media/HSMFD; do sleep 1; done', 30)
        out = guest.must('hsmfd-hash -c', 30)
        assert hashlib.sha256(b'the last ceremony\n').hexdigest() in out
        guest.must('ceremony-log start /media/HSMFD/ceremony-61', 30)
        press(guest, 'ret')
        guest.must('until ceremony-log status; do sleep 1; done', 60)
        # An hour after the disc was made, whenever that was: it is not asked twice.
        guest.must('made=$(stat -c %Y /usr/lib/clock-epoch)')
        guest.must('set-clock "$(date -u -d "@$((made + 3600))" "+%F %R")"', 30)
        assert 'CLOCK NOT SET' not in last_prompt(guest)
        guest.must('echo what the terminal shows')
        guest.must('ceremony-log finish --no-print', 30)
        guest.must('ceremony-log verify /media/HSMFD/ceremony-61', 30)
        guest.must('cd /; umount /media/HSMFD')
    journal = drives.read_drive(hsmfd, 'ceremony-61/journal').decode()
    before = '0' * 64
    for line in journal.splitlines():
        chained, rest = line.split(' ', 1)
        assert chained == hashlib.sha256(f'{before} {rest}'.encode()).hexdigest()
        before = chained
    assert 'note set-clock: clock set from' in journal
    name = re.search(r' open (terminal-\S+)', journal)[1]
    assert b'what the terminal shows' in drives.read_drive(hsmfd, f'ceremony-61/{name}')


def copy(guest, source, drive):
    """copy-hsmfd, its question answered with y; (exit status, what it said)."""
    guest.send(f'copy-hsmfd --from {source} {drive}; echo "=RC=$?="\r')
    asked = guest.expect(r'.*to it \(y/N\)\?', 30).group(0)
    guest.send('y\r')
    found = guest.expect(r'(.*)=RC=(\d+)=', 90)
    guest.prompt()
    return int(found.group(2)), asked + found.group(1)


def test_copy_onto_a_new_fat_drive(disc, hsmfd, tmp_path):
    """A name that FAT cannot hold is found before the drive is touched; every
    other name arrives; what is on HSMFD is copied, read back and found by the
    host on the new drive."""
    new = tmp_path / 'new.img'
    with open(new, 'wb') as image:
        image.truncate(48 << 20)
    with Machine(disc['ISO'], tmp_path, drives=[hsmfd, new]) as guest:
        guest.choose('serial')
        guest.prompt(90)
        guest.must('until mountpoint -q /media/HSMFD; do sleep 1; done', 30)
        old = guest.must('findmnt -nro SOURCE /media/HSMFD')
        drive = '/dev/sda' if 'sdb' in old else '/dev/sdb'
        before = guest.must(f'sha256sum <{drive}')
        for name in ('a*b', 'a"b', '12:30', 'a?', r'a\\b', r'a\nb', r'\x1b[31m', 'end.', 'end ', r'a\xff'):
            guest.must(f"rm -rf /tmp/odd; mkdir /tmp/odd; echo 1 >/tmp/odd/$'{name}'")
            said = guest.must(f'copy-hsmfd --type vfat --from /tmp/odd {drive} 2>&1; [ $? = 3 ]')
            assert 'it fits ext4 (--type ext4)' in said and 'formatting' not in said, (name, said)
        assert guest.must(f'sha256sum <{drive}') == before
        guest.must('rm -rf /tmp/odd; mkdir /tmp/odd; cd /tmp/odd')
        for name in (' leading', '-rf', '--help', r'gr\xc3\xbc\xc3\x9fe', r"quo\'te", '$(reboot)', '.hidden', '%s%n', '...x',
                     'semi;colon,plus+[equals=]', 'CON', 'a' * 255):
            guest.must(f"echo 1 >./$'{name}'")
        guest.must('cd /')
        status, said = copy(guest, '/tmp/odd', drive)
        assert status == 0 and 'a verified copy' in said, said
        status, said = copy(guest, '/media/HSMFD', drive)
        assert status == 0, said
        guest.must('cd /; umount /media/HSMFD*; sync')
    assert drives.read_drive(new, 'ceremony 60/log') == b'the last ceremony\n'
