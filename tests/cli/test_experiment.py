# SPDX-License-Identifier: ISC
"""Shows: an experiment, a configuration that asks for algorithms that no zone uses,
signs whole quarters with ML-DSA-44, whose keys and signatures are ten times those of
today; it says EXPERIMENT in each line of screen, log and page; and nothing that it
makes passes where the configuration does not ask for it.  Matters: the larger
algorithms can be rehearsed before there is a standard for them, and no rehearsal of
them can be taken for a ceremony.

What needs ML-DSA itself runs where OpenSSL has it (3.5, the disc's), with a module of
the tests for the keys; the rest runs everywhere."""
import base64
import json
import re
import struct
import subprocess
import xml.etree.ElementTree as tree

import dns.name
import dns.rdata
import pytest

import dnssec
import tokens
from rehearsal import Rehearsal, use
from tokens import PIN, TOP, compile_module

MARK = 'EXPERIMENT'
MLDSA = 'EXPERIMENT-MLDSA44'
# RFC 4034 appendix A.1.1: a length, and the object identifier of ML-DSA-44 in DER.
OID = bytes.fromhex('0b0609608648016503040311')
KEY, SIGNATURE = len(OID) + 1312, len(OID) + 2420


@pytest.fixture(scope='session')
def mldsa(tmp_path_factory):
    """The module of the tests, with ML-DSA-44 keys by this machine's OpenSSL."""
    return compile_module(TOP / 'tests/experiment/mldsa.c', tmp_path_factory.mktemp('module'), '-lcrypto')


class Experiment(Rehearsal):
    """A rehearsal that is an experiment, with a second HSM for ML-DSA where there is one."""

    def __init__(self, folder, programs, module=None, **more):
        self.experiment, self.module = {'algorithms': True}, module
        super().__init__(folder, programs, **more)
        (folder / 'mldsa').mkdir()
        (folder / 'root/run/keyroom').mkdir(parents=True)
        self.hsm.env['SYSROOT'] = str(folder / 'root')
        self.fault = ''

    def more(self, sections):
        """What a configuration has beyond a rehearsal's."""
        if self.module:
            sections['hsm']['mldsa'] = {'module': str(self.module), 'pin': PIN, 'env': {
                'MLDSA_TOKEN': str(self.folder / 'mldsa'), 'MLDSA_PIN': PIN, 'MLDSA_FAULT': self.fault}}
        sections.get('request_policy', {}).get('approved_algorithms', []).append(MLDSA)
        path = self.folder / 'ksrsigner.yaml'
        path.write_text(json.dumps({'experiment': self.experiment, **sections}, indent=1))
        return path

    def configure(self, schema, request, **more):
        return self.more(json.loads(super().configure(schema, request, **more).read_text()))

    def add_ksk(self, name, algorithm=None, **more):
        if (algorithm or self.algorithm) != 254:
            return super().add_ksk(name, algorithm, **more)
        self.more({'hsm': {}, 'ksk_policy': {'signers_name': self.domain}})
        made = self.hsm.run('keymaster', 'keygen', '--algorithm', MLDSA, '--label', name)
        assert made.status == 0, made.err
        tag, digest = re.search(r' IN DS (\d+) 254 2 ([0-9A-F]{64})', made.out).groups()
        self.keys[name] = {'label': name, 'algorithm': MLDSA, 'key_tag': int(tag), 'ds_sha256': digest,
                           'valid_from': '2020-01-01T00:00:00Z', **more}
        return made

    def ask(self, *options):
        return super().ask('--experiment', *options)

    def anchor(self):
        sections = json.loads((self.folder / 'ksrsigner.yaml').read_text())
        (self.folder / 'anchor.yaml').write_text(json.dumps(
            {name: sections[name] for name in ('experiment', 'hsm', 'keys', 'ksk_policy')}))
        path = self.folder / f'anchor-{self.count}.xml'
        done = self.hsm.run('trustanchor', '--config', 'anchor.yaml', '--trustanchor', path.name, '--id', MARK)
        assert done.status == 0 and not unmarked(done.out + done.err), done.err
        return path

    def judge(self, *words):
        """skrcheck on the last response, with everything."""
        log = max(self.folder.glob('ksrsigner-*.log'), key=lambda path: path.stat().st_mtime_ns)
        return self.hsm.run('skrcheck', '--config', 'ksrsigner.yaml', *self.chain(), '--log', log.name, *words,
                            self.request.name, self.response.name)


@pytest.fixture
def experiment(tmp_path, programs):
    return lambda **settings: Experiment(tmp_path, programs, **settings)


def unmarked(text):
    return [line for line in text.splitlines() if not line.startswith(MARK) and not line.startswith('    ')]


def unmarked_in_log(text):
    """From the configuration on: what stands before was said before it was read."""
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if MARK in line)
    assert first <= 4, lines[:6]
    return [line for line in lines[first:] if f'] {MARK} ' not in line]


def test_every_line_of_an_experiment_says_so(experiment):
    """Whatever its algorithms are: with RSA alone it is an experiment as well."""
    zone = experiment(bundles=3)
    zone.more({'hsm': json.loads('{"soft": {"module": "/usr/lib/softhsm/libsofthsm2.so", "pin": "%s"}}' % PIN)})
    made = zone.hsm.run('keymaster', 'keygen', '--algorithm', 'RSASHA256', '--size', '2048', '--label', 'ksk')
    assert made.status == 0 and not unmarked(made.out + made.err), made.out + made.err
    zone.know_ksk('ksk', made.out, 8)
    zone.ask('--roll', 'none')
    zone.configure(zone.normal('ksk'), zone.request)
    checked = zone.hsm.run('ksrcheck', *zone.chain(), zone.request.name)
    assert checked.status == 0 and not unmarked(checked.out + checked.err), checked.out
    signed = zone.hsm.run('ksrsigner', '--force', '--debug', '--log-ksr', '--log-skr', *zone.chain(), zone.request.name,
                          'skr-1.xml')
    assert signed.status == 0 and not unmarked(signed.out + signed.err), signed.out + signed.err
    zone.response = zone.folder / 'skr-1.xml'
    log = zone.hsm.logs('ksrsigner')
    assert not unmarked_in_log(log) and '| <KSR ' in log
    assert not unmarked_in_log(zone.hsm.logs('keymaster'))
    judged = zone.judge()
    assert judged.status == 0 and not unmarked(judged.out + judged.err), judged.out
    zoned = zone.hsm.run('skrcheck', '--config', 'ksrsigner.yaml', '--zone', *zone.chain(), zone.request.name, 'skr-1.xml')
    assert not [line for line in zoned.out.splitlines() if line.startswith(';') and not line.startswith(f'; {MARK} ')]
    # What refuses, too; and the last words of a program.
    refused = zone.hsm.run('ksrsigner', '--force', '--schema', 'none', *zone.chain(), zone.request.name, 'no.xml')
    assert refused.status == 2 and not unmarked(refused.err)


def test_question_says_what_it_is_about(experiment):
    zone = experiment(bundles=3)
    zone.add_ksk('ksk')
    zone.ask('--roll', 'none')
    zone.configure(zone.normal('ksk'), zone.request)
    done = zone.hsm.converse('ksrsigner', *zone.chain(), zone.request.name, 'skr-1.xml',
                             answers=[(f'{MARK} Is this correct (y/N)? ', 'n')])
    assert done.status == 1
    assert f'] {MARK} Is this correct (y/N)? n\n' in zone.hsm.logs('ksrsigner')
    path = zone.configure(zone.normal('ksk'), zone.request)
    path.write_text(path.read_text().replace(f'"pin": "{PIN}",', ''))
    done = zone.hsm.converse('ksrsigner', *zone.chain(), zone.request.name, 'skr-1.xml',
                             answers=[(f'{MARK} PIN for token T1', PIN), (f'{MARK} Is this correct (y/N)? ', 'n')])
    assert done.status == 1


def test_disc_and_its_pages_say_so_from_then_on(experiment):
    """The mark that the prompt and text2pdf look for; a run without an experiment makes none."""
    zone = experiment(bundles=3)
    mark = zone.folder / 'root/run/keyroom/experiment'
    zone.experiment = {'algorithms': False}
    zone.add_ksk('ksk')
    zone.ask('--roll', 'none')
    path = zone.configure(zone.normal('ksk'), zone.request)
    path.write_text(path.read_text().replace(f',\n   "{MLDSA}"', ''))
    assert zone.sign().status == 0 and not mark.exists()
    assert MARK not in zone.hsm.logs('ksrsigner')
    zone.experiment = {'algorithms': True}
    zone.configure(zone.normal('ksk'), zone.request)
    done = zone.hsm.run('ksrcheck', *zone.chain(), zone.request.name)
    assert done.status == 0 and mark.exists()


def test_log_without_the_mark_is_none_of_an_experiment(experiment):
    """And one with it is none of a ceremony."""
    zone = experiment(bundles=3)
    zone.add_ksk('ksk')
    zone.quarter(zone.normal('ksk'), '--roll', 'none')
    log, = zone.folder.glob('ksrsigner-*.log')
    assert 'PASS POST-LOG' in zone.judge().out
    text = log.read_text()
    log.write_text(re.sub(rf'(\] ){MARK} (1  )', r'\1\2', text, count=1))
    assert re.search(rf'FAIL POST-LOG\n{MARK}     line \d+ does not begin with {MARK}', zone.judge().out)
    log.write_text(text.replace(f'] {MARK} ', '] '))
    assert f'no line begins with {MARK}' in zone.judge().out
    log.write_text(text)
    path = zone.folder / 'ksrsigner.yaml'
    path.write_text(path.read_text().replace('"algorithms": true', '"algorithms": false', 1)
                    .replace(f',\n   "{MLDSA}"', ''))
    judged = zone.judge()
    assert judged.status == 1 and 'FAIL POST-LOG' in judged.out and not re.search(f'^{MARK}', judged.out, re.M)


@pytest.mark.parametrize('text, words', [
    ('experiment: {algorithms: false}\n', 'unknown algorithm; expected RSASHA256, RSASHA512, ECDSAP256SHA256, '
     'ECDSAP384SHA384, ED25519 or ED448'),
    ('', 'unknown algorithm; expected RSASHA256'),
    ('hsm: {}\nexperiment: {algorithms: true}\n', 'experiment: expected before all other sections'),
    ('experiment: true\n', 'experiment: expected a map'),
])
def test_algorithm_is_unknown_without_the_setting(experiment, text, words):
    zone = experiment(bundles=3)
    (zone.folder / 'ksrsigner.yaml').write_text(
        f'{text}keys: {{k: {{label: k, algorithm: {MLDSA}, valid_from: "2020-01-01T00:00:00Z"}}}}\n')
    done = zone.hsm.run('ksrcheck', '--no-previous-skr', 'none', 'no.xml')
    assert done.status == 2 and words in done.err and MARK not in done.err.replace(MLDSA, '')


def test_ksrgen_makes_no_such_key_without_the_option(experiment):
    zone = experiment(bundles=3)
    for name in (MLDSA, '254'):
        done = zone.hsm.run('ksrgen', '--keys', 'zsk', '--start', '2027-01-01T00:00:00', '-a', name, 'ksr.xml')
        assert done.status == 2 and f'algorithm "{name}": expected RSASHA256' in done.err
    assert not (zone.folder / 'zsk').exists()


def flip_oid(text):
    """Keys and signatures as another algorithm's of the same sizes."""
    other = OID[:-1] + bytes([OID[-1] ^ 3])     # ML-DSA-65, .18

    def change(found):
        data = base64.b64decode(found[2])
        return found[1] + base64.b64encode(other + data[len(OID):]).decode() if data.startswith(OID) else found[0]
    return re.sub(r'(<PublicKey>|<SignatureData>)([^<]+)', change, text)


def made_up(zone, key=KEY, signature=SIGNATURE):
    """A request by ksrgen whose keys and signatures are random bytes of number 254."""
    zone.algorithm = 13
    text = zone.ask('--roll', 'none').read_text().replace('<Algorithm>13<', '<Algorithm>254<')
    text = re.sub(r'algorithm="13">(\s*)<ECDSA size="256"/>', r'algorithm="254">\1<EdDSA size="10496"/>', text)
    public = OID + bytes(key - len(OID))
    text = re.sub('(?<=<PublicKey>)[^<]+', base64.b64encode(public).decode(), text)
    tag = key_tag(struct.pack('!HBB', 256, 3, 254) + public)
    text = re.sub('(?<=keyTag=")[^"]+|(?<=<KeyTag>)[^<]+', str(tag), text)
    text = re.sub('(?<=<SignatureData>)[^<]+', base64.b64encode(OID + bytes(signature - len(OID))).decode(), text)
    zone.request.write_text(text)
    return text


def test_number_254_is_as_unknown_as_ever_without_the_setting(experiment):
    """The words of the releases before: of what is too large, of what is not."""
    zone = experiment(bundles=3)
    zone.add_ksk('ksk', 13)
    zone.experiment = {'algorithms': False}
    for key, signature, words in (
            (KEY, SIGNATURE, f'PublicKey: {KEY} bytes, expected 1 to 1100'),
            (64, SIGNATURE, f'SignatureData: {SIGNATURE} bytes, expected 1 to 1100'),
            (64, 64, 'KSR-POLICY-ALG: stated ZSK policy: algorithm 254 is not supported'),
            (64, 64, 'unsupported algorithm 254 (unknown)')):
        made_up(zone, key, signature)
        path = zone.configure(zone.normal('ksk'), zone.request)
        path.write_text(path.read_text().replace(f',\n   "{MLDSA}"', ''))
        done = zone.hsm.run('ksrcheck', *zone.chain(), zone.request.name)
        assert done.status == 1 and words in done.err, done.err
        assert MARK not in done.out + done.err


@pytest.mark.parametrize('spoil, words', [
    (lambda text: flip_oid(text), f'{MLDSA} public key that does not begin with the algorithm\'s identifier'),
    (lambda text: text, None),
])
def test_key_begins_with_the_identifier_of_its_algorithm(experiment, spoil, words):
    """PRIVATEOID is as many algorithms as there are identifiers."""
    zone = experiment(bundles=3)
    zone.add_ksk('ksk', 13)
    text = spoil(made_up(zone))
    zone.request.write_text(text)
    zone.configure(zone.normal('ksk'), zone.request)
    done = zone.hsm.run('ksrcheck', *zone.chain(), zone.request.name)
    assert done.status == 1
    assert (words in done.err) if words else ('identifier' not in done.err), done.err


# From here on, with ML-DSA itself.

def signed_data(name, key_records, sig):
    """RFC 4034 section 3.1.8.1, by dnspython."""
    rrs = sorted(dns.rdata.from_text('IN', 'DNSKEY', text.split(' DNSKEY ', 1)[1]).to_digestable() for text in key_records)
    rrsig = dns.rdata.from_text('IN', 'RRSIG', sig.split(' RRSIG ', 1)[1])
    owner = dns.name.from_text(name).to_digestable()
    data = rrsig.to_wire()[:18] + rrsig.signer.to_digestable()
    for rdata in rrs:
        data += owner + struct.pack('!HHIH', 48, 1, rrsig.original_ttl, len(rdata)) + rdata
    return data, rrsig


def openssl_agrees(folder, response):
    """Each signature by ML-DSA-44 verified by the command openssl over what dnspython
    says is signed; how many there were."""
    root = tree.fromstring(response.read_text())
    der = bytes.fromhex('30820532300b0609608648016503040311038205210 0'.replace(' ', ''))
    count = 0
    for bundle in root.iter('ResponseBundle'):
        lines = list(dnssec.records(root.get('domain'), bundle))
        keys = [line for line in lines if ' DNSKEY ' in line and ' RRSIG ' not in line]
        by_tag = {}
        for line in keys:
            rdata = dns.rdata.from_text('IN', 'DNSKEY', line.split(' DNSKEY ', 1)[1])
            if rdata.algorithm == 254:
                assert len(rdata.key) == KEY and rdata.key.startswith(OID)
                by_tag[key_tag(rdata.to_wire())] = rdata.key[len(OID):]
        for line in (line for line in lines if ' RRSIG DNSKEY 254 ' in line):
            data, rrsig = signed_data(root.get('domain'), keys, line)
            assert len(rrsig.signature) == SIGNATURE and rrsig.signature.startswith(OID)
            (folder / 'key.der').write_bytes(der + by_tag[rrsig.key_tag])
            (folder / 'data').write_bytes(data)
            (folder / 'sig').write_bytes(rrsig.signature[len(OID):])
            subprocess.run(['openssl', 'pkeyutl', '-verify', '-pubin', '-keyform', 'DER', '-inkey', 'key.der', '-rawin',
                            '-in', 'data', '-sigfile', 'sig'], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            count += 1
    return count


def key_tag(wire):
    """RFC 4034 appendix B."""
    total = sum(byte << 8 if i % 2 == 0 else byte for i, byte in enumerate(wire))
    return (total + (total >> 16)) & 0xffff


def test_quarters_with_mldsa(experiment, mldsa):
    """Request, check, signature, response, trust anchor, second opinion; and the next
    quarter; every signature verified by other programs over what they say is signed."""
    zone = experiment(module=mldsa, algorithm=254)
    made = zone.add_ksk('ksk')
    assert not unmarked(made.out + made.err)
    for _ in range(2):
        zone.ask()
        zone.configure(zone.normal('ksk'), zone.request)
        checked = zone.hsm.run('ksrcheck', *zone.chain(), zone.request.name)
        assert checked.status == 0, checked.err
        done = zone.hsm.run('ksrsigner', '--force', '--sizes', *zone.chain(), zone.request.name, f'skr-{zone.count}.xml')
        assert done.status == 0, done.err
        zone.response = zone.folder / f'skr-{zone.count}.xml'
        # Two records of keys, one signature: what the table says is what they are.
        assert f'{MARK} 2  DNSKEY {28 + 2 * (15 + KEY) + 30 + SIGNATURE} bytes' in done.out, done.out
        zone.anchor()
        judged = zone.judge('--anchor', f'anchor-{zone.count}.xml')
        assert judged.status == 0 and not unmarked(judged.out), judged.out
        assert openssl_agrees(zone.folder, zone.response) == 9
        assert '<SignatureAlgorithm algorithm="254"><EdDSA size="10496"/>' in zone.response.read_text().replace('\n', '')
    anchor = zone.anchor().read_text()
    assert '<Algorithm>254</Algorithm>' in anchor and zone.keys['ksk']['ds_sha256'] in anchor


def test_roll_to_mldsa_and_its_double_signing(experiment, mldsa):
    """Beside RSA in another HSM, as a change of the algorithm would go."""
    zone = experiment(module=mldsa, algorithm=8)
    zone.add_ksk('rsa', 8)
    zone.add_ksk('pq', 254)
    zone.quarter(zone.normal('rsa'), '--roll', 'none')
    algorithms = {'published': ['RSASHA256', MLDSA], 'signing': ['RSASHA256', MLDSA]}
    both = {**use('rsa', 'pq'), 'algorithms': algorithms}
    first = {**both, 'algorithms': {**algorithms, 'begins': [MLDSA]}}
    zone.quarter(zone.slots((1, use('rsa')), (-1, first)), '--roll', 'end', '--algorithm', '254')
    assert zone.judge().status == 0
    zone.quarter(zone.slots((1, both)), '--roll', 'none')
    judged = zone.judge()
    assert judged.status == 0, judged.out
    text = zone.response.read_text()
    assert text.count('<Algorithm>254</Algorithm>') == 9 * 3 and openssl_agrees(zone.folder, zone.response) == 9


def test_nothing_of_it_passes_without_the_setting(experiment, mldsa):
    """Neither the request, nor the response, nor what follows it, in any program."""
    zone = experiment(module=mldsa, algorithm=254, bundles=3)
    zone.add_ksk('pq')
    zone.add_ksk('rsa', 8)
    zone.quarter(zone.normal('pq'), '--roll', 'none')
    zone.keys = {'rsa': zone.keys['rsa']}
    zone.experiment, zone.module = {'algorithms': False}, None
    path = zone.configure(zone.normal('rsa'), zone.request)
    path.write_text(path.read_text().replace(f',\n   "{MLDSA}"', ''))
    words = f'PublicKey: {KEY} bytes, expected 1 to 1100'
    for done in (zone.hsm.run('ksrcheck', *zone.chain(), zone.request.name),
                 zone.hsm.run('ksrsigner', '--force', *zone.chain(), zone.request.name, 'no.xml'),
                 zone.hsm.run('ksrsigner', '--force', '--previous-skr', 'skr-1.xml', zone.request.name, 'no.xml'),
                 zone.judge(), zone.hsm.run('skrcheck', zone.request.name, 'skr-1.xml'),
                 zone.hsm.run('skrcheck', '--zone', 'skr-1.xml')):
        assert done.status == 1 and words in done.err and MARK not in done.out + done.err, done.err
    assert not (zone.folder / 'no.xml').exists()
    # The key itself is of no known kind.
    zone.module = mldsa
    zone.more({'hsm': {}})
    done = zone.hsm.run('keymaster', 'inventory')
    assert 'pq               UNUSABLE: hsm mldsa: slot 7 (experiment): pq: a kind of key (0x4a) that DNSSEC does not know' \
        in done.out and 'EXPERIMENT' not in done.out
    done = zone.hsm.run('keymaster', 'keygen', '--algorithm', MLDSA, '--label', 'new')
    assert done.status == 2 and 'expected RSASHA256, ' in done.err


@pytest.mark.parametrize('fault, words', [
    ('parameter-set', 'pq: parameter set 2 of ML-DSA, expected 1'),
    ('short', 'pq: a key of 1311 bytes is none of ML-DSA-44')])
def test_token_is_believed_in_nothing(experiment, mldsa, fault, words):
    zone = experiment(module=mldsa, algorithm=254, bundles=3)
    zone.add_ksk('pq')
    zone.ask('--roll', 'none')
    zone.fault = fault
    zone.configure(zone.normal('pq'), zone.request)
    done = zone.sign()
    assert done.status != 0 and words in done.out + done.err, done.err
    assert not (zone.folder / 'skr-1.xml').exists()


@pytest.mark.parametrize('what, words', [('PublicKey', 'does not begin with the algorithm\'s identifier'),
                                         ('SignatureData', 'signature that does not begin with the algorithm\'s identifier')])
def test_identifier_of_another_algorithm_is_refused(experiment, mldsa, what, words):
    """In a request that is sound but for that: of keys, and of signatures."""
    zone = experiment(module=mldsa, algorithm=254, bundles=3)
    zone.add_ksk('pq')
    text = zone.ask('--roll', 'none').read_text()
    other = flip_oid(text)
    place = re.compile(f'(?<=<{what}>)[^<]+')
    flipped = iter(place.findall(other))
    zone.request.write_text(place.sub(lambda _: next(flipped), text))
    zone.configure(zone.normal('pq'), zone.request)
    done = zone.hsm.run('ksrcheck', *zone.chain(), zone.request.name)
    assert done.status == 1 and words in done.err, done.err


def test_other_signature_is_refused(experiment, mldsa):
    """The counterpart to all that verifies: one bit."""
    zone = experiment(module=mldsa, algorithm=254, bundles=3)
    zone.add_ksk('pq')
    zone.quarter(zone.normal('pq'), '--roll', 'none')

    def flip(found):
        data = bytearray(base64.b64decode(found[0]))
        data[-40] ^= 1
        return base64.b64encode(data).decode()
    zone.response.write_text(re.sub('(?<=<SignatureData>)[^<]+', flip, zone.response.read_text(), count=1))
    judged = zone.judge()
    assert judged.status == 1 and f'{MARK} FAIL' in judged.out.splitlines(), judged.out


def test_certificate_inventory_and_destruction(experiment, mldsa):
    zone = experiment(module=mldsa, algorithm=254, bundles=3)
    zone.add_ksk('pq')
    zone.more({'hsm': {}, 'keys': zone.keys})
    listed = zone.hsm.run('keymaster', 'inventory', '--dns')
    assert re.search(rf'{MARK}   pq +ML-DSA-44 tag \d+  pair +is keys.pq', listed.out), listed.out
    done = zone.hsm.run('keymaster', 'csr', '--label', 'pq', '--output', 'pq.csr')
    assert done.status == 0, done.err
    shown = subprocess.run(['openssl', 'req', '-in', zone.folder / 'pq.csr', '-verify', '-noout', '-text'], check=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    assert 'self-signature verify OK' in shown and 'Signature Algorithm: ML-DSA-44' in shown
    done = zone.hsm.run('keymaster', 'backup', '--label', 'pq', '--transport', 'none', '--output', 'b', '--force')
    assert done.status != 0
    gone = zone.hsm.run('keymaster', 'keydelete', '--label', 'pq', '--force')
    assert gone.status == 0 and 'has no object of this key any more' in gone.out, gone.err
    assert not list((zone.folder / 'mldsa').iterdir())


def test_largest_files(experiment, mldsa, monkeypatch):
    """900 bundles, each with three keys and two signatures of that size; within the
    configured size of a file, and one byte over it."""
    monkeypatch.setattr(tokens, 'TIMEOUT', 600)
    zone = experiment(module=mldsa, algorithm=254, bundles=900)
    zone.add_ksk('a')
    zone.add_ksk('b')
    zone.policy = {'max_file_size': 64 << 20, 'check_cycle_length': False, 'signature_check_expire_horizon': False}
    zone.ask('--roll', 'none', '--interval', 'P10D')
    zone.configure(zone.slots((1, use('a', 'b'))), zone.request)
    done = zone.sign()
    assert done.status == 0, done.err
    zone.response = zone.folder / 'skr-1.xml'
    size = zone.response.stat().st_size
    assert size > 9 << 20
    judged = zone.judge()
    assert judged.status == 0, judged.out
    for limit, words in ((size, 'PASS'), (size - 1, f'larger than the {size - 1} allowed')):
        zone.policy['max_file_size'] = limit
        zone.configure(zone.slots((1, use('a', 'b'))), zone.request)
        judged = zone.hsm.run('skrcheck', '--config', 'ksrsigner.yaml', *zone.chain(), zone.request.name, 'skr-1.xml')
        assert words in judged.out + judged.err and (judged.status == 0) == (words == 'PASS'), judged.out + judged.err


def test_pages_of_an_experiment(experiment, mldsa, programs):
    """The log on paper: above and below each page, and in each line of it."""
    zone = experiment(module=mldsa, algorithm=254, bundles=9)
    zone.add_ksk('pq')
    zone.ask()
    zone.configure(zone.normal('pq'), zone.request)
    done = zone.hsm.run('ksrsigner', '--force', '--log-skr', *zone.chain(), zone.request.name, 'skr-1.xml')
    assert done.status == 0, done.err
    log, = zone.folder.glob('ksrsigner-*.log')
    pdf = subprocess.run([programs / 'text2pdf', '--log', log], env=zone.hsm.env, check=True, stdout=subprocess.PIPE).stdout
    (zone.folder / 'log.pdf').write_bytes(pdf)
    text = subprocess.run(['pdftotext', '-layout', zone.folder / 'log.pdf', '-'], check=True, stdout=subprocess.PIPE,
                          text=True).stdout
    pages = text.rstrip('\f').split('\f')
    assert len(pages) > 9
    for page in pages:
        assert re.search(rf'{MARK} +page \d+ of {len(pages)}', page) and re.search(rf'Keyroom .*  {MARK}', page)
        # Between the sheet's own words: each line, or what goes on in the next has a mark in the margin.
        body = [line.strip() for line in re.split(r'\n *Keyroom ', page)[0].splitlines()[1:] if line.strip()]
        body = [line for line in body if not line.startswith('»')]
        assert not [line for line in body[4 if page is pages[0] else 0:] if not line.startswith(MARK)]
