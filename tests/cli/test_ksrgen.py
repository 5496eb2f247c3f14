# SPDX-License-Identifier: ISC
"""ksrgen makes requests that the policy accepts, of any shape; continues a
quarter from the one before; makes the same file from the same wishes and keys;
and never destroys a key.  Rehearsals and most other tests stand on it."""
import re
import stat
import subprocess
import xml.etree.ElementTree as tree

import pytest

from rehearsal import Rehearsal

START = '2026-12-01T00:00:00'


@pytest.fixture
def ksrgen(tmp_path, run):
    """Run it with the folder zsk; the request parsed, or the run that failed."""

    def call(name, *options, start=True):
        options = (['--start', START] if start and '--previous' not in options else []) + [*options]
        done = run('ksrgen', '--keys', 'zsk', *options, name)
        done.stderr = done.stderr.decode()
        if done.returncode:
            assert not (tmp_path / name).exists()
            return done
        return tree.parse(tmp_path / name).getroot()

    return call


def keys(root):
    """The identifiers of each bundle."""
    return [[key.get('keyIdentifier') for key in bundle.findall('Key')] for bundle in root.iter('RequestBundle')]


def bundle_times(root, name='Inception'):
    return [bundle.findtext(name)[:19] for bundle in root.iter('RequestBundle')]


def test_quarter_is_shaped_like_the_root_s(ksrgen, tmp_path):
    root = ksrgen('ksr.xml')
    assert [len(names) for names in keys(root)] == [2, 1, 1, 1, 1, 1, 1, 1, 2]
    assert len({name for names in keys(root) for name in names}) == 3
    assert (root.get('domain'), root.get('serial')) == ('.', '1')
    assert bundle_times(root)[0] == START and bundle_times(root)[-1] == '2027-02-19T00:00:00'
    assert bundle_times(root, 'Expiration')[0] == '2026-12-22T00:00:00'
    files = sorted((tmp_path / 'zsk').iterdir())
    assert {path.stem for path in files} == {name for names in keys(root) for name in names}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((tmp_path / 'zsk').stat().st_mode) == 0o700


def test_quarters_are_chained(ksrgen):
    """From a request to the next: keys move up, times go on, ids are new."""
    first = ksrgen('1.xml')
    second = ksrgen('2.xml', '--previous', '1.xml')
    retiring, current, coming = keys(first)[0], keys(first)[1], keys(first)[-1]
    assert set(keys(second)[0]) == set(coming)
    assert keys(second)[1] == list(set(coming) - set(current))
    assert not (set(retiring) - set(current)) & set(keys(second)[0])
    assert set(current) < set(keys(second)[0])
    assert second.get('serial') == '2'
    assert bundle_times(second)[0] == '2027-03-01T00:00:00'
    ids = [bundle.get('id') for root in (first, second) for bundle in root.iter('RequestBundle')]
    assert len(set(ids) | {first.get('id'), second.get('id')}) == 20
    for number in (3, 4):
        assert len(keys(ksrgen(f'{number}.xml', '--previous', f'{number - 1}.xml'))[1]) == 1


@pytest.mark.parametrize('where, counts', [('both', [2, 1, 1, 2]), ('begin', [2, 1, 1, 1]), ('end', [1, 1, 1, 2]),
                                           ('none', [1, 1, 1, 1])])
def test_rollover_at_either_end(ksrgen, where, counts):
    options = ['--roll', where, '--algorithm', '15', '--bundles', '4']
    assert [len(names) for names in keys(ksrgen('1.xml', *options))] == counts
    after = ksrgen('2.xml', '--previous', '1.xml', *options)
    if counts[3] == 1 and counts[0] == 2:
        assert after.returncode == 2 and 'no key can retire' in after.stderr
    else:
        assert len(keys(after)[0]) == counts[3]


def test_same_wishes_and_keys_give_the_same_request(ksrgen, tmp_path):
    ksrgen('1.xml', '--algorithm', 'RSASHA256,ED25519')
    names = keys(tree.parse(tmp_path / '1.xml').getroot())
    current = names[1]
    options = ['--current', ','.join(current), '--retire', ','.join(set(names[0]) - set(current)),
               '--next', ','.join(set(names[-1]) - set(current))]
    ksrgen('2.xml', *options)
    ksrgen('3.xml', *options)
    assert (tmp_path / '2.xml').read_bytes() == (tmp_path / '3.xml').read_bytes()
    # The keys decide, not the run that made them.
    assert (tmp_path / '1.xml').read_bytes() == (tmp_path / '2.xml').read_bytes()
    ksrgen('4.xml', *options, '--serial', '2')
    ids = [tree.parse(tmp_path / name).getroot().get('id') for name in ('3.xml', '4.xml')]
    assert ids[0] != ids[1]


def test_every_option_is_heard(ksrgen):
    root = ksrgen('ksr.xml', '--domain', 'example', '--bundles', '2', '--interval', 'PT1H', '--validity', 'P2D',
                  '--ttl', '60', '--algorithm', 'ECDSAP384SHA384,RSASHA512', '--size', '1024', '--roll', 'none',
                  '--id', 'an id', '--serial', '7', '--publish-safety', 'P1D', '--retire-safety', 'P2D',
                  '--min-validity', 'P3D', '--max-validity', 'P4D', '--min-overlap', 'P5D', '--max-overlap', 'P6D')
    assert (root.get('id'), root.get('domain'), root.get('serial')) == ('an id', 'example', '7')
    assert [root.findtext(f'.//ZSK/{name}') for name in (
        'PublishSafety', 'RetireSafety', 'MinSignatureValidity', 'MaxSignatureValidity', 'MinValidityOverlap',
        'MaxValidityOverlap')] == ['P1D', 'P2D', 'P3D', 'P4D', 'P5D', 'P6D']
    assert bundle_times(root) == [START, '2026-12-01T01:00:00']
    assert bundle_times(root, 'Expiration') == ['2026-12-03T00:00:00', '2026-12-03T01:00:00']
    policy = [(entry.get('algorithm'), entry[0].tag, entry[0].get('size')) for entry in
              root.iter('SignatureAlgorithm')]
    assert policy == [('10', 'RSA', '1024'), ('14', 'ECDSA', '384')]
    assert {key.findtext('TTL') for key in root.iter('Key')} == {'60'}
    assert {sig.findtext('SignersName') for sig in root.iter('Signature')} == {'example'}
    assert {sig.findtext('Labels') for sig in root.iter('Signature')} == {'1'}


def test_ttl_and_domain_are_inherited(ksrgen):
    options = ['--algorithm', '13', '--bundles', '2']
    ksrgen('1.xml', *options, '--domain', 'a.example.', '--ttl', '60')
    root = ksrgen('2.xml', '--previous', '1.xml', *options)
    assert root.get('domain') == 'a.example.'
    assert {key.findtext('TTL') for key in root.iter('Key')} == {'60'}


def test_keys_made_elsewhere(ksrgen, tmp_path):
    """A key of OpenSSL's, put into the folder under a name with its algorithm."""
    (tmp_path / 'zsk').mkdir()
    for name, how in [('zsk-8-ours', ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048']),
                      ('zsk-13-ours', ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256']), ('zsk-15-ours', ['ED25519'])]:
        subprocess.run(['openssl', 'genpkey', '-algorithm', *how, '-out', tmp_path / f'zsk/{name}.pem'], check=True,
                       stderr=subprocess.DEVNULL)
    before = {path: path.read_bytes() for path in (tmp_path / 'zsk').iterdir()}
    root = ksrgen('ksr.xml', '--roll', 'none', '--current', 'zsk-8-ours,zsk-13-ours,zsk-15-ours')
    assert sorted(keys(root)[0]) == ['zsk-13-ours', 'zsk-15-ours', 'zsk-8-ours']
    assert before == {path: path.read_bytes() for path in (tmp_path / 'zsk').iterdir()}
    # And OpenSSL reads ours.
    made = keys(ksrgen('2.xml', '--roll', 'none', '--algorithm', '16'))[0][0]
    subprocess.run(['openssl', 'pkey', '-in', tmp_path / f'zsk/{made}.pem', '-noout', '-check'], check=True,
                   stdout=subprocess.DEVNULL)


@pytest.mark.parametrize('name, command', [
    ('zsk-8-pkcs1', 'openssl genrsa -traditional 2048'),
    ('zsk-13-sec1', 'openssl ecparam -genkey -name prime256v1'),
    ('zsk-14-sec1', 'openssl ecparam -genkey -noout -name secp384r1'),
    ('zsk-8-ldns', 'cat $(ldns-keygen -a RSASHA256 -b 2048 example.).private'),
    ('zsk-13-ldns', 'cat $(ldns-keygen -a ECDSAP256SHA256 example.).private'),
    ('zsk-14-ldns', 'cat $(ldns-keygen -a ECDSAP384SHA384 example.).private'),
    ('zsk-15-ldns', 'cat $(ldns-keygen -a ED25519 example.).private'),
])
def test_keys_as_other_tools_write_them(ksrgen, tmp_path, name, command):
    """PKCS#1, SEC1, and what BIND and ldns have in common; the request proves that it is the key."""
    (tmp_path / 'zsk').mkdir()
    made = subprocess.run(command, shell=True, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert 'PRIVATE KEY' in made or 'Private-key-format' in made
    (tmp_path / f'zsk/{name}.pem').write_text(made)
    root = ksrgen('ksr.xml', '--roll', 'none', '--current', name, '--domain', '0/25.2.0.192.in-addr.arpa.')
    assert keys(root)[0] == [name]
    assert root.get('domain') == '0/25.2.0.192.in-addr.arpa.'
    for public in tmp_path.glob('K*.key'):
        assert public.read_text().split()[-1] != '' and next(root.iter('PublicKey')).text in public.read_text().replace(' ', '')
    # Of another algorithm than its name says it is none.
    number = name.split('-')[1]
    other = {'8': '13', '13': '14', '14': '13', '15': '16'}[number]
    (tmp_path / f'zsk/zsk-{other}-x.pem').write_text(made)
    done = ksrgen('2.xml', '--roll', 'none', '--current', f'zsk-{other}-x')
    assert done.returncode == 3 and f'zsk/zsk-{other}-x.pem: ' in done.stderr


@pytest.mark.parametrize('content, reason', [
    ('', 'no unencrypted private key'),
    ('-----BEGIN PRIVATE KEY-----\nAAAA\n', 'is cut'),
    ('-----BEGIN PRIVATE KEY-----\n#\n-----END PRIVATE KEY-----\n', ''),
    ('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', ''),
    ('-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n', 'no unencrypted'),
])
def test_file_that_is_no_key(ksrgen, tmp_path, content, reason):
    (tmp_path / 'zsk').mkdir()
    (tmp_path / 'zsk/zsk-13-x.pem').write_text(content)
    done = ksrgen('ksr.xml', '--roll', 'none', '--current', 'zsk-13-x')
    assert done.returncode == 3 and 'zsk/zsk-13-x.pem: ' in done.stderr and reason in done.stderr


def test_key_of_another_algorithm(ksrgen, tmp_path):
    root = ksrgen('1.xml', '--roll', 'none', '--algorithm', '13')
    name = keys(root)[0][0]
    (tmp_path / f'zsk/{name}.pem').rename(tmp_path / 'zsk/zsk-14-x.pem')
    done = ksrgen('2.xml', '--roll', 'none', '--current', 'zsk-14-x')
    assert done.returncode == 3 and 'not for ECDSAP384SHA384' in done.stderr
    # The quarter before has a key whose file is gone, or is another key now.
    done = ksrgen('2.xml', '--previous', '1.xml', '--roll', 'none')
    assert done.returncode == 3 and f'zsk/{name}.pem: cannot open' in done.stderr
    other = keys(ksrgen('3.xml', '--roll', 'none', '--algorithm', '13'))[0][0]
    (tmp_path / f'zsk/{other}.pem').rename(tmp_path / f'zsk/{name}.pem')
    done = ksrgen('2.xml', '--previous', '1.xml', '--roll', 'none')
    assert done.returncode == 3 and 'is another key than in the previous quarter' in done.stderr


@pytest.mark.parametrize('name', ['../zsk-13-1', 'zsk-13', 'zsk--1', 'zsk-1234-1', 'ksk-13-1', 'zsk-x-1', 'zsk-256-1',
                                  'zsk-13-' + 60 * 'x', '', 'zsk-13-a.b'])
def test_name_that_is_none(ksrgen, name):
    """It becomes part of a path, and may come from a request."""
    done = ksrgen('ksr.xml', '--roll', 'none', '--current', name)
    assert done.returncode == 3 and 'is not the name of a key' in done.stderr


def test_existing_request_is_kept(ksrgen, tmp_path):
    ksrgen('ksr.xml', '--algorithm', '13')
    before = (tmp_path / 'ksr.xml').read_bytes()
    ksrgen('ksr.xml', '--algorithm', '13')
    assert (tmp_path / 'ksr.xml.old-1').read_bytes() == before != (tmp_path / 'ksr.xml').read_bytes()


@pytest.mark.parametrize('target', ['/nonexistent/x.xml', '.', 'link', 'folder/', '', 300 * 'x'])
def test_target_is_looked_at_before_keys_are_made(run, tmp_path, target):
    """Keys of a request that was never written are keys that nobody knows of."""
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'link').symlink_to('elsewhere.xml')
    done = run('ksrgen', '--keys', 'zsk', '--start', START, '--algorithm', '13', target)
    assert done.returncode == 5, done
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != 'home') == ['folder', 'link']


def test_one_key_under_two_names(ksrgen, tmp_path):
    """It would be counted as two, and signed with twice."""
    ksrgen('1.xml', '--algorithm', '13')
    name = sorted(path.stem for path in (tmp_path / 'zsk').iterdir())[0]
    for other in ('zsk-13-other', 'zsk-13-another'):
        (tmp_path / f'zsk/{other}.pem').write_bytes((tmp_path / f'zsk/{name}.pem').read_bytes())
        for options in (['--roll', 'none', '--current', f'{name},{other}'],
                        ['--roll', 'begin', '--current', name, '--retire', other],
                        ['--roll', 'end', '--current', name, '--next', other]):
            done = ksrgen('2.xml', *options)
            assert done.returncode == 2 and f'{name} and {other} are one key under two names' in done.stderr, done


@pytest.mark.parametrize('options, status, reason', [
    (['--bundles', '0'], 2, '0 is out of range'), (['--bundles', '10001'], 2, 'out of range'),
    (['--bundles', 'x'], 2, '--bundles: '), (['--interval', 'P1M'], 2, '--interval: '),
    (['--interval', 'PT0S'], 2, 'a second or longer'), (['--validity', 'PT0S'], 2, 'a second or longer'),
    (['--interval', 'P40000D'], 2, 'later than an RRSIG can say'), (['--ttl', '-1'], 2, '--ttl: '),
    (['--algorithm', '5'], 2, 'expected RSASHA256'), (['--algorithm', '8,'], 2, 'algorithm ""'),
    (['--size', '1023'], 2, '1024 to 4096'), (['--size', '4097'], 2, 'out of range'),
    (['--roll', 'middle'], 2, 'expected begin, end'), (['--id', ''], 2, '--id: expected 1 to 128'),
    (['--id', 'a\x01b'], 2, '--id: expected'), (['--id', 'a\nb'], 2, '--id: expected'), (['--id', ' a'], 2, '--id: '),
    (['--id', 'grün'], 2, '--id: '), (['--id', 'x' * 129], 2, '--id: '),
    (['--domain', 'a b'], 2, 'the domain: '), (['--previous', 'none.xml'], 3, 'none.xml'),
    (['--retire', 'zsk-13-1', '--roll', 'end'], 2, 'to retire'), (['--next', 'zsk-13-1', '--roll', 'none'], 2, 'next key'),
    (['extra.xml'], 2, 'one KSR is written, 2 are named'),
])
def test_misuse(ksrgen, tmp_path, options, status, reason):
    done = ksrgen('ksr.xml', *options)
    assert done.returncode == status and reason in done.stderr
    assert not (tmp_path / 'zsk').exists()


def test_misuse_with_a_quarter_before(ksrgen, run):
    (name,), = keys(ksrgen('1.xml', '--algorithm', '13', '--roll', 'none', '--bundles', '1'))
    for options, reason in [(['--current', name], 'cannot be named'), (['--retire', name + ',x'], None),
                            (['--roll', 'begin', '--retire', name], 'no key would stay'),
                            (['--roll', 'end', '--next', name], 'named for two roles')]:
        done = ksrgen('3.xml', '--previous', '1.xml', *options)
        assert done.returncode == 2 and (reason or '') in done.stderr, options
    assert run('ksrgen', '--start', START, 'x.xml').returncode == 2
    assert b'--keys names no folder' in run('ksrgen', '--start', START, 'x.xml').stderr
    assert b'--start or --previous' in run('ksrgen', '--keys', 'zsk', 'x.xml').stderr
    assert b'one KSR is written, 0 are named' in run('ksrgen', '--keys', 'zsk').stderr


def test_folder_that_cannot_be_made(run, tmp_path):
    (tmp_path / 'file').touch()
    done = run('ksrgen', '--keys', 'file/zsk', '--start', START, '--algorithm', '13', 'ksr.xml')
    assert done.returncode == 5 and not (tmp_path / 'ksr.xml').exists()


@pytest.mark.parametrize('algorithm', [8, 13, 15])
def test_policy_as_strict_as_the_root_s_accepts_it(tmp_path, programs, algorithm):
    """ksrcheck with the default bounds; but for RSA the algorithm is enabled."""
    zone = Rehearsal(tmp_path, programs, algorithm=algorithm)
    zone.ask()
    config = [] if algorithm == 8 else ['enable_unsupported_ecdsa: true', 'enable_unsupported_edwards_dsa: true',
                                        'approved_algorithms: [ECDSAP256SHA256, ED25519]']
    zone.hsm.configure(rest='request_policy:\n  num_bundles: 9\n' + ''.join(f'  {line}\n' for line in config))
    done = zone.hsm.run('ksrcheck', '--no-previous-skr', 'none', zone.request.name)
    assert done.status == 0, done.err
    assert len(re.findall('^PASS KSR-', done.out, re.M)) == 16
