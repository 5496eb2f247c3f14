# SPDX-License-Identifier: ISC
"""docs/REHEARSAL.md is the first thing that a newcomer does.  The one command is
run, and then everything that the document types is typed, in its order; what it
says must be on the screen is waited for.  Afterwards the host finds the signed
response on the drive and the pages in the printer."""
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

import dnssec
import drives
from machine import SLOW, Machine

pytestmark = pytest.mark.slow

# What is asked, and what the document answers.
ANSWER = re.compile(r'(.*\(y/N\)\? )(\S+)')


def steps(text):
    """[(command, [lines that must follow])]"""
    found = []
    for line in re.findall(r'^    (.+)$', text.split('\n## The disc')[1], re.M):
        if line.startswith('# '):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


class Attached(Machine):
    """The machine that make rehearse has started."""

    def __init__(self, top, build, disc):
        self.folder, self.text, self.place, self.slow, self.events = str(build), '', 0, SLOW, []
        self.log = open(build / 'rehearse.log', 'w+')
        shutil.rmtree(build / 'rehearsal', ignore_errors=True)
        self.process = subprocess.Popen(['make', '-s', 'rehearse'], cwd=top, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True,
                                        env=dict(os.environ, KEYROOM_DISPLAY='none', KEYROOM_ACCEL='tcg'))
        room = build / 'rehearsal'
        until = time.monotonic() + 200
        while not (room / 'qmp').exists():
            assert self.process.poll() is None and time.monotonic() < until, self.said()
            time.sleep(0.1)
        self.serial = self._connect(str(room / 'serial'))
        self._connect_monitor(str(room / 'qmp'))

    def said(self):
        self.log.flush()
        with open(self.log.name) as log:
            return log.read()

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.serial.close()
        self.monitor.close()
        self.log.close()


def do(guest, command, expected):
    """Type one command, with its answers, and see what the document promises."""
    guest.send(f'{command}; echo "=RC=$?="\r')
    for line in expected:
        asked = ANSWER.fullmatch(line)
        if line == '^C':
            guest.send('\x03')
        elif asked:
            guest.expect(re.escape(asked.group(1)), 120)
            guest.send(asked.group(2) + '\r')
        else:
            guest.expect(re.escape(line), 200)
    if '^C' not in expected:
        assert guest.expect(r'=RC=(\d+)=', 200).group(1) == '0', (command, guest.text[-2000:])
    guest.prompt()


def test_the_document_has_the_ceremony_in_it(top):
    commands = [command.split()[0] for command, _ in steps((top / 'docs/REHEARSAL.md').read_text())]
    assert {'verify-media', 'set-clock', 'hsmfd-hash', 'ceremony-log', 'configure-printer', 'ttyaudit', 'hsm-driver',
            'hsm-list', 'ksrsigner', 'skrcheck', 'printlog', 'shutdown'} <= set(commands)


def test_every_step_of_the_document(top, build, disc, programs, tmp_path):
    room = build / 'rehearsal'
    *day, (last, _) = steps((top / 'docs/REHEARSAL.md').read_text())
    with Attached(top, build, disc) as guest:
        assert 'docs/REHEARSAL.md' in guest.said()
        guest.choose('serial')
        guest.prompt(120)
        assert 'CLOCK NOT SET' in guest.text[-400:]
        guest.must('until [ $(grep -c " /media/" /proc/mounts) = 3 ]; do sleep 1; done', 60)
        for command, expected in day:
            do(guest, command, expected)
            if command.startswith('set-clock'):
                assert 'CLOCK NOT SET' not in guest.text[:guest.place].rsplit('[Keyroom', 1)[1]
            if command.startswith('hsm-driver'):
                assert 'REHEARSAL' in guest.text[:guest.place].rsplit('[Keyroom', 1)[1]
        assert last.startswith('shutdown')
        until = time.monotonic() + 200
        while len(list((room / 'printed').glob('*.ps'))) < 3 and time.monotonic() < until:
            guest.must('sleep 1')
        guest.send(last + '\r')
        guest.wait_off(60)
        said = guest.said()
    ours = drives.read_drive(room / 'HSMFD.img', 'ceremony-1/skr.xml')
    assert ours and ours == drives.read_drive(room / 'KSR.img', 'skr.xml')
    assert dnssec.validate(ours, tmp_path / 'zones') == 4
    assert drives.read_drive(room / 'HSMFD.img', 'ceremony-1/MANIFEST')
    name, = [name for name in drives.list_drive(room / 'HSMFD.img', 'ceremony-1') if name.startswith('ttyaudit')]
    assert b'HSM-REHEARSAL' in drives.read_drive(room / 'HSMFD.img', f'ceremony-1/{name}')
    jobs = sorted((room / 'printed').glob('*.ps'))
    assert len(jobs) == 3 and f'pages printed: {len(jobs)}' in said, said
    assert all(job.read_bytes().startswith(b'%!PS') for job in jobs)
