# SPDX-License-Identifier: ISC
"""A whole-file hash says that a disc was changed, and nothing else.  verify-release
must say where, from what was published alone: twelve tamperings and their
neighbours, each named.  The disc is a small one with all the parts of the real one."""
import os
import re
import shutil
import subprocess

import pytest

import tinydisc
from statements import REPRODUCIBLE, TOP, digest_of, hostile, on_small_disk, run, without
from tinydisc import NAME, Disc, call

pytestmark = pytest.mark.skipif(bool(tinydisc.missing()), reason=f'missing: {tinydisc.missing()}')
ROOT = '/live/root.squashfs'


@pytest.fixture(scope='module')
def disc(tmp_path_factory):
    return Disc(tmp_path_factory.mktemp('disc')).make()


@pytest.fixture(scope='module')
def signer(tmp_path_factory, disc):
    """Somebody who signs the release, and the file that says so."""
    folder = tmp_path_factory.mktemp('signer')
    call('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', folder / 'key')
    public = (folder / 'key.pub').read_text().strip()
    (folder / 'allowed').write_text(f'manager@example.org namespaces="keyroom-release" {public}\n')
    call('ssh-keygen', '-Y', 'sign', '-f', folder / 'key', '-n', 'keyroom-release', disc.folder / 'SHA256SUMS')
    (disc.folder / 'SHA256SUMS.sig').rename(disc.folder / 'SHA256SUMS.manager.sig')
    return folder


def verify(iso, disc, signer, *more, **options):
    done = run(REPRODUCIBLE / 'verify-release', '--records', disc.folder, '--name', f'{NAME}.iso',
               '--signers', signer / 'allowed', *more, iso, **options)
    named = [tuple(re.split(r':\s', line[12:], maxsplit=1)) for line in done.stdout.splitlines()
             if line.startswith('DIFFERS')]
    return done, named


def test_the_release_is_the_release(disc, signer):
    done, named = verify(disc.iso, disc, signer, '--all')
    assert done.returncode == 0 and not named, done
    assert done.stdout.endswith(f'Result:     this is {NAME}\n')
    for said in ('SHA256SUMS is signed by manager@example.org', 'every file and every range',
                 "the root's hash tree, up to its root hash", 'every file of the root'):
        assert f'good        {said}' in done.stdout, said


def flip(copy, offset):
    with open(copy, 'r+b') as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 0x20]))


def change_text(copy, disc, name, old, new):
    assert len(old) == len(new)
    offset, size = disc.place(name)
    with open(copy, 'r+b') as file:
        file.seek(offset)
        text = file.read(size)
        assert old in text
        file.seek(offset)
        file.write(text.replace(old, new))


def middle(disc, name):
    offset, size = disc.place(name)
    return offset + size // 2


def add_file(copy, disc):
    made = copy.with_suffix('.new')
    (copy.parent / 'more').write_text('more')
    call('xorriso', '-indev', copy, '-outdev', made, '-boot_image', 'any', 'replay',
         '-map', copy.parent / 'more', '/live/more')
    made.rename(copy)


def append(copy, data):
    with open(copy, 'ab') as file:
        file.write(data)


TAMPERINGS = {
    'kernel command line': (lambda c, d: change_text(c, d, '/boot/grub/grub.cfg', b'lockdown=confidentiality',
                                                     b'lockdown=none           '), 'kernel command line'),
    'menu': (lambda c, d: change_text(c, d, '/boot/grub/grub.cfg', b'set timeout=10', b'set timeout=99'), 'menu'),
    'EFI image': (lambda c, d: flip(c, middle(d, '/boot/efi.img')), 'EFI image'),
    'El Torito image': (lambda c, d: flip(c, middle(d, '/boot/grub/bios.img')), 'El Torito image'),
    'initrd': (lambda c, d: flip(c, middle(d, '/live/initrd')), 'initrd'),
    'kernel': (lambda c, d: flip(c, middle(d, '/live/vmlinuz')), 'kernel'),
    'one byte of the root': (lambda c, d: flip(c, middle(d, f'{ROOT}: squashfs')), 'root'),
    'verity tree': (lambda c, d: flip(c, d.place(f'{ROOT}: hash tree')[0] + 5), 'verity tree'),
    'parity': (lambda c, d: flip(c, middle(d, f'{ROOT}: parity')), 'parity'),
    'volume id': (lambda c, d: flip(c, 32768 + 40), 'volume id'),
    'added file': (add_file, 'added file'),
    'appended data': (lambda c, d: append(c, b'more' * 5000), 'appended data'),
    # Their neighbours.
    'font': (lambda c, d: flip(c, middle(d, '/boot/grub/menu.pf2')), 'font of the menu'),
    'MBR code': (lambda c, d: flip(c, 100), 'range'),
    'MBR table': (lambda c, d: flip(c, 450), 'range'),
    'GPT header': (lambda c, d: flip(c, 512 + 60), 'range'),
    'GPT entries': (lambda c, d: flip(c, 1024 + 60), 'range'),
    'boot catalog': (lambda c, d: flip(c, d.place('/boot.catalog')[0] + 40), 'El Torito catalog'),
    'boot record': (lambda c, d: flip(c, 17 * 2048 + 200), 'El Torito catalog'),
    'a gap': (lambda c, d: flip(c, d.place('/live/initrd')[0] + d.place('/live/initrd')[1] + 3), 'range'),
    'the last byte': (lambda c, d: flip(c, os.path.getsize(c) - 1), 'range'),
    'a file renamed': (lambda c, d: change_text(c, d, 'directory /live', b'vmlinuz', b'vmlinux'), 'removed file'),
    'owner of a file': (lambda c, d: flip(c, d.place('directory /live')[0] + 250), 'directory'),
    'publisher': (lambda c, d: flip(c, 32768 + 318), 'descriptor'),
    'cut short': (lambda c, d: os.truncate(c, os.path.getsize(c) - 100_000), 'layout'),
    'a second session': (lambda c, d: append(c, b'\0' * 65536 + open(c, 'rb').read()[32768:40960]), 'appended data'),
}


@pytest.mark.parametrize('name', TAMPERINGS)
def test_a_tampering_is_named(disc, signer, tmp_path, name):
    tamper, part = TAMPERINGS[name]
    copy = tmp_path / 'copy.iso'
    shutil.copy(disc.iso, copy)
    tamper(copy, disc)
    done, named = verify(copy, disc, signer)
    assert done.returncode == 1 and done.stdout.endswith('Result:     NOT the release\n'), done
    parts = [one[0] for one in named if one[0] != 'ISO']
    assert parts and parts[0] == part, named
    # Nothing else is accused: what is named besides belongs to the same part.  (A
    # file that is added moves the others, and GRUB's image holds where it lies.)
    if name == 'added file':
        return
    allowed = {part, 'size', 'range', 'file of the root', 'kernel command line', 'layout', 'added file', 'removed file'}
    if name in ('one byte of the root', 'verity tree'):
        allowed |= {'root'}
    assert set(parts) <= allowed, named


def resize(copy, blocks):
    """The size in the volume descriptor, in both byte orders."""
    with open(copy, 'r+b') as file:
        file.seek(32768 + 80)
        size = int.from_bytes(file.read(4), 'little') + blocks
        file.seek(32768 + 80)
        file.write(size.to_bytes(4, 'little') + size.to_bytes(4, 'big'))


@pytest.mark.parametrize('blocks,also', [
    (-1, ['boot catalog']), (-1, ['boot record']), (-1, ['MBR table', 'GPT entries', 'GPT header']), (20, ['appended data'])])
def test_two_tamperings_do_not_hide_each_other(disc, signer, tmp_path, blocks, also):
    """One field of the volume descriptor made everything that boots a consequence of
    it, so that the size alone was named."""
    copy = tmp_path / 'copy.iso'
    shutil.copy(disc.iso, copy)
    for name in also:
        TAMPERINGS[name][0](copy, disc)
    if blocks > 0:
        os.truncate(copy, disc.iso.stat().st_size + blocks * 2048)
    resize(copy, blocks)
    done, named = verify(copy, disc, signer)
    assert done.returncode == 1 and 'size' in [part for part, _ in named], done
    words = ' '.join(f'{part}: {words};' for part, words in named)
    for name in also:
        shown = {'MBR table': 'range: MBR partition table at', 'GPT entries': 'range: GPT entries at', 'GPT header': 'range: GPT header at',
                 'appended data': 'appended data: 40960 bytes at the end'}.get(name, f'El Torito catalog: {name} at')
        assert shown in words, named


def test_the_callers_environment_changes_no_verdict(disc, signer, tmp_path):
    copy = tmp_path / 'copy.iso'
    shutil.copy(disc.iso, copy)
    flip(copy, middle(disc, '/live/initrd'))
    env = hostile(tmp_path / 'hostile')
    for iso, expected in ((disc.iso, 0), (copy, 1)):
        plain, _ = verify(iso, disc, signer, '--all')
        done, _ = verify(iso, disc, signer, '--all', env=env)
        assert (done.returncode, done.stdout, done.stderr) == (expected, plain.stdout, ''), done


@pytest.mark.slow
def test_no_room_is_no_verdict(disc, signer, tmp_path):
    """1 is "not the release", said of a good disc where /tmp was full."""
    argv = [REPRODUCIBLE / 'verify-release', '--records', disc.folder, '--signers', signer / 'allowed', '--all', disc.iso]
    ended = []
    for size in (4, 12, 40, 64, 100, 150, 300, 500, 700, 900, 1000, 1100, 1200, 1400, 1600, 8000):
        done = on_small_disk(tmp_path / 'small', f'{size}k', *argv)
        ended.append(done.returncode)
        assert done.returncode in (0, 3) and 'DIFFERS' not in done.stdout, (size, done)
        assert done.returncode == 0 or done.stderr and 'Result:' not in done.stdout, (size, done)
    assert ended[0] == 3 and ended[-1] == 0, ended
    done = run(*argv, env={'PATH': '/usr/bin:/bin', 'TMPDIR': '/nonexistent'})
    assert done.returncode == 3 and '/nonexistent: no folder for temporary files' in done.stderr and not done.stdout, done


def test_a_disc_that_cannot_be_read_is_not_judged(disc, signer, tmp_path):
    """A stick that gives errors: neither is it the release nor is it another one."""
    tools = tmp_path / 'tools'
    tools.mkdir()
    for name in ('sha256sum', 'dd', 'od'):
        (tools / name).write_text(f'#!/bin/sh\necho "{name}: read error: Input/output error" >&2\nexit 1\n')
        (tools / name).chmod(0o755)
        done, _ = verify(disc.iso, disc, signer, env={'PATH': f'{tools}:/usr/sbin:/usr/bin:/sbin:/bin'})
        assert done.returncode == 3 and 'DIFFERS' not in done.stdout and 'Result:' not in done.stdout, (name, done)
        (tools / name).unlink()


def test_two_roots_of_one_name(disc, signer, tmp_path):
    """Two records of one name in a directory: the end came without a result."""
    other = Disc(tmp_path / 'other').make_root().make_boot()
    (other.live / 'r00t.squashfs').write_bytes(b'another root' * 500)
    other.make_iso()
    data = other.iso.read_bytes()
    assert data.count(b'r00t.squashfs') == 1
    other.iso.write_bytes(data.replace(b'r00t.squashfs', b'root.squashfs'))
    done, named = verify(other.iso, disc, signer, '--all')
    assert done.returncode == 1 and done.stdout.endswith('Result:     NOT the release\n'), done
    assert ('root', '/live/root.squashfs is there more than once') in named, named


def test_the_file_in_the_root_is_named(disc, signer, tmp_path):
    """Where the squashfs still unpacks, it is known which file."""
    other = Disc(tmp_path / 'other')
    (other.root / 'etc/release').write_text('Keyroom 9.9.8\n')
    (other.root / 'usr/bin/tool').chmod(0o4755)
    (other.root / 'usr/bin/more').write_text('')
    os.unlink(other.root / 'etc/list')
    other.make()
    done, named = verify(other.iso, disc, signer)
    files = {words for part, words in named if part == 'file of the root'}
    assert done.returncode == 1
    assert {'/etc/release: other contents', '/usr/bin/tool: mode 755 became 4755', '/usr/bin/more: added',
            '/etc/list: removed'} <= files, named


def test_a_root_that_is_consistent_in_itself_is_not_believed(disc, signer, tmp_path):
    """Root, hash tree and command line all exchanged: the record's root hash decides."""
    other = Disc(tmp_path / 'other')
    (other.root / 'etc/release').write_text('Keyroom 9.9.8\n')
    other.make()
    done, named = verify(other.iso, disc, signer)
    assert ('root', 'does not fit its root hash') in [(part, words[:26]) for part, words in named], named
    assert 'kernel command line' in [part for part, _ in named]


def test_a_record_that_was_changed_is_named(disc, signer, tmp_path):
    copy = tmp_path / 'records'
    shutil.copytree(disc.folder, copy, symlinks=True)
    with open(copy / f'{NAME}.manifest', 'a') as file:
        file.write('f 755 0 0 1 ' + '0' * 64 + ' /usr/bin/more\n')
    done = run(REPRODUCIBLE / 'verify-release', '--signers', signer / 'allowed', copy / f'{NAME}.iso')
    assert done.returncode == 1 and f'DIFFERS     record: {NAME}.manifest' in done.stdout


def test_who_signs_is_said_and_others_do_not_count(disc, signer, tmp_path):
    def outcome(*more, sums=None):
        folder = tmp_path / f'{len(list(tmp_path.iterdir()))}'
        shutil.copytree(disc.folder, folder, symlinks=True)
        if sums:
            sums(folder)
        return run(REPRODUCIBLE / 'verify-release', *more, folder / f'{NAME}.iso')

    allowed = ['--signers', signer / 'allowed']
    assert outcome(*allowed).returncode == 0
    assert outcome().returncode == 2
    done = outcome('--unsigned')
    assert done.returncode == 0 and 'UNSIGNED' in done.stdout

    def drop(folder):
        (folder / 'SHA256SUMS.manager.sig').unlink()

    def change(folder):
        with open(folder / 'SHA256SUMS', 'a') as file:
            file.write('0' * 64 + '  more\n')

    def namespace(folder):
        drop(folder)
        call('ssh-keygen', '-Y', 'sign', '-f', signer / 'key', '-n', 'file', folder / 'SHA256SUMS')
        (folder / 'SHA256SUMS.sig').rename(folder / 'SHA256SUMS.manager.sig')

    def stranger(folder):
        drop(folder)
        call('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', folder.parent / f'{folder.name}-key')
        call('ssh-keygen', '-Y', 'sign', '-f', folder.parent / f'{folder.name}-key', '-n', 'keyroom-release',
             folder / 'SHA256SUMS')
        (folder / 'SHA256SUMS.sig').rename(folder / 'SHA256SUMS.manager.sig')

    for sums in (drop, change, namespace, stranger):
        done = outcome(*allowed, sums=sums)
        assert done.returncode == 3 and 'no signature that counts' in done.stderr, (sums, done)
    public = (signer / 'key.pub').read_text().strip()
    (tmp_path / 'expired').write_text(f'manager@example.org valid-before="20250101" {public}\n')
    assert outcome('--signers', tmp_path / 'expired').returncode == 3
    assert outcome('--signers', tmp_path / 'expired', '--at', '20241231000000Z').returncode == 0


@pytest.mark.parametrize('make', [os.mkfifo, os.mkdir, lambda path: os.symlink('/dev/zero', path)])
@pytest.mark.parametrize('name', ['SHA256SUMS.other.sig', 'SHA256WORDS', 'SHA256WORDS.other.sig', f'{NAME}.manifest'])
def test_what_is_no_file_beside_the_iso_is_waited_for_by_nobody(disc, signer, tmp_path, name, make):
    """A pipe among the records held it up for ever, and a folder was "no room"."""
    folder = tmp_path / 'records'
    shutil.copytree(disc.folder, folder)
    if 'WORDS.' in name:
        (folder / 'SHA256WORDS').write_text('x')
    (folder / name).unlink(missing_ok=True)
    make(folder / name)
    done = run('timeout', '60', REPRODUCIBLE / 'verify-release', '--signers', signer / 'allowed', '--records', folder, disc.iso)
    assert 'no room' not in done.stderr, done
    if name == 'SHA256WORDS':
        assert done.returncode == 3 and 'SHA256WORDS: is no file that can be read' in done.stderr, done
    else:
        said = {'SHA256WORDS.other.sig': 'SHA256WORDS: nobody signed it', f'{NAME}.manifest': f'{NAME}.manifest: not published'}
        assert done.returncode == 0 and f'not checked {said.get(name, name + ": is no file")}' in done.stdout, done


def test_a_name_twice_and_a_bill_of_another_disc(disc, signer, tmp_path):
    """The first of two lines was believed; the bill of materials was not looked at."""
    folder = tmp_path / 'records'
    shutil.copytree(disc.folder, folder)
    argv = (REPRODUCIBLE / 'verify-release', '--unsigned', '--records', folder, disc.iso)
    sums = (folder / 'SHA256SUMS').read_text()
    (folder / 'SHA256SUMS').write_text(sums + f'{"0" * 64}  {NAME}.iso\n')
    done = run(*argv)
    assert done.returncode == 3 and f'lists {NAME}.iso twice' in done.stderr, done
    (folder / f'{NAME}.spdx.json').write_text('{}')
    (folder / 'SHA256SUMS').write_text(sums + f'{digest_of("{}")}  {NAME}.spdx.json\n')
    assert run(*argv).returncode == 0
    (folder / f'{NAME}.spdx.json').write_text('{"packages": []}')
    done = run(*argv)
    assert done.returncode == 1 and f'DIFFERS     record: {NAME}.spdx.json is not the published one' in done.stdout, done


def test_without_ssh_keygen_it_is_said(disc, signer, tmp_path):
    """"No signature that counts" was the answer where no signature was looked at."""
    path = without(tmp_path, 'ssh-keygen')
    done, _ = verify(disc.iso, disc, signer, env={'PATH': str(path)})
    assert done.returncode == 3 and 'ssh-keygen is missing on this machine' in done.stderr and not done.stdout, done
    done = run(REPRODUCIBLE / 'verify-release', '--unsigned', '--records', disc.folder, '--name', f'{NAME}.iso', disc.iso,
               env={'PATH': str(path)})
    assert done.returncode == 0, done


def test_the_words_are_signed_too(disc, signer, tmp_path):
    """They are read aloud in place of the file that is signed."""
    folder = tmp_path / 'records'
    shutil.copytree(disc.folder, folder)
    argv = [REPRODUCIBLE / 'verify-release', '--records', folder, '--signers', signer / 'allowed', '--name', f'{NAME}.iso', disc.iso]
    words = folder / 'SHA256WORDS'
    spoken = TOP / 'build/host/bin/sha2wordlist'

    def sign(text):
        words.write_text(text)
        call('ssh-keygen', '-Y', 'sign', '-f', signer / 'key', '-n', 'keyroom-release', words)
        (folder / 'SHA256WORDS.sig').rename(folder / 'SHA256WORDS.manager.sig')
        return run(*argv)

    def lines(name):                                        # as release writes them
        said = subprocess.run([spoken], stdin=open(folder / name, 'rb'), stdout=subprocess.PIPE, text=True, check=True).stdout
        return name + '\n' + ''.join(f'  {line}\n' for line in said.splitlines()) + '\n'
    names = [line[66:] for line in (folder / 'SHA256SUMS').read_text().splitlines()]
    whole = ''.join(lines(name) for name in names)
    words.write_text(whole)
    done = run(*argv)
    assert done.returncode == 0 and 'not checked SHA256WORDS: nobody signed it' in done.stdout, done
    done = sign(whole)
    assert done.returncode == 0 and 'good        SHA256WORDS is signed by manager@example.org, and has the hashes' in done.stdout, done
    words.write_text(whole + '\n')
    done = run(*argv)
    assert done.returncode == 1 and 'DIFFERS     words: SHA256WORDS has no signature that counts' in done.stdout, done
    # The same signer signed other releases, too.
    (folder / names[0]).write_text('of another release')
    other = lines(names[0])
    first = lines(names[1])
    for text, said in (
            (whole.replace('9.9.9', '9.9.8'), 'which SHA256SUMS does not'),
            (''.join(lines(name) for name in names), f'of {names[0]} SHA256WORDS has another hash'),
            (whole.replace(first.splitlines()[2], other.splitlines()[2]), f'the words of {names[1]} are not those of its hash'),
            (whole.replace(first, ''), f'does not name {names[1]}'), (whole + first, f'names {names[1]} twice'),
            ('the words\n', 'names the words'), ('', f'does not name {names[0]}')):
        done = sign(text)
        assert done.returncode == 1 and f'{said}' in done.stdout and 'good        SHA256WORDS' not in done.stdout, (said, done)


def test_a_time_that_is_none(disc, signer):
    """"No signature that counts" was the answer to --at tomorrow."""
    done, _ = verify(disc.iso, disc, signer, '--at', 'tomorrow')
    assert done.returncode == 2 and '--at is "tomorrow", which is no time' in done.stderr and not done.stdout, done


def test_what_is_no_disc_is_bad_input(disc, signer, tmp_path):
    done = run(REPRODUCIBLE / 'verify-release', '--unsigned', tmp_path / 'none.iso')
    assert done.returncode == 3
    (tmp_path / 'x.iso').write_bytes(bytes(100_000))
    done, named = verify(tmp_path / 'x.iso', disc, signer)
    assert done.returncode == 1 and ('layout', ) == tuple(one[0] for one in named if one[0] != 'ISO')[:1]
    assert run(REPRODUCIBLE / 'verify-release', '--unsigned', '--records', disc.folder, tmp_path / 'x.iso').returncode == 3


def test_the_layout_leaves_no_byte_out(disc):
    """Every byte is in a file or a range; the reader is judged by xorriso."""
    at = 0
    for line in (disc.folder / f'{NAME}.layout').read_text().splitlines():
        kind, *rest = line.split(' ', 4)
        if kind in ('file', 'range'):
            offset, size = int(rest[0]), int(rest[1])
            assert offset <= at
            at = max(at, offset + size)
    assert at == disc.iso.stat().st_size
    listed = call('xorriso', '-indev', disc.iso, '-find', '/', '-type', 'f', '-exec', 'report_lba')
    seen = {path: (int(lba) * 2048, int(size)) for lba, size, path in
            re.findall(r"lba: +0 , +(\d+) , +\d+ , +(\d+) , '(.*)'", listed)}
    assert len(seen) == 7
    for path, (offset, size) in seen.items():
        assert disc.place(path) == (offset, size), path


@pytest.mark.slow
@pytest.mark.parametrize('offset', [0x8000 + 158, 0x8000 + 166, 0x8000 + 140, 17 * 2048 + 71, 512 + 72, 512 + 80])
@pytest.mark.parametrize('value', [b'\xff\xff\xff\xff', b'\0\0\0\0', b'\x10\0\0\0'])
def test_a_hostile_layout_ends(disc, tmp_path, offset, value):
    """Tables that point anywhere: a message or a record, never a hang."""
    copy = tmp_path / 'copy.iso'
    shutil.copy(disc.iso, copy)
    with open(copy, 'r+b') as file:
        file.seek(offset)
        file.write(value)
    done = subprocess.run([TOP / 'image/lib/layout', copy], capture_output=True, timeout=60, check=False)
    assert done.returncode in (0, 3), done
    assert done.returncode == 0 or b'layout: ' in done.stderr
