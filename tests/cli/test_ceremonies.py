# SPDX-License-Identifier: ISC
"""The scripts of ceremonies/ are what others begin with: each is sound, is printed, and
is played whole, its signatures made by a token in software, by the cards that people
see.  What only the booted machine has is a stub that says what that says (the boot tests
have the real ones).  A newcomer makes their own from the template, by the README."""
import json
import pathlib
import re
import shutil
import subprocess
import time

import pytest

import script
from cards import Table, lines
from ceremony_tools import BIN, MAN, ROOT, SCRIPTS, TOP, environment, run, stub
from rehearsal import Rehearsal

OURS = TOP / 'ceremonies'
NAMES = ['root', 'tld', 'small', 'withheld']
# What the booted machine says, as far as the scripts wait for it.
MACHINE = {
    'system-audit': 'SYSTEM AUDIT PASSED', 'verify-media': 'SHA-256:    0123', 'set-clock': 'Clock:      set',
    'hsmfd-hash': 'All files, one after the other\nResult:     same', 'configure-printer': 'Queue:      HP, the default',
    'hsm-network': 'on', 'ping': '3 packets', 'hsm-list': 'label: T1', 'printlog': 'printed',
    'copy-hsmfd': '/dev/sdc1: a verified copy', 'umount': '', 'shutdown': 'off',
}


def lint(path, *more):
    env = environment()
    env['PATH'] = f'{":".join(map(str, more))}:{BIN}:{SCRIPTS}:{ROOT}/usr/sbin:{env["PATH"]}'
    done = run(BIN / 'ceremony', 'lint', '--pages', MAN, path, env=env)
    return done.returncode, (done.stdout + done.stderr).decode()


def stubs(folder):
    for program, says in MACHINE.items():
        stub(folder, program, f"printf '%s\\n' '{says}'\n")
    return folder


@pytest.mark.parametrize('name', [*NAMES, 'template'])
def test_it_has_no_findings_and_can_be_printed(name, tmp_path):
    path = OURS / f'{name}.md'
    status, said = lint(path, stubs(tmp_path / 'bin'))
    assert (status, said) == (0, '')
    done = run(BIN / 'ceremony', 'print', path)
    assert done.returncode == 0 and done.stdout.startswith(b'%PDF')


def test_each_has_a_page_and_a_line():
    found = {path.stem for path in OURS.glob('*.md')} - {'README'}
    assert found == {*NAMES, 'template', *(f'{name}-about' for name in NAMES)}
    table = (OURS / 'README.md').read_text()
    for name in NAMES:
        assert f'`{name}.md`' in table and f'`{name}-about.md`' in table
        assert f'`{name}-about.md`' in (OURS / f'{name}.md').read_text()
        about = (OURS / f'{name}-about.md').read_text()
        for part in ('What it defends against:', 'What it does not:', 'What it costs:'):
            assert part in about, (name, part)


def place(top, name):
    """The script with places of this test's own; the machine's are not there."""
    text = (OURS / f'{name}.md').read_text()
    for folder in ('HSMFD', 'KSR', 'KEEP1', 'KEEP2'):
        (top / folder).mkdir(exist_ok=True)
    head, body = text[4:].split('\n---\n', 1)
    head = re.sub(r'/media/', f'{top}/', head)
    head = re.sub(r'FINISH: [^,}]*', 'FINISH: --no-print', head)
    path = top / f'{name}.md'
    path.write_text(f'---\n{head}\n---\n{body}')
    return path


def play(table, path, values=()):
    """By Enter alone, as cards ask for it."""
    steps = script.read(BIN, path)
    table.play(path.name)
    for step, after in zip(steps, [*steps[1:], None]):
        table.see(rf'^  Step {step.number} of {len(steps)} ')
        for item in step.items:
            if item.kind == 'command':
                table.see('Enter: runs it')
                table.keys('Enter')
                for line in item.lines:
                    if line.kind == 'answer':
                        table.see(re.escape(line.text.strip()) + r'$', 60)
                        table.type(line.answer)
                        time.sleep(0.5)
                table.back()
                assert 'is right' not in table.screen(), table.screen()
            elif item.kind == 'value':
                table.see('Enter: write it')
                table.keys('Enter')
                table.see(rf'^{re.escape(item.text)} \({item.fields[0]}\):$')
                table.type(f'{step.number}-7')
            elif item.kind == 'confirm':
                table.see(rf'> \[ \] {item.fields[0]}: ')
                table.keys('Enter')
                table.see(rf'  \[x\] {item.fields[0]}: {re.escape(item.text[:30])}')
            elif item.kind == 'shown':
                table.enter('Enter: (next|seen)')
        table.next(after.number if after else None)
    table.enter('table>')
    return steps


def must(folder, steps, finish='ceremony-log finish'):
    """Everything until the log's end is in it."""
    told = lines(folder)
    for step in steps:
        if any(item.text.startswith(finish) for item in step.commands):
            return
        assert f'step {step.number} end 0' in told, step.number
        for item in step.items:
            if item.kind == 'confirm':
                assert any(line.startswith(f'step {step.number} confirm {item.fields[0]} ') for line in told)
            if item.kind == 'value':
                assert f'step {step.number} value {item.text}: {step.number}-7' in told
    raise AssertionError('the log was never finished')


@pytest.fixture
def zone(tmp_path, programs):
    made = Rehearsal(tmp_path, programs, domain='example.', bundles=2, algorithm=13)
    made.add_ksk('ksk')
    return made


@pytest.mark.parametrize('name', NAMES)
def test_it_is_played_whole(name, zone, tmp_path):
    quarters = 3 if name == 'withheld' else 1
    for _ in range(quarters):
        zone.ask()
        zone.response = zone.request
    zone.configure(zone.normal('ksk'), zone.request)
    for path in tmp_path.glob('*.log'):
        path.unlink()
    path = place(tmp_path, name)
    for number in range(1, quarters + 1):
        asked = f'ksr-{number}.xml' if quarters > 1 else 'ksr.xml'
        shutil.copy(tmp_path / f'ksr-{number}.xml', tmp_path / ('HSMFD' if name == 'small' else 'KSR') / asked)
    shutil.copy(tmp_path / 'ksrsigner.yaml', tmp_path / 'HSMFD')
    stubs(tmp_path / 'bin')
    table = Table(tmp_path, 100, 40)
    try:
        table.type(f'PATH={tmp_path}/bin:$PATH; clear')
        steps = play(table, path)
    finally:
        table.close()
    log = tmp_path / 'HSMFD/ceremony-1'
    must(log, steps)
    assert run(BIN / 'ceremony-log', 'verify', log).returncode == 0
    if name == 'withheld':
        given, kept = tmp_path / 'KSR', [tmp_path / 'KEEP1', tmp_path / 'KEEP2']
        assert sorted(p.name for p in given.iterdir()) == ['ksr-1.xml', 'ksr-2.xml', 'ksr-3.xml', 'skr-1.xml']
        assert [sorted(p.name for p in each.iterdir()) for each in kept] == [['skr-2.xml'], ['skr-3.xml']]
        assert not list((log / 'skrs').glob('skr-[23].xml'))
    else:
        ours = (log / 'skr.xml').read_bytes()
        assert ours == (tmp_path / ('HSMFD' if name == 'small' else 'KSR') / 'skr.xml').read_bytes()
    done = run(BIN / 'ceremony', 'annotate', '--script', path, log)
    assert done.returncode == 0, done.stderr
    judged(tmp_path, path, log, withheld=name == 'withheld')


def judged(top, path, log, withheld):
    """What is honest passes the check after the event; what is withheld is named."""
    done = run(BIN / 'ceremony', 'publish', '--script', path, log, top / 'public')
    assert done.returncode == 0, done.stderr
    done = run(BIN / 'ceremony', 'check', top / 'public')
    said = done.stdout.decode()
    assert done.returncode == 0, said
    skipped = re.findall('^SKIP  (.*)$', said, re.M)
    print(said)
    assert skipped == ['SEAL', 'DISC', *(['RESPONSE', 'SIGNATURES'] if withheld else [])], said
    assert said.count('not in the folder: ') == (4 if withheld else 0), said


def test_a_newcomer_makes_their_own(tmp_path):
    """By the README's commands alone, with another name, place and step; in ten minutes
    for a person, and in seconds here."""
    readme = (TOP / 'README.md').read_text()
    prepare = re.search(r'\n    make signer\n((?:    .*\n)+)', readme)[1]
    prepare = prepare[:prepare.index('    ksrcheck')]
    block = re.search(r'\n((?:    .*\n)*    cp \S*template.md mine.md\n(?:    .*\n)+)', readme)[1]
    for folder in ('docs', 'ceremonies', 'man', 'build/host'):
        (tmp_path / folder).parent.mkdir(exist_ok=True)
        (tmp_path / folder).symlink_to(TOP / folder if folder != 'build/host' else BIN.parent)
    before, _, after = block.partition('    ceremony run mine.md\n')
    assert after == ''
    text = re.sub(r'^    ', '', prepare + before, flags=re.M)
    (tmp_path / 'do').write_text(text + 'sed -i "s/^- Place: .*/&\\n- [ ] CA: the door is closed/" mine.md\n'
                                 'ceremony lint --pages ../man mine.md\n')
    done = subprocess.run(['sh', '-eu', 'do'], cwd=tmp_path, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env={**environment(), 'HOME': str(tmp_path)})
    assert done.returncode == 0, done.stdout
    folder = tmp_path / 'rehearsal'
    assert (folder / 'mine.pdf').read_bytes().startswith(b'%PDF')
    table = Table(folder, 100, 40)
    try:
        table.type(f'export SOFTHSM2_CONF={folder}/softhsm2.conf; clear')
        steps = play(table, folder / 'mine.md')
    finally:
        table.close()
    must(folder / 'log', steps)
    assert run(BIN / 'ceremony-log', 'verify', folder / 'log').returncode == 0
