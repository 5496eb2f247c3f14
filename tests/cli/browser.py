# SPDX-License-Identifier: ISC
"""A page as people see it: headless Chromium, screenshots, what is printed."""
import shutil
import struct
import subprocess
import zlib

import pytest

needs_chromium = pytest.mark.skipif(not shutil.which('chromium'), reason='no chromium')


def chromium(tmp_path, *options):
    subprocess.run(['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars',
                    f'--user-data-dir={tmp_path}/chromium', *options], env={'HOME': str(tmp_path), 'PATH': '/usr/bin:/bin'},
                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True, timeout=120)


def screenshot(tmp_path, page, width, height):
    """The picture's rows, each a list of (red, green, blue)."""
    out = tmp_path / f'{width}.png'
    chromium(tmp_path, f'--window-size={width},{height}', f'--screenshot={out}', page.as_uri())
    return read_png(out.read_bytes())


def read_png(data):
    place, packed = 8, b''
    while place < len(data):
        size, kind = struct.unpack('>I4s', data[place:place + 8])
        if kind == b'IHDR':
            width, height, bits, color = struct.unpack('>IIBB', data[place + 8:place + 18])
        if kind == b'IDAT':
            packed += data[place + 8:place + 8 + size]
        place += size + 12
    assert bits == 8 and color in (2, 6)
    step = 3 if color == 2 else 4
    raw, rows, before = zlib.decompress(packed), [], bytes(width * step)
    for y in range(height):
        start = y * (width * step + 1)
        row = bytearray(raw[start + 1:start + 1 + width * step])
        unfilter(raw[start], row, before, step)
        rows.append([tuple(row[x:x + 3]) for x in range(0, len(row), step)])
        before = row
    return rows


def unfilter(kind, row, before, step):
    """PNG 1.2 section 6."""
    for i in range(len(row)):
        left = row[i - step] if i >= step else 0
        up, corner = before[i], before[i - step] if i >= step else 0
        if kind == 1:
            row[i] = (row[i] + left) & 255
        elif kind == 2:
            row[i] = (row[i] + up) & 255
        elif kind == 3:
            row[i] = (row[i] + (left + up) // 2) & 255
        elif kind == 4:
            guess = left + up - corner
            row[i] = (row[i] + min((left, up, corner), key=lambda v: abs(guess - v))) & 255
