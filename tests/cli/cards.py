# SPDX-License-Identifier: ISC
"""People who play a script: "ceremony run" in a terminal of tmux, keys, and what the
screen shows.  The log is the real one."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

from ceremony_tools import BIN, environment, sysroot


def folded(text):
    """A pattern for a message that may go on in further rows, words cut or not."""
    return r'\s*'.join(re.escape(letter) for letter in text if letter != ' ')


class Table:
    """One machine: its memory (run), a terminal."""

    def __init__(self, folder, columns=90, rows=30, term=None):
        self.folder, self.size, self.term = pathlib.Path(folder), (columns, rows), term
        self.place = pathlib.Path(tempfile.mkdtemp(prefix='kr.'))
        self.argv = ['tmux', '-S', str(self.place / 's'), '-f', '/dev/null']
        self.start()

    def start(self):
        """Switched on: nothing is in memory."""
        shutil.rmtree(self.place / 'run', ignore_errors=True)
        self.env = environment(run=self.place / 'run', KEYROOM_TERMINALS='/dev/none')
        self.env['PS1'] = 'table> '
        if self.term:
            self.env['TERM'] = self.term
        given = [f'{name}={value}' for name, value in self.env.items() if name != 'TERM']
        shell = 'env ' + ' '.join(f"'{one}'" for one in given) + (f' TERM={self.term}' if self.term else '')
        columns, rows = self.size
        subprocess.run([*self.argv, 'new-session', '-d', '-x', str(columns), '-y', str(rows), '-c', str(self.folder),
                        f'{shell} bash --norc --noprofile'], check=True, env=self.env, stderr=subprocess.PIPE)
        self.see('table>')

    def cut(self):
        """The power is cut: processes and memory are gone, the drive keeps what it has."""
        for path in pathlib.Path('/proc').glob('[0-9]*'):
            try:
                if f'SYSROOT={self.env["SYSROOT"]}\0'.encode() in (path / 'environ').read_bytes():
                    os.kill(int(path.name), signal.SIGKILL)
            except OSError:
                pass
        subprocess.run([*self.argv, 'kill-server'], check=False, stderr=subprocess.DEVNULL)
        time.sleep(0.2)

    def close(self):
        self.cut()
        shutil.rmtree(self.place, ignore_errors=True)

    def screen(self):
        return subprocess.run([*self.argv, 'capture-pane', '-J', '-p'], check=True, text=True, stdout=subprocess.PIPE).stdout

    def see(self, pattern, seconds=10):
        """Wait until a line of the screen has it; the match."""
        end = time.monotonic() + seconds
        while True:
            screen = "\n".join(line.rstrip() for line in self.screen().splitlines())
            found = re.search(pattern, screen, re.MULTILINE)
            if found:
                return found
            assert time.monotonic() < end, f'{pattern!r} is not on the screen:\n{screen}'
            time.sleep(0.05)

    def keys(self, *keys):
        subprocess.run([*self.argv, 'send-keys', *keys], check=True)

    def type(self, text):
        self.keys('-l', text)
        self.keys('Enter')

    def play(self, script, *options):
        self.type(f'ceremony run {" ".join(options)} {script}')
        self.see(r'q quit$|^  Enter leaves$')

    def enter(self, then):
        """Enter, and wait for what comes then."""
        self.keys('Enter')
        return self.see(then)

    def back(self):
        """A command has ended: to the card."""
        self.see(r'^Enter: back to the card')
        return self.enter('q quit$')

    def run_it(self):
        self.see(r'Enter: runs it')
        self.keys('Enter')
        self.back()

    def quit(self, number):
        self.keys('q')
        self.see(rf'(?s)left at step {number};.*table>$')

    def next(self, number):
        self.see('Enter: next')
        self.enter(rf'^  Step {number} of ' if number else 'come to its end')


def lines(folder):
    """(kind, text) of what a journal says of the script; early lines as they would
    have been."""
    found = []
    for line in (folder / 'journal').read_text().splitlines():
        kind, text = line.split(' ', 4)[3:]
        if kind == 'early':
            kind, text = text.split(' ', 2)[1:]
        if kind in ('script', 'after', 'step', 'except'):
            found.append(f'{kind} {text}')
    return found
