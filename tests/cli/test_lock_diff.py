# SPDX-License-Identifier: ISC
"""Whoever reviews a lock reads what packages/lock --diff says: each way in which two
locks differ is a line, and a package whose bytes changed under the same version is
shouted about."""
import subprocess

import pytest

from statements import TOP, run

LINE = '{} {} amd64 {} 1 pool/main/x {}\n'


def lock(path, *packages, snapshot='20261101T000000Z'):
    path.write_text(f'# Written\n# suite: trixie 13.1\n# snapshot: {snapshot}\n' + ''.join(
        LINE.format(name, version, digest * 64, roles) for name, version, digest, roles in packages))
    return path


def diff(a, b):
    done = run(TOP / 'packages/lib/diff', a, b)
    return done.returncode, done.stdout.splitlines()


def test_each_difference_is_a_line(tmp_path):
    old = lock(tmp_path / 'old', ('same', '1', 'a', 'base'), ('newer', '1.0-1', 'b', 'base,image'), ('gone', '2', 'c', 'image'),
               ('rebuilt', '3', 'd', 'builder'), ('moved', '4', 'e', 'builder'))
    new = lock(tmp_path / 'new', ('same', '1', 'a', 'base'), ('newer', '1.0-1+deb13u1', '0', 'base,image'),
               ('come', '9', '1', 'image'), ('rebuilt', '3', '2', 'builder'), ('moved', '4', 'e', 'builder,image'),
               snapshot='20261115T000000Z')
    status, lines = diff(old, new)
    assert status == 1 and sorted(lines) == sorted([
        'archive snapshot: 20261101T000000Z became 20261115T000000Z',
        'version newer 1.0-1 became 1.0-1+deb13u1 (base,image)', 'removed gone 2 (image)', 'added come 9 (image)',
        'REBUILT rebuilt 3: the same version with another SHA-256 (builder)', 'roles moved builder became builder,image',
        '5 packages differ'])
    assert diff(old, old) == (0, ['0 packages differ'])
    # Without a line the first was taken for the second: all was "removed".
    empty = tmp_path / 'empty'
    empty.write_text('')
    assert diff(empty, old)[1][0].startswith('added ') and diff(old, empty)[1][0].startswith('removed ')
    done = run(TOP / 'packages/lib/diff', 'old', 'old', cwd=tmp_path)
    (tmp_path / 'a=b').write_text(old.read_text())
    assert run(TOP / 'packages/lib/diff', 'a=b', 'old', cwd=tmp_path).stdout == done.stdout == '0 packages differ\n'


def test_lock_diff_takes_a_file_or_a_commit(tmp_path):
    current = TOP / 'packages/trixie-amd64.lock'
    changed = tmp_path / 'changed.lock'
    lines = current.read_text().splitlines(keepends=True)
    changed.write_text(''.join(line for line in lines if not line.startswith('openssl ')))
    done = run(TOP / 'packages/lock', '--diff', changed)
    assert done.returncode == 0 and 'added openssl ' in done.stdout and '1 packages differ' in done.stdout, done
    head = subprocess.run(['git', 'rev-parse', '--verify', '-q', 'HEAD'], cwd=TOP, capture_output=True, check=False)
    if head.returncode == 0:
        done = run(TOP / 'packages/lock', '--diff', 'HEAD')
        assert done.returncode == 0 and done.stdout.rstrip().endswith('packages differ'), done
    done = run(TOP / 'packages/lock', '--diff', 'no-such-commit')
    assert done.returncode == 1 and 'neither a lock nor a commit' in done.stderr
    done = run(TOP / 'packages/lock', '--diff', '--output=x')
    assert done.returncode == 1 and 'neither a lock nor a commit' in done.stderr
    assert run(TOP / 'packages/lock', '--frobnicate').returncode == 1


@pytest.mark.parametrize('text', ['', '# lock\n', 'some text\n', 'open\x1b[2Jssl 1 amd64 {} 1 pool/x base\n', '# suite: \x1b[2J\nx 1 amd64 {} 1 pool/x base\n',
                                  'x 1 amd64 abc 1 pool/x base\n'])
def test_what_is_no_lock_is_compared_with_nothing(tmp_path, text):
    """"412 packages differ" from a licence; and a stranger's file could repaint the screen."""
    other = tmp_path / 'other'
    other.write_text(text.format('a' * 64))
    done = run(TOP / 'packages/lock', '--diff', other)
    assert done.returncode == 1 and 'is no lock' in done.stderr and '\x1b' not in done.stdout + done.stderr and not done.stdout, done


@pytest.mark.parametrize('name', ['a.t', 'a.*', '.', '[', '', '-x'])
def test_a_name_is_no_pattern(name):
    """--explain a.t explained apt."""
    done = run(TOP / 'packages/lock', '--explain', name)
    assert done.returncode == 1 and not done.stdout and len(done.stderr.splitlines()) == 1, done


def test_a_line_that_is_none_repaints_no_screen(tmp_path):
    (tmp_path / 'lock').write_text('\x1b[2Jx 1\x07 amd64 zz 1 p base\n')
    done = run(TOP / 'packages/fetch', tmp_path / 'lock', env={'PATH': '/usr/bin:/bin', 'XDG_CACHE_HOME': str(tmp_path)})
    assert done.returncode == 1 and done.stderr.endswith('not a line of a lock: ?[2Jx 1?\n'), done
