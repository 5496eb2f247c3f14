# SPDX-License-Identifier: ISC
"""quorum decides whether a release may be believed, so it is tried with liars: a
party for every way in which a statement can be worthless, each judged by name and
none counted.  The statements are made by statements.py, not by attest."""
import base64
import json
import os
import re
import subprocess

import pytest

from statements import (FILES, PUBLISHED, REPRODUCIBLE, SOURCE, SUMS, TOP, TYPE, VERSION, Key, Release, digest_of, envelope,
                        hostile, on_small_disk, pae, run, statement, without)

NAMES = ['alice', 'bert', 'liar', 'wrong', 'torn', 'old', 'replay', 'double', 'blind', 'kind', 'extra', 'late', 'second',
         'manager']


@pytest.fixture(scope='module')
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp('keys')
    return {name: Key(folder, name) for name in [*NAMES, 'stranger']}


def policy_of(keys, k=2, names=NAMES[:-1]):
    """Everybody counts but the release manager; second is another key of torn's operator."""
    lines = [f'witness {name} {keys[name].vkey}' for name in NAMES]
    members = [name for name in names if name not in ('torn', 'second')]
    return '\n'.join(['# who counts', *lines, 'group torn-and-second any torn second',
                      f'group rebuilders {k} {" ".join(members)} torn-and-second', 'quorum rebuilders']) + '\n'


@pytest.fixture
def release(tmp_path, keys):
    return Release(tmp_path, policy_of(keys))


@pytest.fixture
def small(tmp_path, keys):
    """Where four witnesses are enough."""
    lines = ''.join(f'witness {name} {keys[name].vkey}\n' for name in ('alice', 'bert', 'liar', 'manager'))
    return Release(tmp_path, lines + 'group rebuilders 2 alice bert liar\nquorum rebuilders\n')


def changed(**files):
    return SUMS | {name: digest_of('other ' + name) for name in SUMS
                   if any(name.endswith(end) for end in files.values())}


def all_parties(release, keys):
    good = statement()
    lie = statement(changed(iso='.iso', manifest='-console-amd64.manifest'))
    release.add('alice', envelope(good, keys['alice']))
    release.add('bert', envelope(good, keys['bert'], encode=base64.urlsafe_b64encode))
    release.add('liar', envelope(lie, keys['liar']))
    release.add('wrong', envelope(good, keys['stranger'], keyids=[keys['wrong'].keyid]))
    release.add('stranger', envelope(good, keys['stranger']))
    release.add('old', envelope(statement(source={'commit': 'a' * 40}), keys['old']))
    release.add('torn', envelope(good, keys['torn']))
    release.add('second', envelope(statement(changed(iso='.raw')), keys['second']))
    release.add('replay', envelope(good, keys['replay'], kind='text/plain', signed_as=TYPE))
    release.add('double', envelope(good, keys['double'], keys['double']))
    blind = statement()
    del blind['subject'][3]['digest']['sha256']
    blind['subject'][3]['digest']['sha512'] = '0' * 128
    release.add('blind', envelope(blind, keys['blind']))
    release.add('kind', envelope(statement(buildType='https://example.org/other/v1'), keys['kind']))
    release.add('extra', envelope(statement(externalParameters={
        'version': VERSION, 'command': 'reproducible/rebuild', 'patch': 'x'}), keys['extra']))
    release.add('late', envelope(statement(finished='2026-11-28T12:00:01Z'), keys['late']))


def test_thirteen_parties_are_judged_by_name(release, keys):
    all_parties(release, keys)
    status, found, done = release.verdicts()
    assert status == 10, done
    assert found['alice'] == [('alice', 'agrees', '11 files')] and found['bert'] == [('bert', 'agrees', '11 files')]
    (who, verdict, detail), = found['liar']
    assert (who, verdict) == ('liar', 'differs')
    assert 'files of the root first' in detail and 'keyroom-9.9.9-amd64.iso' in detail
    assert found['wrong'] == [('-', 'refused', 'wrong key: the signature is not that of wrong')]
    assert found['stranger'] == [('-', 'refused', 'unknown key')]
    assert found['old'] == [('old', 'another source', 'other commit')]
    assert [found[name][0][1] for name in ('torn', 'second')] == ['contradicts itself'] * 2
    assert found['replay'][0][:2] == ('-', 'refused') and 'another payload type: text/plain' in found['replay'][0][2]
    assert found['double'] == [('double', 'agrees', '11 files (signed twice by one key, counted once)')]
    assert found['blind'][0][1:] == ('refused', f'a subject has no SHA-256: {FILES[3]}')
    assert found['kind'][0][1:] == ('refused', 'another build type: https://example.org/other/v1')
    assert found['extra'][0][1:] == ('refused', 'unknown external parameter: patch')
    assert found['late'][0][1:] == ('late', 'agrees, but finished after the hash was published')
    assert 'rebuilders: 3 of the 2 asked for, among 12' in done.stdout
    assert 'Dissent:    liar second torn' in done.stdout and 'manager' in done.stdout
    assert done.stdout.rstrip().endswith('Result:     quorum, WITH DISSENT') and not done.stderr


def test_quorum_without_dissent_is_the_only_success(small, keys):
    small.add('alice', envelope(statement(), keys['alice']))
    assert small.judge().returncode == 1
    small.add('bert', envelope(statement(), keys['bert']))
    done = small.judge()
    assert done.returncode == 0 and done.stdout.endswith('Result:     quorum\n')
    small.add('liar', envelope(statement(changed(iso='.iso')), keys['liar']))
    status, found, _ = small.verdicts()
    assert status == 10 and 'the boot files or the layout first' in found['liar'][0][2]


@pytest.mark.slow
@pytest.mark.parametrize('who', ['wrong', 'stranger', 'old', 'torn', 'replay', 'blind', 'kind', 'extra', 'late'])
def test_none_of_them_makes_up_the_number(release, keys, who):
    """One honest and one of these are too few for two."""
    all_parties(release, keys)
    for path in release.folder.glob('*.intoto.jsonl'):
        if path.name.split('.')[0] not in ('alice', who, *(['second'] if who == 'torn' else [])):
            path.unlink()
    assert release.judge().returncode == 1


def test_a_key_that_signs_twice_is_one_vote(release, keys):
    release.add('double', envelope(statement(), keys['double'], keys['double']))
    release.add('again', envelope(statement(), keys['double']))
    status, _, done = release.verdicts()
    assert status == 1 and 'rebuilders: 1 of the 2' in done.stdout


def test_two_keys_of_one_operator_are_one_vote(release, keys):
    release.add('torn', envelope(statement(), keys['torn'], keys['second']))
    status, found, done = release.verdicts()
    assert status == 1 and 'rebuilders: 1 of the 2' in done.stdout and len(found['torn']) == 2


def test_who_is_in_no_group_counts_for_nothing_but_is_heard(small, keys):
    small.add('alice', envelope(statement(), keys['alice']))
    small.add('manager', envelope(statement(), keys['manager']))
    assert small.judge().returncode == 1
    small.add('bert', envelope(statement(), keys['bert']))
    assert small.judge().returncode == 0
    small.add('manager', envelope(statement(changed(iso='.iso')), keys['manager']))
    assert small.judge().returncode == 10


def test_a_dissent_that_is_late_is_a_dissent(small, keys):
    small.add('alice', envelope(statement(), keys['alice']))
    small.add('bert', envelope(statement(), keys['bert']))
    small.add('liar', envelope(statement(changed(iso='.iso'), finished='2027-01-01T00:00:00Z'), keys['liar']))
    assert small.judge().returncode == 10


@pytest.mark.parametrize('source', [{'tree': 'a' * 40}, {'lock': 'a' * 64}])
def test_another_tree_or_lock_is_another_source(small, keys, source):
    small.add('alice', envelope(statement(source=source), keys['alice']))
    status, found, _ = small.verdicts()
    assert (status, found['alice'][0][1], found['alice'][0][2]) == (1, 'another source', f'other {list(source)[0]}')


def refused_bodies():
    yield 'not json', b'not json'
    yield 'two objects', json.dumps(statement()).encode() * 2
    yield 'an array', json.dumps([statement()]).encode()
    yield 'member twice', json.dumps(statement()).replace('"_type"', '"predicateType": "x", "_type"').encode()
    yield 'inner member twice', json.dumps(statement()).replace('"buildType"', '"buildType": "x", "buildType"').encode()
    # Where both values have members, no leaf is there twice.
    yield 'objects twice', json.dumps(statement()).replace('"predicate":', '"predicate": {"a": {"b": 1}}, "predicate":').encode()
    yield 'object and value', json.dumps(statement()).replace('"digest": {', '"digest": "x", "digest": {', 1).encode()
    yield 'arrays twice', json.dumps(statement()).replace(
        '"resolvedDependencies":', '"resolvedDependencies": [], "resolvedDependencies":').encode()
    yield 'one of them escaped', json.dumps(statement()).replace(
        '"runDetails":', '"runDet\\u0061ils": {"x": []}, "runDetails":').encode()
    yield 'older statement', json.dumps(statement() | {'_type': 'https://in-toto.io/Statement/v0.1'}).encode()
    yield 'other predicate', json.dumps(statement() | {'predicateType': 'https://slsa.dev/provenance/v0.2'}).encode()
    yield 'no predicate', json.dumps(statement() | {'predicate': None}).encode()
    yield 'no subject', json.dumps(statement() | {'subject': []}).encode()
    yield 'subject of text', json.dumps(statement() | {'subject': ['x']}).encode()
    yield 'subject without name', json.dumps(statement() | {'subject': [{'digest': {'sha256': '0' * 64}}]}).encode()
    short = statement()
    short['subject'] = short['subject'][:-1]
    yield 'one file less', json.dumps(short).encode()
    more = statement(SUMS | {'keyroom-more.iso': '0' * 64})
    yield 'one file more', json.dumps(more).encode()
    twice = statement()
    twice['subject'].append(twice['subject'][0])
    yield 'a file twice', json.dumps(twice).encode()
    upper = statement({name: value.upper() for name, value in SUMS.items()})
    yield 'capitals', json.dumps(upper).encode()
    yield 'a newline more', json.dumps(statement(SUMS | {FILES[0]: SUMS[FILES[0]] + '\n'})).encode()
    other = statement(externalParameters={'version': '9.9.8', 'command': 'reproducible/rebuild'})
    yield 'other version', json.dumps(other).encode()
    yield 'other command', json.dumps(statement(externalParameters={'version': VERSION, 'command': 'make'})).encode()
    # jq reads these; another reader does not, or reads something else.
    good = json.dumps(statement()).encode()
    yield 'text behind a NUL', good + b'\0 and more'
    yield 'a second one behind a NUL', good + b'\0' + json.dumps(statement(changed(iso='.iso'))).encode()
    yield 'a line hidden by a NUL', good.replace(b'"subject"', b'\n\0"subject": [],\n"subject"')
    yield 'a record separator', b'\x1e' + good
    yield 'no UTF-8', good.replace(b'"13"', b'"\xff"')
    yield 'a mark of order', b'\xef\xbb\xbf' + good
    for number in (b'NaN', b'Infinity', b'-Infinity', b'013', b'00', b'-01', b'+1', b'.5', b'1.'):
        yield number.decode(), good.replace(b'"13"', number)
    yield 'no parameters', json.dumps(statement(externalParameters=None)).encode()


@pytest.mark.parametrize('name,body', refused_bodies(), ids=[name for name, _ in refused_bodies()])
def test_a_statement_that_says_less_or_other_is_refused(small, keys, name, body):
    small.add('alice', envelope(body, keys['alice']))
    status, found, done = small.verdicts()
    assert status == 1 and found['alice'][0][:2] == ('alice', 'refused'), done


def broken_envelopes(keys):
    good = envelope(statement(), keys['alice'])
    yield ''
    yield 'x'
    yield '[]'
    yield json.dumps(good | {'payload': 1})
    yield json.dumps(good | {'payload': good['payload'][:-9] + '*'})
    yield json.dumps(good | {'payload': good['payload'][4:]})
    yield json.dumps(good | {'payloadType': TYPE + '\n'})
    yield json.dumps(good | {'payloadType': TYPE.upper()})
    yield json.dumps(good | {'signatures': []})
    yield json.dumps(good | {'signatures': good['signatures'] * 17})
    yield json.dumps(good | {'signatures': [{'keyid': 'x'}]})
    yield json.dumps(good | {'signatures': [{'sig': good['signatures'][0]['sig'][:40]}]})
    yield json.dumps(good).replace('"payload"', '"payload": "eA==", "payload"', 1)
    yield json.dumps(good) * 2
    yield json.dumps(good).replace('"signatures"', '"signatures": [], "signatures"', 1)
    yield '\x1e' + json.dumps(good)
    yield '\ufeff' + json.dumps(good)
    yield json.dumps(good) + '\0{}'
    yield json.dumps(good).replace('"payload"', '"pay\0load"')


@pytest.mark.parametrize('which', range(19))
def test_a_broken_envelope_is_refused(small, keys, which):
    small.add('alice', list(broken_envelopes(keys))[which])
    status, found, done = small.verdicts()
    assert status == 1 and {one[1] for one in found['alice']} == {'refused'} and not done.stderr, done


@pytest.mark.parametrize('make', [os.mkdir, os.mkfifo, lambda path: os.symlink('/nowhere', path)])
def test_a_verdict_takes_no_folder_or_device_away(small, keys, tmp_path, make):
    """--verdict /dev/stdout replaced that, for root; one into a folder was there under
    another name, and the status 0."""
    make(tmp_path / 'there')
    for who in ('alice', 'bert'):
        small.add(who, envelope(statement(), keys[who]))
    done = small.judge('--verdict', tmp_path / 'there')
    assert done.returncode == 5 and 'there: is no ordinary file' in done.stderr, done
    assert not (tmp_path / 'there').is_file() and (not (tmp_path / 'there').is_dir() or not list((tmp_path / 'there').iterdir()))


@pytest.mark.parametrize('name', ['0', 'zzz'])
def test_what_is_no_file_hides_no_statement(small, keys, name):
    """A link that leads nowhere, a folder, a pipe: whoever adds one to the evidence
    silences nobody.  A first name that was such a link had hidden all, and the
    dissent among them."""
    for who in ('alice', 'bert'):
        small.add(who, envelope(statement(), keys[who]))
    small.add('liar', envelope(statement(changed(iso='.iso')), keys['liar']))
    (small.folder / f'{name}.intoto.jsonl').symlink_to('/nowhere')
    (small.folder / f'{name}1.intoto.jsonl').mkdir()
    os.mkfifo(small.folder / f'{name}2.intoto.jsonl')
    status, found, done = small.verdicts()
    assert status == 10 and found['liar'][0][1] == 'differs', done
    assert [found[name + end][0][1] for end in ('', '1', '2')] == ['refused'] * 3


@pytest.mark.parametrize('one', ['any', '1'])
def test_any_and_one_are_one_operator(small, keys, tmp_path, one):
    """The grammar calls them the same: written as 1, the keys of one operator were two
    operators, and got the level; of two that differ both counted."""
    verdict = tmp_path / 'verdict.json'
    small.policy.write_text(''.join(f'witness {name} {keys[name].vkey}\n' for name in ('alice', 'bert', 'liar')) +
                            f'group op {one} alice bert\ngroup g {one} op liar\nquorum g\n')
    small.add('alice', envelope(statement(), keys['alice']))
    small.add('bert', envelope(statement(), keys['bert']))
    assert small.judge('--verdict', verdict).returncode == 0
    assert json.loads(verdict.read_text())['predicate']['verifiedLevels'] == []
    small.add('bert', envelope(statement(changed(iso='.iso')), keys['bert']))
    status, found, done = small.verdicts()
    assert status == 1 and found['alice'][0][1] == found['bert'][0][1] == 'contradicts itself', done
    small.policy.write_bytes(small.policy.read_bytes() + b'\0log\n')
    done = small.judge()
    assert done.returncode == 3 and done.stderr == f'quorum: {small.policy}: holds a NUL byte\n' and not done.stdout, done


def test_one_operator_alone_has_reproduced_nothing(small, keys, tmp_path):
    """SLSA's level is of two or more platforms that are operated apart; a policy may
    be content with less, but its verdict must not claim the level."""
    verdict = tmp_path / 'verdict.json'
    small.policy.write_text(
        ''.join(f'witness {name} {keys[name].vkey}\n' for name in ('alice', 'bert', 'liar', 'manager')) +
        'group op any alice bert\ngroup g 1 op liar\nquorum g\n')

    def levels():
        assert small.judge('--verdict', verdict).returncode == 0
        said = json.loads(verdict.read_text())['predicate']
        assert said['verificationResult'] == 'PASSED'
        return said['verifiedLevels']
    for who in ('alice', 'bert', 'manager'):
        small.add(who, envelope(statement(), keys[who]))
        assert levels() == [], who
    small.add('liar', envelope(statement(), keys['liar']))
    assert levels() == ['SLSA_BUILD_REPRODUCED']


def test_the_projects_own_keys_are_one_operator(keys, tmp_path):
    """attest/policy itself: three keys of the project were three operators, and a
    release that nobody else had built got the level of two."""
    text = (TOP / 'attest/policy').read_text()
    own = {}
    for name, vkey in re.findall(r'^witness (\S+) (\S+)', text, re.M):
        done = run('bash', '-euo', 'pipefail', '-c', f'. {REPRODUCIBLE}/lib/dsse.sh; vkey_of "$1" "$2"', 'bash', name,
                   TOP / f'attest/keys/{name}.pub')
        assert done.stdout.strip() == vkey, name
        if name.startswith('test-'):
            own[name] = Key(tmp_path, name)
            text = text.replace(vkey, own[name].vkey)
    assert {path.stem for path in (TOP / 'attest/keys').iterdir()} == set(re.findall(r'^witness (\S+)', text, re.M)) and own
    release, verdict = Release(tmp_path, text), tmp_path / 'verdict.json'
    for name, key in own.items():
        release.add(name, envelope(statement(), key))
    done = release.judge('--verdict', verdict)
    assert done.returncode in (0, 1) and done.stdout.count(' agrees ') == len(own), done
    assert json.loads(verdict.read_text())['predicate']['verifiedLevels'] == []
    # Two statements of theirs that differ are none.
    release.add('test-1', envelope(statement(changed(iso='.iso')), own['test-1']))
    assert 'contradicts itself' in release.judge().stdout


class Signed:
    """A release whose SHA256SUMS and SOURCE somebody signs."""

    def __init__(self, release, folder):
        self.release, self.key, self.allowed = release, folder / 'ssh', folder / 'allowed_signers'
        run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', self.key).check_returncode()
        self.allow('')
        for name in ('SHA256SUMS', 'SOURCE'):
            self.sign(name)

    def allow(self, options):
        public = (self.key.parent / 'ssh.pub').read_text()
        self.allowed.write_text(f'manager@example.org namespaces="keyroom-release"{options} {public}')

    def sign(self, name, namespace='keyroom-release'):
        path = self.release.folder / name
        run('ssh-keygen', '-q', '-Y', 'sign', '-f', self.key, '-n', namespace, path).check_returncode()
        (path.parent / f'{name}.sig').replace(path.parent / f'{name}.manager.sig')


@pytest.fixture
def signed(small, keys, tmp_path):
    for who in ('alice', 'bert'):
        small.add(who, envelope(statement(), keys[who]))
    return Signed(small, tmp_path)


def test_a_moved_time_of_publishing_is_seen(small, keys, signed):
    """SOURCE was signed by nobody: a line of it moved, and who had copied the hash
    counted.  Where the policy has allowed_signers beside it, nobody has to ask."""
    small.add('liar', envelope(statement(finished='2026-11-28T12:00:01Z'), keys['liar']))
    for more in ((), ('--signers', signed.allowed)):
        done = small.judge(*more)
        assert done.returncode == 0 and 'SHA256SUMS by manager@example.org' in done.stdout and ' late ' in done.stdout, done
        assert 'SOURCE by manager@example.org' in done.stdout and 'UNSIGNED' not in done.stdout
    path = small.folder / 'SOURCE'
    path.write_text(path.read_text().replace(PUBLISHED, '2026-12-28T12:00:00Z'))
    for more in ((), ('--signers', signed.allowed)):
        done = small.judge(*more)
        assert done.returncode == 3 and 'SOURCE: has no signature that counts' in done.stderr and not done.stdout, done
    done = small.judge('--unsigned')
    assert done.returncode == 0 and 'UNSIGNED    nobody vouches' in done.stdout, done


@pytest.mark.parametrize('name,command,when,script', [
    # After its signature was verified.
    ('SOURCE', 'ssh-keygen', '*verify*', "sed -i 's/^published: .*/published: 2026-11-30T00:00:00Z/'"),
    # After it was read.
    ('policy', 'awk', '*policy.awk*', "sed -i 's/^group rebuilders 2/group rebuilders 1/'"),
    ('allowed_signers', 'ssh-keygen', '*find-principals*', "sed -i 's/.*//'")])
def test_what_is_judged_is_what_was_read(small, keys, signed, tmp_path, name, command, when, script):
    """Signature and contents were looked at in two readings: whoever can write to the
    folder had late statements count under the manager's name, or gave the verdict the
    hash of a policy that had not been asked."""
    for who in ('alice', 'bert'):
        small.add(who, envelope(statement(finished='2026-11-29T12:00:00Z'), keys[who]))
    plain = small.judge()
    assert plain.returncode == 1 and plain.stdout.count(' late ') == 2, plain
    path, tools = (small.folder if name == 'SOURCE' else tmp_path) / name, tmp_path / 'tools'
    before = path.read_text()
    tools.mkdir()
    (tools / command).write_text(f'#!/bin/sh\n/usr/bin/{command} "$@"\nstatus=$?\ncase "$*" in {when}) {script} {path} ;; esac\nexit $status\n')
    (tools / command).chmod(0o755)
    done = small.judge(env={'PATH': f'{tools}:/usr/sbin:/usr/bin:/sbin:/bin'})
    assert path.read_text() != before and (done.returncode, done.stdout, done.stderr) == (1, plain.stdout, ''), done


@pytest.mark.parametrize('name', ['SHA256SUMS', 'SOURCE'])
def test_signatures_that_do_not_count(small, signed, name):
    path = small.folder / f'{name}.manager.sig'
    path.rename(small.folder / f'{name}.another.sig')
    assert small.judge().returncode == 0                    # of whom is what counts, not the name
    path = small.folder / f'{name}.another.sig'
    whole = path.read_bytes()
    for data in (b'', whole[:100], (small.folder / f'{"SOURCE" if name == "SHA256SUMS" else "SHA256SUMS"}.manager.sig').read_bytes()):
        path.write_bytes(data)
        assert small.judge().returncode == 3, data
    path.unlink()
    assert small.judge().returncode == 3
    signed.sign(name, 'git')
    assert small.judge().returncode == 3
    signed.sign(name)
    signed.allow(',valid-before="20250101"')
    assert small.judge().returncode == 3 and small.judge('--at', '20241231000000Z').returncode == 0
    for more in (('--unsigned', '--signers', signed.allowed), ('--unsigned', '--at', '20241231000000Z')):
        assert small.judge(*more).returncode == 2


def test_a_key_on_two_lines(small, signed):
    """One line says that the key may sign tags, another that it may sign releases:
    the first alone was looked at."""
    public = (signed.key.parent / 'ssh.pub').read_text()
    wanted = f'manager@example.org namespaces="keyroom-release" {public}'
    for other in ('namespaces="git" ', 'valid-before="20250101" '):
        for text in (f'tags@example.org {other}{public}{wanted}', f'{wanted}tags@example.org {other}{public}',
                     f'# tags\n\ntags@example.org,more@example.org {other}{public}{wanted.strip()}'):
            signed.allowed.write_text(text)
            done = small.judge()
            assert done.returncode == 0 and 'SOURCE by manager@example.org' in done.stdout, (text, done)
    signed.allowed.write_text(f'tags@example.org namespaces="git" {public}')
    assert small.judge().returncode == 3


@pytest.mark.parametrize('at', ['tomorrow', '2026-11-28', '20261328', '20261128250000Z', '20261128120000+01'])
def test_what_is_no_time_is_said(small, signed, at):
    done = small.judge('--at', at)
    assert done.returncode == 2 and f'--at is "{at}", which is no time' in done.stderr and not done.stdout, done


def test_a_verdict_of_no_time(small, signed, tmp_path):
    """SOURCE_DATE_EPOCH was text, and a verdict that passed said no time."""
    verdict = tmp_path / 'verdict.json'
    for epoch in ('tomorrow', '-1', '1 day', '9' * 30):
        done = small.judge('--verdict', verdict, env={'PATH': '/usr/bin:/bin', 'SOURCE_DATE_EPOCH': epoch})
        assert done.returncode == 2 and f'SOURCE_DATE_EPOCH is "{epoch}"' in done.stderr and not verdict.exists(), done
    for epoch, year in (('0', '1970'), ('', '20')):
        done = small.judge('--verdict', verdict, env={'PATH': '/usr/bin:/bin', 'SOURCE_DATE_EPOCH': epoch})
        assert done.returncode == 0, done
        assert json.loads(verdict.read_text())['predicate']['timeVerified'].startswith(year)


@pytest.mark.parametrize('sums', [SUMS | {'keyroom-more.iso': '0' * 64}, dict(list(SUMS.items())[1:])])
def test_other_files_are_another_statement(small, keys, sums):
    """Two statements of one operator that differ are no vote: one of them was refused
    for naming a file more, and the other counted."""
    small.add('bert', envelope(statement(), keys['bert']))
    small.add('alice', envelope(statement(), keys['alice']), envelope(statement(sums), keys['alice']))
    status, found, done = small.verdicts()
    assert status == 1 and [one[1] for one in found['alice']] == ['contradicts itself'] * 2, done
    assert 'Dissent:    alice' in done.stdout
    # Alone it is refused, and no dissent.
    small.add('alice', envelope(statement(sums), keys['alice']))
    status, found, done = small.verdicts()
    assert found['alice'][0][1] == 'refused' and 'Dissent' not in done.stdout, done
    # Of another source it is no contradiction.
    small.add('alice', envelope(statement(), keys['alice']), envelope(statement(sums, source={'commit': 'a' * 40}), keys['alice']))
    assert small.judge().returncode == 0


def test_without_ssh_keygen_it_is_said(small, signed, tmp_path):
    done = small.judge(env={'PATH': str(without(tmp_path, 'ssh-keygen'))})
    assert done.returncode == 3 and 'ssh-keygen is missing on this machine' in done.stderr, done
    assert small.judge('--unsigned', env={'PATH': str(tmp_path / 'bin')}).returncode == 0


def test_text_of_strangers_cannot_repaint_the_screen(small, keys):
    body = statement(buildType='\x1b[2J\x1b[31mfine\u202e\nResult:     quorum')
    small.add('alice', envelope(body, keys['alice']))
    done = small.judge()
    assert '\x1b' not in done.stdout and '\nResult:     quorum\n' not in done.stdout
    assert 'TOO FEW' in done.stdout


@pytest.mark.parametrize('shown', [f' {TYPE}', f'{TYPE} ', f'\t{TYPE}', f'{TYPE}\t'])
def test_a_type_with_blanks_is_another_type(small, keys, shown):
    """What is signed is the type, byte for byte: a reader that drops blanks took a
    signature of one type for one of another."""
    small.add('alice', envelope(statement(), keys['alice'], kind=shown, signed_as=TYPE))
    small.add('bert', envelope(statement(), keys['bert'], kind=shown))
    status, found, done = small.verdicts()
    assert status == 1 and {one[0][1] for one in found.values()} == {'refused'}, done
    assert '\t' in shown or found['alice'][0][0] == '-' and found['bert'][0][0] == 'bert', done


def test_an_empty_signature_is_none(small, keys):
    """The signature is not where the key id should be."""
    good = envelope(statement(), keys['alice'])
    good['signatures'] = [{'sig': '', 'keyid': good['signatures'][0]['sig']}]
    small.add('alice', good)
    status, found, _ = small.verdicts()
    assert status == 1 and found['alice'] == [('-', 'refused', 'is no envelope')]


def test_the_callers_environment_makes_no_quorum(small, keys, tmp_path):
    """A variable was enough: BASH_ENV ended quorum with success before its first line,
    and TOP named who judges the signatures."""
    env = hostile(tmp_path / 'hostile')
    small.add('alice', envelope(statement(), keys['alice']))
    small.add('liar', envelope(statement(changed(iso='.iso')), keys['liar']))
    for expected in (1, 10):
        plain = small.judge()
        for one in (env, {'PATH': env['PATH'], 'TOP': env['TOP']}, {'PATH': env['PATH'], 'BASH_ENV': env['BASH_ENV']}):
            done = small.judge(env=one)
            assert (done.returncode, done.stdout, done.stderr) == (expected, plain.stdout, ''), done
        small.add('bert', envelope(statement(), keys['bert']))


def test_the_callers_environment_makes_no_other_statement(keys, built, tmp_path):
    plain = attest(keys, built)
    done = attest(keys, built, env=hostile(tmp_path / 'hostile'))
    assert done.returncode == 0 and done.stdout == plain.stdout, done


def test_no_room_is_no_verdict(small, keys, tmp_path):
    """1 is "too few"; and a dissent that could not be written down was none: quorum."""
    for who in ('alice', 'bert'):
        small.add(who, envelope(statement(), keys[who]))
    lie = statement(changed(iso='.iso'), internalParameters={'release': 'x' * 200_000})
    small.add('liar', envelope(lie, keys['liar']))
    assert small.judge().returncode == 10
    argv = [REPRODUCIBLE / 'quorum', '--policy', small.policy, '--release', VERSION, small.folder]
    for size in ('4k', '16k', '64k', '100k', '160k', '200k', '300k', '400k', '500k', '600k'):
        done = on_small_disk(tmp_path / 'small', size, *argv)
        assert done.returncode in (3, 10) and 'quorum\n' not in done.stdout, (size, done)
        assert done.returncode == 10 or done.stderr and 'Result:' not in done.stdout, (size, done)
    done = on_small_disk(tmp_path / 'small', '16m', *argv)
    assert done.returncode == 10
    done = run(*argv, env={'PATH': '/usr/bin:/bin', 'TMPDIR': '/nonexistent'})
    assert done.returncode == 3 and '/nonexistent: no folder for temporary files' in done.stderr and not done.stdout, done


def test_who_made_no_statement_is_named(small):
    """Also where nobody made one."""
    done = small.judge()
    assert done.returncode == 1
    assert re.findall('^([a-z]+) +made no statement$', done.stdout, re.M) == ['alice', 'bert', 'liar', 'manager'], done


def test_names_that_awk_takes_for_settings(small, keys, tmp_path):
    """NAME=VALUE as an argument of awk is no file, and standard input is read instead."""
    for who in ('alice', 'bert'):
        small.add(who, envelope(statement(), keys[who]))
    small.policy.rename(tmp_path / 'policy=x')
    small.folder.rename(tmp_path / 'release=x')
    done = run(REPRODUCIBLE / 'quorum', '--policy', 'policy=x', '--release', VERSION, 'release=x', cwd=tmp_path, input='')
    assert done.returncode == 0 and not done.stderr, done


def test_a_key_id_is_a_hint_alone(small, keys):
    small.add('alice', envelope(statement(), keys['alice'], keyids=[keys['bert'].vkey]))
    small.add('bert', envelope(statement(), keys['bert'], keyids=['']))
    status, found, _ = small.verdicts()
    assert status == 0 and found['alice'][0][0] == 'alice'


def test_the_verdict_is_a_verification_summary(small, keys, tmp_path):
    small.add('alice', envelope(statement(), keys['alice']))
    small.add('bert', envelope(statement(), keys['bert']))
    verdict = tmp_path / 'verdict.json'
    assert small.judge('--verdict', verdict).returncode == 0
    made = json.loads(verdict.read_text())
    assert made['predicateType'] == 'https://slsa.dev/verification_summary/v1'
    assert {s['name']: s['digest']['sha256'] for s in made['subject']} == SUMS
    said = made['predicate']
    assert said['verificationResult'] == 'PASSED' and said['verifiedLevels'] == ['SLSA_BUILD_REPRODUCED']
    assert said['policy']['digest']['sha256'] == digest_of(small.policy.read_text())
    assert len(said['inputAttestations']) == 2 and re.fullmatch(r'[-0-9]{10}T[:0-9]{8}Z', said['timeVerified'])
    # What comes after this verdict is late, whatever time it gives itself.
    small.add('liar', envelope(statement(), keys['liar']))
    status, found, _ = small.verdicts('--counted', verdict)
    assert status == 0 and found['liar'][0][1] == 'late' and found['alice'][0][1] == 'agrees'
    # attest signs it, as it signs statements.
    done = run(REPRODUCIBLE / 'attest', '--key', keys['manager'].path, '--name', 'manager', '--sign', verdict)
    signed = json.loads(done.stdout)
    assert base64.b64decode(signed['payload']) == verdict.read_bytes() and done.returncode == 0
    (small.folder / 'bert.intoto.jsonl').unlink()
    (small.folder / 'liar.intoto.jsonl').unlink()
    assert small.judge('--verdict', verdict).returncode == 1
    made = json.loads(verdict.read_text())['predicate']
    assert made['verificationResult'] == 'FAILED' and made['verifiedLevels'] == []


def test_what_was_counted_is_late_by_its_time_too(small, keys, tmp_path):
    """An earlier verdict's list is a further condition: a late statement that it has
    listed, or that its writer had put among the others, had become a vote."""
    verdict = tmp_path / 'verdict.json'
    for who in ('alice', 'bert'):
        small.add(who, envelope(statement(), keys[who]))
    small.add('liar', envelope(statement(finished='2026-11-28T12:00:01Z'), keys['liar']))
    assert small.judge('--verdict', verdict).returncode == 0
    made = json.loads(verdict.read_text())
    inputs = made['predicate']['inputAttestations']
    assert [one['uri'] for one in inputs] == ['alice.intoto.jsonl', 'bert.intoto.jsonl']
    text = (small.folder / 'liar.intoto.jsonl').read_text()
    inputs.append({'uri': 'liar.intoto.jsonl', 'digest': {'sha256': digest_of(text)}})
    verdict.write_text(json.dumps(made))
    status, found, done = small.verdicts('--counted', verdict)
    assert status == 0 and found['liar'][0][1:] == ('late', 'agrees, but finished after the hash was published'), done


@pytest.mark.parametrize('change,reason', [
    (lambda v: v['predicate'].update(resourceUri='urn:keyroom:release:9.9.8'), 'is about urn:keyroom:release:9.9.8'),
    (lambda v: v['predicate'].update(verificationResult='FAILED'), 'is no verdict that PASSED'),
    (lambda v: v['subject'].pop(), 'is about other files'),
    (lambda v: v.update(predicateType='https://slsa.dev/provenance/v1'), 'is no verdict of this command'),
    (lambda v: v['predicate'].update(inputAttestations=[{}]), 'is no verdict of this command'),
    (lambda v: v['predicate'].pop('inputAttestations'), 'is no verdict of this command'),
    (lambda v: v.clear(), 'is no verdict of this command')])
def test_a_verdict_of_something_else_counts_nothing(small, keys, tmp_path, change, reason):
    verdict = tmp_path / 'verdict.json'
    for who in ('alice', 'bert'):
        small.add(who, envelope(statement(), keys[who]))
    assert small.judge('--verdict', verdict).returncode == 0
    assert small.judge('--counted', verdict).returncode == 0
    made = json.loads(verdict.read_text())
    change(made)
    verdict.write_text(json.dumps(made))
    done = small.judge('--counted', verdict)
    assert done.returncode == 3 and reason in done.stderr and not done.stdout, done


def wrong_policies(keys):
    a, b = f'witness a {keys["alice"].vkey}\n', f'witness b {keys["bert"].vkey}\n'
    yield a, 'no quorum line'
    yield a + 'quorum b\n', 'not defined'
    yield 'quorum a\n' + a, 'not defined'
    yield a + 'quorum a\nquorum a\n', 'second quorum'
    yield a + a + 'quorum a\n', 'twice'
    yield a + f'witness b {keys["alice"].vkey}\nquorum a\n', 'same key'
    yield a + 'group g 2 a\nquorum g\n', 'asks for 2 of 1'
    yield a + 'group g 0 a\nquorum g\n', 'all, any or digits'
    yield a + 'group g any\nquorum g\n', 'a group is'
    yield a + b + 'group g any a a\nquorum g\n', 'two groups'
    yield a + b + 'group g any a\ngroup h any a b\nquorum h\n', 'two groups'
    yield a + 'quorum none\n', 'nobody is asked'
    yield a + 'group g any none\nquorum g\n', 'not defined'
    yield a + 'witness none x\nquorum a\n', 'taken'
    yield a + 'witness - x\nquorum a\n', 'taken'
    yield a + 'wittness b x\nquorum a\n', 'neither'
    yield a + 'quorum a\x1b\n', 'control character'
    yield 'witness a x\nquorum a\n', 'is not NAME+ID+KEY'
    yield 'witness a ' + keys['alice'].vkey.replace('alice', 'alicf') + '\nquorum a\n', 'has an id that is not'
    yield 'witness a x+00000000+AgAA\nquorum a\n', 'is no Ed25519 key'
    yield '', 'empty'


@pytest.mark.parametrize('which', range(21))
def test_a_wrong_policy_is_bad_input(small, keys, which):
    text, reason = list(wrong_policies(keys))[which]
    small.policy.write_text(text)
    done = small.judge()
    assert done.returncode == 3 and reason in done.stderr and not done.stdout, done


def test_groups_of_groups(small, keys):
    lines = ''.join(f'witness\t{name}  {keys[name].vkey} https://example.org/{name}\n' for name in ('alice', 'bert', 'liar'))
    small.policy.write_text(lines + 'group ab any alice bert\n group both all ab liar \n\n quorum both')
    small.add('alice', envelope(statement(), keys['alice']))
    assert small.judge().returncode == 1
    small.add('liar', envelope(statement(), keys['liar']))
    assert small.judge().returncode == 0


WHOLE = ''.join(f'{k}: {v}\n' for k, v in SOURCE.items()) + f'published: {PUBLISHED}\n'


@pytest.mark.parametrize('name,text', [
    ('SHA256SUMS', 'x\n'), ('SHA256SUMS', ''), ('SHA256SUMS', f'{"0" * 64}  a\n{"1" * 64}  a\n'),
    ('SHA256SUMS', f'{"0" * 64}  ../a\n'), ('SOURCE', f'commit: {"a" * 40}\n'), ('SOURCE', 'commit: HEAD\n'),
    ('SOURCE', f'commit: {"a" * 40}\ntree: {"a" * 40}\nlock: {"a" * 64}\npublished: tomorrow\n'),
    # A reader that passes over any of these counts late statements.
    *(('SOURCE', text) for text in (
        WHOLE.replace(f'published: {PUBLISHED}\n', ''), WHOLE[:-1], WHOLE + 'published: 2030-01-01T00:00:00Z\n',
        WHOLE + f'commit: {"c" * 40}\n', WHOLE + '\n', WHOLE.replace('lock: ', 'lock:  '), ' ' + WHOLE, WHOLE + '\0',
        WHOLE + 'x ', WHOLE.replace('tree: 7', 'tree: \0' + '7')))])
def test_a_wrong_release_is_bad_input(small, keys, name, text):
    (small.folder / name).write_text(text)
    done = small.judge()
    assert done.returncode == 3 and name in done.stderr and not done.stdout


def test_the_vectors_of_the_specifications(tmp_path):
    """PAE: secure-systems-lab/dsse, protocol.md.  Verifier key: C2SP, signed-note.md."""
    (tmp_path / 'body').write_text('hello world')
    vkey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
    script = f'. {REPRODUCIBLE}/lib/dsse.sh; pae http://example.com/HelloWorld body; echo; vkey_read "$1"; echo $vkey_name; echo $vkey_key'
    done = run('bash', '-euc', script, 'bash', vkey, cwd=tmp_path)
    first, second, third = done.stdout.splitlines()
    assert first == 'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    assert second == 'PeterNeumann' and third == base64.b64decode(vkey.split('+', 2)[2])[1:].hex()
    for wrong in (vkey.replace('c74f', 'c74e'), vkey.replace('Peter', 'peter'), vkey[:-4]):
        assert run('bash', '-euc', script, 'bash', wrong, cwd=tmp_path).returncode != 0


@pytest.fixture
def built(tmp_path):
    """What rebuild leaves behind."""
    folder = tmp_path / 'out'
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(name)
    how = {'version': VERSION, **SOURCE, 'host': {'release': 'Debian 13', 'root': True},
           'started': '2026-11-27T11:00:00Z', 'finished': '2026-11-27T12:00:00Z'}
    (tmp_path / 'how.json').write_text(json.dumps(how))
    return folder, tmp_path / 'how.json'


def attest(keys, built, *more, who='alice', **options):
    return run(REPRODUCIBLE / 'attest', '--key', keys[who].path, '--name', who, '--circumstances', built[1], *more, built[0],
               **options)


def test_attest_makes_what_quorum_counts(small, keys, built):
    for who in ('alice', 'bert'):
        done = attest(keys, built, who=who)
        assert done.returncode == 0 and done.stdout.count('\n') == 1, done
        small.add(who, done.stdout.strip())
    assert small.judge().returncode == 0
    made = json.loads(done.stdout)
    body = base64.b64decode(made['payload'])
    (built[1].parent / 'pae').write_bytes(pae(TYPE, body))
    (built[1].parent / 'sig').write_bytes(base64.b64decode(made['signatures'][0]['sig']))
    public = built[1].parent / 'public'
    run('openssl', 'pkey', '-in', keys['bert'].path, '-pubout', '-out', public)
    assert run('openssl', 'pkeyutl', '-verify', '-pubin', '-inkey', public, '-rawin', '-in', built[1].parent / 'pae',
               '-sigfile', built[1].parent / 'sig').returncode == 0
    said = json.loads(body)['predicate']
    assert said['buildDefinition']['internalParameters'] == {'release': 'Debian 13', 'root': True}
    assert said['runDetails']['metadata'] == {'startedOn': '2026-11-27T11:00:00Z', 'finishedOn': '2026-11-27T12:00:00Z'}
    assert run(REPRODUCIBLE / 'attest', '--key', keys['bert'].path, '--name', 'bert',
               '--vkey').stdout == keys['bert'].vkey + '\n'


def test_attest_says_what_was_built_whatever_it_is(small, keys, built):
    (built[0] / FILES[0]).write_text('something else')
    small.add('alice', attest(keys, built).stdout.strip())
    status, found, _ = small.verdicts()
    assert status == 1 and found['alice'][0][1] == 'differs'


def test_attest_refuses_what_it_cannot_say(keys, built, tmp_path):
    for name in ('version', 'commit', 'tree', 'lock', 'host', 'started', 'finished'):
        how = json.loads(built[1].read_text())
        del how[name]
        (tmp_path / 'less.json').write_text(json.dumps(how))
        done = attest(keys, (built[0], tmp_path / 'less.json'))
        assert done.returncode == 3 and not done.stdout and name in done.stderr
    for name in ('version', 'commit', 'tree', 'lock'):
        how = json.loads(built[1].read_text())
        (tmp_path / 'less.json').write_text(json.dumps(how | {name: how[name] + '\n'}))
        done = attest(keys, (built[0], tmp_path / 'less.json'))
        assert done.returncode == 3 and not done.stdout, (name, done)
    for name, text in (('--circumstances', built[1].read_text()), ('--sign', json.dumps(statement()))):
        (tmp_path / 'more.json').write_text(text.replace('\n', ' ') + '\0{}')
        done = run(REPRODUCIBLE / 'attest', '--key', keys['alice'].path, '--name', 'x', name, tmp_path / 'more.json',
                   *([built[0]] if name == '--circumstances' else []))
        assert done.returncode == 3 and not done.stdout and 'control characters' in done.stderr, done
    rsa = tmp_path / 'rsa.pem'
    run('openssl', 'genpkey', '-algorithm', 'rsa', '-out', rsa)
    rsa.chmod(0o600)
    for key, reason in ((rsa, 'Ed25519'), (tmp_path / 'none', 'no file'), (built[1], 'read it')):
        done = run(REPRODUCIBLE / 'attest', '--key', key, '--name', 'x', '--circumstances', built[1], built[0])
        assert done.returncode == 3 and reason in done.stderr and not done.stdout
    with open('/dev/full', 'w') as full:
        done = subprocess.run([REPRODUCIBLE / 'attest', '--key', keys['alice'].path, '--name', 'x', '--vkey'], stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (5, 'attest: standard output cannot be written\n'), done
    # No file is passed over.
    for name in ('..x', '.x', '...'):
        (built[0] / name).write_text('')
        assert attest(keys, built).returncode == 3, name
        (built[0] / name).unlink()
    (built[0] / 'folder').mkdir()
    assert attest(keys, built).returncode == 3
    (built[0] / 'folder').rmdir()
    (built[0] / 'a name').write_text('')
    assert attest(keys, built).returncode == 3
    assert attest(keys, (tmp_path, built[1])).returncode == 3


@pytest.mark.slow               # so that CI has it on a machine with in-toto
def test_in_toto_reads_the_link(keys, built, tmp_path):
    """Debian's in-toto verifies rebuilderd's form of the statement."""
    if subprocess.run(['/usr/bin/python3', '-c', 'import in_toto']).returncode:
        pytest.skip('no in-toto: Debian 12 has it, 13 does not')
    link = tmp_path / 'alice.in-toto.link'
    assert attest(keys, built, '--link', link).returncode == 0
    script = '''
import sys
from in_toto.models.metadata import Metablock
block = Metablock.load(sys.argv[1])
name = block.signatures[0]["keyid"]
key = {"keytype": "ed25519", "scheme": "ed25519", "keyid": name, "keyval": {"public": sys.argv[2]}}
block.verify_signature(key)
print(len(block.signed.products))
block.signed.products.popitem()
try:
    block.verify_signature(key)
except Exception as error:
    print(type(error).__name__)
'''
    done = run('/usr/bin/python3', '-c', script, link, keys['alice'].typed[1:].hex())
    assert done.stdout.split() == [str(len(FILES)), 'SignatureVerificationError'], done


@pytest.mark.slow               # so that CI has it on a machine with this library
def test_securesystemslib_verifies_the_envelope(keys, built, tmp_path):
    """The library below in-toto and TUF reads a statement's DSSE envelope with the
    rebuilder's key, and sees a byte that was added."""
    if subprocess.run(['/usr/bin/python3', '-c', 'import securesystemslib.dsse'], stderr=subprocess.DEVNULL).returncode:
        pytest.skip('no securesystemslib with DSSE: Debian 13 has it, 12 an older one')
    (tmp_path / 'made').write_text(attest(keys, built).stdout)
    script = '''
import json
import sys
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey
made = json.load(open(sys.argv[1]))
key = SSlibKey(made["signatures"][0]["keyid"], "ed25519", "ed25519", {"public": sys.argv[2]})
envelope = Envelope.from_dict(made)
print(len(envelope.verify([key], 1)), envelope.payload_type, json.loads(envelope.payload)["_type"])
envelope.payload += b" "
try:
    envelope.verify([key], 1)
except Exception as error:
    print(type(error).__name__)
'''
    done = run('/usr/bin/python3', '-c', script, tmp_path / 'made', keys['alice'].typed[1:].hex())
    assert done.stdout.splitlines() == [f'1 {TYPE} https://in-toto.io/Statement/v1', 'VerificationError'], done
