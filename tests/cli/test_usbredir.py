# SPDX-License-Identifier: ISC
"""Shows that the USB devices of the boot tests (tests/boot/usbredir.py) say what the
protocol wants, without a machine: the other side of the line is written here, packet by
packet.  A device that QEMU takes for another one would test nothing."""
import pathlib
import socket
import struct
import sys
import threading

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / 'boot'))
import usbredir  # noqa: E402
from usbprinter import PAPER_OUT, Driverless, Laser  # noqa: E402


class Guest:
    """QEMU's side of one line."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.wide, self.number = False, 0

    def accept(self):
        self.line, _ = self.listener.accept()
        self.line.settimeout(5)
        kind, _, body = self.read()
        assert kind == usbredir.HELLO and len(body) == 68
        self.line.sendall(struct.pack('<III', usbredir.HELLO, 68, 0) + b'guest'.ljust(64, b'\0') +
                          struct.pack('<I', usbredir.CAPABILITIES))
        self.wide = True

    def take(self, count):
        got = b''
        while len(got) < count:
            piece = self.line.recv(count - len(got))
            assert piece, 'the line has ended'
            got += piece
        return got

    def read(self):
        head = '<IIQ' if self.wide else '<III'
        kind, length, number = struct.unpack(head, self.take(struct.calcsize(head)))
        return kind, number, self.take(length)

    def send(self, kind, body):
        self.number += 1
        self.line.sendall(struct.pack('<IIQ', kind, len(body), self.number) + body)
        return self.number

    def control(self, kind, request, value=0, index=0, length=255, content=b''):
        """(status, answer) of one request on endpoint 0."""
        number = self.send(usbredir.CONTROL, struct.pack(
            '<BBBBHHH', kind & 0x80, request, kind, 0, value, index, length) + content)
        what, answered, body = self.read()
        assert (what, answered) == (usbredir.CONTROL, number)
        return body[3], body[10:]

    def bulk(self, endpoint, content=b'', length=0):
        return self.send(usbredir.BULK, struct.pack('<BBHIH', endpoint, 0, length or len(content), 0, 0) + content)

    def bulk_answer(self):
        """(number, status, length, content) of the next answer."""
        kind, number, body = self.read()
        assert kind == usbredir.BULK
        _, status, low, _, high = struct.unpack_from('<BBHIH', body)
        return number, status, high << 16 | low, body[10:]


@pytest.fixture
def guest(tmp_path):
    made = Guest(tmp_path / 'line')
    made.path = tmp_path / 'line'
    yield made
    made.listener.close()


def put_in(guest, device):
    plug = usbredir.Plug(device, guest.path)
    accepting = threading.Thread(target=guest.accept)
    accepting.start()
    plug.put_in()
    accepting.join()
    return plug


def test_it_says_what_it_is(guest):
    with put_in(guest, Laser('Laser', 'POSTSCRIPT')):
        kind, _, body = guest.read()
        assert kind == usbredir.EP_INFO and len(body) == 96 + 64
        # Out endpoint 1 and in endpoint 2, at 16 and 2 of the table; bulk, of interface 0.
        assert (body[1], body[18], body[3]) == (2, 2, 255) and body[64 + 1] == 0
        assert struct.unpack_from('<32H', body, 96)[1] == 512
        kind, _, body = guest.read()
        assert kind == usbredir.INTERFACE_INFO and struct.unpack_from('<I', body)[0] == 1
        assert (body[4 + 32], body[4 + 64], body[4 + 96]) == (7, 1, 2)
        kind, _, body = guest.read()
        assert kind == usbredir.CONNECT and struct.unpack('<BBBBHHH', body) == (2, 0, 0, 0, 0x1209, 0x0101, 0x100)


def connected(guest, device):
    plug = put_in(guest, device)
    for kind in (usbredir.EP_INFO, usbredir.INTERFACE_INFO, usbredir.CONNECT):
        assert guest.read()[0] == kind
    return plug


def test_descriptors_and_requests(guest):
    with connected(guest, Laser('Laser', 'POSTSCRIPT')):
        status, answer = guest.control(0x80, 6, 0x100, length=18)
        assert status == 0 and answer[:2] == b'\x12\x01' and len(answer) == 18
        status, answer = guest.control(0x80, 6, 0x200, length=9)
        total, = struct.unpack_from('<H', answer, 2)
        status, answer = guest.control(0x80, 6, 0x200)
        assert total == len(answer) == 9 + 9 + 7 + 7
        assert guest.control(0x80, 6, 0x302, 0x409)[1][2:].decode('utf-16-le') == 'Laser'
        # Of the class: who it is, how the port is.  What it does not know, stalls.
        status, answer = guest.control(0xa1, 0)
        assert struct.unpack_from('>H', answer)[0] == len(answer) and b'CMD:POSTSCRIPT;' in answer
        assert guest.control(0xa1, 1, length=1) == (0, b'\x18')
        assert guest.control(0xa1, 99)[0] == usbredir.STALL
        assert guest.control(0x80, 6, 0x600)[0] == usbredir.STALL


def test_a_job_arrives(guest):
    laser = Laser('Laser', 'POSTSCRIPT')
    with connected(guest, laser):
        for piece in (b'%!PS\n', b'x' * 70000):
            number = guest.bulk(laser.OUT, piece[:65535])
            assert guest.bulk_answer() == (number, 0, len(piece[:65535]), b'')
    assert laser.job.startswith(b'%!PS\nxxx') and len(laser.job) == 65540


def test_out_of_paper_it_takes_nothing_until_there_is_some(guest):
    laser = Laser('Laser', 'POSTSCRIPT')
    laser.room = 4
    with connected(guest, laser):
        laser.take_paper()
        assert guest.control(0xa1, 1, length=1)[1][0] & PAPER_OUT
        first, second = guest.bulk(laser.OUT, b'12345'), guest.bulk(laser.OUT, b'67')
        assert guest.bulk_answer()[0] == first and laser.job == b'12345'
        guest.line.settimeout(0.3)
        with pytest.raises(TimeoutError):
            guest.read()
        guest.line.settimeout(5)
        laser.put_paper()
        assert guest.bulk_answer()[0] == second and laser.job == b'1234567'


def test_what_is_held_can_be_cancelled(guest):
    laser = Laser('Laser', 'POSTSCRIPT')
    with connected(guest, laser):
        number = guest.bulk(0x82, length=512)
        guest.line.sendall(struct.pack('<IIQ', usbredir.CANCEL, 0, number))
        assert guest.bulk_answer()[:2] == (number, usbredir.CANCELLED)


def test_it_stalls_until_it_is_cleared(guest):
    laser = Laser('Laser', 'POSTSCRIPT')
    laser.stalls_at = 2
    with connected(guest, laser):
        for piece, status in ((b'12', 0), (b'34', usbredir.STALL), (b'34', usbredir.STALL)):
            guest.bulk(laser.OUT, piece)
            assert guest.bulk_answer()[1] == status
        assert guest.control(0x02, 1, 0, laser.OUT, length=0)[0] == 0
        guest.bulk(laser.OUT, b'34')
        assert guest.bulk_answer()[1] == 0 and laser.job == b'1234'


def test_it_vanishes(guest):
    laser = Laser('Laser', 'POSTSCRIPT')
    laser.vanishes_at = 2
    connected(guest, laser)
    guest.bulk(laser.OUT, b'12')
    guest.bulk_answer()
    guest.bulk(laser.OUT, b'34')
    assert guest.line.recv(1) == b'' and laser.job == b'12'


def test_back_in_the_port_it_has_forgotten(guest):
    laser = Laser('Laser', 'POSTSCRIPT')
    with connected(guest, laser) as plug:
        laser.say(0x82, b'old')
        plug.pull()
    guest.wide = False
    with connected(guest, laser):
        guest.bulk(0x82, length=512)
        guest.line.settimeout(0.3)
        with pytest.raises(TimeoutError):
            guest.read()


def test_two_cables_to_one_printer(guest):
    """Each interface is a connection of its own, and what comes back waits to be asked for."""
    server = socket.create_server(('127.0.0.1', 0))
    device = Driverless(server.getsockname()[1])
    with connected(guest, device):
        for out in (1, 2):
            guest.bulk(out, b'GET / HTTP/1.1\r\n\r\n')
            assert guest.bulk_answer()[1] == 0
            line, _ = server.accept()
            assert line.recv(100).startswith(b'GET /')
            line.sendall(b'x' * 600)
            number = guest.bulk(out | usbredir.IN, length=512)
            assert guest.bulk_answer() == (number, 0, 512, b'x' * 512)
            guest.bulk(out | usbredir.IN, length=512)
            assert guest.bulk_answer()[2] == 88
            line.close()
    server.close()
