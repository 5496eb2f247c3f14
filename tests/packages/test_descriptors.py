# SPDX-License-Identifier: ISC
"""Shows that a driver is on the disc, in the lock or in an extension whole, or
nothing is made: a fault in one descriptor takes no other driver away, and an
extension has every package that its descriptor names.  Else an HSM is found
missing on the day of the ceremony."""
import hashlib
import lzma
import re

import pytest

import archives
import standins
from archives import keys  # noqa: F401 (a fixture)

FAULTY = 'title: A fault\ndelivery: disc\npackage: no-reason\nmodule: /usr/lib/a.so\n'


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return standins.Tree(tmp_path_factory.mktemp('model'))


@pytest.fixture
def tree(tmp_path, model):
    return standins.Tree(tmp_path, model=model)


def descriptor(tree, name, text):
    path = tree.top / f'packages/drivers/{name}.conf'
    path.write_text(text)
    return path


@pytest.mark.parametrize('name', ['aaa', 'zzz'])
def test_a_faulty_descriptor_stops_the_disc_and_the_lock(tree, name):
    """Before anything is made of the others: first or last, those behind it were left
    out, or all."""
    descriptor(tree, name, FAULTY)
    for done in (tree.run(), archives.run(tree.top / 'packages/lock', 'made.lock', cwd=tree.folder,
                                          env=tree.environment(MIRROR=''))):
        assert done.returncode == 1, done.stdout
        assert f'{name}.conf:3: package: not understood' in done.stdout, done.stdout
        assert 'a descriptor in packages/drivers is at fault' in done.stdout, done.stdout
    assert not (tree.pause / 'reached.20-root').exists() and not list((tree.build / 'out').iterdir())


def names_of_the_disc(tree, function):
    return archives.run('bash', '-euc', f'set -o pipefail; . "$1"; list=$({function}); echo "whole: $list"', 'bash',
                        tree.top / 'image/lib/common.sh', env=tree.environment())


@pytest.mark.parametrize('function', ['drivers disc', 'drivers extension', 'disc_names'])
def test_what_lists_the_drivers_lists_all_or_fails(tree, function):
    done = names_of_the_disc(tree, function)
    assert done.returncode == 0 and 'whole: ' in done.stdout, done.stdout
    descriptor(tree, 'aaa', FAULTY)
    done = names_of_the_disc(tree, function)
    assert done.returncode == 1 and 'whole: ' not in done.stdout, done.stdout


def test_a_disc_without_drivers_has_the_packages_of_its_list(tree):
    for path in (tree.top / 'packages/drivers').glob('*.conf'):
        if 'delivery: disc' in path.read_text():
            path.unlink()
    done = names_of_the_disc(tree, 'disc_names')
    assert done.returncode == 0 and 'opensc' not in done.stdout, done.stdout


def test_a_faulty_descriptor_stops_the_hook(top, tree):
    """It registers what is on the disc, and passed over what it could not read."""
    root = tree.folder / 'root'
    module = root / 'usr/lib/softhsm/libsofthsm2.so'
    module.parent.mkdir(parents=True)
    module.touch()
    for path in (tree.top / 'packages/drivers').glob('*.conf'):
        path.unlink()
    path = descriptor(tree, 'mine', (top / 'packages/drivers/softhsm.conf').read_text().replace('extension', 'disc').replace(
        'rehearsal: ', '# '))
    environment = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'ROOT': str(root), 'SRC': str(tree.top)}
    hook = top / 'hooks/14-install-drivers.sh'
    done = archives.run('sh', hook, env=environment)
    assert done.returncode == 0 and (root / 'usr/share/keyroom/drivers/mine').exists(), done.stdout
    path.write_text(path.read_text() + 'colour: red\n')
    done = archives.run('sh', hook, env=environment)
    assert done.returncode == 1 and 'mine.conf:10: no such key: colour' in done.stdout, done.stdout


def test_a_faulty_descriptor_is_not_said_to_be_on_the_disc(tree):
    path = tree.folder / 'mine.conf'
    path.write_text(FAULTY)
    done = archives.run(tree.top / 'image/build', '--extension', path, env=tree.environment())
    assert done.returncode == 1 and 'on the disc already' not in done.stdout, done.stdout
    assert f'the descriptor of {path} is at fault' in done.stdout, done.stdout


SOFTHSM = 'title: Soft\ndelivery: extension\npackage: softhsm2  # a token\nmodule: /usr/lib/a.so\n'


def test_an_extension_has_every_package_of_its_descriptor_or_is_not_made(tree):
    """One in the lock was enough for all.  What is on every disc is in no role of its own."""
    descriptor(tree, 'softhsm', SOFTHSM + 'package: base-files  # on every disc\n')
    assert tree.run().returncode == 0
    descriptor(tree, 'softhsm', SOFTHSM + 'package: gcc  # the builder has it\n')
    done = tree.run()
    assert done.returncode == 1, done.stdout
    assert 'the lock does not have gcc for the driver softhsm: run make lock' in done.stdout, done.stdout


def test_packages_of_a_descriptor_that_the_lock_does_not_read(tree):
    """One in packages/vendor, or elsewhere, was made without them."""
    (tree.folder / 'driver.bin').write_bytes(b'module')
    text = SOFTHSM.replace('softhsm2', 'gcc') + 'vendor: driver.bin ' + hashlib.sha256(b'module').hexdigest() + '\n'
    for path, word in ((tree.top / 'packages/vendor/mine.conf', 'mine'), (tree.folder / 'mine.conf', tree.folder / 'mine.conf')):
        path.write_text(text)
        done = archives.run(tree.top / 'image/build', '--extension', word, '--vendor', tree.folder / 'driver.bin',
                            env=tree.environment())
        assert done.returncode == 1, done.stdout
        assert 'reads the packages of packages/drivers/mine.conf alone, write the line there' in done.stdout, done.stdout
        path.unlink()


def test_a_driver_whose_packages_are_all_on_the_disc_is_no_end_of_the_lock(tree, keys, tmp_path):
    """It ended without a message: grep had nothing left to print.  The resolver is a
    stand-in, by which a name needs itself alone."""
    packages = {path.stem: path for path in (tmp_path / 'mirror/pool').iterdir()}
    site = tmp_path / 'mirror'
    index = ''.join(f'Package: {name}\nVersion: 1:1.0\nArchitecture: all\nFilename: pool/{path.name}\nSize: '
                    f'{path.stat().st_size}\nSHA256: {hashlib.sha256(path.read_bytes()).hexdigest()}\n\n'
                    for name, path in packages.items())
    packed = lzma.compress(index.encode())
    (site / 'dists/trixie/main/binary-amd64').mkdir(parents=True)
    (site / 'dists/trixie' / archives.INDEX).write_bytes(packed)
    (site / 'dists/trixie/InRelease').write_bytes(keys.sign(archives.release(packed), 'good'))
    archives.believe(tree.top, keys, 'good')
    for path in (tree.top / 'packages/drivers').glob('*.conf'):
        path.unlink()
    descriptor(tree, 'onboard', SOFTHSM.replace('softhsm2', 'base-files'))
    descriptor(tree, 'softhsm', SOFTHSM)
    for name, content in (('image', 'base-files'), ('builder', 'gcc'), ('unpack', 'shim-signed')):
        (tree.top / f'packages/{name}.list').write_text(f'{content}  # a reason\n')
    for path in (tree.top / 'image/profiles').glob('*/packages.list'):
        path.write_text('base-files  # a reason\n')
    for name, body in (('minimal-root', 'echo base-files'), ('resolve', 'shift 2; printf "%s 1:1.0\\n" "$@" | sort -u')):
        (tree.top / 'packages/lib' / name).write_text(f'#!/bin/sh\n{body}\n')
        (tree.top / 'packages/lib' / name).chmod(0o755)
    done = archives.run(tree.top / 'packages/lock', tmp_path / 'made.lock', env=tree.environment(KEYRING=keys.ring))
    assert done.returncode == 0, done.stdout
    roles = dict(re.findall('^(\\S+) .* (\\S+)$', (tmp_path / 'made.lock').read_text(), re.M))
    assert roles['softhsm2'] == 'softhsm' and 'onboard' not in roles['base-files'], roles
