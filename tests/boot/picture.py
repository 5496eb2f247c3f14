# SPDX-License-Identifier: ISC
"""What a screen shows, dot by dot: QEMU's dumps of it (PPM) and the disc's own
pictures (PNG, all five filters of RFC 2083, section 6)."""
import struct
import zlib

# Sums of red, green and blue (etc/keyroom/desktop: themerc-override, foot.ini).
TITLE, OTHER_TITLE, PAPER = 0xdc + 0xda + 0xd2, 0xef + 0xed + 0xe7, 0xfb + 0xfa + 0xf6


class Picture:
    """width, height; data: three bytes a dot."""

    def __init__(self, width, height, data):
        assert len(data) == width * height * 3
        self.width, self.height, self.data = width, height, data

    def row(self, y, left=0, right=None):
        """Of each dot the sum of its colours."""
        place = y * self.width * 3
        part = self.data[place + 3 * left:place + 3 * (self.width if right is None else right)]
        return list(map(sum, zip(part[0::3], part[1::3], part[2::3])))

    def differences(self, other):
        """The box (left, top, right, bottom) of the dots that differ; None if none does."""
        assert (self.width, self.height) == (other.width, other.height)
        line = self.width * 3
        rows = [y for y in range(self.height)
                if self.data[y * line:(y + 1) * line] != other.data[y * line:(y + 1) * line]]
        columns = {x for y in rows for x in range(self.width)
                   if self.data[y * line + 3 * x:y * line + 3 * x + 3] != other.data[y * line + 3 * x:y * line + 3 * x + 3]}
        return (min(columns), rows[0], max(columns), rows[-1]) if rows else None

    def titles(self, left=0, right=None, ground=TITLE):
        """The bars of that colour between these columns, from the top: of each the box of
        what is written in it, and the columns in which it lies."""
        right = self.width if right is None else right
        found, bar = [], []
        for y in range(self.height + 1):
            dots = self.row(y, left, right) if y < self.height else []
            inside = [x for x, light in enumerate(dots) if abs(light - ground) < 9]
            if len(inside) > (right - left) / 4:
                bar.append((y, dots, min(inside), max(inside)))
            elif bar:
                if len(bar) > 8:
                    found.append(self._written(bar, left, ground))
                bar = []
        return found

    @staticmethod
    def _written(bar, left, ground):
        first, last = min(row[2] for row in bar), max(row[3] for row in bar)
        ink = [(x, y) for y, dots, _, _ in bar for x in range(first + 2, last - 1) if dots[x] < ground - 150]
        xs, ys = [x for x, _ in ink] or [0], [y for _, y in ink] or [0]
        return (left + min(xs), min(ys), left + max(xs), max(ys)), (left + first, left + last)


def read_ppm(data):
    kind, size, _, dots = data.split(b'\n', 3)
    assert kind == b'P6'
    return Picture(*map(int, size.split()), dots)


def _paeth(a, b, c):
    """RFC 2083, section 6.6."""
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    return a if pa <= pb and pa <= pc else b if pb <= pc else c


def _unfilter(kind, line, above, step):
    out = bytearray(line)
    for n, byte in enumerate(line):
        left, corner = (out[n - step], above[n - step]) if n >= step else (0, 0)
        guess = (0, left, above[n], (left + above[n]) // 2, _paeth(left, above[n], corner))[kind]
        out[n] = (byte + guess) & 255
    return out


def read_png(data):
    """Of eight bits a colour, with or without a fourth, which is left out."""
    assert data[:8] == b'\x89PNG\r\n\x1a\n'
    place, packed = 8, b''
    while place < len(data):
        length, = struct.unpack('>I', data[place:place + 4])
        kind, content = data[place + 4:place + 8], data[place + 8:place + 8 + length]
        if kind == b'IHDR':
            width, height, bits, colour = struct.unpack('>IIBB', content[:10])
            assert bits == 8 and colour in (2, 6) and content[12] == 0
        elif kind == b'IDAT':
            packed += content
        place += 12 + length
    step = 3 if colour == 2 else 4
    rows, above = zlib.decompress(packed), bytearray(width * step)
    out = bytearray()
    for y in range(height):
        place = y * (width * step + 1)
        line = rows[place + 1:place + 1 + width * step]
        above = bytearray(line) if rows[place] == 0 else _unfilter(rows[place], line, above, step)
        if step == 3:
            out += above
        else:
            dots = bytearray(3 * width)
            for part in range(3):
                dots[part::3] = above[part::4]
            out += dots
    return Picture(width, height, bytes(out))
