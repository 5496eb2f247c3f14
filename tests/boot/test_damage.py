# SPDX-License-Identifier: ISC
"""Damaged copies of the disc's own image, opened on the booted disc by the boot
stage's own code (damage.c), read to the last byte and compared: each is right
or refused, none shows a wrong byte; and a disc that fails while it is in use.
Matters: the hash tree is the only thing between a scratched disc and a signature
made by wrong code, and "Input/output error" alone tells nobody at the table why.

The seed of each case is printed; it says which sectors were overwritten and
with what.  20 copies; KEYROOM_TEST_COPIES=N makes it another number, and
"make test-matrix" opens 200."""
import os
import re
import shutil

import pytest

import drives
from machine import Machine
from nbd import Drive
from onebuild import make

pytestmark = pytest.mark.slow

PARITY = 8      # bytes in a codeword, as image/init/mkverity makes it
COPIES = int(os.environ.get('KEYROOM_TEST_COPIES', '20'))
SECONDS_PER_COPY = 10


@pytest.fixture(scope='module')
def stick(build, tmp_path_factory):
    """A flash drive with the program on it."""
    make(build, 'boot-programs')
    folder = tmp_path_factory.mktemp('damage')
    (folder / 'TEST').mkdir()
    shutil.copy(build / 'init' / 'boot' / 'damage', folder / 'TEST')
    return drives.make_drive(folder / 'test.img', 'TEST', folder / 'TEST')


def begin(guest):
    """From power-on to the image and a copy of it, in memory."""
    guest.choose('serial')
    guest.prompt(120)
    guest.must('until mountpoint -q /media/TEST; do sleep 1; done; cp /media/TEST/damage /root; '
               'chmod +x /root/damage; umount /media/TEST; '
               'cp /run/keyroom/medium/live/root.squashfs /tmp/good && cp /tmp/good /tmp/bad', 120)


def verdicts(guest, first, count):
    """{seed: (sectors, verdict)} of that many cases."""
    said = guest.must(f'/root/damage /tmp/good /tmp/bad {first} {count}', 60 + SECONDS_PER_COPY * count)
    return {int(seed): (int(sectors), verdict) for seed, sectors, verdict in
            re.findall(r'seed (\d+): (\d+) sectors, (\w+)', said)}


def test_damaged_copies_are_right_or_refused(disc, stick, tmp_path):
    with Machine(disc['ISO'], tmp_path, drives=[stick]) as guest:
        begin(guest)
        found = verdicts(guest, 0, COPIES)
    for seed, (sectors, verdict) in sorted(found.items()):
        print(f'seed {seed}: {sectors} sectors, {verdict}')
    assert len(found) == COPIES
    assert {verdict for _, verdict in found.values()} <= {'right', 'refused'}
    assert all(verdict == 'right' for sectors, verdict in found.values() if sectors == 1)
    assert sum(verdict == 'right' for _, verdict in found.values()) > len(found) // 4


def test_the_parity_reaches_as_far_as_it_should(disc, stick, tmp_path):
    """And no further; and the program sees a wrong byte where nothing guards it."""
    with Machine(disc['ISO'], tmp_path, drives=[stick]) as guest:
        begin(guest)
        for case, verdict in ((f'comb {PARITY}', 'right'), (f'comb {PARITY + 1}', 'refused'),
                              ('plain 1', 'WRONG'), ('comb 0', 'right')):
            assert guest.must(f'/root/damage /tmp/good /tmp/bad {case}', 60).strip().endswith(verdict)


def image_in(iso):
    """Where the disc's own image begins, and where its hash tree would end it."""
    with open(iso, 'rb') as file:
        for at in range(0, os.path.getsize(iso), 2048):
            file.seek(at)
            head = file.read(48)
            if head[:4] == b'hsqs':
                return at, at + int.from_bytes(head[40:48], 'little')
    raise AssertionError('no image')


def test_a_disc_that_fails_while_it_is_used(disc, tmp_path):
    """What the parity mends is no alarm; what it cannot is one, once, on every
    terminal, by a prompt with a mark and an audit that says so; and the end works."""
    with Drive(disc['ISO'], tmp_path / 'nbd') as drive, \
            Machine(disc['ISO'], tmp_path, served=drive) as guest:
        guest.choose('serial')
        guest.prompt(120)
        guest.must('sleep 40', 200)              # what must stay is read into memory
        first, last = image_in(disc['ISO'])
        read = {at // 2048 for offset, length in drive.reads for at in range(offset, offset + length, 2048)}
        unread = [at for at in range(first, last, 2048) if at // 2048 not in read]
        # 16 blocks of 4096 bytes in a row, of which no codeword has more than one.
        at = next(at for at in unread[len(unread) // 2:] if at % 4096 == first % 4096 and
                  not read & set(range(at // 2048, at // 2048 + 32)))
        drive.bad = set(range(at, at + 65536, 2048))
        guest.must(f'dd if=/dev/dm-0 of=/dev/null bs=4096 skip={(at - first) // 4096} count=16', 120)
        assert 'corrected' in guest.must('dmesg | grep verity-fec')
        guest.must('sleep 5', 60)
        assert 'DAMAGED' not in guest.text
        # Nothing more of it can be read.
        drive.bad = set(unread)
        guest.send('for file in /usr/bin/*; do cat $file >/dev/null || break; done\r')
        guest.expect(r'\x1b\[1;31m\*\*\* THE DISC IS DAMAGED[^*]*\*\*\*', 120)
        guest.send('\r')
        guest.expect('UTC DISC DAMAGED', 60)
        guest.send('system-audit\r')
        guest.expect('blocks beyond repair', 300)
        guest.expect('SYSTEM AUDIT FAILED', 300)
        guest.prompt()
        guest.send('poweroff\r')
        guest.wait_off(120)
        assert guest.text.count('THE DISC IS DAMAGED') == 1 and 'Kernel panic' not in guest.text
