# SPDX-License-Identifier: ISC
"""Shows: what can be known before the HSM signs is known before: --chain looks at
all requests before the first signature, names its results, and refuses names that
a drive cannot tell apart; both hashes are on the screen; what is 1 MiB of any
shape is judged within two seconds.  Matters: a signature that was made is out of
the HSM, whatever becomes of the file."""
import base64
import json
import re
import resource
import shutil
import subprocess

import pytest
from conftest import TOP
from rehearsal import Rehearsal
from tokens import SOFTHSM, compile_faulty

NONE = ('--no-previous-skr', 'rehearsal')


@pytest.fixture(scope='module')
def prepared(tmp_path_factory, programs):
    zone = Rehearsal(tmp_path_factory.mktemp('ahead'), programs, bundles=3)
    zone.add_ksk('ksk')
    zone.add_ksk('new')
    for _ in range(3):
        zone.ask()
        zone.response = zone.request
    path = zone.configure(zone.normal('ksk'), zone.request)
    config = json.loads(path.read_text())
    hsm = config['hsm']['soft']
    hsm['env'] |= {'FAULTY_MODULE': SOFTHSM, 'FAULTY': '', 'FAULTY_LOG': str(zone.folder / 'calls')}
    hsm['module'] = str(compile_faulty(zone.folder))
    path.write_text(json.dumps(config))
    return zone


@pytest.fixture
def zone(prepared, tmp_path):
    for path in [*prepared.folder.glob('ksr-*.xml'), prepared.folder / 'ksrsigner.yaml']:
        shutil.copy(path, tmp_path / path.name)
    calls = prepared.folder / 'calls'
    calls.unlink(missing_ok=True)

    class Zone:
        folder = tmp_path

        @staticmethod
        def run(program, *words, before=(), **env):
            return subprocess.run([*before, prepared.hsm.programs / program, *map(str, words)], cwd=tmp_path, env=prepared.hsm.env | env,
                                  capture_output=True, text=True, timeout=60, check=False)

        @classmethod
        def chain(cls, *words):
            return cls.run('ksrsigner', '--force', *NONE, '--chain', '--output-dir', 'out', *words)

        @staticmethod
        def calls():
            return calls.read_text().split() if calls.exists() else []

    return Zone


def spoil(zone, number, change):
    path = zone.folder / f'ksr-{number}.xml'
    path.write_text(change(path.read_text()))


@pytest.mark.parametrize('said, change', [
    ('KSR-FILE', lambda text: text[:5000]),
    ('KSR-FILE', lambda text: 'no XML at all'),
    ('KSR-BUNDLE-POP', lambda text: re.sub(r'(<SignatureData>)(.)', lambda m: m[1] + ('B' if m[2] == 'A' else 'A'),
                                           text, count=1)),
    ('KSR-BUNDLE-KEYS', lambda text: text.replace('<TTL>172800', '<TTL>3600')),
    ('KSR-SERIAL', lambda text: text.replace('domain="."', 'domain="example."', 1)),
    ('KSR-CHAIN', lambda text: text.replace('<Inception>', '<Inception>', 1)),
])
def test_chain_looks_at_all_requests_before_the_hsm_is_opened(zone, said, change):
    if said == 'KSR-CHAIN':  # the third does not continue the first
        done = zone.chain('ksr-1.xml', 'ksr-3.xml')
    else:
        spoil(zone, 3, change)
        done = zone.chain('ksr-1.xml', 'ksr-2.xml', 'ksr-3.xml')
    assert done.returncode == 1 and said in done.stderr, done.stderr
    assert 'ksr-3.xml: refused by' in done.stderr
    assert zone.calls() == [] and 'HSM Information' not in done.stdout
    assert not (zone.folder / 'out').exists()
    # Every check has a line, whatever ended the run.
    assert len(re.findall(r'^(?:PASS|FAIL|SKIP) [A-Z-]+', done.stdout, re.M)) == 29


def test_a_later_request_that_is_absent(zone):
    done = zone.chain('ksr-1.xml', 'absent.xml')
    assert done.returncode == 3 and zone.calls() == []


@pytest.mark.parametrize('words', [[], ['--ask-once']])
def test_a_later_quarters_key_that_is_missing_is_seen_before_the_first_question(zone, words):
    """And nothing is signed but what proves that the keys of the first are there."""
    path = zone.folder / 'ksrsigner.yaml'
    config = json.loads(path.read_text())
    config['keys']['late'] = {'label': 'late', 'algorithm': 'RSASHA256', 'valid_from': '2020-01-01T00:00:00Z'}
    config['schemas']['late'] = {number: {'publish': ['late'], 'sign': ['ksk']} for number in ('1', '2', '3')}
    path.write_text(json.dumps(config))
    done = zone.chain(*words, '--schema', 'normal,late', 'ksr-1.xml', 'ksr-2.xml')
    assert done.returncode == 1 and 'KSK-IDENTITY' in done.stderr, done.stderr
    assert 'the HSM has no key of this label (keys.late)' in done.stderr
    assert '...PASSED.' not in done.stdout and 'Is ' not in done.stdout and not (zone.folder / 'out').exists()


def schemas(zone, **named):
    """Add schemas: of each what every bundle publishes and signs with."""
    path = zone.folder / 'ksrsigner.yaml'
    config = json.loads(path.read_text())
    config['schemas'] |= {name: {number: slot for number in ('1', '2', '3')} for name, slot in named.items()}
    path.write_text(json.dumps(config))


BOTH = {'publish': ['ksk', 'new'], 'sign': ['ksk']}


@pytest.mark.parametrize('words', [[], ['--ask-once']])
@pytest.mark.parametrize('before, unsafe, said', [
    ('normal', {'publish': ['ksk', 'new'], 'sign': ['new']}, 'PUBLISH-SAFETY: key new begins to sign in bundle'),
    ('both', {'publish': ['new'], 'sign': ['new']}, 'RETIRE-SAFETY: key ksk has signed and is gone in bundle')])
def test_a_later_quarter_that_is_unsafe_is_seen_before_the_first_question(zone, words, before, unsafe, said):
    """It is judged by the responses before it as they are planned."""
    schemas(zone, both=BOTH, unsafe=unsafe)
    done = zone.chain(*words, '--schema', f'normal,{before},unsafe', 'ksr-1.xml', 'ksr-2.xml', 'ksr-3.xml')
    assert done.returncode == 1 and f'SKR-POLICY-{said}' in done.stdout + done.stderr, done.stdout + done.stderr
    assert 'SKIP KSR-CHAIN-KEYS-HSM (the response before is not made yet)' in done.stdout
    assert '...PASSED.' not in done.stdout and 'Is ' not in done.stdout and not (zone.folder / 'out').exists()


@pytest.mark.parametrize('words', [[], ['--ask-once']])
def test_a_rollover_over_three_quarters_is_safe_ahead_as_it_is_in_its_turn(zone, words):
    schemas(zone, both=BOTH, rolled={'publish': ['ksk', 'new'], 'sign': ['new']})
    done = zone.chain(*words, '--schema', 'normal,both,rolled', 'ksr-1.xml', 'ksr-2.xml', 'ksr-3.xml')
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((zone.folder / 'out').iterdir())) == 3


def test_a_replayed_request_is_seen_ahead(zone):
    shutil.copy(zone.folder / 'ksr-1.xml', zone.folder / 'again.xml')
    done = zone.chain('ksr-1.xml', 'again.xml')
    assert done.returncode == 1 and 'KSR-ID' in done.stderr and zone.calls() == []


@pytest.mark.parametrize('request_name, response', [
    ('KSR-A.XML', 'SKR-A.XML'), ('KSR.XML', 'SKR.XML'), ('Ksr-1.xml', 'sKr-1.xml'), ('ksr-1.xml', 'skr-1.xml'),
    ('root.xml', 'skr-root.xml')])
def test_names_of_results(zone, request_name, response):
    shutil.move(zone.folder / 'ksr-1.xml', zone.folder / 'held')
    shutil.copy(zone.folder / 'held', zone.folder / request_name)
    done = zone.chain(request_name)
    assert done.returncode == 0, done.stderr
    made, = (path.name for path in (zone.folder / 'out').iterdir())
    assert made.lower() == response.lower()
    if request_name.isupper():
        assert made == response


def test_results_can_be_named(zone):
    done = zone.chain('--output-names', 'use.xml,next phase.xml', 'ksr-1.xml', 'ksr-2.xml')
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (zone.folder / 'out').iterdir()) == ['next phase.xml', 'use.xml']


@pytest.mark.parametrize('names', ['a.xml', 'a.xml,b.xml,c.xml', 'a.xml,', 'a.xml,../b.xml', 'a.xml,.b', 'a.xml,b\x1b.xml',
                                   'a.xml,A.XML', 'a.xml,a.xml', '', 'a.xml, b.xml', 'a.xml,a.xml.', 'a.xml,b.xml..', 'a:b.xml,b.xml',
                                   'c?.xml,b.xml', 'a.xml,b|.xml', 'a.xml,b\\.xml', 'a.xml,"b".xml', '<a>.xml,b.xml', 'a*.xml,b.xml'])
def test_names_that_are_refused(zone, names):
    """FAT knows no case and no dots at the end: two names that differ in them alone
    are one file; some characters it does not take."""
    done = zone.chain('--output-names', names, 'ksr-1.xml', 'ksr-2.xml')
    assert done.returncode == 2, done.stderr
    assert zone.calls() == [] and not (zone.folder / 'out').exists()


def test_requests_whose_results_differ_in_case_alone(zone):
    shutil.copy(zone.folder / 'ksr-2.xml', zone.folder / 'KSR-1.xml')
    done = zone.chain('ksr-1.xml', 'KSR-1.xml')
    assert done.returncode == 2 and 'one name on a drive' in done.stderr and zone.calls() == []


def no_folder(zone, kind):
    """A value of --output-dir at which no folder can be made."""
    out = zone.folder / 'out'
    if kind == 'a file in between':
        out.write_text('not a folder')
        out.chmod(0o755)
        return 'out/chain'
    if kind == 'a link':
        (zone.folder / 'elsewhere').mkdir()
        out.symlink_to('elsewhere')
        return 'out'
    if kind == 'a link to nothing':
        out.symlink_to('elsewhere')
        return 'out'
    if kind == 'this one':
        out.mkdir()
        return 'out/.'
    if kind == 'a file':
        out.write_text('not a folder')
        return 'out'
    return {'nowhere': 'nowhere/out', 'empty': '', 'too long': 'x' * 250, 'not even a folder': '/dev/null/out'}[kind]


@pytest.mark.parametrize('kind', ['nowhere', 'empty', 'a file in between', 'a link', 'a link to nothing', 'this one',
                                  'a file', 'too long', 'not even a folder'])
def test_folder_that_cannot_be_written_is_known_ahead(zone, kind):
    folder = no_folder(zone, kind)
    done = zone.run('ksrsigner', '--force', *NONE, '--chain', '--output-dir', folder, 'ksr-1.xml', 'ksr-2.xml')
    assert done.returncode == 5, done.stderr
    assert zone.calls() == [] and 'HSM Information' not in done.stdout


def mounted(zone, what, target, *words):
    """ksrsigner where something is mounted at the target, for it alone."""
    inside = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', f'mount {what} {target} && exec "$@"', 'sh']
    if subprocess.run([*inside, 'true'], cwd=zone.folder, capture_output=True, check=False).returncode != 0:
        pytest.skip('nothing can be mounted here')
    return zone.run('ksrsigner', '--force', *NONE, *words, before=inside)


@pytest.mark.parametrize('words', [['--chain', '--output-dir', 'drive/out', 'ksr-1.xml', 'ksr-2.xml'], ['ksr-1.xml', 'drive/skr.xml']])
def test_drive_that_is_read_only_is_known_ahead(zone, words):
    (zone.folder / 'drive').mkdir()
    done = mounted(zone, '-t tmpfs -o ro none', 'drive', *words)
    assert done.returncode == 5 and 'Read-only file system' in done.stderr
    assert zone.calls() == []


def test_place_where_a_drive_is_mounted_is_known_ahead(zone):
    """A rename does not go over it."""
    (zone.folder / 'out').mkdir()
    done = mounted(zone, '-t tmpfs none', 'out', '--chain', '--output-dir', 'out', 'ksr-1.xml')
    assert done.returncode == 5 and 'a drive is mounted there' in done.stderr
    assert zone.calls() == []


def test_name_of_a_response_that_is_too_long_is_known_ahead(zone):
    name = 'k' * 245
    shutil.copy(zone.folder / 'ksr-1.xml', zone.folder / name)
    for words in (['--chain', '--output-dir', 'out', name], [name, name.replace('k', 's')]):
        done = zone.run('ksrsigner', '--force', *NONE, *words)
        assert done.returncode == 5 and 'expected at most' in done.stderr
        assert zone.calls() == []


def test_requests_whose_results_differ_in_dots_at_the_end(zone):
    shutil.copy(zone.folder / 'ksr-2.xml', zone.folder / 'ksr-1.xml.')
    done = zone.chain('ksr-1.xml', 'ksr-1.xml.')
    assert done.returncode == 2 and 'one name on a drive' in done.stderr and zone.calls() == []


@pytest.fixture(scope='module')
def fat(tmp_path_factory):
    """Preloaded, it makes every folder look like one on a drive."""
    out = tmp_path_factory.mktemp('preload') / 'fat.so'
    subprocess.run(['cc', '-std=c17', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', out,
                    TOP / 'tests/preload/fat.c', '-ldl'], check=True)
    return out


NOT_ON_FAT = ['skr:1.xml', 'skr?.xml', 'skr.xml.', 'skr.xml ', 'skr\t.xml', '"skr".xml']


@pytest.mark.parametrize('name', NOT_ON_FAT)
def test_target_that_a_drive_does_not_take(zone, fat, name):
    shutil.copy(zone.folder / 'ksr-1.xml', zone.folder / f'k{name}')
    for words in (['ksr-1.xml', name], ['--chain', '--output-dir', name, 'ksr-1.xml'], ['--chain', '--output-dir', 'out', f'k{name}']):
        done = zone.run('ksrsigner', '--force', *NONE, *words, LD_PRELOAD=str(fat), ASAN_OPTIONS='verify_asan_link_order=0')
        assert done.returncode == 5 and '(FAT)' in done.stderr, done.stderr
        assert zone.calls() == []
    # What another file system takes is not refused there.
    done = zone.run('ksrsigner', '--force', *NONE, 'ksr-1.xml', name)
    assert done.returncode == 0 and (zone.folder / name).exists()


def test_target_that_a_drive_takes(zone, fat):
    done = zone.run('ksrsigner', '--force', *NONE, 'ksr-1.xml', "skr (1) [2028] é.xml", LD_PRELOAD=str(fat),
                    ASAN_OPTIONS='verify_asan_link_order=0')
    assert done.returncode == 0, done.stderr


def test_both_hashes_are_shown_before_the_question(zone):
    done = zone.run('ksrsigner', '--force', *NONE, 'ksr-1.xml', 'skr-1.xml')
    assert done.returncode == 0 and 'hash of last SKR' not in done.stdout
    for program, words in (('ksrsigner', ['--force', '--previous-skr', 'skr-1.xml', 'ksr-2.xml', 'skr-2.xml']),
                           ('ksrcheck', ['--previous-skr', 'skr-1.xml', 'ksr-2.xml'])):
        done = zone.run(program, *words)
        assert done.returncode == 0, done.stderr
        for what, name in (('last SKR', 'skr-1.xml'), ('KSR', 'ksr-2.xml')):
            digest = subprocess.run(['sha256sum', zone.folder / name], capture_output=True, text=True,
                                    check=True).stdout.split()[0]
            assert f'SHA256 hash of {what}:\n{digest}\n>> ' in done.stdout
    assert done.stdout.index('hash of last SKR') < done.stdout.index('hash of KSR')
    # In a chain it is what was just made.
    done = zone.chain('ksr-1.xml', 'ksr-2.xml')
    made = re.findall(r'SHA256 hash of SKR:\n(\w+)', done.stdout)
    assert re.findall(r'SHA256 hash of last SKR:\n(\w+)', done.stdout) == made[:1]


# Any shape of file under the cap

MIB = 1048576


def shape(text, name):
    """1 MiB that looks like this request or response, as far as it can be stretched that way."""
    kind = 'Response' if '<ResponseBundle ' in text else 'Request'
    head, rest = text.split(f'<{kind}Bundle ', 1)
    bundle = f'<{kind}Bundle ' + rest.split(f'</{kind}Bundle>')[0] + f'</{kind}Bundle>\n'
    key = re.search(r'<Key .*?</Key>\n', bundle, re.S)[0]
    signature = re.search(r'<Signature .*?</Signature>\n', bundle, re.S)[0]
    tail = f'</{kind}>\n</KSR>\n'

    def fill(part, room):
        return ''.join(part(n) for n in range(room // len(part(0))))

    room = MIB - len(text) - 1000
    small = re.sub(r'<PublicKey>.*?</PublicKey>', '<PublicKey>AQ==</PublicKey>', key, flags=re.S)
    if name == 'bundles':
        return head + fill(lambda n: bundle.replace('id="', f'id="{n:07}', 1), room) + tail
    if name == 'the same bundle':
        return head + fill(lambda n: bundle, room) + tail
    if name == 'keys':
        return text.replace(key, fill(lambda n: key, room), 1)
    if name == 'small keys':
        return text.replace(key, fill(lambda n: small.replace('Identifier="', f'Identifier="{n:07}'), room // 4), 1)
    if name == 'signatures':
        return text.replace(signature, fill(lambda n: signature, room), 1)
    if name == 'small keys and signatures':
        return text.replace(key, fill(lambda n: small, room // 3), 1).replace(signature, fill(lambda n: signature, room // 2), 1)
    if name in ('small KSKs and signatures', 'small KSKs of one label and signatures'):
        bare = re.sub(r'>\s+<', '><', re.sub(r'keyTag="\d+"', 'keyTag="1"', re.sub(r'<Flags>\d+', '<Flags>257', small)))

        def numbered(n):
            number = base64.b64encode(n.to_bytes(3, 'big')).decode()
            label = 'ksk' if 'one label' in name else f'{n:04}'
            return re.sub('keyIdentifier="[^"]*"', f'keyIdentifier="{label}"', bare.replace('AQ==', number))
        return text.replace(key, key + fill(numbered, room * 9 // 20), 1).replace(
            signature, fill(lambda n: re.sub(r'>\s+<', '><', signature), room * 11 // 20), 1)
    if name == 'signers':
        return text.replace('<Key ', fill(lambda n: f'<Signer keyIdentifier="{n:07}"/>', room) + '<Key ', 1)
    if name == 'algorithms':
        entry = re.search(r'<SignatureAlgorithm .*?</SignatureAlgorithm>\n', text, re.S)[0]
        return text.replace(entry, fill(lambda n: entry, room), 1)
    if name == 'attributes':
        return text.replace('<KSR ', '<KSR ' + fill(lambda n: f'a{n:06}="" ', room), 1)
    if name == 'namespaces':
        return text.replace('<KSR ', '<KSR ' + fill(lambda n: f'xmlns:a{n:06}="u" ', room), 1)
    if name == 'a long id':
        return text.replace('<KSR id="', '<KSR id="' + 'x' * room, 1)
    if name == 'a long number':
        return text.replace('<TTL>', '<TTL>' + '0' * room, 1)
    if name == 'blanks':
        return text.replace('<TTL>', '<TTL>' + ' ' * room, 1)
    if name == 'base64':
        return text.replace('<PublicKey>', '<PublicKey>' + 'A' * room, 1)
    if name == 'comments':
        return text.replace('<TTL>', '<TTL>' + fill(lambda n: '<!---->', room), 1)
    if name == 'references':
        return text.replace('<TTL>', '<TTL>' + fill(lambda n: '&#48;', room), 1)
    if name == 'sections':
        return text.replace('<TTL>', '<TTL>' + fill(lambda n: '<![CDATA[0]]>', room), 1)
    if name == 'open tags':
        return '<a>' * (room // 3)
    if name == 'instructions':
        return text.replace('<KSR ', fill(lambda n: '<?a b?>', room) + '<KSR ', 1)
    return '<' * room


SHAPES = ['bundles', 'the same bundle', 'keys', 'small keys', 'signatures', 'small keys and signatures',
          'small KSKs and signatures', 'small KSKs of one label and signatures', 'signers', 'algorithms', 'attributes',
          'namespaces', 'a long id', 'a long number', 'blanks', 'base64', 'comments', 'references', 'sections',
          'open tags', 'instructions', 'angles']


def judged_in_time(done):
    """Two processor seconds for what done() runs; a busy machine is not the program's."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = done()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2
    return result


@pytest.mark.parametrize('name', SHAPES)
def test_a_mebibyte_of_any_shape(zone, name):
    text = shape((zone.folder / 'ksr-1.xml').read_text(), name)
    assert MIB * 0.2 < len(text) <= MIB
    (zone.folder / 'large.xml').write_text(text)
    done = judged_in_time(lambda: zone.run('ksrcheck', *NONE, 'large.xml'))
    assert done.returncode in (0, 1), done.stderr[-500:]  # some are the same request, written at length


@pytest.fixture(scope='module')
def answered(tmp_path_factory, programs):
    """Two quarters with short signatures: more of them are in 1 MiB."""
    zone = Rehearsal(tmp_path_factory.mktemp('answered'), programs, bundles=3, algorithm=13)
    zone.add_ksk('ksk')
    for _ in range(2):
        zone.quarter(zone.normal('ksk'))
    return zone


@pytest.mark.parametrize('name', SHAPES)
def test_a_mebibyte_of_a_response_of_any_shape(answered, name):
    """As the response before, and as the one that is looked at."""
    folder = answered.folder
    config, large = ['--config', 'ksrsigner.yaml'], ['--previous-skr', 'large.xml']
    for source, runs in (('skr-1.xml', (['skrcheck', *config, *large, 'ksr-2.xml', 'skr-2.xml'],
                                        ['ksrcheck', *config, *large, 'ksr-2.xml'],
                                        ['ksrsigner', '--force', *large, 'ksr-2.xml', 'made.xml'])),
                         ('skr-2.xml', (['skrcheck', *config, '--previous-skr', 'skr-1.xml', 'ksr-2.xml', 'large.xml'],))):
        text = shape((folder / source).read_text(), name)
        assert MIB * 0.2 < len(text) <= MIB
        (folder / 'large.xml').write_text(text)
        for words in runs:
            done = judged_in_time(lambda: answered.hsm.run(*words))
            assert done.status in (0, 1), done.err[-500:]
