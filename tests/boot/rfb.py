# SPDX-License-Identifier: ISC
"""A screen that is plugged into QEMU: a VNC viewer that says how large it is.
QEMU's virtual card has a second output only while somebody looks at it."""
import socket
import struct
import time

EXTENDED_DESKTOP_SIZE = -308
SET_DESKTOP_SIZE, SET_ENCODINGS = 251, 2


class Screen:
    """One output of the machine, by its VNC socket; a context manager."""

    def __init__(self, path, width, height):
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(60)
        for _ in range(100):
            try:
                self.link.connect(str(path))
                break
            except OSError:
                time.sleep(0.1)
        self._take(12)
        self.link.sendall(b'RFB 003.008\n')
        self._take(self._take(1)[0])
        self.link.sendall(b'\1')                # no password
        self._take(4)
        self.link.sendall(b'\1')                # others may look, too
        name = struct.unpack('>20xI', self._take(24))[0]
        self._take(name)
        self.link.sendall(struct.pack('>BxHii', SET_ENCODINGS, 2, 0, EXTENDED_DESKTOP_SIZE))
        self.resize(width, height)

    def _take(self, count):
        piece = b''
        while len(piece) < count:
            more = self.link.recv(count - len(piece))
            if not more:
                raise OSError('the viewer was turned away')
            piece += more
        return piece

    def resize(self, width, height):
        self.link.sendall(struct.pack('>BxHHBxIHHHHI', SET_DESKTOP_SIZE, width, height, 1,
                                      0, 0, 0, width, height, 0))

    def unplug(self):
        """To QEMU a screen is there until its viewer says that it has no size; a viewer
        who goes away leaves it plugged in."""
        self.resize(0, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()
