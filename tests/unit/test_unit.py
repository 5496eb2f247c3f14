# SPDX-License-Identifier: ISC
"""Runs each cmocka program of tests/unit as one test, so that they are
counted with the others and their output is shown when they fail."""
import pathlib
import subprocess

import pytest
from onebuild import make

HERE = pathlib.Path(__file__).parent
SOURCES = sorted(HERE.glob('test_*.c'))


@pytest.fixture(scope='session')
def compiled(build):
    """Every unit test, compiled."""
    make(build, 'unit-programs', 'init-unit-programs')


@pytest.mark.parametrize('name', [source.stem for source in SOURCES])
def test_unit(name, compiled, build, top):
    where = 'init' if name.startswith('test_init_') else 'host'
    done = subprocess.run([build / where / 'unit' / name], cwd=top, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    assert done.returncode == 0, done.stdout
