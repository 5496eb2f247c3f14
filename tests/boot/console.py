#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""console.py BUILD shell|log [MENU-ENTRY]: look into a disc that was built.

shell  boots the disc of build/out/latest without a window and joins its serial
       console to this terminal, from the menu on; Ctrl-] ends it
log    boots it to the prompt, switches it off, and leaves in BUILD/boot-log what
       the console showed, the kernel's and the journal's messages, and how long
       each unit took

For both, "make shell" and "make boot-log".  MENU-ENTRY is an entry of the menu
with a serial console: "serial" (also without one), and what else the menu has.
"""
import os
import pathlib
import re
import select
import shutil
import sys
import tempfile
import termios
import time
import tty

from machine import Machine

LEAVE = b'\x1d'       # Ctrl-]
ESCAPE = re.compile(r'\x1b\[[0-9:;?]*[A-Za-z]')

# What is kept, and the command that prints it.
KEPT = {
    'dmesg': 'dmesg',
    # On a terminal it makes links of file names, by escape sequences.
    'journal': 'SYSTEMD_URLIFY=no journalctl -b --no-pager -o short-monotonic',
    'units': 'systemd-analyze blame --no-pager',
    'chain': 'systemd-analyze critical-chain --no-pager',
    'audit': 'system-audit',
    'modules': 'lsmod',
    'mounts': 'findmnt --real',
}


def join(guest):
    """Copy both ways until Ctrl-] or the machine's end."""
    sys.stderr.write('Ctrl-] ends this machine\r\n')
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        while True:
            ready = select.select([0, guest.serial], [], [], 0.5)[0]
            if not ready:
                guest.qmp('query-status')   # see Machine._poke
            if guest.serial in ready:
                piece = guest.serial.recv(65536)
                if not piece:
                    return
                os.write(1, piece)
            if 0 in ready:
                typed = os.read(0, 1024)
                if not typed or LEAVE in typed:
                    return
                guest.serial.sendall(typed)
    except (OSError, ValueError):
        return                              # the machine is off
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
        print()


def keep_log(guest, out, entry):
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    try:
        guest.choose(entry)
        guest.prompt(120)
        print(f'at the prompt after {time.monotonic() - guest.started:.1f} s', flush=True)
        for name, command in KEPT.items():
            # A command that fails is worth keeping, too.
            status, text = guest.run(command, 120)
            (out / name).write_text(ESCAPE.sub('', text) + f'\n[exit status {status}]\n')
        guest.send('poweroff\r')
        guest.wait_off()
    finally:
        (out / 'console').write_text(guest.text)
        print(f'kept in {out}: console {" ".join(KEPT)}')


def main(build, what, entry):
    disc = dict(line.split('=', 1) for line in (build / 'out/latest').read_text().splitlines())
    with tempfile.TemporaryDirectory(prefix='keyroom.') as folder:
        with Machine(disc['ISO'], folder) as guest:
            if what == 'shell':
                join(guest)
            else:
                keep_log(guest, build / 'boot-log', entry)


if __name__ == '__main__':
    if len(sys.argv) not in (3, 4) or sys.argv[2] not in ('shell', 'log'):
        sys.exit('usage: console.py BUILD shell|log [MENU-ENTRY]')
    main(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], *(sys.argv[3:] or ['serial']))
