# SPDX-License-Identifier: ISC
"""Shows what was built: one hash over two builds made under different
circumstances, and a disc that holds what it should and nothing it must not."""
import hashlib
import json
import re
import subprocess
import urllib.parse

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


@pytest.fixture(params=['console', 'ceremony'])
def either(request):
    """One disc after the other."""
    return request.getfixturevalue({'console': 'disc', 'ceremony': 'ceremony_disc'}[request.param])


@pytest.mark.parametrize('profiles', [['console'], pytest.param(['ceremony', 'console'], marks=pytest.mark.matrix)],
                         ids=' '.join)
def test_two_builds_are_the_same_bytes(profiles, request, disc, top):
    """The second one as other users of the host, elsewhere."""
    discs = [request.getfixturevalue({'console': 'disc', 'ceremony': 'ceremony_disc'}[name]) for name in profiles]
    options = ['--relocked'] if '+relocked' in disc['NAME'] else []
    for name in profiles:
        options += ['--profile', name]
    done = subprocess.run([top / 'reproducible' / 'verify', *options], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-8000:]
    assert f'{" ".join(one["NAME"] for one in discs)}: two builds, the same bytes' in done.stdout
    # Six files of each disc, and the extension.
    same = re.findall(r'\.(iso|layout|manifest|packages|buildinfo|spdx\.json|raw)  same', done.stdout)
    assert len(same) == 6 * len(profiles) + 1


def test_the_disc_holds_the_signer(either, build):
    entries = manifest(either, build)
    for path in ('/usr/bin/ksrsigner', '/usr/bin/sha2wordlist', '/usr/sbin/hsm-driver'):
        assert entries[path][:2] == ('f', '755'), path


def test_the_disc_holds_no_compiler_interpreter_or_soft_token(either, build):
    bad = re.compile(r'/(python[0-9.]*|perl[0-9.]*|debconf|useradd|gcc|cc|clang|apt|apt-get|sshd|curl|wget|libsofthsm2\.so)$')
    assert not [path for path in manifest(either, build) if bad.search(path)]


def test_radio_sound_and_camera_drivers_are_absent(either, build):
    modules = [path for path in manifest(either, build) if path.endswith('.ko.xz')]
    assert any(path.endswith('/squashfs.ko.xz') for path in modules)
    bad = re.compile(r'/(sound|bluetooth|wireless|media|firewire|thunderbolt|nvme)/')
    # Graphics need the wire in HDMI that carries remote controls.
    found = [path for path in modules if bad.search(path)]
    assert all(path.endswith(('/cec/core/cec.ko.xz', '/rc/rc-core.ko.xz')) for path in found), found
    assert not found or any('/drivers/gpu/' in path for path in modules)


def test_drivers_that_reach_into_the_machine_are_absent(either, build):
    """Virtual machines, a processor's registers, keyboards that a program plays."""
    bad = re.compile(r'/(kvm.*|msr|cpuid|mce-inject|uinput|uhid|pcspkr)[.]ko')
    assert not [path for path in manifest(either, build) if bad.search(path)]


def test_drivers_that_take_the_console_and_give_up_are_absent(either, build):
    """vmwgfx, where its host is not what it wants; those that need firmware."""
    bad = re.compile(r'/(vmwgfx|amdgpu|radeon|nouveau|xe)[.]ko')
    assert not [path for path in manifest(either, build) if bad.search(path)]


def test_no_account_and_no_identity_is_in_it(either, build):
    """Passwords are locked by hook 22, which ends by looking; here, that the
    files are as they were left: shadow unreadable, no machine id."""
    entries = manifest(either, build)
    assert entries['/etc/shadow'][1] == '640'
    assert entries['/etc/machine-id'][4] == '0'


def test_the_iso_has_its_names(either):
    """Volume id for people, volume set id for the boot stage."""
    with open(either['ISO'], 'rb') as iso:
        iso.seek(16 * 2048)
        descriptor = iso.read(2048)
    assert descriptor[1:6] == b'CD001'
    assert descriptor[40:72].startswith(b'KEYROOM_')
    assert re.fullmatch(rb'KEYROOM_[0-9A-F]{24} *', descriptor[190:318])


def test_bill_of_materials_names_what_is_on_the_disc(either, build):
    """SPDX 2.3 by its required fields; the packages are those that dpkg knows
    on the disc, with the hashes of the lock; every tool of the build is there."""
    out = build / 'out'
    bill = json.loads((out / f'{either["NAME"]}.spdx.json').read_text())
    assert bill['spdxVersion'] == 'SPDX-2.3' and bill['dataLicense'] == 'CC0-1.0'
    assert bill['SPDXID'] == 'SPDXRef-DOCUMENT' and bill['name'] == either['NAME']
    assert re.fullmatch(r'urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', bill['documentNamespace'])
    assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', bill['creationInfo']['created'])
    parts = {part['SPDXID']: part for part in bill['packages']}
    assert len(parts) == len(bill['packages'])
    for part in bill['packages']:
        assert {'name', 'versionInfo', 'downloadLocation', 'licenseDeclared', 'licenseConcluded',
                'copyrightText'} <= set(part) and part['filesAnalyzed'] is False
        assert re.fullmatch(r'SPDXRef-[A-Za-z0-9.-]+', part['SPDXID'])
        assert re.fullmatch('[0-9a-f]{64}', part['checksums'][0]['checksumValue'])
    assert parts['SPDXRef-disc']['checksums'][0]['checksumValue'] == sha256(either['ISO'])
    locked = {line.split()[0]: line.split() for line in
              (out / f'{either["NAME"]}.packages').read_text().splitlines()}
    # Its own, not those of another profile or of an extension.
    assert ('labwc' in locked) == ('console' not in either['NAME']) and 'softhsm2' not in locked
    related = {kind: {(one['spdxElementId'], one['relatedSpdxElement']) for one in bill['relationships']
                      if one['relationshipType'] == kind}
               for kind in ('DESCRIBES', 'CONTAINS', 'BUILD_TOOL_OF', 'GENERATED_FROM')}
    assert related['DESCRIBES'] == {('SPDXRef-DOCUMENT', 'SPDXRef-disc')}
    assert related['GENERATED_FROM'] == {('SPDXRef-disc', 'SPDXRef-sources')}
    tools = {parts[one]['name'] for one, _ in related['BUILD_TOOL_OF']}
    held = {parts[one]['name'] for _, one in related['CONTAINS']}
    assert {'gcc', 'squashfs-tools', 'xorriso', 'debootstrap'} <= tools and not {'gcc', 'apt'} & held
    assert {'systemd', 'libstdc++6', 'opensc', 'shim-signed'} <= held and 'softhsm2' not in held
    for name in tools | held:
        part = parts['SPDXRef-deb-' + name.replace('+', '.plus')]
        assert [part['versionInfo'], part['checksums'][0]['checksumValue']] == [locked[name][1], locked[name][3]]
        assert part['licenseDeclared'] != 'NOASSERTION', name
        purl = urllib.parse.unquote(part['externalRefs'][0]['referenceLocator'])
        assert purl == f'pkg:deb/debian/{name}@{locked[name][1]}?arch={locked[name][2]}'


def test_licences_are_read_by_spdx_s_own_parser(either, build):
    """Debian's spdx-expression-parse reads every licence, and each reference has a text."""
    bill = json.loads((build / 'out' / f'{either["NAME"]}.spdx.json').read_text())
    declared = [part['licenseDeclared'] for part in bill['packages'] if part['name'] != 'keyroom']
    assert len(declared) > 150 and 'NOASSERTION' not in declared
    script = 'const p = require("spdx-expression-parse"); for (const x of JSON.parse(require("fs").readFileSync(0))) p(x)'
    done = subprocess.run(['node', '-e', script], input=json.dumps(declared), text=True, capture_output=True, check=False,
                          env={'PATH': '/usr/bin:/bin', 'NODE_PATH': '/usr/share/nodejs'})
    assert done.returncode == 0, done.stderr
    texts = {one['licenseId']: one['extractedText'] for one in bill['hasExtractedLicensingInfos']}
    assert set(re.findall(r'LicenseRef-[A-Za-z0-9.-]+', ' '.join(declared))) == set(texts) and all(texts.values())


def test_a_released_version_is_that_hash(either, top):
    """Once RELEASE.md names a version, no other bytes may carry its name:
    what changes the disc after a release changes the version first."""
    released = re.findall(r'^\| (\S+) \|.*`(\S+\.iso)` \| `([0-9a-f]{64})`',
                          (top / 'RELEASE.md').read_text(), re.M)
    for _, name, digest in released:
        if name == either['NAME'] + '.iso':
            assert sha256(either['ISO']) == digest, \
                'the disc has changed: set another KEYROOM_VERSION in image/release'
