# SPDX-License-Identifier: ISC
"""Reads PWG raster (PWG 5102.4) and Apple raster, as far as grey pages go: what
a driverless printer that knows no PDF is sent.  Written here, so that what
Ghostscript writes has a second reader."""
import struct


def unpack_lines(data, place, width, height):
    """The pixels of one page, and where the next begins: each line with how
    often it repeats, in runs of one pixel or of several that differ."""
    lines = []
    while len(lines) < height:
        repeat, place = data[place] + 1, place + 1
        line = bytearray()
        while len(line) < width:
            code, place = data[place], place + 1
            if code == 128:                             # to the end of the line
                line += b"\xff" * (width - len(line))
            elif code < 128:
                line += data[place:place + 1] * (code + 1)
                place += 1
            else:
                line += data[place:place + 257 - code]
                place += 257 - code
        assert len(line) == width
        lines += [bytes(line)] * repeat
    return b"".join(lines[:height]), place


def pwg_pages(data):
    assert data[:4] == b"RaS2"
    place = 4
    while place < len(data):
        header = data[place:place + 1796]
        assert header.startswith(b"PwgRaster\0")
        resolution, = struct.unpack(">I", header[276:280])
        width, height, _, bits, pixel, line, _, space = struct.unpack(">8I", header[372:404])
        assert (bits, pixel, line, space) == (8, 8, width, 18), "not grey"
        pixels, place = unpack_lines(data, place + 1796, width, height)
        yield resolution, width, height, pixels


def apple_pages(data):
    assert data[:8] == b"UNIRAST\0"
    count, = struct.unpack(">I", data[8:12])
    place = 12
    while place < len(data):
        bits, space = data[place], data[place + 1]
        width, height, resolution = struct.unpack(">3I", data[place + 12:place + 24])
        assert (bits, space) == (8, 0), "not grey"
        pixels, place = unpack_lines(data, place + 32, width, height)
        yield resolution, width, height, pixels
        count -= 1


def pages(path, folder):
    """One PGM file a page, and what each says of itself."""
    data = path.read_bytes()
    found = []
    for page in (apple_pages if data[:4] == b"UNIR" else pwg_pages)(data):
        resolution, width, height, pixels = page
        image = folder / f"{path.name}-{len(found) + 1}.pgm"
        image.write_bytes(f"P5 {width} {height} 255\n".encode() + pixels)
        found.append((image, resolution, width, height))
    return found
