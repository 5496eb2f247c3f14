# SPDX-License-Identifier: ISC
"""Shows: ksrsigner and trustanchor log in to the tokens that have the keys and to no
other one of the module, and to the one that the configuration states where it
states one.  Matters: each wrong PIN is one of few tries, and the token that stands
beside may be another ceremony's."""
import json
import shutil
import subprocess

import pytest
from rehearsal import Rehearsal
from tokens import SOFTHSM

OTHER_PIN = '777777'


@pytest.fixture(scope='module')
def made(tmp_path_factory, programs):
    zone = Rehearsal(tmp_path_factory.mktemp('other'), programs, bundles=2, algorithm=13)
    zone.add_ksk('ksk')
    zone.hsm.make_token('T2', pin=OTHER_PIN)
    zone.quarter(zone.normal('ksk'))
    return zone


@pytest.fixture
def zone(made):
    """The first quarter is signed; ksrsigner.yaml is the test's own."""
    made.configure(made.normal('ksk'), made.request)
    return made


def state(zone, **settings):
    path = zone.folder / 'ksrsigner.yaml'
    config = json.loads(path.read_text())
    config['hsm']['soft'] |= settings
    path.write_text(json.dumps(config))


def flags(zone):
    """What pkcs11-tool says of all tokens: whether a wrong PIN was tried, too."""
    return subprocess.run(['pkcs11-tool', '--module', SOFTHSM, '--list-slots'], env=zone.hsm.env, capture_output=True,
                          text=True, check=True).stdout


def serials(zone):
    """Each token's serial, slot and label, by its label."""
    found, label, slot = {}, None, None
    for line in flags(zone).splitlines():
        name, _, value = (part.strip() for part in line.partition(':'))
        if line.startswith('Slot '):
            slot = str(int(line.split('(')[1].split(')')[0], 16))
        elif name == 'token label':
            label = value
        elif name == 'serial num':
            found[label] = {'serial': value, 'slot': slot, 'token': label}
    return found


def both(zone):
    """What the two programs do with the request."""
    for left in zone.folder.glob('made.xml*'):
        left.unlink()
    yield zone.hsm.run('ksrsigner', '--force', *zone.chain(), zone.request.name, 'made.xml')
    yield zone.hsm.run('trustanchor', '--id', 'A')


@pytest.fixture
def twin(zone):
    """The other token has a key of the same label, and another PIN."""
    tool = ['pkcs11-tool', '--module', SOFTHSM, '--token-label', 'T2', '--login', '--pin', OTHER_PIN]
    subprocess.run([*tool, '--keypairgen', '--key-type', 'EC:prime256v1', '--label', 'ksk', '--id', '07'], env=zone.hsm.env,
                   check=True, capture_output=True)
    yield zone
    for kind in ('privkey', 'pubkey'):
        subprocess.run([*tool, '--delete-object', '--type', kind, '--id', '07'], env=zone.hsm.env, check=True,
                       capture_output=True)


def test_token_without_the_keys_is_not_logged_in_to(zone):
    for done in both(zone):
        assert done.status == 0, done.err
    assert 'token T2 in slot ' in zone.hsm.logs('ksrsigner') and 'not logged in' in zone.hsm.logs('trustanchor')
    assert 'count low' not in flags(zone)


@pytest.mark.parametrize('name', ['token', 'serial', 'slot'])
def test_token_is_chosen_by_the_configuration(twin, name):
    state(twin, **{name: serials(twin)['T1'][name]})
    for done in both(twin):
        assert done.status == 0, done.err
        assert 'T2' not in done.out
    done = twin.hsm.run('keymaster', 'inventory')
    assert done.status == 0 and 'token T1' in done.out and 'T2' not in done.out
    assert 'count low' not in flags(twin)
    state(twin, pin=OTHER_PIN, **{name: serials(twin)['T2'][name]})
    done = twin.hsm.run('keymaster', 'inventory')
    assert done.status == 0 and 'token T2' in done.out and 'T1' not in done.out


def test_token_that_is_stated_and_not_there(zone):
    state(zone, serial='0123')
    for done in both(zone):
        assert done.status == 4 and 'no token is with serial 0123, as hsm.soft says' in done.err
    one = serials(zone)
    state(zone, serial=one['T1']['serial'], slot=one['T2']['slot'])
    for done in both(zone):
        assert done.status == 4 and 'no token is with serial ' in done.err


def test_label_of_two_tokens_is_no_choice(zone, programs, tmp_path):
    shutil.copytree(zone.folder / 'tokens', tmp_path / 'tokens')
    zone.hsm.tool('--init-token', '--free', '--label', 'T2', '--pin', OTHER_PIN, '--so-pin', OTHER_PIN)
    try:
        state(zone, token='T2')
        for done in both(zone):
            assert done.status == 4 and '2 tokens are labelled T2: say which with hsm.soft.serial or slot' in done.err
    finally:
        shutil.rmtree(zone.folder / 'tokens')
        shutil.copytree(tmp_path / 'tokens', zone.folder / 'tokens')


def test_token_with_a_key_of_the_previous_response_is_logged_in_to(tmp_path, programs):
    """It ties the previous response, though no configuration has it any more."""
    zone = Rehearsal(tmp_path, programs, bundles=2, algorithm=13)
    zone.add_ksk('ksk')
    zone.hsm.make_token('T2')
    made = zone.hsm.run('keymaster', '--token', 'T2', 'keygen', '--algorithm', 'ECDSAP256SHA256', '--label', 'old')
    assert made.status == 0, made.err
    zone.know_ksk('old', made.out, 13)
    zone.policy = {'check_keys_publish_safety': False, 'check_keys_retire_safety': False}
    zone.quarter(zone.publish_more('old', 'ksk'))
    del zone.keys['old']
    zone.quarter(zone.normal('ksk'))
    assert 'not logged in' not in zone.hsm.logs('ksrsigner')
