# SPDX-License-Identifier: ISC
"""Shows: a change of the algorithm between two HSMs, the RSA key in one and the
ECDSA key in the other, each behind a module of its own: made, moved to a second
token by serial number, certified, put into one trust anchor with the key of the
past, signed with together, and destroyed with a look whether that is so.
Matters: the HSMs of the root will be of two makes for years."""
import re
import shutil
import subprocess
import xml.etree.ElementTree as tree

import pytest

from rehearsal import Rehearsal, use
from tokens import SOFTHSM, Hsm, compile_faulty, needs_softhsm

RSA, EC = 'RSASHA256', 'ECDSAP256SHA256'


@pytest.fixture(scope='module')
def faulty(tmp_path_factory):
    return compile_faulty(tmp_path_factory.mktemp('module'))


@pytest.fixture
def two(tmp_path, programs, faulty):
    """Module one is SoftHSM; module two another library, with another copy of it
    inside and tokens of its own.  Two tokens each, so that keys can be moved."""
    needs_softhsm()
    hsm = Hsm(tmp_path, programs)
    (tmp_path / 'other').mkdir()
    other = Hsm(tmp_path / 'other', programs)
    for one, labels in ((hsm, ('A1', 'A2')), (other, ('B1', 'B2'))):
        for label in labels:
            one.make_token(label)
    shutil.copy(SOFTHSM, tmp_path / 'second.so')
    hsm.modules = [hsm.module('one'), other.module('two', faulty, FAULTY_MODULE=str(tmp_path / 'second.so'))]
    hsm.configure(*hsm.modules)
    return hsm


def serials(hsm):
    """The serial number of each token, by its label."""
    listed = hsm.run('keymaster', 'inventory')
    assert listed.status == 0, listed.err
    log = hsm.logs('keymaster')
    return dict(re.findall(r'Label: +(\S+)\n.*\n.*\n.*Serial: +(\S+)', log))


def must(hsm, *words):
    done = hsm.run('keymaster', *words)
    assert done.status == 0, done.err + done.out
    return done.out


def records(text):
    return [line for line in text.splitlines() if ' IN DNSKEY ' in line or ' IN DS ' in line]


@pytest.mark.parametrize('algorithm, size, here, there', [(EC, [], 'B1', 'A1'), (RSA, ['--size', '2048'], 'A2', 'B2')])
def test_key_is_made_moved_certified_and_destroyed(two, algorithm, size, here, there):
    """Every step by the serial number of the token that is meant."""
    number = serials(two)
    assert len(set(number.values())) == 4
    made = must(two, '--serial', number[here], 'keygen', '--algorithm', algorithm, *size, '--label', 'ksk', '--extractable')
    must(two, '--serial', number[there], 'transport', '--output', 't.key')
    must(two, '--serial', number[here], 'backup', '--label', 'ksk', '--algorithm', algorithm, '--transport', 't.key',
         '--output', 'k.backup', '--force')
    restored = must(two, '--serial', number[there], 'restore', '--input', 'k.backup')
    assert records(restored) == records(made)
    must(two, '--serial', number[there], 'csr', '--label', 'ksk', '--algorithm', algorithm, '--output', 'k.csr')
    assert subprocess.run(['openssl', 'req', '-in', two.folder / 'k.csr', '-verify', '-noout'],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    gone = must(two, '--serial', number[here], 'keydelete', '--label', 'ksk', '--force')
    assert f'token {here}, serial {number[here]}, has no object of this key any more' in gone
    assert must(two, 'inventory').count('ksk') == 1
    gone = must(two, 'keydelete', '--label', 'ksk', '--force')
    assert f'token {there}, serial {number[there]}, has no object' in gone
    assert 'ksk' not in must(two, 'inventory')


def test_copy_that_stays_is_said(two):
    number = serials(two)
    must(two, '--token', 'B1', 'keygen', '--algorithm', EC, '--label', 'ksk', '--extractable')
    must(two, '--token', 'B2', 'transport', '--output', 't.key')
    must(two, '--token', 'B1', 'backup', '--label', 'ksk', '--transport', 't.key', '--output', 'k.backup', '--force')
    must(two, '--token', 'B2', 'restore', '--input', 'k.backup')
    done = two.run('keymaster', '--hsm', 'two', '--serial', number['B1'], 'keydelete', '--label', 'ksk', '--force')
    assert done.status == 0
    # Only the token that is meant is logged in to, and SoftHSM shows public halves to anyone.
    assert f'token B2, serial {number["B2"]}, still has a key of this label' in done.err


@pytest.mark.parametrize('goes', ['0', '1'])
def test_destruction_that_is_only_said_is_a_failure(two, faulty, goes):
    """The module says yes to each, and keeps both halves, or the public one."""
    two.configure(two.module('one', faulty, FAULTY_MODULE=SOFTHSM))
    must(two, '--token', 'A1', 'keygen', '--algorithm', EC, '--label', 'ksk')
    two.configure(two.module('one', faulty, FAULTY_MODULE=SOFTHSM, FAULTY=f'keep-destroyed={goes}'))
    done = two.run('keymaster', '--token', 'A1', 'keydelete', '--label', 'ksk', '--force')
    assert done.status == 4 and 'the key is still there: it is not destroyed' in done.err
    assert 'no object of this key' not in done.out
    two.configure(two.module('one'))
    assert ' ksk ' in must(two, 'inventory')


def test_roll_between_two_modules_signs_with_both(tmp_path, programs, faulty):
    """One key in each; the trust anchor has three digests, one of a key of the past."""
    zone = Rehearsal(tmp_path, programs, bundles=3, algorithm=f'{RSA},{EC}')
    (tmp_path / 'other').mkdir()
    other = Hsm(tmp_path / 'other', programs)
    other.make_token('T2')
    shutil.copy(SOFTHSM, tmp_path / 'second.so')
    zone.add_ksk('rsa', 8)
    second = other.module('two', faulty, FAULTY_MODULE=str(tmp_path / 'second.so'))
    zone.hsm.configure(zone.hsm.module('soft'), second)
    made = must(zone.hsm, '--token', 'T2', 'keygen', '--algorithm', EC, '--label', 'ec')
    zone.know_ksk('ec', made, 13)
    zone.ask('--roll', 'none')
    path = zone.configure(zone.slots((1, use('rsa', 'ec'))), zone.request)
    path.write_text(path.read_text().replace('"hsm": {', '"hsm": {"two": {"module": "%s", "pin": "123456", "env": '
                                             '{"SOFTHSM2_CONF": "%s", "FAULTY_MODULE": "%s"}},'
                                             % (faulty, other.conf, tmp_path / 'second.so'), 1))
    done = zone.sign()
    assert done.status == 0, done.err + done.out
    bundles = tree.parse(tmp_path / 'skr-1.xml').getroot().iter('ResponseBundle')
    assert [sorted(one.get('keyIdentifier') for one in bundle.findall('Signature')) for bundle in bundles] == \
        [['ec', 'rsa']] * 3
    judged = zone.hsm.run('skrcheck', '--config', 'ksrsigner.yaml', '--no-previous-skr', 'first', zone.request.name,
                          'skr-1.xml')
    assert judged.status == 0, judged.out
    past = ("  past: {label: Kold, key_tag: 19036, algorithm: RSASHA256, valid_from: '2010-07-15T00:00:00Z', "
            "valid_until: '2019-01-11T00:00:00Z', ds_sha256: " + '49' * 32 + '}\n')
    keys = ''.join(f"  {name}: {{label: {key['label']}, algorithm: {key['algorithm']}, key_tag: {key['key_tag']}, "
                   f"ds_sha256: {key['ds_sha256']}, valid_from: '2020-01-01T00:00:00Z'}}\n"
                   for name, key in zone.keys.items())
    zone.hsm.configure(zone.hsm.module('soft'), second, rest='keys:\n' + keys + past)
    done = zone.hsm.run('trustanchor', '--trustanchor', 'anchor.xml', '--id', 'ROLL')
    assert done.status == 0, done.err
    entries = list(tree.parse(tmp_path / 'anchor.xml').getroot().iter('KeyDigest'))
    assert [(entry.get('id'), entry.findtext('Algorithm'), entry.findtext('PublicKey') is not None)
            for entry in entries] == [('Kold', '8', False), ('rsa', '8', True), ('ec', '13', True)]
    # The one HSM alone is not enough.
    done = zone.hsm.run('ksrsigner', '--force', '--hsm', 'soft', '--config', str(path), '--no-previous-skr', 'first',
                        zone.request.name, 'again.xml')
    assert done.status != 0 and not (tmp_path / 'again.xml').exists()
