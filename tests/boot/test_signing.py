# SPDX-License-Identifier: ISC
"""Shows the whole path: exactly the ISO that was built starts in a machine, a
token in software is loaded from a second medium, real requests are signed,
and what comes back on the flash drive has the published signatures.  If this
fails, the disc is not fit for a ceremony, whatever else passes."""
import re
import shutil
import subprocess
import xml.etree.ElementTree as tree

import pytest

import dnssec
import drives
import softtoken
from machine import Machine
from rehearsal import Rehearsal

pytestmark = pytest.mark.slow


def signatures(text):
    """(bundle id, key tag, signature) of every signature in a response."""
    found = []
    for bundle in tree.fromstring(text).iter('ResponseBundle'):
        for signature in bundle.findall('Signature'):
            found.append((bundle.get('id'), int(signature.findtext('KeyTag')),
                          ''.join(signature.findtext('SignatureData').split())))
    return found


def drives_of(tmp_path, disc, folders):
    """A drive for each folder, and one with the SoftHSM extension."""
    extension = tmp_path / 'DRIVERS'
    extension.mkdir()
    shutil.copy(disc['EXTENSION'], extension)
    return [drives.make_drive(tmp_path / f'{folder.name}.img', folder.name, folder)
            for folder in (*folders, extension)]


@pytest.fixture
def ceremony(tmp_path, data, disc):
    """Three drives as an operator would bring them: HSMFD with the
    configurations and a token holding KSK1, KSR with two real requests, and
    the SoftHSM extension."""
    hsmfd, ksr = tmp_path / 'HSMFD', tmp_path / 'KSR'
    hsmfd.mkdir()
    ksr.mkdir()
    softtoken.make(hsmfd, '/media/HSMFD/tokens', {'KSK1': data / 'keys' / 'KSK1.der'})
    for name in ('2009-q4-2', '2010-q1-0'):
        shutil.copy(data / 'config' / f'{name}.yaml', hsmfd)
        shutil.copy(data / 'test-quarters' / f'ksr-root-{name}.xml', ksr)
    return drives_of(tmp_path, disc, [hsmfd, ksr])


def load_softhsm(guest):
    """Load the extension; the next prompt must say REHEARSAL."""
    out = guest.must('hsm-driver load /media/DRIVERS/keyroom-softhsm-*.raw', 60)
    assert 'in the list on this disc' in out and 'keyroom-softhsm: loaded' in out
    guest.send('\r')
    guest.expect(r'\[Keyroom [^\]]+\][^\n]*REHEARSAL[^\n]*\n[^\n]*# ', 20)


def sign(guest, command, answer='y'):
    """Run ksrsigner, answer its question; its exit status and what it said."""
    guest.send(f'{command}; echo "=RC=$?="\r')
    asked = guest.expect(r'.*Is this correct \(y/N\)\?', 60).group(0)
    guest.send(f'{answer}\r')
    found = guest.expect(r'(.*)=RC=(\d+)=', 60)
    guest.prompt()
    return int(found.group(2)), asked + found.group(1)


def begin(guest, *labels):
    """From power-on to a prompt with all drives mounted and SoftHSM loaded."""
    guest.choose('serial')
    guest.prompt(90)
    for label in (*labels, 'DRIVERS'):
        guest.must(f'until mountpoint -q /media/{label}; do sleep 1; done', 30)
    assert guest.run('test -e /usr/lib/softhsm/libsofthsm2.so')[0] != 0
    load_softhsm(guest)
    guest.must('cd /media/HSMFD')


def end(guest, *labels):
    """Unmount and switch off, as a ceremony ends."""
    guest.must('cd /; umount ' + ' '.join(f'/media/{label}' for label in (*labels, 'DRIVERS')))
    guest.send('poweroff\r')
    guest.wait_off()


@pytest.mark.parametrize('firmware, medium', [('bios', 'dvd'), ('uefi', 'usb')])
def test_disc_signs_real_requests(firmware, medium, ceremony, data, disc, tmp_path):
    hsmfd = ceremony[0]
    with Machine(disc['ISO'], tmp_path, firmware, medium, ceremony) as guest:
        begin(guest, 'HSMFD', 'KSR')
        status, said = sign(guest, 'ksrsigner --config 2009-q4-2.yaml '
                            '--no-previous-skr="first of the series" '
                            '/media/KSR/ksr-root-2009-q4-2.xml skr-2009.xml')
        assert status == 0, said
        assert re.search(r'\n1 +2009-11-\S+ +\S+ +49920 +05017\(KSK1\)/S', said)
        status, said = sign(guest, 'ksrsigner --config 2010-q1-0.yaml '
                            '--previous_skr skr-2009.xml '
                            '/media/KSR/ksr-root-2010-q1-0.xml skr-2010.xml')
        assert status == 0, said
        status, said = sign(guest, 'ksrsigner --config 2010-q1-0.yaml '
                            '--previous_skr skr-2009.xml '
                            '/media/KSR/ksr-root-2010-q1-0.xml refused.xml', 'n')
        assert status == 1, said
        end(guest, 'HSMFD', 'KSR')

    for quarter, name in (('2009-q4-2', 'skr-2009.xml'), ('2010-q1-0', 'skr-2010.xml')):
        made = drives.read_drive(hsmfd, name)
        published = (data / 'test-quarters' / f'skr-root-{quarter}.xml').read_bytes()
        assert made, f'no {name} on the drive'
        assert signatures(made) == signatures(published)
        assert dnssec.validate(made, tmp_path / quarter) == len(signatures(published))
    assert drives.read_drive(hsmfd, 'refused.xml') is None
    logs = [n for n in drives.list_drive(hsmfd) if n.lower().startswith('ksrsigner-')]
    assert len(logs) == 3


def test_the_validator_sees_a_wrong_signature(data, tmp_path):
    """Shows that the second opinion is one: a changed signature is bogus."""
    text = (data / 'test-quarters' / 'skr-root-2010-q1-0.xml').read_bytes()
    assert dnssec.validate(text, tmp_path / 'good') == 9
    with pytest.raises(AssertionError, match='Bogus'):
        dnssec.validate(text.replace(b'<SignatureData>b4n2', b'<SignatureData>B4n2'), tmp_path / 'bad')


def test_disc_signs_a_zone_of_ones_own(disc, programs, tmp_path):
    """Needs nothing but the project: a rehearsal of `example.`, P-256, four
    bundles, under Secure Boot; then skrcheck on the host says what it thinks."""
    folder = tmp_path / 'HSMFD'
    folder.mkdir()
    zone = Rehearsal(folder, programs, domain='example.', bundles=4, algorithm=13)
    zone.add_ksk('ksk')
    request = zone.ask()
    config = zone.configure(zone.normal('ksk'), request)
    config.write_text(config.read_text().replace(str(zone.hsm.conf), 'softhsm2.conf'))
    zone.hsm.conf.write_text('directories.tokendir = /media/HSMFD/tokens\n')
    sticks = drives_of(tmp_path, disc, [folder])
    with Machine(disc['ISO'], tmp_path, 'secureboot', 'dvd', sticks) as guest:
        begin(guest, 'HSMFD')
        guest.must('dmesg | grep -q "Secure boot enabled"')
        assert '[confidentiality]' in guest.must('cat /sys/kernel/security/lockdown')
        status, said = sign(guest, f'ksrsigner --no-previous-skr=rehearsal {request.name} skr.xml')
        assert status == 0, said
        end(guest, 'HSMFD')
    made = drives.read_drive(sticks[0], 'skr.xml')
    assert dnssec.validate(made, tmp_path / 'zones') == 4
    (folder / 'skr.xml').write_bytes(made)
    done = subprocess.run([programs / 'skrcheck', '--config', 'ksrsigner.yaml',
                           '--no-previous-skr=rehearsal', request.name, 'skr.xml'],
                          cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
