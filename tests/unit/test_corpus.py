# SPDX-License-Identifier: ISC
"""Runs the files of tests/fuzz/NAME through their fuzz entries, with no
fuzzer: the entries keep working, and an input that broke something once is
tried in every run.  Where the reference data is there, its requests, responses,
mutants and configurations go through, too."""
import pathlib
import subprocess

import pytest
from onebuild import make

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE.parent / 'fuzz'
NAMES = ['ksr', 'skr', 'config', 'time', 'words', 'anchor', 'second']
REFERENCE = {'ksr': ('*/ksr-*.xml', 'mutants/*.xml'), 'skr': ('*/skr-*.xml',),
             'config': ('config/*.yaml',), 'anchor': ('production/root-anchors-*.xml',)}


def replay(top, build, name, files, sanitize):
    # Files are tried one by one, so a failure is the last name printed.
    out = build / ('host-sanitize' if sanitize else 'host')
    done = subprocess.run([out / 'replay' / name, *files], cwd=top, text=True, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-4000:]
    assert len(done.stdout.splitlines()) == len(files)


def compile_replay(build, sanitize):
    out = build / ('host-sanitize' if sanitize else 'host')
    make(build, *(['SANITIZE=1'] if sanitize else []), f'PROGRAMS_OUT={out}', 'replay-programs')


def files_of(top, name):
    own = sorted((CORPUS / name).iterdir())
    assert len(own) > 3
    data = top.parent / 'shared' / 'data'
    return own + [path for pattern in REFERENCE.get(name, ()) for path in sorted(data.glob(pattern))]


@pytest.fixture(scope='session')
def plain(top, build):
    compile_replay(build, False)


@pytest.fixture(scope='session')
def sanitized(top, build):
    compile_replay(build, True)


@pytest.mark.parametrize('name', NAMES)
def test_corpus(name, plain, top, build):
    replay(top, build, name, files_of(top, name), False)


@pytest.mark.slow
@pytest.mark.parametrize('name', NAMES)
def test_corpus_under_the_sanitizers(name, sanitized, top, build):
    replay(top, build, name, files_of(top, name), True)


def test_a_broken_promise_is_seen(plain, build, tmp_path):
    """The replay program cannot pass by doing nothing."""
    assert subprocess.run([build / 'host' / 'replay' / 'time'], stdout=subprocess.DEVNULL).returncode == 2
    absent = subprocess.run([build / 'host' / 'replay' / 'time', tmp_path / 'absent'],
                            stderr=subprocess.PIPE)
    assert absent.returncode == 1 and b'absent' in absent.stderr
