# SPDX-License-Identifier: ISC
"""Shows that two screens that are there from power-on show the same.  The compositor takes
up the second one late, and puts it beside the first: a projector that is on before
the laptop would have a black screen."""
import pytest

from machine import Machine
from rfb import Screen
from test_desktop import wait_for
from test_screens import both, pictures  # noqa: F401 (a fixture)

pytestmark = pytest.mark.slow
MIB = 1 << 20


def test_second_screen_that_was_there_at_boot_shows_what_the_first_does(ceremony_disc, tmp_path, pictures):  # noqa: F811
    extra = ['-vga', 'none', '-device', 'virtio-vga,max_outputs=2,id=card',
             '-vnc', f'unix:{tmp_path}/screen0,display=card,head=0',
             '-vnc', f'unix:{tmp_path}/screen1,display=card,head=1']
    with Machine(ceremony_disc['ISO'], tmp_path, medium='usb', extra=extra) as guest, \
            Screen(tmp_path / 'screen1', 1280, 800) as projector:
        guest.choose('serial')
        guest.prompt(180)
        wait_for(guest, 'ps -o args= --ppid "$(pgrep -x foot)" | grep -q bash')
        guest.must('sleep 10; export XDG_RUNTIME_DIR=/run/user/0 WAYLAND_DISPLAY=wayland-0', 30)
        guest.must('for n in $(seq 20); do [ $(wlr-randr | grep -c "Position: 0,0") = 2 ] && break; sleep 1; done; sleep 3', 60)
        first, second = both(guest, tmp_path)
        for head in (0, 1):
            guest.qmp('screendump', filename=str(pictures / f'two-screens-at-boot-{head}.png'), format='png',
                      device='card', head=head)
        assert first == second and len(first) > MIB
        projector.unplug()
        guest.must('until [ $(wlr-randr | grep -c "Position: 0,0") = 1 ]; do sleep 1; done; sleep 3', 120)
        guest.qmp('screendump', filename=str(pictures / 'two-screens-unplugged.png'), format='png',
                  device='card', head=0)
