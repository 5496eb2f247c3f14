# SPDX-License-Identifier: ISC
"""skrcheck says PASS to what a ceremony produced and FAIL, under the right name,
to everything else: each field changed, keys and bundles lost, added or moved,
signatures by others, another schema signed properly, a log or a trust anchor
that tells another story.  It is the opinion that does not depend on the signer,
so each of its questions is shown to be able to say no."""
import base64
import hashlib
import json
import re
import resource
import subprocess
import xml.etree.ElementTree as tree

import pytest

from rehearsal import Rehearsal, use


@pytest.fixture(scope='module')
def zone(tmp_path_factory, programs):
    """Two quarters of a zone; the second is the one that is judged."""
    zone = Rehearsal(tmp_path_factory.mktemp('zone'), programs, domain='example.', algorithm=13, bundles=4)
    zone.add_ksk('old')
    zone.add_ksk('new')
    zone.add_ksk('idle')
    zone.quarter(zone.publish_more('old', 'new'))
    zone.quarter(zone.rollover('old', 'new'))
    zone.anchor()
    zone.log = max(zone.folder.glob('ksrsigner-*.log'), key=lambda path: path.stat().st_mtime_ns)
    return zone


@pytest.fixture
def ask(zone):
    """Ask about a response (or another file in place of one of the zone's);
    the exit status, the failed questions and the whole answer."""

    def call(text=None, *more, **files):
        names = {'config': 'ksrsigner.yaml', 'previous': 'skr-1.xml', 'anchor': 'anchor-2.xml',
                 'ksr': 'ksr-2.xml', 'skr': 'skr-2.xml'}
        if text is not None:
            assert text != zone.response.read_text()
            (zone.folder / 'mutant.xml').write_text(text)
            names['skr'] = 'mutant.xml'
        for kind, content in files.items():
            names[kind] = None
            if content is not None:
                (zone.folder / f'other-{kind}').write_text(content)
                names[kind] = f'other-{kind}'
        options = []
        for option, kind in [('--config', 'config'), ('--previous-skr', 'previous'),
                             ('--anchor', 'anchor'), ('--log', 'log')]:
            if names.get(kind):
                options += [option, names[kind]]
        done = zone.hsm.run('skrcheck', *options, *more, names['ksr'], names['skr'])
        failed = set(re.findall(r'^FAIL (\S+)$', done.out, re.M))
        return done.status, failed, done.out + done.err

    return call


def questions(top):
    return re.findall(r'^\t\{"(POST-[A-Z-]+)"', (top / 'postcheck/second.c').read_text(), re.M)


def test_sound_response_passes_every_question(zone, ask, top):
    status, failed, out = ask(log=zone.log.read_text())
    assert (status, failed) == (0, set()), out
    assert re.findall(r'^PASS (\S+)$', out, re.M) == questions(top)
    assert re.search(r'^PASS$', out, re.M) and 'SKIP' not in out
    assert 'note: Is this correct: not asked (--force)' in out


def test_other_layout_of_the_same_response_passes(zone, ask):
    """Order of attributes, indentation, quotes and comments are not its business."""
    text = zone.response.read_text().replace('<ResponseBundle', '<!-- hello --> <ResponseBundle')
    text = re.sub(r'<Key keyIdentifier="([^"]*)" keyTag="0*(\d+)">', r"<Key\n keyTag='\2' keyIdentifier='\1'>", text)
    assert ask(text)[:2] == (0, set())


# What is changed, how, and which question must notice it.

def swap(pattern, new, number=0):
    """Replace what the pattern's group holds, in its nth occurrence."""

    def change(text):
        found = list(re.finditer(pattern, text, re.S))[number]
        start, end = found.span(1)
        return text[:start] + (new(found.group(1)) if callable(new) else new) + text[end:]

    return change


def flip(material):
    raw = bytearray(base64.b64decode(material))
    raw[len(raw) // 2] ^= 1
    return base64.b64encode(raw).decode()


def later(time):
    return time.replace('T00:00:00', 'T00:00:01')


BUNDLE = r'(<ResponseBundle .*?</ResponseBundle>\n)'
ZSK = r'(<Key keyIdentifier="zsk-[^\n]*\n.*?</Key>\n)'
KSK = r'(<Key keyIdentifier="{}"[^\n]*\n.*?</Key>\n)'
OLD, NEW = KSK.format('old'), KSK.format('new')
SIGNATURE = r'(<Signature .*?</Signature>\n)'


def within(outer, inner):
    """A pattern inside of the first match of another."""
    return outer.replace('(', '').replace(')', '').split('.*?')[0] + r'(?:(?!</Key>|</Signature>).)*?' + inner


def twice(text):
    return text + text


def move_bundle(text):
    """The third bundle in front of the second."""
    first, second = list(re.finditer(BUNDLE, text, re.S))[1:3]
    return text[:first.start()] + second.group() + first.group() + text[second.end():]


def exchange_signatures(text):
    """Those of two bundles: each verifies, in the other one."""
    data = [found.span(1) for found in re.finditer(r'<SignatureData>(.*?)</SignatureData>', text)][1:3]
    (a, b), (c, d) = data
    return text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]


def by_other_key(text):
    """The old key's signature called one by the new key."""
    found = re.search(SIGNATURE, text, re.S)
    tag = re.search(r'<Key keyIdentifier="new" keyTag="(\d+)"', text).group(1)
    changed = re.sub('keyIdentifier="old"', 'keyIdentifier="new"', found.group())
    changed = re.sub(r'<KeyTag>\d+<', f'<KeyTag>{tag}<', changed)
    return text[:found.start()] + changed + text[found.end():]


MUTANTS = {
    'id': (swap(r'<KSR id="([^"]*)"', 'other'), 'POST-HEADER'),
    'serial': (swap(r'serial="([^"]*)"', '77'), 'POST-HEADER'),
    'domain': (swap(r'domain="([^"]*)"', 'example.net.'), 'POST-HEADER'),
    'zsk policy': (swap(r'<ZSK>.*?<RetireSafety>(.*?)<', 'P11D'), 'POST-HEADER'),
    'zsk policy algorithm': (swap(r'<ZSK>.*?<SignatureAlgorithm algorithm="(\d+)"', '14'), 'POST-HEADER'),
    'zsk policy size': (swap(r'<ZSK>.*?<ECDSA size="(\d+)"', '384'), 'POST-HEADER'),
    'ksk policy': (swap(r'<KSK>.*?<RetireSafety>(.*?)<', 'P11D'), 'POST-KSK-POLICY'),
    'ksk policy algorithm': (swap(r'<KSK>.*?<SignatureAlgorithm algorithm="(\d+)"', '14'), 'POST-KSK-POLICY'),
    'ksk policy size': (swap(r'<KSK>.*?<ECDSA size="(\d+)"', '384'), 'POST-KSK-POLICY'),
    'bundle id': (swap(r'<ResponseBundle id="([^"]*)"', 'other'), 'POST-BUNDLES'),
    'bundle begins later': (swap(r'<Inception>(.*?)<', later), 'POST-BUNDLES'),
    'bundle ends later': (swap(r'<Expiration>(.*?)<', later), 'POST-BUNDLES'),
    'first bundle lost': (swap(BUNDLE, ''), 'POST-BUNDLES'),
    'last bundle lost': (swap(BUNDLE, '', 3), 'POST-BUNDLES'),
    'bundle twice': (swap(BUNDLE, twice), 'POST-BUNDLES'),
    'bundles in another order': (move_bundle, 'POST-BUNDLES'),
    'zsk lost': (swap(ZSK, ''), 'POST-ZSKS'),
    'zsk twice': (swap(ZSK, twice), 'POST-ZSKS'),
    'zsk renamed': (swap(r'keyIdentifier="(zsk-[^"]*)"', 'zsk-13-00000'), 'POST-ZSKS'),
    'zsk tag': (swap(r'keyIdentifier="zsk-[^"]*" keyTag="(\d+)"', '00001'), 'POST-ZSKS'),
    'zsk TTL': (swap(within(ZSK, r'<TTL>(\d+)<'), '3600'), 'POST-ZSKS'),
    'zsk with other flags': (swap(within(ZSK, r'<Flags>(\d+)<'), '0'), 'POST-ZSKS'),
    'zsk as ksk': (swap(within(ZSK, r'<Flags>(\d+)<'), '257'), 'POST-KSK-SCHEMA'),
    'zsk protocol': (swap(within(ZSK, r'<Protocol>(\d+)<'), '2'), 'POST-ZSKS'),
    'zsk algorithm': (swap(within(ZSK, r'<Algorithm>(\d+)<'), '14'), 'POST-ZSKS'),
    'zsk bit': (swap(within(ZSK, r'<PublicKey>(.*?)<'), flip), 'POST-ZSKS'),
    'ksk lost': (swap(NEW, ''), 'POST-KSK-SCHEMA'),
    'signing ksk lost': (swap(OLD, ''), 'POST-SIGNATURES'),
    'ksk twice': (swap(OLD, twice), 'POST-KSK-FORM'),
    'ksk renamed': (swap(r'<Key keyIdentifier="(old)"', 'elder'), 'POST-KSK-FORM'),
    'ksk tag': (swap(r'<Key keyIdentifier="old" keyTag="(\d+)"', '00001'), 'POST-KSK-FORM'),
    'ksk TTL': (swap(within(OLD, r'<TTL>(\d+)<'), '3600'), 'POST-KSK-FORM'),
    'ksk as zsk': (swap(within(OLD, r'<Flags>(\d+)<'), '256'), 'POST-ZSKS'),
    'ksk revoked': (swap(within(OLD, r'<Flags>(\d+)<'), '385'), 'POST-KSK-FORM'),
    'ksk with other flags': (swap(within(OLD, r'<Flags>(\d+)<'), '1'), 'POST-KSK-FORM'),
    'ksk protocol': (swap(within(OLD, r'<Protocol>(\d+)<'), '2'), 'POST-KSK-FORM'),
    'ksk algorithm': (swap(within(OLD, r'<Algorithm>(\d+)<'), '14'), 'POST-KSK-FORM'),
    'ksk bit': (swap(within(OLD, r'<PublicKey>(.*?)<'), flip), 'POST-KSK-SCHEMA'),
    'signature by whom': (swap(r'<Signature keyIdentifier="([^"]*)"', 'new'), 'POST-SIGNATURES'),
    'signature TTL': (swap(within(SIGNATURE, r'<TTL>(\d+)<'), '3600'), 'POST-SIGNATURE-FIELDS'),
    'signature type': (swap(r'<TypeCovered>(.*?)<', 'SOA'), 'POST-SIGNATURE-FIELDS'),
    'signature algorithm': (swap(within(SIGNATURE, r'<Algorithm>(\d+)<'), '14'), 'POST-SIGNATURES'),
    'signature labels': (swap(r'<Labels>(\d+)<', '0'), 'POST-SIGNATURE-FIELDS'),
    'signature original TTL': (swap(r'<OriginalTTL>(\d+)<', '3600'), 'POST-SIGNATURE-FIELDS'),
    'signature expires later': (swap(r'<SignatureExpiration>(.*?)<', later), 'POST-SIGNATURE-FIELDS'),
    'signature begins later': (swap(r'<SignatureInception>(.*?)<', later), 'POST-SIGNATURE-FIELDS'),
    'signature tag': (swap(r'<KeyTag>(\d+)<', '00001'), 'POST-SIGNATURES'),
    'signature signer': (swap(r'<SignersName>(.*?)<', '.'), 'POST-SIGNATURE-FIELDS'),
    'signature bit': (swap(r'<SignatureData>(.*?)<', flip), 'POST-SIGNATURES'),
    'signature twice': (swap(SIGNATURE, twice), 'POST-SIGNATURES'),
    'signatures exchanged': (exchange_signatures, 'POST-SIGNATURES'),
    'signature of another key': (by_other_key, 'POST-SIGNATURES'),
}


@pytest.mark.parametrize('name', MUTANTS)
def test_mutant_is_found(zone, ask, name):
    change, question = MUTANTS[name]
    status, failed, out = ask(change(zone.response.read_text()))
    assert status == 1, out
    assert question in failed, out
    assert re.search(r'^FAIL$', out, re.M)


def test_no_field_of_a_response_can_change_unnoticed(zone, ask):
    """Every attribute and every text of the first and the last bundle and of the
    policies, one at a time, by one character that keeps its form."""
    text = zone.response.read_text()
    middle = [found.span() for found in re.finditer(BUNDLE, text, re.S)][1:-1]
    spots = [found.span(found.lastindex) for found in re.finditer(r'(?<!version)(?<!encoding)="([^"]+)"|>([^<>\s]+)<',
                                                                  text)]
    unnoticed, looked = [], 0
    for start, end in spots:
        if any(a <= start < b for a, b in middle):
            continue
        old = text[start:end]
        # The last character of base64 may have unused bits: take the one before.
        at = start + next(i for i in reversed(range(len(old.rstrip('=')) - (len(old) > 60))) if old[i].isalnum())
        new = {'0': '1', '9': '8', 'Z': 'Y', 'z': 'y'}.get(text[at], chr(ord(text[at]) + 1))
        mutant = text[:at] + new + text[at + 1:]
        looked += 1
        if ask(mutant)[0] not in (1, 3):
            unnoticed.append(text[start - 30:end] + ' with ' + new)
    assert looked > 100
    assert not unnoticed


# A response that is signed properly, but not what was asked for.

@pytest.mark.parametrize('build, question', [
    (lambda zone: zone.normal('old'), 'POST-KSK-SCHEMA'),
    (lambda zone: zone.slots((1, use('old', publish=['new', 'idle'])), (2, use('new', publish=['old']))),
     'POST-KSK-SCHEMA'),
    (lambda zone: zone.slots((1, use('old', 'new')), (2, use('new', publish=['old']))), 'POST-KSK-SCHEMA'),
    (lambda zone: zone.revoke('old', 'new'), 'POST-KSK-SCHEMA'),
])
def test_other_schema_is_found(zone, ask, build, question):
    """The signer did everything right with a schema that was not the ceremony's."""
    config = (zone.folder / 'ksrsigner.yaml').read_text()
    try:
        zone.configure(build(zone), zone.folder / 'ksr-2.xml', check_keys_retire_safety=False,
                       check_keys_publish_safety=False)
        done = zone.hsm.run('ksrsigner', '--force', '--previous-skr', 'skr-1.xml', 'ksr-2.xml', 'wrong.xml')
        assert done.status == 0, done.err
        text = (zone.folder / 'wrong.xml').read_text()
        (zone.folder / 'wrong.xml').unlink()
    finally:
        (zone.folder / 'ksrsigner.yaml').write_text(config)
    status, failed, out = ask(text)
    assert (status, failed) == (1, {question}), out


def test_response_to_another_request_is_found(zone, ask):
    other = zone.hsm.run('ksrgen', '--keys', 'zsk', '--previous', 'skr-1.xml', '--bundles', '4', 'ksr-x.xml')
    assert other.status == 0, other.err
    status, failed, _ = ask(ksr=(zone.folder / 'ksr-x.xml').read_text())
    assert status == 1
    assert failed == {'POST-HEADER', 'POST-BUNDLES', 'POST-ZSKS'}


def test_request_without_proof_is_found(zone, ask):
    request = swap(r'<SignatureData>(.*?)<', flip)((zone.folder / 'ksr-2.xml').read_text())
    assert ask(ksr=request)[:2] == (1, {'POST-REQUEST'})


# History

def test_previous_response_that_does_not_verify_is_found(zone, ask):
    text = swap(r'<SignatureData>(.*?)<', flip, -1)((zone.folder / 'skr-1.xml').read_text())
    status, failed, out = ask(previous=text)
    # The last bundle hangs on nothing then, and so the others do; and nothing counts as published.
    assert (status, failed) == (1, {'POST-PREVIOUS', 'POST-CHAIN', 'POST-PUBLISH-SAFETY'})
    assert 'the signature by old does not hold' in out


def test_other_history_is_found(zone, ask):
    """The response after itself: nothing continues, and time goes back."""
    status, failed, out = ask(previous=zone.response.read_text())
    assert (status, failed) == (1, {'POST-CHAIN', 'POST-PUBLISH-SAFETY'})
    for reason in ('has the same id', 'is in the previous response too', 'not as stated in the request',
                   'alone', 'new one begins'):
        assert reason in out


@pytest.fixture
def rehearse(tmp_path, programs):
    """A zone of its own, with these KSKs."""

    def make(*names):
        zone = Rehearsal(tmp_path, programs, domain='example.', algorithm=13, bundles=4)
        for name in names:
            zone.add_ksk(name)
        return zone

    return make


def judged(zone):
    return zone.hsm.run('skrcheck', '--config', 'ksrsigner.yaml', *zone.chain(), zone.request.name, zone.response.name)


def test_revoked_key_that_the_configuration_has_no_more(rehearse):
    """Revoked to the end of a quarter, and gone from the configuration with the next
    one: ksrsigner finds it in the HSM, skrcheck has no HSM and says what it cannot
    see.  The key beside it is known and not revoked, so that nothing hangs on it."""
    zone = rehearse('old', 'new')
    zone.quarter(zone.rollover_more('old', 'new'))
    zone.quarter(zone.slots((1, use('new', publish=['old'])), (2, use('new', revoke=['old']))))
    old = zone.keys.pop('old')
    zone.quarter(zone.normal('new'))
    done = judged(zone)
    assert done.status == 0 and 'PASS POST-CHAIN' in done.out, done.out
    assert 'not looked at: whose key old is' in done.out and done.out.splitlines()[-1].startswith('PASS, but')
    # Under another name, and with the other one unknown.
    sections = json.loads((zone.folder / 'ksrsigner.yaml').read_text())
    for keys in ({**zone.keys, 'other': {**old, 'label': 'other'}}, {'new': {**old, 'label': 'new'}}):
        sections['keys'] = keys
        (zone.folder / 'ksrsigner.yaml').write_text(json.dumps(sections))
        done = judged(zone)
        assert done.status == 1 and 'signed by old' in done.out, done.out


def test_signer_beside_that_is_not_revoked_must_be_known(rehearse):
    zone = rehearse('old', 'new')
    zone.quarter(zone.slots((1, use('new', 'old'))))
    zone.keys.pop('old')
    zone.ask()
    zone.configure(zone.normal('new'), zone.request, check_keys_retire_safety=False)
    assert zone.sign().status == 0
    zone.response = zone.folder / 'skr-2.xml'
    done = judged(zone)
    assert done.status == 1 and 'FAIL POST-CHAIN' in done.out and 'signed by old' in done.out, done.out


def test_earlier_bundles_hang_on_a_key_that_signs_only(rehearse):
    """As KSR-CHAIN-KEYS-HSM has it: who signed the last bundle, published or not."""
    zone = rehearse('old', 'new')
    record, = re.findall(r'  old .*\n.* DNSKEY 257 3 13 (\S+)', zone.hsm.run('keymaster', 'inventory', '--dns').out)
    zone.keys['old']['public_key'] = record
    alone = ['ECDSAP256SHA256']
    last = {**use('new'), 'sign_only': ['old'], 'algorithms': {'published': alone, 'signing': alone}}
    zone.policy = {'check_keys_publish_safety': False, 'check_keys_retire_safety': False}
    zone.quarter(zone.slots((1, use('old')), (-1, last)))
    zone.quarter(zone.normal('new'))
    done = judged(zone)
    assert done.status == 0 and 'PASS POST-CHAIN' in done.out, done.out


def without_signatures(path, name, first=1):
    """Every signature by that key taken out of a response, from a bundle on: no other
    covers them."""
    bundles = path.read_text().split('<ResponseBundle ')
    for at in range(first, len(bundles)):
        bundles[at], count = re.subn(rf'\s*<Signature keyIdentifier="{name}">.*?</Signature>', '', bundles[at],
                                     flags=re.S)
        assert count
    path.write_text('<ResponseBundle '.join(bundles))


# One that is left in the first of three bundles is not enough.
@pytest.mark.parametrize('first', [1, 2])
def test_signatures_that_were_removed(rehearse, first):
    """Of two keys that sign, one looks as if it had only been published, or no longer
    signed: nothing in the response shows otherwise, so that both programs say what
    follows from it."""
    zone = rehearse('old', 'new')
    signed = zone.quarter(zone.slots((1, use('new', 'old'))))
    zone.ask()
    zone.configure(zone.normal('new'), zone.request)
    done = zone.sign()
    assert done.status == 1 and 'FAIL SKR-POLICY-RETIRE-SAFETY' in done.out
    without_signatures(signed, 'old', first)
    done = zone.sign()
    assert done.status == 0, done.err
    assert "SKR-POLICY-RETIRE-SAFETY: key old does not sign the previous response's last bundle" in done.err
    zone.response = zone.folder / 'skr-2.xml'
    done = judged(zone)
    assert done.status == 0 and 'key old is gone, and does not sign bundle' in done.out, done.out
    # Nothing to say of a key that stays.
    zone.configure(zone.slots((1, use('new', publish=['old']))), zone.request)
    done = zone.sign()
    assert done.status == 0 and 'RETIRE-SAFETY: key old' not in done.err, done.err
    done = judged(zone)
    assert done.status == 0 and 'key old is gone' not in done.out, done.out


def test_revocation_whose_signatures_were_removed(rehearse):
    zone = rehearse('old', 'new')
    zone.quarter(zone.rollover_more('old', 'new'))
    signed = zone.quarter(zone.slots((1, use('new', publish=['old'])), (2, use('new', revoke=['old']))))
    without_signatures(signed, 'old', 2)
    zone.ask()
    zone.configure(zone.normal('new'), zone.request)
    done = zone.sign()
    assert done.status == 0, done.err
    for words in ('SKR-SIGNATURES: bundle', 'SKR-POLICY-RETIRE-SAFETY: key old does not sign'):
        assert words in done.err, done.err
    assert done.err.count('key old is revoked, and its signature is missing') == 3
    zone.response = zone.folder / 'skr-3.xml'
    done = judged(zone)
    assert done.status == 0 and 'key old is revoked and does not sign' in done.out, done.out
    assert 'key old is gone, and does not sign bundle' in done.out, done.out


# Trust anchor

@pytest.mark.parametrize('change', [
    swap(r'<Zone>(.*?)<', '.'),
    lambda text: re.sub(r'<Digest>.', '<Digest>0', re.sub(r'<Digest>0', '<Digest>1', text)),
    lambda text: re.sub(r'<KeyTag>\d+<', '<KeyTag>1<', text),
    lambda text: re.sub(r'validFrom="[^"]*"', 'validFrom="2050-01-01T00:00:00+00:00"', text),
    lambda text: re.sub(r'(validFrom="[^"]*")', r'\1 validUntil="2021-01-01T00:00:00+00:00"', text),
    lambda text: re.sub(r'<PublicKey>(.*?)<', lambda found: f'<PublicKey>{flip(found.group(1))}<', text),
    lambda text: re.sub(r'<DigestType>2<', '<DigestType>1<', text),
    swap(r'(<KeyDigest id="new".*?</KeyDigest>)', ''),
    lambda text: re.sub(r'<Flags>257<', '<Flags>385<', text),
    lambda text: re.sub(r'<Flags>257<', '<Flags>0<', text),
    # One entry that says so is enough: who made such a file must be asked.
    swap(r'<KeyDigest id="idle".*?<Flags>(257)<', '385'),
    # So is one that contradicts itself: people look at its tag and its digest alone.
    swap(r'<KeyDigest id="idle".*?<KeyTag>(\d+)<', '1'),
    swap(r'<KeyDigest id="idle".*?<Digest>(\w\w)', lambda byte: f'{int(byte, 16) ^ 1:02X}'),
    swap(r'<KeyDigest id="idle".*?<Digest>(\w\w)', ''),
    swap(r'<KeyDigest id="idle".*?<PublicKey>([^<]*)<', flip),
])
def test_other_anchor_is_found(zone, ask, change):
    status, failed, out = ask(anchor=change((zone.folder / 'anchor-2.xml').read_text()))
    assert (status, failed) == (1, {'POST-ANCHOR'}), out


@pytest.mark.parametrize('text', ['', '<TrustAnchor/>', '<KSR/>', '<!DOCTYPE a []><TrustAnchor id="a"/>'])
def test_file_that_is_no_anchor(ask, text):
    assert ask(anchor=text)[0] == 3


def test_older_form_of_anchor(zone, ask):
    done = zone.hsm.run('trustanchor', '--rfc7958', '--trustanchor', 'old-form.xml')
    assert done.status == 0, done.err
    assert ask(anchor=(zone.folder / 'old-form.xml').read_text())[:2] == (0, set())


def test_many_entries_and_many_signatures_take_no_time(zone, ask):
    """As many as files may hold: each entry is compared with each key that signed."""
    entry = ('<KeyDigest id="k{0}" validFrom="2010-07-15T00:00:00+00:00"><KeyTag>{0}</KeyTag><Algorithm>13</Algorithm>'
             f'<DigestType>2</DigestType><Digest>{"00" * 32}</Digest></KeyDigest>')
    anchor = '<TrustAnchor id="a"><Zone>example.</Zone>' + ''.join(map(entry.format, range(4700))) + '</TrustAnchor>'
    text = zone.response.read_text()
    bundle = re.search(r'<ResponseBundle.*?</ResponseBundle>', text, re.S)[0]
    signature = re.search(r'<Signature .*?</Signature>', bundle, re.S)[0]
    signature = re.sub(r'<SignatureData>[^<]*', '<SignatureData>AAAA', signature)
    keys, signatures = '', ''
    for i in range(1200):
        public = i.to_bytes(2, 'big') + bytes(2)  # all in one DNS message
        tag = 257 + (3 << 8) + 13 + i  # no carry
        keys += (f'<Key keyIdentifier="k{i}" keyTag="{tag}"><TTL>172800</TTL><Flags>257</Flags><Protocol>3</Protocol>'
                 f'<Algorithm>13</Algorithm><PublicKey>{base64.b64encode(public).decode()}</PublicKey></Key>')
        signatures += re.sub(r'<KeyTag>\d+', f'<KeyTag>{tag}', re.sub(r'keyIdentifier="[^"]*"', f'keyIdentifier="k{i}"', signature))
    changed = re.sub(r'<Signature .*</Signature>', signatures, re.sub(r'<Key .*</Key>', keys, bundle, flags=re.S), flags=re.S)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    status, failed, out = ask(text.replace(bundle, changed), anchor=anchor)
    assert status == 1 and 'POST-ANCHOR' in failed, out
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 2


# The log

@pytest.mark.parametrize('change, reason', [
    (lambda text: text.replace('] done', '] gone'), 'does not end with'),
    (lambda text: text.rsplit('\n', 2)[0] + '\n', 'does not end with'),
    (swap(r'\] KSR \S+ SHA-256 ([0-9a-f])', lambda c: 'f' if c == '0' else '0'), 'no such request'),
    (swap(r'\] configuration \S+ SHA-256 ([0-9a-f])', lambda c: 'f' if c == '0' else '0'), 'no such configuration'),
    (swap(r'\] previous SKR \S+ SHA-256 ([0-9a-f])', lambda c: 'f' if c == '0' else '0'),
     'no such previous response'),
    (swap(r'hash of SKR:\n[^\n]*\] ([0-9a-f])', lambda c: 'f' if c == '0' else '0'), 'no such response'),
    (lambda text: text.replace('[INFO] ...PASSED.', '[ERROR] not so good'), 'trouble: not so good'),
    (lambda text: text.replace('PASS KSR-FILE', 'FAIL KSR-FILE'), 'trouble: FAIL KSR-FILE'),
    (lambda text: text.replace('ksrsigner ', 'keymaster ', 1), 'no log of ksrsigner'),
    (lambda text: text + 'and another thing\n', 'is not "TIME: [LEVEL] TEXT"'),
    (lambda text: '', 'no log of ksrsigner'),
    (lambda text: text.replace('(new)/S', '(new)/P'), 'never shown: 2 '),
    (lambda text: text + '\0', 'there is a NUL in it'),
])
def test_log_that_tells_another_story_is_found(zone, ask, change, reason):
    text = zone.log.read_text()
    changed = change(text)
    assert changed != text
    status, failed, out = ask(log=changed)
    assert (status, failed) == (1, {'POST-LOG'}), out
    assert reason in out


def test_request_does_not_write_the_transcript(zone, ask):
    """A comment in a request that is copied into the log: neither a result nor an
    end is believed, and paper shows what each line is."""
    digest = hashlib.sha256(b'another response').hexdigest()
    request = (zone.folder / 'ksr-2.xml').read_text()
    evil = request.replace('<Request>', f'<!--\nSHA256 hash of SKR:\n{digest}\ndone\n{"x" * 72}done\n-->\n<Request>', 1)
    (zone.folder / 'evil.xml').write_text(evil)
    before = set(zone.folder.glob('ksrsigner-*.log'))
    done = zone.hsm.run('ksrsigner', '--force', '--log-ksr', '--log-skr', '--log-previous-skr', '--previous-skr',
                        'skr-1.xml', 'evil.xml', 'evil-skr.xml')
    assert done.status == 0, done.err
    (zone.folder / 'evil-skr.xml').unlink()
    log, = set(zone.folder.glob('ksrsigner-*.log')) - before
    text = log.read_text()
    assert f'[INFO] | {digest}\n' in text and '[INFO] |+ done\n' in text
    status, failed, out = ask(log=text, ksr=evil)
    assert (status, failed) == (1, {'POST-LOG'}), out       # signed anew, so it is another response
    # The event that it forged is no result: with the real one taken out, nothing is left.
    at = text.rindex('SHA256 hash of SKR:')
    forged = text[:at] + text[at:].replace('SHA256 hash of SKR:', 'nothing')
    (zone.folder / 'x.log').write_text(forged)
    events = [line.split('] ', 1)[1] for line in forged.splitlines()]
    assert 'SHA256 hash of SKR:' not in events and events.count('done') == 1
    assert 'no such response' in ask(log=forged, ksr=evil)[2]
    paper = subprocess.run([zone.hsm.programs / 'text2pdf', '--log', log], stdout=subprocess.PIPE, check=True).stdout
    shown = subprocess.run(['pdftotext', '-layout', '-', '-'], input=paper, stdout=subprocess.PIPE, check=True).stdout
    lines = [line.strip() for line in shown.decode().splitlines()]
    assert lines.count('done') == 1 and lines.count(f'| {digest}') == 1


def test_log_of_another_shape_is_none(zone, ask):
    """Events have a time and a level that there is."""
    text = zone.log.read_text()
    for old, new in (('Z: [INFO] done', ': [INFO] done'), ('[INFO] done', '[COPY] done'),
                     (': [INFO] done', '2026: [INFO] done')):
        assert ask(log=text.replace(old, new))[:2] == (1, {'POST-LOG'})


def test_log_may_have_the_keys_in_the_order_of_the_set(zone, ask):
    """As the signer showed them up to 0.2.0."""
    text = zone.log.read_text()
    changed = re.sub(r'(?<= )([0-9]{5}(?:\([^ ]+\)/[RSP]+)?),([0-9]{5}(?:\([^ ]+\)/[RSP]+)?)(?=\s)', r'\2,\1', text)
    assert changed != text
    status, failed, out = ask(log=changed)
    assert status == 0 and not failed, out


# The configuration

@pytest.mark.parametrize('pattern, new, questions', [
    (r'"retire_safety": "(P10D)"', 'P11D', {'POST-KSK-POLICY'}),
    (r'"signers_name": "(example\.)"', '.', {'POST-KSK-POLICY'}),
    (r'"new": \{.*?"key_tag": (\d+)', '1', {'POST-KSK-IDENTITY'}),
    (r'"new": \{.*?"algorithm": "(\w+)"', 'ECDSAP384SHA384', {'POST-KSK-IDENTITY'}),
    (r'"new": \{.*?"ds_sha256": "(\w)', lambda c: 'F' if c == '0' else '0', {'POST-KSK-IDENTITY', 'POST-KSK-SCHEMA', 'POST-CHAIN'}),
    (r'"new": \{.*?"label": "(\w+)"', 'newer', {'POST-KSK-SCHEMA'}),
    (r'"new": \{.*?"valid_from": "2(0)', '1', {'POST-KSK-IDENTITY'}),
])
def test_other_configuration_is_found(zone, ask, pattern, new, questions):
    config = swap(pattern, new)((zone.folder / 'ksrsigner.yaml').read_text())
    status, failed, out = ask(config=config)
    assert (status, failed) == (1, questions), out


def test_last_line_counts_what_was_not_asked(ask):
    """A bare PASS is for a response of which everything was asked."""
    assert ask()[2].splitlines()[-1] == 'PASS, but 1 of 18 questions not asked'
    assert ask(config=None)[2].splitlines()[-1] == 'PASS, but 4 of 18 questions not asked'
    out = ask(anchor=None, previous=None)[2]
    assert out.splitlines()[-1] == 'PASS, but 4 of 18 questions not asked'


def test_label_alone_vouches_for_nothing(zone, ask):
    """A configuration without the DS of its keys: anybody's key may have that label."""
    config = re.sub(r'"(ds_sha256|key_tag)": [^,]*,\s*', '', (zone.folder / 'ksrsigner.yaml').read_text())
    assert 'ds_sha256' not in config
    status, failed, out = ask(config=config, anchor=None)
    assert (status, failed) == (0, set())
    assert out.splitlines()[-1].startswith('PASS, but keys are known by their labels alone')
    assert ask(config=config)[2].splitlines()[-1] == 'PASS, but 1 of 18 questions not asked'


def test_configured_public_key_is_compared(zone, ask):
    """Without a DS the bytes are what says whose key it is."""
    sections = json.loads((zone.folder / 'ksrsigner.yaml').read_text())
    text, names = (zone.folder / 'skr-2.xml').read_text(), ['old', 'new']
    for name in names:
        key = sections['keys'][name]
        for other in ('ds_sha256', 'key_tag'):
            key.pop(other)
        found = re.search(rf'<Key keyIdentifier="{name}".*?<PublicKey>([^<]*)', text, re.S)
        key['public_key'] = re.sub(r'\s', '', found[1])
    status, failed, out = ask(config=json.dumps(sections), anchor=None)
    assert (status, failed) == (0, set()) and 'by their labels alone' not in out.splitlines()[-1], out
    sections['keys'][names[0]]['public_key'], sections['keys'][names[1]]['public_key'] = \
        sections['keys'][names[1]]['public_key'], sections['keys'][names[0]]['public_key']
    status, failed, out = ask(config=json.dumps(sections), anchor=None)
    assert status == 1 and 'POST-KSK-IDENTITY' in failed and 'it is not the configured public_key' in out, out


def test_key_beside_that_the_anchor_does_not_have(zone, ask):
    """An anchor vouches for its own keys: one that is only published, and known by
    its label alone, is said."""
    sections = json.loads((zone.folder / 'ksrsigner.yaml').read_text())
    sections['schemas']['normal'] = {str(number): each for number, each
                                     in enumerate(zone.publish_more('old', 'new'), 1)}
    files = {name: (zone.folder / f'{name}-1.xml').read_text() for name in ('ksr', 'skr')}
    files.update(previous=None, anchor=zone.anchor('old').read_text())
    status, failed, out = ask(config=json.dumps(sections), **files)
    assert (status, failed) == (0, set()) and 'by their labels alone' not in out, out
    for other in ('ds_sha256', 'key_tag'):
        sections['keys']['new'].pop(other)
    status, failed, out = ask(config=json.dumps(sections), **files)
    assert (status, failed) == (0, set()) and 'by their labels alone' in out.splitlines()[-1], out


def test_previous_response_of_the_configuration_is_taken(zone, ask):
    """As ksrsigner does, so that nobody forgets the chain."""
    config = (zone.folder / 'ksrsigner.yaml').read_text().replace('{', '{"filenames": {"previous_skr": "%s"},', 1)
    assert 'PASS POST-CHAIN' in ask(config=config % 'skr-1.xml', previous=None)[2]
    assert 'FAIL POST-CHAIN' in ask(config=config % 'skr-2.xml', previous=None)[2]
    assert ask(config=config % 'none.xml', previous=None)[0] == 3
    assert 'SKIP POST-CHAIN (why)' in ask(None, '--no-previous-skr', 'why', config=config % 'skr-2.xml', previous=None)[2]


def test_without_configuration_it_says_what_it_cannot_tell(ask):
    status, failed, out = ask(config=None, anchor=None, previous=None)
    assert (status, failed) == (0, set())
    assert not re.search(r'^PASS$', out, re.M)
    assert re.match(r'INCOMPLETE: whose keys signed is not known .*; 7 of 18 questions not asked$', out.splitlines()[-1])
    assert re.findall(r'^SKIP (\S+) \((.*)\)$', out, re.M) == [
        ('POST-KSK-POLICY', 'no configuration (--config)'), ('POST-KSK-SCHEMA', 'no configuration (--config)'),
        ('POST-KSK-IDENTITY', 'no configuration (--config)'), ('POST-ANCHOR', 'no trust anchor (--anchor)'),
        ('POST-PREVIOUS', 'no previous response (--previous-skr)'),
        ('POST-CHAIN', 'no previous response (--previous-skr)'), ('POST-LOG', 'no log (--log)')]


@pytest.mark.parametrize('options, status', [
    ([], 2), (['ksr-2.xml'], 2), (['a', 'b', 'c'], 2), (['ksr-2.xml', 'none.xml'], 3),
    (['skr-2.xml', 'skr-2.xml'], 1), (['ksr-2.xml', 'ksr-2.xml'], 1),
    (['--schema', 'normal', 'ksr-2.xml', 'skr-2.xml'], 2),
    (['--config', 'ksrsigner.yaml', '--schema', 'none', 'ksr-2.xml', 'skr-2.xml'], 2),
    (['--config', 'none.yaml', 'ksr-2.xml', 'skr-2.xml'], 2),
    (['--previous-skr', 'skr-1.xml', '--no-previous-skr', 'x', 'ksr-2.xml', 'skr-2.xml'], 2),
    (['--config', 'ksrsigner.yaml', '--ksk', 'old=older', 'ksr-2.xml', 'skr-2.xml'], 2),
    (['--config', 'ksrsigner.yaml', '--ksk', 'x=y', 'ksr-2.xml', 'skr-2.xml'], 2),
    (['--zone', 'ksr-2.xml'], 1),
])
def test_misuse(zone, options, status):
    assert zone.hsm.run('skrcheck', *options).status == status


# Zone files

def test_zone_file_has_the_records_of_the_response(zone):
    done = zone.hsm.run('skrcheck', '--zone', 'skr-2.xml')
    assert done.status == 0, done.err
    root = tree.fromstring(zone.response.read_text())
    lines = [line.split(maxsplit=12) for line in done.out.splitlines() if not line.startswith(';')]
    keys = [line for line in lines if line[3] == 'DNSKEY']
    assert [[*line[:7], line[7]] for line in keys] == [
        ['example.', key.findtext('TTL'), 'IN', 'DNSKEY', key.findtext('Flags'), '3', '13', key.findtext('PublicKey')]
        for key in root.iter('Key')]
    signatures = [line for line in lines if line[3] == 'RRSIG']
    assert [line[12] for line in signatures] == [sig.findtext('SignatureData') for sig in root.iter('Signature')]
    assert all(line[4:8] == ['DNSKEY', '13', '1', '172800'] and line[11] == 'example.' for line in signatures)
    assert len(keys) + len(signatures) == len(lines)


def test_zone_with_request_is_still_a_zone(zone):
    done = zone.hsm.run('skrcheck', '--zone', 'ksr-2.xml', 'skr-2.xml')
    assert done.status == 0
    assert all(line.startswith(('; ', 'example. ')) for line in done.out.splitlines())
    assert '; PASS POST-SIGNATURES' in done.out


# The reference pairs

REAL = ['--previous-skr', 'production/skr-root-2017-q1-0.xml', '--anchor', 'production/root-anchors-2025.xml']
PAIRS = {
    '2009-q4-2': ('test-quarters', ['--no-previous-skr', 'the first']),
    '2010-q1-0': ('test-quarters', ['--previous-skr', 'test-quarters/skr-root-2009-q4-2.xml']),
    # Signed by the root's KSK, which the configuration has a test key for.
    '2017-q2-0': ('production', REAL),
}


@pytest.fixture
def pair(run, data):
    """Ask about a pair; the exit status, what failed and the whole answer."""

    def ask(name, options, config=None, response=None):
        folder = PAIRS[name][0]
        options = [data / word if '/' in word else word for word in options]
        done = run('skrcheck', '--config', config or data / f'config/{name}.yaml', *options,
                   data / folder / f'ksr-root-{name}.xml', response or data / folder / f'skr-root-{name}.xml')
        out = done.stdout.decode()
        return done.returncode, set(re.findall(r'^FAIL (\S+)$', out, re.M)), out + done.stderr.decode()

    return ask


@pytest.mark.parametrize('name', PAIRS)
def test_reference_pair_passes(pair, name):
    status, failed, out = pair(name, PAIRS[name][1])
    assert (status, failed) == (0, set()), out
    assert 'PASS POST-KSK-SCHEMA' in out and 'PASS POST-KSK-IDENTITY' in out


def test_every_reference_pair_is_looked_at(data):
    there = {path.stem.removeprefix('ksr-root-') for path in data.glob('*/ksr-root-*.xml')}
    assert there == set(PAIRS)


# The root's own key in place of a rehearsal's: only where nothing else can be
# meant, and never unsaid.

STANDS_IN = 'note: key Kjqmt7v of the trust anchor stands for the configured KSK1, '
REFUSED = {'POST-KSK-SCHEMA', 'POST-KSK-IDENTITY'}


def test_real_key_in_place_of_a_test_key_is_said(pair):
    assert STANDS_IN + "which is a rehearsal's" in pair('2017-q2-0', REAL)[2]
    assert STANDS_IN + 'as --ksk says' in pair('2017-q2-0', [*REAL, '--ksk', 'KSK1=Kjqmt7v'])[2]


def test_real_key_without_a_trust_anchor_is_refused(pair):
    status, failed, out = pair('2017-q2-0', REAL[:2])
    assert (status, failed) == (1, REFUSED)
    assert '--anchor tells of the real key' in out


def test_real_key_without_the_response_before_is_refused(pair):
    assert pair('2017-q2-0', ['--no-previous-skr', 'lost', *REAL[2:]])[:2] == (1, REFUSED)


@pytest.mark.parametrize('pattern, new', [
    # A ceremony's configuration asks for the keys of the response before.
    ('(check_chain_keys_in_hsm: false)', 'check_chain_keys_in_hsm: true'),
    # A configuration that has a key of the anchor is about those keys.
    ('ds_sha256: (567C[0-9A-F]+)', '49AAC11D7B6F6446702E54A1607371607A1A41855200FD2CE1CDDE32F24E8FB5'),
    # A key without a DS may be any.
    ('(    ds_sha256: 567C[0-9A-F]+\n)', ''),
    # Which of two would it be?
    ('publish: (KSK1)', '[KSK1, KSK2]'),
])
def test_real_key_is_refused_where_another_may_be_meant(pair, data, tmp_path, pattern, new):
    config = tmp_path / 'other.yaml'
    config.write_text(swap(pattern, new)((data / 'config/2017-q2-0.yaml').read_text()))
    status, failed, _ = pair('2017-q2-0', REAL, config)
    assert (status, failed - {'POST-CHAIN'}) == (1, REFUSED)
    # Where it asks, they are not its own.
    assert ('POST-CHAIN' in failed) == ('in_hsm' in pattern)


def test_real_key_that_did_not_sign_before_is_refused(pair):
    """A response in front of which another key signed."""
    status, failed, out = pair('2017-q2-0', ['--previous-skr', 'test-quarters/skr-root-2010-q1-0.xml', *REAL[2:]])
    assert (status, failed) == (1, {'POST-KSK-SCHEMA', 'POST-CHAIN'})
    assert 'Kjqmt7v (19036) is not in the schema' in out and STANDS_IN not in out


def test_test_key_is_none_of_the_trust_anchor(run, pair, data, softhsm, tmp_path):
    """What the rehearsal itself made is the configuration's, and not the root's."""
    done = run('ksrsigner', '--force', '--config', data / 'config/2017-q2-0.yaml', REAL[0], data / REAL[1],
               data / 'production/ksr-root-2017-q2-0.xml', 'skr.xml')
    assert done.returncode == 0, done.stderr
    assert pair('2017-q2-0', REAL, response=tmp_path / 'skr.xml')[:2] == (1, {'POST-ANCHOR'})


@pytest.mark.parametrize('name', PAIRS)
def test_what_the_signer_makes_of_a_reference_request_passes(run, data, softhsm, tmp_path, name):
    folder, options = PAIRS[name]  # the first two are about the response before
    options = ['--config', data / f'config/{name}.yaml', options[0],
               data / options[1] if '/' in options[1] else options[1]]
    request = data / folder / f'ksr-root-{name}.xml'
    done = run('ksrsigner', '--force', *options, request, 'skr.xml')
    assert done.returncode == 0, done.stderr
    log, = tmp_path.glob('ksrsigner-*.log')
    done = run('skrcheck', *options, '--log', log, request, 'skr.xml')
    assert done.returncode == 0, done.stdout.decode()


def test_mutants_of_the_request_do_not_match_the_response(run, data):
    """A request that must be refused was not what this response answers."""
    looked = 0
    for line in (data / 'mutants/VERDICTS.tsv').read_text().splitlines():
        if line.startswith('#'):
            continue
        name, verdict = line.split('\t')[:2]
        done = run('skrcheck', data / 'mutants' / name, data / 'production/skr-root-2017-q2-0.xml')
        assert done.returncode in ([0] if verdict == 'accept' else [1]), line
        looked += 1
    assert looked > 25


def test_output_that_cannot_be_written(zone, programs):
    command = f'{zone.hsm.programs}/skrcheck --zone skr-2.xml >/dev/full'
    assert subprocess.run(command, shell=True, cwd=zone.folder, stderr=subprocess.DEVNULL).returncode == 5


def test_quarters_of_one_ceremony(zone, programs):
    """--chain signs two at once: the second continues a response that was never
    read as a file, and the one log tells of both."""
    for number, previous in ((3, 'skr-2.xml'), (4, 'ksr-3.xml')):
        done = zone.hsm.run('ksrgen', '--keys', 'zsk', '--bundles', '4', '--previous', previous, f'ksr-{number}.xml')
        assert done.status == 0, done.err
    config = (zone.folder / 'ksrsigner.yaml').read_text()
    try:
        zone.configure(zone.normal('new'), zone.folder / 'ksr-3.xml', check_keys_retire_safety=False)
        before = set(zone.folder.glob('ksrsigner-*.log'))
        done = zone.hsm.run('ksrsigner', '--force', '--previous-skr', 'skr-2.xml', '--chain', '--output-dir', 'out',
                            'ksr-3.xml', 'ksr-4.xml')
        assert done.status == 0, done.err
        log, = set(zone.folder.glob('ksrsigner-*.log')) - before
        for number, previous in ((3, 'skr-2.xml'), (4, 'out/skr-3.xml')):
            done = zone.hsm.run('skrcheck', '--config', 'ksrsigner.yaml', '--log', log.name, '--previous-skr', previous,
                                f'ksr-{number}.xml', f'out/skr-{number}.xml')
            assert done.status == 0, done.out
        done = zone.hsm.run('skrcheck', '--log', log.name, '--previous-skr', 'skr-1.xml', 'ksr-4.xml', 'out/skr-4.xml')
        assert 'no such previous response' in done.out
    finally:
        (zone.folder / 'ksrsigner.yaml').write_text(config)


# Independence

def test_it_shares_only_reading_and_wire_code(top):
    """No judgement of the signer is behind the second opinion."""
    for path in sorted((top / 'postcheck').glob('*.[ch]')):
        included = set(re.findall(r'^#include "([^"]+)"', path.read_text(), re.M))
        strange = {name for name in included if not name.startswith(('lib/', 'postcheck/'))}
        assert not strange, path
