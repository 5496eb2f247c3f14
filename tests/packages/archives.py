# SPDX-License-Identifier: ISC
"""Debian archives of our own making: keys made for them, InRelease files signed
or forged, a server on loopback that remembers what it was asked and answers what
it is told to; and a copy of the tree that believes those keys."""
import contextlib
import functools
import hashlib
import http.server
import os
import pathlib
import subprocess
import threading
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
INDEX = 'main/binary-amd64/Packages.xz'


class Keys:
    """gpg keys by name; a keyring of them in the format that gpgv reads."""

    def __init__(self, folder):
        self.folder = folder
        self.home = folder / 'gnupg'
        self.home.mkdir(mode=0o700)
        self.ring = folder / 'ring.gpg'
        self.prints = {}

    def gpg(self, *words, text=None):
        return subprocess.run(['gpg', '--homedir', str(self.home), '--batch', '--no-tty', '--quiet', '--yes',
                               '--pinentry-mode', 'loopback', '--passphrase', '', *words], check=True,
                              input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout

    def add(self, name, expires='never', when=None):
        faked = ['--faked-system-time', f'{when}!'] if when else []
        self.gpg(*faked, '--quick-gen-key', f'{name} <{name}@example.invalid>', 'ed25519', 'sign', expires)
        listed = self.gpg('--with-colons', '--list-keys', f'{name}@example.invalid').decode()
        self.prints[name] = next(line.split(':')[9] for line in listed.splitlines() if line.startswith('fpr:'))
        self.write()

    def revoke(self, name):
        print_ = self.prints[name]
        text = (self.home / 'openpgp-revocs.d' / f'{print_}.rev').read_text().replace(':-----BEGIN', '-----BEGIN')
        self.gpg('--import', text=text.encode())
        self.write()

    def write(self):
        self.ring.write_bytes(self.gpg('--export'))

    def sign(self, text, *names, options=()):
        """A clear-signed message, by each of these keys."""
        users = [word for name in names for word in ('-u', self.prints[name] + '!')]
        return self.gpg(*options, '--clearsign', *users, text=text)

    def stop(self):
        subprocess.run(['gpgconf', '--homedir', str(self.home), '--kill', 'all'], check=False)


def date(shift=-3600):
    return time.strftime('%a, %d %b %Y %H:%M:%S UTC', time.gmtime(time.time() + shift))


def release(index=b'', codename='trixie', when=None, more=''):
    """The text of a Release file over this index."""
    digest = hashlib.sha256(index).hexdigest()
    return (f'Origin: Debian\nSuite: stable\nVersion: 13.99\nCodename: {codename}\nDate: {when or date()}\n{more}'
            f'Architectures: amd64\nComponents: main\nSHA256:\n {digest} {len(index)} {INDEX}\n').encode()


class Server:
    """What it was asked for, and what it answers instead of the folder's files."""

    def __init__(self, folder):
        self.asked = []
        self.status = {}
        self.folder = folder
        server = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def do_GET(self):
                server.asked.append(self.path)
                for start, status in server.status.items():
                    if self.path.startswith(start):
                        return status(self) if callable(status) else self.send_error(status)
                return super().do_GET()

            def log_message(self, *_):
                pass
        self.http = http.server.ThreadingHTTPServer(
            ('127.0.0.1', 0), functools.partial(Handler, directory=str(folder)))
        self.address = f'http://127.0.0.1:{self.http.server_port}'
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


@contextlib.contextmanager
def serving(folder):
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(folder)
    try:
        yield server
    finally:
        server.stop()


def environment(folder, **more):
    """Of a machine with no source of packages and an empty cache."""
    (folder / 'apt.conf').write_text('Dir::Etc::SourceList "/dev/null";\nDir::Etc::SourceParts "/dev/null";\n')
    made = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': str(folder), 'SNAPSHOT': 'none',
            'XDG_CACHE_HOME': str(folder / 'cache'), 'BUILD': str(folder / 'build'),
            'APT_CONFIG': str(folder / 'apt.conf')}
    made.update({name: str(value) for name, value in more.items()})
    return made


def run(*command, timeout=120, **options):
    return subprocess.run([str(word) for word in command], text=True, stdin=subprocess.DEVNULL, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors='replace', **options)


def copy_tree(target):
    """The files of this tree that make the disc, as a folder of their own."""
    names = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard', '-z', '--', 'Makefile', 'houses.mk', 'image',
                            'hooks', 'lib', 'signer', 'postcheck', 'tools', 'man', 'packages', 'reproducible',
                            'tests/build.mk'], cwd=TOP, check=True, stdout=subprocess.PIPE).stdout
    target.mkdir(parents=True)
    present = b'\0'.join(name for name in names.split(b'\0') if name and os.path.lexists(os.fsencode(TOP) + b'/' + name))
    packed = subprocess.run(['tar', '-C', str(TOP), '--null', '-T', '-', '-cf', '-'], input=present, check=True,
                            stdout=subprocess.PIPE).stdout
    subprocess.run(['tar', '-C', str(target), '-xf', '-'], input=packed, check=True)
    return target


def believe(tree, keys, *names):
    """Let the tree take these keys for the archive's."""
    (tree / 'packages/keyring/fingerprints').write_text(''.join(f'{keys.prints[name]}  {name}\n' for name in names))


@pytest.fixture(scope='session')
def keys(tmp_path_factory):
    """One that is believed, its second, one unknown to the list of fingerprints,
    one revoked, one expired."""
    made = Keys(tmp_path_factory.mktemp('keys'))
    for name in ('good', 'second', 'stranger'):
        made.add(name)
    made.add('expired', expires='2020-02-01', when='20200101T000000')
    made.add('revoked')
    yield made
    made.stop()
