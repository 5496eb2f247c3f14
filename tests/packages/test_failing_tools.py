# SPDX-License-Identifier: ISC
"""Shows that a check, a record or a step whose own tool fails does not pass for
that: what a full disk, a missing program or a broken one leaves half done would
otherwise be published."""
import hashlib
import os

import pytest

import archives


@pytest.fixture
def root(tmp_path):
    """A few files of a disc's root."""
    made = tmp_path / 'root'
    for name, content in (('etc/shadow', 'root:*:1:0:99999:7:::\n'), ('usr/share/doc/one/copyright', 'License: ISC\n'),
                          ('usr/lib/a\\name', 'x')):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(content)
    for folder in ('usr/lib/cups/backend', 'usr/sbin'):
        (made / folder).mkdir(parents=True)
    return made


@pytest.fixture
def kernel(tmp_path):
    """What hooks/16 takes from the packages that are unpacked."""
    made = tmp_path / 'unpack'
    for name in ('lib/cups/backend-available/usb', 'lib/cups/backend-available/socket', 'lib/cups/backend-available/lpd',
                 'share/cups/usb/org.cups.usb-quirks', 'sbin/ipp-usb', 'share/ipp-usb/quirks/x', 'share/doc/cups/copyright',
                 'share/doc/ipp-usb/copyright'):
        (made / 'usr' / name).parent.mkdir(parents=True, exist_ok=True)
        (made / 'usr' / name).touch()
    return made


def broken(folder, name, body):
    """A PATH on which this program is the one given."""
    (folder / 'bin').mkdir(exist_ok=True)
    (folder / 'bin' / name).write_text(f'#!/bin/sh\n{body}\n')
    (folder / 'bin' / name).chmod(0o755)
    return f'{folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin'


def run(*command, path='/usr/sbin:/usr/bin:/sbin:/bin', **more):
    return archives.run(*command, env={'PATH': path, 'SOURCE_DATE_EPOCH': '86400', **{k: str(v) for k, v in more.items()}})


@pytest.mark.parametrize('tool', ['sha256sum', 'find', 'sort', 'xargs', 'tr'])
def test_manifest_is_whole_or_fails(top, root, tmp_path, tool):
    done = run('sh', top / 'image/lib/manifest', root)
    digest = hashlib.sha256(b'x').hexdigest()
    assert done.returncode == 0 and f' 1 {digest} /usr/lib/a\\name\n' in done.stdout, done.stdout
    done = run('sh', top / 'image/lib/manifest', root, path=broken(tmp_path, tool, 'exit 1'))
    assert done.returncode != 0, done.stdout


def test_manifest_has_a_hash_of_every_file(top, root, tmp_path):
    """Also where the program that makes them says that all is well."""
    done = run('sh', top / 'image/lib/manifest', root, path=broken(tmp_path, 'sha256sum', 'exit 0'))
    assert done.returncode != 0 and 'manifest: no hash of /' in done.stdout, done.stdout


@pytest.mark.parametrize('tool', ['awk', 'sort'])
def test_licences_are_whole_or_fail(top, root, tmp_path, tool):
    done = run('sh', top / 'image/lib/licences', root)
    assert done.returncode == 0 and done.stdout.startswith('P\tone\t'), done.stdout
    done = run('sh', top / 'image/lib/licences', root, path=broken(tmp_path, tool, 'exit 1'))
    assert done.returncode != 0, done.stdout


def test_licence_that_cannot_be_read_is_an_error(top, root):
    path = root / 'usr/share/doc/one/copyright'
    path.chmod(0)
    powers = ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] if os.getuid() == 0 else []
    done = run(*powers, 'sh', top / 'image/lib/licences', root)
    assert done.returncode != 0 and f'licences: cannot read {path}' in done.stdout, done.stdout


@pytest.mark.parametrize('ldd, status, said', [
    ('exit 0', 0, ''),
    ('echo "libx.so.1 => not found"', 1, 'usb: libx.so.1 => not found'),
    ('echo "chroot: failed to run command ldd" >&2; exit 127', 1, 'usb: chroot: failed to run command ldd'),
])
def test_printing_is_not_looked_at_without_ldd(top, root, kernel, tmp_path, ldd, status, said):
    done = run('sh', top / 'hooks/16-add-printing.sh', ROOT=root, KERNEL=kernel, path=broken(tmp_path, 'chroot', ldd))
    assert done.returncode == status and said in done.stdout, done.stdout


def test_accounts_are_not_looked_at_without_awk(top, root, tmp_path):
    hook = top / 'hooks/22-configure-accounts.sh'
    assert run('sh', hook, ROOT=root).returncode == 0
    awk = 'case "$*" in *print*) exec /usr/bin/awk "$@" ;; esac; exit 2'
    assert run('sh', hook, ROOT=root, path=broken(tmp_path, 'awk', awk)).returncode != 0


def test_package_that_does_not_reach_the_store_is_not_done(top, tmp_path):
    content = b'package'
    digest = hashlib.sha256(content).hexdigest()
    for name in ('store', 'work', 'mirror/pool'):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / 'mirror/pool/one.deb').write_bytes(content)
    (tmp_path / 'work/sources').write_text(f'{tmp_path}/mirror\n')
    command = [top / 'packages/lib/fetch-one', tmp_path / 'store', tmp_path / 'work', f'one 1.0 {digest} 7 pool/one.deb']
    done = run(*command, path=broken(tmp_path, 'mv', 'exit 1'))
    assert done.returncode == 255 and f'cannot write into {tmp_path}/store' in done.stdout, done.stdout
    assert not (tmp_path / 'work/done').exists() and not list((tmp_path / 'store').iterdir())
    assert run(*command).returncode == 0 and (tmp_path / 'work/done').read_text() == 'one\n'
