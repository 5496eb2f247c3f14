# SPDX-License-Identifier: ISC
"""A QEMU machine that boots an ISO and is driven over its serial line.

The guest proves success with markers that the host counts: every command's
exit status comes back in a line of its own.  Silence, a time-out or a machine
that dies is a failure, and shows the console's last 50 lines.
"""
import codecs
import functools
import json
import os
import re
import select
import shutil
import socket
import subprocess
import time

OVMF = '/usr/share/OVMF'
# One thread for both processors: with two, about one boot in 45 stopped in
# the kernel's own text patching (seen with QEMU 7.2 under TCG).  And the
# guest's clock counts its instructions, two nanoseconds each: by a host's
# clock, a busy host makes the guest's kernel find its timer broken, its
# processors stuck and its devices late.  Under Secure Boot there is one
# processor: the firmware's management mode waits for the others' turn each time,
# and took minutes to the menu.
ACCEL = {'kvm': ['-accel', 'kvm'],
         'tcg': ['-accel', 'tcg,thread=single', '-icount', 'shift=1'],
         'plain': ['-accel', 'tcg']}
SLOW = 1 if os.environ.get('KEYROOM_FAST') else 3


# The menu's letters (image/boot/grub.cfg.in).
HOTKEYS = {'console': 't', 'serial': 's', 'toram': 'm', 'check': 'd', 'keyboard': 'k'}
# What tools/system/lib/announce writes, broken between words.
ANNOUNCED = re.compile(r'\r+\n(?:\x1b\[[0-9;]*m)?\*\*\* [^*]*\*\*\*(?:\x1b\[0m)?\x07?\r+\n')
KEYS = {' ': 'spc', '/': 'slash', '\n': 'ret', '-': 'minus', '.': 'dot', ';': 'semicolon',
        '>': 'shift+dot', '|': 'shift+backslash'}


def press(guest, keys):
    """One key, or several at once: "f2", "shift+dot"."""
    guest.qmp('send-key', keys=[{'type': 'qcode', 'data': key} for key in keys.split('+')])
    time.sleep(0.2)


def type_on_keyboard(guest, text):
    """Press keys of whichever keyboard the machine has had last."""
    for letter in text:
        press(guest, KEYS.get(letter, letter))


def said(guest, command):
    """What a command that must end with 0 prints, without the shell's escapes."""
    return re.sub(r'\x1b\[[0-9;?]*[A-Za-z]', '', guest.must(command)).strip()


class MachineFailure(AssertionError):
    """The guest did not do what was expected of it."""


@functools.lru_cache(maxsize=None)
def accelerator(iso):
    """kvm or tcg, by trying: a device node that opens proves nothing, and
    neither does firmware that speaks.  The disc's menu, on the serial line
    within ten seconds, does.
    """
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        return 'tcg'
    qemu = subprocess.Popen(
        ['qemu-system-x86_64', '-accel', 'kvm', '-machine', 'q35', '-m', '256',
         '-display', 'none', '-serial', 'stdio', '-monitor', 'none', '-nic', 'none',
         '-cdrom', iso],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    seen = b''
    until = time.monotonic() + 10
    while time.monotonic() < until and b'Keyroom' not in seen:
        if select.select([qemu.stdout], [], [], 0.2)[0]:
            piece = os.read(qemu.stdout.fileno(), 4096)
            if not piece:
                break
            seen += piece
    qemu.kill()
    qemu.wait()
    return 'kvm' if b'Keyroom' in seen else 'tcg'


def firmware_arguments(firmware, folder):
    """QEMU arguments for bios, uefi, or secureboot (Microsoft's keys enrolled)."""
    if firmware == 'bios':
        return ['-machine', 'q35']
    ms = firmware == 'secureboot'
    code = f'{OVMF}/OVMF_CODE_4M{".secboot" if ms else ""}.fd'
    variables = os.path.join(folder, 'vars.fd')
    shutil.copy(f'{OVMF}/OVMF_VARS_4M{".ms" if ms else ""}.fd', variables)
    return ['-machine', 'q35' + (',smm=on' if ms else ''),
            *(['-global', 'driver=cfi.pflash01,property=secure,value=on'] if ms else []),
            '-drive', f'if=pflash,format=raw,unit=0,readonly=on,file={code}',
            '-drive', f'if=pflash,format=raw,unit=1,file={variables}']


def medium_arguments(medium, iso, served=None):
    """QEMU arguments that put the ISO into a DVD drive or on a USB stick; as an
    nbd.Drive serves it, where there is one."""
    drive = served.arguments('medium') if served else [
        '-drive', f'id=medium,if=none,format=raw,readonly=on,file={iso}']
    if medium == 'dvd':
        return drive + ['-device', 'ide-cd,id=medium-drive,drive=medium,bus=ide.0,bootindex=1']
    return drive + ['-device', 'usb-storage,id=medium-drive,drive=medium,removable=on,bootindex=1']


class Machine:
    """One machine; a context manager.  firmware: bios, uefi, secureboot;
    medium: dvd, usb; drives: raw image files, USB sticks in that order; accel:
    a key of ACCEL ("plain" is QEMU's own way without KVM); served: the nbd.Drive that
    the medium is read from; state: what save() of a machine with the same devices
    left, to go on from there; memory: MB, of which
    the kernel clears every byte at boot (init_on_free), which QEMU's translated
    code does at 300 MB/s: half the memory is 4 s less."""

    def __init__(self, iso, folder, firmware='bios', medium='dvd', drives=(),
                 memory=1024, extra=(), accel=None, served=None, state=None):
        self.folder = str(folder)
        self.text = ''
        # A character may come in two pieces.
        self.decoder = codecs.getincrementaldecoder('utf-8')('replace')
        self.place = 0
        self.events = []
        self.started = time.monotonic()
        self.slow = 1 if accelerator(iso) == 'kvm' else SLOW
        serial = os.path.join(self.folder, 'serial')
        monitor = os.path.join(self.folder, 'qmp')
        arguments = [
            'qemu-system-x86_64', *ACCEL[accel or accelerator(iso)], '-m', str(memory),
            '-smp', '1' if firmware == 'secureboot' else '2', '-display', 'none', '-vga', 'std', '-nic', 'none',
            '-no-reboot', '-rtc', 'base=utc',
            '-chardev', f'socket,id=serial,path={serial},server=on,wait=on',
            '-serial', 'chardev:serial',
            '-qmp', f'unix:{monitor},server=on,wait=off',
            *firmware_arguments(firmware, self.folder),
            '-device', 'qemu-xhci', *medium_arguments(medium, iso, served)]
        for n, drive in enumerate(drives):
            arguments += ['-drive', f'id=stick{n},if=none,format=raw,file={drive}',
                          '-device', f'usb-storage,id=stick{n}-stick,drive=stick{n},removable=on']
        if state:
            arguments += ['-incoming', f'exec:cat {state}']
        self.errors = open(os.path.join(self.folder, 'qemu.err'), 'wb')
        self.process = subprocess.Popen(arguments + list(extra), stdin=subprocess.DEVNULL,
                                        stdout=self.errors, stderr=self.errors)
        self.serial = self._connect(serial)
        self._connect_monitor(monitor)
        if state:
            self._go_on()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.serial.close()
        self.monitor.close()
        self.errors.close()
        with open(os.path.join(self.folder, 'console.log'), 'w') as log:
            log.write(self.text)

    def _connect(self, path):
        for _ in range(100):
            try:
                link = socket.socket(socket.AF_UNIX)
                link.connect(path)
                return link
            except OSError:
                link.close()
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        with open(os.path.join(self.folder, 'qemu.err')) as errors:
            raise MachineFailure('QEMU did not start: ' + errors.read())

    def _connect_monitor(self, path):
        self.monitor = self._connect(path)
        self.qmp_file = self.monitor.makefile('rw')
        self.qmp_file.readline()
        self.qmp('qmp_capabilities')

    def qmp(self, command, **arguments):
        """One QMP command; its answer.  Events are kept, as they come by."""
        self.qmp_file.write(json.dumps({'execute': command, 'arguments': arguments}) + '\n')
        self.qmp_file.flush()
        while True:
            answer = json.loads(self.qmp_file.readline())
            if 'return' in answer or 'error' in answer:
                return answer
            self.events.append(answer)

    def _wait_for(self, command, key, values, seconds=60):
        """Until what the QMP command tells under that key is among the values."""
        until = time.monotonic() + seconds * self.slow
        while (told := self.qmp(command)['return'].get(key)) not in values:
            if time.monotonic() > until or told == 'failed':
                self.fail(f'{command} tells {told!r}')
            time.sleep(0.1)

    def save(self, path):
        """Stop, and leave the state in the file; the drives are the caller's to copy."""
        self.qmp('stop')
        self.qmp('migrate-set-parameters', **{'max-bandwidth': 1 << 40})
        self.qmp('migrate', uri=f'exec:cat >{path}')
        self._wait_for('query-migrate', 'status', ['completed'])

    def _go_on(self):
        """A saved machine was stopped, and comes back so."""
        self._wait_for('query-status', 'status', ['paused', 'running'])
        self.qmp('cont')
        self.send('\r')
        self.prompt()

    def plug(self, name, node):
        """A drive into the USB: node as blockdev-add has it."""
        told = [self.qmp('blockdev-add', **{'node-name': name, **node}),
                self.qmp('device_add', driver='usb-storage', id=f'{name}-stick', drive=name, removable=True)]
        if any('error' in each for each in told):
            self.fail(f'{name} cannot be plugged in: {told}')

    def pull(self, name):
        """The drive that was plugged in under that name, or stickN, out again."""
        self.qmp('device_del', id=f'{name}-stick')
        until = time.monotonic() + 20 * self.slow
        while 'is in use' in str(self.qmp('blockdev-del', **{'node-name': name})):
            if time.monotonic() > until:
                self.fail(f'{name} is not let go')
            time.sleep(0.1)

    def screendump(self, path):
        """The screen as a PNG."""
        return self.qmp('screendump', filename=str(path), format='png')

    def fail(self, why):
        """Fail with the console's last 50 lines."""
        plain = re.sub(r'\x1b\[[0-9;?]*[A-Za-z]', '', self.text)
        tail = '\n'.join(plain.replace('\r', '').split('\n')[-50:])
        raise MachineFailure(f'{why}\n--- the console\'s last 50 lines ---\n{tail}')

    def _poke(self):
        """With a counted clock, QEMU's processor thread can miss the moment at which
        an idle guest's clock goes on, and waits until its main loop has anything to
        do ("CPU thread can infinitely wait", main-loop.c): this is something."""
        try:
            self.qmp('query-status')
        except (OSError, ValueError):
            pass                # it has just ended: whoever reads sees that

    def _read(self, seconds):
        if not select.select([self.serial], [], [], seconds)[0]:
            self._poke()
            return True
        piece = self.serial.recv(65536)
        self.text += self.decoder.decode(piece)
        return bool(piece)

    def expect(self, pattern, seconds=20):
        """Wait until the pattern appears after the last match; the match."""
        until = time.monotonic() + seconds * self.slow
        while True:
            found = re.search(pattern, self.text[self.place:], re.S)
            if found:
                self.place += found.end()
                return found
            if time.monotonic() > until:
                self.fail(f'no {pattern!r} within {seconds * self.slow} s')
            if not self._read(0.5):
                self.fail(f'the machine stopped before {pattern!r}')

    def send(self, text):
        """Type text, without a newline of its own."""
        self.serial.sendall(text.encode())

    def choose(self, entry):
        """Pick the menu's entry of that id by its letter, over the serial line."""
        self.expect(r'Keyroom [0-9.+~a-z-]+, serial', 90)
        time.sleep(1)
        self.send(HOTKEYS[entry])

    def prompt(self, seconds=60):
        """Wait for the shell's prompt."""
        self.expect(r'\[Keyroom [^\]]+\][^#]*?UTC[^#]*\n[^\n#]*# ', seconds)

    def run(self, command, seconds=30):
        """Run a command in the guest; (exit status, output).  What the disc tells
        every terminal in between ("*** /dev/sda mounted at ... ***") is not the
        command's."""
        self.send(f'{command}; echo "=RC=$?="\r')
        found = self.expect(r'(\n(?:(?!=RC=).)*?)=RC=(\d+)=', seconds)
        self.prompt()
        return int(found.group(2)), ANNOUNCED.sub('', found.group(1)).replace('\r', '').removeprefix('\n')

    def must(self, command, seconds=30):
        """Run a command that has to end with 0; its output."""
        status, output = self.run(command, seconds)
        if status:
            self.fail(f'{command!r} ended with {status}')
        return output

    def wait_off(self, seconds=40):
        """Wait until the machine has switched itself off."""
        until = time.monotonic() + seconds * self.slow
        while self.process.poll() is None:
            if time.monotonic() > until:
                self.fail('the machine did not switch itself off')
            self._read(0.5)
