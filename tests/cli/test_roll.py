# SPDX-License-Identifier: ISC
"""The zone's algorithm goes from RSASHA256 to ECDSAP256SHA256 and back out, quarter
by quarter, as RFC 6781 section 4.1.4 has it: signatures before keys, both
together, RSA revoked, signatures after keys, ECDSA alone.  In every state nsd
serves the zone, and unbound, BIND's delv and ldns say what a client gets that
believes the old key, the new one or both: authentic answers where they must be,
SERVFAIL where they must be.  Nothing of the project judges here.

All bundles are valid for a year, so that every state is valid now, which is the
only time that BIND's programs know."""
import datetime
import json
import re
import resource
import shutil
import socket
import struct
import subprocess

import pytest

import resolver
import signedzone
from rehearsal import use
from roll import AFTER, BACK, BEGIN, BOTH, DOUBLE, EC, LONG, PRESIGN, REVOKE, RSA, Roll, slot


def first_quarters(roll):
    roll.quarter(roll.slots((1, use('rsa'))), '--size', '1536', '--roll', 'none')
    roll.state('rsa', 2)
    roll.at_rsa = roll.branch()
    roll.quarter([use('rsa'), PRESIGN, BEGIN], '--roll', 'end', '--algorithm', EC)
    roll.keep('presign')
    roll.state('presign', 2, also=[roll.zsk(EC)])
    roll.state('begin', 3)
    roll.at_begin = roll.branch()
    roll.quarter([DOUBLE] * 3, '--roll', 'none')
    roll.keep('double')
    roll.state('double', 2)
    roll.at_double = roll.branch()
    roll.quarter([DOUBLE, REVOKE, REVOKE], '--roll', 'none')
    roll.state('revoke', 2)
    roll.at_revoke = roll.branch()
    roll.quarter([REVOKE, AFTER, use('ec')], '--roll', 'begin', '--retire', roll.zsk_name(RSA))
    roll.keep('after')
    roll.state('after', 2, also=[roll.zsk(RSA, 0)])
    roll.state('ec', 3)
    roll.at_ec = roll.branch()


def backouts(roll):
    """A way back from each state, each from the response that was in use then."""
    roll.go_back(roll.at_rsa)
    roll.quarter(roll.slots((1, use('rsa'))), '--roll', 'none')
    roll.state('out-of-presign', 2)
    for name, branch in [('begin', roll.at_begin), ('double', roll.at_double)]:
        roll.go_back(branch)
        roll.quarter([DOUBLE, BACK, BACK], '--roll', 'begin', '--retire', roll.zsk_name(EC))
        roll.keep(f'out-of-{name}')
        roll.state(f'out-of-{name}', 2)
    # A key that was revoked never comes back (RFC 5011): another takes its place.
    roll.go_back(roll.at_revoke)
    again = slot('ec', publish=['rsa2'], revoke=['rsa'], published=BOTH)
    roll.quarter([again, again, slot('ec', 'rsa2', revoke=['rsa'], published=BOTH)], '--roll', 'none')
    roll.state('out-of-revoke', 3)
    roll.go_back(roll.at_ec)
    roll.quarter([use('ec'), slot('ec', 'rsa2', published=BOTH, begins=[RSA]), slot('ec', 'rsa2', published=BOTH)],
                 '--roll', 'end', '--algorithm', RSA, '--size', '1536', '--next-from', '2')
    roll.state('out-of-ec', 3)


@pytest.fixture(scope='module')
def roll(tmp_path_factory, programs):
    roll = Roll(tmp_path_factory.mktemp('roll'), programs)
    first_quarters(roll)
    backouts(roll)
    roll.anchors = {name: signedzone.anchor_records(roll.anchor(*name.split()))
                    for name in ('rsa', 'ec', 'rsa ec', 'rsa2')}
    return roll


# state: anchors with which a client gets answers; all others get SERVFAIL.
STATES = {
    'rsa': ['rsa', 'rsa ec'],
    'presign': ['rsa', 'rsa ec'],
    'begin': ['rsa', 'ec', 'rsa ec'],
    'double': ['rsa', 'ec', 'rsa ec'],
    'revoke': ['ec', 'rsa ec'],
    'after': ['ec', 'rsa ec'],
    'ec': ['ec', 'rsa ec'],
    'out-of-presign': ['rsa', 'rsa ec'],
    'out-of-begin': ['rsa', 'rsa ec'],
    'out-of-double': ['rsa', 'rsa ec'],
    'out-of-revoke': ['ec', 'rsa ec', 'rsa2'],
    'out-of-ec': ['ec', 'rsa ec', 'rsa2'],
}


@pytest.fixture(scope='module', autouse=True)
def tools():
    missing = [tool for tool in ('nsd', 'unbound', 'ldns-signzone', 'ldns-verify-zone', 'drill', 'delv',
                                 'dnssec-verify')
               if not shutil.which(tool, path='/usr/sbin:/usr/bin:/sbin:/bin')]
    if missing:
        pytest.fail(f'not installed: {", ".join(missing)}')


def answer_bytes(port, domain, kind, rcode=0):
    """How long the answer of nsd is, over TCP, which cuts nothing off."""
    labels = b''.join(bytes([len(label)]) + label.encode() for label in domain.split('.') if label)
    question = bytes.fromhex('4b5200000001000000000001') + labels + b'\0' + struct.pack('>HH', kind, 1)
    question += bytes.fromhex('0000291000000080000000')  # OPT with DO
    with socket.create_connection(('127.0.0.1', port), timeout=10) as tcp:
        tcp.sendall(struct.pack('>H', len(question)) + question)
        stream = tcp.makefile('rb')
        answer = stream.read(struct.unpack('>H', stream.read(2))[0])
    assert answer[3] & 15 == rcode and answer[7] + answer[9] > 0  # with records
    return len(answer)


def delv(port, anchor, folder):
    """What BIND's validator says of an address with that anchor."""
    path = folder / 'delv.anchors'
    path.write_text('trust-anchors {\n' + ''.join(
        f'{owner} static-ds {tag} {algorithm} {kind} "{digest}";\n'
        for owner, _, _, tag, algorithm, kind, digest in (line.split() for line in anchor)) + '};\n')
    done = subprocess.run(['delv', '-4', '-a', path, '+root=.', '@127.0.0.1', '-p', str(port), 'www.rehearsal.', 'A'],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
    return done.stdout


def ldns(zone, anchor, folder):
    path = folder / 'ldns.anchors'
    path.write_text('\n'.join(anchor) + '\n')
    done = subprocess.run(['ldns-verify-zone', '-k', path, zone], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60)
    return done.stdout


@pytest.mark.parametrize('state', STATES)
def test_client_gets_answers_in_every_state_of_the_roll(roll, tmp_path, state):
    zone, size = roll.states[state]
    now = datetime.datetime.now(datetime.timezone.utc).strftime('%Y%m%d%H%M%S')
    with resolver.serve(zone, roll.domain, tmp_path) as upstream:
        if size is not None:
            assert answer_bytes(upstream, '.', 48) == int(size)
        for name, anchor in roll.anchors.items():
            folder = tmp_path / name
            folder.mkdir()
            with resolver.resolve(upstream, roll.domain, anchor, now, folder) as port:
                found, denied = resolver.ask(port, 'www.rehearsal.'), resolver.ask(port, 'no.rehearsal.')
            by_bind, by_ldns = delv(upstream, anchor, folder), ldns(zone, anchor, folder)
            if name in STATES[state]:
                assert found.is_authentic and '192.0.2.1' in found.text, (name, found.text)
                assert denied.rcode == 'NXDOMAIN' and 'ad' in denied.flags, (name, denied.text)
                assert '; fully validated' in by_bind, (name, by_bind)
                assert 'Zone is verified and complete' in by_ldns, (name, by_ldns)
            else:
                assert found.rcode == 'SERVFAIL' and '192.0.2.1' not in found.text, (name, found.text)
                assert '192.0.2.1' not in by_bind and 'resolution failed' in by_bind, (name, by_bind)
                assert 'Zone is verified' not in by_ldns, (name, by_ldns)
    verified = subprocess.run(['dnssec-verify', '-o', roll.domain, zone], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60)
    # dnssec-verify counts no revoked key, so it wants another KSK beside it; validators do not.
    expected = 'Missing self-signed KSK for algorithm RSASHA256' if state == 'revoke' else 'Zone fully signed'
    assert expected in verified.stdout, verified.stdout


@pytest.mark.parametrize('state, quarter, number', [('double', 'double', 2), ('ec', 'after', 3)])
def test_denial_is_about_as_large_as_estimated(roll, tmp_path, state, quarter, number):
    shown = roll.again(quarter, 'ksrsigner', options=['--sizes'])
    assert shown.status == 0, shown.err
    estimate = re.search(rf'^{number}  DNSKEY \d+ bytes, NXDOMAIN about (\d+) bytes$', shown.out, re.M)
    with resolver.serve(roll.states[state][0], roll.domain, tmp_path) as upstream:
        # One NSEC for the name, which is the last, and another for the wildcard.
        sent = answer_bytes(upstream, 'zz.', 1, rcode=3)
    assert abs(int(estimate.group(1)) - sent) < sent / 5, (estimate.group(), sent)


def test_answers_beyond_a_datagram_are_warned_of(roll):
    """Two KSKs of 2048 bits that both sign, and the ZSKs' part of it."""
    def more(sections):
        sections['schemas']['normal'] = {str(number): slot('rsa', publish=['rsa2'], only=['ec'], published=[RSA],
                                                           signing=BOTH, zsks=[RSA]) for number in (1, 2)}
        sections['schemas']['normal']['3'] = slot('rsa', 'ec', publish=['rsa2'], published=BOTH, begins=[EC])
    shown = roll.again('presign', 'ksrsigner', more)
    assert shown.status == 0, shown.out + shown.err
    sizes = [int(size) for size in re.findall(r'^\d  DNSKEY (\d+) bytes$', shown.out, re.M)]
    assert len(sizes) == 3 and sizes[2] > 1232 >= sizes[0]
    warned = re.findall(r'bundle (\d): the DNSKEY answer has (\d+) bytes, more than the 1232', shown.err)
    assert warned == [(str(number), str(size)) for number, size in enumerate(sizes, 1) if size > 1232]


def test_roll_states_every_size(roll):
    """Of all states but the first and its like, whose schema states nothing."""
    assert {name for name, (_, size) in roll.states.items() if size is None} == {'rsa', 'out-of-presign'}


def slots(change):
    """A change of the slots of the schema, by their numbers as text."""
    return lambda sections: change(sections['schemas']['normal'])


def put(number, **more):
    """Members of a slot in place of what it has; None takes one away."""
    def change(found):
        slot = {**found[number], **more}
        found[number] = {name: value for name, value in slot.items() if value is not None}
    return slots(change)


def state(number, **more):
    """The same of what the slot states of its algorithms."""
    def change(found):
        stated = {**found[number]['algorithms'], **more}
        found[number]['algorithms'] = {name: value for name, value in stated.items() if value is not None}
    return slots(change)


def policy(**more):
    def change(sections):
        for name, value in more.items():
            sections['request_policy']['algorithms'][RSA][name] = value
    return change


# Quarter, what is changed in its configuration, and who refuses it: the signer's check, the second opinion's.
REFUSED = [
    ('presign', put('2', algorithms=None), 'SKR-ALGORITHMS', 'POST-ALGORITHMS'),
    ('presign', state('2', signing=[RSA]), 'SKR-ALGORITHMS', 'POST-ALGORITHMS'),
    ('presign', state('2', published=BOTH), 'KSR-POLICY-ALG', 'POST-ALGORITHMS'),
    ('presign', state('2', published=BOTH, zsks=[RSA]), 'SKR-ALGORITHMS', 'POST-ALGORITHMS'),
    ('presign', state('3', zsks=[RSA]), 'KSR-POLICY-ALG', 'POST-ALGORITHMS'),
    ('presign', state('3', begins=None), 'SKR-POLICY-PUBLISH-SAFETY', 'POST-PUBLISH-SAFETY'),
    ('presign', state('3', begins=[RSA]), 'SKR-POLICY-PUBLISH-SAFETY', 'POST-PUBLISH-SAFETY'),
    ('presign', policy(num_keys_per_bundle=[1, 1, 2]), 'KSR-POLICY-KEYS', None),
    ('presign', policy(num_different_keys_in_all_bundles=2), 'KSR-POLICY-KEYS', None),
    ('presign', policy(rsa_approved_key_sizes=[2048]), 'KSR-POLICY-ALG', None),
    ('presign', policy(rsa_approved_exponents=[3]), 'KSR-POLICY-ALG', None),
    ('presign', lambda sections: sections['request_policy']['algorithms'].pop(EC), 'KSR-POLICY-KEYS', None),
    ('presign', lambda sections: sections['request_policy'].pop('num_keys_per_bundle'), '', None),
    ('after', state('2', signing=[EC]), 'SKR-ALGORITHMS', 'POST-ALGORITHMS'),
    ('out-of-begin', state('2', ends=None), 'SKR-POLICY-RETIRE-SAFETY', 'POST-RETIRE-SAFETY'),
    ('out-of-begin', state('2', ends=[RSA]), 'SKR-POLICY-RETIRE-SAFETY', 'POST-RETIRE-SAFETY'),
    ('out-of-double', put('1', sign_only=['rsa2']), '', 'POST-KSK-SCHEMA POST-KSK-IDENTITY'),
]


@pytest.mark.parametrize('quarter, change, check, question', REFUSED)
def test_what_no_slot_states_is_refused(roll, quarter, change, check, question):
    """By the signer before it signs, and by skrcheck of what another has signed."""
    signed = roll.again(quarter, 'ksrsigner', change)
    assert signed.status == (1 if check else 0), signed.out + signed.err
    failed = re.findall(r'^FAIL (\S+)', signed.out, re.M)
    assert failed == ([check] if check else []), signed.out
    # What needs no HSM the maintainer sees, too.
    checked = roll.again(quarter, 'ksrcheck', change)
    assert re.findall(r'^FAIL (\S+)', checked.out, re.M) == ([check] if check.startswith('KSR') else []), checked.out
    judged = roll.again(quarter, 'skrcheck', change)
    assert re.findall(r'^FAIL (\S+)', judged.out, re.M) == (question or '').split(), judged.out


def test_key_that_is_alone_too_early_is_refused(roll):
    """With a PublishSafety that is longer than the new key was published."""
    def change(sections):
        sections['ksk_policy']['publish_safety'] = 'P21D'
        sections['schemas']['normal'] = {'1': {**slot('ec', publish=['rsa'], published=BOTH, signing=[EC])},
                                         '2': DOUBLE, '3': DOUBLE}

    signed = roll.again('double', 'ksrsigner', change)
    assert signed.status == 1 and re.findall(r'^FAIL (\S+)', signed.out, re.M) == ['SKR-POLICY-PUBLISH-SAFETY']
    assert 'signed by no other key than ec' in signed.err + signed.out


def change_signature(text, bundle, identifier, change):
    """A response with one signature in one bundle as change makes it."""
    parts = text.split('<ResponseBundle ')
    pattern = rf'<Signature keyIdentifier="{identifier}">.*?</Signature>\n'
    assert len(re.findall(pattern, parts[bundle], re.S)) == 1
    parts[bundle] = re.sub(pattern, lambda found: change(found.group(0)), parts[bundle], flags=re.S)
    return '<ResponseBundle '.join(parts)


def touch(signature):
    return re.sub(r'(<SignatureData>..)(.)', lambda found: found.group(1) + (
        'A' if found.group(2) != 'A' else 'B'), signature)


TOUCHED = {
    'missing': lambda signature: '',
    'twice': lambda signature: signature * 2,
    'touched': touch,
    'of another tag': lambda signature: re.sub(r'<KeyTag>\d+', '<KeyTag>00001', signature),
    'of another name': lambda signature: signature.replace('"ec"', '"stranger"'),
    'of the name of another key': lambda signature: signature.replace('"ec"', '"rsa2"'),
}


@pytest.mark.parametrize('what', TOUCHED)
def test_signature_without_its_key_is_verified(roll, what):
    """By skrcheck, and by the checks of the next quarter with the HSM's key."""
    text = (roll.folder / roll.kept['presign'][2]).read_text()
    (roll.folder / 'touched.xml').write_text(change_signature(text, 2, 'ec', TOUCHED[what]))
    judged = roll.again('presign', 'skrcheck', skr='touched.xml')
    assert judged.status == 1, judged.out
    # That none or two are there is for its own quarter to see: for the next one all signatures hold.
    if what not in ('missing', 'twice'):
        signed = roll.again('double', 'ksrsigner', previous='touched.xml')
        assert signed.status == 1, signed.out
        assert set(re.findall(r'^FAIL (\S+)', signed.out, re.M)) <= {'SKR-SIGNATURES', 'KSR-CHAIN-KEYS-HSM'}


@pytest.mark.parametrize('source', ['public_key', 'anchor', 'nothing'])
def test_key_that_is_never_published_is_known_otherwise(roll, source, tmp_path):
    """A schema that signs without publishing in all bundles: skrcheck needs the key."""
    def only(sections):
        sections['schemas']['normal'] = {str(number): PRESIGN for number in (1, 2, 3)}
        if source == 'public_key':
            sections['keys']['ec']['public_key'] = key
    records = roll.hsm.run('keymaster', 'inventory', '--dns').out
    key = re.search(r'IN DNSKEY 257 3 13 (\S+)', records).group(1)
    roll.go_back(roll.at_rsa)
    roll.quarter(roll.slots((1, use('rsa'))), '--roll', 'none')
    roll.keep('only')
    signed = roll.again('only', 'ksrsigner', only)
    assert signed.status == 0, signed.out + signed.err
    assert '(ec)/O' in signed.out
    anchor = roll.anchor('ec', 'rsa').name if source == 'anchor' else None
    judged = roll.again('only', 'skrcheck', only, skr='again.xml', anchor=anchor)
    assert judged.status == (1 if source == 'nothing' else 0), judged.out
    roll.kept['next'] = (['--previous-skr', 'again.xml'], *roll.kept['double'][1:])
    (roll.folder / 'again.xml').rename(roll.folder / f'only-{source}.xml')
    # The quarter after it: with the HSM the key is there, without it where it is configured.
    roll.previous = roll.response = roll.folder / f'only-{source}.xml'
    roll.quarter([PRESIGN] * 3, '--roll', 'none') if source == 'anchor' else None
    roll.ask('--validity', LONG, '--interval', 'P10D', '--roll', 'none')
    roll.configure([PRESIGN] * 3, roll.request)
    roll.keep('next')
    checked = roll.again('next', 'ksrcheck', only)
    assert checked.status == 0, checked.out
    assert ('left to KSR-CHAIN-KEYS-HSM' in checked.out) == (source != 'public_key'), checked.out


def test_configured_public_key_must_be_the_one_of_the_hsm(roll):
    records = roll.hsm.run('keymaster', 'inventory', '--dns').out
    other = re.search(r'IN DNSKEY 257 3 8 (\S+)', records).group(1)
    key = re.search(r'IN DNSKEY 257 3 13 (\S+)', records).group(1)
    wrong = ('B' if key[0] != 'B' else 'C') + key[1:]

    def change(sections):
        del sections['keys']['ec']['key_tag'], sections['keys']['ec']['ds_sha256']
        sections['keys']['ec']['public_key'] = wrong

    signed = roll.again('after', 'ksrsigner', change)
    assert signed.status == 1 and 'it is not the configured public_key' in signed.out + signed.err

    def misplace(sections):
        sections['keys']['ec']['public_key'] = other

    assert roll.again('double', 'ksrsigner', misplace).status == 2


@pytest.mark.parametrize('program', ['ksrcheck', 'skrcheck', 'ksrsigner'])
@pytest.mark.parametrize('shape', ['signatures', 'keys', 'both'])
def test_a_mebibyte_of_absent_signers_is_judged_in_time(roll, program, shape):
    """A previous response full of signatures whose key is elsewhere, and of keys that
    could be it.  Two processor seconds, as for any other shape."""
    text = (roll.folder / roll.kept['presign'][2]).read_text()
    parts = text.split('<ResponseBundle ')
    signature, = re.findall(r'<Signature keyIdentifier="ec">.*?</Signature>\n', parts[2], re.S)
    key = re.search(r'<Key keyIdentifier="ec".*?</Key>\n', parts[3], re.S).group(0)
    room = 1048576 - len(text) - 1000
    if shape in ('signatures', 'both'):
        parts[2] = parts[2].replace(signature, signature * (room // 2 // len(signature)))
    if shape in ('keys', 'both'):
        small = re.sub(r'<PublicKey>.*?<', '<PublicKey>AQ==<', key)
        parts[1] = parts[1].replace('<Signature ', small * min(room // 2 // len(small), 2500) + '<Signature ', 1)
    (roll.folder / 'large.xml').write_text('<ResponseBundle '.join(parts))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = roll.again('double', program, previous='large.xml')
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.status in (0, 1), done.err
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2
