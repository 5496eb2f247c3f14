# SPDX-License-Identifier: ISC
"""verify builds under circumstances that must not matter.  Here the build is a
stand-in that writes down how it was built, so that in seconds it is seen that each
circumstance is what its name says, that one that matters is caught, explained and
ends in a failure, and that what could not be built is no success."""
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

import tinydisc
from statements import TOP
from tinydisc import Disc

NAMES = [line.split()[0] for line in
         subprocess.run([TOP / 'reproducible/verify', '--list'], check=True, text=True,
                        stdout=subprocess.PIPE).stdout.splitlines()]
# What needs a user or a root that not every machine has.
ELSEWHERE = {'user', 'debian12', 'debian13'}
pytestmark = [pytest.mark.slow,
              pytest.mark.skipif(bool(tinydisc.missing()), reason=f'missing: {tinydisc.missing()}')]

BUILD = r'''#!/bin/bash
# A build that notes its circumstances in OUT/how and depends on DEPENDS.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
out=${BUILD:-$here/build}/out
mkdir -p "$out"
how() {
	echo "path=$here"; echo "umask=$(umask)"; echo "lang=${LC_ALL-}${LANG-}"; echo "tz=${TZ-}"; echo "host=$(hostname)"
	echo "kernel=$(uname -m)"; echo "cpus=$(nproc)"; echo "tmp=${TMPDIR-}"; echo "home=${HOME-}"
	echo "year=$(env -i date +%Y)"; echo "posix=${POSIXLY_CORRECT-no}"; echo "cdpath=${CDPATH-no}"; echo "functions=$(declare -F | wc -l)"
	echo "fs=$(stat -fc %T "$here")"; echo "ids=$(cat /proc/self/uid_map | tr -s ' ')"; echo "git=$([ -e ~/.gitconfig ] && echo yes)"
	echo "order=$(cd "$here/many" && find . -type f | tr '\n' ' ')"
}
how >"$HOW_DIR_REPLACED/$(basename "${HOW_NAME_REPLACED:-x}").$$" 2>/dev/null || true
cp "$here/disc.iso" "$out/tiny.iso"
printf 'tool 1 amd64 0 1 x base\n' >"$out/tiny.packages"
depends=DEPENDS
[ "$depends" = none ] || [ "$depends" = fails ] || how | grep "^$depends=" >"$out/tiny.buildinfo"
[ -s "$out/tiny.buildinfo" ] || echo same >"$out/tiny.buildinfo"
echo raw >"$out/tiny.raw"
printf 'NAME=tiny\nEXTENSION=%s\n' "$out/tiny.raw" >"$out/latest.small"
! [ DEPENDS = fails ] || [ "$(hostname)" != elsewhere ]
'''


@pytest.fixture(scope='module')
def disc(tmp_path_factory):
    return Disc(tmp_path_factory.mktemp('disc')).make()


@pytest.fixture
def project(disc):
    """A project whose build is the stand-in; project(depends) runs verify."""
    # Not in pytest's own folder, which no other user may enter.
    tmp_path = pathlib.Path(tempfile.mkdtemp(prefix='keyroom-varied-', dir='/var/tmp'))
    top = tmp_path / 'project'
    for part in ('reproducible', 'image/lib'):
        shutil.copytree(TOP / part, top / part)
    (top / 'image/profiles/small').mkdir(parents=True)
    (top / 'image/profiles/small/settings').write_text('')
    shutil.copy(TOP / 'image/release', top / 'image/release')
    (top / 'RELEASE.md').write_text('')
    (top / 'many').mkdir()
    for name in 'qwertyuiop':
        (top / 'many' / name).write_text('')
    shutil.copy(disc.iso, top / 'disc.iso')
    how = tmp_path / 'how'
    how.mkdir(mode=0o777)
    how.chmod(0o777)
    tmp_path.chmod(0o755)
    cache = tmp_path / 'cache/keyroom/deb'
    cache.mkdir(parents=True)

    def run(depends, *options):
        script = BUILD.replace('DEPENDS', depends).replace('$HOW_DIR_REPLACED', str(how)).replace(
            '$(basename "${HOW_NAME_REPLACED:-x}")', 'how')
        (top / 'image/build').write_text(script)
        (top / 'image/build').chmod(0o755)
        for path in how.iterdir():
            path.unlink()
        done = subprocess.run([top / 'reproducible/verify', '--profile', 'small', *options], text=True, timeout=900,
                              capture_output=True, check=False,
                              env={'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'XDG_CACHE_HOME': str(tmp_path / 'cache'),
                                   'HOME': str(tmp_path), 'TMPDIR': str(tmp_path)})
        notes = [dict(line.split('=', 1) for line in path.read_text().splitlines())
                 for path in sorted(how.iterdir(), key=lambda path: path.stat().st_mtime_ns)]
        return done, notes
    run.top = top
    yield run
    subprocess.run(['rm', '-rf', '--one-file-system', tmp_path], check=True)


CLAIMS = {
    'elsewhere': lambda a, b: b['host'] == 'elsewhere' and b['umask'] == '0077' and 'tr_TR' in b['lang'] and
    b['tz'] == 'Asia/Kathmandu',
    'blank': lambda a, b: ' ' in b['path'] and ' ' in b['tmp'],
    'utf8': lambda a, b: not b['path'].isascii(),
    'deep': lambda a, b: len(b['path']) > 300,
    'kernel': lambda a, b: b['kernel'] == 'i686' and b['cpus'] == '1' and a['kernel'] != b['kernel'],
    'shell': lambda a, b: b['posix'] == '1' and b['cdpath'] != 'no',
    'home': lambda a, b: b['git'] == 'yes' and a['git'] == '',
    'tmpfs': lambda a, b: b['fs'] == 'tmpfs',
    'order': lambda a, b: b['order'] != a['order'],
    'locale': lambda a, b: 'de_DE' in b['lang'] and b['tz'] == 'Pacific/Chatham',
    'umask': lambda a, b: b['umask'] == '0000',
    'time': lambda a, b: int(b['year']) == int(a['year']) + 3,
}


def test_there_are_at_least_twelve_builds():
    """With the first one."""
    assert len(NAMES) + 1 >= 12 and set(NAMES) == set(CLAIMS) | ELSEWHERE


@pytest.mark.parametrize('name', CLAIMS)
def test_a_circumstance_is_what_it_says(project, name):
    done, notes = project('none', '--circumstance', name)
    if 'not here' in done.stdout:
        assert name in ('tmpfs', 'order', 'kernel', 'time') and done.returncode == 1
        pytest.skip(f'this machine cannot: {done.stdout}')
    assert done.returncode == 0 and 'tiny: two builds, the same bytes' in done.stdout, done
    assert len(notes) == 2 and CLAIMS[name](*notes), notes
    assert re.search(rf'^{name} +same ', done.stdout, re.M)


@pytest.mark.parametrize('depends,name', [('path', 'blank'), ('umask', 'umask'), ('tz', 'locale'), ('host', 'elsewhere'),
                                          ('kernel', 'kernel'), ('git', 'home'), ('year', 'time')])
def test_a_build_that_depends_on_one_is_caught(project, depends, name):
    done, _ = project(depends, '--circumstance', name)
    assert done.returncode == 1 and re.search(rf'^{name} +DIFFERENT ', done.stdout, re.M), done
    assert 'tiny.buildinfo  DIFFERENT' in done.stdout and f'{depends}=' in done.stderr
    assert 'the same bytes' not in done.stdout


def test_the_other_time_is_that_of_the_roots_within(tmp_path):
    """Most of a disc is made by programs of roots that have an /etc and an environment
    of their own, which no preloaded library of the caller's reaches."""
    if not shutil.which('gcc'):
        pytest.skip('gcc is missing')
    subprocess.run(['gcc', '-shared', '-fPIC', '-o', tmp_path / 'clock.so', TOP / 'reproducible/lib/years-on.c'], check=True)
    root = tmp_path / 'root'
    for name in ('proc', 'dev', 'tmp', 'bin'):
        (root / name).mkdir(parents=True)
    shutil.copy('/bin/date', root / 'bin')
    for path in re.findall(r'(/\S+) \(0x', subprocess.run(['ldd', '/bin/date'], check=True, text=True, capture_output=True).stdout):
        (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / path[1:])
    script = f'. {TOP}/image/lib/in-root.sh; root_mounts "$1"; date +%Y; root_run "$1" /bin/date +%Y; root_umounts "$1"'
    years = []
    for more in ([], [TOP / 'reproducible/lib/years-on', tmp_path / 'clock.so']):
        done = subprocess.run([TOP / 'image/lib/ns-run', *more, 'bash', '-euc', script, 'bash', root], text=True, capture_output=True)
        assert done.returncode == 0, done
        years += [int(year) for year in done.stdout.split()]
    assert years[0] == years[1] and years[2:] == [years[0] + 3] * 2
    assert sorted(path.name for path in root.rglob('*') if path.name == 'clock.so') == []


def test_a_build_that_fails_is_no_success(project):
    done, _ = project('fails', '--circumstance', 'elsewhere')
    assert done.returncode == 1 and re.search(r'^elsewhere +NOT BUILT', done.stdout, re.M), done


@pytest.mark.parametrize('here,status', [(11, 0), (10, 1)])
def test_all_are_at_least_twelve(project, here, status):
    """"make verify-all" claims twelve; two were enough for its success, with the others
    not here."""
    vary = project.top / 'reproducible/lib/vary.sh'
    vary.write_text(vary.read_text() + ''.join(
        f'vary_{name}() {{ base_settings; }}\n' if number < here else f"vary_{name}() {{ why='no {name} today'; return 1; }}\n"
        for number, name in enumerate(NAMES)))
    done, notes = project('none', '--all')
    assert done.returncode == status and len(notes) == here + 1, done
    assert len(re.findall(' not here ', done.stdout)) == len(NAMES) - here
    if status:
        assert '11 builds are fewer than 12: not here: ' in done.stderr and 'the same bytes' not in done.stdout
        assert all(f'{name} (no {name} today)' in done.stderr for name in NAMES[here:])


def test_several_make_one_table(project):
    done, notes = project('none', '--circumstance', 'blank', '--circumstance', 'umask')
    assert done.returncode == 0 and 'tiny: 3 builds, the same bytes' in done.stdout and len(notes) == 3
    sums = re.findall(r'^(?:first|blank|umask) .* ([0-9a-f]{16})$', done.stdout, re.M)
    assert len(sums) == 3 and len(set(sums)) == 1
    assert project('none', '--circumstance', 'nonsense')[0].returncode == 1
