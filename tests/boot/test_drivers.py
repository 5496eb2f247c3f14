# SPDX-License-Identifier: ISC
"""Shows a driver that is not on the disc, from the vendor's archive to a
signature: the extension that the recipe makes is loaded on the booted disc, asks
for exactly what the descriptor says (environment, host, port, udev rule, kernel
module), and p11-kit, pkcs11-tool, OpenSSL and the signer all see its token.  The
HSM is a stand-in: a module that wants its library path and an answer from the
network, or is none.  Of the drivers on the disc, OpenSC finds a card reader and
YubiHSM's asks the USB by itself."""
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import drives
import vendor
from machine import Machine
from rehearsal import Rehearsal
from test_signing import sign
from tokens import SOFTHSM

pytestmark = pytest.mark.slow

PROXY = '/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so'
OPENSSL = '/usr/share/keyroom/openssl-pkcs11.cnf'
MORE = ('env: SOFTHSM2_CONF=/media/HSMFD/softhsm2.conf\n'
        'udev: SUBSYSTEM=="mem", KERNEL=="null", SYMLINK+="stand-in"\n'
        'kernel: pl2303\n')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('drivers')


@pytest.fixture(scope='module')
def zone(folder, programs):
    """A rehearsal's drive: configuration, request, tokens."""
    (folder / 'HSMFD').mkdir()
    made = Rehearsal(folder / 'HSMFD', programs, domain='example.', bundles=4, algorithm=13)
    made.add_ksk('ksk')
    made.request_file = made.ask()
    config = made.configure(made.normal('ksk'), made.request_file)
    text = config.read_text().replace(str(made.hsm.conf), '/media/HSMFD/softhsm2.conf')
    assert SOFTHSM in text
    config.write_text(text.replace(SOFTHSM, vendor.MODULE))
    (folder / 'HSMFD/proxy').mkdir()
    (folder / 'HSMFD/proxy/ksrsigner.yaml').write_text(text.replace(SOFTHSM, PROXY))
    made.hsm.conf.write_text('directories.tokendir = /media/HSMFD/tokens\n')
    return made


@pytest.fixture(scope='module')
def extension(disc, folder):
    archive = vendor.make_file(folder)
    done = vendor.make_extension(vendor.fill_in(folder, archive, MORE), f'VENDOR={archive}')
    assert done.returncode == 0, done.stdout
    return re.search(r'build: (\S+\.raw)', done.stdout).group(1), done.stdout


@pytest.fixture(scope='module')
def guest(disc, zone, extension, folder):
    """The machine, its HSM on the network, the extension on a stick; one more is
    made for another release."""
    stick = folder / 'DRIVERS'
    stick.mkdir()
    shutil.copy(extension[0], stick)
    subprocess.run(['unsquashfs', '-no-progress', '-d', folder / 'tree', extension[0]], check=True,
                   stdout=subprocess.DEVNULL)
    tree = folder / 'tree/usr/lib/extension-release.d'
    (tree / 'extension-release.keyroom-keyper').rename(tree / 'extension-release.keyroom-old')
    (tree / 'extension-release.keyroom-old').write_text('ID=debian\nSYSEXT_LEVEL=keyroom-0.0.1\n')
    subprocess.run(['mksquashfs', folder / 'tree', stick / 'keyroom-old-0.0.1.raw', '-no-progress', '-quiet'],
                   check=True, stdout=subprocess.DEVNULL)
    sticks = [drives.make_drive(folder / 'hsmfd.img', 'HSMFD', zone.folder),
              drives.make_drive(folder / 'drivers.img', 'DRIVERS', stick)]
    (folder / 'mood').write_text('well')
    line = f'{sys.executable} {pathlib.Path(__file__).parent / "hsmline.py"} {folder / "mood"}'
    extra = ['-netdev', 'user,id=net,net=192.168.0.0/24,host=192.168.0.250,restrict=on,'
                        f'guestfwd=tcp:192.168.0.2:5000-cmd:{line}', '-device', 'e1000e,netdev=net', '-device', 'usb-ccid']
    with Machine(disc['ISO'], folder, drives=sticks, extra=extra) as machine:
        machine.choose('serial')
        machine.prompt(120)
        for label in ('HSMFD', 'DRIVERS'):
            machine.must(f'until mountpoint -q /media/{label}; do sleep 1; done', 60)
        yield machine


def load(guest, name, answer):
    """hsm-driver load, its question answered; (exit status, what it said)."""
    guest.send(f'hsm-driver load /media/DRIVERS/{name}; echo "=RC=$?="\r')
    asked = guest.expect(r'.*Is this correct \(y/N\)\? ', 60).group(0)
    guest.send(f'{answer}\r')
    found = guest.expect(r'(.*)=RC=(\d+)=', 60)
    guest.prompt()
    return int(found.group(2)), (asked + found.group(1)).replace('\r', '')


def driver(guest, name):
    """What hsm-list shows of one driver."""
    page = guest.must('hsm-list', 90)
    return dict(re.findall(r'Driver:     (\w+)(.*?)(?=\n\n|\Z)', page, re.S)).get(name)


def test_drivers_on_the_disc_are_listed(guest):
    page = guest.must('hsm-list', 90)
    assert re.findall(r'Driver:     (\w+),', page) == ['opensc', 'yubihsm2']
    for path, digest in re.findall(r'file: +(\S+)\n +sha-256: +(\w+)', page):
        assert digest in guest.must(f'sha256sum {path}')
    assert 'CCID' in driver(guest, 'opensc') and 'YubiHSM Connector\n    no token' in page
    assert 'active' in guest.must('systemctl is-active pcscd.service')


def test_an_extension_for_another_release_is_not_loaded(guest):
    status, said = load(guest, 'keyroom-old-0.0.1.raw', 'y')
    assert status == 5 and 'made for this release?' in said, said
    assert guest.run('test -e /opt/Keyper')[0] != 0
    guest.must('test -z "$(hsm-driver)"; ! ls /run/extensions/*.raw /run/keyroom/extensions/*')


def test_a_no_loads_nothing(guest):
    status, said = load(guest, 'keyroom-keyper-*.raw', 'n')
    assert status == 1 and 'refused' in said
    assert guest.run('test -e /opt/Keyper')[0] != 0


def test_a_yes_to_the_words_loads_it(guest, extension):
    status, said = load(guest, 'keyroom-keyper-*.raw', 'y')
    assert status == 0 and 'keyroom-keyper: loaded' in said, said
    words = extension[1].split('PGP Words:')[1].split()
    assert said.split('PGP Words:')[1].split()[:32] == words[:32]
    guest.must('umount /media/DRIVERS')
    assert 'REHEARSAL' not in guest.text[:guest.place].rsplit('[Keyroom', 1)[1]


def test_what_the_descriptor_asks_for_is_there(guest):
    assert '/opt/Keyper/PKCS11Provider' in guest.must('echo $KEYPER_LIBRARY_PATH')
    assert '192.168.0.2' in guest.must('getent hosts keyper')
    guest.must('test -c /dev/stand-in')
    assert 'pl2303' in guest.must('cat /proc/modules')


def test_without_its_network_the_hsm_does_not_answer(guest):
    assert 'no HSM answers' in driver(guest, 'keyper')


def test_every_program_sees_the_token(guest):
    guest.must('hsm-network on', 30)
    shown = driver(guest, 'keyper')
    serial = re.search(r'serial: +(\w+)', shown).group(1)
    assert 'label:        T1' in shown and 'manufacturer: Stand-in' in shown
    assert serial in guest.must('p11-kit list-modules', 60)
    assert serial in guest.must(f'pkcs11-tool --module {PROXY} --list-slots', 60)
    out = guest.must(f'OPENSSL_CONF={OPENSSL} openssl storeutl -noout "pkcs11:serial={serial};type=public"', 60)
    assert 'Total found: 1' in out, out
    out = guest.must('(cd /media/HSMFD/proxy && keymaster inventory)', 60)
    assert 'token T1' in out and 'is keys.ksk' in out, out
    page = guest.must('system-audit', 200)
    assert 'confirmed by hand' in page and 'SYSTEM AUDIT PASSED' in page, page


def ask(guest, zone):
    """Up to ksrsigner's question."""
    guest.must('cd /media/HSMFD; rm -f skr.xml')
    guest.send(f'ksrsigner --no-previous-skr=rehearsal {zone.request_file.name} skr.xml; echo "=RC=$?="\r')
    guest.expect(r'Is this correct \(y/N\)\?', 60)


def answer(guest, seconds=60):
    """To the command's end: (exit status, what it said)."""
    found = guest.expect(r'(.*)=RC=(\d+)=', seconds)
    guest.prompt()
    return int(found.group(2)), found.group(1)


def test_a_slow_hsm_is_waited_for(guest, zone, folder):
    """Three seconds an answer: each wait is shown, and the quarter is signed."""
    ask(guest, zone)
    (folder / 'mood').write_text('slow')
    guest.send('y\r')
    status, said = answer(guest, 120)
    (folder / 'mood').write_text('well')
    assert status == 0 and 'waiting for the HSM (a signature), 2 s; Ctrl-C twice ends' in said, said


def test_an_hsm_that_hangs_is_left_by_ctrl_c(guest, zone, folder):
    """In the middle of a signing: nothing is half-written, and once it is well the
    same quarter is signed.  This module's wait ends at a signal; one that hears none
    is in tests/cli/test_faulty.py."""
    ask(guest, zone)
    (folder / 'mood').write_text('hung')
    guest.send('y\r')
    guest.expect(r'waiting for the HSM \(a signature\), \d+ s; Ctrl-C twice ends', 60)
    guest.send('\x03')
    status, said = answer(guest)
    assert status == 4 and 'C_Sign: CKR_DEVICE_ERROR' in said and 'reboot' not in said, said
    guest.must('! test -e skr.xml')
    (folder / 'mood').write_text('well')
    assert sign(guest, f'ksrsigner --no-previous-skr=rehearsal {zone.request_file.name} skr.xml')[0] == 0


def test_an_hsm_that_goes_and_comes_back(guest, zone, folder):
    ask(guest, zone)
    (folder / 'mood').write_text('gone')
    guest.send('y\r')
    status, said = answer(guest)
    assert status == 4 and 'C_Sign: CKR_DEVICE_ERROR' in said and 'reboot' not in said, said
    guest.must('! test -e skr.xml')
    assert 'no HSM answers' in driver(guest, 'keyper')
    (folder / 'mood').write_text('well')
    assert 'label:        T1' in driver(guest, 'keyper')
    guest.must('cd /; rm -f /media/HSMFD/skr.xml*')


def test_the_stand_in_signs(guest, zone, folder):
    guest.must('cd /media/HSMFD')
    status, said = sign(guest, f'ksrsigner --no-previous-skr=rehearsal {zone.request_file.name} skr.xml')
    assert status == 0, said
    guest.must('cd; umount /media/HSMFD')
    made = drives.read_drive(folder / 'hsmfd.img', 'skr.xml')
    (zone.folder / 'skr.xml').write_bytes(made)
    done = zone.hsm.run('skrcheck', '--no-previous-skr=rehearsal', zone.request_file.name, 'skr.xml')
    assert done.status == 0, done.out + done.err
