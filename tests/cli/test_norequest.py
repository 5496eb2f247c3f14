# SPDX-License-Identifier: ISC
"""Files that are no request (norequest.py): each is told in exactly the sentences that
are there, with its status, and leaves no response.  Matters: the operator reads them
aloud, and the disc's own test (boot/test_mishaps.py) waits for the same ones."""
import re
import subprocess

import pytest

import norequest
from rehearsal import Rehearsal


@pytest.fixture(scope='module')
def zone(tmp_path_factory, programs):
    made = Rehearsal(tmp_path_factory.mktemp('zone'), programs, domain='example.', bundles=4, algorithm=13)
    made.add_ksk('ksk')
    made.configure(made.normal('ksk'), made.ask())
    return made


@pytest.mark.parametrize('name', norequest.REQUESTS)
def test_what_is_no_request_is_told_in_these_words(zone, tmp_path, name):
    _, command, status, sentences = next(row for row in norequest.requests(tmp_path, zone.request) if row[0] == name)
    subprocess.run(['sh', '-ec', command], check=True)
    done = zone.hsm.run('ksrsigner', '--no-previous-skr=rehearsal', str(tmp_path / 'ksr.xml'), 'skr.xml')
    said = [line for line in (done.out + done.err).splitlines() if line.startswith(('error: ', 'ksrsigner: '))]
    assert done.status == status, (done.out, done.err)
    assert len(said) == len(sentences) and all(map(re.fullmatch, sentences, said)), said
    assert '\x1b' not in done.out + done.err and not (zone.hsm.folder / 'skr.xml').exists()
