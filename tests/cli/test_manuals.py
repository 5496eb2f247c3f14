# SPDX-License-Identifier: ISC
"""Each program, its --help and its manual page say the same: the option table
is the map, and a page that lags behind misleads the person at the terminal."""
import pathlib
import re
import shutil
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = {path.stem for house in ('signer', 'postcheck', 'tools') for path in (TOP / house).rglob('*.c')
            if '\nint main(' in path.read_text()}
PAGES = {path.stem for path in (TOP / 'man').glob('*.1') if path.stem in PROGRAMS}
SIGNER = {'keymaster', 'ksrcheck', 'ksrgen', 'ksrsigner', 'sha2wordlist', 'skrcheck', 'trustanchor'}


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def test_every_program_has_a_page():
    assert PROGRAMS == PAGES


@pytest.fixture(params=sorted(PAGES & PROGRAMS))
def program(request):
    return request.param


@pytest.fixture
def page(program, top):
    return (top / 'man' / f'{program}.1').read_text()


def test_page_has_the_options_of_help(program, page, programs):
    helped = re.findall(r'^  (?:-\w, |    )--([a-z0-9-]+)', output(programs / program, '--help'), re.M)
    described = re.findall(r'^\.It (?:Fl \w , )?Fl -([a-z0-9-]+)', page, re.M)
    assert sorted(described) == sorted(helped)
    assert len(helped) >= 2


def test_page_has_the_exit_statuses_of_help(program, page, programs):
    """Those of the signer word for word; a tool may leave some out, and say more of the others."""
    helped = re.findall(r'^  (\d)  (.*)$', output(programs / program, '--help'), re.M)
    described = re.findall(r'^\.It (\d)\n(.*)$', page, re.M)
    assert len(helped) == 6
    if program in SIGNER:
        assert described == helped
    numbers = [number for number, _ in described]
    assert numbers == sorted(set(numbers)) and numbers[0] == '0'
    assert set(numbers) <= {number for number, _ in helped}


@pytest.mark.parametrize('name', sorted(path.name for path in (TOP / 'man').iterdir()))
def test_page_is_sound(name):
    if not shutil.which('mandoc'):
        pytest.skip('no mandoc')
    done = subprocess.run(['mandoc', '-T', 'lint', '-W', 'warning', TOP / 'man' / name],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


def test_version(program, programs):
    assert re.match(rf'{program} \d+\.\d+\.\d+(-dev)? ', output(programs / program, '--version'))
