# SPDX-License-Identifier: ISC
"""Shows the ceremony disc's desktop as a camera would see it: one terminal
fills the screen, dark on light, with the prompt of the console; keys that are
pressed do what the title says; every window is recorded; and where there is no
desktop, or it dies, the text console is there.  A screen that stays black, or
a terminal that nobody records, would end a ceremony.

The picture is kept: build/desktop.png, and with two windows desktop-two.png."""
import re
import subprocess

import pytest

import drives
from cups_room import codes, pages_of, pdf_text
from lanprinters import PDF_PRINTER, network
from machine import Machine, press, said, type_on_keyboard

pytestmark = pytest.mark.slow

LIGHT, DARK = 600, 200          # sums of red, green and blue


def screen(guest, folder, keep=None):
    """The screen: width, and a list of each pixel's red + green + blue."""
    path = folder / 'screen.ppm'
    guest.qmp('screendump', filename=str(path))
    if keep:
        guest.screendump(keep)
    kind, width, _, _, pixels = re.fullmatch(rb'(P6)\s(\d+)\s(\d+)\s(\d+)\s(.*)', path.read_bytes(),
                                             re.S).groups()
    assert kind == b'P6'
    return int(width), [sum(pixels[n:n + 3]) for n in range(0, len(pixels), 3)]


def share(pixels, wanted):
    return sum(map(wanted, pixels)) / len(pixels)


def assert_dark_on_light(pixels):
    """Paper and letters, neither a blank screen nor the console's black."""
    assert share(pixels, lambda light: light > LIGHT) > 0.8
    assert 0.001 < share(pixels, lambda light: light < DARK) < 0.2


def wait_for(guest, command, seconds=120):
    """Until a command in the guest ends with 0."""
    guest.must(f'for n in $(seq {seconds}); do {command} >/dev/null 2>&1 && break; sleep 1; done; '
               f'{command}', seconds + 20)


def typed(guest, text, path):
    """What a command that is typed in the window with the focus writes to a file.
    A keyboard keeps 16 events, and a busy machine may not come for them in time:
    then it is typed again."""
    for _ in range(3):
        press(guest, 'ctrl+u')
        type_on_keyboard(guest, f'{text} >{path}\n')
        if guest.run(f'for n in $(seq 20); do test -s {path} && break; sleep 1; done; test -s {path}',
                     60)[0] == 0:
            return said(guest, f'cat {path}')
    raise AssertionError(f'typed, and not done: {text}')


def put_away(guest):
    """A key ends the viewer, but is read only once the page is drawn."""
    for _ in range(6):
        guest.must('sleep 10', 60)
        press(guest, 'q')
        if guest.run('sleep 5; pgrep -f app-id=show')[0] != 0:
            return
    raise AssertionError('the picture does not go')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('desktop')


@pytest.fixture(scope='module')
def guest(ceremony_disc, folder, printers):
    """The machine, once the first window has its shell."""
    with Machine(ceremony_disc['ISO'], folder, extra=network(printers, folder)) as machine:
        machine.choose('serial')
        machine.prompt(120)
        wait_for(machine, 'ps -o args= --ppid "$(pgrep -x foot)" | grep -q bash')
        machine.must('sleep 10', 30)
        yield machine


def test_one_terminal_fills_the_screen_dark_on_light(guest, folder, build):
    type_on_keyboard(guest, 'sha2wordlist /etc/keyroom-release\n')
    guest.must('sleep 5', 30)
    width, pixels = screen(guest, folder, build / 'desktop.png')
    assert width >= 1024
    assert_dark_on_light(pixels)


def test_keys_are_typed_into_it(guest):
    assert re.fullmatch(r'/dev/pts/\d+', typed(guest, 'tty', '/run/t1'))
    assert int(typed(guest, 'stty size', '/run/t2').split()[1]) >= 80


def test_letters_grow_by_one_key(guest):
    before = int(typed(guest, 'stty size', '/run/t3').split()[1])
    press(guest, 'f8')
    press(guest, 'f8')
    after = int(typed(guest, 'stty size', '/run/t4').split()[1])
    press(guest, 'f7')
    press(guest, 'f7')
    assert after < before == int(typed(guest, 'stty size', '/run/t5').split()[1])


def test_promises_are_kept_with_a_desktop(guest):
    status, page = guest.run('system-audit', 300)
    assert status == 0, page
    assert guest.run('ss -Hltunw | grep .')[0] != 0


def test_audit_fits_on_the_screen(guest, folder, build):
    """All of it, below the command and above the next prompt, which takes three lines.
    The picture is kept: build/desktop-audit.png."""
    rows, columns = map(int, typed(guest, 'stty size', '/run/t8').split())
    type_on_keyboard(guest, 'clear\nsystem-audit | tee /run/audit-typed\n')
    wait_for(guest, 'grep -q "^SYSTEM AUDIT PASSED" /run/audit-typed', 300)
    guest.must('sleep 3', 20)
    guest.screendump(build / 'desktop-audit.png')
    lines = said(guest, 'cat /run/audit-typed').replace('\r', '').split('\n')
    assert 1 + len(lines) + 3 <= rows and max(map(len, lines)) <= columns, (rows, columns, lines)


def test_key_for_a_picture(guest):
    """Saved where nothing else is kept, announced in the window, and shown."""
    press(guest, 'f4')
    wait_for(guest, 'pgrep -f app-id=show')
    # The announcement comes to this line, too, whenever it likes.
    guest.must('[ "$(head -c 4 /root/screencap-*.png | tail -c 3)" = PNG ]')
    put_away(guest)


def test_key_for_a_print(guest, room, printers, tmp_path):
    """On paper: the screen as the camera sees it, under the name and hash of its file."""
    guest.must(f'hsm-network printer {PDF_PRINTER}')
    guest.must(f'configure-printer --no-test ipp://{PDF_PRINTER}/ipp/print', 120)
    guest.must('lpadmin -p HP -o copies-default=1; rm /root/screencap-*')
    press(guest, 'f5')
    wait_for(guest, 'pgrep -f app-id=show')
    put_away(guest)
    paper = room.printed(printers[PDF_PRINTER, 631][1], 1, 200)[-1]
    name, digest = said(guest, 'cd /root; echo screencap-*; sha256sum screencap-*').split()[:2]
    guest.must('hsm-network off')
    text = pdf_text(paper)
    assert name in text and digest in text and 'page 1 of 1' in text
    page, = pages_of(paper, tmp_path, 150)
    assert codes(page) == [f'SHA256:{digest.upper()}']
    listed = subprocess.run(['pdfimages', '-list', paper], capture_output=True, text=True, check=True).stdout
    assert re.search(r' image +\d{4} ', listed), listed


def test_every_window_is_recorded(guest):
    guest.must('ceremony-log start /root/log')
    press(guest, 'ret')
    guest.must('sleep 3', 20)
    press(guest, 'f2')
    wait_for(guest, 'pgrep -f app-id=second')
    guest.must('sleep 10', 30)
    second = typed(guest, 'tty', '/run/t6')
    type_on_keyboard(guest, 'echo in the second window\n')
    press(guest, 'f3')
    guest.must('sleep 2')
    assert typed(guest, 'tty', '/run/t7') != second
    type_on_keyboard(guest, 'echo in the first window\n')
    wait_for(guest, 'grep -l "in the first window" /root/log/terminal-*')
    wait_for(guest, 'grep -l "in the second window" /root/log/terminal-*')


def test_two_windows_side_by_side(guest, folder, build):
    width, pixels = screen(guest, folder, build / 'desktop-two.png')
    assert_dark_on_light(pixels)
    for half in (0, width // 2):
        part = [light for n, light in enumerate(pixels) if half <= n % width < half + width // 2]
        assert_dark_on_light(part)


def test_console_follows_when_the_desktop_dies(guest, folder):
    guest.must('kill -9 "$(pgrep -o -x labwc)"')
    wait_for(guest, 'grep -q "the desktop has ended" /dev/vcs1')
    guest.must('sleep 5', 30)
    assert share(screen(guest, folder)[1], lambda light: light < DARK) > 0.8
    type_on_keyboard(guest, 'exit\n')
    wait_for(guest, 'pgrep -x foot')


def test_first_terminal_comes_back_whatever_its_last_status(guest):
    first = guest.must('pgrep -o -x foot').split()[-1]
    guest.must('sleep 3', 30)
    type_on_keyboard(guest, 'false\nexit\n')
    wait_for(guest, f'pgrep -x foot && ! pgrep -x foot | grep -qx {first}')


@pytest.mark.parametrize('words, said', [
    ('nomodeset', 'no driver for this screen: this is the text console'),
    ('session=console', 'UTC CLOCK NOT SET')])
def test_no_desktop(words, said, ceremony_disc, tmp_path):
    """Where no driver sets modes, and where the menu chose the console."""
    drives.extract(ceremony_disc['ISO'], tmp_path, 'live/vmlinuz', 'live/initrd', 'boot/grub/grub.cfg')
    menu = (tmp_path / 'grub.cfg').read_text()
    assert 'session=console' in menu
    arguments = ' '.join(re.findall(r'_arguments="(.*)"', menu))
    extra = ['-kernel', str(tmp_path / 'vmlinuz'), '-initrd', str(tmp_path / 'initrd'),
             '-append', f'{arguments} {words} console=ttyS0,115200']
    with Machine(ceremony_disc['ISO'], tmp_path, extra=extra) as machine:
        machine.prompt(120)
        wait_for(machine, f'grep -q "{said}" /dev/vcs1')
        assert machine.run('pgrep -x labwc')[0] != 0
