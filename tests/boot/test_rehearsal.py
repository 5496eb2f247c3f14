# SPDX-License-Identifier: ISC
"""docs/REHEARSAL.md is the first thing that a newcomer does.  The one command is
run, and then the document, which is a script, is played by "ceremony run": Enter for
each thing that a card asks for; what must be on the screen is waited for, and in one
step the power is cut.  Afterwards the host finds the signed response on the drive, the
pages in the printer, and every step in the chained log."""
import codecs
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

import dnssec
import drives
import script
from machine import SLOW, Machine, MachineFailure, press

pytestmark = pytest.mark.slow


class Attached(Machine):
    """The machine that make rehearse has started."""

    def __init__(self, top, build, disc):
        self.folder, self.text, self.place, self.slow, self.events = str(build), '', 0, SLOW, []
        self.decoder = codecs.getincrementaldecoder('utf-8')('replace')
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


def card(guest, pattern, tries=20):
    """The card that has this, drawn anew."""
    for _ in range(tries):
        guest.send('\x0c')
        try:
            return guest.expect(pattern, 3)
        except MachineFailure:
            pass
    return guest.fail(f'no card with {pattern!r}')


def back(guest, step, status=0):
    guest.expect(rf'=== step {step} ended with {status}\r', 200)
    guest.expect('back to the card', 20)
    guest.send('\r')


def command(guest, step, item):
    """Enter runs it; its answers are typed, and what the document promises is seen."""
    card(guest, 'Enter: runs it')
    guest.send('\r')
    guest.expect(rf'=== step {step} # ', 30)
    for line in item.lines:
        if line.kind == 'break':
            guest.send('\x03')
            continue
        guest.expect(line.pattern, 200)
        if line.kind == 'answer':
            guest.expect(' ', 20)
            guest.send(line.answer + '\r')
    back(guest, step, item.status)


def play(guest, step, total):
    """All that a step asks for, by Enter."""
    card(guest, rf'Step {step.number} of {total}\D')
    for item in step.items:
        if item.kind == 'command':
            command(guest, step.number, item)
        elif item.kind in ('confirm', 'shown'):
            # What is typed before the card is there counts for nothing.
            card(guest, 'Enter: (confirmed|seen)')
            guest.send('\r')
    card(guest, 'the step is done')
    guest.send('\r')


def other(guest, step, text):
    """Another command than the script's."""
    card(guest, rf'Step {step} of ')
    guest.send(':')
    guest.expect('a deviation: # ', 20)
    guest.send(text + '\r')
    back(guest, step)


def leave(guest, step):
    """To the prompt, whose text comes back."""
    card(guest, rf'Step {step} of ')
    guest.send('q')
    guest.expect(f'left at step {step}', 20)
    guest.prompt()
    return guest.text[:guest.place].rsplit('[Keyroom', 1)[1]


def switch_on(guest):
    guest.choose('serial')
    guest.prompt(120)
    guest.must('until [ $(grep -c " /media/" /proc/mounts) = 3 ]; do sleep 1; done', 60)


def cut_power(guest, step):
    """In the step; and then, as ceremony(1) says, on in a new log."""
    card(guest, rf'Step {step} of ')
    guest.qmp('set-action', reboot='reset')
    guest.qmp('system_reset')
    switch_on(guest)
    guest.qmp('set-action', reboot='shutdown')
    guest.must('set-clock "$(date \'+%Y-%m-%d %H:%M\')"')
    guest.send(f'{RUN} --after {LOG} {SCRIPT}\r')
    other(guest, step, f'ceremony-log start {LOG}-b')
    press(guest, 'ret')
    other(guest, step, f'cd {LOG}-b')


LOG, SCRIPT, RUN = '/media/HSMFD/ceremony-1', '/media/HSMFD/rehearsal.md', 'ceremony run'
CUT = 9             # the power goes in this step


def test_the_document_has_the_ceremony_in_it(top, programs):
    commands = [item.text.split()[0] for item in script.commands(programs, top / 'docs/REHEARSAL.md')]
    assert {'verify-media', 'set-clock', 'hsmfd-hash', 'ceremony-log', 'configure-printer', 'ttyaudit', 'hsm-driver',
            'hsm-list', 'ksrsigner', 'skrcheck', 'printlog', 'shutdown'} <= set(commands)


def play_all(guest, steps, room):
    switch_on(guest)
    assert 'CLOCK NOT SET' in guest.text
    guest.send(f'{RUN} {SCRIPT}\r')
    *day, last = steps
    for step in day:
        if step.number == CUT:
            cut_power(guest, step.number)
        play(guest, step, len(steps))
        typed = ' '.join(item.text for item in step.commands)
        if typed.startswith('ceremony-log start'):
            # The console's terminal is recorded from its next prompt, too.
            press(guest, 'ret')
        if typed.startswith('set-clock'):
            assert 'CLOCK NOT SET' not in leave(guest, step.number + 1)
            guest.send(f'{RUN} {SCRIPT}\r')
        if typed.startswith('hsm-driver'):
            assert 'REHEARSAL' in leave(guest, step.number + 1)
            guest.send(f"sh -c 'cd {LOG}-b; exec {RUN} {SCRIPT}'\r")
    card(guest, rf'Step {last.number} of ')
    assert last.commands[0].text.startswith('shutdown')
    until = time.monotonic() + 200
    while len(list((room / 'printed').glob('*.ps'))) < 3 and time.monotonic() < until:
        guest.expect('', 1)
        time.sleep(1)
    guest.send('\r')
    guest.wait_off(150)


def take_logs(room):
    """The logs' folders on the drive, in the room."""
    for name in ('ceremony-1', 'ceremony-1-b'):
        (room / name).mkdir()
        for file in drives.list_drive(room / 'HSMFD.img', name):
            (room / name / file).write_bytes(drives.read_drive(room / 'HSMFD.img', f'{name}/{file}'))


def test_every_step_of_the_document(top, build, disc, programs, tmp_path):
    room = build / 'rehearsal'
    steps = script.read(programs, top / 'docs/REHEARSAL.md')
    with Attached(top, build, disc) as guest:
        assert 'docs/REHEARSAL.md' in guest.said()
        play_all(guest, steps, room)
        said = guest.said()
    take_logs(room)
    log = room / 'ceremony-1-b'
    ours = (log / 'skr.xml').read_bytes()
    assert ours == drives.read_drive(room / 'KSR.img', 'skr.xml')
    assert dnssec.validate(ours, tmp_path / 'zones') == 4
    name, = log.glob('ttyaudit-*')
    assert b'HSM-REHEARSAL' in name.read_bytes()
    jobs = sorted((room / 'printed').glob('*.ps'))
    assert len(jobs) == 3 and f'pages printed: {len(jobs)}' in said, said
    assert all(job.read_bytes().startswith(b'%!PS') for job in jobs)
    # The record: every step, and the cut that is an exception; verify says that it is whole.
    assert subprocess.run(['sh', log / 'verify'], stdout=subprocess.PIPE).returncode == 0
    told = (log / 'journal').read_text()
    assert f'except 1 {CUT} the log in {LOG} was cut after line ' in told
    finish = next(step.number for step in steps if step.commands and step.commands[0].text == 'ceremony-log finish')
    for step in steps[CUT:finish - 1]:
        assert f' step {step.number} end ' in told, step.number
    publish(top, programs, room, tmp_path)


def publish(top, programs, room, tmp_path):
    """The public folder, whose page and pages are left in build/rehearsal/public; with
    nothing but that, and the key, it is checked."""
    for words in (['genpkey', '-algorithm', 'ed25519', '-out', tmp_path / 'key'],
                  ['pkey', '-in', tmp_path / 'key', '-pubout', '-out', room / 'public.pem']):
        subprocess.run(['openssl', *words], check=True)
    done = subprocess.run([programs / 'ceremony', 'publish', '--script', top / 'docs/REHEARSAL.md', '--key',
                           tmp_path / 'key', room / 'ceremony-1', room / 'ceremony-1-b', room / 'public'],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([programs / 'ceremony', 'check', '--key', room / 'public.pem', room / 'public'], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=dict(os.environ, PATH=f'{programs}:{os.environ["PATH"]}'))
    (room / 'check.txt').write_text(done.stdout)
    assert done.returncode == 0, done.stdout
    # The script of the rehearsal names no disc, the console has a shell of its own, and
    # docs/rehearsal.yaml has no ds_sha256: its key is known by its label alone.
    skipped = re.findall('^SKIP  (.*)$', done.stdout, re.M)
    assert skipped == ['TERMINALS', 'DISC', 'SIGNATURES'] and done.stdout.split('\n')[-2].startswith('PASS'), done.stdout
