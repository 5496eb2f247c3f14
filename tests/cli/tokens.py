# SPDX-License-Identifier: ISC
"""What the tests of programs with an HSM share: SoftHSM tokens in a folder of
the test's own, configurations for them, the faulty module, and a terminal to
answer questions on."""
import os
import pathlib
import pty
import select
import shutil
import signal
import subprocess
import termios
import time

import pytest

SOFTHSM = '/usr/lib/softhsm/libsofthsm2.so'
PIN, SO_PIN = '123456', '654321'
TOP = pathlib.Path(__file__).resolve().parents[2]

# A module lies within two seconds or never: nothing here may hang.
TIMEOUT = 60


class Result:
    def __init__(self, status, out, err=''):
        self.status, self.out, self.err = status, out, err


class Hsm:
    """A folder with SoftHSM tokens in it, and where programs are run."""

    def __init__(self, folder, programs=None):
        self.folder = folder
        # Another build's programs, under the sanitizers for instance.
        self.programs = pathlib.Path(os.environ.get('KEYROOM_BIN') or programs or '.')
        (folder / 'tokens').mkdir()
        self.conf = folder / 'softhsm2.conf'
        self.conf.write_text(f'directories.tokendir = {folder}/tokens\n'
                             'log.level = ERROR\n')
        self.env = {**os.environ, 'SOFTHSM2_CONF': str(self.conf), 'TZ': 'UTC', 'LC_ALL': 'C.UTF-8'}

    def tool(self, *words):
        subprocess.run(['softhsm2-util', *words], env=self.env, check=True, timeout=TIMEOUT,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def make_token(self, label='T1', pin=PIN):
        self.tool('--init-token', '--free', '--label', label, '--pin', pin, '--so-pin', SO_PIN)

    def import_key(self, der, label, token='T1', number='01'):
        pem = self.folder / f'{label}.pem'
        subprocess.run(['openssl', 'pkey', '-inform', 'DER', '-in', der, '-out', pem], check=True)
        self.tool('--import', str(pem), '--token', token, '--label', label, '--id', number, '--pin', PIN,
                  '--force')
        pem.unlink()

    def module(self, name='soft', path=SOFTHSM, pin=PIN, **env):
        """The lines of one module in the section hsm."""
        env = {'SOFTHSM2_CONF': str(self.conf), **env}
        lines = [f'  {name}:', f'    module: {path}'] + ([f'    pin: {pin}'] if pin else [])
        return '\n'.join([*lines, '    env:', *[f'      {k}: "{v}"' for k, v in env.items()], ''])

    def configure(self, *modules, rest=''):
        (self.folder / 'ksrsigner.yaml').write_text('hsm:\n' + ''.join(modules or [self.module()]) + rest)

    def run(self, program, *words, **env):
        """Run without a terminal."""
        done = subprocess.run([self.programs / program, *words], cwd=self.folder, env={**self.env, **env},
                              start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=TIMEOUT)
        return Result(done.returncode, done.stdout, done.stderr)

    def converse(self, program, *words, answers=(), send_signal=None, columns=80):
        """Run on a terminal; answers are pairs of what to wait for and what to type."""
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            termios.tcsetwinsize(0, (24, columns))
            os.execve(self.programs / program, [program, *words], self.env)
        out, end, waiting = b'', time.monotonic() + TIMEOUT, list(answers)
        while True:
            if not select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                raise AssertionError(f'{program} hangs after: {out.decode(errors="replace")}')
            try:
                piece = os.read(fd, 4096)
            except OSError:
                piece = b''
            if not piece:
                break
            out += piece
            if waiting and waiting[0][0].encode() in out.split(b'\0')[-1]:
                _, answer = waiting.pop(0)
                out += b'\0'  # what was waited for is not found again
                if answer is None:
                    os.kill(pid, send_signal)
                else:
                    os.write(fd, answer.encode() + b'\n')
        _, status = os.waitpid(pid, 0)
        os.close(fd)
        assert not waiting, f'never asked {waiting[0][0]!r}: {out.decode(errors="replace")}'
        text = out.replace(b'\0', b'').replace(b'\r\n', b'\n').decode(errors='replace')
        return Result(os.waitstatus_to_exitcode(status), text)

    def logs(self, program):
        return ''.join(path.read_text() for path in sorted(self.folder.glob(f'{program}-*.log')))

    def files(self):
        """Everything in the folder but tokens and logs: what a failure must leave as it was."""
        return {path.name: path.read_bytes() for path in self.folder.iterdir()
                if path.is_file() and path.suffix != '.log' and path.name != 'calls'}


def needs_softhsm():
    if not os.path.exists(SOFTHSM) or not shutil.which('softhsm2-util'):
        pytest.fail('softhsm2 is not installed')


def compile_module(source, out, *libraries):
    """A PKCS#11 module of the tests, as a shared object in the folder."""
    flags = subprocess.run(['pkg-config', '--cflags', 'p11-kit-1'], check=True, stdout=subprocess.PIPE,
                           text=True).stdout.split()
    flags = [word.replace('-I', '-isystem') for word in flags]
    subprocess.run(['cc', '-std=c17', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Wpedantic', '-Wshadow',
                    '-Wconversion', '-Wstrict-prototypes', '-Werror', '-O1', '-shared', '-fPIC', *flags,
                    '-o', out / f'{source.stem}.so', source, *libraries], check=True)
    return out / f'{source.stem}.so'


def compile_faulty(out):
    return compile_module(TOP / 'tests/faulty/faulty.c', out, '-ldl')
