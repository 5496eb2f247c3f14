# SPDX-License-Identifier: ISC
"""The HSM's serial line, on the booted disc: what the host feeds into a USB
adapter in bursts, as fast as it is taken, is on the flash drive afterwards,
every byte of it, with the time on every line.  If this fails, the HSM's own
account of the ceremony has holes."""
import random
import socket
import threading
import time

import pytest

import drives
from machine import Machine
from test_ttyaudit import decode

pytestmark = pytest.mark.slow

SIZE = 10_000_000
LAST = b'that was the last line\n'


def spoken(size):
    """Lines of all lengths, the short ones often, and every byte but newline."""
    dice = random.Random(61)
    made = bytearray()
    while len(made) < size - len(LAST):
        line = dice.randbytes(dice.choice((0, 3, 20, 40, 80, 80, 500, 3000)))
        made += line.replace(b'\n', b'.') + b'\r\n'
    return bytes(made[:size - len(LAST) - 1]) + b'\n' + LAST


def feed(path, data):
    """In bursts of up to 64 kB, with pauses; the line takes what it can."""
    dice = random.Random(62)
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(path))
        while data:
            burst = dice.randrange(1, 65536)
            line.sendall(data[:burst])
            data = data[burst:]
            time.sleep(dice.choice((0, 0, 0.02, 0.1)))
        # Until the machine has read it all.
        line.shutdown(socket.SHUT_WR)
        line.recv(1)


def test_ten_megabytes_in_bursts_are_on_the_drive(disc, tmp_path):
    (tmp_path / 'HSMFD').mkdir()
    drive = drives.make_drive(tmp_path / 'hsmfd.img', 'HSMFD', tmp_path / 'HSMFD', 64)
    said = spoken(SIZE)
    extra = ['-chardev', f'socket,id=line,path={tmp_path}/line,server=on,wait=off',
             '-device', 'usb-serial,chardev=line,always-plugged=on']
    with Machine(disc['ISO'], tmp_path, drives=[drive], extra=extra) as guest:
        guest.choose('serial')
        guest.prompt(120)
        guest.must('until mountpoint -q /media/HSMFD && test -c /dev/ttyUSB0; do sleep 1; done', 60)
        guest.must('(ttyaudit --quiet --dir /media/HSMFD /dev/ttyUSB0 2>/run/said &); '
                   'until grep -q " into " /run/said; do sleep 1; done', 60)
        started = time.monotonic()
        feeder = threading.Thread(target=feed, args=(tmp_path / 'line', said), daemon=True)
        feeder.start()
        guest.must(f'until tail -n 1 /media/HSMFD/ttyaudit-*.log | grep -q "{LAST.decode().strip()}"; '
                   'do sleep 2; done', 400)
        print(f'{SIZE} bytes in {time.monotonic() - started:.0f} s')
        guest.must('pkill -INT ttyaudit; while pgrep ttyaudit; do sleep 1; done; cat /run/said', 60)
        guest.must('umount /media/HSMFD', 60)
    name, = [name for name in drives.list_drive(drive) if name.startswith('ttyaudit-ttyUSB0-')]
    data, remarks = decode(drives.read_drive(drive, name))
    assert len(data) == SIZE and data == said
    assert remarks[-1] == f' end, {SIZE} bytes recorded' and len(remarks) == 2
