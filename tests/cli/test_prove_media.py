# SPDX-License-Identifier: ISC
"""On the laptop: is this disc the release, who signed it, who rebuilt it?  The
signatures are ssh-keygen's and openssl's; the tool knows neither jq nor ssh."""
import base64
import hashlib
import json
import os
import shutil

import pytest

import tinydisc
from ceremony_tools import SCRIPTS, environment
from ceremony_tools import run as run_tool
from statements import Key, envelope, run, statement
from tinydisc import NAME, Disc, call

pytestmark = pytest.mark.skipif(bool(tinydisc.missing()), reason=f'missing: {tinydisc.missing()}')
ISO = f'{NAME}.iso'


@pytest.fixture(scope='module')
def disc(tmp_path_factory):
    return Disc(tmp_path_factory.mktemp('disc')).make()


@pytest.fixture(scope='module')
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp('keys')
    call('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', folder / 'ssh')
    call('ssh-keygen', '-q', '-t', 'rsa', '-b', '2048', '-N', '', '-C', '', '-f', folder / 'rsa')
    return {name: Key(folder, name) for name in ('a', 'b', 'c')} | {'folder': folder}


class Stick:
    def __init__(self, folder, disc, keys):
        self.folder, self.disc, self.keys = folder, disc, keys
        folder.mkdir()
        shutil.copy(disc.folder / 'SHA256SUMS', folder)
        self.public = ' '.join((keys['folder'] / 'ssh.pub').read_text().split()[:2])
        self.allow(f'release@example.org namespaces="git,keyroom-release" {self.public}')
        (folder / 'policy').write_text(''.join(f'witness {name} {keys[name].vkey}\n' for name in 'abc') +
                                       'group rebuilders 2 a b c\nquorum rebuilders\n')
        self.sign()
        for name in 'ab':
            self.add(name)

    def allow(self, line):
        (self.folder / 'allowed_signers').write_text(f'# who\n{line}\n')

    def sign(self, key='ssh', namespace='keyroom-release', *options):
        (self.folder / 'SHA256SUMS.release.sig').unlink(missing_ok=True)
        call('ssh-keygen', '-q', '-Y', 'sign', '-f', self.keys['folder'] / key, '-n', namespace, *options,
             self.folder / 'SHA256SUMS')
        (self.folder / 'SHA256SUMS.sig').rename(self.folder / 'SHA256SUMS.release.sig')

    def add(self, name, sums=None, key=None, **changes):
        sums = sums or {line[66:]: line[:64] for line in (self.disc.folder / 'SHA256SUMS').read_text().splitlines()}
        body = json.dumps(statement(sums, **changes), separators=(',', ':')).encode()
        (self.folder / f'{name}.intoto.jsonl').write_text(
            json.dumps(envelope(body, self.keys[key or name]), separators=(',', ':')) + '\n')

    def prove(self, iso=None):
        done = run_tool(SCRIPTS / 'prove-media', '--device', iso or self.disc.iso, self.folder,
                        env=environment())
        return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def stick(tmp_path, disc, keys):
    return Stick(tmp_path / 'stick', disc, keys)


def test_the_release_is_proven(stick):
    status, out, err = stick.prove()
    assert status == 0, (out, err)
    blob = base64.b64decode(stick.public.split()[1])
    finger = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip('=')
    policy = hashlib.sha256((stick.folder / 'policy').read_bytes()).hexdigest()
    for text in (f'Listed as:  {ISO}', 'Result:     same', 'Signed by:  release@example.org', f'key SHA256:{finger}',
                 f'Policy:     SHA-256 {policy}', 'Rebuilt by: a, b', 'rebuilders: 2 of the 2 asked for, among 3',
                 'Result:     the release, signed and rebuilt'):
        assert text in out, text
    assert finger in run('ssh-keygen', '-l', '-f', stick.keys['folder'] / 'ssh.pub').stdout


@pytest.mark.parametrize('hash_name', ['sha256', 'sha512'])
def test_both_hashes_of_ssh(stick, hash_name):
    stick.sign('ssh', 'keyroom-release', '-O', f'hashalg={hash_name}')
    assert stick.prove()[0] == 0


def signatures(stick):
    yield 'none', lambda: (stick.folder / 'SHA256SUMS.release.sig').unlink()
    yield 'namespace', lambda: stick.sign(namespace='file')
    yield 'rsa', lambda: stick.sign('rsa')
    yield 'changed', lambda: (stick.folder / 'SHA256SUMS').open('a').write('0' * 64 + '  more\n')
    yield 'garbage', lambda: (stick.folder / 'SHA256SUMS.release.sig').write_text(
        '-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAQAA/w==\n-----END SSH SIGNATURE-----\n')
    yield 'not allowed', lambda: stick.allow('')
    yield 'for git alone', lambda: stick.allow(f'x@example.org namespaces="git" {stick.public}')
    yield 'likeness', lambda: stick.allow(f'x@example.org namespaces="keyroom-release-not" {stick.public}')
    yield 'expired, in capitals', lambda: stick.allow(f'x@example.org VALID-BEFORE="20200101" {stick.public}')
    other = 'ssh-ed25519 ' + base64.b64encode(b'\0\0\0\x0bssh-ed25519\0\0\0 ' + bytes(32)).decode()
    yield 'named in a comment', lambda: stick.allow(f'x@example.org {other} before it: {stick.public}')
    yield 'expired', lambda: stick.allow(f'x@example.org valid-before="20200101" {stick.public}')


@pytest.mark.parametrize('which', range(11))
def test_who_did_not_sign_does_not_count(stick, which):
    name, change = list(signatures(stick))[which]
    change()
    status, out, err = stick.prove()
    assert status == 1 and 'Signed by:  NOBODY' in out and 'not enough stand by that' in err, (name, out, err)


def test_a_signature_with_a_byte_changed(stick):
    path = stick.folder / 'SHA256SUMS.release.sig'
    lines = path.read_text().splitlines()
    lines[2] = lines[2][:-2] + ('A' if lines[2][-2] != 'A' else 'B') + lines[2][-1]
    path.write_text('\n'.join(lines) + '\n')
    assert stick.prove()[0] == 1


def test_too_few_and_dissent(stick):
    stick.add('c', {ISO: '0' * 64})
    status, out, err = stick.prove()
    assert status == 1 and 'DISSENT:    c got other bytes' in out
    (stick.folder / 'c.intoto.jsonl').unlink()
    (stick.folder / 'b.intoto.jsonl').unlink()
    status, out, err = stick.prove()
    assert status == 1 and 'TOO FEW' in out and 'Rebuilt by: a\n' in out


@pytest.mark.parametrize('change', [
    lambda s: s.add('b', key='a'),
    lambda s: s.add('b', buildType='urn:other'),
    lambda s: (s.folder / 'b.intoto.jsonl').write_text('{}\n'),
    lambda s: (s.folder / 'b.intoto.jsonl').write_text(
        (s.folder / 'b.intoto.jsonl').read_text().replace('vnd.in-toto+json', 'json')),
    lambda s: (s.folder / 'b.intoto.jsonl').write_text(
        (s.folder / 'b.intoto.jsonl').read_text().replace('"sig":"', '"sig":"AA')),
])
def test_a_statement_that_is_none_does_not_count(stick, change):
    change(stick)
    status, out, err = stick.prove()
    assert status == 1 and 'Rebuilt by: a\n' in out, (out, err)


def says(stick, name, change):
    """Replace in a's statement what change makes of its body, signed anew by name."""
    line = json.loads((stick.folder / 'a.intoto.jsonl').read_text())
    body = base64.b64decode(line['payload']).decode()
    changed = change(body)
    assert changed != body
    (stick.folder / f'{name}.intoto.jsonl').write_text(
        json.dumps(envelope(changed.encode(), stick.keys[name]), separators=(',', ':')) + '\n')


def other_subjects(body):
    """Says of this ISO another hash, and the published one elsewhere."""
    start, rest = body.split('"subject":[', 1)
    mine, rest = rest.split('],', 1)
    return (f'{start}"subject":[{{"name":"{ISO}","digest":{{"sha256":"{"0" * 64}"}}}}],{rest}'
            .replace('"resolvedDependencies":[', f'"resolvedDependencies":[{mine},'))


def test_only_the_subjects_are_what_was_built(stick):
    """A rebuilder who got other bytes and names the published ones beside them was
    counted for the disc that it speaks against."""
    says(stick, 'b', other_subjects)
    status, out, err = stick.prove()
    assert status == 1 and 'Rebuilt by: a\n' in out and 'DISSENT:    b got other bytes' in out, (out, err)


@pytest.mark.parametrize('change', [
    lambda body: body.replace('"predicateType"', '"subject":[],"predicateType"'),
    lambda body: body.replace('"subject":', '"subject":[],"subject":'),
    lambda body: body[:-1] + ',"subject":[]}',
    lambda body: body.replace('"command":', '"patch":"x","command":'),
    lambda body: body.replace('reproducible/rebuild', 'make'),
    lambda body: body.replace('"buildType":', '"buildType":"urn:other","buildType":'),
    lambda body: body + '\n' + body,
    lambda body: ' ' + body,
    lambda body: body + '\0' + body,
    lambda body: body[:-1],
    lambda body: body + '}',
    lambda body: body.replace('"13"', '"\x1b[2J"'),
    lambda body: body.replace('"version":"9.9.9"', '"version":"9.9.8"'),
    lambda body: body.replace('"version":"9.9.9"', '"version":"9"'),
])
def test_what_quorum_refuses_is_not_counted_here(stick, change):
    """A subject twice, an unknown parameter, another command or release, what is no JSON:
    no vote, and said."""
    says(stick, 'b', change)
    status, out, err = stick.prove()
    assert status == 1 and 'Rebuilt by: a\n' in out and 'Not read:   b.intoto.jsonl, of b' in out, (out, err)


def test_a_file_twice_in_one_statement_is_no_vote(stick):
    says(stick, 'b', lambda body: body.replace(
        '"subject":[', f'"subject":[{{"name":"{ISO}","digest":{{"sha256":"{"0" * 64}"}}}},'))
    status, out, _ = stick.prove()
    assert status == 1 and 'Rebuilt by: a\n' in out


@pytest.mark.parametrize('form', ['{}  {}', '{} *{}', 'SHA256 ({}) = {}', '{}  ./{}', '{}  {}\r'])
@pytest.mark.parametrize('first', [True, False])
def test_an_iso_in_two_lines_of_the_list_is_refused(stick, form, first):
    """The hash of the first line was taken for what was read: rebuilders who got
    other bytes, and said so, stood by the disc."""
    sums = stick.folder / 'SHA256SUMS'
    other = '0' * 64
    line = form.format(*((ISO, other) if form.startswith('SHA') else (other, ISO))) + '\n'
    sums.write_text(line + sums.read_text() if first else sums.read_text() + line, newline='')
    stick.sign()
    for name in 'ab':
        stick.add(name, sums={ISO: other})
    status, out, err = stick.prove()
    assert status == 3 and f'SHA256SUMS: 2 lines of {ISO}' in err and 'signed and rebuilt' not in out, (out, err)


def test_other_files_of_its_name_are_not_the_iso(stick):
    sums = stick.folder / 'SHA256SUMS'
    sums.write_text(sums.read_text() + ''.join(f'{"0" * 64}  {name}\n' for name in (f'{ISO}.txt', f'x-{ISO}', f'{ISO}~')))
    stick.sign()
    status, out, err = stick.prove()
    assert status == 0, (out, err)


def test_a_dissent_without_a_newline_is_heard(stick):
    stick.add('c', {ISO: '0' * 64})
    path = stick.folder / 'c.intoto.jsonl'
    path.write_text(path.read_text().rstrip('\n'))
    status, out, _ = stick.prove()
    assert status == 1 and 'DISSENT:    c got other bytes' in out


def test_what_is_no_file_on_the_stick_is_said_and_waited_for_by_nobody(stick):
    os.mkfifo(stick.folder / '0.intoto.jsonl')
    (stick.folder / '1.intoto.jsonl').symlink_to('nowhere')
    (stick.folder / '2.intoto.jsonl').mkdir()
    (stick.folder / 'SHA256SUMS.0.sig').symlink_to('nowhere')
    status, out, err = stick.prove()
    assert status == 0 and out.count('Not read:   ') == 4, (out, err)
    (stick.folder / 'policy').unlink()
    os.mkfifo(stick.folder / 'policy')
    assert stick.prove()[0] == 3


def test_a_policy_that_asks_nobody_proves_nothing(stick):
    (stick.folder / 'policy').write_text(f'witness a {stick.keys["a"].vkey}\nquorum none\n')
    status, out, err = stick.prove()
    assert status == 3 and 'nobody is asked' in err and 'signed and rebuilt' not in out


def test_another_disc_is_not_the_release(stick, tmp_path):
    copy = tmp_path / 'copy.iso'
    copy.write_bytes(stick.disc.iso.read_bytes()[:-1] + b'x')
    status, out, err = stick.prove(copy)
    assert status == 1 and 'DIFFERENT' in out and 'Signed by' not in out


@pytest.mark.parametrize('name', ['SHA256SUMS', 'allowed_signers', 'policy'])
def test_what_is_missing_is_bad_input(stick, name):
    (stick.folder / name).unlink()
    status, _, err = stick.prove()
    assert status == 3 and name in err


def test_a_wrong_policy_is_bad_input(stick):
    (stick.folder / 'policy').write_text('quorum x\n')
    assert stick.prove()[0] == 3
