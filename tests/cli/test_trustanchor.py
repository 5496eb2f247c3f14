# SPDX-License-Identifier: ISC
"""trustanchor on SoftHSM: the file has the form of the root's published one,
in RFC 9718 and in RFC 7958, says what the keys are, and is not written at all
where a key is missing or is not what the configuration says.  Resolvers put
their trust in this file."""
import hashlib
import re
import subprocess
import xml.etree.ElementTree as tree

import pytest
from conftest import TOP


DS = {'KSK1': 'F40FACFD24EBF0BA0665356B13A568631BB46D01D7C079D65CECD4286057B2F0',
      'KSK2': '567C45ED412DD8244FC1153A739E1A257707640DA1DFEE20DA470FD654B677BB'}
KEYS = f"""
keys:
  second:
    label: KSK2
    key_tag: 55186
    algorithm: RSASHA256
    valid_from: '2017-02-02T00:00:00+00:00'
    ds_sha256: {DS['KSK2']}
  first:
    label: KSK1
    key_tag: 5017
    algorithm: RSASHA256
    rsa_size: 2048
    rsa_exponent: 65537
    valid_from: '2010-07-15T00:00:00+00:00'
    valid_until: '2019-01-11T00:00:00+00:00'
    ds_sha256: {DS['KSK1']}
"""
# The root's first key: gone, and known by its configuration alone.
PAST = """  past:
    label: Kjqmt7v
    key_tag: 19036
    algorithm: RSASHA256
    valid_from: '2010-07-15T00:00:00+00:00'
    valid_until: '2019-01-11T00:00:00+00:00'
    ds_sha256: 49AAC11D7B6F6446702E54A1607371607A1A41855200FD2CE1CDDE32F24E8FB5
"""


@pytest.fixture
def hsm(softhsm):
    softhsm.configure(rest=KEYS)
    return softhsm


def shape(text):
    """The file with every value replaced by its kind: what is left is the form."""
    text = re.sub(r'id="[^"]*"', 'id=""', text)
    text = re.sub(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00', 'TIME', text)
    text = re.sub(r'<(KeyTag|Digest|PublicKey)>[^<]*', r'<\1>', text)
    entries = re.findall(r'    <KeyDigest.*?</KeyDigest>\n', text, re.S)
    return re.sub(r'(    <KeyDigest.*?</KeyDigest>\n)+', '', text, flags=re.S), set(entries)


def test_form_is_the_published_one(hsm, data):
    """Element for element, attribute for attribute, blank for blank."""
    hsm.configure(rest=KEYS.replace("    valid_until: '2019-01-11T00:00:00+00:00'\n", '') + PAST)
    done = hsm.run('trustanchor', '--trustanchor', 'out.xml', '--id', 'ID')
    assert done.status == 0, done.err
    ours = (hsm.folder / 'out.xml').read_text()
    assert shape(ours) == shape((data / 'production' / 'root-anchors-2025.xml').read_text())
    # The root's own first entry, to the letter.
    published = (data / 'production' / 'root-anchors-2025.xml').read_text()
    entry = re.search(r'    <KeyDigest id="Kjqmt7v".*?</KeyDigest>\n', published, re.S).group(0)
    assert entry in ours
    assert 'key Kjqmt7v is not in the HSM' in done.err and 'key Kjqmt7v: no public_key' in done.err
    digest = hashlib.sha256(ours.encode()).hexdigest()
    assert digest in done.out


@pytest.fixture
def of_2010(data):
    """The field of the DNSKEY of the root's first key, which PAST is of."""
    from ceremony_tools import BIN, run
    shown = run(BIN / 'displaycsr', data / 'production/ksk-2010.csr').stdout.decode()
    return re.search(r'^DNSKEY: +\. IN DNSKEY 257 3 8 (\S+)$', shown, re.M)[1]


def test_public_key_of_the_past(hsm, of_2010):
    """With its bytes configured, the entry is as whole as the others; and a digest that is
    not theirs is nothing that a resolver should be told to trust."""
    past = PAST + f'    public_key: {of_2010}\n'
    hsm.configure(rest=KEYS + past)
    done = hsm.run('trustanchor')
    assert done.status == 0 and 'key Kjqmt7v is not in the HSM' in done.err
    assert 'no public_key' not in done.err
    entry = [entry for entry in tree.fromstring(done.out).findall('KeyDigest') if entry.get('id') == 'Kjqmt7v'][0]
    assert [entry.findtext(name) for name in ('KeyTag', 'PublicKey', 'Flags')] == ['19036', of_2010, '257']
    assert entry.findtext('Digest').startswith('49AAC11D7B6F')
    assert '<PublicKey>' not in hsm.run('trustanchor', '--rfc7958').out
    hsm.configure(rest=KEYS + past.replace('49AAC11D', '49AAC11E'))
    line = next(n for n, text in enumerate((hsm.folder / 'ksrsigner.yaml').read_text().split('\n'), 1) if '  past:' in text)
    done = hsm.run('trustanchor')
    assert done.status == 2 and done.out == '', done
    assert f'ksrsigner.yaml: line {line}: keys.past.ds_sha256: it is not the DS of public_key' in done.err
    # Of several zones, the one that the file is for counts.
    hsm.configure(rest='request_policy: {acceptable_domains: [example., .]}\nkeys:\n' + past)
    done = hsm.run('trustanchor')
    assert done.status == 1 and done.out == '', done
    assert 'KSK-IDENTITY: public_key of keys.past: DS ' in done.err


def test_values(hsm):
    done = hsm.run('trustanchor', '--id', 'A<&"B', '--source', 'https://example.net/a?b&c')
    assert done.status == 0, done.err
    anchor = tree.fromstring(done.out)
    assert anchor.attrib == {'id': 'A<&"B', 'source': 'https://example.net/a?b&c'}
    assert [child.tag for child in anchor] == ['Zone', 'KeyDigest', 'KeyDigest']
    first, second = anchor.findall('KeyDigest')  # by valid_from, not as configured
    assert first.attrib == {'id': 'KSK1', 'validFrom': '2010-07-15T00:00:00+00:00',
                            'validUntil': '2019-01-11T00:00:00+00:00'}
    assert second.attrib == {'id': 'KSK2', 'validFrom': '2017-02-02T00:00:00+00:00'}
    assert [first.findtext(name) for name in ('KeyTag', 'Algorithm', 'DigestType', 'Digest', 'Flags')] == [
        '5017', '8', '2', DS['KSK1'], '257']
    assert second.findtext('Digest') == DS['KSK2']
    assert first.findtext('PublicKey').startswith('AwEAAe')


def test_old_form(hsm):
    done = hsm.run('trustanchor', '--rfc7958')
    assert done.status == 0
    anchor = tree.fromstring(done.out)
    for entry in anchor.findall('KeyDigest'):
        assert [child.tag for child in entry] == ['KeyTag', 'Algorithm', 'DigestType', 'Digest']
    # RFC 7958 asks for an id; without --id it is a random UUID.
    assert re.fullmatch('[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}', anchor.get('id'))


def test_configured_file_and_zone(hsm):
    hsm.configure(rest='filenames: {output_trustanchor: out.xml}\nksk_policy: {signers_name: example.}\n'
                  + re.sub(' *(ds_sha256|key_tag): .*\n', '', KEYS))
    (hsm.folder / 'out.xml').write_text('older')
    done = hsm.run('trustanchor')
    assert done.status == 0, done.err
    assert tree.parse(hsm.folder / 'out.xml').findtext('Zone') == 'example.'
    # The digest covers the owner's name, so it is another one.
    assert DS['KSK1'] not in (hsm.folder / 'out.xml').read_text()
    assert (hsm.folder / 'out.xml.old-1').read_text() == 'older'
    assert 'KSK-IDENTITY: key KSK1: no ds_sha256 is configured' in done.err


@pytest.mark.parametrize('change, status, said', [
    ((DS['KSK2'], '0' * 64), 1, f'KSK-IDENTITY: key KSK2: DS {DS["KSK2"]} is not the configured ds_sha256'),
    (('key_tag: 55186', 'key_tag: 55187'), 1, 'tag 55186 is not the configured 55187'),
    (('rsa_size: 2048', 'rsa_size: 4096'), 1, '2048 bits are not the configured 4096'),
    (('rsa_exponent: 65537', 'rsa_exponent: 3'), 1, 'exponent 65537 is not the configured 3'),
    (('    algorithm: RSASHA256\n    valid_from: \'2017', '    algorithm: ED25519\n    valid_from: \'2017'), 1,
     'RSA is no key for ED25519'),
    (('label: KSK2', 'label: KSK3'), 4, 'no key is labelled KSK3 (keys.second)'),
    (('label: KSK2', 'lable: KSK2'), 2, 'keys.second.lable: unknown key')])
def test_wrong_key_writes_nothing(hsm, change, status, said):
    assert change[0] in KEYS
    hsm.configure(rest=KEYS.replace(*change))
    before = hsm.files()
    done = hsm.run('trustanchor', '--trustanchor', 'out.xml')
    assert done.status == status
    assert said in done.err
    assert hsm.files() == before


@pytest.fixture(scope='module')
def preload(tmp_path_factory):
    """tests/preload/faults.c, which here changes one bit on its way to the drive."""
    out = tmp_path_factory.mktemp('preload') / 'faults.so'
    subprocess.run(['cc', '-std=c17', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-O1', '-shared', '-fPIC', '-o', out,
                    TOP / 'tests/preload/faults.c', '-ldl'], check=True)
    return out


# In the first key: what the file says, where in it, and what that is called.
FLIPPED = [(' id="', 'id'), ('source="', 'source'), ('KSK', 'id'), ('validFrom="2', 'validFrom'),
           ('validUntil="2', 'validUntil'), ('<KeyTag>', 'KeyTag'), ('<Algorithm>', 'Algorithm'), ('<Digest>F4', 'Digest'),
           ('<PublicKey>A', 'PublicKey')]


@pytest.mark.parametrize('place, said', FLIPPED, ids=[place.strip() for place, _ in FLIPPED])
def test_drive_that_changes_what_is_written(hsm, preload, place, said):
    """A file that says something else, and is well-formed: found out, and not left."""
    (hsm.folder / 'out').mkdir()
    words = ['trustanchor', '--id', 'A', '--trustanchor', 'out/anchor.xml']
    assert hsm.run(*words).status == 0
    path = hsm.folder / 'out/anchor.xml'
    text = path.read_text()
    env = {'LD_PRELOAD': str(preload), 'FAULT_UNDER': str(hsm.folder / 'out'), 'FAULT_LOG': str(hsm.folder / 'calls'),
           'FAULT_DO': 'flip', 'FAULT_BYTE': str(text.index(place) + len(place)), 'FAULT_AT': '0'}
    if 'ASAN_OPTIONS' in hsm.env:
        env['ASAN_OPTIONS'] = hsm.env['ASAN_OPTIONS'] + ':verify_asan_link_order=0'
    hsm.env.update(env)
    path.unlink()
    assert hsm.run(*words).status == 0 and path.read_text() == text
    calls = [line.split(' ', 2)[1] for line in (hsm.folder / 'calls').read_text().splitlines()]
    hsm.env['FAULT_AT'] = str(1 + calls.index('write'))
    for before in (None, 'older'):
        path.unlink(missing_ok=True)
        if before is not None:
            path.write_text(before)
        done = hsm.run(*words)
        assert done.status == 5 and said in done.err, done
        assert {each.name: each.read_text() for each in path.parent.iterdir()} == (
            {} if before is None else {'anchor.xml': before})


def test_usage(hsm):
    assert hsm.run('trustanchor', 'operand').status == 2
    assert hsm.run('trustanchor', '--id', 'a', '--id', 'b').status == 2
    hsm.configure()
    done = hsm.run('trustanchor')
    assert done.status == 2 and 'no keys in the configuration' in done.err
    hsm.configure(rest=KEYS)
    done = hsm.run('trustanchor', '--trustanchor', '/nonexistent/out.xml')
    assert done.status == 5
