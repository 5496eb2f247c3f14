# SPDX-License-Identifier: ISC
"""A driver that may not be published is built by its operator, as an extension:
only of the file whose hash the descriptor has, always the same bytes, with the
module where the descriptor says.  Where the file is missing or another, the
error names the file and the hash that are wanted."""
import hashlib
import re
import shutil
import subprocess

import pytest

import vendor
from onebuild import make

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def archive(disc, tmp_path_factory):
    return vendor.make_file(tmp_path_factory.mktemp('vendor'))


def refused(descriptor, *variables):
    done = vendor.make_extension(descriptor, *variables)
    assert done.returncode != 0, done.stdout
    return done.stdout


def test_without_the_file_its_name_and_hash_are_wanted(archive, tmp_path):
    descriptor = vendor.fill_in(tmp_path, archive)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    out = refused(descriptor)
    assert vendor.NAME in out and digest in out and 'packages/vendor' in out
    assert vendor.NAME in refused('keyper')
    assert vendor.NAME in refused('keyper', f'VENDOR={tmp_path}/absent')


def test_a_recipe_without_a_hash_says_what_the_file_has(archive):
    out = refused('keyper', f'VENDOR={archive}')
    assert hashlib.sha256(archive.read_bytes()).hexdigest() in out and 'has no hash' in out


def test_another_file_is_refused(archive, tmp_path):
    descriptor = vendor.fill_in(tmp_path, archive)
    other = tmp_path / vendor.NAME
    other.write_bytes(archive.read_bytes() + b'\0')
    out = refused(descriptor, f'VENDOR={other}')
    assert hashlib.sha256(other.read_bytes()).hexdigest() in out
    assert hashlib.sha256(archive.read_bytes()).hexdigest() in out
    other.rename(tmp_path / 'odd.tar.gz')
    assert f'this is odd.tar.gz' in refused(descriptor, f'VENDOR={tmp_path}/odd.tar.gz')


@pytest.mark.parametrize('old, new, words', [
    ('take: PKCS11Provider/engine.so', 'take: PKCS11Provider/absent.so', 'holds no PKCS11Provider/absent.so'),
    ('module: /opt/Keyper/PKCS11Provider/pkcs11.so', 'module: /opt/Keyper/other.so', 'nothing puts the module'),
    ('title: ', 'tilte: ', 'no such key: tilte'),
    ('delivery: extension', 'delivery: disc', 'no software token'),
])
def test_a_wrong_descriptor_is_refused(archive, tmp_path, old, new, words):
    descriptor = vendor.fill_in(tmp_path, archive)
    text = descriptor.read_text()
    assert old in text
    descriptor.write_text(text.replace(old, new))
    assert words in refused(descriptor, f'VENDOR={archive}')


def test_what_is_no_module_is_refused(archive, tmp_path):
    (tmp_path / 'in/PKCS11Provider').mkdir(parents=True)
    for name in ('pkcs11.so', 'engine.so'):
        shutil.copy('/bin/true', tmp_path / 'in/PKCS11Provider' / name)
    odd = tmp_path / vendor.NAME
    subprocess.run(['tar', '-C', tmp_path / 'in', '-czf', odd, 'PKCS11Provider'], check=True)
    assert 'no C_GetFunctionList' in refused(vendor.fill_in(tmp_path, odd), f'VENDOR={odd}')


@pytest.mark.parametrize('name, words', [('opensc', 'on the disc already'), ('absent', 'no driver absent')])
def test_what_is_no_extension(disc, name, words):
    assert words in refused(name)


def test_the_same_file_gives_the_same_bytes(archive, build, tmp_path):
    """Twice, the second time of an archive unpacked under another umask."""
    descriptor = vendor.fill_in(tmp_path, archive)
    made = []
    for umask in ('022', '077'):
        for layer in (build / 'layers').glob('extension.keyper-*.done'):
            layer.unlink()
        done = subprocess.run(['sh', '-c', f'umask {umask}; exec "$@"', 'sh', 'make', '-s', 'extension',
                               f'DRIVER={descriptor}', f'VENDOR={archive}'], cwd=vendor.TOP, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
        path = re.search(r'build: (\S+/keyroom-keyper-\S+\.raw)', done.stdout).group(1)
        with open(path, 'rb') as file:
            made.append(hashlib.file_digest(file, 'sha256').hexdigest())
        assert made[-1] in done.stdout and 'PGP Words:' in done.stdout
    assert made[0] == made[1]
    listed = subprocess.run(['unsquashfs', '-ll', '-no-progress', path], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    assert re.search(rf'-rw[x-]r-[x-]r-[x-] root/root .*{vendor.MODULE}$', listed, re.M)
    assert 'extension-release.keyroom-keyper' in listed
    assert not re.search(r'^\S{10} (?!root/root)\S+/\S+ ', listed, re.M)


def test_the_disc_does_not_change_with_a_vendors_file(disc, top, build):
    """What lies in packages/vendor is no input of the disc."""
    before = (build / 'out' / f'{disc["NAME"]}.buildinfo').read_text()
    note = top / 'packages/vendor/note'
    note.write_text('not for the disc\n')
    try:
        make(build, 'iso', 'PROFILE=console')
        assert (build / 'out' / f'{disc["NAME"]}.buildinfo').read_text() == before
    finally:
        note.unlink()
