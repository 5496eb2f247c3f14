# SPDX-License-Identifier: ISC
"""A script is played by cards: people press Enter and see, and the chained log has
every step, exception, deviation and confirmation, those before there was a log, too;
after a power cut it goes on where it was.  Nothing that people decide is blocked."""
import hashlib
import pathlib
import re
import subprocess
import time

import pytest

from cards import Table, folded, lines
from ceremony_tools import BIN, environment, run

DAY = '''---
ceremony: 61
title: Sign the ZSK
roles: {{CA: Ceremony Administrator, IW: Internal Witness}}
set: {{LOG: {log}, OUT: out.txt}}
---

# Act 1. Start

## 1. Verify the disc {{CA IW, 8 min}}

IW reads the words – all of them.

    # printf 'PGP Words:  %s\\n' aardvark
    PGP Words:  * (glob)

- [ ] IW: the words are those of the release
- Bag number: ____ (IW)

## 2. Begin the log {{CA, 1 min}}

    # ceremony-log start ${{LOG}}
    written

- [ ] CA: it is written

## 3. Its folder {{CA, 1 min}}

    # cd ${{LOG}}

# Act 2. Sign

## 4. Sign {{CA, 2 min}}

    # sh -c 'printf "Is this correct (y/N)? "; read a; echo "$a" >${{OUT}}; exit 3'
    Is this correct (y/N)? y
    [3]

## 5. A step that fails {{CA, 1 min}}

    # false

## 6. The drive {{CA, 1 min}}

    drive gone

# Act 3. The end

## 7. End the log {{CA, 1 min}}

    # ceremony-log finish --no-print

## 8. Seal the bags {{CA, 1 min}}
'''


@pytest.fixture
def table(tmp_path):
    made = Table(tmp_path)
    yield made
    made.close()


@pytest.fixture
def day(tmp_path):
    path = tmp_path / 'my day.md'
    path.write_text(DAY.format(log=tmp_path / 'log'))
    return path


def first_steps(table, day):
    table.play(f"'{day.name}'")
    table.see('no log yet')
    table.run_it()
    table.enter('Enter: write it')
    table.keys('Enter')
    table.see(r'^Bag number \(IW\):')
    table.type('A: 7 grün')
    table.next(2)
    table.run_it()
    table.see('^  Act 1. Start .* recorded$')
    table.enter('Enter: next')
    table.next(3)
    table.run_it()
    table.next(4)


def test_a_day_by_enter_alone(table, day, tmp_path):
    """What is not said by a key is not in the log, and what is done is."""
    first_steps(table, day)
    table.keys('Enter')
    table.see(r'correct \(y/N\)\?$')
    table.type('y')
    table.back()
    assert 'is right' not in table.screen()
    table.next(5)
    table.run_it()
    table.see('exit status 1, and 0 is right')
    table.next(6)
    table.enter('Enter: next')
    table.next(7)
    table.run_it()
    table.see('the log has ended')
    # Left there, it goes on there, though no log can say where it was.
    table.quit(7)
    table.play(f"'{day.name}'")
    table.see('Step 7 of 8')
    table.keys('s')
    table.see('left out, because:$')
    table.type('it was done')
    table.see('Step 8 of 8')
    table.next(None)
    table.enter('table>')
    digest = hashlib.sha256(day.read_bytes()).hexdigest()
    assert lines(tmp_path / 'log') == [
        f'script {digest} my day.md', 'step 1 begin', "step 1 command printf 'PGP Words:  %s\\\\n' aardvark",
        'step 1 confirm IW the words are those of the release', 'step 1 value Bag number: A: 7 gr\\xc3\\xbcn',
        'step 1 end 0', 'step 2 begin', f'step 2 command ceremony-log start {tmp_path}/log',
        'step 2 confirm CA it is written', 'step 2 end 0', 'step 3 begin', f'step 3 command cd {tmp_path}/log',
        'step 3 end 0', 'step 4 begin',
        'step 4 command sh -c \'printf "Is this correct (y/N)? "; read a; echo "$a" >out.txt; exit 3\'',
        'step 4 end 3', 'step 5 begin', 'step 5 command false',
        'except 1 5 exit status 1 of the command, and 0 is right', 'step 5 end 1', 'step 6 begin', 'step 6 end 0',
        'step 7 begin', 'step 7 command ceremony-log finish --no-print']
    assert (tmp_path / 'log/out.txt').read_text() == 'y\n'
    done = run(BIN / 'ceremony-log', 'verify', tmp_path / 'log')
    assert done.returncode == 0, done.stderr
    shown = next((tmp_path / 'log').glob('*.typescript')).read_text(errors='replace').replace('\r\n', '\n')
    assert re.search('=== step 5 # false\n\\s*=== step 5 ended with 1\n', shown)
    # A second time it begins anew.
    table.play(f"'{day.name}'")
    table.see('Step 1 of 8')


def test_what_goes_otherwise_is_recorded_and_never_blocked(table, day, tmp_path):
    first_steps(table, day)
    table.keys('x')
    table.see('^Exception, what happened:')
    table.type('the lamp went out')
    table.see('Enter: runs it')
    table.keys('x')
    table.see('^Exception, what happened:')
    table.keys('Enter')                                      # nothing said, nothing written
    table.see('Enter: runs it')
    table.keys('n')
    table.see('^Note:$')
    table.type('noted \\ by IW')
    table.see('Enter: runs it')
    table.keys('p')
    table.see('PAUSED')
    table.keys('s')                                          # no such key now
    table.enter('Enter: runs it')
    table.keys(':')
    table.see('a deviation: #$')
    table.type('cd / && pwd')
    table.see('^/$')
    table.back()
    table.keys(':')
    table.see('a deviation: #$')
    table.type('pwd')
    table.see('^/$')                                         # it has moved there
    table.back()
    table.keys('s')
    table.see('left out, because:$')
    table.type('no HSM today')
    table.see('Step 5 of')
    table.run_it()
    table.keys('r')
    table.back()
    table.quit(5)
    said = lines(tmp_path / 'log')
    assert said[said.index('step 4 begin'):] == [
        'step 4 begin', 'except 1 4 the lamp went out', 'step 4 note noted \\\\ by IW', 'step 4 pause',
        'step 4 resume', 'step 4 otherwise cd / && pwd', 'except 2 4 another command: cd / && pwd',
        'step 4 otherwise pwd', 'except 3 4 another command: pwd', 'step 4 skip',
        'except 4 4 no HSM today', 'step 4 end 0', 'step 5 begin', 'step 5 command false',
        'except 5 5 exit status 1 of the command, and 0 is right', 'step 5 command false',
        'except 6 5 exit status 1 of the command, and 0 is right']
    # The same command goes on: exceptions are counted on, the step begins again.
    table.play(f'"{day}"')
    table.see('Step 5 of 8')
    # In the folder where the last command left it, too.
    table.keys(':')
    table.see('a deviation: #$')
    table.type('pwd; cd log')
    table.see('^/$')
    table.back()
    table.keys('x')
    table.see('^Exception, what happened:')
    table.type('again')
    table.see('q quit')
    assert lines(tmp_path / 'log')[-2:] == ['except 7 5 another command: pwd; cd log', 'except 8 5 again']


def test_power_cut_in_a_step(table, day, tmp_path):
    """The steps that have ended are not played again; the new log names the line at
    which the old one was cut, and the cut is an exception."""
    first_steps(table, day)
    table.keys('Enter')
    table.see(r'correct \(y/N\)\?$')
    table.cut()
    table.start()
    table.type(f"ceremony run --after log '{day.name}'")
    table.see('Step 4 of 8')
    table.see('no log yet')
    table.keys(':')
    table.see('a deviation: #$')
    table.type(f'ceremony-log start {tmp_path}/log-2')
    table.back()
    table.see('recorded$')
    table.keys('Enter')
    table.see(r'correct \(y/N\)\?$')
    table.type('y')
    table.back()
    table.next(5)
    table.quit(5)
    last = (tmp_path / 'log/journal').read_text().splitlines()[-1]
    said = lines(tmp_path / 'log-2')
    number = last.split()[1]
    assert said[1:] == [
        f'after {last.split()[0]} {tmp_path}/log', 'step 4 begin',
        f'except 1 4 the log in {tmp_path}/log was cut after line {number}; this one goes on',
        f'step 4 otherwise ceremony-log start {tmp_path}/log-2',
        f'except 2 4 another command: ceremony-log start {tmp_path}/log-2', 'step 4 command sh -c \'printf "Is this correct '
        '(y/N)? "; read a; echo "$a" >out.txt; exit 3\'', 'step 4 end 3', 'step 5 begin']
    assert said[0] == lines(tmp_path / 'log')[0]
    # Left and taken up again, the old log is found by its name in the new one.
    table.play(f"'{day.name}'")
    table.see('Step 5 of 8')
    table.run_it()
    table.next(6)
    table.enter('Enter: next')
    table.next(7)
    table.run_it()
    table.next(8)
    table.next(None)
    table.enter('table>')
    done = run(BIN / 'ceremony-log', 'verify', tmp_path / 'log-2')
    assert done.returncode == 0, done.stderr
    # Both are one ceremony afterwards, in this order alone.
    for logs, status in (['log', 'log-2'], 0), (['log-2', 'log'], 1), (['log-2'], 1):
        public = tmp_path / ('public-' + '-'.join(logs))
        done = run(BIN / 'ceremony', 'publish', '--script', day, *(tmp_path / name for name in logs), public)
        assert public.is_dir(), done.stderr
        done = run(BIN / 'ceremony', 'check', public)
        assert done.returncode == status, (logs, done.stdout.decode())


def test_a_log_that_was_started_elsewhere_gets_the_next_command(table, day, tmp_path):
    """Enter begins to record first, and runs the command the second time: what the log
    is told was typed must be in a recording."""
    table.play(f"'{day.name}'")
    table.see('no log yet')
    started = run(BIN / 'ceremony-log', 'start', tmp_path / 'elsewhere', env=table.env)
    assert started.returncode == 0, started.stderr
    table.enter('(?s)recorded$.*Enter: runs it')
    table.run_it()
    table.see('Enter: confirmed')
    table.quit(1)
    assert run(BIN / 'ceremony-log', 'finish', '--no-print', env=table.env).returncode == 0
    shown = next((tmp_path / 'elsewhere').glob('*.typescript')).read_text(errors='replace')
    assert shown.count('=== step 1 # printf') == 1
    assert lines(tmp_path / 'elsewhere').count("step 1 command printf 'PGP Words:  %s\\\\n' aardvark") == 1


def test_power_cut_of_a_log_that_is_not_this_scripts(table, day, tmp_path):
    first_steps(table, day)
    table.cut()
    table.start()
    changed = tmp_path / 'changed.md'
    changed.write_text(day.read_text().replace('8 min', '9 min'))
    for script, folder, reason in [(changed.name, 'log', 'of another script, my day.md'),
                                   (f"'{day.name}'", 'nowhere', 'nowhere/journal: cannot open: No such file')]:
        table.type(f'ceremony run --after {tmp_path}/{folder} {script}; echo "=$?="')
        table.see(f'(?s){folded(reason)}.*=[13]=')
    journal = tmp_path / 'log/journal'
    journal.write_text(journal.read_text().replace('confirm IW', 'confirm CA'))
    table.type(f"ceremony run --after {tmp_path}/log '{day.name}'; echo \"=$?=\"")
    table.see(r'(?s)was changed, cut or put in.*=1=')


def test_ctrl_c_is_for_the_command(table, tmp_path):
    (tmp_path / 'a.md').write_text('---\nceremony: 1\ntitle: x\nroles: {CA: y}\n---\n# A\n\n## 1. Wait {CA, 1 min}\n\n'
                                   "    # sh -c 'echo here; sleep 60'\n    here\n    ^C\n    [130]\n")
    table.play('a.md')
    table.keys('C-c')
    table.see('then press Ctrl-C')
    table.keys('Enter')
    table.see('^here')
    # dash loses a SIGINT that comes while it begins the next command.
    time.sleep(1)
    table.keys('C-c')
    table.back()
    assert 'is right' not in table.screen()
    table.keys('C-z')
    table.next(None)
    table.enter('table>')


@pytest.mark.parametrize('term', ['linux', 'vt100', 'vt220', 'dumb', 'no-such-terminal'])
def test_other_terminals(term, tmp_path):
    """A text console, serial lines; what TERM does not describe is taken for a vt100."""
    (tmp_path / 'a.md').write_text('---\nceremony: 1\ntitle: x\nroles: {CA: y}\n---\n# A\n\n## 1. One {CA, 1 min}\n\n'
                                   '    # echo here\n')
    table = Table(tmp_path, 80, 24, term)
    try:
        table.play('a.md')
        table.see('Step 1 of 1 +CA +1 min planned')
        table.run_it()
        table.next(None)
        table.enter('table>')
    finally:
        table.close()


def test_a_long_step_scrolls(tmp_path):
    """What is to be done next is seen, on a small screen as well."""
    text = '\n\n'.join(f'- [ ] CA: item {i}' for i in range(40))
    (tmp_path / 'a.md').write_text('---\nceremony: 1\ntitle: x\nroles: {CA: y}\n---\n# A\n\n## 1. One {CA, 1 min}\n\n'
                                   f'{text}\n')
    table = Table(tmp_path, 60, 16)
    try:
        table.play('a.md')
        for i in range(40):
            table.see(rf'> \[ \] CA: item {i}$')
            table.keys('Enter')
        table.see('> the step is done')
        for _ in range(30):
            table.keys('Up')
        table.see('Step 1 of 1')
    finally:
        table.close()


@pytest.mark.parametrize('text, status, reason', [
    ('## 2. One {CA, 1 min}\n', 3, 'steps are numbered from 1'),
    ('## 1. One {CA, 1 min}\n\n- [ ] XX: it is\n', 3, 'no such role: XX'),
    ('## 1. One {CA, 1 min}\n\n- [ ] CA: it is ${X}\n', 3, 'a.md:10: ${X} is not in set'),
    ('## 1. One {CA, 1 min}\n\nRead ${X}\n', 3, 'a.md:10: ${X} is not in set'),
    ('', 3, 'no step'),
])
def test_what_cannot_be_played_is_refused(table, tmp_path, text, status, reason):
    (tmp_path / 'a.md').write_text(f'---\nceremony: 1\ntitle: x\nroles: {{CA: y}}\n---\n# A\n\n{text}')
    table.type('ceremony run a.md; echo "=$?="')
    table.see(f'(?s){folded(reason)}.*={status}=')


def test_without_a_terminal():
    done = run(BIN / 'ceremony', 'run', pathlib.Path(__file__).parents[2] / 'docs/REHEARSAL.md')
    assert done.returncode == 2 and b'run needs a terminal' in done.stderr
