# SPDX-License-Identifier: ISC
"""Shows that the text console of the booted disc is paged back with the keys that
people press, under the layouts of other countries too, before a log is kept and
while one is; and that a log which begins later records that console.  Linux pages
no console since 5.9, and an audit's findings are longer than a screen.

The picture is kept: build/page-back.png."""
import time

import pytest

from machine import Machine, press, said, type_on_keyboard

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def guest(disc, tmp_path_factory):
    with Machine(disc['ISO'], tmp_path_factory.mktemp('page-back')) as machine:
        machine.choose('serial')
        machine.prompt(120)
        machine.must('chvt 1; until ls /run/keyroom/lately/*; do sleep 1; done', 60)
        yield machine


def screen(guest):
    return said(guest, 'cat /dev/vcs1 | fold -w "$(stty size </dev/tty1 | cut -d " " -f 2)"')


def shows(guest, *words, seconds=40):
    """Wait until the first console shows all of these; what it shows."""
    until = time.monotonic() + seconds * guest.slow
    while True:
        shown = screen(guest)
        if all(word in shown for word in words):
            return shown
        if time.monotonic() > until:
            guest.fail(f'not on the first console: {words}, but:\n{shown}')
        time.sleep(1)


def there_and_back(guest, gone, last):
    """Page up until what has scrolled off is there; q, and the end is there again."""
    assert gone not in screen(guest)
    press(guest, 'shift+pgup')
    shows(guest, 'q goes back', last)
    for _ in range(20):
        if gone in screen(guest):
            break
        press(guest, 'shift+pgup')
    shown = shows(guest, gone, 'q goes back')
    assert last not in shown
    press(guest, 'q')
    shown = shows(guest, last, ' #')
    assert 'q goes back' not in shown and gone not in shown


def type_lines(guest, word):
    type_on_keyboard(guest, f'echo first-{word}; seq 200; echo last-{word}\n')
    shows(guest, f'\nlast-{word}')


def test_what_scrolled_off_comes_back_without_a_log(guest, build):
    type_lines(guest, 'one')
    press(guest, 'shift+pgup')
    shows(guest, 'q goes back')
    press(guest, 'shift+pgup')
    guest.must('sleep 2', 20)
    guest.screendump(build / 'page-back.png')
    press(guest, 'q')
    shows(guest, '\nlast-one')
    there_and_back(guest, '\nfirst-one', '\nlast-one')
    # The first words of the first prompt are there, too.
    type_on_keyboard(guest, 'page-back --text | grep keyboard\n')
    shows(guest, '\nUS keyboard')


@pytest.mark.parametrize('layout', ['de', 'jp', 'us'])
def test_keys_hold_under_every_layout(guest, layout):
    guest.must(f'keyboard {layout}')
    press(guest, 'shift+pgup')
    shows(guest, 'q goes back')
    press(guest, 'shift+pgdn')
    press(guest, 'q')
    guest.must('sleep 2', 20)
    assert 'q goes back' not in screen(guest)


def test_log_that_begins_later_has_the_console(guest):
    """From the next prompt on, by its own name, in the shell that was there."""
    type_on_keyboard(guest, 'cd /usr/share\n')
    guest.must('ceremony-log start /root/log', 30)
    press(guest, 'ret')
    guest.must('until ls /root/log/terminal-tty1-*; do sleep 1; done', 60)
    type_on_keyboard(guest, 'pwd\n')
    guest.must('until grep -a "^/usr/share" /root/log/terminal-tty1-*; do sleep 1; done', 60)
    status, text = guest.run('ceremony-log status', 30)
    assert status == 0 and 'NOT RECORDED' not in text, text
    type_lines(guest, 'two')
    there_and_back(guest, '\nfirst-two', '\nlast-two')
    guest.must('ceremony-log finish --no-print && sh /root/log/verify', 60)


def test_serial_line_has_its_own(guest):
    """Nothing is kept of it while no log is: the command says so."""
    status, text = guest.run('page-back </dev/ttyS0')
    assert status == 3 and 'is not kept' in text, text
