#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""window.py BUILD: a ceremony in a window, for docs/REHEARSAL.md.

The disc that was built last starts in QEMU with what lies on the table of a
ceremony: flash drives HSMFD (configuration, tokens of SoftHSM, the script), KSR (a request)
and DRIVERS (the SoftHSM extension), an HSM's serial line that says something now
and then, and a printer at 192.168.0.3, port 9100, whose pages land in
BUILD/rehearsal/printed.  All of it is made anew by each run, in BUILD/rehearsal.

KEYROOM_DISPLAY  gtk, sdl, vnc or none; without it, what there is
KEYROOM_ACCEL    kvm or tcg; without it, what works
"""
import datetime
import hashlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import time

import drives
from machine import ACCEL, accelerator, firmware_arguments, medium_arguments

TOP = pathlib.Path(__file__).resolve().parents[2]
PIN = '1234'
PRINTER = '192.168.0.3'
VNC = 77        # port 5977


def make_token(folder, environment):
    """HSMFD: a token with a key in it, and the configuration that names it."""
    (folder / 'tokens').mkdir(parents=True)
    conf = folder / 'softhsm2.conf'
    conf.write_text(f'directories.tokendir = {folder}/tokens\n')
    environment = dict(environment, SOFTHSM2_CONF=str(conf))
    shutil.copy(TOP / 'docs/rehearsal.yaml', folder / 'ksrsigner.yaml')
    for command in (['softhsm2-util', '--init-token', '--free', '--label', 'rehearsal', '--pin', PIN,
                     '--so-pin', PIN],
                    ['keymaster', 'keygen', '--algorithm', 'ECDSAP256SHA256', '--label', 'ksk']):
        subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    for log in folder.glob('*.log'):
        log.unlink()
    # The disc sees the drive here; the driver looks for this file on it.
    conf.write_text('directories.tokendir = /media/HSMFD/tokens\n')


def make_request(folder, environment):
    """KSR: a request for four bundles, from the last midnight on."""
    folder.mkdir()
    start = datetime.datetime.now(datetime.timezone.utc).strftime('%FT00:00:00')
    subprocess.run(['ksrgen', '--keys', folder.parent / 'zsk', '--start', start, '--domain', 'example.',
                    '--algorithm', 'ECDSAP256SHA256', '--bundles', '4', '--roll', 'none', folder / 'ksr.xml'],
                   env=environment, check=True, stdout=subprocess.DEVNULL)


def prepare(build, room, extension):
    """The three drives' images, in the room."""
    shutil.rmtree(room, ignore_errors=True)
    (room / 'printed').mkdir(parents=True)
    environment = dict(os.environ, PATH=f'{build}/host/bin:{os.environ["PATH"]}', LC_ALL='C.UTF-8', TZ='UTC')
    make_token(room / 'HSMFD', environment)
    shutil.copy(TOP / 'docs/REHEARSAL.md', room / 'HSMFD/rehearsal.md')
    make_request(room / 'KSR', environment)
    (room / 'DRIVERS').mkdir()
    shutil.copy(extension, room / 'DRIVERS')
    return [drives.make_drive(room / f'{label}.img', label, room / label) for label in ('HSMFD', 'KSR', 'DRIVERS')]


def display():
    """QEMU's display, and what to tell about it."""
    known = subprocess.run(['qemu-system-x86_64', '-display', 'help'], stdout=subprocess.PIPE, text=True).stdout.split()
    wanted = os.environ.get('KEYROOM_DISPLAY')
    if not wanted:
        screen = os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')
        wanted = next((kind for kind in ('gtk', 'sdl') if screen and kind in known), 'vnc')
    if wanted == 'vnc':
        return f'vnc=127.0.0.1:{VNC}', (f'no window here: look with a VNC viewer at 127.0.0.1:{5900 + VNC} '
                                        '(a window needs a desktop and the package qemu-system-gui)')
    return wanted, f'display {wanted}'


def arguments(disc, room, sticks, screen):
    accel = os.environ.get('KEYROOM_ACCEL') or accelerator(disc['ISO'])
    made = ['qemu-system-x86_64', *ACCEL[accel], '-m', '1024', '-smp', '2', '-name', 'Keyroom rehearsal',
            '-display', screen, '-vga', 'std', '-no-reboot', '-rtc', 'base=utc',
            '-chardev', f'socket,id=serial,path={room}/serial,server=on,wait=off', '-serial', 'chardev:serial',
            '-qmp', f'unix:{room}/qmp,server=on,wait=off',
            *firmware_arguments('bios', str(room)), '-device', 'qemu-xhci,p2=8,p3=8',
            *medium_arguments('dvd', disc['ISO']),
            '-chardev', f'socket,id=hsm,path={room}/hsm,server=on,wait=off',
            '-device', 'usb-serial,chardev=hsm,always-plugged=on',
            '-netdev', 'user,id=net,net=192.168.0.0/24,host=192.168.0.250,dns=192.168.0.251,restrict=on,'
            f'guestfwd=tcp:{PRINTER}:9100-cmd:{sys.executable} {__file__} --page {room}/printed',
            '-device', 'e1000e,netdev=net']
    for number, image in enumerate(sticks):
        made += ['-drive', f'id=stick{number},if=none,format=raw,file={image}',
                 '-device', f'usb-storage,drive=stick{number},removable=on']
    return made


def drain(line):
    """Read what comes back: the guest's terminal echoes until a program sets it up,
    and unread, a few hundred bytes of that stop the whole machine."""
    try:
        while line.recv(4096):
            pass
    except OSError:
        pass


def speak(path):
    """What an HSM says on its serial line while nothing happens."""
    for _ in range(100):
        try:
            line = socket.socket(socket.AF_UNIX)
            line.connect(path)
            break
        except OSError:
            time.sleep(0.1)
    threading.Thread(target=drain, args=(line,), daemon=True).start()
    for count in range(1, 100000):
        try:
            line.sendall(b'HSM-REHEARSAL %05d self-test passed, battery 3.6 V\r\n' % count)
        except OSError:
            return
        time.sleep(2)


def take_page(folder):
    """The printer: one connection's bytes are one job, on standard input."""
    job = folder / time.strftime('%H%M%S.ps')
    count = 1
    while job.exists():
        count += 1
        job = folder / time.strftime(f'%H%M%S-{count}.ps')
    with open(job, 'wb') as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    if shutil.which('ps2pdf'):
        subprocess.run(['ps2pdf', job, job.with_suffix('.pdf')], stdout=subprocess.DEVNULL)


def rehearse(build):
    disc = dict(line.split('=', 1) for line in (build / 'out/latest').read_text().splitlines())
    room = build / 'rehearsal'
    sticks = prepare(build, room, disc['EXTENSION'])
    screen, told = display()
    with open(disc['ISO'], 'rb') as iso:
        digest = hashlib.file_digest(iso, 'sha256').hexdigest()
    print(f'disc {disc["NAME"]}, SHA-256 {digest}\n{told}\nthe steps: docs/REHEARSAL.md', flush=True)
    qemu = subprocess.Popen(arguments(disc, room, sticks, screen), stdin=subprocess.DEVNULL)
    threading.Thread(target=speak, args=(str(room / 'hsm'),), daemon=True).start()
    try:
        status = qemu.wait()
    except KeyboardInterrupt:
        qemu.terminate()
        status = qemu.wait()
    print(f'pages printed: {len(list((room / "printed").glob("*.ps")))}, in {room}/printed')
    return status


if __name__ == '__main__':
    if sys.argv[1] == '--page':
        take_page(pathlib.Path(sys.argv[2]))
    else:
        sys.exit(rehearse(pathlib.Path(sys.argv[1]).resolve()))
