# SPDX-License-Identifier: ISC
"""Shows that what enters the disc is what the lock names: fetch refuses a file
with another hash, says which packages no source has, and takes folders as
sources; the lock is whole and every package on the lists has its reason."""
import hashlib
import os
import re
import shutil
import subprocess
import time

import pytest

import archives


def run_fetch(top, tmp_path, lock, mirror='', **more):
    """packages/fetch with its own cache, and no source but the mirror."""
    return subprocess.run([top / 'packages' / 'fetch', lock], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=archives.environment(tmp_path, MIRROR=mirror, **more))


def write_lock(folder, pool, *names):
    lines = ['# snapshot: 20260101T000000Z']
    for name in names:
        content = f'package {name}'.encode()
        (pool / f'{name}.deb').write_bytes(content)
        lines.append(f'{name} 1.0 all {hashlib.sha256(content).hexdigest()} {len(content)} '
                     f'pool/{name}.deb image')
    (folder / 'lock').write_text('\n'.join(lines) + '\n')


@pytest.fixture
def mirror(tmp_path):
    """A folder with two packages' worth of bytes, and a lock that names them."""
    pool = tmp_path / 'mirror' / 'pool'
    pool.mkdir(parents=True)
    write_lock(tmp_path, pool, 'first', 'second')
    return tmp_path / 'mirror'


def cached(tmp_path):
    return sorted(p.name for p in (tmp_path / 'cache' / 'keyroom' / 'deb').iterdir())


def test_fetch_from_a_folder(top, tmp_path, mirror):
    done = run_fetch(top, tmp_path, tmp_path / 'lock', mirror)
    assert done.returncode == 0, done.stderr
    assert len(cached(tmp_path)) == 2
    shutil.rmtree(mirror)
    assert run_fetch(top, tmp_path, tmp_path / 'lock', mirror).returncode == 0


def test_a_folder_for_output_that_fetch_has_made_is_marked(top, tmp_path, mirror):
    """make clean refuses what nobody has marked; a stranger's folder is left as it is."""
    (tmp_path / 'strange').mkdir()
    (tmp_path / 'strange/diary').touch()
    for name, marked in (('output', True), ('strange', False)):
        done = run_fetch(top, tmp_path, tmp_path / 'lock', mirror, BUILD=tmp_path / name)
        assert (done.returncode == 0) == marked, done.stderr
        assert (tmp_path / name / '.keyroom-build').exists() == marked
    assert os.listdir(tmp_path / 'strange') == ['diary']
    done = archives.run(top / 'image/lib/clean', env=archives.environment(tmp_path, BUILD=tmp_path / 'output'))
    assert done.returncode == 0 and not (tmp_path / 'output').exists(), done.stdout


def test_a_folder_for_output_that_make_has_made_is_marked(top, tmp_path, mirror):
    """make signer makes it without a build, and fetch, lock and iso took it for a stranger's."""
    words = ['make', '-n', 'signer', f'BUILD={tmp_path}/other']
    subprocess.run(words, cwd=top, check=True, stdout=subprocess.DEVNULL, env=archives.environment(tmp_path))
    done = run_fetch(top, tmp_path, tmp_path / 'lock', mirror, BUILD=tmp_path / 'other')
    assert done.returncode == 0, done.stderr
    (tmp_path / 'strange').mkdir()
    (tmp_path / 'strange/diary').touch()
    words[-1] = f'BUILD={tmp_path}/strange'
    subprocess.run(words, cwd=top, check=True, stdout=subprocess.DEVNULL, env=archives.environment(tmp_path))
    assert os.listdir(tmp_path / 'strange') == ['diary']
    subprocess.run(['make', 'help', f'BUILD={tmp_path}/none'], cwd=top, check=True, stdout=subprocess.DEVNULL,
                   env=archives.environment(tmp_path))
    assert not (tmp_path / 'none').exists()


def test_fetch_is_of_one_lock(tmp_path, mirror):
    """A lock that is exchanged meanwhile (git pull) had the packages of the old one looked
    for at the time of the new one, where they are gone."""
    tree = archives.copy_tree(tmp_path / 'tree')
    lock = tmp_path / 'lock'
    with open(tree / 'image/lib/common.sh', 'a') as common:
        common.write(f"""archives() {{ sed -i 's/2026/2027/' {lock}; }}\n""")
    (tmp_path / 'times').mkdir()
    mirror.rename(tmp_path / 'times/20260101T000000Z')
    (tmp_path / 'times/20270101T000000Z/pool').mkdir(parents=True)
    done = run_fetch(tree, tmp_path, lock, SNAPSHOT=tmp_path / 'times')
    assert '2027' in lock.read_text()
    assert done.returncode == 0 and len(cached(tmp_path)) == 2, done.stderr


@pytest.mark.parametrize('jobs', ['abc', '-1', '0', '2.5', '08', ' 2', '1 -n 2', '2\n3', '99999999999999999999'])
def test_how_many_at_a_time_is_a_number(top, tmp_path, mirror, jobs):
    """xargs ended at once, and that no source has the packages was said."""
    done = run_fetch(top, tmp_path, tmp_path / 'lock', mirror, JOBS=jobs)
    assert done.returncode == 1 and done.stderr == f'fetch: JOBS is a whole number from 1 to 9999, not "{jobs}"\n', done.stderr
    assert not (tmp_path / 'cache').exists() and not (tmp_path / 'build').exists()


@pytest.mark.parametrize('jobs', ['', '1', '2', '9999'])
def test_fetch_so_many_at_a_time(top, tmp_path, mirror, jobs):
    done = run_fetch(top, tmp_path, tmp_path / 'lock', mirror, JOBS=jobs)
    assert done.returncode == 0 and len(cached(tmp_path)) == 2, done.stderr


def test_fetch_wrong_hash_is_refused_and_named(top, tmp_path, mirror):
    (mirror / 'pool' / 'second.deb').write_bytes(b'package sec0nd')
    done = run_fetch(top, tmp_path, tmp_path / 'lock', mirror)
    assert done.returncode == 1
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


class Answers:
    """An archive on loopback that holds the two packages, and what asks it."""

    def __init__(self, top, folder, server):
        self.top, self.folder, self.server = top, folder, server

    def fetch(self, *mirrors, **more):
        return run_fetch(self.top, self.folder, self.folder / 'lock',
                         ' '.join(mirrors or [self.server.address]), **more)


@pytest.fixture
def web(top, tmp_path, mirror):
    with archives.serving(mirror) as server:
        yield Answers(top, tmp_path, server)


@pytest.fixture(params=['curl', 'wget'])
def downloader(request, web):
    """Each of the two programs alone, by a tree whose drivers see only that one."""
    web.top = archives.copy_tree(web.folder / 'tree')
    if request.param == 'wget':
        path = web.top / 'image/lib/common.sh'
        path.write_text(path.read_text().replace('command -v curl', 'command -v no-such-program'))
    return web


def test_fetch_from_the_web(downloader, tmp_path):
    done = downloader.fetch()
    assert done.returncode == 0, done.stderr
    assert len(cached(tmp_path)) == 2


@pytest.mark.parametrize('status', [404, 410])
def test_gone_is_what_every_source_says(downloader, tmp_path, mirror, status):
    downloader.server.status['/pool/first'] = status
    done = downloader.fetch()
    assert done.returncode == 3 and 'offered by no source: 1 packages' in done.stderr, done.stderr
    assert (tmp_path / 'build/missing').read_text() == 'first 1.0\n'
    # Another source has it still.
    assert downloader.fetch(downloader.server.address, str(mirror)).returncode == 0
    assert not (tmp_path / 'build/missing').exists()


@pytest.mark.parametrize('status, said', [(403, 'answers 403'), (401, 'answers 401'), (500, 'answers 500'),
                                          (503, 'answers 503'), (429, 'answers 429')])
def test_another_answer_than_gone_is_not_gone(downloader, tmp_path, status, said):
    downloader.server.status['/pool/first'] = status
    done = downloader.fetch()
    assert done.returncode == 1 and said in done.stderr, done.stderr
    assert not (tmp_path / 'build/missing').exists()


def test_one_source_that_says_gone_and_one_that_says_nothing_is_not_gone(web, tmp_path):
    web.server.status['/pool/first'] = 404
    for other in ('http://127.0.0.1:9', 'http://nowhere.invalid', str(tmp_path / 'absent')):
        done = web.fetch(web.server.address, other)
        assert done.returncode == 1 and other in done.stderr, done.stderr
        assert not (tmp_path / 'build/missing').exists()


def test_nothing_in_reach_is_said_at_once_and_once(downloader, tmp_path, mirror):
    """The cold cache without a network, with many packages."""
    write_lock(tmp_path, mirror / 'pool', *(f'package{number}' for number in range(40)))
    started = time.monotonic()
    done = downloader.fetch('http://127.0.0.1:9', 'http://nowhere.invalid')
    assert done.returncode == 1 and time.monotonic() - started < 30
    assert len(re.findall('http://127.0.0.1:9: no answer', done.stderr)) == 1, done.stderr
    assert len(re.findall('http://nowhere.invalid: no answer', done.stderr)) == 1, done.stderr
    assert '40 of 40 packages could not be fetched' in done.stderr


def cut_off(handler):
    """Half of the body, then the connection is gone."""
    handler.send_response(200)
    handler.send_header('Content-Length', '13')
    handler.end_headers()
    handler.wfile.write(b'packa')
    handler.close_connection = True


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(4000):
        handler.wfile.write(bytes(65536))


def portal(handler):
    """A network that wants its user to log in answers so, whatever is asked."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b'<html>log in</html>')


@pytest.mark.parametrize('answer, said', [(cut_off, 'no answer'), (endless, 'sends more than it should|Broken pipe'),
                                          (portal, 'refused: first 1.0 .* has SHA-256')])
def test_body_that_is_not_the_package(downloader, tmp_path, answer, said):
    downloader.server.status['/pool/first'] = answer
    done = downloader.fetch()
    assert done.returncode == 1 and re.search(said, done.stderr), done.stderr
    assert [name for name in cached(tmp_path) if 'part' in name] == []
    assert not (tmp_path / 'build/missing').exists()
    # What was left of it does not spoil the next try.
    del downloader.server.status['/pool/first']
    assert downloader.fetch().returncode == 0 and len(cached(tmp_path)) == 2


@pytest.mark.parametrize('spoil', [
    lambda path: path.write_bytes(b'package fIrst'),
    lambda path: path.write_bytes(b''),
    lambda path: (path.unlink(), path.mkdir()),
    lambda path: (path.unlink(), path.symlink_to('/etc/hostname')),
    lambda path: os.truncate(path, 5),
])
def test_corrupt_file_in_the_cache_is_named_and_fetched_again(web, tmp_path, spoil):
    assert web.fetch().returncode == 0
    path = tmp_path / 'cache/keyroom/deb' / hashlib.sha256(b'package first').hexdigest()
    spoil(path)
    done = web.fetch()
    assert done.returncode == 0 and f'{path} is corrupt' in done.stderr, done.stderr
    assert path.read_bytes() == b'package first'


def test_what_a_killed_fetch_left_is_no_package(web, tmp_path):
    """Also in the manner of earlier versions, which continued it."""
    store = tmp_path / 'cache/keyroom/deb'
    store.mkdir(parents=True)
    for name in ('first', 'second'):
        (store / (hashlib.sha256(f'package {name}'.encode()).hexdigest() + '.part')).write_bytes(b'rubbish')
    done = web.fetch()
    assert done.returncode == 0, done.stderr
    assert len([name for name in cached(tmp_path) if 'part' not in name]) == 2


def test_two_fetch_the_same_into_one_cache(web, tmp_path, mirror):
    write_lock(tmp_path, mirror / 'pool', *(f'package{number}' for number in range(20)))
    running = [subprocess.Popen([web.top / 'packages/fetch', tmp_path / 'lock'], stderr=subprocess.PIPE, text=True,
                                env=archives.environment(tmp_path, MIRROR=web.server.address,
                                                         BUILD=tmp_path / f'build{number}')) for number in range(3)]
    said = [one.communicate(timeout=60)[1] for one in running]
    assert [one.returncode for one in running] == [0, 0, 0], said
    assert len(cached(tmp_path)) == 20 and [name for name in cached(tmp_path) if 'part' in name] == []


def test_full_disk_is_named(web, tmp_path, mirror):
    """A cache on a disk with no room left: no relock, nothing half-written."""
    content = os.urandom(3 << 20)
    (mirror / 'pool/first.deb').write_bytes(content)
    (tmp_path / 'lock').write_text('# snapshot: 20260101T000000Z\nfirst 1.0 all '
                                   f'{hashlib.sha256(content).hexdigest()} {len(content)} pool/first.deb image\n')
    cache = tmp_path / 'small'
    cache.mkdir()
    for source in (mirror,):
        done = archives.run(web.top / 'image/lib/ns-run', 'sh', '-euc',
                            'mount -t tmpfs -o size=1M small "$1"; "$2" "$3"', 'sh', cache, web.top / 'packages/fetch',
                            tmp_path / 'lock', env=archives.environment(tmp_path, MIRROR=source, XDG_CACHE_HOME=cache))
        assert done.returncode == 1 and f'the disk that holds {cache}/keyroom/deb is full' in done.stdout, done.stdout
        assert not (tmp_path / 'build/missing').exists()


@pytest.mark.parametrize('complete', [False, True])
def test_read_only_cache(web, tmp_path, mirror, complete):
    """Where it has all, nothing is written; where it lacks a package, that and the
    reason are one sentence, and nothing is "gone" and resolved anew for it."""
    if complete:
        assert archives.run(web.top / 'packages/fetch', tmp_path / 'lock',
                            env=archives.environment(tmp_path, MIRROR=mirror)).returncode == 0
    cache = tmp_path / 'cache'
    (cache / 'keyroom/deb').mkdir(parents=True, exist_ok=True)
    done = archives.run(web.top / 'image/lib/ns-run', 'sh', '-euc',
                        'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; shift; exec "$@"', 'sh', cache,
                        web.top / 'packages/fetch', tmp_path / 'lock', env=archives.environment(tmp_path, MIRROR=mirror))
    if complete:
        assert done.returncode == 0 and done.stdout == '', done.stdout
        return
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 1, done.stdout
    assert (f'fetch: the cache lacks 2 packages, and nothing can be written into {cache}/keyroom/deb: '
            'Read-only file system: make it writable, or name another place for it with XDG_CACHE_HOME=') in done.stdout
    assert not (tmp_path / 'build/missing').exists()


def test_sources_of_apt_in_all_their_forms(web, tmp_path, mirror):
    """A list of mirrors in a file, a folder with a blank in its name, a copy:."""
    odd = tmp_path / 'a mirror'
    shutil.copytree(mirror, odd)
    (odd / 'pool/first.deb').unlink()
    listed = tmp_path / 'mirrors.list'
    listed.write_text(f'# mirrors\n\n{web.server.address}/none/ priority:1\nfile:{str(odd).replace(" ", "%20")}\n'
                      f'{web.server.address}/')
    sources = tmp_path / 'sources.list'
    sources.write_text(f'deb mirror+file:{listed} trixie main\ndeb copy:{mirror} trixie main\n')
    (tmp_path / 'lists/partial').mkdir(parents=True)
    environment = archives.environment(tmp_path)
    (tmp_path / 'apt.conf').write_text(f'Dir::Etc::SourceList "{sources}";\nDir::Etc::SourceParts "/dev/null";\n'
                                       f'Dir::State::Lists "{tmp_path}/lists";\n')
    done = archives.run('bash', '-euc', '. "$1"; archives', 'bash', web.top / 'image/lib/common.sh', env=environment)
    assert sorted(done.stdout.splitlines()) == sorted([f'{web.server.address}/none', str(odd), web.server.address, str(mirror)])
    done = archives.run(web.top / 'packages/fetch', tmp_path / 'lock', env=environment)
    assert done.returncode == 0, done.stdout


def test_archives_that_are_not_debians_are_not_asked(web, tmp_path):
    """What apt knows of other makers' archives says nothing about Debian's packages."""
    lists = tmp_path / 'lists'
    (lists / 'partial').mkdir(parents=True)
    sources = tmp_path / 'sources.list'
    sources.write_text('deb http://a.invalid/x trixie main\ndeb http://b.invalid/y trixie main\n'
                       'deb http://c.invalid/z trixie main\n')
    for host, path, origin in (('a.invalid', 'x', 'Debian'), ('b.invalid', 'y', 'Some Maker')):
        (lists / f'{host}_{path}_dists_trixie_InRelease').write_text(
            archives.release().decode().replace('Origin: Debian', f'Origin: {origin}'))
        (lists / f'{host}_{path}_dists_trixie_main_binary-amd64_Packages').write_text(
            'Package: x\nVersion: 1\nArchitecture: all\n\n')
    environment = archives.environment(tmp_path)
    (tmp_path / 'apt.conf').write_text(f'Dir::Etc::SourceList "{sources}";\nDir::Etc::SourceParts "/dev/null";\n'
                                       f'Dir::State::Lists "{lists}";\n')
    done = archives.run('bash', '-euc', '. "$1"; archives', 'bash', web.top / 'image/lib/common.sh', env=environment)
    assert sorted(done.stdout.splitlines()) == ['http://a.invalid/x', 'http://c.invalid/z']


@pytest.mark.parametrize('setting', ['MIRROR', 'SNAPSHOT'])
@pytest.mark.parametrize('source', ['ftp://127.0.0.1/debian', 'mirror+https://127.0.0.1/list', 'mirror+file:/no/such/list',
                                    'mirror+file:{list}', 'mirror+file:{empty}', 'cdrom:[Debian]'])
def test_a_source_that_is_named_and_cannot_be_asked_is_an_error(web, tmp_path, mirror, setting, source):
    """It left the list without a word, so what it may have was "gone" and the disc was
    resolved anew."""
    (tmp_path / 'ftp').write_text('ftp://127.0.0.1/debian\n')
    (tmp_path / 'none').write_text('# none\n')
    source = source.format(list=tmp_path / 'ftp', empty=tmp_path / 'none')
    (mirror / 'pool/first.deb').unlink()
    if setting == 'MIRROR':
        done = web.fetch(web.server.address, source)
    else:
        done = web.fetch(SNAPSHOT=source + '/@SNAPSHOTID@' if 'list' not in source else source)
    assert done.returncode == 1 and f'{setting} names ' in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1 and not web.server.asked and not (tmp_path / 'build/missing').exists()


def apt_reads(tmp_path, sources):
    """The environment of a machine whose apt has these sources."""
    environment = archives.environment(tmp_path)
    (tmp_path / 'sources.list').write_text(sources)
    (tmp_path / 'parts').mkdir(exist_ok=True)
    (tmp_path / 'lists/partial').mkdir(parents=True, exist_ok=True)
    (tmp_path / 'apt.conf').write_text(f'Dir::Etc::SourceList "{tmp_path}/sources.list";\n'
                                       f'Dir::Etc::SourceParts "{tmp_path}/parts";\nDir::State::Lists "{tmp_path}/lists";\n')
    return environment


@pytest.mark.parametrize('other', [
    'deb mirror+https://127.0.0.1:9/list trixie main', 'deb cdrom:[Debian_13]/ trixie main',
    'deb mirror+file:/no/such/list trixie main', 'deb ftp://127.0.0.1:9/debian trixie main',
    'deb http://127.0.0.1:9/debian', 'no line of apt',
])
def test_a_source_of_apts_that_cannot_be_asked_has_not_said_gone(web, tmp_path, mirror, other):
    """As what has no answer.  Where all is found elsewhere, it is in nobody's way."""
    environment = apt_reads(tmp_path, f'deb {web.server.address} trixie main\n{other}\n')
    environment['MIRROR'] = web.server.address
    first = mirror / 'pool/first.deb'
    content = first.read_bytes()
    first.unlink()
    done = archives.run(web.top / 'packages/fetch', tmp_path / 'lock', env=environment)
    assert done.returncode == 1 and 'cannot be asked' in done.stdout, done.stdout
    assert not (tmp_path / 'build/missing').exists() and len(cached(tmp_path)) == 1
    first.write_bytes(content)
    done = archives.run(web.top / 'packages/fetch', tmp_path / 'lock', env=environment)
    assert done.returncode == 0, done.stdout


def test_sources_that_apt_names_twice_are_no_fault(web, tmp_path, mirror):
    environment = apt_reads(tmp_path, f'deb {web.server.address} trixie main\n' * 2)
    (mirror / 'pool/first.deb').unlink()
    done = archives.run(web.top / 'packages/fetch', tmp_path / 'lock', env=environment)
    assert done.returncode == 3 and "apt's sources" not in done.stdout, done.stdout


def test_a_fault_in_apts_lists_is_said_and_the_mirror_is_asked(web, tmp_path):
    """It ended the fetch with status 100 and no word, whatever MIRROR had."""
    environment = apt_reads(tmp_path, 'no line of apt\n')
    environment['MIRROR'] = web.server.address
    done = archives.run(web.top / 'packages/fetch', tmp_path / 'lock', env=environment)
    assert done.returncode == 0 and len(cached(tmp_path)) == 2, done.stdout
    assert re.search("^fetch: apt's sources cannot be read: .*sources.list", done.stdout, re.M), done.stdout
    assert done.stdout.count('cannot be read') == 1


def test_a_list_of_apts_that_may_not_be_read_is_said(web, tmp_path, mirror):
    """apt warns, and goes on without it."""
    environment = apt_reads(tmp_path, f'deb {web.server.address} trixie main\n')
    (tmp_path / 'parts/more.list').write_text('deb http://127.0.0.1:9/debian trixie main\n')
    (tmp_path / 'parts/more.list').chmod(0)
    (mirror / 'pool/first.deb').unlink()
    powers = ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] if os.getuid() == 0 else []
    done = archives.run(*powers, web.top / 'packages/fetch', tmp_path / 'lock', env=environment)
    assert done.returncode == 1 and "apt's sources cannot be read: Unable to read" in done.stdout, done.stdout
    assert not (tmp_path / 'build/missing').exists()


def test_a_machine_without_apt_is_asked_for_nothing(web, tmp_path):
    """Its programs are missing, with MIRROR and the snapshot left."""
    web.top = archives.copy_tree(tmp_path / 'tree')
    for path in (web.top / 'image/lib/common.sh', web.top / 'packages/fetch'):
        path.write_text(path.read_text().replace('apt-get', 'no-such-apt').replace('apt-config', 'no-such-apt'))
    done = web.fetch(SNAPSHOT='')
    assert done.returncode == 0 and len(cached(tmp_path)) == 2, done.stderr


def test_empty_mount_point_is_no_archive(web, tmp_path):
    empty = tmp_path / 'empty'
    empty.mkdir()
    done = web.fetch(str(empty))
    assert done.returncode == 1 and 'holds no Debian archive' in done.stderr, done.stderr


def deep(mirror):
    """first where a real archive has it: below folders."""
    (mirror / 'pool/main/f').mkdir(parents=True)
    (mirror / 'pool/first.deb').rename(mirror / 'pool/main/f/first.deb')
    lock = mirror.parent / 'lock'
    lock.write_text(lock.read_text().replace('pool/first', 'pool/main/f/first'))
    return mirror / 'pool/main/f/first.deb'


def clear(folder):
    shutil.rmtree(folder)
    folder.mkdir()


NOT_GONE = {
    'link': (lambda m, p: (p.unlink(), p.symlink_to('/nowhere')), 'is a link that leads nowhere'),
    'loop': (lambda m, p: (p.unlink(), p.symlink_to(p)), 'is a link that leads nowhere'),
    'folder is a link': (lambda m, p: (shutil.rmtree(p.parent), p.parent.symlink_to('/nowhere')), 'cannot be read: No such file'),
    'folder loops': (lambda m, p: (shutil.rmtree(p.parent), p.parent.symlink_to(p.parent)), 'cannot be read: Too many levels'),
    'file for a folder': (lambda m, p: (shutil.rmtree(p.parent), p.parent.write_text('')), 'cannot be read: Not a directory'),
    'folder for a file': (lambda m, p: (p.unlink(), p.mkdir()), 'is no file'),
    'pipe': (lambda m, p: (p.unlink(), os.mkfifo(p)), 'is no file'),
    'forbidden file': (lambda m, p: p.chmod(0), 'cannot be read: Permission denied'),
    'forbidden folder': (lambda m, p: p.parent.chmod(0), 'cannot be read: Permission denied'),
    'folder that cannot be listed': (lambda m, p: (p.unlink(), p.parent.chmod(0o311)), 'cannot be read: Permission denied'),
    'forbidden archive': (lambda m, p: m.chmod(0), 'cannot be read: Permission denied'),
    'empty pool': (lambda m, p: clear(m / 'pool'), 'is empty'),
    'no pool': (lambda m, p: ((m / 'dists').mkdir(), shutil.rmtree(m / 'pool')), 'holds no Debian archive: no pool'),
    'archive loops': (lambda m, p: (shutil.rmtree(m), m.symlink_to(m)), 'cannot be read: Too many levels'),
}


@pytest.mark.parametrize('name', NOT_GONE)
def test_what_a_folder_cannot_say_is_not_gone(top, tmp_path, mirror, name):
    """Only what a folder that can be read does not list is gone.  Of a disk that gives
    errors, or of another user's, all was, and the disc was resolved anew."""
    change, reason = NOT_GONE[name]
    change(mirror, deep(mirror))
    # Not even root reads what it must not, without these.
    powers = ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] if os.getuid() == 0 else []
    try:
        done = subprocess.run([*powers, top / 'packages/fetch', tmp_path / 'lock'], text=True, timeout=60, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=archives.environment(tmp_path, MIRROR=mirror))
        assert done.returncode == 1 and reason in done.stderr, done
        assert not (tmp_path / 'build/missing').exists()
    finally:
        for path in (mirror, mirror / 'pool/main/f'):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)


@pytest.mark.parametrize('change', [lambda p: p.unlink(), lambda p: shutil.rmtree(p.parent),
                                    lambda p: shutil.rmtree(p.parent.parent)])
def test_what_a_folder_does_not_list_is_gone(top, tmp_path, mirror, change):
    change(deep(mirror))
    done = run_fetch(top, tmp_path, tmp_path / 'lock', mirror)
    assert done.returncode == 3 and (tmp_path / 'build/missing').read_text() == 'first 1.0\n', done


def test_snapshot_is_asked_for_the_locks_time(web, tmp_path, mirror):
    shots = tmp_path / 'shots'
    shots.mkdir()
    mirror.rename(shots / '20260101T000000Z')
    assert web.fetch(str(tmp_path / 'absent'), SNAPSHOT=shots).returncode == 0


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
             *(top / 'packages').glob('*.drop'), *(top / 'image').glob('**/packages.drop')]
    assert len(lists) >= 6
    for line in [line for path in lists for line in path.read_text().splitlines()]:
        if line and not line.startswith('#'):
            assert re.fullmatch(r'[a-z0-9.+-]+\s+# \S.+', line), line
