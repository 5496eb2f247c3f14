# SPDX-License-Identifier: ISC
"""Virtual flash drives: FAT images made and read with mtools, without mounting."""
import os
import subprocess

# A FAT volume keeps local times; the disc's are UTC.
ENVIRONMENT = dict(os.environ, TZ='UTC', MTOOLS_SKIP_CHECK='1')


def extract(iso, folder, *names):
    """Files of an ISO, into the folder, each under its last name."""
    for name in names:
        subprocess.run(['xorriso', '-osirrox', 'on', '-indev', iso, '-extract', f'/{name}',
                        str(folder / name.split('/')[-1])], check=True, stderr=subprocess.DEVNULL)


def place_in(iso, name):
    """Where a file of the ISO lies in it: the first byte, and how many."""
    said = subprocess.run(['xorriso', '-indev', iso, '-find', f'/{name}', '-exec', 'report_lba', '--'],
                          check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    (_, block, _, size), = (line.split(':', 1)[1].split(',')[:4] for line in said.splitlines()
                            if line.startswith('File data lba:'))
    return int(block) * 2048, int(size)


def make_drive(path, label, content, size=32):
    """A drive of size MiB, labelled, with the folder content's files in it."""
    with open(path, 'wb') as image:
        image.truncate(size << 20)
    subprocess.run(['/usr/sbin/mkfs.fat', '-n', label, str(path)], check=True,
                   stdout=subprocess.DEVNULL)
    names = sorted(str(entry) for entry in content.iterdir())
    if names:
        subprocess.run(['mcopy', '-s', '-i', str(path), *names, '::/'], check=True,
                       env=ENVIRONMENT)
    return path


def read_drive(path, name):
    """The bytes of one file on the drive; None where it is not there."""
    done = subprocess.run(['mtype', '-i', str(path), '::/' + name], env=ENVIRONMENT,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout if done.returncode == 0 else None


def list_drive(path, folder=''):
    """Names in a folder of the drive."""
    done = subprocess.run(['mdir', '-b', '-i', str(path), '::/' + folder], env=ENVIRONMENT,
                          stdout=subprocess.PIPE, text=True)
    return [line.split('/')[-1] for line in done.stdout.split()]
