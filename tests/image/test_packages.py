# SPDX-License-Identifier: ISC
"""Shows that what enters the disc is what the lock names: fetch refuses a file
with another hash, says which packages no source has, and takes folders as
sources; the lock is whole and every package on the lists has its reason."""
import hashlib
import os
import re
import shutil
import subprocess

import pytest


def run_fetch(top, tmp_path, lock, mirror=''):
    """packages/fetch with its own cache, and no source but the mirror: the
    machine's apt is asked with an empty configuration."""
    (tmp_path / 'apt.conf').write_text('Dir::Etc::SourceList "/dev/null";\n'
                                       'Dir::Etc::SourceParts "/dev/null";\n')
    environment = dict(os.environ, XDG_CACHE_HOME=str(tmp_path / 'cache'), MIRROR=str(mirror),
                       BUILD=str(tmp_path / 'build'), SNAPSHOT=str(tmp_path / 'no-snapshot'),
                       APT_CONFIG=str(tmp_path / 'apt.conf'))
    return subprocess.run([top / 'packages' / 'fetch', lock], env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.fixture
def mirror(tmp_path):
    """A folder with two packages' worth of bytes, and a lock that names them."""
    pool = tmp_path / 'mirror' / 'pool'
    pool.mkdir(parents=True)
    lines = ['# snapshot: 20260101T000000Z']
    for name in ('first', 'second'):
        content = f'package {name}'.encode()
        (pool / f'{name}.deb').write_bytes(content)
        lines.append(f'{name} 1.0 all {hashlib.sha256(content).hexdigest()} {len(content)} '
                     f'pool/{name}.deb image')
    (tmp_path / 'lock').write_text('\n'.join(lines) + '\n')
    return tmp_path / 'mirror'


def cached(tmp_path):
    return sorted(p.name for p in (tmp_path / 'cache' / 'keyroom' / 'deb').iterdir())


def test_fetch_from_a_folder(top, tmp_path, mirror):
    done = run_fetch(top, tmp_path, tmp_path / 'lock', mirror)
    assert done.returncode == 0, done.stderr
    assert len(cached(tmp_path)) == 2
    shutil.rmtree(mirror)
    assert run_fetch(top, tmp_path, tmp_path / 'lock', mirror).returncode == 0


def test_fetch_wrong_hash_is_refused_and_named(top, tmp_path, mirror):
    (mirror / 'pool' / 'second.deb').write_bytes(b'package sec0nd')
    done = run_fetch(top, tmp_path, tmp_path / 'lock', mirror)
    assert done.returncode == 3
    assert re.search('refused: second 1.0 .* has SHA-256 .* the lock says', done.stderr)
    assert cached(tmp_path) == [hashlib.sha256(b'package first').hexdigest()]


def test_fetch_takes_the_next_source_after_a_wrong_one(top, tmp_path, mirror):
    other = tmp_path / 'other'
    shutil.copytree(mirror, other)
    (mirror / 'pool' / 'second.deb').write_bytes(b'package sec0nd')
    done = run_fetch(top, tmp_path, tmp_path / 'lock', f'{mirror} {other}')
    assert done.returncode == 0, done.stderr
    assert 'refused: second' in done.stderr and len(cached(tmp_path)) == 2


def test_fetch_names_what_no_source_has(top, tmp_path, mirror):
    (mirror / 'pool' / 'first.deb').unlink()
    done = run_fetch(top, tmp_path, tmp_path / 'lock', mirror)
    assert done.returncode == 3
    assert 'first 1.0' in done.stderr and 'second 1.0' not in done.stderr


def test_lock_is_whole(top):
    """Seven fields a line, each package once, sorted, roles that exist."""
    lines = [line.split(' ') for line in
             (top / 'packages' / 'trixie-amd64.lock').read_text().splitlines()
             if not line.startswith('#')]
    roles_there_are = {'base', 'builder', 'image', 'softhsm', 'unpack'} | {
        path.parent.name for path in (top / 'image/profiles').glob('*/packages.list')}
    assert len(lines) > 150
    assert lines == sorted(lines)
    assert len({line[0] for line in lines}) == len(lines)
    for name, version, arch, digest, size, path, roles in lines:
        assert re.fullmatch('[0-9a-f]{64}', digest) and int(size) > 0, name
        assert arch in ('amd64', 'all') and path.startswith('pool/main/'), name
        assert set(roles.split(',')) <= roles_there_are, name


def test_nothing_that_signs_in_software_is_on_the_disc(top):
    roles = {line.split()[0]: line.split()[6] for line in
             (top / 'packages' / 'trixie-amd64.lock').read_text().splitlines()
             if not line.startswith('#')}
    assert roles['softhsm2'] == roles['libsofthsm2'] == 'softhsm'


def test_every_listed_package_has_its_reason(top):
    lists = [*(top / 'packages').glob('*.list'), *(top / 'image').glob('**/packages.list'),
             *(top / 'image').glob('**/packages.drop')]
    assert len(lists) >= 6
    for line in [line for path in lists for line in path.read_text().splitlines()]:
        if line and not line.startswith('#'):
            assert re.fullmatch(r'[a-z0-9.+-]+\s+# \S.+', line), line
