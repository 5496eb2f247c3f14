# SPDX-License-Identifier: ISC
"""Shows that a build depends on the sources, the lock and the packages, and on
nothing else: not on the caller's environment, not on what happens to the tree
while it runs, not on what earlier builds, killed or spoiled, have left.  Else a
rebuilder's hash says nothing.  (With stand-ins for the stages;
reproducible/verify --all varies the machine under the true ones.)"""
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

import archives
import standins


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    """Built once: what all others are copies of, and compared with."""
    made = standins.Tree(tmp_path_factory.mktemp('model'))
    made.clean = made.build_once()
    return made


@pytest.fixture
def tree(tmp_path, model):
    return standins.Tree(tmp_path, model=model)


@pytest.fixture
def clean(model):
    """The hash of everything that leaves the building, by name."""
    return model.clean


# What callers have set, in good faith or not.
HOSTILE = {
    'TOP': '/nonexistent', 'LOCK': '/etc/hostname', 'SUITE': 'sid', 'ARCH': 'arm64', 'CACHE': '/nonexistent',
    'SQUASH_LEVEL': '1', 'KEYROOM_VERSION': '9.9', 'KEYROOM_EPOCH': '1', 'KEYROOM_BUILD_ID': 'f' * 16,
    'KEYROOM_LOCK_HASH': '0', 'KEYROOM_RELOCKED': '/etc/hostname', 'KEYROOM_SOURCE_HASH': '0' * 64,
    'KEYROOM_ALONE': '1', 'SOURCE_DATE_EPOCH': '1', 'PASS': 'HOME SECRET', 'SECRET': 'x', 'CDPATH': '/:/tmp',
    'TAR_OPTIONS': '--exclude=grub.cfg.in', 'QUOTING_STYLE': 'shell-escape', 'DPKG_ROOT': '/nonexistent',
    'DPKG_ADMINDIR': '/nonexistent', 'DEBOOTSTRAP_DIR': '/nonexistent', 'TMPDIR': '/nonexistent', 'TMP': '/nonexistent',
    'LANG': 'tr_TR.UTF-8', 'LC_ALL': 'C', 'LC_COLLATE': 'de_DE.UTF-8', 'LANGUAGE': 'de', 'TZ': 'Asia/Kathmandu',
    'POSIXLY_CORRECT': '1', 'GREP_OPTIONS': '-v', 'GREP_COLORS': 'x', 'XZ_DEFAULTS': '-0', 'XZ_OPT': '-0', 'GZIP': '-1',
    'ZSTD_CLEVEL': '1', 'AWKPATH': '/nonexistent', 'AWKLIBPATH': '/nonexistent', 'GNUPGHOME': '/nonexistent',
    'IFS': '/', 'PS4': '$(touch /nonexistent/x)', 'SHELLOPTS': 'noglob', 'BASHOPTS': 'nocasematch', 'GLOBIGNORE': '*',
    'BASH_COMPAT': '3.1', 'POSIX_ME_HARDER': '1', 'TIME_STYLE': 'iso', 'BLOCK_SIZE': '1', 'DF_BLOCK_SIZE': '1',
    'LS_BLOCK_SIZE': '1', 'CFLAGS': '-O0', 'CPPFLAGS': '-DX', 'LDFLAGS': '-static', 'MAKEFLAGS': 'k', 'PREFIX': '/x',
    'DESTDIR': '/x', 'SANITIZE': '1', 'role': 'x', 'me': 'x', 'made': '/x', 'pass': 'X=1', 'archive': '/x', 'work': '/x',
    'relock': 'yes', 'FAKECHROOT': 'true', 'XDG_CONFIG_HOME': '/nonexistent', 'EDITOR': 'false', 'name': 'x',
    'BASH_FUNC_tar%%': '() { false; }', 'BASH_FUNC_sha256sum%%': '() { echo 0; }', 'BASH_FUNC_cd%%': '() { :; }',
    'BASH_FUNC_env%%': '() { false; }', 'BASH_FUNC_dirname%%': '() { echo /; }', 'BASH_FUNC_set%%': '() { :; }',
    'BASH_FUNC_[%%': '() { true; }', 'KEYROOM_MAY_RELOCK': 'yes', 'KEYROOM_TREE': '/nonexistent',
}


def test_callers_environment_changes_nothing(tree, clean):
    """All at once, from nothing; then a few that spoil each other, one by one; and a
    rest, which would be seen if it reached a stage."""
    assert len(HOSTILE) >= 30
    startup = tree.folder / 'startup'
    startup.write_text('set -f\nsha256sum() { echo 0; }\nexport FROM_STARTUP=1\numask 000\n')
    more = dict(HOSTILE, BASH_ENV=startup, ENV=startup, PATH=f'{tree.folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin')
    (tree.folder / 'bin').mkdir()
    for program in ('tar', 'sha256sum', 'sort', 'dirname', 'cp', 'dpkg-deb', 'env'):
        (tree.folder / 'bin' / program).write_text('#!/bin/sh\nexit 99\n')
        (tree.folder / 'bin' / program).chmod(0o755)
    assert tree.build_once(**more) == clean


def make_iso(tree, **more):
    """As it is typed; host-check is a stand-in, too."""
    return archives.run('make', '--no-print-directory', '-C', tree.top, 'iso', 'PROFILE=console',
                        env=tree.environment(**more))


def test_callers_environment_does_not_pass_through_make(tree, clean):
    """make takes variables as its own: all of them at once, and a bundle that nobody
    has typed."""
    done = make_iso(tree, **dict(HOSTILE, BUNDLE='/nonexistent', GNUMAKEFLAGS='-e', SHELL='/bin/false', CC='false',
                                 MAKE='false', MAKEOVERRIDES='x', PYTHON='false', VERSION='9', KEYROOM_DEFAULT_PROFILE='x'))
    assert done.returncode == 0 and tree.made() == clean, done.stdout


def test_makefiles_of_the_callers_are_not_read_in_silence(tree):
    """make reads them before this one, with any recipe in them."""
    (tree.folder / 'more.mk').write_text('PROFILE := ceremony\n')
    done = make_iso(tree, MAKEFILES=tree.folder / 'more.mk')
    assert done.returncode == 2 and 'MAKEFILES is set' in done.stdout, done.stdout
    assert len(done.stdout.splitlines()) == 1 and not tree.build.exists()


def test_what_is_missing_is_not_the_callers_to_say(top, tmp_path):
    """A function of the caller's would hide it, or be run as root to bring it."""
    plain = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': str(tmp_path)}
    hostile = dict(HOSTILE, PATH=plain['PATH'], HOME=str(tmp_path), **{
        'BASH_FUNC_command%%': '() { false; }', 'BASH_FUNC_apt-get%%': '() { touch ' + f'{tmp_path}/run; }}'})
    said = [archives.run(top / 'image/host-check', 'test', env=env) for env in (plain, hostile)]
    assert said[0].returncode == said[1].returncode and said[0].stdout == said[1].stdout, said
    assert not (tmp_path / 'run').exists()


@pytest.mark.slow
@pytest.mark.parametrize('variable', ['TMPDIR', 'KEYROOM_FRESH', 'JOBS', 'RELOCK'])
def test_what_a_driver_takes_changes_no_byte(tree, variable, clean):
    value = {'TMPDIR': '/proc', 'KEYROOM_FRESH': '1', 'JOBS': '1', 'RELOCK': 'no'}[variable]
    assert tree.build_once(**{variable: value}) == clean


@pytest.mark.slow
def test_umask_working_folder_and_locale_change_nothing(tree, clean):
    done = archives.run('sh', '-c', 'umask 077; cd /; exec "$@"', 'sh', *tree.command(), env=tree.environment())
    assert done.returncode == 0 and tree.made() == clean, done.stdout


def test_edit_during_the_build_and_its_reversal_change_nothing(tree, clean):
    """An edit of the menu, of a stage, of a library of scripts, of a profile, of the lock
    and of the driver itself, while the first stage runs."""
    building = tree.start_until('20-root')
    paths = ['image/boot/grub.cfg.in', 'image/stages/60-iso', 'image/lib/common.sh', 'image/profiles/console/settings',
             'packages/trixie-amd64.lock', 'image/build', 'image/lib/make-disc', 'image/release', 'hooks/10-configure-identity.sh']
    before = {path: (tree.top / path).read_bytes() for path in paths if (tree.top / path).exists()}
    for path in before:
        with open(tree.top / path, 'r+b') as file:
            file.seek(0)
            file.write(b'\nexit 3; echo edited\n' + before[path])
    status, said = tree.go_on('20-root', building)
    for path, content in before.items():
        (tree.top / path).write_bytes(content)
    assert status == 0, said
    assert tree.made() == clean
    # And nothing of it comes out of a layer later.
    assert tree.build_once() == clean


@pytest.mark.parametrize('reverted', [False, True])
@pytest.mark.parametrize('edit', [
    lambda copy: (copy / 'image/boot/grub.cfg.in').write_text('# another menu\n'),
    lambda copy: (copy / 'hooks/99-more.sh').write_text('exit 0\n'),
])
def test_edit_of_the_copy_during_the_build_is_in_no_layer(tree, clean, edit, reverted):
    """The copy of the sources is what is built from, as long as that takes.  It was
    looked at when all was finished: then its layers stayed, and the next run released
    them; what was taken back before the end was not seen."""
    building = tree.start_until('40-configure')
    copy = next((tree.build / 'layers').glob('source-*'))
    menu = (copy / 'image/boot/grub.cfg.in').read_bytes()
    (tree.pause / '50-squash').touch()
    edit(copy)
    (tree.pause / '40-configure').unlink()
    if reverted:
        while building.poll() is None and not (tree.pause / 'reached.50-squash').exists():
            time.sleep(0.02)
        (copy / 'image/boot/grub.cfg.in').write_bytes(menu)
        (copy / 'hooks/99-more.sh').unlink(missing_ok=True)
    status, said = tree.go_on('50-squash', building)
    assert status == 1 and 'was changed while it was built: run this again' in said, said
    assert not list((tree.build / 'layers').glob('root.console-*'))
    assert tree.build_once() == clean


def test_edit_of_the_copy_before_the_first_layer_is_seen(tree, clean):
    """Between the hash, which is the copy's name, and the look at it."""
    driver = tree.top / 'image/build'
    driver.write_text(driver.read_text().replace(
        '\texec "$BUILD/layers', '\techo >>"$BUILD/layers/source-${hash:0:16}/image/boot/grub.cfg.in"\n\texec "$BUILD/layers'))
    done = tree.run()
    assert done.returncode == 1 and 'was changed while it was built: run this again' in done.stdout, done.stdout
    assert not list((tree.build / 'layers').glob('*.done'))


@pytest.mark.parametrize('program', ['spdx', 'layout', 'words'])
def test_records_and_disc_are_put_there_together_or_not_at_all(tree, clean, program):
    """A record that cannot be made left a new disc beside old and half-written ones."""
    assert tree.build_once() == clean
    latest = (tree.build / 'out/latest').read_text()
    whole = (tree.top / 'image/lib' / program).read_text()
    (tree.top / 'image/boot/grub.cfg.in').write_text('# another menu\n')
    (tree.top / 'image/lib' / program).write_text('#!/bin/sh\necho half\nexit 1\n')
    done = tree.run()
    assert done.returncode == 1 and 'the records cannot be made' in done.stdout, done.stdout
    assert tree.made() == clean and (tree.build / 'out/latest').read_text() == latest
    (tree.top / 'image/lib' / program).write_text(whole)
    assert tree.build_once() != clean


ROOTFS = 'image/rootfs/etc'


def add_link(top, to):
    (top / ROOTFS / 'a-link').unlink(missing_ok=True)
    (top / ROOTFS / 'a-link').symlink_to(to)


CHANGES = {
    'link': lambda top: add_link(top, '/proc/mounts'),
    'another target': lambda top: add_link(top, '/proc/mount'),
    'dangling': lambda top: add_link(top, 'nowhere'),
    'link with a slash of its own': lambda top: add_link(top, 'x//y'),
    'link with a newline': lambda top: add_link(top, 'x\ny'),
    'empty folder': lambda top: (top / ROOTFS / 'empty').mkdir(),
    'empty folder elsewhere': lambda top: (top / 'hooks/empty').mkdir(),
    'blank in a name': lambda top: (top / ROOTFS / 'a name').write_text('x'),
    'blank at the end': lambda top: (top / ROOTFS / 'name ').write_text('x'),
    'newline in a name': lambda top: (top / ROOTFS / 'a\nname').write_text('x'),
    'content below such a name': lambda top: (top / ROOTFS / 'a\nname').write_text('y'),
    'backslash in a name': lambda top: (top / ROOTFS / 'a\\name').write_text('x'),
    'no valid UTF-8': lambda top: open(os.fsencode(top / ROOTFS) + b'/\xff', 'w').close(),
    'hidden': lambda top: (top / 'image/.hidden').write_text('x'),
    'executable': lambda top: (top / 'image/release').chmod(0o755),
    'a file becomes a folder': lambda top: ((top / 'image/.hidden').unlink(), (top / 'image/.hidden').mkdir()),
    'a file becomes a link': lambda top: ((top / ROOTFS / 'a name').unlink(), (top / ROOTFS / 'a name').symlink_to('x')),
    'overlay of a profile': lambda top: (top / 'image/profiles/console/overlay/srv').mkdir(parents=True),
    'a list of packages': lambda top: (top / 'packages/image.list').open('a').write('# more\n'),
}


def test_hash_of_sources_covers_every_kind_of_change(tree):
    seen = {hash_of(tree.top): 'nothing'}
    for what, change in CHANGES.items():
        change(tree.top)
        digest = hash_of(tree.top)
        assert digest not in seen, f'{what} is the same as {seen[digest]}'
        seen[digest] = what
    # The build takes it as it is.
    tree.build_once()
    assert tree.sources() == f'sources: {hash_of(tree.top)}'


def hash_of(top):
    """As image/build does it: of a copy."""
    copy = top.parent / 'copy'
    done = archives.run('bash', '-euc', '. "$1/image/lib/common.sh"; mkdir "$2"; pack_sources | tar -C "$2" -xpf -; '
                        '"$1/image/lib/tree-hash" "$2"', 'bash', top, copy)
    shutil.rmtree(copy)
    assert re.fullmatch('[0-9a-f]{64}\n', done.stdout), done.stdout
    return done.stdout.strip()


@pytest.mark.parametrize('change', [
    lambda top: os.utime(top / 'image/release', (1, 1)),
    lambda top: (top / 'image/release').chmod(0o600),
    lambda top: (top / 'image/build').chmod(0o700),
    lambda top: (top / 'packages/vendor/secret.deb').write_text('x'),
    lambda top: shutil.rmtree(top / 'packages/vendor'),
    lambda top: ((top / 'image/__pycache__').mkdir(), (top / 'image/__pycache__/x.pyc').write_text('x')),
    lambda top: (top / 'docs').mkdir(),
    lambda top: (top / 'image/release2').hardlink_to(top / 'image/release') and None or (top / 'image/release2').unlink(),
])
def test_what_is_no_source_is_not_in_the_hash(tree, change):
    before = hash_of(tree.top)
    change(tree.top)
    assert hash_of(tree.top) == before


@pytest.mark.parametrize('odd, said', [
    (lambda top: os.mkfifo(top / 'image/pipe'), 'image/pipe'),
    (lambda top: (top / 'image/profiles/mine').symlink_to('/etc'), 'outside of the sources'),
    (lambda top: (shutil.move(top / 'hooks', top.parent / 'hooks'), (top / 'hooks').symlink_to('../hooks')),
     'outside of the sources'),
    (lambda top: (top / 'image/lib/x').symlink_to('/etc/hostname'), 'outside of the sources'),
])
def test_source_that_nobody_could_hash_is_refused(tree, odd, said):
    odd(tree.top)
    done = tree.run()
    assert done.returncode == 1 and said in done.stdout, done.stdout
    assert not (tree.pause / 'reached.20-root').exists()


def test_pool_is_not_the_caches_inodes(tree, clean):
    """Who writes to the cache, or to what was published, writes to no layer."""
    assert tree.build_once() == clean
    cached = {path.stat().st_ino for path in tree.cache.iterdir()}
    pool = list((tree.layer('archive') / 'pool').iterdir())
    assert len(pool) == len(standins.NAMES) and not cached & {path.stat().st_ino for path in pool}
    for folder in (tree.cache, tree.build / 'out'):
        for path in folder.iterdir():
            with open(path, 'r+b') as file:
                file.write(b'spoiled')
    assert tree.build_once() == clean
    # From nothing: each spoiled file is named, and fetched again.
    tree.clear()
    done = tree.run()
    assert done.returncode == 0 and tree.made() == clean
    assert len(re.findall(f'{tree.cache}/[0-9a-f]* is corrupt', done.stdout)) == len(standins.NAMES)


def forge(path):
    """Another package of the same name, in the same file."""
    root = path.parent / 'forged'
    subprocess.run(['dpkg-deb', '-R', str(path), str(root)], check=True)
    name = next((root / 'usr/lib').iterdir())
    name.write_text('forged\n')
    made = root.with_suffix('.deb')
    subprocess.run(['dpkg-deb', '--root-owner-group', '--build', str(root), str(made)], check=True,
                   stdout=subprocess.DEVNULL)
    with open(path, 'r+b') as file:
        file.truncate(0)
        file.write(made.read_bytes())
    made.unlink()
    shutil.rmtree(root)


def test_forged_shim_does_not_reach_the_builder(tree, clean):
    """In the local archive between two builds: the layer is made anew.  While a build
    runs, after the archive was hashed: the build ends, and names the file."""
    assert tree.build_once() == clean
    shim = next((tree.layer('archive') / 'pool').glob('shim-signed_*'))
    forge(shim)
    subprocess.run(['rm', '-rf', *map(str, (tree.build / 'layers').glob('builder-*'))], check=True)
    assert tree.build_once() == clean
    assert (tree.layer('builder') / 'unpack/usr/lib/shim-signed').read_text() == 'shim-signed as it should be\n'
    tree.clear()
    building = tree.start_until('20-root')
    forge(next((tree.layer('archive') / 'pool').glob('shim-signed_*')))
    status, said = tree.go_on('20-root', building)
    assert status == 1 and re.search('shim-signed_.*deb has SHA-256 .*, the lock says', said), said
    assert tree.build_once() == clean


@pytest.mark.parametrize('after', ['', 'cat "$HOME/kept" >"$deb"; touch -r "$HOME/kept" "$deb"; '])
def test_package_that_is_changed_while_it_is_read_is_in_no_layer(tree, clean, after):
    """debootstrap and apt read the archive after it was hashed.  What was in it only for
    them, put back or not, was in the root, and seen by nobody or by the next build."""
    stage = tree.top / 'image/stages/20-root'
    whole = stage.read_text()
    stage.write_text(whole.replace('mkdir -p "$3"; ', 'deb=$(echo "$2"/pool/gcc_*); cp -p "$deb" "$HOME/kept"; '
                                   'echo forged >"$deb"; mkdir -p "$3"; ') + after)
    done = tree.run()
    assert done.returncode == 1 and 'was changed while it was read: run this again' in done.stdout, done.stdout
    assert not list((tree.build / 'layers').glob('builder-*'))
    stage.write_text(whole)
    assert tree.build_once() == clean


@pytest.mark.slow
@pytest.mark.parametrize('layer, file', [('builder', 'file'), ('base.image', 'debs'), ('compiled', 'root/program'),
                                         ('root.console', 'menu'), ('parts.console', 'root.squashfs'),
                                         ('iso.console', None), ('extension.softhsm', None), ('archive', 'dists')])
def test_layer_that_was_written_to_is_made_anew(tree, layer, file, clean):
    assert tree.build_once() == clean
    path = tree.layer(layer)
    if file == 'dists':
        file = 'dists/trixie/main/binary-amd64/Packages'
    with open(path / file if file else path, 'r+b') as spoiled:
        spoiled.write(b'?')
    os.utime(path / file if file else path, (1, 1))
    done = tree.run()
    assert done.returncode == 0 and f'{layer} was changed after it was made' in done.stdout, done.stdout
    assert tree.made() == clean


def test_finished_layers_are_kept(tree):
    """The counterpart: nothing is made twice without a reason."""
    tree.build_once()
    done = tree.run()
    assert done.returncode == 0 and ' ...' not in done.stdout, done.stdout


@pytest.mark.parametrize('script, made', [
    ('image/stages/10-archive', ('archive', 'builder', 'base.image')),    # it writes debootstrap's priorities
    ('image/stages/25-unpack', ('builder',)),
    ('image/stages/26-trim', ('base.image',)),
    ('hooks/05-remove-packages.sh', ('base.image',)),
    ('packages/image.drop', ('base.image',)),
    ('image/profiles/console/packages.drop', ('base.image',)),
    ('image/squash/squash', ('extension.softhsm',)),
    ('packages/lib/driver', ('extension.softhsm',)),
])
def test_layer_depends_on_what_makes_it(tree, script, made):
    tree.build_once()
    with open(tree.top / script, 'a') as file:
        file.write('# otherwise\n')
    done = tree.run()
    assert done.returncode == 0 and 'No such file' not in done.stdout, done.stdout
    for layer in made:
        assert f'build: {layer} ...' in done.stdout, done.stdout


def test_roots_depend_on_the_releases_time(tree):
    """An account that a package makes has the day of it in /etc/shadow."""
    tree.build_once()
    release = tree.top / 'image/release'
    release.write_text(re.sub(r'(KEYROOM_EPOCH=\d+)\d', r'\g<1>9', release.read_text()))
    done = tree.run()
    assert 'build: builder ...' in done.stdout and 'build: base.image ...' in done.stdout, done.stdout


@pytest.mark.parametrize('layer, stage', [('builder', '30-compile'), ('builder', '60-iso'), ('base.image', '40-configure'),
                                          ('root.console', '50-squash'), ('parts.console', '60-iso')])
def test_layer_that_is_changed_while_it_is_read_is_in_no_disc(tree, clean, layer, stage):
    """Changed back or not: the next build saw that it was changed, and went on with what
    had been made of it."""
    building = tree.start_until(stage)
    file = next(path for path in sorted(tree.layer(layer).rglob('*')) if path.is_file())
    content = file.read_bytes()
    file.write_bytes(b'forged' + content[6:])
    status, said = tree.go_on(stage, building)
    assert status == 1 and 'was changed while it was read: run this again' in said, said
    assert tree.build_once() == clean


@pytest.mark.parametrize('fault', ['sources', 'builder'])
def test_what_is_kept_of_a_refused_layer_is_not_used(tree, clean, fault):
    """Objects that were compiled of what stood in the sources for a while."""
    stage = tree.top / 'image/stages/30-compile'
    stage.write_text(stage.read_text() + 'cat "$3/note" >>"$HOME/kept" 2>/dev/null || true\necho forged >"$3/note"\n')
    building = tree.start_until('30-compile')
    layer = next(tree.build.glob('layers/source-*')) if fault == 'sources' else tree.layer('builder')
    file = next(path for path in sorted(layer.rglob('*')) if path.is_file())
    content = file.read_bytes()
    file.write_bytes(b'forged' + content[6:])
    file.write_bytes(content)
    status, said = tree.go_on('30-compile', building)
    assert status == 1 and 'run this again' in said, said
    assert tree.run().returncode == 0
    assert (tree.folder / 'kept').read_text() == ''
    # The counterpart: what is kept of a layer that was proven is used.
    with open(tree.top / 'signer/more.c', 'w') as more:
        more.write('')
    assert tree.run().returncode == 0 and (tree.folder / 'kept').read_text() == 'forged\n'


@pytest.mark.parametrize('sizes, kib', [([], 256), ([0], 256), ([1], 260), ([4096, 4097, 0], 268),
                                        ([970752, 4030000, 999], 5144)])
def test_size_of_the_efi_image_is_that_of_its_files(top, tmp_path, sizes, kib):
    """And not what the kernel of the day has taken for them on its disk: none for holes, two
    megabytes for a byte on a tmpfs of huge pages."""
    line = re.search('^kib=.*$', (top / 'image/stages/60-iso').read_text(), re.M)[0]
    (tmp_path / 'EFI/BOOT').mkdir(parents=True)
    for number, size in enumerate(sizes):
        (tmp_path / f'EFI/BOOT/{number}').touch()
        os.truncate(tmp_path / f'EFI/BOOT/{number}', size)
    done = archives.run('bash', '-euc', f'set -o pipefail; efi=$1; {line}; echo "$kib"', 'bash', tmp_path)
    assert done.stdout == f'{kib}\n', done.stdout


@pytest.mark.slow
def test_other_name_of_a_profile_is_no_prefix(tree):
    """Layers of console-big are not console's to remove."""
    shutil.copytree(tree.top / 'image/profiles/console', tree.top / 'image/profiles/console-big')
    done = archives.run(tree.top / 'image/build', '--profile', 'console-big', env=tree.environment())
    assert done.returncode == 0, done.stdout
    tree.build_once()
    assert tree.layer('iso.console-big').exists() and tree.layer('iso.console').exists()


@pytest.mark.parametrize('where', ['build', 'roles/build'])
def test_a_profile_that_the_lock_does_not_know(tree, tmp_path, where):
    """Its packages are resolved among the locked ones, wherever that is done: in a folder
    with "role" in its path the lock was taken for the list, and nothing was left of it."""
    (tree.top / 'image/profiles/console/packages.list').write_text('gcc  # a reason\n')
    resolve = tree.top / 'packages/lib/resolve'
    resolve.write_text('#!/bin/sh\nprintf "%s 1:1.0\\n" base-files gcc\n')
    resolve.chmod(0o755)
    tree.build = tmp_path / where
    tree.build.parent.mkdir(exist_ok=True)
    done = tree.run(BUILD=tree.build)
    assert done.returncode == 0 and 'the lock has no role console' in done.stdout, done.stdout
    lines = [line.split() for line in (tree.layer('base.console') / 'file').read_text().splitlines()]
    assert {line[0]: line[6] for line in lines if line[0] in ('base-files', 'gcc')} == {
        'base-files': 'base,builder,ceremony,image,console', 'gcc': 'builder,console'}
    # Beside the disc stands the lock that there is, as on it, and none of this build's.
    locked = hashlib.sha256((tree.top / 'packages/trixie-amd64.lock').read_bytes()).hexdigest()
    assert f'\nlock: {locked}\n' in next((tree.build / 'out').glob('*.buildinfo')).read_text()


def test_second_build_in_a_tree_is_told_to_wait(tree):
    building = tree.start_until('20-root')
    second = tree.run()
    cleaning = archives.run(tree.top / 'image/lib/clean', env=tree.environment())
    for done in (second, cleaning):
        assert done.returncode == 1, done.stdout
        assert re.search(rf'another build is at work in {tree.build} \(process {building.pid}, since', done.stdout)
        assert len(done.stdout.splitlines()) == 1, done.stdout
    status, said = tree.go_on('20-root', building)
    assert status == 0, said


@pytest.mark.parametrize('how, stage', [
    (signal.SIGINT, '20-root'), pytest.param(signal.SIGKILL, '20-root', marks=pytest.mark.slow),
    pytest.param(signal.SIGTERM, '40-configure', marks=pytest.mark.slow),
    pytest.param(signal.SIGHUP, '50-squash', marks=pytest.mark.slow),
    pytest.param(signal.SIGKILL, '60-iso', marks=pytest.mark.slow)])
def test_killed_build_leaves_nothing_in_the_way(tree, clean, how, stage):
    building = tree.start_until(stage)
    # As a terminal does it; and as the kernel, which kills but one.
    (os.kill if how == signal.SIGKILL else os.killpg)(building.pid, how)
    assert tree.go_on(stage, building)[0] != 0
    assert tree.build_once() == clean
    assert not list((tree.build / 'tmp').iterdir())


@pytest.mark.slow
def test_several_trees_share_a_cache(tree, tmp_path):
    (tmp_path / 'more').mkdir()
    others = [tree]
    for name in ('second', 'third'):
        shutil.copytree(tree.top, tmp_path / name, symlinks=True)
        other = standins.Tree.__new__(standins.Tree)
        other.__dict__.update(tree.__dict__, top=tmp_path / name, build=tmp_path / name / 'build')
        others.append(other)
    running = [one.start() for one in others]
    said = [one.communicate(timeout=120)[0] for one in running]
    assert [one.returncode for one in running] == [0, 0, 0], said
    assert others[0].made() == others[1].made() == others[2].made()


def test_gone_packages_are_resolved_anew_only_where_that_is_allowed(tree):
    """And only if they are gone: a resolver that leaves a mark stands in for packages/lock."""
    mark = tree.folder / 'resolved'
    lock = tree.top / 'packages/lock'
    locked = (tree.top / 'packages/trixie-amd64.lock').read_text()
    lock.write_text(f'#!/bin/sh\ntouch {mark}\ngrep -v "^gcc " {tree.top}/packages/trixie-amd64.lock >"$1"\n')
    gcc = tree.folder / 'mirror/pool/gcc.deb'
    whole = gcc.read_bytes()

    def build(*words, **more):
        mark.unlink(missing_ok=True)
        shutil.rmtree(tree.folder / 'cache', ignore_errors=True)
        tree.clear()
        return tree.run(*words, **more)

    refused = [
        # Neither is gone: wrong bytes, no answer from one of two, an empty mount point, no cache.
        (lambda: gcc.write_bytes(b'x' * len(whole)), {}, 'refused: gcc'),
        (lambda: gcc.write_bytes(b''), {}, 'refused: gcc'),
        (gcc.unlink, {'MIRROR': f'{tree.folder}/mirror http://127.0.0.1:9'}, 'no answer'),
        (lambda: None, {'MIRROR': f'{tree.folder}/mirror {tree.folder}/nothing'}, 'no such folder'),
        (lambda: None, {'RELOCK': 'no'}, 'resolves nothing anew'),
    ]
    for spoil, more, said in refused:
        spoil()
        done = build('--relock-if-gone', **more)
        assert done.returncode == 1 and said in done.stdout, done.stdout
        assert not mark.exists() and not list((tree.build / 'out').iterdir())
    done = build()
    assert done.returncode == 1 and 'resolves nothing anew' in done.stdout and not mark.exists()
    done = tree.run('--relock-if-gone', RELOCK='perhaps')
    assert done.returncode == 1 and 'RELOCK is yes or no' in done.stdout
    # Gone, and allowed: a disc, under another name.
    done = build('--relock-if-gone')
    assert done.returncode == 0 and mark.exists(), done.stdout
    assert 'not the published release' in done.stdout and '< gcc 1:1.0' in done.stdout
    assert all('+relocked' in name for name in tree.made())
    assert (tree.top / 'packages/trixie-amd64.lock').read_text() == locked


def test_what_compares_and_publishes_resolves_nothing_anew(tree):
    """verify, and release, which begins with it: whatever the caller says, where a locked
    version is gone the build ends."""
    mark = tree.folder / 'resolved'
    (tree.top / 'packages/lock').write_text(f'#!/bin/sh\ntouch {mark}\nexit 1\n')
    (tree.folder / 'mirror/pool/gcc.deb').unlink()
    done = archives.run(tree.top / 'reproducible/verify', '--profile', 'console',
                        env=tree.environment(RELOCK='yes', KEYROOM_MAY_RELOCK='yes', relock='yes'))
    assert done.returncode == 1 and 'this build resolves nothing anew' in done.stdout, done.stdout
    assert not mark.exists() and not list((tree.build / 'out').iterdir())


@pytest.mark.parametrize('profile', ['', '..', '../..', 'a/b', '-x', 'x y', '$(id)', 'Console', 'no-such', 'x;y', "x'y"])
def test_profile_is_a_name(tree, profile):
    for command in (['image/build', '--profile', profile], ['reproducible/verify', '--profile', profile]):
        done = archives.run(tree.top / command[0], *command[1:], env=tree.environment())
        assert done.returncode == 1, done.stdout
        assert re.search('PROFILE is a name|no profile image/profiles/no-such', done.stdout), done.stdout
    assert not (tree.pause / 'reached.20-root').exists()


def test_profile_of_make_is_no_command(tree):
    mark = tree.folder / 'mark'
    for value in (f'x; touch {mark}', f'x" ; touch {mark}; "', f"x'; touch {mark}; '", f'$$(touch {mark})'):
        done = archives.run('make', '-C', tree.top, 'iso', f'PROFILE={value}', env=tree.environment())
        assert done.returncode != 0 and not mark.exists(), done.stdout


@pytest.mark.parametrize('name', ['key room', 'a\ttab', "it's", 'a$b', 'a#b', 'a:b', 'a;b', 'a&b', 'a(b', 'a%b', 'a*b', 'a"b'])
def test_odd_path_is_refused_before_anything_is_done(tmp_path, model, name):
    """And a stranger's folder, which a blank's first half names, stays.  The drivers
    themselves work in a path with blanks, see below."""
    stranger = tmp_path / re.split(r'[\s$#:;&(%*"\']', name)[0]
    (stranger / 'diary').mkdir(parents=True)
    tree = standins.Tree(tmp_path, name + '/kr', model)
    (tree.build / 'out').mkdir(parents=True)
    commands = [['make', 'clean'], ['make', 'iso'], ['make', 'signer']]
    commands += [] if name == 'key room' else [['./image/build'], ['image/lib/clean']]
    for command in commands:
        done = archives.run(*command, cwd=tree.top, env=tree.environment())
        assert done.returncode != 0 and 'make cannot work in it' in done.stdout, (command, done.stdout)
        assert len(done.stdout.splitlines()) <= 2
    assert (stranger / 'diary').is_dir() and (tree.build / 'out').is_dir()


@pytest.mark.slow
def test_path_with_blanks_builds(tmp_path, model, clean):
    tree = standins.Tree(tmp_path, 'key room/k  r', model)
    assert tree.build_once() == clean
    (tmp_path / 'key').mkdir()
    done = archives.run(tree.top / 'image/lib/clean', env=tree.environment())
    assert done.returncode == 0 and not tree.build.exists() and (tmp_path / 'key').exists(), done.stdout


def test_path_with_other_letters_builds(tmp_path, model, clean):
    tree = standins.Tree(tmp_path, 'schl\u00fcssel+raum_1.0~x@y=z', model)
    assert tree.build_once() == clean
    done = archives.run('make', '-C', tree.top, 'clean', env=tree.environment())
    assert done.returncode == 0 and not tree.build.exists(), done.stdout


@pytest.mark.parametrize('build', ['', '.', '..', '/', 'image', 'image/x', '../tree/hooks', 'packages/vendor', '.git/x'])
def test_folder_for_output_is_no_other_folder(tree, build):
    done = archives.run('make', '-C', tree.top, 'clean', f'BUILD={build}', env=tree.environment())
    assert done.returncode != 0 and 'BUILD is ' in done.stdout, done.stdout
    assert (tree.top / 'image/build').exists()


def test_trees_own_folder_may_have_been_made_by_make(tree, clean):
    """As after "make signer"; it is this tree's, and marked from then on."""
    (tree.build / 'host').mkdir(parents=True)
    assert tree.build_once() == clean and (tree.build / '.keyroom-build').exists()


@pytest.mark.parametrize('command', ['packages/fetch', 'image/build'])
def test_folder_of_somebody_else_is_not_built_in(tree, command):
    """What is in it has names as ours have: old folders for work, old copies of sources."""
    home = tree.folder / 'somebody'
    for name in ('tmp/backup.tar.gz/x', 'tmp/thesis.2026.draft/x', 'tmp/build.999999.abcdef/x', 'layers/source-code/x',
                 'layers/base.image-0123456789abcdef/x', 'compiled.log/x'):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text('mine')
    before = sorted(home.rglob('*'))
    done = archives.run(tree.top / command, env=tree.environment(BUILD=home))
    assert done.returncode == 1 and 'was not made by a build of this project' in done.stdout, done.stdout
    assert len(done.stdout.splitlines()) == 1 and sorted(home.rglob('*')) == before


def test_clean_removes_what_a_build_has_made_and_nothing_else(tree):
    elsewhere, stranger = tree.folder / 'elsewhere', tree.folder / 'stranger'
    done = tree.run(BUILD=elsewhere)
    assert done.returncode == 0, done.stdout
    (stranger / 'diary').mkdir(parents=True)
    link = tree.top / 'build'
    link.symlink_to(stranger)
    for build in (stranger, link):
        done = archives.run('make', '-C', tree.top, 'clean', f'BUILD={build}', env=tree.environment())
        assert done.returncode != 0 and 'was not made by a build of this project' in done.stdout, done.stdout
    assert (stranger / 'diary').exists()
    done = archives.run('make', '-C', tree.top, 'clean', f'BUILD={elsewhere}', env=tree.environment())
    assert done.returncode == 0 and not elsewhere.exists(), done.stdout


@pytest.mark.parametrize('by, said', [('sources', 'the sources cannot be copied'), ('layer', 'compiled failed'), ('seal', '')])
def test_full_disk_is_named_by_the_build(tree, by, said):
    """Of one that is not full before, nor afterwards, when what was half made is gone."""
    # The kernel is asked, not ns-run, which may be what is broken.
    made = archives.run(*['unshare', '-Urm'] * (2 if by == 'layer' else 1), 'true', env=tree.environment())
    if made.returncode:
        pytest.skip(f'no namespace can be made here: {made.stdout.strip()}')
    if by == 'sources':
        (tree.top / 'image/rootfs/etc/large').write_bytes(os.urandom(6 << 20))
    elif by == 'layer':
        stage = tree.top / 'image/stages/30-compile'
        stage.write_text(stage.read_text().replace('head -c 2000000', 'head -c 6000000'))
    else:
        # A stage that fills it and does not fail: the layer cannot be sealed.
        with open(tree.top / 'image/stages/40-configure', 'a') as stage:
            stage.write('head -c 60000000 /dev/zero >"$6/fill" 2>/dev/null || true\n')
    done = archives.run(tree.top / 'image/lib/ns-run', 'sh', '-euc',
                        'mkdir -p "$1"; mount -t tmpfs -o size=5M small "$1"; shift; exec "$@"', 'sh', tree.build,
                        *tree.command(), env=tree.environment())
    assert done.returncode == 1 and said in done.stdout, done.stdout
    assert f'the disk that holds {tree.build} is full' in done.stdout, done.stdout


NOWHERE = {
    'read-only': ('ro', '{0}/new', 'nothing can be written into {0}/new: Read-only file system: make it writable, or give'),
    'read-only, there': ('ro', '{0}/old', 'nothing can be written into {0}/old: Read-only file system: make it writable'),
    'noexec': ('noexec', '{0}/new', '{0}/new is on a file system that lets no program run (mounted noexec): give'),
    'no inode': ('nr_inodes=7', '{0}/new', 'the disk that holds {0}/new is full of files (it has no inode for another)'),
    'proc': ('ro', '/proc/kr', 'nothing can be written into /proc/kr: No such file or directory'),
}


@pytest.mark.parametrize('case', NOWHERE)
def test_folder_for_output_that_takes_nothing_is_told_in_one_sentence(tree, case):
    """With the cause and what helps; bash and mkdir said it with a line of a library."""
    options, build, said = NOWHERE[case]
    disk = tree.folder / 'disk'
    disk.mkdir()
    done = archives.run(tree.top / 'image/lib/ns-run', 'sh', '-euc',
                        'mount -t tmpfs none "$1"; mkdir "$1/old"; : >"$1/old/.keyroom-build"; mount -o "remount,$2" none "$1"\n'
                        'shift 2; exec "$@"', 'sh', disk, options, *tree.command(),
                        env=tree.environment(BUILD=build.format(disk)))
    assert done.returncode == 1 and said.format(disk) in done.stdout, done.stdout
    assert len(done.stdout.splitlines()) == 1 and 'BUILD=' in done.stdout, done.stdout


def test_full_of_files_is_full(tree):
    """A disk with room and no inode is named as a full one is, wherever the build stands."""
    done = archives.run(tree.top / 'image/lib/ns-run', 'sh', '-euc',
                        'mkdir -p "$1"; mount -t tmpfs -o nr_inodes=60 small "$1"; shift; exec "$@"', 'sh', tree.build,
                        *tree.command(), env=tree.environment())
    assert done.returncode == 1 and 'the sources cannot be copied' in done.stdout, done.stdout
    assert f'the disk that holds {tree.build} is full of files' in done.stdout, done.stdout


def test_full_disk_can_be_cleaned(tree):
    """The lock says whose it is, and that needs no room."""
    done = archives.run(tree.top / 'image/lib/ns-run', 'sh', '-euc',
                        'mkdir -p "$1"; mount -t tmpfs -o size=64k small "$1"; : >"$1/.keyroom-build"; : >"$1/lock"\n'
                        'cat /dev/zero >"$1/filler" 2>/dev/null || true; "$2"; ls "$1"', 'sh', tree.build,
                        tree.top / 'image/lib/clean', env=tree.environment())
    assert done.returncode == 0 and done.stdout == '', done.stdout


@pytest.mark.slow
def test_rebuilder_gets_the_same_whatever_happened_before(tree):
    """Interrupts, edits, fills the disk and spoils files at random, then builds and
    compares.  KEYROOM_TEST_SEED repeats a run, KEYROOM_TEST_ROUNDS lengthens it."""
    seed = os.environ.get('KEYROOM_TEST_SEED') or str(int.from_bytes(os.urandom(4), 'big'))
    rounds = os.environ.get('KEYROOM_TEST_ROUNDS', '8')
    print('seed', seed)
    done = archives.run(tree.top / 'image/lib/ns-run', 'sh', '-euc',
                        'mkdir "$1"; mount -t tmpfs -o size=64M small "$1"; exec "$2" "$3" "$1" "$4" "$5"', 'sh',
                        tree.folder / 'disk', sys.executable, os.path.join(os.path.dirname(__file__), 'havoc.py'),
                        seed, rounds, env=dict(os.environ, TMPDIR='/tmp'), timeout=600)
    print(done.stdout)
    assert done.returncode == 0 and f'rounds {rounds}' in done.stdout, done.stdout


def test_checkout_is_what_was_committed(tree, top, tmp_path):
    """Also for a user who has git turn the ends of lines, or filter."""
    repository = tmp_path / 'repository'
    repository.mkdir()
    shutil.copy(top / '.gitattributes', repository)
    (repository / 'script').write_bytes(b'#!/bin/sh\necho "$Id$"\n')
    (repository / 'page').write_bytes(b'one\r\ntwo\n')
    git = ['git', '-C', str(repository), '-c', 'user.name=x', '-c', 'user.email=x@example.invalid']
    for words in (['init', '-q'], ['-c', 'core.autocrlf=true', 'add', '-A'], ['commit', '-q', '-m', 'x']):
        subprocess.run([*git, *words], check=True)
    clone = tmp_path / 'clone'
    attributes = tmp_path / 'attributes'
    attributes.write_text('* text eol=crlf ident\n')
    subprocess.run(['git', '-c', 'core.autocrlf=true', '-c', 'core.eol=crlf', '-c', f'core.attributesFile={attributes}',
                    'clone', '-q', str(repository), str(clone)], check=True)
    for name in ('script', 'page'):
        assert (clone / name).read_bytes() == (repository / name).read_bytes()
    assert (clone / 'page').read_bytes() == b'one\r\ntwo\n'


def within(maps, *command):
    """Run as root of a user namespace with these maps."""
    with subprocess.Popen(['unshare', '--user', 'sh', '-c', 'echo ready; read -r _'], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b'ready\n'
        for name in ('uid_map', 'gid_map'):
            with open(f'/proc/{holder.pid}/{name}', 'w') as file:
                file.write(maps)
        done = archives.run('nsenter', f'--user=/proc/{holder.pid}/ns/user', '--setuid', '0', '--setgid', '0', *command)
        holder.stdin.close()
    return done


def test_namespace_in_the_namespace_of_an_ordinary_user(top):
    """There the ids come in two pieces, as in a container without root."""
    command = [top / 'image/lib/ns-run', 'cat', '/proc/self/uid_map']
    if os.getuid() == 0:
        done = within('0 0 1\n1 1 65535\n', *command)
    else:
        done = archives.run(command[0], *command)
    assert done.returncode == 0 and done.stdout.split() == '0 0 1 1 1 65535'.split(), done.stdout


def test_namespace_that_has_too_few_ids_is_told_in_one_sentence(top):
    done = archives.run('unshare', '--user', '--map-root-user', top / 'image/lib/ns-run', 'true')
    assert done.returncode == 1 and 'root here has not all ids from 0 to 65535' in done.stdout, done.stdout
    assert len(done.stdout.splitlines()) == 1, done.stdout


@pytest.mark.parametrize('ids, free', [('', 100000), ('a:100000:65536\nb:165536:65536\n', 231072),
                                       ('a:1000000:65536\n', 1065536), ('a:50000:10\n', 100000)])
def test_ids_that_are_recommended_are_nobodys(top, ids, free):
    """With a list of our own in place of /etc/subuid, as a user who is not on it."""
    import tempfile
    with tempfile.TemporaryDirectory(dir='/tmp') as folder:
        os.chmod(folder, 0o755)
        with open(f'{folder}/ids', 'w') as file:
            file.write(ids)
        script = (top / 'image/lib/ns-run').read_text().replace('/etc/subuid', f'{folder}/ids').replace(
            '/etc/subgid', f'{folder}/ids')
        with open(f'{folder}/ns-run', 'w') as file:
            file.write(script)
        become = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] if os.getuid() == 0 else []
        done = archives.run(*become, 'bash', f'{folder}/ns-run', 'true', env={'PATH': '/usr/sbin:/usr/bin:/sbin:/bin'})
    assert done.returncode == 1, done.stdout
    assert f'--add-subuids {free}-{free + 65535} --add-subgids {free}-{free + 65535} ' in done.stdout, done.stdout


def test_vendors_file_is_used_as_it_was_hashed(tree):
    """A copy is hashed and used: a change of the file meanwhile changes nothing, and
    a descriptor given by its path is read once, too."""
    vendor = tree.folder / 'driver.bin'
    vendor.write_bytes(b'module')
    descriptor = tree.folder / 'mine.conf'
    descriptor.write_text(
        'title: Mine\ndelivery: extension\nvendor: driver.bin ' + hashlib.sha256(b'module').hexdigest() +
        '\ntake: driver.bin /usr/lib/mine.so\nmodule: /usr/lib/mine.so\n')
    tree.script(tree.top / 'image/lib/make-extension', 'cat "$4" "$3" >"${!#}"')
    command = [str(tree.top / 'image/build'), '--extension', str(descriptor), '--vendor', str(vendor)]
    building = tree.start_until('make-extension', command=command)
    with open(vendor, 'r+b') as file:
        file.write(b'forged')
    with open(descriptor, 'r+b') as file:
        file.write(b'forged')
    status, said = tree.go_on('make-extension', building)
    assert status == 0, said
    made = next((tree.build / 'out').glob('keyroom-mine-*.raw')).read_bytes()
    assert made.startswith(b'module') and b'forged' not in made


def test_no_stage_makes_a_folder_in_the_builder(top):
    """Each place where one is bound is there before the builder is sealed; else the next
    build says that it was changed, and makes it anew."""
    scripts = [path for folder in ('stages', 'lib') for path in (top / 'image' / folder).iterdir()]
    bound = {name for path in scripts
             for name in re.findall(r'^root_bind \S+ "\$builder" ([\w-]+)', path.read_text(), re.M)}
    made = re.search(r'^mkdir -p "\$builder"/\{([\w,-]+)\}$', (top / 'image/stages/25-unpack').read_text(), re.M).group(1)
    assert len(bound) > 5 and bound <= set(made.split(','))
