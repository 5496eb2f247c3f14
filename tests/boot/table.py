# SPDX-License-Identifier: ISC
"""A booted disc with ports that programs of the tests can be plugged into
(usbredir.py), and the prompt in the HSMFD's folder."""
import contextlib

from machine import Machine
from usbredir import Plug

PORTS = ('one', 'two')


@contextlib.contextmanager
def table(disc, folder, drive):
    """Port NAME listens at folder/NAME."""
    extra = ['-device', 'qemu-xhci,id=table,p2=8,p3=2']
    for port in PORTS:
        extra += Plug.arguments(port, folder / port)
    with Machine(disc['ISO'], folder, drives=[drive], extra=extra) as machine:
        machine.choose('serial')
        machine.prompt(120)
        machine.must('until mountpoint -q /media/HSMFD; do sleep 1; done; cd /media/HSMFD', 30)
        yield machine
