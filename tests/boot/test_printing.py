# SPDX-License-Identifier: ISC
"""A log goes to paper from the booted disc: through its own CUPS and filters,
out of its closed network, to printers on the host: one that takes PDF, one that
takes only pixels, and lasers at port 9100.  What arrives is read by programs
that are not ours, and must carry the log's hash and words.  QEMU has no USB
printer; the USB side is tested with a made-up one in tests/cli."""
import hashlib
import re
import subprocess

import pytest

import drives
import raster
from cups_room import codes, pages_of, pdf_text
from lanprinters import PDF_PRINTER, PIXEL_PRINTER, network
from machine import Machine

pytestmark = pytest.mark.slow

LOG = 'ksrsigner-20261122-133000.log'
CONTENT = ''.join(f'2026-11-22T13:30:00Z: [INFO] line {n} of the log\n' for n in range(80))
DIGEST = hashlib.sha256(CONTENT.encode()).hexdigest()


@pytest.fixture(scope='module')
def guest(disc, printers, tmp_path_factory):
    folder = tmp_path_factory.mktemp('printing')
    (folder / 'HSMFD').mkdir()
    (folder / 'HSMFD' / LOG).write_text(CONTENT)
    drive = drives.make_drive(folder / 'hsmfd.img', 'HSMFD', folder / 'HSMFD')
    with Machine(disc['ISO'], folder, drives=[drive],
                 extra=network(printers, folder)) as machine:
        machine.choose('serial')
        machine.prompt(90)
        machine.must('until mountpoint -q /media/HSMFD; do sleep 1; done; cd /media/HSMFD', 30)
        yield machine


def printed(guest):
    """Wait until the guest's queues are empty."""
    guest.must('until [ -z "$(lpstat -o)" ]; do sleep 1; done', 120)


def words_of(room):
    """By the host's own copy of the program, of the host's copy of the log."""
    done = subprocess.run([room.env['PATH'].split(':')[0] + '/sha2wordlist'], env=room.env,
                          input=CONTENT.encode(), capture_output=True, check=True)
    return done.stdout.decode().split('PGP Words:')[1].split()


def test_print_service_waits_behind_a_file(guest):
    """Nothing runs and nothing listens before something is printed."""
    assert guest.run('pgrep -x cupsd')[0] != 0
    guest.must('test -S /run/cups/cups.sock')
    assert 'no printer found' in guest.run('configure-printer', 60)[1]
    guest.must('pgrep -x cupsd')
    assert guest.run('ss -Hltunw | grep .')[0] != 0
    guest.must('ipp-usb check')


def test_network_is_closed_until_the_printer_is_named(guest):
    status, said = guest.run(f'configure-printer ipp://{PDF_PRINTER}/ipp/print')
    assert status == 1 and 'hsm-network printer ADDRESS' in said
    guest.must(f'hsm-network printer {PDF_PRINTER}')
    status, page = guest.run('system-audit --quick', 60)
    assert status == 0 and f'printer {PDF_PRINTER} on' in page, page
    for address, port in ((PDF_PRINTER, 22), (PIXEL_PRINTER, 631), ('192.168.0.250', 631)):
        assert guest.run(f'timeout 5 bash -c ": </dev/tcp/{address}/{port}"')[0] != 0


def test_test_page(guest, room, printers):
    said = guest.must(f'configure-printer ipp://{PDF_PRINTER}/ipp/print', 120)
    assert 'Model:      everywhere' in said and 'Queue:      HP, the default' in said
    printed(guest)
    pages = room.papers(printers[PDF_PRINTER, 631][1])
    assert 'Printer test page' in pdf_text(pages[-1])


def test_log_reaches_the_driverless_printer(guest, room, printers, tmp_path):
    guest.must('lpadmin -p HP -o copies-default=5')
    assert 'HP is ready' in guest.must('lpq -P HP')
    assert f'SHA-256:    {DIGEST}' in guest.must(f'printlog {LOG}', 60)
    printed(guest)
    paper = room.papers(printers[PDF_PRINTER, 631][1])[-1]
    text = pdf_text(paper)
    release = re.search(r'KEYROOM_VERSION=(\S+)', guest.must('cat /etc/keyroom-release'))[1]
    assert LOG in text and 'page 1 of 2' in text and f'Keyroom {release}' in text
    assert 'line 79 of the log' in text and '13:30:00Z' not in text
    assert text.split(DIGEST)[1].split()[:32] == words_of(room)
    assert codes(pages_of(paper, tmp_path, 150)[0]) == [f'SHA256:{DIGEST.upper()}']
    fonts = subprocess.run(['pdffonts', paper], capture_output=True, text=True, check=True).stdout
    assert fonts.count('\n') > 2 and ' no ' not in re.sub(r'(yes|no) +(yes|no) +(\d+)', r'\3', fonts)
    told = paper.with_name(paper.name + '.told').read_text()
    assert 'IPP_COPIES=5\n' in told and 'separate-documents-collated-copies' in told


def test_hash_of_the_drive_on_paper(guest, room, printers):
    guest.must('hsmfd-hash -p 2', 60)
    printed(guest)
    text = pdf_text(room.papers(printers[PDF_PRINTER, 631][1])[-1])
    assert 'HSMFD hash' in text and DIGEST in text


@pytest.mark.parametrize('model', ['ps', 'pcl'])
def test_log_reaches_a_laser_at_port_9100(guest, room, printers, tmp_path, model):
    jobs = printers[PDF_PRINTER, 9100][1]
    del jobs[:]
    guest.must(f'configure-printer --queue {model} --no-test socket://{PDF_PRINTER} {model}', 60)
    guest.must(f'KEYROOM_QUEUE={model} printlog {LOG} 2', 60)
    printed(guest)
    assert room.wait(lambda: jobs, 60)
    if model == 'pcl':
        assert jobs[0].startswith(b'\x1b') and b'PCL' in jobs[0][:200] or b'\x1bE' in jobs[0][:200]
        assert jobs[0].count(b'\x0c') >= 4
        return
    assert jobs[0].startswith(b'%!PS')
    (tmp_path / 'job.ps').write_bytes(jobs[0])
    subprocess.run(['ps2pdf', tmp_path / 'job.ps', tmp_path / 'job.pdf'], check=True)
    # PostScript draws the letters of the page's own font as pictures: what they are is
    # no text any more, but the code on each sheet says which file it is.
    sheets = pages_of(tmp_path / 'job.pdf', tmp_path, 150)
    assert len(sheets) == 4
    assert all(codes(png) == [f'SHA256:{DIGEST.upper()}']
               for png in sheets)


def test_log_reaches_a_printer_that_takes_only_pixels(guest, room, printers, tmp_path):
    """And the first printer is out of reach from then on."""
    guest.must('hsm-network off; test "$(hsm-network)" = off')
    guest.must(f'hsm-network printer {PIXEL_PRINTER}')
    assert guest.run(f'timeout 5 bash -c ": </dev/tcp/{PDF_PRINTER}/631"')[0] != 0
    guest.must(f'configure-printer --no-test ipp://{PIXEL_PRINTER}/ipp/print', 120)
    guest.must(f'printlog {LOG} 2', 60)
    printed(guest)
    paper, = room.papers(printers[PIXEL_PRINTER, 631][1])
    pages = raster.pages(paper, tmp_path)
    assert len(pages) == 4
    assert all(codes(image) == [f'SHA256:{DIGEST.upper()}'] for image, *_ in pages)
    guest.must('hsm-network off')
    assert 'SYSTEM AUDIT PASSED' in guest.must('system-audit', 300)
