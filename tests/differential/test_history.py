# SPDX-License-Identifier: ISC
"""Shows, one attack a test: what skrcheck and ksrsigner must notice where a request
or a previous response was made by somebody who holds the flash drive, or where a
schema asks for what must not be signed.  Matters: each of these once got a
signature out, or a PASS.  What must be said comes with each; rules.py, which
judges the thousands of mutants beside, must see them too."""
import base64
import os
import pty
import subprocess

import pytest

import documents as d
import rules
from cases import World, slot
from judges import Judges
from tokens import SOFTHSM


@pytest.fixture(scope='module')
def world(tmp_path_factory, programs):
    return World(tmp_path_factory.mktemp('world'), programs)


@pytest.fixture
def judges(world, tmp_path):
    return Judges(world, tmp_path / 'here')


def failed(out):
    return {line.split()[1] for line in out.splitlines() if line.startswith('FAIL ')}


def expect(judges, case, *questions):
    """skrcheck refuses for these reasons, all of them, and the rules agree."""
    case.response = rules.answer(case)
    judges.write(case)
    verdict, out = judges.skrcheck()
    wrong = rules.broken(case)
    assert (verdict, failed(out)) == ('refuse' if questions else 'accept', set(questions)), out
    assert bool(questions) == any('p' in who for _, who in wrong)
    signer, said = judges.ksrsigner()
    assert signer == ('refuse' if any('s' in who for _, who in wrong) else 'accept'), said
    return out


def schema(case, *slots):
    case.config['schemas']['normal'] = {str(number): each for number, each in enumerate(slots, 1)}


# What no signature of the previous response covers

def later(bundle, days):
    bundle.inception += days * d.DAY
    bundle.expiration += days * d.DAY


def test_last_window_moved(world, judges):
    """The overlap and both safeties would be counted from it."""
    case = world.case('normal')
    later(case.previous.bundles[-1], 30)
    expect(judges, case, 'POST-PREVIOUS', 'POST-CHAIN')


def test_first_window_moved(world, judges):
    """A key would count as published for longer."""
    case = world.case('rollover')
    later(case.previous.bundles[0], -20)
    case.previous.bundles[0].expiration += 20 * d.DAY
    expect(judges, case, 'POST-PREVIOUS')


@pytest.mark.parametrize('what, value', [
    ('tag', 19036), ('ttl', 3600), ('flags', d.REVOKED), ('protocol', 2), ('algorithm', 14)])
def test_field_of_a_key(world, judges, what, value):
    case = world.case('normal')
    for bundle in case.previous.bundles[1:2]:
        setattr(bundle.keys[-1], what, value)
    assert 'POST-PREVIOUS' in failed(expect_some(judges, case))


def expect_some(judges, case):
    judges.write(case)
    verdict, out = judges.skrcheck()
    assert verdict == 'refuse', out
    assert any('p' in who for _, who in rules.broken(case))
    return out


@pytest.mark.parametrize('what, value', [
    ('ttl', 3600), ('covers', 'SOA'), ('tag', 1), ('labels', 0), ('original_ttl', 3600), ('signer', '.')])
def test_field_of_a_signature(world, judges, what, value):
    case = world.case('normal')
    setattr(case.previous.bundles[2].signatures[0], what, value)
    assert 'POST-PREVIOUS' in failed(expect_some(judges, case))


@pytest.mark.parametrize('what, value', [('original_ttl', 3600), ('labels', 0), ('signer', '.')])
def test_field_that_the_signer_signed_is_still_wrong(world, judges, what, value):
    """Signed by the KSK itself, by a signer that was wrong."""
    case = world.case('normal')
    bundle = case.previous.bundles[2]
    bundle.signatures = [d.make_signature(case.previous, bundle, world.pairs['old'], d.KSK, **{what: value})]
    expect(judges, case, 'POST-PREVIOUS')


def test_bundle_of_the_previous_response_lost_in_the_middle(world, judges):
    """The rest is as it was signed; what is missing shows in the number."""
    case = world.case('normal')
    del case.previous.bundles[1]
    case.config['response_policy']['num_bundles'] = 3
    expect(judges, case)
    del case.previous.bundles[1]
    case.config['response_policy']['num_bundles'] = 2
    expect(judges, case, 'POST-PREVIOUS')       # a gap: 21 days are over before the next begins


def test_two_bundles_of_one_id(world, judges):
    case = world.case('normal')
    case.previous.bundles[1].id = case.previous.bundles[0].id
    expect(judges, case, 'POST-PREVIOUS')


def test_one_name_of_two_keys(world, judges):
    """An identifier is in no signature; a table shows it."""
    case = world.case('normal')
    for bundle in case.previous.bundles[:2]:
        for each in [bundle.keys[-1], *bundle.signatures]:
            each.identifier = 'zsk-1'
    expect(judges, case, 'POST-PREVIOUS', 'POST-CHAIN')


@pytest.mark.parametrize('bundles', [[0, 1, 2, 3], [3], [0]])
def test_another_name_of_the_key_that_signed(world, judges, bundles):
    """A label of the configuration is the key that it means, in every bundle."""
    case = world.case('normal')
    for number in bundles:
        bundle = case.previous.bundles[number]
        for each in [bundle.keys[-1], *bundle.signatures]:
            each.identifier = 'idle'
    judges.write(case)
    assert judges.skrcheck()[0] == 'refuse' and 'POST-CHAIN' in failed(judges.skrcheck()[1])


@pytest.mark.parametrize('validated', [True, False])
@pytest.mark.parametrize('renamed', [[1, 2, 3], [0, 1, 2, 3]], ids=['but once', 'everywhere'])
def test_key_whose_signature_has_another_name(world, judges, renamed, validated):
    """The key is called otherwise than its signature says, and would be a signer that
    nobody counts: it could go from one bundle to the next."""
    case = world.case('normal')
    sign(world, case, range(4), 'old', 'new')
    case.config['response_policy']['validate_signatures'] = validated
    schema(case, *[slot(['old'])] * 4)
    expect(judges, case, 'POST-RETIRE-SAFETY')
    for number in renamed:
        key, = [key for key in case.previous.bundles[number].keys if key.identifier == 'new']
        key.identifier = 'newly'
    case.response = rules.answer(case)
    judges.write(case)
    # Where nobody validates, skrcheck has no bytes of a key that is nowhere called so.
    if validated or 0 not in renamed:
        assert 'POST-PREVIOUS' in failed(expect_some(judges, case))
    verdict, out = judges.ksrsigner()
    assert verdict == 'refuse'
    assert 'SKR-SIGNATURES' in failed(out) or 'KSR-CHAIN-KEYS-HSM' in failed(out)


def test_new_key_whose_signature_has_another_name(world, judges):
    """It began too early in the last old bundle, and would be left alone."""
    case = world.case('normal')
    case.config['ksk_policy']['publish_safety'] = 'P30D'
    sign(world, case, [3], 'old', 'new')
    schema(case, *[slot(['new'], ['old'])] * 4)
    expect(judges, case, 'POST-PUBLISH-SAFETY')
    key, = [key for key in case.previous.bundles[3].keys if key.identifier == 'old']
    key.identifier = 'aged'
    assert 'POST-PREVIOUS' in failed(expect_some(judges, case))
    assert judges.ksrsigner()[0] == 'refuse'


def test_key_that_was_gone_already(world, judges):
    """It signed one bundle in the middle of the quarter before, with the others."""
    case = world.case('both')
    bundle = case.previous.bundles[1]
    bundle.keys.append(d.make_key(world.pairs['idle'], d.KSK, 172800))
    bundle.signatures.append(d.make_signature(case.previous, bundle, world.pairs['idle'], d.KSK))
    d.sign_again(case.previous, bundle, world.pairs)
    expect(judges, case, 'POST-RETIRE-SAFETY')


def test_zsk_that_signs(world, judges):
    case = world.case('normal')
    bundle = case.previous.bundles[1]
    bundle.signatures.append(d.make_signature(case.previous, bundle, world.pairs['zsk-1'], d.ZSK))
    expect(judges, case, 'POST-PREVIOUS')


def test_revoked_key_alone(world, judges):
    case = world.case('both')
    bundle = case.previous.bundles[1]
    bundle.keys = [key for key in bundle.keys if key.identifier not in ('old', 'new')]
    bundle.keys += [d.make_key(world.pairs['old'], d.REVOKED, 172800), d.make_key(world.pairs['new'], d.KSK, 172800)]
    bundle.signatures = [d.make_signature(case.previous, bundle, world.pairs['old'], d.REVOKED)]
    expect(judges, case, 'POST-PREVIOUS')


@pytest.mark.parametrize('name', ['idle)/S,20326(x', 'idle)/P', 'new)', 'a%29(b'])
def test_name_that_looks_like_a_row_of_the_table(world, judges, name):
    """A published key's name is in no signature, and stands in the row of its bundle:
    there is one tag for each key, and one bracket closed."""
    case = world.case('normal')
    sign(world, case, [1], 'old', 'idle+')
    case.previous.bundles[1].keys[-1].identifier = name
    case.response = rules.answer(case)
    judges.write(case)
    verdict, out = judges.ksrsigner()
    assert verdict == 'accept', out
    row, = [line for line in out.splitlines() if name.replace(')', '%29') in line]
    plain = d.tag_of(world.pairs['idle'].record(d.KSK))
    assert f'{plain:05}({name.replace(")", "%29")})/P' in row
    assert row.count(')/') == 2 and row.count('old)/S') == 1
    log, = [path.name for path in judges.folder.glob('ksrsigner-*.log')]
    verdict, out = judges.run('skrcheck', '--log', log, 'ksr.xml', 'made.xml')
    assert verdict == 'accept', out


def test_label_with_a_bracket_is_found_in_the_log(world, judges):
    """Both write it so, and the transcript's rows are the response's."""
    case = world.case('normal')
    bundle = case.response.bundles[0]
    for each in [key for key in bundle.keys if key.flags == d.KSK] + bundle.signatures:
        each.identifier = 'old)'
    case.mutant = case.response
    judges.write(case)
    (judges.folder / 'a.log').write_text('')
    out = judges.run('skrcheck', '--log', 'a.log', 'ksr.xml', 'skr.xml')[1]
    assert 'never shown: 1 ' in out and '(old%29)/S' in out


# Bundles that hang on nothing

def forge(world, case, numbers, *names, by='mallory'):
    """Somebody else's signature, properly made, in these bundles; with more keys."""
    for number in numbers:
        bundle = case.previous.bundles[number]
        bundle.keys = [key for key in bundle.keys if key.flags == d.ZSK]
        bundle.keys += [d.make_key(world.pairs[name], d.KSK, 172800) for name in (by, *names)]
        bundle.signatures = [d.make_signature(case.previous, bundle, world.pairs[by], d.KSK)]


def test_forged_earlier_bundles_count_for_nothing(world, judges):
    """The new key is in the last old bundle alone; forged bundles before it say
    that it was there for long."""
    case = world.case('normal')
    case.config['ksk_policy']['publish_safety'] = 'P30D'
    schema(case, *[slot(['new'], ['old'])] * 4)
    last = case.previous.bundles[-1]
    last.keys.append(d.make_key(world.pairs['new'], d.KSK, 172800))
    d.sign_again(case.previous, last, world.pairs)
    expect(judges, case, 'POST-PUBLISH-SAFETY')
    forge(world, case, [0, 1, 2], 'new', 'old')
    out = expect(judges, case, 'POST-CHAIN', 'POST-PUBLISH-SAFETY')
    assert out.count('no signature ties it to a known key') == 3


def test_bundles_count_for_nothing_whose_signatures_nobody_validates(world, judges):
    """response_policy.validate_signatures is false: a signature that says it is by the
    known key ties its bundle to it only where it is, and is for the bundle's times."""
    case = world.case('normal')
    case.config['ksk_policy']['publish_safety'] = 'P30D'
    case.config['response_policy']['validate_signatures'] = False
    schema(case, *[slot(['new'], ['old'])] * 4)
    sign(world, case, [3], 'old', 'new+')
    sign(world, case, [0, 1, 2], 'old', 'new+')
    expect(judges, case)
    for bundle in case.previous.bundles[:3]:
        bundle.signatures[0].data = bytes(64)
    assert {'POST-CHAIN', 'POST-PUBLISH-SAFETY'} <= failed(expect_some(judges, case))
    verdict, out = judges.ksrsigner()
    assert verdict == 'refuse'
    assert {'KSR-CHAIN-KEYS-HSM', 'SKR-POLICY-PUBLISH-SAFETY'} <= failed(out)


@pytest.mark.parametrize('number', [0, 3])
def test_times_of_bundles_that_nobody_validates(world, judges, number):
    """The last one's, too: the overlap would be counted from it."""
    case = world.case('normal')
    case.config['response_policy']['validate_signatures'] = False
    case.previous.bundles[number].expiration -= d.DAY
    case.response = rules.answer(case)
    assert 'POST-PREVIOUS' in failed(expect_some(judges, case))
    verdict, out = judges.ksrsigner()
    assert verdict == 'refuse' and 'KSR-CHAIN-KEYS-HSM' in failed(out)


def test_forged_bundle_that_borrows_a_known_key(world, judges):
    """The known key is published in it, and does not sign."""
    case = world.case('normal')
    forge(world, case, [1], 'old')
    expect(judges, case, 'POST-CHAIN')


def test_forged_last_bundle(world, judges):
    case = world.case('normal')
    forge(world, case, [3], 'old')
    assert 'POST-CHAIN' in failed(expect_some(judges, case))
    verdict, out = judges.ksrsigner()
    assert verdict == 'refuse' and 'KSR-CHAIN-KEYS-HSM' in failed(out) and 'the HSM has no key mallory' in out, out


def test_public_key_that_anybody_put_into_the_token(world, judges, tmp_path):
    """That needs no PIN, and makes it no key of the HSM."""
    case = world.case('normal')
    forge(world, case, range(4), 'old')
    (tmp_path / 'pem').write_bytes(world.pairs['mallory'].pem())
    subprocess.run(['openssl', 'pkey', '-in', 'pem', '-pubout', '-outform', 'DER', '-out', 'der'], cwd=tmp_path, check=True)
    tool = ['pkcs11-tool', '--module', SOFTHSM, '--token-label', 'T1', '--type', 'pubkey', '--label', 'mallory']
    subprocess.run([*tool, '--write-object', tmp_path / 'der'], env=world.hsm.env, check=True, capture_output=True)
    try:
        assert 'POST-CHAIN' in failed(expect_some(judges, case))
        verdict, out = judges.ksrsigner()
        assert verdict == 'refuse' and 'KSR-CHAIN-KEYS-HSM' in failed(out), out
        assert 'no private half of it' in ' '.join(out.split()), out
    finally:
        subprocess.run([*tool, '--delete-object'], env=world.hsm.env, check=True, capture_output=True)


def test_second_signature_by_a_stranger_in_the_last_bundle(world, judges):
    """Each of its signers must be known."""
    case = world.case('normal')
    last = case.previous.bundles[-1]
    last.keys.append(d.make_key(world.pairs['mallory'], d.KSK, 172800))
    last.signatures.append(d.make_signature(case.previous, last, world.pairs['mallory'], d.KSK))
    d.sign_again(case.previous, last, world.pairs)
    assert 'POST-CHAIN' in failed(expect_some(judges, case))


def test_chain_back_through_a_published_key(world, judges):
    """The key before the last one need not be in the configuration: a bundle that
    is tied has published it."""
    case = world.case('rollover')
    previous = world.case('revoke').previous
    case.previous = previous
    schema(case, slot(['new'], ['old']), *[slot(['new'], ['old'])] * 3)
    case.config['keys'].pop('idle')
    expect(judges, case)


@pytest.mark.parametrize('published, called, said', [
    ('new', 'new', None), ('idle', 'idle', 'is BACKOUT of family q, expected USE'),
    ('idle', 'new', 'new is not the configured key of that label')])
def test_member_of_a_family_is_not_known_by_names(world, judges, published, called, said):
    """The response for going back, in which a key has the name of the one that the
    response for use has there: names are in no signature."""
    case = world.case('normal')
    sign(world, case, [0, 1, 2], 'old', f'{published}+')
    for bundle in case.previous.bundles[:3]:
        bundle.keys[-1].identifier = called
    config = case.config
    config['families'] = {'q': {'use': {'schema': 'use'}, 'backout': {'schema': 'back'}}}
    config['request_policy']['previous_member'] = 'q.use'
    for name, key in (('use', 'new'), ('back', 'idle')):
        slots = [slot(['old'], [key])] * 3 + [slot(['old'])]
        config['schemas'][name] = {str(number): each for number, each in enumerate(slots, 1)}
    judges.write(case)
    for run, check in ((judges.ksrcheck, 'KSR-CHAIN-KEYS'), (judges.ksrsigner, 'KSR-CHAIN-KEYS'),
                       (judges.skrcheck, 'POST-CHAIN')):
        verdict, out = run()
        assert (verdict, failed(out)) == (('refuse', {check}) if said else ('accept', set())), out
        assert not said or said in out or 'is called new and is not that key' in out, out


# The timeline

def test_key_that_nobody_has_seen_signs_from_the_second_bundle_on(world, judges):
    case = world.case('normal')
    schema(case, slot(['old']), *[slot(['new'], ['old'])] * 3)
    out = expect(judges, case, 'POST-PUBLISH-SAFETY')
    assert 'key new begins to sign, and is not in the bundle before' in out


@pytest.mark.parametrize('safety, refused', [('PT0S', False), ('P10D', False), ('P10DT1S', True), ('P30D', True)])
def test_key_that_was_published_in_one_bundle(world, judges, safety, refused):
    case = world.case('normal')
    case.config['ksk_policy']['publish_safety'] = safety
    schema(case, slot(['old'], ['new']), *[slot(['new'], ['old'])] * 3)
    expect(judges, case, *['POST-PUBLISH-SAFETY'] * refused)


def test_publication_with_a_gap(world, judges):
    """Published early, away for a bundle, and back: it counts from there."""
    case = world.case('rollover')
    case.config['ksk_policy']['publish_safety'] = 'P20D'
    schema(case, slot(['old'], ['new']), slot(['new'], ['old']), *[slot(['new'], ['old'])] * 2)
    expect(judges, case)
    case.previous.bundles[-1].keys = [key for key in case.previous.bundles[-1].keys if key.identifier != 'new']
    d.sign_again(case.previous, case.previous.bundles[-1], world.pairs)
    expect(judges, case, 'POST-PUBLISH-SAFETY')


def test_published_as_revoked_is_not_published(world, judges):
    case = world.case('both')
    for bundle in case.previous.bundles:
        bundle.keys = [key for key in bundle.keys if key.identifier != 'new']
        bundle.keys.append(d.make_key(world.pairs['new'], d.REVOKED, 172800))
        bundle.signatures = [d.make_signature(case.previous, bundle, world.pairs[name], flags)
                             for name, flags in (('old', d.KSK), ('new', d.REVOKED))]
    schema(case, *[slot(['new', 'old'])] * 4)
    expect(judges, case, 'POST-PUBLISH-SAFETY')


def sign(world, case, numbers, *names):
    """These bundles of the response before, by these KSKs; "name-" is revoked and
    "name+" only published."""
    for number in numbers:
        bundle = case.previous.bundles[number]
        pairs = [(world.pairs[name.rstrip('-+')], d.REVOKED if name.endswith('-') else d.KSK, name) for name in names]
        bundle.keys = [key for key in bundle.keys if key.flags == d.ZSK]
        bundle.keys += [d.make_key(pair, flags, 172800) for pair, flags, _ in pairs]
        bundle.signatures = [d.make_signature(case.previous, bundle, pair, flags)
                             for pair, flags, name in pairs if not name.endswith('+')]


@pytest.mark.parametrize('slots, refused', [
    ([slot(['old'], ['new'])] * 3 + [slot(['new'], ['old'])], True),
    ([slot(['old'], ['new'])] * 3 + [slot(['new', 'old'])], True),
    ([slot(['old'], ['new'])] * 4, False),
    ([slot(['old', 'new'], [], ['new'])] * 4, False)])
def test_key_that_was_revoked_does_not_come_back(world, judges, slots, refused):
    """However long it is published as if nothing had been: a validator that has seen
    it revoked follows it never again (RFC 5011 section 2.1), so that the zone would
    be lost to it."""
    case = world.case('normal')
    sign(world, case, range(4), 'old', 'new-')
    schema(case, *slots)
    expect(judges, case, *['POST-PUBLISH-SAFETY'] * refused)


def test_key_that_is_revoked_in_the_same_response_does_not_come_back(world, judges):
    case = world.case('rollover')
    schema(case, slot(['old', 'new'], [], ['new']), slot(['old'], ['new']), *[slot(['new'], ['old'])] * 2)
    expect(judges, case, 'POST-PUBLISH-SAFETY')


def test_key_that_came_back_before_is_not_left_alone(world, judges):
    case = world.case('normal')
    sign(world, case, [0], 'old', 'new-')
    sign(world, case, [1, 2, 3], 'old', 'new')
    schema(case, *[slot(['old', 'new'])] * 4)
    expect(judges, case)
    schema(case, slot(['old', 'new']), *[slot(['new'], ['old'])] * 3)
    expect(judges, case, 'POST-PUBLISH-SAFETY')


@pytest.mark.parametrize('first, alone, refused', [(3, 0, True), (2, 0, True), (1, 0, False), (3, 1, True), (3, 2, False)])
def test_key_that_began_too_early_before_is_not_left_alone(world, judges, first, alone, refused):
    """It signed the bundle before, which nobody looks at any more: from where it is
    the only one that signs, validators must know it."""
    case = world.case('normal')
    case.config['ksk_policy']['publish_safety'] = 'P30D'
    sign(world, case, range(first, 4), 'old', 'new')
    schema(case, *[slot(['old', 'new'])] * alone, *[slot(['new'], ['old'])] * (4 - alone))
    expect(judges, case, *['POST-PUBLISH-SAFETY'] * refused)


def test_key_that_is_alone_already_goes_on(world, judges):
    """What was signed so before cannot be mended by signing no more."""
    case = world.case('normal')
    case.config['ksk_policy'].update(publish_safety='P60D')
    sign(world, case, [1], 'old', 'new+')
    sign(world, case, [2, 3], 'new', 'old+')
    schema(case, *[slot(['new'], ['old'])] * 4)
    expect(judges, case)


def test_without_a_response_before_the_first_signers_are_exempt_alone(world, judges):
    case = world.case('normal')
    schema(case, slot(['idle']), slot(['idle'], ['new']), slot(['new'], ['idle']), slot(['new'], ['idle']))
    case.response = rules.answer(case)
    judges.write(case)
    assert failed(alone(judges)) == set()
    schema(case, slot(['idle']), slot(['new'], ['idle']), slot(['new'], ['idle']), slot(['new'], ['idle']))
    case.response = rules.answer(case)
    judges.write(case)
    assert failed(alone(judges)) == {'POST-PUBLISH-SAFETY'}


def alone(judges):
    """skrcheck without the response before."""
    return subprocess.run([judges.programs / 'skrcheck', '--config', 'config.json', 'ksr.xml', 'skr.xml'],
                          cwd=judges.folder, stdout=subprocess.PIPE, text=True).stdout


@pytest.mark.parametrize('slots, refused', [
    ([slot(['new'])] * 4, True),
    ([slot(['new'], ['old'])] * 2 + [slot(['new'])] * 2, True),
    ([slot(['new'], ['old'])] * 3 + [slot(['new'])], False),
    # Revoked, and published for one bundle, two, three.
    ([slot(['old', 'new'], [], ['old'])] + [slot(['new'])] * 3, True),
    ([slot(['old', 'new'], [], ['old'])] * 2 + [slot(['new'])] * 2, False),
    ([slot(['old', 'new'], [], ['old'])] * 3 + [slot(['new'])], False),
    ([slot(['old', 'new'], [], ['old']), slot(['new']), slot(['old', 'new'], [], ['old']), slot(['new'])], True),
])
def test_key_that_signed_is_gone(world, judges, slots, refused):
    """It signed the last bundle before, which ends eleven days after this begins."""
    case = world.case('both')
    schema(case, *slots)
    expect(judges, case, *['POST-RETIRE-SAFETY'] * refused)


@pytest.mark.parametrize('first, safety, refused', [(2, 'P10D', True), (2, 'P9D', False), (1, 'P20D', True),
                                                   (1, 'P19D', False), (0, 'P40D', False)])
def test_revocation_counts_for_as_long_as_it_was_published(world, judges, first, safety, refused):
    """It was in some bundles of the quarter before and gone from the last: how long
    ago that is makes it no better known.  (From the first bundle on, it may have been
    there for long before; that was judged when it went.)"""
    case = world.case('normal')
    case.config['ksk_policy']['retire_safety'] = safety
    sign(world, case, range(first), 'old', 'new')
    sign(world, case, range(first, 3), 'old', 'new-')
    for bundle in case.previous.bundles:        # so that its last signature still counts
        bundle.expiration += 10 * d.DAY
        for signature in bundle.signatures:
            signature.expiration = bundle.expiration
        d.sign_again(case.previous, bundle, world.pairs)
    case.request.zsk.durations['MaxValidityOverlap'] = 22 * d.DAY
    case.config['ksk_policy']['max_validity_overlap'] = 'P22D'
    expect(judges, case, *['POST-RETIRE-SAFETY'] * refused)


@pytest.mark.parametrize('asked', [True, False])
def test_revocation_in_forged_bundles_counts_for_nothing(world, judges, asked):
    """The key is revoked since the last bundle; bundles that hang on nothing say
    that it was for long."""
    case = world.case('normal')
    case.config['request_policy']['check_chain_keys_in_hsm'] = asked
    case.config['ksk_policy']['retire_safety'] = 'P28D'
    sign(world, case, [0, 1, 2], 'mallory')
    for bundle in case.previous.bundles[:3]:
        bundle.keys.append(d.make_key(world.pairs['new'], d.REVOKED, 172800))
        d.sign_again(case.previous, bundle, world.pairs)
    sign(world, case, [3], 'old', 'new-')
    expect(judges, case, *['POST-CHAIN'] * asked, 'POST-RETIRE-SAFETY')


def test_key_that_signed_once_in_the_middle_is_gone(world, judges):
    case = world.case('both')
    for bundle in case.previous.bundles[3:]:
        bundle.signatures = bundle.signatures[:1]
    signs = case.previous.bundles[3].signatures[0].identifier
    schema(case, slot([signs]), *[slot([signs])] * 3)
    expect(judges, case, 'POST-RETIRE-SAFETY')


@pytest.mark.parametrize('stage', ['pre-publish', 'rollover', 'revoke', 'both'])
def test_the_root_zones_own_sequence_passes(world, judges, stage):
    expect(judges, world.case(stage))


@pytest.mark.parametrize('name, question', [
    ('check_keys_publish_safety', 'POST-PUBLISH-SAFETY'), ('check_keys_retire_safety', 'POST-RETIRE-SAFETY')])
def test_what_is_switched_off_is_counted(world, judges, name, question):
    case = world.case('normal')
    case.config['request_policy'][name] = False
    schema(case, *[slot(['new'])] * 4)
    case.response = rules.answer(case)
    judges.write(case)
    out = judges.skrcheck()[1]
    assert question not in failed(out)
    assert f'not looked at: {name} is false' in out
    lines = out.splitlines()
    assert lines[-1] == 'FAIL' or lines[-2] == 'FAIL'
    assert '2 of 18 questions not asked, 1 part not looked at' in out


# The response

def test_no_signer_but_a_revoked_one(world, judges):
    """Refused by the configuration's reader; this is a response without one."""
    case = world.case('revoke')
    bundle = case.response.bundles[1]
    bundle.signatures = [each for each in bundle.signatures if each.identifier == 'old']
    case.mutant = case.response
    judges.write(case)
    assert failed(judges.skrcheck()[1]) == {'POST-KSK-SCHEMA', 'POST-SIGNATURES'}


@pytest.mark.parametrize('slots', [[slot(['old'], ['other'])] * 4, [slot(['old', 'other'])] * 4])
def test_key_of_an_algorithm_that_the_zone_is_not_signed_with(world, judges, slots):
    case = world.case('normal')
    case.config['request_policy']['check_keys_publish_safety'] = False
    schema(case, *slots)
    expect(judges, case, 'POST-ALGORITHMS')


@pytest.mark.parametrize('name, value', [
    ('min_signature_validity', 'P22D'), ('max_signature_validity', 'P20D'), ('min_validity_overlap', 'P12D'),
    ('max_validity_overlap', 'P10D')])
def test_response_that_contradicts_the_policy_that_it_states(world, judges, name, value):
    case = world.case('normal')
    case.config['ksk_policy'][name] = value
    expect(judges, case, *['POST-STATED', 'POST-CHAIN'][:1 + ('overlap' in name)])


@pytest.mark.parametrize('name, value', [
    ('MinSignatureValidity', 22), ('MaxSignatureValidity', 20), ('MinValidityOverlap', 12), ('MaxValidityOverlap', 10)])
def test_response_that_contradicts_what_the_request_states(world, judges, name, value):
    case = world.case('normal')
    case.request.zsk.durations[name] = value * d.DAY
    out = expect(judges, case, *['POST-STATED', 'POST-CHAIN'][:1 + ('Overlap' in name)])
    assert 'stated are' in out


def anchor_entry(pair, of=None):
    """An entry of a trust anchor; its public key is another's where one is named."""
    public = base64.b64encode((of or pair).public).decode()
    return (f'<KeyDigest id="{pair.name}" validFrom="2020-01-01T00:00:00Z"><KeyTag>{d.tag_of(pair.record(d.KSK))}</KeyTag>'
            f'<Algorithm>{pair.algorithm}</Algorithm><DigestType>2</DigestType><Digest>{pair.ds("example.")}</Digest>'
            f'<PublicKey>{public}</PublicKey><Flags>257</Flags></KeyDigest>')


@pytest.mark.parametrize('signer, said', [('new', set()), ('mallory', {'POST-ANCHOR', 'POST-SIGNATURES'})])
def test_anchor_whose_public_key_is_not_that_of_its_digest(world, judges, signer, said):
    """A signature by a key that is not published is verified with the anchor's bytes;
    what people have compared of it is the digest."""
    case = world.case('normal')
    case.mutant = case.response.copy()
    for bundle in case.mutant.bundles:
        bundle.signatures.append(d.make_signature(case.mutant, bundle, world.pairs[signer], d.KSK, 'new'))
    judges.write(case)
    entries = anchor_entry(world.pairs['old']) + anchor_entry(world.pairs['new'], world.pairs[signer])
    (judges.folder / 'anchor.xml').write_text(
        f'<TrustAnchor id="a" source="s"><Zone>example.</Zone>{entries}</TrustAnchor>')
    done = subprocess.run([judges.programs / 'skrcheck', '--anchor', 'anchor.xml', '--previous-skr', 'previous.xml',
                           'ksr.xml', 'skr.xml'], cwd=judges.folder, stdout=subprocess.PIPE, text=True)
    assert (failed(done.stdout), done.returncode) == (said, 1 if said else 0), done.stdout


# Tags

def find_tag(tags, flags, tries=400000):
    """A pair whose tag is among these."""
    for _ in range(tries):
        pair = d.Pair('twin')
        if d.tag_of(pair.record(flags)) in tags:
            return pair
    raise AssertionError('no such key found')


@pytest.mark.slow
def test_zsk_that_has_the_tag_of_a_ksk(world, judges):
    """As it is, or as it will be when it is revoked."""
    ksks = {name: world.pairs[name] for name in ('old', 'new')}
    tags = {d.tag_of(pair.record(flags)) for pair in ksks.values() for flags in (d.KSK, d.REVOKED)}
    twin = find_tag(tags, d.ZSK)
    case = world.case('rollover')
    bundle = case.request.bundles[1]
    bundle.keys = [d.make_key(twin, d.ZSK, 172800)]
    bundle.signatures = [d.make_signature(case.request, bundle, twin, d.ZSK)]
    assert 'has the tag' in expect(judges, case, 'POST-KSK-FORM')


# What a file says begins no line

EVIL = ['x\nPASS', 'x\n. 172800 IN DNSKEY 257 3 8 AwEAAQ==', '\x1b[2J'.replace('\x1b', '\u009b'), 'x' * 70 + ' PASS']


@pytest.mark.parametrize('text', EVIL)
def test_text_of_a_document_begins_no_line(world, judges, text):
    case = world.case('normal')
    case.request.bundles[0].id = text
    case.response = rules.answer(case)
    judges.write(case)
    for words in (['ksr.xml', 'skr.xml'], ['--zone', 'ksr.xml', 'skr.xml'], ['--zone', 'skr.xml']):
        out = judges.run('skrcheck', *words)[1]
        for line in out.splitlines():
            assert line.startswith(('PASS ', 'PASS, but', 'FAIL', 'SKIP ', '    ', '; ', 'example. ', 'skrcheck: ', 'SHA256', '>> ')) \
                or len(line) == 64, line
        records = [line for line in out.splitlines() if ' IN DNSKEY ' in line and not line.startswith((';', 'skrcheck'))]
        assert all(line.startswith('example. 172800 IN DNSKEY 25') for line in records)


def on_screen(judges, columns, *words):
    """The lines that skrcheck shows on a terminal of so many columns."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(judges.folder)
        os.execvp('sh', ['sh', '-c', f'stty cols {columns}; exec "$0" "$@"', str(judges.programs / 'skrcheck'), *words])
    out = b''
    while True:
        try:
            piece = os.read(fd, 4096)
        except OSError:
            break
        if not piece:
            break
        out += piece
    os.waitpid(pid, 0)
    return out.decode().replace('\r', '').splitlines()


def test_terminal_that_is_narrow(world, judges):
    """What goes on after a fold, or is cut, is indented."""
    case = world.case('normal')
    case.mutant = case.response.copy()
    case.mutant.id = 'y' * 52 + 'PASS' + 'y' * 60
    judges.write(case)
    lines = on_screen(judges, 60, '--config', 'config.json', '--previous-skr', 'previous.xml', 'ksr.xml', 'skr.xml')
    assert all(len(line) <= 60 for line in lines if 'yyy' in line or line.startswith('    ')), lines
    # Cut where it is: not at the beginning of a line.
    assert any(line.startswith('        PASSyyy') for line in lines), lines


def test_message_begins_no_row_of_the_screen(world, judges):
    """What cannot be read is quoted in what says so, wherever a row of 80 ends."""
    said = 'PASS POST-SIGNATURES'

    def write(pad):
        case = world.case('normal')
        case.mutant = case.response.copy()
        case.mutant.bundles[0].id = 'x' * pad + said
        judges.write(case)
        path = judges.folder / 'skr.xml'
        path.write_text(path.read_text().replace('<SignatureData>', '<SignatureData>!', 1))

    write(1)
    line, = (line for line in judges.run('skrcheck', 'ksr.xml', 'skr.xml')[1].splitlines() if said in line)
    for pad in range(78 - line.index(said), 84 - line.index(said)):
        write(pad)
        lines = on_screen(judges, 80, 'ksr.xml', 'skr.xml')
        rows = [line[i:i + 80] for line in lines for i in range(0, len(line), 80)]
        assert 'xxPASS' in ''.join(row.strip() for row in rows)
        assert not any(row.startswith('PASS') for row in rows), rows
        # Where nobody reads it is one line.
        assert judges.run('skrcheck', 'ksr.xml', 'skr.xml')[1].count('x' * pad + said) == 1
