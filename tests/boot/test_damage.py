# SPDX-License-Identifier: ISC
"""Damaged copies of the disc's own image, opened on the booted disc by the boot
stage's own code (damage.c), read to the last byte and compared: each is right
or refused, none shows a wrong byte.  Matters: the hash tree is the only thing
between a scratched disc and a signature made by wrong code.

The seed of each case is printed; it says which sectors were overwritten and
with what.  20 copies; KEYROOM_TEST_COPIES=N makes it another number, and
"make test-matrix" opens 200."""
import os
import re
import shutil

import pytest

import drives
from machine import Machine
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
    """From power-on to the image and a copy of it, in memory.  udev is told to
    wait: it would announce every block beyond repair."""
    guest.choose('serial')
    guest.prompt(120)
    guest.must('until mountpoint -q /media/TEST; do sleep 1; done; cp /media/TEST/damage /root; '
               'chmod +x /root/damage; umount /media/TEST; udevadm control --stop-exec-queue; '
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
