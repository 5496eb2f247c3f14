# SPDX-License-Identifier: ISC
"""Shows that a screen is readable, and a serial line alone not silent, under UEFI
with the cards of a virtual machine, which rehearsals and rebuilders meet first.
GRUB's own drivers for those cards left stripes where the console should be.

The pictures are kept: build/screens/uefi-*.png."""
import pytest

from machine import Machine, said

pytestmark = pytest.mark.slow


def picture(guest, folder):
    """Width, height and the pixels of the screen, each red + green + blue."""
    path = folder / 'screen.ppm'
    guest.qmp('screendump', filename=str(path))
    _, size, _, pixels = path.read_bytes().split(b'\n', 3)
    width, height = map(int, size.split())
    return width, height, [sum(pixels[n:n + 3]) for n in range(0, len(pixels), 3)]


@pytest.mark.parametrize('card', ['std', pytest.param('cirrus', marks=pytest.mark.matrix)])
def test_console_is_readable_under_uefi(disc, card, tmp_path, build):
    """The kernel's picture is as large as the screen's, and what it wrote is there:
    where it wrote a letter there is light, where it wrote none there is not."""
    (build / 'screens').mkdir(exist_ok=True)
    with Machine(disc['ISO'], tmp_path, firmware='uefi', extra=['-vga', card]) as guest:
        guest.choose('serial')
        guest.prompt(120)
        guest.must('chvt 1; printf "\\033[2J\\033[H%s\\033[?25l\\n" $(printf "M%.0s" $(seq 30)) >/dev/tty1; sleep 3', 30)
        guest.screendump(build / 'screens' / f'uefi-{card}.png')
        width, height, pixels = picture(guest, tmp_path)
        assert (width, height) == tuple(map(int, said(guest, 'cat /sys/class/graphics/fb0/virtual_size').split(',')))
        columns = int(said(guest, 'stty size </dev/tty1').split()[1])
        cell = width // columns
        line = pixels[:width * 2 * cell]
        for column in range(min(columns, 34)):
            light = sum(light > 300 for n, light in enumerate(line) if column * cell <= n % width < (column + 1) * cell)
            assert (light > 20) == (column < 30), (column, light)


@pytest.mark.parametrize('firmware', ['uefi', pytest.param('bios', marks=pytest.mark.matrix)])
def test_first_entry_speaks_on_a_serial_line_alone(disc, firmware, tmp_path):
    with Machine(disc['ISO'], tmp_path, firmware=firmware, extra=['-vga', 'none']) as guest:
        guest.expect(r'Keyroom [0-9.+~a-z-]+, serial', 90)
        guest.send('\r')
        guest.prompt(120)
        assert guest.run('system-audit --quick', 100)[0] == 0
