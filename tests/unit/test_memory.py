# SPDX-License-Identifier: ISC
"""Shows that no test reads or writes where it must not, leaks, or runs into
undefined behaviour: the unit and command-line tests once more with programs
compiled with ASan and UBSan, and the unit tests and a whole quarter under
valgrind; and that the tests reach nine lines of ten.  Matters: the input is
hostile and the language is C.

What is suppressed is SoftHSM's, in tests/suppressions, with the reason."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'cli'))
from onebuild import make  # noqa: E402
from rehearsal import Rehearsal  # noqa: E402

pytestmark = pytest.mark.slow


def valgrind(top):
    return ['nice', 'valgrind', '-q', '--error-exitcode=99', '--leak-check=full', '--show-leak-kinds=definite',
            '--errors-for-leak-kinds=definite', f'--suppressions={top}/tests/suppressions/valgrind.supp']


@pytest.fixture(scope='session')
def units(build):
    make(build, 'unit-programs', f'PROGRAMS_OUT={build}/host')
    found = sorted(path for path in (build / 'host/unit').iterdir()
                   if path.is_file() and os.access(path, os.X_OK))
    assert len(found) >= 8
    return found


@pytest.fixture(scope='session')
def sanitized(build):
    out = build / 'host-sanitize'
    make(build, 'SANITIZE=1', f'PROGRAMS_OUT={out}', 'signer', 'unit-programs')
    return out


@pytest.fixture
def environment(top):
    """Stacks that reach into SoftHSM, so that its leaks are known as its own."""
    return dict(os.environ, ASAN_OPTIONS='fast_unwind_on_malloc=0:detect_leaks=1:abort_on_error=0',
                UBSAN_OPTIONS='print_stacktrace=1:halt_on_error=1',
                LSAN_OPTIONS=f'suppressions={top}/tests/suppressions/lsan.supp:print_suppressions=0')


def test_a_leak_and_a_wild_read_are_seen(top, tmp_path):
    """valgrind is there, and these options make it speak."""
    bad = tmp_path / 'bad.c'
    for body in ('char *p = malloc(9); return p[9] != 0;', 'return malloc(9) == 0;'):
        bad.write_text(f'#include <stdlib.h>\nint main(void) {{ {body} }}\n')
        subprocess.run(['cc', '-O0', '-w', '-o', tmp_path / 'bad', bad], check=True)
        assert subprocess.run([*valgrind(top), tmp_path / 'bad'], stderr=subprocess.DEVNULL).returncode == 99


def test_unit_tests_under_valgrind(top, units):
    failed = {}
    for unit in units:
        done = subprocess.run([*valgrind(top), unit], cwd=top, text=True, timeout=900, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode:
            failed[unit.name] = done.stdout[-3000:]
    assert not failed


@pytest.mark.parametrize('algorithm', [8, 13, 15])
def test_a_quarter_under_valgrind(top, programs, tmp_path, algorithm):
    zone = Rehearsal(tmp_path, programs, algorithm=algorithm, bundles=2)
    zone.add_ksk('old')
    zone.add_ksk('new')
    zone.ask()
    zone.configure(zone.rollover('old', 'new'), zone.request)
    done = subprocess.run([*valgrind(top), programs / 'ksrsigner', '--force', *zone.chain(), zone.request.name,
                           'skr.xml'], cwd=tmp_path, env=zone.hsm.env, text=True, timeout=600,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'skr.xml').exists() and '==' not in done.stderr


def test_unit_tests_under_the_sanitizers(top, sanitized, units, environment):
    for unit in units:
        done = subprocess.run([sanitized / 'unit' / unit.name], cwd=top, env=environment, text=True, timeout=600,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, f'{unit.name}: {done.stdout[-3000:]}'


@pytest.mark.deep
def test_command_line_tests_under_the_sanitizers(top, sanitized, environment):
    """The whole suite in one run of its own, counted here as one test."""
    done = subprocess.run(['nice', sys.executable, '-m', 'pytest', '-p', 'no:cacheprovider', '-c', 'tests/pytest.ini',
                           '--rootdir', '.', '-q', '-m', 'not slow', 'tests/cli'], cwd=top, text=True, timeout=1800,
                          env=dict(environment, KEYROOM_BIN=str(sanitized / 'bin')), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-6000:]
    assert ' passed' in done.stdout


@pytest.mark.deep
def test_nine_lines_of_ten_are_reached(top, build):
    done = subprocess.run(['nice', 'tests/coverage', build / 'coverage', '90'], cwd=top, text=True, timeout=1800,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-6000:]
