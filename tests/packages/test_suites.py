# SPDX-License-Identifier: ISC
"""Shows that the lock takes a security suite by the same checks as the base suite,
that of a package that both have the newest version counts, and that the lock says
which state of which suite it is of.  The resolving itself is a stand-in."""
import lzma
import re

import pytest

import archives
from archives import keys  # noqa: F401 (a fixture)

LOCKED = '20260101T000000Z'
BASE = {'one': '1.0-1', 'two': '2.0-1', 'three': '1:3.0'}
SECURITY = {'one': '1.0-1+deb13u1', 'two': '2.0-1~deb13u9', 'four': '4'}


def index(versions):
    return '\n'.join(f'Package: {name}\nVersion: {version}\nArchitecture: all\nSHA256: {"0" * 64}\nSize: 1\n'
                     f'Filename: pool/{name}_{version}.deb\n' for name, version in versions.items()).encode()


def suite(folder, keys, name, versions, *signers, **more):
    packed = lzma.compress(index(versions))
    at = folder / 'dists' / name
    (at / 'main/binary-amd64').mkdir(parents=True, exist_ok=True)
    (at / archives.INDEX).write_bytes(packed)
    (at / 'InRelease').write_bytes(keys.sign(archives.release(packed, codename=name, **more), *signers))


@pytest.fixture
def tree(tmp_path, keys):
    """A tree with the security suite switched on, that resolves to all there is."""
    made = archives.copy_tree(tmp_path / 'tree')
    archives.believe(made, keys, 'good')
    (made / 'packages/keyring/fingerprints.security').write_text(f'{keys.prints["second"]}  second\n')
    listed = made / 'packages/suites.list'
    assert '# trixie-security\n' in listed.read_text()
    listed.write_text(listed.read_text().replace('# trixie-security\n', 'trixie-security\n'))
    lock = made / 'packages/lock'
    text = re.sub(r'^make_resolver$', '', lock.read_text(), flags=re.M)
    text = re.sub(r'^resolve_roles$', 'for name in one two three four; do printf "%s %s\\\\n" "$name" '
                  '"$(field "$packages" "$name" Version)"; done >"$work/role.image"', text, flags=re.M)
    lock.write_text(text)
    (made / 'packages/trixie-amd64.lock').write_text(f'# snapshot: {LOCKED}\n# security: trixie-security {LOCKED} x y\n')
    return made


def resolve(tree, keys, tmp_path, *mirrors):
    done = archives.run(tree / 'packages/lock', tmp_path / 'made.lock', env=archives.environment(
        tmp_path, KEYRING=keys.ring, MIRROR=' '.join(map(str, mirrors))))
    assert (done.returncode == 0) == (tmp_path / 'made.lock').exists(), done.stdout
    return done


def test_newest_version_of_each_is_in_the_lock(tree, keys, tmp_path):
    suite(tmp_path / 'base', keys, 'trixie', BASE, 'good')
    suite(tmp_path / 'security', keys, 'trixie-security', SECURITY, 'second')
    assert resolve(tree, keys, tmp_path, tmp_path / 'base', tmp_path / 'security').returncode == 0
    text = (tmp_path / 'made.lock').read_text()
    assert re.findall(r'^(\w+) (\S+) all', text, re.M) == [
        ('four', '4'), ('one', '1.0-1+deb13u1'), ('three', '1:3.0'), ('two', '2.0-1')]
    assert re.search(rf'^# signed-by: {keys.prints["good"]}$', text, re.M)
    assert re.search(rf'^# security: trixie-security \d{{8}}T\d{{6}}Z [0-9a-f]{{64}} {keys.prints["second"]}$', text, re.M)


def test_without_the_suite_the_lock_has_no_word_of_it(tree, keys, tmp_path):
    (tree / 'packages/suites.list').write_text('# trixie-security\n')
    suite(tmp_path / 'base', keys, 'trixie', {**BASE, 'four': '3'}, 'good')
    suite(tmp_path / 'base', keys, 'trixie-security', SECURITY, 'second')
    assert resolve(tree, keys, tmp_path, tmp_path / 'base').returncode == 0
    text = (tmp_path / 'made.lock').read_text()
    assert 'security' not in text and 'one 1.0-1 all' in text


@pytest.mark.parametrize('name, why', [
    ('../../elsewhere', 'a suite (packages/suites.list) is a name of small letters, digits and hyphens, not "../../elsewhere"'),
    ('*', 'a suite (packages/suites.list) is a name of small letters, digits and hyphens, not "*"'),
    ('-x', 'a suite (packages/suites.list) is a name of small letters, digits and hyphens, not "-x"'),
    ('trixie', "packages/suites.list names the release's own suite, trixie"),
])
def test_a_suite_is_a_name(tree, keys, tmp_path, name, why):
    """And no path or pattern; the release's own is there already."""
    (tree / 'packages/suites.list').write_text(f'{name}\n')
    suite(tmp_path / 'base', keys, 'trixie', {**BASE, 'four': '3'}, 'good')
    done = resolve(tree, keys, tmp_path, tmp_path / 'base')
    assert done.returncode == 1 and done.stdout == f'lock: {why}\n', done.stdout


@pytest.mark.parametrize('signer, more, why', [
    ('good', {}, 'not in packages/keyring/fingerprints.security'),
    ('stranger', {}, 'not in packages/keyring/fingerprints.security'),
    ('second', {'when': 'Wed, 31 Dec 2025 23:59:59 UTC'}, f"before the lock's, {LOCKED}"),
    ('second', {'more': 'Valid-Until: Thu, 01 Jan 2026 00:00:00 UTC\n'}, 'Valid-Until has passed'),
])
def test_security_suite_is_checked_as_the_base_is(tree, keys, tmp_path, signer, more, why):
    suite(tmp_path / 'base', keys, 'trixie', BASE, 'good')
    suite(tmp_path / 'security', keys, 'trixie-security', SECURITY, signer, **more)
    done = resolve(tree, keys, tmp_path, tmp_path / 'base', tmp_path / 'security')
    assert done.returncode == 1 and why in done.stdout and 'no source offers trixie-security' in done.stdout, done.stdout


def test_index_of_the_security_suite_other_than_signed_is_refused(tree, keys, tmp_path):
    suite(tmp_path / 'base', keys, 'trixie', BASE, 'good')
    suite(tmp_path / 'security', keys, 'trixie-security', SECURITY, 'second')
    path = tmp_path / 'security/dists/trixie-security' / archives.INDEX
    path.write_bytes(lzma.compress(index({**SECURITY, 'one': '9'})))
    done = resolve(tree, keys, tmp_path, tmp_path / 'base', tmp_path / 'security')
    assert done.returncode == 1 and re.search('refused: trixie-security/|signed Release|larger', done.stdout), done.stdout


@pytest.mark.parametrize('files, wanted', [
    ([{'a': '1'}], {'a': '1'}),
    ([{'a': '1.10'}, {'a': '1.9'}], {'a': '1.10'}),
    ([{'a': '1'}, {'a': '1:0'}, {'a': '2'}], {'a': '1:0'}),
    ([{'a': '1~rc1', 'b': '1'}, {'a': '1'}, {'c': '1'}], {'a': '1', 'b': '1', 'c': '1'}),
])
def test_newest_by_the_order_of_dpkg(top, tmp_path, files, wanted):
    for number, versions in enumerate(files):
        (tmp_path / str(number)).write_bytes(index(versions))
    done = archives.run(top / 'packages/lib/newest', *(tmp_path / str(number) for number in range(len(files))))
    assert done.returncode == 0
    assert dict(re.findall(r'^Package: (\S+)\nVersion: (\S+)$', done.stdout, re.M)) == wanted
    assert done.stdout.count('Package:') == len(wanted)
