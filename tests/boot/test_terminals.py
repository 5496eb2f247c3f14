# SPDX-License-Identifier: ISC
"""Shows that every terminal of the ceremony disc's desktop is recorded, whatever
opened it: keys that are not ours open nothing, a window that is opened by hand
looks like ours and records from its first prompt, and one that asks nobody is
told by the log, the status, the audit and an alarm.  A shell of which no
recording knows could do anything.

Pictures are kept: build/terminal-by-hand.png, build/terminal-not-recorded.png."""
import base64
import re

import pytest

from machine import Machine, press, said, type_on_keyboard
from test_desktop import put_away, typed, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def guest(ceremony_disc, tmp_path_factory):
    """The machine, its log begun, every terminal recorded."""
    with Machine(ceremony_disc['ISO'], tmp_path_factory.mktemp('terminals')) as machine:
        machine.choose('serial')
        machine.prompt(120)
        wait_for(machine, 'ps -o args= --ppid "$(pgrep -x foot)" | grep -q bash')
        machine.must('sleep 10', 30)
        machine.must('ceremony-log start /root/log', 30)
        press(machine, 'ret')
        wait_for(machine, 'ceremony-log status', 40)
        yield machine


def windows(guest):
    return int(said(guest, 'pgrep -x foot | wc -l').split()[-1])


@pytest.mark.parametrize('keys', ['ctrl+shift+n', 'ctrl+shift+o', 'ctrl+shift+u', 'ctrl+shift+r', 'ctrl+shift+f'])
def test_keys_that_are_not_ours_open_nothing(guest, keys):
    before = windows(guest)
    press(guest, keys)
    guest.must('sleep 3', 20)
    assert windows(guest) == before
    press(guest, 'esc')
    # And the line is as it was: what is typed next is done.
    assert typed(guest, 'tty', '/run/k1').startswith('/dev/pts/')


def test_nor_do_they_beside_a_picture(guest):
    press(guest, 'f4')
    wait_for(guest, 'pgrep -f app-id=show')
    guest.must('sleep 8', 60)
    before = windows(guest)
    press(guest, 'ctrl+shift+n')
    guest.must('sleep 3', 20)
    assert windows(guest) == before
    status, text = guest.run('ceremony-log status', 30)
    assert status == 0 and 'shows a picture' in text, text
    put_away(guest)


@pytest.mark.parametrize('command', ['foot', 'setsid -f foot'])
def test_window_opened_by_hand_is_ours_and_recorded(guest, command, build):
    before, recorded = windows(guest), said(guest, 'ls /root/log | grep -c terminal-')
    type_on_keyboard(guest, f'{command}\n')
    wait_for(guest, f'[ "$(pgrep -x foot | wc -l)" = {before + 1} ]')
    # The recorded shell takes the place of the first one.
    wait_for(guest, f'[ "$(ls /root/log | grep -c terminal-)" -gt {recorded} ]', 60)
    guest.must('sleep 6', 60)
    press(guest, 'ctrl+u')
    word = 'by-' + command.replace(' ', '-')
    type_on_keyboard(guest, f'echo {word}\n')
    wait_for(guest, f'[ "$(grep -l -e {word} /root/log/terminal-* | wc -l)" -ge 1 ]', 40)
    guest.screendump(build / 'terminal-by-hand.png')
    status, text = guest.run('ceremony-log status', 30)
    assert status == 0 and 'NOT RECORDED' not in text, text
    guest.must(f'grep -l -e {word} /root/log/terminal-* | xargs grep -q -F "[Keyroom "', 30)
    type_on_keyboard(guest, 'exit\n')
    wait_for(guest, f'[ "$(pgrep -x foot | wc -l)" = {before} ]')


@pytest.mark.parametrize('command', ['foot sh', 'setsid -f foot bash --norc'])
def test_terminal_that_asks_nobody_is_told(guest, command, build):
    before = windows(guest)
    told = int(said(guest, 'grep -c " unrecorded pts/" /root/log/journal || true').split()[-1])
    type_on_keyboard(guest, f'{command}\n')
    wait_for(guest, f'[ "$(pgrep -x foot | wc -l)" = {before + 1} ]')
    wait_for(guest, f'[ "$(grep -c " unrecorded pts/" /root/log/journal)" -gt {told} ]', 40)
    status, text = guest.run('ceremony-log status', 30)
    assert status == 1 and 'NOT RECORDED' in text, text
    guest.must('sleep 3', 20)
    guest.screendump(build / 'terminal-not-recorded.png')
    if guest.run('test -e /usr/lib/keyroom/audit/47-terminals')[0] == 0:
        status, text = guest.run('system-audit --quick', 120)
        assert status == 1 and 'is not' in text, text
    type_on_keyboard(guest, 'exit\n')
    wait_for(guest, f'[ "$(pgrep -x foot | wc -l)" = {before} ]')
    guest.must('ceremony-log status', 30)


@pytest.mark.parametrize('name, command, told', [
    ('tty7', 'setsid -c sleep 600', 'tty7'), ('tty0', 'setsid -c sleep 600', 'tty7'),
    ('tty8', 'setsid sh -i', 'tty8'), ('tty0', 'setsid sh -i', 'tty0'),
    ('console', 'setsid sleep 600', 'console')])
def test_shell_on_a_console_beyond_the_six_is_told(guest, name, command, told):
    """No getty is there, but whoever is root can put a program on it, by the console's
    own name or by the one of whichever is on the screen, as its terminal or, as dash
    takes it, as nothing but its files."""
    number = 8 if name == 'tty8' else 7
    guest.must(f'back=$(fgconsole); chvt {number}; ({command} </dev/{name} >/dev/{name} 2>&1 & echo $! >/run/odd); '
               'sleep 2; chvt $back', 20)
    shell = command.split()[-2]
    status, text = guest.run('ceremony-log status', 30)
    assert status == 1 and re.search(rf' {told}: NOT RECORDED \({shell}, process', text), text
    wait_for(guest, f'grep -q " unrecorded {told} " /root/log/journal', 40)
    guest.must('kill -9 $(cat /run/odd); sleep 2', 20)
    guest.must('ceremony-log status', 30)


def test_script_and_setsid_stay_recorded(guest):
    type_on_keyboard(guest, 'script -q /run/s\n')
    guest.must('sleep 5', 30)
    type_on_keyboard(guest, 'echo in-script\n')
    wait_for(guest, 'grep -l in-script /root/log/terminal-*', 40)
    assert guest.run('ceremony-log status', 30)[0] == 0
    type_on_keyboard(guest, 'exit\n')
    guest.must('sleep 3', 20)
    type_on_keyboard(guest, 'setsid -w bash --norc\n')
    guest.must('sleep 3', 20)
    type_on_keyboard(guest, 'echo in-setsid\n')
    wait_for(guest, 'grep -l in-setsid /root/log/terminal-*', 40)
    assert guest.run('ceremony-log status', 30)[0] == 0
    type_on_keyboard(guest, 'exit\n')


SCRIPT = """---
ceremony: 1
title: One card
roles: {CA: whoever types, IW: whoever watches}
---
# Act 1. All of it

## 1. Look {CA IW, 2 min}

    # date
    UTC

- [ ] IW: that is the wall clock's time
"""


def test_card_of_a_script_on_the_desktop(guest, build):
    """Played in the window; a picture of the card is kept with the rehearsal's."""
    (build / 'rehearsal').mkdir(exist_ok=True)
    guest.must(f'echo {base64.b64encode(SCRIPT.encode()).decode()} | base64 -d >/root/one.md', 30)
    press(guest, 'ctrl+u')
    type_on_keyboard(guest, 'ceremony run one.md\n')
    wait_for(guest, 'grep -q " step 1 begin$" /root/log/journal', 60)
    guest.must('sleep 4', 40)
    guest.screendump(build / 'rehearsal' / 'card.png')
    press(guest, 'ret')
    wait_for(guest, 'grep -q " step 1 command date$" /root/log/journal', 40)
    guest.must('sleep 4', 30)
    guest.screendump(build / 'rehearsal' / 'card-command.png')
    for _ in range(3):
        press(guest, 'ret')
        guest.must('sleep 3', 20)
    wait_for(guest, 'grep -q " step 1 confirm IW " /root/log/journal', 40)
    press(guest, 'q')
    guest.must('sleep 3', 20)


def test_log_is_whole(guest):
    guest.must('ceremony-log finish --no-print', 60)
    guest.must('sh /root/log/verify', 60)
