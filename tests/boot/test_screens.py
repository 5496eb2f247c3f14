# SPDX-License-Identifier: ISC
"""Shows screens, keyboards and sticks as people bring them, on one machine that is
started from a USB stick, with a mouse and a data disc in a drive of its
own: drives of every kind, in windows and at the first prompt; a German keyboard; a
second screen; titles and the pointer, by their dots; and, last, the stick pulled out.
A witness who sees nothing, or half a word, does not know what happened.

Pictures are kept in build/screens/."""
import base64
import re
import subprocess
import time

import pytest

import drives
from machine import Machine, press, said, type_on_keyboard
from picture import OTHER_TITLE, PAPER, TITLE, read_png, read_ppm
from rfb import Screen
from test_desktop import assert_dark_on_light, put_away, screen, typed, wait_for

pytestmark = pytest.mark.slow
MIB = 1 << 20


def fat(path, label='KSR', size=16):
    subprocess.run(['/usr/sbin/mkfs.fat', '-F', '16', *(['-n', label] if label else []), '-C', str(path),
                    str(size * 1024)], check=True, stdout=subprocess.DEVNULL)
    return path


def blank(path, size=16):
    with open(path, 'wb') as image:
        image.truncate(size * MIB)
    return path


def made(path, *command, size=16):
    blank(path, size)
    subprocess.run([*command, str(path)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


def patched(path, place, value):
    with open(path, 'r+b') as image:
        image.seek(place)
        image.write(value)
    return path


def iso(path, label):
    (path.parent / 'tree').mkdir(exist_ok=True)
    (path.parent / 'tree' / 'note').write_text('on a disc\n')
    subprocess.run(['xorriso', '-as', 'mkisofs', '-V', label, '-o', str(path), str(path.parent / 'tree')],
                   check=True, stderr=subprocess.DEVNULL)
    return path


def partitioned(path, line):
    """One partition from 1 MiB on, of a table that leaves all else as it is."""
    subprocess.run(['/usr/sbin/sfdisk', '-q', '--wipe', 'never', str(path)], input=f'label: dos\nstart=2048, {line}\n',
                   text=True, check=True, stdout=subprocess.DEVNULL)
    return path


def anew(path):
    """What was once a disc image over all of the stick, and has a FAT now."""
    with open(iso(path, 'OLD'), 'r+b') as image:
        image.truncate(16 * MIB)
    return parted_fat(path, 'KSR')


def parted_fat(path, label):
    """A FAT in the one partition."""
    subprocess.run(['/usr/sbin/mkfs.fat', '-F', '16', '-n', label, '--offset', '2048', str(partitioned(path, 'type=c')),
                    str(15 * 1024)], check=True, stdout=subprocess.DEVNULL)
    return path


def luks(path):
    """As the kernel and blkid know it: magic and version; nothing is encrypted."""
    return patched(blank(path), 0, b'LUKS\xba\xbe\0\1aes\0')


# What is plugged in, and what the screen must say; red, unless it is mounted.
KINDS = {
    'ntfs': (lambda path: made(path, '/usr/sbin/mkntfs', '-q', '-F', '-Q'), 'holds NTFS, .* use FAT, exFAT or ext4'),
    'ext2': (lambda path: made(path, '/usr/sbin/mkfs.ext2', '-q'), 'holds ext2, .* use FAT, exFAT or ext4'),
    'luks': (luks, r'is encrypted \(LUKS\), .* use FAT, exFAT or ext4'),
    'empty': (blank, 'holds no file system, it is empty or damaged: use FAT, exFAT or ext4'),
    'damaged': (lambda path: patched(fat(path), 11, b'\0\0'), 'holds a damaged FAT: use another drive'),
    'extended': (lambda path: partitioned(blank(path), 'size=8192, type=f'),
                 'has a partition table and no partition: use FAT, exFAT or ext4'),
    'anew': (anew, 'holds a disc image and, in sd[a-z]1, other files: use another drive'),
    'nolabel': (lambda path: fat(path, ''), 'it has no label; to mount it: mount-drive sd[a-z] DRIVE'),
    'blanks': (lambda path: fat(path, 'MY STICK'), 'its label is "MY STICK"; to mount it: mount-drive sd[a-z] MY_STICK'),
    'unclean': (lambda path: patched(fat(path, 'DIRTY'), 37, b'\1'), 'mounted at /media/DIRTY .*did not unmount it'),
    'iso': (lambda path: iso(path, 'DATA'), r'mounted at /media/DATA \(write-protected\)'),
    'udf': (lambda path: made(path, 'mkudffs', '-b', '512', '-m', 'hd', '-l', 'UDFDATA'),
            r'mounted at /media/UDFDATA \(write-protected\)'),
    'other': (lambda path: iso(path, 'KEYROOM_0_3_4'), 'another Keyroom disc, not the one'),
    'plain': (lambda path: fat(path, 'KSR'), r'mounted at /media/KSR \(writable\)'),
}


def plug(guest, name, path):
    guest.qmp('blockdev-add', driver='raw', **{'node-name': name},
              file={'driver': 'file', 'filename': str(path)})
    guest.qmp('device_add', driver='usb-storage', id=f'{name}-drive', drive=name, removable=True)


def unplug(guest, name):
    guest.qmp('device_del', id=f'{name}-drive')
    guest.must('sleep 2', 20)
    guest.qmp('blockdev-del', **{'node-name': name})


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('screens')


@pytest.fixture(scope='module')
def pictures(build):
    (build / 'screens').mkdir(exist_ok=True)
    return build / 'screens'


@pytest.fixture(scope='module')
def guest(ceremony_disc, folder):
    """The machine, with a drive and a disc that were there before it started, once the
    first window has its shell."""
    early = made(folder / 'early.img', '/usr/sbin/mkntfs', '-q', '-F', '-Q')
    extra = ['-vga', 'none', '-device', 'virtio-vga,max_outputs=2,id=card',
             '-vnc', f'unix:{folder}/screen0,display=card,head=0',
             '-vnc', f'unix:{folder}/screen1,display=card,head=1', '-device', 'usb-mouse',
             '-drive', f'id=data,if=none,format=raw,readonly=on,file={iso(folder / "data.iso", "ON_A_DISC")}',
             '-device', 'ide-cd,id=second,drive=data,bus=ide.1']
    with Machine(ceremony_disc['ISO'], folder, medium='usb', drives=[early], extra=extra) as machine:
        machine.choose('serial')
        machine.expect(r'holds NTFS', 180)
        machine.prompt(120)
        wait_for(machine, 'ps -o args= --ppid "$(pgrep -x foot)" | grep -q bash')
        machine.must('sleep 10; export XDG_RUNTIME_DIR=/run/user/0 WAYLAND_DISPLAY=wayland-0', 30)
        yield machine


def shot(guest, folder):
    """What the first screen shows."""
    guest.qmp('screendump', filename=str(folder / 'shot.ppm'))
    return read_ppm((folder / 'shot.ppm').read_bytes())


def test_data_disc_in_a_second_drive_is_mounted_and_told_and_so_is_the_next_one(guest, folder):
    """The disc that the machine was started from is on the stick."""
    assert re.search(r' \d\d:\d\d:\d\d /dev/sr0 mounted at /media/ON_A_DISC \(write-protected\)',
                     said(guest, 'cat /run/keyroom/announced'))
    assert said(guest, 'cat /media/ON_A_DISC/note') == 'on a disc'
    guest.must('umount /media/ON_A_DISC; sleep 2', 20)
    assert 'return' in guest.qmp('blockdev-open-tray', id='second', force=True)
    assert 'return' in guest.qmp('blockdev-remove-medium', id='second')
    guest.must('sleep 5', 40)
    guest.qmp('blockdev-add', driver='raw', **{'node-name': 'next', 'read-only': True},
              file={'driver': 'file', 'filename': str(iso(folder / 'next.iso', 'NEXT'))})
    assert 'return' in guest.qmp('blockdev-insert-medium', id='second', **{'node-name': 'next'})
    assert 'return' in guest.qmp('blockdev-close-tray', id='second')
    guest.expect(r'/dev/sr0 mounted at\s+/media/NEXT \(write-protected\)', 60)
    guest.must('umount /media/NEXT; ! grep -q "medium-gone" /run/keyroom/announced; ! test -e /run/keyroom/medium-gone', 20)


def test_first_prompt_of_the_window_tells_of_the_drive_that_was_there(guest, folder, pictures):
    guest.screendump(pictures / 'first-prompt-1280x800.png')
    assert_dark_on_light(screen(guest, folder)[1])
    told = typed(guest, 'cat /run/keyroom/announced', '/run/s0')
    assert re.search(r'!\d\d:\d\d:\d\d /dev/sd[a-z] holds NTFS', told)


@pytest.mark.parametrize('width, height', [(1024, 768), (3840, 2160), (1280, 800)])
def test_letters_and_titles_follow_the_size_of_the_screen(guest, folder, pictures, width, height):
    """84 letters fill a line, the title grows with them, and the pointer waits unseen."""
    guest.must(f'/usr/lib/keyroom/desktop-screens {width}x{height}; sleep 5', 120)
    rows, columns = map(int, typed(guest, 'stty size', '/run/s6').split())
    guest.must('rm /run/s6')
    guest.screendump(pictures / f'first-prompt-{width}x{height}.png')
    seen, pixels = screen(guest, folder)
    assert seen == width and columns == 84
    assert_dark_on_light(pixels)
    # A line is as high as its letters ask for; the title's is one of them.
    assert height / (rows + 2) > 20 * width / 1280
    picture = shot(guest, folder)
    ((left, top, right, bottom), bar), = picture.titles()
    # Of 62 letters, from the top of an F to the foot of a p; and how wide they are.
    print(f'title at {width}: {left, top, right, bottom} of {bar}')
    assert 11 <= (bottom - top + 1) * 1280 / width <= 18
    assert 500 <= (right - left) * 1280 / width <= 660
    assert_no_pointer(picture)


def assert_no_pointer(picture):
    """In the corner where it waits there is paper, and at most a window's border."""
    side = 60 * picture.width // 1280
    edge = 4 * picture.width // 1280
    for y in range(picture.height - side, picture.height - edge):
        assert set(picture.row(y, picture.width - side, picture.width - edge)) == {PAPER}, y


def move_mouse(guest, x, y):
    for _ in range(4):
        guest.qmp('input-send-event', events=[{'type': 'rel', 'data': {'axis': axis, 'value': value}}
                                              for axis, value in (('x', x // 4), ('y', y // 4))])
        guest.must('true')


def test_pointer_is_seen_once_a_mouse_moves_and_is_in_no_picture(guest, folder, pictures):
    press(guest, 'ctrl+u')
    type_on_keyboard(guest, 'clear\n')
    guest.must('sleep 4', 20)
    before = shot(guest, folder)
    assert_no_pointer(before)
    move_mouse(guest, -400, -300)
    guest.must('sleep 2', 20)
    after = shot(guest, folder)
    guest.screendump(pictures / 'pointer.png')
    left, top, right, bottom = before.differences(after)
    print('the pointer is at', (left, top, right, bottom))
    assert 8 <= right - left <= 30 and 8 <= bottom - top <= 30
    assert right < before.width - 60 and bottom < before.height - 60
    press(guest, 'f4')
    wait_for(guest, 'pgrep -f app-id=show')
    put_away(guest)
    saved = said(guest, 'base64 -w 0 /root/screencap-*.png; echo; rm /root/screencap-*')
    assert before.differences(read_png(base64.b64decode(saved))) is None
    assert_no_pointer(shot(guest, folder))
    guest.must('! grep -i "invalid" /run/keyroom/desktop.log', 20)


def test_picture_fills_its_window_each_time(guest, folder, pictures):
    """What is shown is a screen, with a title of its own."""
    press(guest, 'ctrl+u')
    type_on_keyboard(guest, 'clear\n')
    seen = []
    for turn in range(2):
        press(guest, 'f4')
        wait_for(guest, 'pgrep -f app-id=show')
        guest.must('sleep 10', 60)
        picture = shot(guest, folder)
        guest.screendump(pictures / f'picture-{turn}.png')
        _, (_, (left, right)) = picture.titles()
        seen.append((left, right))
        put_away(guest)
        guest.must('rm /root/screencap-*')
    print('the picture lies in', seen)
    # Two lines are kept for the keys: 1280 by 800 becomes as high as what is left.
    assert seen[0] == seen[1] and seen[0][1] - seen[0][0] > 0.8 * 1280


def test_page_fills_its_window_and_grows_and_shrinks_by_keys(guest, folder, pictures):
    guest.must('seq 60 | text2pdf >/root/page.pdf', 30)
    press(guest, 'ctrl+u')
    type_on_keyboard(guest, 'show page.pdf\n')
    wait_for(guest, 'pgrep -f app-id=show')

    def wide():
        guest.must('sleep 12', 60)
        picture = shot(guest, folder)
        lights = picture.row(picture.height // 2)
        return sum(light != PAPER for light in lights) / picture.width
    seen = {}
    for name, key in (('whole', None), ('smaller', 'minus'), ('smallest', 'minus'), ('again', 'shift+equal')):
        if key:
            press(guest, key)
        seen[name] = wide()
        guest.screendump(pictures / f'page-{name}.png')
    put_away(guest)
    print('the page\'s part of the window:', seen)
    assert seen['whole'] > 0.9 and abs(seen['smaller'] - seen['again']) < 0.02
    assert abs(seen['smaller'] - 0.75) < 0.07 and abs(seen['smallest'] - 0.5) < 0.07


@pytest.mark.parametrize('kind', KINDS)
def test_drive_is_mounted_or_told_in_one_line(guest, folder, kind):
    make, words = KINDS[kind]
    plug(guest, kind, make(folder / f'{kind}.img'))
    found = guest.expect(r'(\x1b\[1;31m)?\*\*\* (/dev/sd[^*]*)\*\*\*', 40)
    line = ' '.join(found.group(2).split())
    assert re.search(words, line), line
    assert bool(found.group(1)) != bool(re.search(r'\((writable|write-protected)\)$', line))
    if kind == 'iso':
        assert said(guest, 'cat /media/DATA/note') == 'on a disc'
        assert guest.run('touch /media/DATA/x')[0] != 0
    if kind == 'blanks':
        guest.must(line.split('to mount it: ')[1])
        guest.must('mountpoint -q /media/MY_STICK')
    guest.run('umount /media/* 2>/dev/null')
    unplug(guest, kind)


READER = '/machine/peripheral/reader-drive/reader-drive.0/legacy[0]'


def take_out(guest):
    """By hand: what is mounted is locked, and a reader's slot has no lock."""
    assert 'return' in guest.qmp('blockdev-open-tray', id=READER, force=True)
    assert 'return' in guest.qmp('blockdev-remove-medium', id=READER)


def put_in(guest, name, path):
    guest.qmp('blockdev-add', driver='raw', **{'node-name': name},
              file={'driver': 'file', 'filename': str(path)})
    assert 'return' in guest.qmp('blockdev-insert-medium', id=READER, **{'node-name': name})
    assert 'return' in guest.qmp('blockdev-close-tray', id=READER)


def test_card_put_into_a_reader_is_mounted_like_a_stick(guest, folder):
    """The reader is the drive, and was there before; what comes and goes is the card."""
    plug(guest, 'reader', fat(folder / 'first.img', 'FIRST'))
    guest.expect(r'mounted at /media/FIRST', 40)
    guest.must('umount /media/FIRST; sleep 2', 20)
    take_out(guest)
    guest.must('sleep 8', 40)
    put_in(guest, 'card2', fat(folder / 'second.img', 'SECOND'))
    guest.expect(r'mounted at /media/SECOND', 60)
    guest.must('umount /media/SECOND; sleep 2', 20)
    take_out(guest)
    guest.must('sleep 8', 40)
    # The kernel keeps a partition for as long as it is mounted, card or no card.
    put_in(guest, 'card3', parted_fat(blank(folder / 'third.img'), 'THIRD'))
    guest.expect(r'mounted at /media/THIRD', 60)
    take_out(guest)
    guest.expect(r'/media/THIRD was pulled out without umount', 60)
    guest.must('sleep 8; ! mountpoint -q /media/THIRD', 40)
    put_in(guest, 'card4', parted_fat(blank(folder / 'fourth.img'), 'FOURTH'))
    guest.expect(r'mounted at /media/FOURTH', 60)
    guest.must('umount /media/FOURTH')
    guest.qmp('device_del', id='reader-drive')
    guest.must('sleep 2', 20)


def test_messages_break_between_words_in_half_windows(guest, folder, pictures):
    press(guest, 'f2')
    wait_for(guest, 'pgrep -f app-id=second')
    guest.must('sleep 10', 30)
    plug(guest, 'half', fat(folder / 'half.img', 'MY STICK'))
    guest.expect(r'MY_STICK\s+\*\*\*', 40)
    guest.must('sleep 3', 20)
    guest.screendump(pictures / 'half-windows.png')
    unplug(guest, 'half')
    # The window with the focus is the second one; each title is written out.
    picture = shot(guest, folder)
    half = picture.width // 2
    for left, ground in ((0, OTHER_TITLE), (half, TITLE)):
        ((first, _, last, _), bar), = picture.titles(left, left + half, ground)
        print('title in half a window:', first, last, bar)
        assert 500 <= last - first and bar[0] + 4 < first and last < bar[1] - 4
    columns = int(typed(guest, 'stty size', '/run/s1').split()[1])
    assert 38 <= columns <= 44


def said_by_keys(guest, keys, layout, path):
    """What a shell with the focus reads when these keys are pressed in that layout."""
    press(guest, 'ctrl+u')
    type_on_keyboard(guest, f'head -n 1 >{path}\n')
    guest.must('sleep 2', 20)
    guest.must(f'keyboard {layout}; sleep 2', 20)    # the desktop is told, and takes a moment
    type_on_keyboard(guest, keys + '\n')
    guest.must(f'until test -s {path}; do sleep 1; done', 60)
    guest.must('keyboard us')
    return said(guest, f'cat {path}')


def test_german_keyboard_in_the_window_and_on_the_console(guest, pictures):
    """The keys at Y's and Z's places, which type z and y there."""
    assert said_by_keys(guest, 'yz-', 'de', '/run/s2') == 'zy\u00df'
    assert said_by_keys(guest, 'yz-', 'us', '/run/s3') == 'yz-'
    guest.must('keyboard de; chvt 2')
    type_on_keyboard(guest, '\n')
    guest.must('until pgrep -t tty2 bash; do sleep 1; done', 60)
    guest.must('sleep 2; keyboard us', 20)
    assert said_by_keys(guest, 'yz-', 'de', '/run/s4') == 'zy\u00df'
    guest.screendump(pictures / 'german-console.png')
    assert 'German keyboard' in said(guest, 'fold -w 80 /dev/vcs2')
    guest.must('chvt 1; sleep 4; keyboard us', 60)


def test_layout_set_on_a_console_is_given_once_more_on_the_desktop(guest):
    """As keyboard(1) says: labwc gives its keyboards back while a text console is shown,
    and takes no other layout after that before a first key was pressed in the old one."""
    guest.must('keyboard de; chvt 2; sleep 2; keyboard us; chvt 1; sleep 5', 90)
    press(guest, 'ctrl+u')
    guest.must('keyboard us; sleep 2', 30)
    assert said_by_keys(guest, 'yz-', 'us', '/run/s7') == 'yz-'


def test_keypad_types_digits(guest):
    press(guest, 'ctrl+u')
    type_on_keyboard(guest, 'echo ')
    for key in ('kp_1', 'kp_9', 'kp_5'):
        press(guest, key)
    type_on_keyboard(guest, ' >/run/s5\n')
    guest.must('until test -s /run/s5; do sleep 1; done', 60)
    assert said(guest, 'cat /run/s5') == '195'


def both(guest, folder):
    """The pixels of both outputs."""
    seen = []
    for head in (0, 1):
        path = folder / f'head{head}.ppm'
        guest.qmp('screendump', filename=str(path), device='card', head=head)
        seen.append(path.read_bytes())
    return seen


def test_second_screen_shows_what_the_first_does(guest, folder, pictures):
    with Screen(folder / 'screen1', 1280, 800):
        guest.must('until [ $(wlr-randr | grep -c "Position: 0,0") = 2 ]; do sleep 1; done; sleep 3', 120)
        for head in (0, 1):
            guest.qmp('screendump', filename=str(pictures / f'two-screens-{head}.png'), format='png',
                      device='card', head=head)
        first, second = both(guest, folder)
        assert first == second and len(first) > MIB
        press(guest, 'f4')
        wait_for(guest, 'pgrep -f app-id=show')
        size = said(guest, 'od -An -tu4 --endian=big -j16 -N8 /root/screencap-*.png').split()
        assert tuple(map(int, size)) in ((1280, 800),)
        put_away(guest)
        guest.must('rm /root/screencap-*', 30)


def test_stick_pulled_out_is_an_alarm_everywhere_and_the_key_still_works(guest, folder, pictures):
    guest.must('sleep 40', 200)              # what must stay is read into memory
    guest.qmp('device_del', id='medium-drive')
    guest.expect(r'\x1b\[1;31m\*\*\* THE DISC IS GONE', 60)
    guest.send('\r')
    guest.expect(r'DISC GONE', 60)
    time.sleep(10)                           # the windows are drawn row by row
    guest.screendump(pictures / 'alarm.png')
    guest.send('system-audit\r')
    guest.expect(r'the disc is gone: it cannot be read', 60)
    guest.qmp('system_powerdown')
    guest.wait_off(120)
