# SPDX-License-Identifier: ISC
"""A vendor's file as an HSM's vendor would send it, and the recipe of the Keyper
filled in for it: the stand-in module with SoftHSM as its engine."""
import hashlib
import os
import pathlib
import re
import subprocess
import tarfile

from onebuild import one_build
from tokens import SOFTHSM

TOP = pathlib.Path(__file__).resolve().parents[2]
NAME = 'keyper-pkcs11-linux-x86_64.tar.gz'
MODULE = '/opt/Keyper/PKCS11Provider/pkcs11.so'


def make_file(folder):
    """The archive, in the folder."""
    module = folder / 'pkcs11.so'
    flags = subprocess.run(['pkg-config', '--cflags', 'p11-kit-1'], check=True, stdout=subprocess.PIPE,
                           text=True).stdout.replace('-I', '-isystem').split()
    subprocess.run(['cc', '-std=c17', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-O1', '-shared', '-fPIC',
                    *flags, '-o', module, TOP / 'tests/standin/standin.c', '-ldl'], check=True)
    with tarfile.open(folder / NAME, 'w:gz') as archive:
        archive.add(module, 'PKCS11Provider/pkcs11.so')
        archive.add(pathlib.Path(SOFTHSM).resolve(), 'PKCS11Provider/engine.so')
    return folder / NAME


def fill_in(folder, archive, more=''):
    """The recipe with the archive's hash; more: further lines."""
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    recipe = (TOP / 'packages/drivers/keyper.conf').read_text()
    filled, count = re.subn(rf'^vendor: {NAME} -$', f'vendor: {NAME} {digest}', recipe, flags=re.M)
    assert count == 1
    path = folder / 'keyper.conf'
    path.write_text(filled + 'take: PKCS11Provider/engine.so /opt/Keyper/PKCS11Provider/engine.so\n' + more)
    return path


def make_extension(descriptor, *variables):
    """make extension; what it ended with and said."""
    with one_build(TOP / os.environ.get('BUILD', 'build')):
        return subprocess.run(['make', '-s', 'extension', f'DRIVER={descriptor}', *variables], cwd=TOP, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
