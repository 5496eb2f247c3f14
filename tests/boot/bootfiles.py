#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""bootfiles.py BUILD PROFILE: which files of the disc every boot reads, in the order in
which they are first read: image/profiles/PROFILE/boot-files, by which the image is
laid out ("make boot-files PROFILE=...").

The disc that was built last for the profile is booted on two machines that have
little in common, with the menu's words but for the kernel's lockdown, which would
keep its tracing shut; each page that goes into the cache of a file is traced, up to
the prompt or the desktop's rest.  A file is on the list if both have read it."""
import pathlib
import re
import sys
import tempfile

import drives
import nbd
from machine import Machine

# Firmware, medium, and what else is in the machine.
MACHINES = (('bios', 'dvd', ()), ('bios', 'usb', ('-device', 'e1000e', '-device', 'usb-kbd')))
TRACE = 'trace_event=filemap:mm_filemap_add_to_page_cache trace_buf_size=16M'
# The files by first page: inode numbers out of the trace, names from the image itself.
LIST = (r'''mount -t tracefs none /mnt && echo 0 >/mnt/tracing_on; cd /run/keyroom/lower; '''
        r'''find . -xdev -type f -printf '%i %P\n' >/run/names; '''
        r'''sed -n 's/.*mm_filemap_add_to_page_cache: dev 25[0-9]:0 ino \([0-9a-f]*\) .*/\1/p' /mnt/trace | '''
        r'''awk '!seen[$1]++' >/run/read; '''
        r'''awk 'NR == FNR { at = $1; sub(/^[^ ]* /, ""); name[at] = $0; next } '''
        r'''{ n = 0; for (i = 1; i <= length($1); i++) n = n * 16 + index("0123456789abcdef", substr($1, i, 1)) - 1 } '''
        r'''n in name { print "=" name[n] }' /run/names /run/read; cd''')


def boot(iso, firmware, medium, extra):
    """The files that one boot reads, in their order."""
    with tempfile.TemporaryDirectory(prefix='keyroom.') as name:
        folder = pathlib.Path(name)
        drives.extract(iso, folder, 'live/vmlinuz', 'live/initrd', 'boot/grub/grub.cfg')
        words = ' '.join(re.findall(r'_arguments="(.*)"', (folder / 'grub.cfg').read_text()))
        words = words.replace('lockdown=confidentiality', '')
        direct = ['-kernel', str(folder / 'vmlinuz'), '-initrd', str(folder / 'initrd'),
                  '-append', f'{words} console=tty0 console=ttyS0,115200 {TRACE}']
        with nbd.Drive(iso, folder / 'nbd') as drive, \
                Machine(iso, folder, firmware, medium, served=drive, extra=[*direct, *extra]) as guest:
            guest.prompt(300)
            drive.wait_quiet()
            shown = guest.must(LIST, 120)
    return [line[1:] for line in shown.split('\n') if line.startswith('=') and ' ' not in line]


def main(build, profile):
    disc = dict(line.split('=', 1) for line in (build / f'out/latest.{profile}').read_text().splitlines())
    first, *others = [boot(disc['ISO'], *machine) for machine in MACHINES]
    every = [name for name in first if all(name in other for other in others)]
    out = pathlib.Path(__file__).resolve().parents[2] / 'image/profiles' / profile / 'boot-files'
    out.write_text(f'# Files that every boot of the profile {profile} reads, in that order: make boot-files\n' +
                   ''.join(f'{name}\n' for name in every))
    print(f'{out}: {len(every)} of {len(first)} files')


if __name__ == '__main__':
    main(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2])
