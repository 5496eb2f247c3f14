# SPDX-License-Identifier: ISC
"""Shows that a boot from a DVD is near what its drive can do, by counting: the medium is
served over NBD (nbd.py), every read is noted, and what a slim drive would take for them
(4.7 MB/s, 0.1 s a seek) is held against a budget.  Matters: a drive's time is most of a
boot's, no processor shortens it, and a badly aimed read-ahead would double it without
any other test noticing.  The same counts show that a stick reads no more than it has
to."""
import pytest

import nbd
from machine import Machine

pytestmark = pytest.mark.slow

# Seconds of a drive: to the console's prompt, to the desktop's rest.
PROMPT, DESKTOP = 12, 15
# What a boot to the prompt may read, from whatever medium.
BYTES = 36e6
# GRUB, kernel and initramfs from a DVD, before the boot stage looks for the disc: 14.0 MB,
# of which the distribution's kernel, signed and so as it is, has 12.2.
EARLY, EARLY_BYTES = 4, 14.5e6


def boot(disc, folder, medium, entry, rest=False):
    """What the reads up to the search for the disc cost, and those up to the prompt, or
    until nothing is read any more."""
    with nbd.Drive(disc['ISO'], folder / 'nbd') as drive, \
            Machine(disc['ISO'], folder, 'bios', medium, served=drive) as guest:
        guest.choose(entry)
        guest.expect('looking for the disc', 120)
        early = nbd.cost(list(drive.reads))
        guest.prompt(300)
        if rest:
            drive.wait_quiet()
        total = nbd.cost(list(drive.reads))
    for until, (size, seeks, seconds) in (('search', early), ('rest' if rest else 'prompt', total)):
        print(f'{disc["NAME"]}, {medium}, {entry}, to the {until}: {size / 1e6:.1f} MB, {seeks} seeks, '
              f'{seconds:.1f} s of a DVD drive')
    return early, total


def test_console_from_a_dvd(disc, tmp_path):
    early, (total, _, seconds) = boot(disc, tmp_path, 'dvd', 'serial')
    assert early[2] < EARLY and early[0] < EARLY_BYTES
    assert seconds < PROMPT and total < BYTES


def test_desktop_from_a_dvd(ceremony_disc, tmp_path):
    _, (_, _, seconds) = boot(ceremony_disc, tmp_path, 'dvd', 'serial', rest=True)
    assert seconds < DESKTOP


@pytest.mark.matrix
def test_console_from_a_stick(disc, tmp_path):
    """No seek costs a stick anything, but bytes do."""
    _, (total, _, _) = boot(disc, tmp_path, 'usb', 'serial')
    assert total < BYTES
