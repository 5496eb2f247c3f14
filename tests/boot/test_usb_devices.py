# SPDX-License-Identifier: ISC
"""What lies on the table and hangs on a USB cable, plugged into the booted disc: printers
that are programs of this test (usbredir.py, usbprinter.py), through the disc's own CUPS,
ipp-usb and usb-policy. A page arrives, and its hash and words are read back from it; a
printer that is out of paper, stalls or is pulled loses no job; and a device that is not
what its class says gets no driver.  Matters: every ceremony ends on paper, and no virtual
machine had a printer on a cable before.

One machine; what QEMU's USB redirection cannot do is told in usbredir.py."""
import hashlib
import re
import subprocess

import pytest

import drives
from cups_room import codes, pages_of, pdf_text
from machine import said
from table import table
from usbprinter import Driverless, Laser
from usbredir import Device, Endpoint, Interface, Plug, INTERRUPT_ENDPOINT

pytestmark = pytest.mark.slow

LOG = 'ksrsigner-20261122-133000.log'
CONTENT = ''.join(f'2026-11-22T13:30:00Z: [INFO] line {n} of the log\n' for n in range(80))
DIGEST = hashlib.sha256(CONTENT.encode()).hexdigest()
CODE = f'SHA256:{DIGEST.upper()}'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('usb')


@pytest.fixture(scope='module')
def guest(disc, folder):
    (folder / 'HSMFD').mkdir()
    (folder / 'HSMFD' / LOG).write_text(CONTENT)
    drive = drives.make_drive(folder / 'hsmfd.img', 'HSMFD', folder / 'HSMFD')
    with table(disc, folder, drive) as machine:
        yield machine


def put_in(guest, device, folder, port='one'):
    """Plug it in, and wait until the machine has seen it."""
    plug = Plug(device, folder / port).put_in()
    guest.must(f'for n in $(seq 20); do grep -qx "{device.names[2]}" /sys/bus/usb/devices/*/product && break; '
               f'sleep 1; done; grep -qx "{device.names[2]}" /sys/bus/usb/devices/*/product', 40)
    return plug


def printed(guest):
    guest.must('until [ -z "$(lpstat -o)" ]; do sleep 1; done', 150)


def sheets(job, folder):
    """The pages of a job in PostScript, as pictures."""
    (folder / 'job.ps').write_bytes(job)
    subprocess.run(['ps2pdf', folder / 'job.ps', folder / 'job.pdf'], check=True)
    return pages_of(folder / 'job.pdf', folder, 150)


@pytest.fixture(scope='module')
def laser():
    return Laser('PostScript Laser', 'POSTSCRIPT')


@pytest.fixture(scope='module')
def plug(guest, laser, folder):
    with put_in(guest, laser, folder) as made:
        shown = guest.must('configure-printer --no-test', 120)
        assert 'usb://Keyroom/PostScript%20Laser?serial=SN-PostScriptLaser\n' in shown
        assert 'Model:      ps\n' in shown and 'Queue:      HP, the default' in shown
        yield made


def test_a_laser_on_a_cable(guest, plug, laser, tmp_path):
    laser.job = b''
    assert f'SHA-256:    {DIGEST}' in guest.must(f'printlog {LOG}', 60)
    printed(guest)
    assert laser.job.startswith(b'%!PS') and laser.job.rstrip().endswith(b'%%EOF')
    pages = sheets(laser.job, tmp_path)
    assert len(pages) == 2 and all(codes(page) == [CODE] for page in pages)


def test_out_of_paper_the_job_waits(guest, plug, laser, tmp_path):
    laser.job, laser.room = b'', 20000
    laser.take_paper()
    guest.must(f'printlog {LOG}', 60)
    guest.must('sleep 10', 40)
    shown = guest.must('lpq; lpstat -p')
    assert re.search(r'active +root +\d+ +' + re.escape(LOG), shown) and 'Sending data to printer' in shown, shown
    assert 20000 <= len(laser.job) < 60000
    laser.put_paper()
    printed(guest)
    assert len(sheets(laser.job, tmp_path)) == 2


def test_a_stalled_printer_is_tried_again(guest, plug, laser):
    """It takes no more in the middle of a page, until it is spoken to anew."""
    laser.job, laser.stalls_at = b'', 20000
    guest.must(f'printlog {LOG}', 60)
    guest.must('for n in $(seq 30); do lpstat -p | grep -q "Unable to send data to printer" && break; sleep 1; done; '
               'lpstat -p | grep "Unable to send data to printer"', 60)
    place = len(laser.job)
    laser.stalls_at = None
    printed(guest)
    # From its beginning: what came before is half a page.
    assert laser.job[place:].startswith(b'%!PS') and laser.job.rstrip().endswith(b'%%EOF')


def test_a_pulled_printer_gets_its_job_when_it_is_back(guest, plug, laser, folder):
    laser.job, laser.vanishes_at = b'', 20000
    guest.must(f'printlog {LOG}', 60)
    guest.must('for n in $(seq 40); do lpstat -p | grep -q "Waiting for printer to become available" && break; sleep 1; '
               'done; lpstat -p | grep "Waiting for printer to become available"', 90)
    place, laser.vanishes_at = len(laser.job), None
    plug.put_in()
    printed(guest)
    assert laser.job[place:].startswith(b'%!PS') and laser.job.rstrip().endswith(b'%%EOF')
    plug.pull()


def test_a_laser_that_knows_only_pcl(guest, folder):
    laser = Laser('PCL Laser', 'PCL')
    with put_in(guest, laser, folder):
        assert 'Model:      pcl\n' in guest.must('configure-printer --no-test', 120)
        guest.must(f'printlog {LOG}', 60)
        printed(guest)
    assert laser.job.startswith(b'\x1bE') and laser.job.count(b'\x1b*rC') + laser.job.count(b'\x1b*rB') >= 2


def test_a_driverless_printer_is_found_without_an_address(guest, room, folder, tmp_path):
    """IPP over USB: ipp-usb finds it, configure-printer needs no address, and hash and
    words are read back from the page."""
    uri, pages = room.everywhere()
    with put_in(guest, Driverless(int(re.search(r':(\d+)/', uri)[1])), folder, 'two'):
        guest.must('for n in $(seq 20); do [ -n "$(ss -Hltn "sport = :60000")" ] && break; sleep 1; done', 40)
        shown = guest.must('configure-printer', 200)
        assert 'Printer:    ipp://localhost:60000/ipp/print\nModel:      everywhere\n' in shown, shown
        printed(guest)
        guest.must(f'printlog {LOG}', 60)
        printed(guest)
        assert room.wait(lambda: len(room.papers(pages)) == 2)
        test_page, log = room.papers(pages)
        assert 'Printer test page' in pdf_text(test_page)
        text = pdf_text(log)
        assert LOG in text and 'line 79 of the log' in text and 'page 2 of 2' in text
        words = said(guest, f'sha2wordlist {LOG}').split('PGP Words:')[1].split()
        assert text.split(DIGEST)[1].split()[:32] == words[:32]
        assert codes(pages_of(log, tmp_path, 150)[0]) == [CODE]
        # It listens for this machine alone: a promise kept.
        page = guest.must('system-audit --quick', 60)
        assert 'SYSTEM AUDIT PASSED' in page, page


class Liar(Device):
    """It says of what class each of its interfaces is, and by maker and model it is
    something else."""

    def __init__(self, name, kinds, vendor=0x1209, product=0x0301):
        super().__init__([Interface(kind, [Endpoint(0x81 + n, INTERRUPT_ENDPOINT, 8, 10)])
                          for n, kind in enumerate(kinds)])
        self.names = ('', 'Nobody', name, '1')
        self.vendor, self.product = vendor, product


def announced(guest, begun):
    """What every terminal has been told since then, on one line; it is broken between
    words there, and may come before or after the next prompt."""
    guest.must('sleep 3')
    return re.sub(r'\s+', ' ', re.sub(r'\x1b\[[0-9;?]*[A-Za-z]', '', guest.text[begun:]))


# A network card (ASIX AX88772) that says it is a printer, a card reader, storage; by the
# driver's own table it would be let in by none of them.
@pytest.mark.parametrize('kind, says', [((7, 1, 2), 'device of class 07'), ((0x0b, 0, 0), 'device of class 0b'),
                                        ((8, 6, 0x50), 'device of class 08'), ((0xff, 0, 0), 'device of class ff')])
def test_a_network_card_that_says_it_is_something_else(guest, folder, kind, says):
    begun = len(guest.text)
    with put_in(guest, Liar('AX88772', [kind], 0x0b95, 0x7720), folder):
        assert re.search(rf'USB \S+ refused: {says}, but it would be driven by asix \(AX88772\); to let it in: usb-allow',
                         announced(guest, begun))
        assert said(guest, 'ls /sys/class/net').split() == ['lo']
    guest.must('until ! grep -qx AX88772 /sys/bus/usb/devices/*/product; do sleep 1; done', 30)


def test_a_printer_that_types_is_a_printer_alone(guest, folder):
    """Each interface is judged by itself: no keyboard comes with it."""
    before = said(guest, 'grep -c ^N: /proc/bus/input/devices')
    begun = len(guest.text)
    with put_in(guest, Liar('Typing printer', [(7, 1, 2), (3, 1, 1)]), folder):
        assert re.search(r'USB \S+ refused: keyboard or mouse \(Typing printer\); to let it in: usb-allow',
                         announced(guest, begun))
        at = said(guest, 'dirname $(grep -lx "Typing printer" /sys/bus/usb/devices/*/product)')
        assert said(guest, f'cat {at}/*:1.0/authorized {at}/*:1.1/authorized').split() == ['1', '0']
        assert said(guest, 'grep -c ^N: /proc/bus/input/devices') == before
