# SPDX-License-Identifier: ISC
"""A request with many more bundles than any ceremony has.  Whatever is wrong, in
whichever bundle, is found and named, and a signature that does not verify never
leaves and is the last that the HSM is asked for."""
import base64
import re

import pytest

from rehearsal import Rehearsal
from tokens import SOFTHSM, compile_faulty

BUNDLES = 70  # two batches and a bit


@pytest.fixture(scope='module')
def zone(tmp_path_factory, programs):
    zone = Rehearsal(tmp_path_factory.mktemp('long'), programs, domain='example.', algorithm=13, bundles=BUNDLES)
    zone.add_ksk('ksk')
    zone.quarter(zone.normal('ksk'))
    zone.ask()
    zone.configure(zone.normal('ksk'), zone.request)
    return zone


def spoil(text, number):
    """One bit of the nth signature."""
    found = list(re.finditer('<SignatureData>(.*?)</SignatureData>', text))[number]
    raw = bytearray(base64.b64decode(found.group(1)))
    raw[9] ^= 1
    return text[:found.start(1)] + base64.b64encode(raw).decode() + text[found.end(1):]


def bundle_ids(text, kind):
    return re.findall(f'<{kind} id="([^"]+)"', text)


def test_long_request_is_signed(zone):
    done = zone.sign()
    assert done.status == 0, done.err
    made = zone.folder / 'skr-2.xml'
    done = zone.hsm.run('skrcheck', '--config', 'ksrsigner.yaml', *zone.chain(), zone.request.name, made.name)
    made.unlink()
    assert done.status == 0, done.out


@pytest.mark.parametrize('number', [0, 31, 40, BUNDLES - 1])
def test_wrong_signature_in_a_long_request_is_found(zone, number):
    text = zone.request.read_text()
    bundles = [len(re.findall('<SignatureData>', part)) for part in text.split('<RequestBundle ')[1:]]
    before = sum(bundles[:number])
    (zone.folder / 'bad.xml').write_text(spoil(text, before))
    done = zone.hsm.run('ksrsigner', '--force', *zone.chain(), 'bad.xml', 'bad-skr.xml')
    assert done.status == 1 and not (zone.folder / 'bad-skr.xml').exists()
    errors = re.findall(r'error: (.*)', done.err)
    assert len(errors) == 1 and errors[0].startswith(f'KSR-BUNDLE-POP: bundle {bundle_ids(text, "RequestBundle")[number]}')


@pytest.mark.parametrize('number', [0, 35, BUNDLES - 1])
def test_wrong_signature_in_a_long_previous_response_is_found(zone, number):
    text = (zone.folder / zone.previous.name).read_text()
    (zone.folder / 'bad-previous.xml').write_text(spoil(text, number))
    done = zone.hsm.run('ksrsigner', '--force', '--previous-skr', 'bad-previous.xml', zone.request.name, 'bad-skr.xml')
    assert done.status == 1 and not (zone.folder / 'bad-skr.xml').exists()
    errors = re.findall(r'error: (.*)', done.err)
    assert len(errors) == 1
    assert errors[0].startswith(f'SKR-SIGNATURES: bundle {bundle_ids(text, "ResponseBundle")[number]}')


@pytest.mark.parametrize('number', [1, 33, BUNDLES])
def test_wrong_signature_by_the_hsm_never_leaves(zone, tmp_path, number):
    """And the HSM is not asked for another.  Its first signature is the one by which the
    key proves that its halves belong together, which SoftHSM does not show of P-256."""
    config = (zone.folder / 'ksrsigner.yaml').read_text()
    calls = tmp_path / 'calls'
    env = f'"FAULTY_MODULE": "{SOFTHSM}", "FAULTY": "sign-wrong-at={number + 1}", "FAULTY_LOG": "{calls}", '
    changed = config.replace(SOFTHSM, str(compile_faulty(tmp_path))).replace('"env": {', '"env": {' + env)
    (zone.folder / 'faulty.yaml').write_text(changed)
    done = zone.hsm.run('ksrsigner', '--force', '--config', 'faulty.yaml', *zone.chain(), zone.request.name, 'never.xml')
    assert done.status == 4 and not (zone.folder / 'never.xml').exists()
    wanted = bundle_ids(zone.request.read_text(), 'RequestBundle')[number - 1]
    assert f'bundle {wanted}, key ksk: what the HSM returned: the signature does not verify' in done.err
    assert calls.read_text().split().count('C_Sign') == number + 1
