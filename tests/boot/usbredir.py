# SPDX-License-Identifier: ISC
"""Any USB device, as a program: the device's side of usbredir (its protocol is
usb-redirection-protocol.md), spoken to QEMU's "usb-redir".  A Device says what it
is by its descriptors and answers what is asked of it; a Plug puts it into a
machine, and pulls it."""
import os
import select
import socket
import struct
import threading
import time

(HELLO, CONNECT, DISCONNECT, RESET, INTERFACE_INFO, EP_INFO, SET_CONFIGURATION, GET_CONFIGURATION,
 CONFIGURATION_STATUS, SET_ALT, GET_ALT, ALT_STATUS) = range(12)
START_INTERRUPT, STOP_INTERRUPT, INTERRUPT_STATUS, CANCEL = 15, 16, 17, 21
CONTROL, BULK, INTERRUPT = 100, 101, 103
SUCCESS, CANCELLED, STALL = 0, 1, 4
# Capabilities: device version, packet size of endpoints, 64-bit ids, long bulk packets.
CAPABILITIES = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 6
FULL_SPEED, HIGH_SPEED = 1, 2
ABSENT = 255
BULK_ENDPOINT, INTERRUPT_ENDPOINT = 2, 3
IN = 0x80


class Stall(Exception):
    """The device does not know this, or will not."""


class Endpoint:
    def __init__(self, address, kind=BULK_ENDPOINT, packet=512, interval=0):
        self.address, self.kind, self.packet, self.interval = address, kind, packet, interval

    def descriptor(self):
        return struct.pack('<BBBBHB', 7, 5, self.address, self.kind, self.packet, self.interval)


class Interface:
    """extra: descriptors of the class, between the interface's and its endpoints'."""

    def __init__(self, kind, endpoints, extra=b''):
        self.kind, self.endpoints, self.extra = kind, endpoints, extra

    def descriptor(self, number):
        return (struct.pack('<BBBBBBBBB', 9, 4, number, 0, len(self.endpoints), *self.kind, 0) + self.extra +
                b''.join(endpoint.descriptor() for endpoint in self.endpoints))


class Device:
    """What is plugged in.  control, written and asked are the subclass's; what an IN
    endpoint has to say is put with say(), and waits there until it is asked for."""
    speed, vendor, product = HIGH_SPEED, 0x1209, 0x0001
    names = ('', 'Keyroom', 'Test device', '0001')      # by string index
    kind = (0, 0, 0)

    def __init__(self, interfaces):
        self.interfaces = interfaces
        self.waiting = {}          # endpoint: what is to be read there
        self.plug = None

    def descriptor(self):
        return struct.pack('<BBHBBBBHHHBBBB', 18, 1, 0x200, *self.kind, 64, self.vendor, self.product, 0x100, 1, 2, 3, 1)

    def configuration(self):
        body = b''.join(one.descriptor(number) for number, one in enumerate(self.interfaces))
        return struct.pack('<BBHBBBBB', 9, 2, 9 + len(body), len(self.interfaces), 1, 0, 0x80, 50) + body

    def string(self, index):
        if index == 0:
            return struct.pack('<BBH', 4, 3, 0x409)
        if index >= len(self.names):
            raise Stall
        text = self.names[index].encode('utf-16-le')
        return struct.pack('<BB', 2 + len(text), 3) + text

    def standard(self, request, value, length):
        """GET_DESCRIPTOR, GET_STATUS."""
        if request == 6:
            what, index = value >> 8, value & 255
            table = {1: lambda _: self.descriptor(), 2: lambda _: self.configuration(), 3: self.string}
            if what in table:
                return table[what](index)[:length]
        elif request == 0:
            return bytes(2)
        raise Stall

    def control(self, kind, request, value, index, content, length):
        """A request of the class or the maker: what it answers, or Stall."""
        raise Stall

    def written(self, endpoint, content):
        """Bytes on an OUT endpoint; may raise Stall."""

    def cleared(self, endpoint):
        """The host has cleared a halt."""

    def plugged_in(self):
        """Power comes: nothing is left of what was before."""
        self.waiting.clear()

    def hold(self, endpoint):
        """Does the device take nothing on this endpoint for now (NAK)?"""
        return False

    def say(self, endpoint, content):
        self.waiting.setdefault(endpoint, []).append(content)
        if self.plug:
            self.plug.wake()


class Plug:
    """A device in a machine's port: QEMU listens at path (arguments()).  A context
    manager; pull() is a plug pulled out."""

    def __init__(self, device, path):
        self.device, self.path = device, str(path)
        device.plug = self
        self.asked = []             # IN and held OUT packets that wait: (id, endpoint, length, content)
        self.streams = set()        # interrupt endpoints that QEMU wants to hear
        self.buffer, self.wide, self.number = b'', False, 0
        self.line, self.thread = None, None
        self.out, self.into = os.pipe()
        self.seen = []              # (endpoint, length), for tests that ask what went by

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pull()

    @staticmethod
    def arguments(name, path, bus='table.0'):
        """QEMU's arguments for a port that a Plug can be put into."""
        return ['-chardev', f'socket,id={name},path={path},server=on,wait=off',
                '-device', f'usb-redir,id={name}-port,chardev={name},bus={bus}']

    def put_in(self):
        for _ in range(100):
            try:
                self.line = socket.socket(socket.AF_UNIX)
                self.line.connect(self.path)
                break
            except OSError:
                self.line.close()
                time.sleep(0.1)
        self.buffer, self.wide, self.asked, self.streams = b'', False, [], set()
        self.device.plugged_in()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def pull(self):
        if self.line:
            try:
                self.line.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.wake()
            if self.thread is not threading.current_thread():
                self.thread.join()
            self.line.close()
            self.line = None

    def wake(self):
        os.write(self.into, b'.')

    def _send(self, kind, number, body):
        head = struct.pack('<IIQ' if self.wide else '<III', kind, len(body), number)
        self.line.sendall(head + body)

    def _serve(self):
        try:
            self._send(HELLO, 0, b'keyroom'.ljust(64, b'\0') + struct.pack('<I', CAPABILITIES))
            while True:
                ready = select.select([self.line, self.out], [], [])[0]
                if self.out in ready:
                    os.read(self.out, 4096)
                if self.line in ready:
                    piece = self.line.recv(1 << 16)
                    if not piece:
                        return
                    self.buffer += piece
                    while self._packet():
                        pass
                self._give()
        except OSError:
            return

    def _packet(self):
        """Take one packet out of the buffer, if it is whole."""
        head = '<IIQ' if self.wide else '<III'
        size = struct.calcsize(head)
        if len(self.buffer) < size:
            return False
        kind, length, number = struct.unpack_from(head, self.buffer)
        if len(self.buffer) < size + length:
            return False
        body, self.buffer = self.buffer[size:size + length], self.buffer[size + length:]
        table = {HELLO: self._hello, SET_CONFIGURATION: self._set_configuration, SET_ALT: self._set_alt,
                 GET_CONFIGURATION: self._get_configuration, GET_ALT: self._set_alt,
                 START_INTERRUPT: self._start, STOP_INTERRUPT: self._stop, CANCEL: self._cancel,
                 CONTROL: self._control, BULK: self._bulk, INTERRUPT: self._interrupt}
        if kind in table:
            table[kind](number, body)
        return True

    def _hello(self, _, body):
        theirs, = struct.unpack_from('<I', body, 64)
        self.wide = bool(theirs & CAPABILITIES & 1 << 5)
        self._tell()
        device = self.device
        self._send(CONNECT, 0, struct.pack('<BBBBHHH', device.speed, *device.kind, device.vendor, device.product, 0x100))

    def _tell(self):
        """Interfaces, then endpoints, each in tables of 32."""
        interfaces = self.device.interfaces
        rows = [list(range(len(interfaces))), *zip(*(one.kind for one in interfaces))]
        table = {number: (ABSENT, 0, 0, 0) for number in range(32)}
        table[0] = table[16] = (0, 0, 0, 64)
        for number, interface in enumerate(interfaces):
            for end in interface.endpoints:
                place = (end.address & IN) >> 3 | end.address & 15
                table[place] = (end.kind, end.interval, number, end.packet)
        columns = list(zip(*(table[number] for number in range(32))))
        self._send(EP_INFO, 0, b''.join(bytes(column) for column in columns[:3]) + struct.pack('<32H', *columns[3]))
        self._send(INTERFACE_INFO, 0, struct.pack('<I', len(interfaces)) +
                   b''.join(bytes(row).ljust(32, b'\0') for row in rows))

    def _set_configuration(self, number, body):
        self._send(CONFIGURATION_STATUS, number, struct.pack('<BB', SUCCESS, body[0]))

    def _get_configuration(self, number, _):
        self._send(CONFIGURATION_STATUS, number, struct.pack('<BB', SUCCESS, 1))

    def _set_alt(self, number, body):
        self._send(ALT_STATUS, number, struct.pack('<BBB', SUCCESS, body[0], 0))

    def _start(self, number, body):
        self.streams.add(body[0])
        self._send(INTERRUPT_STATUS, number, struct.pack('<BB', SUCCESS, body[0]))

    def _stop(self, number, body):
        self.streams.discard(body[0])
        self._send(INTERRUPT_STATUS, number, struct.pack('<BB', SUCCESS, body[0]))

    def _cancel(self, number, _):
        for one in [one for one in self.asked if one[0] == number]:
            self.asked.remove(one)
            self._answer_bulk(number, one[1], CANCELLED, b'' if one[1] & IN else 0)

    def _control(self, number, body):
        endpoint, request, kind, _, value, index, length = struct.unpack_from('<BBBBHHH', body)
        status, answer, content = SUCCESS, b'', body[10:]
        try:
            if kind == 0x02 and request == 1:           # CLEAR_FEATURE of an endpoint
                self.device.cleared(index)
            elif kind & 0x60 == 0:
                answer = self.device.standard(request, value, length)
            else:
                answer = self.device.control(kind, request, value, index, content, length)
        except Stall:
            status, answer = STALL, b''
        done = len(answer) if kind & IN else len(content)
        self._send(CONTROL, number, struct.pack('<BBBBHHH', endpoint, request, kind, status, value, index, done) +
                   (answer if kind & IN else b''))

    def _bulk(self, number, body):
        endpoint, _, low, _, high = struct.unpack_from('<BBHIH', body)
        self.asked.append((number, endpoint, high << 16 | low, body[10:]))

    def _interrupt(self, number, body):
        """One that goes out: what comes in is a stream."""
        self._send(INTERRUPT, number, struct.pack('<BBH', body[0], SUCCESS, len(body) - 4))

    def _answer_bulk(self, number, endpoint, status, what):
        """what: bytes that go in, or how many were taken."""
        count = what if isinstance(what, int) else len(what)
        self._send(BULK, number, struct.pack('<BBHIH', endpoint, status, count & 0xffff, 0, count >> 16) +
                   (b'' if isinstance(what, int) else what))

    def _give(self):
        """Answer what can be answered by now, each endpoint in its order."""
        blocked = set()
        for one in list(self.asked):
            number, endpoint, length, content = one
            if endpoint in blocked or not self._give_one(number, endpoint, length, content):
                blocked.add(endpoint)
            else:
                self.asked.remove(one)
                self.seen.append((endpoint, length))
        for endpoint in self.streams:
            for content in self.device.waiting.pop(endpoint, []):
                self.number += 1
                self._send(INTERRUPT, self.number, struct.pack('<BBH', endpoint, SUCCESS, len(content)) + content)

    def _give_one(self, number, endpoint, length, content):
        if endpoint & IN:
            waiting = self.device.waiting.get(endpoint)
            if not waiting:
                return False
            piece, rest = waiting[0][:length], waiting[0][length:]
            waiting[:1] = [rest] if rest else []
            self._answer_bulk(number, endpoint, SUCCESS, piece)
            return True
        if self.device.hold(endpoint):
            return False
        try:
            self.device.written(endpoint, content)
            self._answer_bulk(number, endpoint, SUCCESS, len(content))
        except Stall:
            self._answer_bulk(number, endpoint, STALL, 0)
        return True
