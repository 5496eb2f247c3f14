# SPDX-License-Identifier: ISC
"""The commands of reproducible/: each has a manual page, and its --help, its page
and what it takes are the same, exit statuses included."""
import pathlib
import re
import subprocess

import pytest



TOP = pathlib.Path(__file__).resolve().parents[2]
COMMANDS = sorted(path.name for path in (TOP / 'reproducible').iterdir()
                  if path.is_file() and '\n#| usage: ' in path.read_text())


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def statuses(text):
    return set(map(int, re.findall(r'^  (\d+)  +\S', text.split('exit status:')[1], re.M)))


def test_there_are_commands():
    assert {"attest", "bundle", "explain", "quorum", "rebuild", "release", "verify-release"} <= set(COMMANDS)


@pytest.mark.parametrize('name', COMMANDS)
def test_help_and_page_agree(name):
    done = run(TOP / 'reproducible' / name, '--help')
    page = (TOP / 'reproducible/man' / f'{name}.1').read_text()
    assert done.returncode == 0 and not done.stderr and done.stdout.startswith(f'usage: {name} ')
    assert max(map(len, done.stdout.splitlines())) <= 88
    options = set(re.findall(r'^ +(?:-\w, )? *--([a-z0-9-]+)', done.stdout, re.M))
    assert options == set(re.findall(r'^\.It .*Fl -([a-z0-9-]+)', page, re.M)) and {'help', 'version'} <= options
    assert statuses(done.stdout) == set(map(int, re.findall(r'^\.It (\d+)$', page.split('.Sh EXIT STATUS')[1], re.M)))
    taken = set(re.findall(r'^\t(?:[a-z -]*\| )?--([a-z-]+)\)', (TOP / 'reproducible' / name).read_text(), re.M))
    assert taken <= options and options - taken <= {'help', 'version'}
    assert run(TOP / 'reproducible' / name, '-h').stdout == done.stdout


@pytest.mark.parametrize('name', COMMANDS)
def test_page_is_sound(name):
    done = run('mandoc', '-T', 'lint', '-W', 'warning', TOP / 'reproducible/man' / f'{name}.1')
    # Xr to pages that lie beside it are not found where mandoc looks.
    assert not [line for line in done.stdout.splitlines() if 'referenced manual not found' not in line], done.stdout


@pytest.mark.parametrize('name', COMMANDS)
def test_version_and_what_is_unknown(name):
    assert run(TOP / 'reproducible' / name, '--version').stdout.startswith(f'{name} ')
    for option in ('--frobnicate', '--hel'):
        done = run(TOP / 'reproducible' / name, option)
        assert done.returncode == 2 and not done.stdout and f'see {name} --help' in done.stderr, done
