# SPDX-License-Identifier: ISC
"""Shows: however a signing ends (a reader that goes away, a full disc, a limit, a
signal), the exit status is that of the table, the terminal echoes, the target is
what it was, and "done" stands in the log only of a run that is done.  Matters:
the log and the exit status are what people believe afterwards."""
import os
import pty
import re
import resource
import select
import signal
import subprocess
import termios
import time

import pytest
from rehearsal import Rehearsal

NONE = ('--no-previous-skr', 'first quarter')


@pytest.fixture(scope='module')
def zone(tmp_path_factory, programs):
    zone = Rehearsal(tmp_path_factory.mktemp('endings'), programs, bundles=3, algorithm=8)
    zone.add_ksk('ksk')
    zone.configure(zone.normal('ksk'), zone.ask())
    return zone


@pytest.fixture
def out(zone, tmp_path):
    """A folder for the response and one for the log."""
    for name in ('out', 'logs'):
        (tmp_path / name).mkdir()
    return tmp_path


def command(zone, out, target='out/skr.xml'):
    return [zone.hsm.programs / 'ksrsigner', '--force', *NONE, '--log-dir', out / 'logs', zone.request.name, out / target]


def log_of(out):
    return ''.join(path.read_text() for path in (out / 'logs').glob('*.log'))


def left(out):
    return sorted(path.name for path in (out / 'out').iterdir())


@pytest.fixture(scope='module')
def slow(tmp_path_factory):
    """A flash drive: fsync takes its time."""
    folder = tmp_path_factory.mktemp('slow')
    (folder / 'slow.c').write_text(
        '#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <time.h>\n'
        'int fsync(int fd){int(*r)(int);*(void**)&r=dlsym(RTLD_NEXT,"fsync");'
        'nanosleep(&(struct timespec){0,100000000},0);return r(fd);}\n')
    subprocess.run(['cc', '-shared', '-fPIC', '-o', folder / 'slow.so', folder / 'slow.c'], check=True)
    return folder / 'slow.so'


@pytest.mark.parametrize('ignored', [False, True], ids=['SIGPIPE', 'SIGPIPE ignored'])
@pytest.mark.parametrize('until', [b'PASS KSR-FILE', b'PASS SKR-VERIFY'])
def test_reader_goes_away(zone, out, slow, until, ignored):
    (out / 'out/skr.xml').write_text('what was there')
    done = subprocess.Popen(command(zone, out), cwd=zone.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={**zone.hsm.env, 'LD_PRELOAD': str(slow)}, restore_signals=not ignored)
    seen = b''
    while until not in seen:
        piece = os.read(done.stdout.fileno(), 65536)
        if not piece:
            break
        seen += piece
    done.stdout.close()
    err = done.stderr.read()
    assert done.wait(60) == 5, err
    assert b'Broken pipe' in err
    assert (out / 'out/skr.xml').read_text() == 'what was there'
    assert left(out) == ['skr.xml']
    log = log_of(out)
    assert log.splitlines()[-1].endswith('(exit status 5)') and not re.search(r'\] done$', log, re.M)


@pytest.mark.parametrize('limit', [20, 3000, 6000])
def test_file_size_limit(zone, out, limit):
    """SIGXFSZ, while the log or the response is written."""
    done = subprocess.run(command(zone, out), cwd=zone.folder, env=zone.hsm.env, capture_output=True, timeout=60,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)), check=False)
    assert done.returncode == 5, done.stderr
    assert left(out) == [] and not re.search(r'\] done$', log_of(out), re.M)


def whole_pages(zone, out):
    """Commands that write to standard output what must not get lost."""
    programs, request = zone.hsm.programs, zone.folder / zone.request.name
    (out / 'request.csr').write_text(subprocess.run(
        ['openssl', 'req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', out / 'key.pem',
         '-subj', '/CN=x'], check=True, capture_output=True, text=True).stdout)
    (out / 'text').write_text('line\n' * 99)
    yield [programs / 'displaycsr', out / 'request.csr']
    yield [programs / 'sha2wordlist', request]
    yield [programs / 'text2pdf', out / 'text']
    for program in sorted(programs.iterdir()):
        yield [program, '--help']


def test_no_program_is_killed_for_its_output(zone, out):
    """A reader that is gone and a file that may not grow, whatever is printed."""
    for words in whole_pages(zone, out):
        assert subprocess.run(words, cwd=zone.folder, capture_output=True, check=False).returncode == 0, words
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(words, cwd=zone.folder, stdout=writing, stderr=subprocess.PIPE, check=False)
        os.close(writing)
        assert done.returncode == 5 and b'Broken pipe' in done.stderr, (words, done)
        with open(out / 'printed', 'w') as printed:
            done = subprocess.run(words, cwd=zone.folder, stdout=printed, stderr=subprocess.PIPE, check=False,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20)))
        assert done.returncode == 5 and b'File too large' in done.stderr, (words, done)


@pytest.mark.parametrize('words, started', [(['hsmfd-hash', '-p', '--drive', 'drive'], 'printlog'),
                                            (['ceremony-log', 'verify', 'drive'], 'sh')])
def test_what_is_started_can_be_ended_by_its_output(programs, tmp_path, words, started):
    """A shell's pipelines end by SIGPIPE; ignored, it stays so in every program there."""
    (tmp_path / 'drive').mkdir()
    (tmp_path / 'drive/file').write_text('x')
    (tmp_path / 'bin').mkdir()
    stub = tmp_path / 'bin' / started
    stub.write_text('#!/bin/sh\ngrep SigIgn /proc/self/status >ignored\ncat >/dev/null\n')
    stub.chmod(0o755)
    done = subprocess.run([programs / words[0], *words[1:]], cwd=tmp_path, env={**os.environ, 'PATH': f'{stub.parent}:{os.environ["PATH"]}'},
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    ignored = int((tmp_path / 'ignored').read_text().split()[1], 16)
    assert not any(ignored >> number - 1 & 1 for number in (signal.SIGPIPE, signal.SIGXFSZ))


def test_done_is_the_last_line(zone, out):
    done = subprocess.run(command(zone, out), cwd=zone.folder, env=zone.hsm.env, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    lines = log_of(out).splitlines()
    assert lines[-1].endswith('[INFO] done') and sum(line.endswith('] done') for line in lines) == 1


def at_the_prompt(zone, out, act):
    """Run on a terminal until the PIN is asked for; then act(pid, fd).  Status, and whether it echoes."""
    config = (zone.folder / 'ksrsigner.yaml').read_text()
    (out / 'no-pin.yaml').write_text(re.sub(r'"pin": "\d+",', '', config))
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(zone.folder)
        words = [str(word) for word in command(zone, out)]
        os.execve(words[0], [*words[:1], '--config', str(out / 'no-pin.yaml'), *words[1:]], zone.hsm.env)
    seen, end = b'', time.monotonic() + 30
    while b'PIN for' not in seen:
        assert select.select([fd], [], [], max(0, end - time.monotonic()))[0], seen
        seen += os.read(fd, 4096)
    while termios.tcgetattr(fd)[3] & termios.ECHO:
        time.sleep(0.01)
    act(pid, fd)
    while select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
        try:
            if not os.read(fd, 4096):
                break
        except OSError:
            break
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(fd)
    return status


@pytest.mark.parametrize('key', [b'\x03', b'\x1c'], ids=['^C', '^\\'])
def test_keys_that_end_a_program(zone, out, key):
    assert at_the_prompt(zone, out, lambda pid, fd: os.write(fd, key)) == 1
    assert left(out) == [] and 'stopped by signal SIG' in log_of(out)


@pytest.mark.parametrize('name', ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGXCPU', 'SIGALRM', 'SIGVTALRM',
                                  'SIGPROF', 'SIGUSR1', 'SIGUSR2'])
def test_signals_at_the_pin_prompt(zone, out, name):
    """In order: the exit status, the log, and the terminal echoes again."""
    echo = []

    def act(pid, fd):
        os.kill(pid, getattr(signal, name))
        end = time.monotonic() + 10
        while not termios.tcgetattr(fd)[3] & termios.ECHO and time.monotonic() < end:
            time.sleep(0.01)
        echo.append(bool(termios.tcgetattr(fd)[3] & termios.ECHO))

    assert at_the_prompt(zone, out, act) == 1
    assert echo == [True]
    assert f'stopped by signal {name} (exit status 1)' in log_of(out)


# Targets

def sign(zone, out, target):
    return subprocess.run(command(zone, out, target), cwd=zone.folder, env=zone.hsm.env, capture_output=True, text=True,
                          timeout=60, check=False)


@pytest.mark.parametrize('kind, said', [
    ('link', 'is a symbolic link'), ('dangling', 'is a symbolic link'), ('folder', 'is a folder'),
    ('fifo', 'is a device or a pipe'), ('huge', 'more than the 67108864'), ('nowhere', 'No such file')])
def test_target_that_cannot_be_kept_is_refused_before_the_hsm(zone, out, kind, said):
    path = out / 'out/skr.xml'
    if kind == 'link':
        (out / 'real').write_text('secret')
        path.symlink_to(out / 'real')
    elif kind == 'dangling':
        path.symlink_to(out / 'absent')
    elif kind == 'folder':
        path.mkdir()
    elif kind == 'fifo':
        os.mkfifo(path)
    elif kind == 'huge':
        with path.open('wb') as f:
            f.truncate(1 << 31)
    before = {p.name: p.lstat().st_mode for p in (out / 'out').iterdir()}
    done = sign(zone, out, 'absent/skr.xml' if kind == 'nowhere' else 'out/skr.xml')
    assert done.returncode == 5 and said in done.stderr, done.stderr
    assert 'HSM Information' not in done.stdout
    assert before == {p.name: p.lstat().st_mode for p in (out / 'out').iterdir()}


@pytest.mark.parametrize('mode', [0o600, 0o640, 0o444])
def test_mode_of_an_existing_target_is_kept(zone, out, mode):
    path = out / 'out/skr.xml'
    path.write_text('older')
    path.chmod(mode)
    done = sign(zone, out, 'out/skr.xml')
    assert done.returncode == 0, done.stderr
    kept = out / 'out/skr.xml.old-1'
    assert kept.read_text() == 'older' and kept.stat().st_mode & 0o777 == mode
    assert path.stat().st_mode & 0o777 == mode and path.read_text().startswith('<?xml')


def test_large_target_is_kept_without_its_size_in_memory(zone, out):
    path = out / 'out/skr.xml'
    with path.open('wb') as f:
        f.truncate(60 << 20)
    done = subprocess.run(command(zone, out), cwd=zone.folder, env=zone.hsm.env, capture_output=True, timeout=60,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (40 << 20, 40 << 20)), check=False)
    assert done.returncode == 0, done.stderr
    assert (out / 'out/skr.xml.old-1').stat().st_size == 60 << 20


# Progress

def test_file_name_in_a_progress_line_is_escaped(zone, out):
    """sha2wordlist shows the name of what takes long; it cannot paint the screen."""
    name = out / 'x\x1b[2J\x1b[Hforged\x1b[8m'
    os.mkfifo(name)
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(out)
        os.execve(zone.hsm.programs / 'sha2wordlist', ['sha2wordlist', name.name], dict(os.environ))
    with name.open('wb') as pipe:
        for _ in range(4):
            pipe.write(bytes(1000000))
            pipe.flush()
            time.sleep(1)
    seen = b''
    while True:
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    os.waitpid(pid, 0)
    os.close(fd)
    assert b'x\\x1b[2J' in seen and b' MB' in seen
    assert b'\x1b[2J' not in seen and b'\x1b[8m' not in seen
