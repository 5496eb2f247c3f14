# SPDX-License-Identifier: ISC
"""A difference that nobody can explain is not mended.  Ten sources of difference,
one at a time on a small disc, must be named by explain: the layer, the file and
where such a thing comes from."""
import gzip
import json
import os

import pytest

import tinydisc
from statements import REPRODUCIBLE, SOURCE, SUMS, Key, digest_of, envelope, hostile, on_small_disk, run, statement
from tinydisc import EPOCH, NAME, TOP, Disc, call, fill

pytestmark = pytest.mark.skipif(bool(tinydisc.missing()), reason=f'missing: {tinydisc.missing()}')


def explain(a, b, **options):
    return run(REPRODUCIBLE / 'explain', a, b, **options)


@pytest.fixture(scope='module')
def disc(tmp_path_factory):
    return Disc(tmp_path_factory.mktemp('disc')).make()


def put(disc, name, data):
    path = disc.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def pair(tmp_path, change):
    """Two discs; change(disc, which) may change the root before it is made."""
    made = []
    for which in (0, 1):
        disc = Disc(tmp_path / str(which))
        options = change(disc, which) or ()
        disc.make_root(*options).make_boot().make_iso().publish()
        made.append(disc.iso)
    return made


SOURCES = {
    'time': (lambda d, n: put(d, 'etc/built', f'built: 2026-11-2{n} 10:00:00\n'),
             ['/etc/built: other contents', 'likely: the time of the build']),
    'path': (lambda d, n: put(d, 'usr/bin/prog', b'\x7fELF\0\1\2\0' + [b'/home/a/keyroom/x.c', b'/tmp/b/keyroom/x.c'][n] + b'\0'),
             ['/usr/bin/prog: ', 'likely: the path of the build']),
    'host name': (lambda d, n: put(d, 'etc/info', f'hostname={["here", "elsewhere"][n]}\n'),
                  ['/etc/info: ', 'likely: the name of the host']),
    'kernel': (lambda d, n: put(d, 'etc/info', f'kernel: {["6.1", "6.12"][n]}\n'),
               ['/etc/info: ', 'likely: the kernel or the processors of the host']),
    'locale': (lambda d, n: put(d, 'etc/sorted', ['B\na\nc\n', 'a\nB\nc\n'][n]),
               ['/etc/sorted: other contents', 'the same lines in another order', 'another locale']),
    'umask': (lambda d, n: os.chmod(d.root / 'etc/list', [0o644, 0o600][n]),
              ['/etc/list: mode 644 became 600', 'likely: another umask']),
    'user': (lambda d, n: [('-force-uid', '0'), ('-force-uid', '1000')][n], ['owner 0 became 1000', 'likely: another user']),
    'random': (lambda d, n: put(d, 'etc/id', ['0ab4a4e4-7aa3-4f3b-9c70-111111111111\n', '9ab4a4e4-7aa3-4f3b-9c70-222222222222\n'][n]),
               ['/etc/id: ', 'likely: a UUID']),
    'gzip': (lambda d, n: put(d, 'usr/share/doc.gz', gzip.compress(b'text' * 99, mtime=1000 + n)),
             ['/usr/share/doc.gz: ', "the time in gzip's header", 'gzip without -n']),
    'a file more': (lambda d, n: put(d, 'usr/lib/x.pyc', 'x') if n else None, ['/usr/lib/x.pyc: added']),
    'a file less': (lambda d, n: put(d, 'usr/lib/x.pyc', 'x') if not n else None, ['/usr/lib/x.pyc: removed']),
    'order in the image': (lambda d, n: [(), ('-sort', sort_file(d))][n],
                           ['the same files in another order', 'likely: order of directory entries']),
    'times in the image': (lambda d, n: [(), ('-all-time', EPOCH + 86400)][n],
                           ['listed otherwise', 'likely: times of files that are not SOURCE_DATE_EPOCH']),
    'time of the image': (lambda d, n: [(), ('-mkfs-time', EPOCH + 86400)][n],
                          ['Creation or last append time', 'likely: time of the image']),
}


def sort_file(disc):
    path = disc.folder / 'sort'
    path.write_text('usr/share/big 100\nusr/share/doc -100\nusr/bin/tool 50\n')
    return path


@pytest.mark.slow
@pytest.mark.parametrize('name', SOURCES)
def test_a_source_of_difference_is_named(tmp_path, name):
    change, expected = SOURCES[name]
    a, b = pair(tmp_path, change)
    done = explain(a, b)
    assert done.returncode == 1 and not done.stderr, done
    for text in expected:
        assert text in done.stdout, done.stdout
    assert 'kernel command line' in done.stdout     # its root hash is another


@pytest.mark.parametrize('volume,options,expected', [
    ('KEYROOM_9_9_8', (), ['volume id: "KEYROOM_9_9_9" became "KEYROOM_9_9_8"']),
    ('KEYROOM_9_9_9', ('--modification-date=2026112400000000',), ['created', 'likely: the time of the ISO is not SOURCE_DATE_EPOCH']),
    ('KEYROOM_9_9_9', ('-uid', '1000'), ['directory', 'likely: times, owners or modes of the files of the ISO']),
])
def test_the_iso_around_the_root(disc, tmp_path, volume, options, expected):
    other = Disc(tmp_path / 'other').make_root().make_boot().make_iso(volume, *options)
    text = explain(disc.iso, other.iso).stdout.replace('volume id            volume id', 'volume id')
    for one in expected:
        assert one in text, text
    assert 'file of the root' not in text


def test_the_same_is_the_same(disc, tmp_path):
    other = Disc(tmp_path / 'other').make()
    done = explain(disc.iso, other.iso)
    assert done.returncode == 0 and done.stdout == 'the same bytes\n', done


def test_records_of_every_kind(disc, tmp_path):
    for kind, old, new, said in (('packages', 'tool 1.0', 'tool 1.1', 'tool: 1.0 became 1.1'),
                                 ('packages', '0' * 64, '1' * 64, 'tool: 1.0 with another SHA-256'),
                                 ('packages', 'tool 1.0', 'toll 1.0', 'tool: removed, 1.0'),
                                 ('manifest', 'l 777 0 0 - -> tool', 'l 777 0 0 - -> more', '/usr/bin/alias: target -> tool became -> more'),
                                 ('layout', 'field volume-id K', 'field volume-id C', 'volume id'),
                                 ('buildinfo', '9.9.9', '9.9.8', 'version: 9.9.8')):
        text = (disc.folder / f'{NAME}.{kind}').read_text()
        assert old in text
        (tmp_path / f'x.{kind}').write_text(text.replace(old, new))
        done = explain(disc.folder / f'{NAME}.{kind}', tmp_path / f'x.{kind}')
        assert done.returncode == 1 and said in done.stdout, done


def test_the_callers_environment_explains_nothing_away(tmp_path):
    a, b = pair(tmp_path, SOURCES['time'][0])
    env = hostile(tmp_path / 'hostile')
    for other, expected in ((b, 1), (a, 0)):
        plain, done = explain(a, other), explain(a, other, env=env)
        assert (done.returncode, done.stdout, done.stderr) == (expected, plain.stdout, ''), done


@pytest.mark.slow
def test_no_room_is_no_explanation(tmp_path):
    a, b = pair(tmp_path, SOURCES['time'][0])
    for size in (4, 40, 100, 300, 500, 700, 900, 1100, 1300, 1500, 2000, 16000):
        done = on_small_disk(tmp_path / 'small', f'{size}k', REPRODUCIBLE / 'explain', a, b)
        assert done.returncode in (1, 3) and 'cannot be unpacked' not in done.stdout, (size, done)
        assert done.returncode == 1 or done.stderr, (size, done)
        files = [line for line in done.stdout.splitlines() if line.startswith('file of the root')]
        assert len(files) <= 1, (size, done)
    assert done.returncode == 1
    done = explain(a, b, env={'PATH': '/usr/bin:/bin', 'TMPDIR': '/nonexistent'})
    assert done.returncode == 3 and '/nonexistent: no folder for temporary files' in done.stderr and not done.stdout, done


@pytest.mark.parametrize('kind,line,said', [
    ('manifest', f'f 644 0 0 1 {"0" * 64} /etc/x', '/etc/x: '), ('packages', f'tool 1.0 amd64 {"0" * 64} 1 pool/x base', 'tool: ')])
def test_an_empty_record_and_one_that_awk_takes_for_a_setting(tmp_path, kind, line, said):
    (tmp_path / f'a=1.{kind}').write_text('')
    (tmp_path / f'b=1.{kind}').write_text(line + '\n')
    for names, word in (('ab', 'added'), ('ba', 'removed')):
        done = explain(*[f'{one}=1.{kind}' for one in names], cwd=tmp_path, input='')
        assert done.returncode == 1 and said + word in done.stdout and not done.stderr, done


def test_an_empty_layout_and_what_is_no_json(disc, tmp_path):
    """What stood in the second alone was "in the first"; and a bill that cannot be read
    differed."""
    (tmp_path / 'none.layout').write_text('')
    for argv, where in (((tmp_path / 'none.layout', disc.folder / f'{NAME}.layout'), 'second'),
                        ((disc.folder / f'{NAME}.layout', tmp_path / 'none.layout'), 'first')):
        done = explain(*argv)
        assert done.returncode == 1 and f'entry ceremony is in the {where} alone' in done.stdout, done
        assert ('added file' if where == 'second' else 'removed file') in done.stdout and not done.stderr, done
    (tmp_path / 'good.spdx.json').write_text('{}')
    for text in ('', 'x', '{}{}', '{"a": '):
        (tmp_path / 'bad.spdx.json').write_text(text)
        done = explain(tmp_path / 'good.spdx.json', tmp_path / 'bad.spdx.json')
        assert done.returncode == 3 and not done.stdout and done.stderr.endswith('bad.spdx.json: is no JSON\n'), (text, done)


def test_two_statements(tmp_path):
    key = Key(tmp_path, 'alice')

    def made(name, *args, **changes):
        (tmp_path / f'{name}.intoto.jsonl').write_text(json.dumps(envelope(statement(*args, **changes), key)) + '\n')
        return tmp_path / f'{name}.intoto.jsonl'
    first = made('first')
    other = made('other', SUMS | {name: digest_of('x' + name) for name in SUMS if name.endswith(('.iso', '.manifest'))})
    boot = made('boot', SUMS | {name: digest_of('x' + name) for name in SUMS if name.endswith('64.iso')})
    same = made('same', internalParameters={'release': '12'})
    done = explain(first, other)
    assert done.returncode == 1 and 'likely: a file of the root' in done.stdout
    assert done.stdout.index('.manifest: other bytes') < done.stdout.index('.iso: other bytes')
    assert 'the boot files or the layout' in explain(first, boot).stdout
    done = explain(first, same)
    assert done.returncode == 0 and 'second  release: 12' in done.stdout and 'first   release: 13' in done.stdout


def test_a_statement_behind_the_first_is_not_passed_over(tmp_path):
    """Only the first line was read: "the same files", of a file with a dissent in it."""
    key = Key(tmp_path, 'alice')
    lines = [json.dumps(envelope(statement(*args), key)) + '\n' for args in ((), (SUMS | {name: digest_of('x') for name in SUMS},))]
    (tmp_path / 'a.intoto.jsonl').write_text(lines[0])
    (tmp_path / 'b.intoto.jsonl').write_text(''.join(lines))
    done = explain(tmp_path / 'a.intoto.jsonl', tmp_path / 'b.intoto.jsonl')
    assert done.returncode == 3 and 'b.intoto.jsonl: holds more than one statement' in done.stderr, done
    for change in ({'subject': [1]}, {'subject': [{'name': 'x'}]}, {'predicate': {'buildDefinition': {'resolvedDependencies': [1]}}}):
        (tmp_path / 'b.intoto.jsonl').write_text(json.dumps(envelope(statement() | change, key)) + '\n')
        done = explain(tmp_path / 'a.intoto.jsonl', tmp_path / 'b.intoto.jsonl')
        assert done.returncode == 3 and 'b.intoto.jsonl: is no statement' in done.stderr, done
    bare = statement()
    del bare['predicate']['buildDefinition']['resolvedDependencies']
    (tmp_path / 'b.intoto.jsonl').write_text(json.dumps(envelope(bare, key)) + '\n')
    done = explain(tmp_path / 'a.intoto.jsonl', tmp_path / 'b.intoto.jsonl')
    assert done.returncode == 0 and 'first   lock.sha256' in done.stdout, done


def test_what_cannot_be_compared_is_refused(disc, tmp_path):
    for name, data in (('x.iso', b'x' * 99999), ('x.txt', b''), ('x.intoto.jsonl', b'{}\n')):
        (tmp_path / name).write_bytes(data)
        (tmp_path / ('y' + name)).write_bytes(data + b'\n')
        done = explain(tmp_path / name, tmp_path / ('y' + name))
        assert done.returncode == 3 and not done.stdout and name in done.stderr, done
    assert explain(disc.iso, disc.folder / f'{NAME}.layout').returncode == 3
    assert explain(disc.iso, tmp_path / 'none.iso').returncode == 3
    assert run(REPRODUCIBLE / 'explain', disc.iso).returncode == 2
