# SPDX-License-Identifier: ISC
"""Printers on a USB cable, for usbredir.Plug: a classic laser (class 7/1/2) that keeps
what it is sent and can be out of paper, stall, or be pulled; and a driverless one (IPP
over USB, 7/1/4 twice), a cable to a printer at a port of this machine."""
import socket
import struct
import threading

from usbredir import HIGH_SPEED, IN, Device, Endpoint, Interface, Stall

CLASSIC, DRIVERLESS = (7, 1, 2), (7, 1, 4)
GET_DEVICE_ID, GET_PORT_STATUS, SOFT_RESET = 0, 1, 2
# Of the port: out of paper, selected, no error.
PAPER_OUT, SELECTED, NO_ERROR = 0x20, 0x10, 0x08


class Printer(Device):
    speed, vendor, product = HIGH_SPEED, 0x1209, 0x0101

    def __init__(self, interfaces, maker, model, commands):
        super().__init__(interfaces)
        self.names = ('', maker, model, f'SN-{model.replace(" ", "")}')
        self.told = f'MFG:{maker};MDL:{model};CMD:{commands};CLS:PRINTER;SN:{self.names[3]};'.encode()
        self.status = SELECTED | NO_ERROR

    def control(self, kind, request, value, index, content, length):
        if (kind & ~IN) == 0x21 or (kind & ~IN) == 0x23:
            if request == GET_DEVICE_ID:
                return (struct.pack('>H', len(self.told) + 2) + self.told)[:length]
            if request == GET_PORT_STATUS:
                return bytes([self.status])
            if request == SOFT_RESET:
                return b''
        raise Stall


class Laser(Printer):
    """job: what has arrived.  room: how many bytes it takes with no paper in it;
    stalls_at, vanishes_at: how many bytes it takes before it stalls (until it is
    cleared), or is gone."""
    OUT = 1

    def __init__(self, model, commands):
        super().__init__([Interface(CLASSIC, [Endpoint(self.OUT), Endpoint(0x82)])], 'Keyroom', model, commands)
        self.job = b''
        self.paper, self.room = True, 4096
        self.stalls_at = self.vanishes_at = None
        self.cleared_count = 0

    def hold(self, endpoint):
        return not self.paper and len(self.job) >= self.room

    def take_paper(self):
        self.paper, self.status = False, SELECTED | PAPER_OUT

    def put_paper(self):
        self.paper, self.status = True, SELECTED | NO_ERROR
        self.plug.wake()

    def written(self, endpoint, content):
        if self.vanishes_at is not None and len(self.job) >= self.vanishes_at:
            self.plug.pull()
            raise OSError
        if self.stalls_at is not None and len(self.job) >= self.stalls_at:
            raise Stall
        self.job += content

    def cleared(self, endpoint):
        self.cleared_count += 1
        self.stalls_at = None


class Cable:
    """One interface of a driverless printer: its two endpoints, and a connection, which
    the printer's program ends when it likes.  A cable does not end: what was sent and not
    answered by then is sent again."""

    def __init__(self, device, port, out):
        self.device, self.port, self.out = device, port, out
        self.line, self.unanswered, self.lock = None, b'', threading.Lock()

    def written(self, content):
        with self.lock:
            self.unanswered += content
            if self.line is None:
                self._connect()
            try:
                self.line.sendall(content)
            except OSError:
                pass                    # _carry sends it again

    def _connect(self):
        self.line = socket.create_connection(('127.0.0.1', self.port))
        threading.Thread(target=self._carry, args=(self.line,), daemon=True).start()

    def _carry(self, line):
        try:
            while piece := line.recv(1 << 14):
                with self.lock:
                    self.unanswered = b''
                self.device.say(self.out | IN, piece)
        except OSError:
            pass
        line.close()
        with self.lock:
            self.line = None
            if self.unanswered:
                self._connect()
                self.line.sendall(self.unanswered)


class Driverless(Printer):
    """A printer at a port of this machine, over two interfaces."""

    def __init__(self, port):
        super().__init__([Interface(DRIVERLESS, [Endpoint(out), Endpoint(out | IN)]) for out in (1, 2)],
                         'Keyroom', 'Driverless', 'PDF,PWGRaster')
        self.product = 0x0102
        self.cables = {out: Cable(self, port, out) for out in (1, 2)}

    def written(self, endpoint, content):
        self.cables[endpoint].written(content)
