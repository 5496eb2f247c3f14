# SPDX-License-Identifier: ISC
"""A drive that is looked at while a machine reads it: a file served over NBD (the
fixed newstyle handshake and simple replies of the protocol's proto.md) on a Unix
socket, with every read noted, errors where a test wants them, and as slow as an
optical drive, if wanted.  And what such reads cost that drive."""
import errno
import os
import socket
import struct
import threading
import time

OPTION, REPLY = 0x49484156454F5054, 0x3E889045565A9
REQUEST, SIMPLE_REPLY = 0x25609513, 0x67446698
OPT_EXPORT_NAME, OPT_ABORT, OPT_INFO, OPT_GO = 1, 2, 6, 7
REP_ACK, REP_INFO, REP_UNSUPPORTED = 1, 3, 0x80000001
CMD_READ, CMD_WRITE, CMD_DISC, CMD_FLUSH = 0, 1, 2, 3
HAS_FLAGS, READ_ONLY, SEND_FLUSH = 1, 2, 4

# A slim DVD drive at the inner edge of a disc: bytes a second; seconds a seek, and
# more a byte of way; what it reads through rather than seek.
SPEED, SEEK, WAY, SKIP = 4.7e6, 0.1, 0.05 / 100e6, 512 << 10


def take(line, count):
    """Exactly that many bytes."""
    got = b''
    while len(got) < count:
        piece = line.recv(count - len(got))
        if not piece:
            raise EOFError
        got += piece
    return got


class Drive:
    """A context manager.  reads, writes: (offset, length) of each, in order; bad: the
    byte offsets whose sectors fail, for reads and writes alike; cut: how many writes it
    takes until the power goes, in the middle of the next (gone is set then, and it
    answers nothing more); slow: answer only after the time that an optical drive
    takes."""

    def __init__(self, path, socket_path, writable=False, slow=False):
        self.path, self.socket_path, self.slow = str(path), str(socket_path), slow
        self.reads, self.writes, self.bad = [], [], set()
        self.cut, self.gone = None, threading.Event()
        self.file = os.open(self.path, os.O_RDWR if writable else os.O_RDONLY)
        self.writable = writable
        self.size = os.fstat(self.file).st_size
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.socket_path)
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def arguments(self, name):
        """QEMU's -drive for it."""
        mode = '' if self.writable else ',readonly=on'
        return ['-drive', f'id={name},if=none,format=raw{mode},file.driver=nbd,'
                f'file.server.type=unix,file.server.path={self.socket_path}']

    def node(self):
        """It, as blockdev-add has it."""
        return {'driver': 'raw', 'read-only': not self.writable, 'file': {
            'driver': 'nbd', 'server': {'type': 'unix', 'path': self.socket_path}}}

    def wait_quiet(self, seconds=10):
        """Until nothing has been read for so long."""
        while True:
            count = len(self.reads)
            time.sleep(seconds)
            if len(self.reads) == count:
                return

    def _accept(self):
        try:
            while True:
                line, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()
        except OSError:
            return

    def _serve(self, line):
        try:
            if self._agree(line):
                while self._answer(line):
                    pass
        except (OSError, EOFError):
            pass
        finally:
            line.close()

    def _agree(self, line):
        """The handshake, up to the first request; False where nothing is wanted."""
        flags = HAS_FLAGS | SEND_FLUSH | (0 if self.writable else READ_ONLY)
        line.sendall(b'NBDMAGIC' + struct.pack('>QH', OPTION, 3))
        take(line, 4)
        while True:
            _, option, length = struct.unpack('>QII', take(line, 16))
            take(line, length)
            if option == OPT_EXPORT_NAME:
                line.sendall(struct.pack('>QH', self.size, flags))
                return True
            if option == OPT_ABORT:
                return False
            if option not in (OPT_INFO, OPT_GO):
                line.sendall(struct.pack('>QIII', REPLY, option, REP_UNSUPPORTED, 0))
                continue
            line.sendall(struct.pack('>QIIIHQH', REPLY, option, REP_INFO, 12, 0, self.size, flags) +
                         struct.pack('>QIII', REPLY, option, REP_ACK, 0))
            if option == OPT_GO:
                return True

    def _answer(self, line):
        _, _, kind, handle, offset, length = struct.unpack('>IHHQQI', take(line, 28))
        if kind == CMD_DISC:
            return False
        content = take(line, length) if kind == CMD_WRITE else b''
        failed = any(offset <= place < offset + length for place in self.bad)
        answer = b''
        if kind == CMD_READ:
            self.reads.append((offset, length))
            if self.slow:
                time.sleep(cost(self.reads[-2:])[2] - cost(self.reads[-2:-1])[2])
            answer = b'' if failed else os.pread(self.file, length, offset)
        elif kind == CMD_WRITE and self.cut is not None and len(self.writes) >= self.cut:
            if not self.gone.is_set():
                os.pwrite(self.file, content[:length // 1024 * 512], offset)
                self.gone.set()
            return False
        elif kind == CMD_WRITE:
            self.writes.append((offset, length))
            if not failed:
                os.pwrite(self.file, content, offset)
        line.sendall(struct.pack('>IIQ', SIMPLE_REPLY, errno.EIO if failed else 0, handle) + answer)
        return True


def cost(reads):
    """(bytes, seeks, seconds) of an optical drive that is asked for these reads."""
    head, total, seeks, seconds = 0, 0, 0, 0.0
    for offset, length in reads:
        way = offset - head
        if 0 <= way < SKIP:
            total += way
        else:
            seeks += 1
            seconds += SEEK + abs(way) * WAY
        total += length
        head = offset + length
    return total, seeks, seconds + total / SPEED
