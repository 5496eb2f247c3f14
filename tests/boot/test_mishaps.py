# SPDX-License-Identifier: ISC
"""What goes wrong at the table, on the booted disc: drives pulled, full, write-
protected or failing, the power gone at ten points of a signing, files that are no
request.  Each says so in the words that are here, leaves nothing half-written and
asks for no restart; what was broken off is done again.  Matters: on the day, in
front of a room, nobody has time to find out what a message meant.

One machine is started and saved with its token's driver loaded; each test goes on
from there, with drives of its own."""
import contextlib
import re
import shutil
import subprocess

import pytest

import dnssec
import drives
import norequest
from machine import Machine
from nbd import Drive
from rehearsal import Rehearsal
from test_signing import drives_of, load_softhsm

pytestmark = pytest.mark.slow

CUTS = 10
SIGN = 'ksrsigner --no-previous-skr=rehearsal {} skr.xml'
REQUEST = '/media/KSR/ksr-1.xml'


@pytest.fixture(scope='module')
def room(tmp_path_factory):
    return tmp_path_factory.mktemp('mishaps')


@pytest.fixture(scope='module')
def zone(room, programs):
    """HSMFD's files: a token, the configuration; the request lies on KSR."""
    (room / 'HSMFD').mkdir()
    (room / 'KSR').mkdir()
    made = Rehearsal(room / 'HSMFD', programs, domain='example.', bundles=4, algorithm=13)
    made.add_ksk('ksk')
    config = made.configure(made.normal('ksk'), made.ask())
    config.write_text(config.read_text().replace(str(made.hsm.conf), 'softhsm2.conf'))
    made.hsm.conf.write_text('directories.tokendir = /media/HSMFD/tokens\n')
    shutil.move(made.request, room / 'KSR')
    for log in made.folder.glob('*.log'):
        log.unlink()
    return made


@pytest.fixture(scope='module')
def state(disc, zone, room):
    """A machine at its prompt, KSR mounted and no HSMFD yet."""
    sticks = drives_of(room, disc, [room / 'KSR'])
    with Machine(disc['ISO'], room, drives=sticks) as guest:
        guest.choose('serial')
        guest.prompt(90)
        for label in ('KSR', 'DRIVERS'):
            guest.must(f'until mountpoint -q /media/{label}; do sleep 1; done', 30)
        load_softhsm(guest)
        guest.save(room / 'state')
    return room / 'state', sticks


@contextlib.contextmanager
def table(disc, state, folder):
    """That machine, with copies of its drives."""
    folder.mkdir(exist_ok=True)
    sticks = [shutil.copy(stick, folder) for stick in state[1]]
    with Machine(disc['ISO'], folder, drives=sticks, state=state[0]) as guest:
        yield guest


@pytest.fixture
def guest(disc, state, tmp_path):
    with table(disc, state, tmp_path) as machine:
        yield machine


@pytest.fixture
def hsmfd(room, zone, tmp_path):
    return drives.make_drive(tmp_path / 'hsmfd.img', 'HSMFD', room / 'HSMFD')


def node(image, **more):
    return {'driver': 'raw', 'file': {'driver': 'file', 'filename': str(image)}, **more}


def plug(guest, node):
    """Put HSMFD in and go there; what the terminal said."""
    guest.plug('hsmfd', node)
    said = guest.expect(r'mounted at /media/HSMFD([^*]*)\*\*\*', 40).group(1)
    guest.send('\r')
    guest.prompt()
    guest.must('cd /media/HSMFD')
    return ' '.join(said.split())


def ask(guest, request=REQUEST):
    """Up to ksrsigner's question."""
    guest.send(SIGN.format(request) + '; echo "=RC=$?="\r')
    guest.expect(r'Is this correct \(y/N\)\?', 60)


def answer(guest, text='y'):
    """(exit status, what it said after the question, on one line)."""
    guest.send(f'{text}\r')
    found = guest.expect(r'(.*)=RC=(\d+)=', 90)
    guest.prompt()
    return int(found.group(2)), ' '.join(found.group(1).split())


def sign(guest):
    ask(guest)
    return answer(guest)


def assert_no_response(image):
    names = drives.list_drive(image)
    assert names and not [name for name in names if 'skr' in name.lower()], names


def assert_good(image, tmp_path, name='skr.xml'):
    assert dnssec.validate(drives.read_drive(image, name), tmp_path / 'zones') == 4


def test_the_saved_machine_signs(guest, hsmfd, tmp_path):
    """What the others are compared with."""
    assert plug(guest, node(hsmfd)) == '(writable)'
    status, said = sign(guest)
    assert status == 0, said
    guest.must('cd /; umount /media/HSMFD')
    assert_good(hsmfd, tmp_path)


def test_the_request_s_drive_is_pulled_at_the_question(guest, hsmfd, tmp_path):
    """The request was read whole: what was shown is signed."""
    plug(guest, node(hsmfd))
    ask(guest)
    guest.pull('stick0')
    guest.expect(r'/media/KSR was pulled out without umount', 30)
    status, said = answer(guest)
    assert status == 0, said
    guest.must('cd /; umount /media/HSMFD')
    assert_good(hsmfd, tmp_path)


def test_hsmfd_is_pulled_at_the_question_and_put_back(guest, hsmfd, tmp_path):
    plug(guest, node(hsmfd))
    ask(guest)
    guest.pull('hsmfd')
    guest.expect(r'/media/HSMFD was pulled out without umount', 30)
    status, said = answer(guest)
    assert status == 5 and 'reboot' not in said, said
    # The log is on the drive, too, and comes before anything else that is written.
    assert re.search(r'ksrsigner: ksrsigner-\d{8}-\d{6}\.log: cannot write: Input/output error$', said), said
    assert_no_response(hsmfd)
    guest.must('cd /')
    assert 'did not unmount it' in plug(guest, node(hsmfd))
    status, said = sign(guest)
    assert status == 0, said
    guest.must('cd /; umount /media/HSMFD')
    assert_good(hsmfd, tmp_path)


def test_a_full_drive(guest, hsmfd, tmp_path):
    plug(guest, node(hsmfd))
    guest.run('dd if=/dev/zero of=filler bs=64k 2>/dev/null; dd if=/dev/zero bs=512 >>filler 2>/dev/null', 120)
    status, said = guest.run(SIGN.format(REQUEST), 90)
    assert status == 5, said
    assert ': cannot write: the disk is full: delete what is not needed there, or write elsewhere' in ' '.join(said.split()), said
    guest.must('rm filler')
    assert sign(guest)[0] == 0
    guest.must('cd /; umount /media/HSMFD')
    assert_good(hsmfd, tmp_path)


def test_a_write_protected_drive(guest, hsmfd):
    assert plug(guest, node(hsmfd, **{'read-only': True})) == '(write-protected)'
    status, said = guest.run(SIGN.format(REQUEST), 90)
    print('write-protected:', status, said)
    assert status == 5 and 'Read-only file system' in ' '.join(said.split()), said
    assert_no_response(hsmfd)


def test_a_drive_whose_sectors_fail(guest, hsmfd, tmp_path):
    with Drive(hsmfd, tmp_path / 'nbd', writable=True) as drive:
        plug(guest, drive.node())
        ask(guest)
        drive.bad = range(0, drive.size, 512)
        status, said = answer(guest)
        print('failing:', status, said)
        assert status == 5 and 'Input/output error' in ' '.join(said.split()), said
        drive.bad = set()
    assert drives.read_drive(hsmfd, 'skr.xml') is None


def test_files_that_are_no_request(guest, hsmfd):
    """In the sentences of norequest.py, which the programs are held to on the host, too."""
    plug(guest, node(hsmfd))
    wrong = []
    for name, command, expected, sentences in norequest.requests('/run/no', REQUEST):
        guest.must(f'rm -rf /run/no; mkdir /run/no; {command}', 30)
        status, said = guest.run(SIGN.format('/run/no/ksr.xml') + ' </dev/null', 90)
        words = ' '.join(said.split())
        if status != expected or not all(re.search(one, words) for one in sentences) or '\x1b[2J' in said:
            wrong.append((name, status, said))
    assert not wrong, wrong
    assert sign(guest)[0] == 0


def test_the_power_goes_at_ten_points_of_a_signing(disc, state, room, zone, tmp_path):
    """From the first write after the answer to the last: the response is there, whole,
    or is not; the drive can be read; and on a machine started anew the same quarter is
    signed.  On FAT there is a moment of a rename at which the new name has nothing yet
    and the old one still has everything."""
    def begin(name, cut):
        folder = tmp_path / name
        folder.mkdir()
        image = drives.make_drive(folder / 'hsmfd.img', 'HSMFD', room / 'HSMFD')
        with Drive(image, folder / 'nbd', writable=True) as drive, table(disc, state, folder) as guest:
            plug(guest, drive.node())
            ask(guest)
            before = len(drive.writes)
            if cut is None:
                assert answer(guest)[0] == 0
                return len(drive.writes) - before, image
            drive.cut = before + cut
            guest.send('y\r')
            assert drive.gone.wait(90)
            return guest.qmp('quit'), image

    writes, _ = begin('whole', None)
    assert writes >= CUTS
    seen = set()
    for number in range(CUTS):
        cut = number * (writes - 1) // (CUTS - 1)
        _, image = begin(f'cut-{cut}', cut)
        checked = subprocess.run(['/usr/sbin/fsck.fat', '-n', image], stdout=subprocess.PIPE, text=True)
        assert checked.returncode in (0, 1), checked.stdout
        made = drives.read_drive(image, 'skr.xml')
        print(f'power gone at write {cut} of {writes}:', made and len(made), drives.list_drive(image))
        seen.add(bool(made))
        if made:
            assert_good(image, image.parent)
        elif made is not None:
            assert_good(image, image.parent, 'skr.xml.new-1')
        if number % 3 == 1 or made == b'':
            with table(disc, state, tmp_path / f'again-{cut}') as guest:
                assert 'did not unmount it' in plug(guest, node(image))
                status, said = sign(guest)
                assert status == 0, said
                guest.must('cd /; umount /media/HSMFD')
            assert_good(image, tmp_path / f'again-{cut}')
    assert seen == {True, False}
