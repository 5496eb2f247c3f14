# SPDX-License-Identifier: ISC
"""The day of docs/CEREMONY.md, from the first prompt to the power switch: every
command in it is typed on the booted disc, in the document's order, as the
reader of scripts has it, and must end as it should.  A command that the document gains is run without anybody having to
think of it; if one fails here, it fails in front of cameras."""
import json
import re
import subprocess

import pytest

import drives
import script
from lanprinters import PDF_PRINTER, network
from machine import Machine, press, said
from rehearsal import Rehearsal
from statements import Key, envelope, statement

pytestmark = pytest.mark.slow

# Bytes on the drive that is copied to; no other has as many.
NEW = 48 << 20
# What stands for a name of the day.
NAMES = {
    'terminal-pts0': 'terminal-ttyS0',
}
# What is meant for a terminal of its own, which a serial line is not.
ELSEWHERE = {
    'ttyaudit /dev/ttyUSB0': '(ttyaudit --quiet /dev/ttyUSB0 >/run/said 2>&1 &)',
    'screencap-verify': 'screencap-verify --console 1',
}
# What has to end otherwise here: no printer on a cable; an HSM that is not there
# to be pinged.
STATUS = {'configure-printer': 3, 'ping -c 3 hsm': 1}
# What is asked, and the answer; in that order.
ANSWERS = {
    'set-clock': [('HH:MM: ', '{clock}')],
    'ksrsigner': [('(y/N)? ', 'y')],
    'copy-hsmfd': [('copy to: ', '{new}'), ('(y/N)? ', 'y')],
    'verify-media --verify -': [('compare with: ', '{hash}')],
}
# What the room does before a command.
BEFORE = {
    # The link takes seconds to come up; a person takes longer to type.
    'configure-printer ipp://192.168.0.3/ipp/print': ['sleep 5'],
    'hsm-list': ['hsm-driver load /media/DRIVERS/keyroom-softhsm-*.raw'],
    'ceremony-log finish': ['pkill -INT ttyaudit', 'while pgrep ttyaudit; do sleep 1; done'],
}


def commands(top, programs):
    return [item.text for item in script.commands(programs, top / 'docs/CEREMONY.md')]


def of(table, command, default):
    """The entry whose key the command is, or begins with."""
    return next((table[key] for key in (command, ' '.join(command.split()[:2]), command.split()[0])
                 if key in table), default)


@pytest.fixture
def zone(programs, tmp_path):
    """HSMFD with a token, last quarter's response and this one's configuration."""
    folder = tmp_path / 'HSMFD'
    folder.mkdir()
    made = Rehearsal(folder, programs, domain='example.', bundles=4, algorithm=13)
    made.add_ksk('ksk')
    made.quarter(made.normal('ksk'))
    config = made.configure(made.normal('ksk'), made.ask())
    sections = json.loads(config.read_text())
    sections['hsm']['soft']['env'] = {'SOFTHSM2_CONF': '/media/HSMFD/softhsm2.conf'}
    sections['filenames'] = {'previous_skr': f'/media/HSMFD/{made.previous.name}'}
    config.write_text(json.dumps(sections))
    made.hsm.conf.write_text('directories.tokendir = /media/HSMFD/tokens\n')
    subprocess.run(['openssl', 'req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                    '-keyout', '/dev/null', '-out', folder / 'request.csr', '-subj', '/CN=rehearsal'],
                   check=True, stderr=subprocess.DEVNULL)
    return made


def evidence(folder, disc, digest):
    """What a release's stick carries: its sums, who signed them, who rebuilt it."""
    release = folder / 'release'
    release.mkdir()
    secrets = folder.parent / 'secrets'
    secrets.mkdir()
    (release / 'SHA256SUMS').write_text(f'{digest}  {disc["NAME"]}.iso\n')
    subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', secrets / 'ssh'], check=True)
    subprocess.run(['ssh-keygen', '-q', '-Y', 'sign', '-f', secrets / 'ssh', '-n', 'keyroom-release',
                    release / 'SHA256SUMS'], check=True)
    (release / 'SHA256SUMS.sig').rename(release / 'SHA256SUMS.release.sig')
    (release / 'allowed_signers').write_text(f'release@example.org {(secrets / "ssh.pub").read_text()}')
    key = Key(secrets, 'rebuilder')
    (release / 'policy').write_text(f'witness rebuilder {key.vkey}\nquorum rebuilder\n')
    version = disc['NAME'].removeprefix('keyroom-').removesuffix('-amd64').removesuffix('-console')
    body = json.dumps(statement({f'{disc["NAME"]}.iso': digest}, externalParameters={
        'version': version, 'command': 'reproducible/rebuild'}), separators=(',', ':')).encode()
    (release / 'rebuilder.intoto.jsonl').write_text(json.dumps(envelope(body, key), separators=(',', ':')) + '\n')


@pytest.fixture
def sticks(zone, disc, tmp_path):
    for name in ('KSR', 'DRIVERS'):
        (tmp_path / name).mkdir()
    (tmp_path / 'KSR/KSR.XML').write_bytes(zone.request.read_bytes())
    extension = tmp_path / 'DRIVERS' / disc['EXTENSION'].split('/')[-1]
    with open(disc['EXTENSION'], 'rb') as file:
        extension.write_bytes(file.read())
    digest = subprocess.run(['sha256sum', disc['ISO']], check=True, stdout=subprocess.PIPE, text=True).stdout
    # As a release's: this disc, and that of another profile.
    (zone.folder / 'SHA256SUMS').write_text(
        f'{digest.split()[0]}  {disc["NAME"]}.iso\n{"0" * 64}  keyroom-other-amd64.iso\n')
    evidence(zone.folder, disc, digest.split()[0])
    new = tmp_path / 'new.img'
    with open(new, 'wb') as image:
        image.truncate(NEW)
    return [*(drives.make_drive(tmp_path / f'{name}.img', name, tmp_path / name) for name in ('HSMFD', 'KSR', 'DRIVERS')),
            new]


def hardware(printers, folder):
    """A network with the printers, and a serial line over USB."""
    return [*network(printers, folder), '-chardev', f'file,id=line,path={folder}/line.out',
            '-device', 'usb-serial,chardev=line,always-plugged=on']


def do(guest, command, words):
    """Type one command and its answers; its exit status and what it showed."""
    typed = ELSEWHERE.get(command, command)
    for name, value in NAMES.items():
        typed = typed.replace(name, value)
    guest.send(f'{typed}; echo "=RC=$?="\r')
    begun = guest.place
    for question, answer in of(ANSWERS, command, []):
        guest.expect(re.escape(question), 200)
        guest.send(answer.format(**words) + '\r')
    status = int(guest.expect(r'=RC=(\d+)=', 200).group(1))
    shown = guest.text[begun:guest.place]
    guest.prompt()
    return status, shown


def test_every_command_of_the_day(top, programs, disc, zone, sticks, printers, room, tmp_path):
    *day, last = commands(top, programs)
    assert len(day) > 30 and last == 'shutdown -h now'
    words = {'clock': subprocess.run(['date', '-u', '+%Y-%m-%d %H:%M'], stdout=subprocess.PIPE, text=True).stdout.strip(),
             'hash': (zone.folder / 'SHA256SUMS').read_text().split()[0]}
    shown = {}
    with Machine(disc['ISO'], tmp_path, drives=sticks, extra=hardware(printers, tmp_path)) as guest:
        guest.choose('serial')
        guest.prompt(120)
        guest.must('until [ $(grep -c " /media/" /proc/mounts) = 3 ]; do sleep 1; done', 60)
        words['new'] = said(guest, f'lsblk -bdnro SIZE,NAME | sed -n "s,^{NEW} ,/dev/,p"')
        assert re.fullmatch(r'/dev/sd\w', words['new'])
        guest.must('man copy-hsmfd | grep -q COPY-HSMFD && [ -z "$(man copy-hsmfd 2>&1 >/dev/null)" ]')
        for command in day:
            for before in of(BEFORE, command, []):
                guest.must(before, 90)
            status, shown[command] = do(guest, command, words)
            if command.startswith('ceremony-log start'):
                # Every terminal is recorded from its next prompt: the console's, too.
                press(guest, 'ret')
            assert status == STATUS.get(command, 0), (command, shown[command])
        guest.send(last + '\r')
        guest.wait_off(60)
    assert 'Result:     same' in shown['verify-media --verify -'] + shown['hsmfd-hash -m']
    skr = drives.read_drive(sticks[1], 'SKR.XML')
    assert skr and skr == drives.read_drive(sticks[0], 'ceremony-61/SKR.XML')
    assert drives.read_drive(sticks[3], 'ceremony-61/MANIFEST') == drives.read_drive(sticks[0], 'ceremony-61/MANIFEST')
    assert len(room.papers(printers[PDF_PRINTER, 631][1])) >= 6
