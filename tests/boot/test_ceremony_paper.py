# SPDX-License-Identifier: ISC
"""What is made of a ceremony is made on the disc, too, onto the drive with the logs:
the printed script, the annotated one, the public folder, the history.  The host reads
the drive and has the second opinion: hashes, the signature, the pages' text."""
import hashlib
import subprocess

import pytest

import ceremonies
import drives
from cups_room import pdf_text
from machine import Machine

pytestmark = pytest.mark.slow


def openssl(*words):
    return subprocess.run(['openssl', *map(str, words)], capture_output=True).returncode


def test_pages_and_the_public_folder_on_the_disc(disc, tmp_path):
    folder = tmp_path / 'HSMFD'
    made = ceremonies.unsigned()
    made['events'] += [(560, 'except', '1 3 the printer is <gone>')]
    ceremonies.make(folder / 'c', **made, files=[('ksrsigner-1.log', b'signed\n')])
    assert openssl('genpkey', '-algorithm', 'ed25519', '-out', folder / 'key.pem') == 0
    assert openssl('pkey', '-in', folder / 'key.pem', '-pubout', '-out', folder / 'pub.pem') == 0
    drive = drives.make_drive(tmp_path / 'hsmfd.img', 'HSMFD', folder)
    with Machine(disc['ISO'], tmp_path, drives=[drive]) as guest:
        guest.choose('serial')
        guest.prompt(90)
        guest.must('until mountpoint -q /media/HSMFD; do sleep 1; done', 30)
        guest.must('cd /media/HSMFD')
        guest.must('ceremony print c/script.md >a.pdf; ceremony print c/script.md | cmp - a.pdf', 30)
        assert guest.run('ceremony print c/script.md', 30)[0] == 2
        assert 'exception 1' in guest.must('ceremony annotate c', 30)
        guest.must('ceremony publish --key key.pem c public', 60)
        assert guest.run('ceremony publish --key key.pem c public', 60)[0] == 5
        assert 'FAIL' not in guest.must('ceremony check --key pub.pem public', 60)
        guest.must('ceremony history --format csv public >history.csv', 30)
        guest.must('cd /; umount /media/HSMFD', 30)
    public = tmp_path / 'public'
    public.mkdir()
    sums = drives.read_drive(drive, 'public/SHA256SUMS')
    (public / 'SHA256SUMS').write_bytes(sums)
    (public / 'SHA256SUMS.sig').write_bytes(drives.read_drive(drive, 'public/SHA256SUMS.sig'))
    assert openssl('pkeyutl', '-verify', '-rawin', '-pubin', '-inkey', folder / 'pub.pem', '-in', public / 'SHA256SUMS',
                   '-sigfile', public / 'SHA256SUMS.sig') == 0
    listed = dict(reversed(line.split('  ', 1)) for line in sums.decode().splitlines())
    assert {'index.html', 'script.md', 'script.pdf', 'annotated.pdf', 'log/journal'} <= set(listed)
    for name, value in listed.items():
        assert hashlib.sha256(drives.read_drive(drive, f'public/{name}')).hexdigest() == value
    assert b'the printer is &lt;gone&gt;' in drives.read_drive(drive, 'public/index.html')
    (tmp_path / 'a.pdf').write_bytes(drives.read_drive(drive, 'public/annotated.pdf'))
    assert 'the printer is <gone>' in pdf_text(tmp_path / 'a.pdf')
    assert drives.read_drive(drive, 'history.csv').decode().count('"61"') == 2
