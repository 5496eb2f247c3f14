# SPDX-License-Identifier: ISC
"""Shows what was built: one hash over two builds made under different
circumstances, and a disc that holds what it should and nothing it must not."""
import hashlib
import re
import subprocess

import pytest

pytestmark = pytest.mark.slow


def sha256(path):
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def manifest(disc, build):
    """path -> (type, mode, owner, group, size, hash) of the disc's root."""
    entries = {}
    for line in (build / 'out' / f'{disc["NAME"]}.manifest').read_text().splitlines():
        kind, mode, owner, group, size, rest = line.split(' ', 5)
        what, path = rest.rsplit(' /', 1)
        entries['/' + path] = (kind, mode, owner, group, size, what)
    return entries


def test_two_builds_are_the_same_bytes(disc, build, top):
    relocked = ['--relocked'] if '+relocked' in disc['NAME'] else []
    done = subprocess.run([top / 'reproducible' / 'verify', *relocked], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-8000:]
    assert 'two builds, the same bytes' in done.stdout
    assert len(re.findall(r'\.(iso|manifest|packages|buildinfo|raw)  same', done.stdout)) == 5


def test_the_disc_holds_the_signer(disc, build):
    entries = manifest(disc, build)
    for path in ('/usr/bin/ksrsigner', '/usr/bin/sha2wordlist', '/usr/sbin/hsm-driver'):
        assert entries[path][:2] == ('f', '755'), path


def test_the_disc_holds_no_compiler_interpreter_or_soft_token(disc, build):
    bad = re.compile(r'/(python[0-9.]*|gcc|cc|clang|apt|apt-get|sshd|curl|wget|libsofthsm2\.so)$')
    assert not [path for path in manifest(disc, build) if bad.search(path)]


def test_radio_sound_and_camera_drivers_are_absent(disc, build):
    modules = [path for path in manifest(disc, build) if path.endswith('.ko.xz')]
    assert any(path.endswith('/squashfs.ko.xz') for path in modules)
    bad = re.compile(r'/(sound|bluetooth|wireless|media|firewire|thunderbolt|nvme)/')
    assert not [path for path in modules if bad.search(path)]


def test_drivers_that_reach_into_the_machine_are_absent(disc, build):
    """Virtual machines, a processor's registers, keyboards that a program plays."""
    bad = re.compile(r'/(kvm.*|msr|cpuid|mce-inject|uinput|uhid|pcspkr)[.]ko')
    assert not [path for path in manifest(disc, build) if bad.search(path)]


def test_no_account_and_no_identity_is_in_it(disc, build):
    """Passwords are locked by hook 22, which ends by looking; here, that the
    files are as they were left: shadow unreadable, no machine id."""
    entries = manifest(disc, build)
    assert entries['/etc/shadow'][1] == '640'
    assert entries['/etc/machine-id'][4] == '0'


def test_the_iso_has_its_names(disc):
    """Volume id for people, volume set id for the boot stage."""
    with open(disc['ISO'], 'rb') as iso:
        iso.seek(16 * 2048)
        descriptor = iso.read(2048)
    assert descriptor[1:6] == b'CD001'
    assert descriptor[40:72].startswith(b'KEYROOM_')
    assert re.fullmatch(rb'KEYROOM_[0-9A-F]{24} *', descriptor[190:318])


def test_a_released_version_is_that_hash(disc, top):
    """Once RELEASE.md names a version, no other bytes may carry its name:
    what changes the disc after a release changes the version first."""
    released = re.findall(r'^\| (\S+) \|.*`(\S+\.iso)` \| `([0-9a-f]{64})`',
                          (top / 'RELEASE.md').read_text(), re.M)
    for _, name, digest in released:
        if name == disc['NAME'] + '.iso':
            assert sha256(disc['ISO']) == digest, \
                'the disc has changed: set another KEYROOM_VERSION in image/release'
