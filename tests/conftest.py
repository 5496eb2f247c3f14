# SPDX-License-Identifier: ISC
"""Fixtures that every kind of test shares."""
import os
import pathlib
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / 'tests' / 'cli'))     # tokens, rehearsal: for the boot tests, too
from onebuild import make  # noqa: E402
BUILD = pathlib.Path(os.environ.get('BUILD') or 'build')
BUILD = BUILD if BUILD.is_absolute() else TOP / BUILD


@pytest.fixture(scope='session')
def top():
    """The project's root."""
    return TOP


@pytest.fixture(scope='session')
def build():
    """Where make writes."""
    return BUILD


@pytest.fixture(scope='session')
def data():
    """Reference material beside the project; tests that need it skip without."""
    path = TOP.parent / 'shared' / 'data'
    if not path.is_dir():
        pytest.skip('no ../shared/data')
    return path


@pytest.fixture(scope='session')
def programs():
    """The signer's programs, compiled for the host."""
    make(BUILD, 'signer')
    return BUILD / 'host' / 'bin'


@pytest.fixture(scope='module')
def room():
    """A CUPS of our own, and a place for printers; for one file's tests."""
    from cups_room import CupsRoom
    made = CupsRoom()
    yield made
    made.stop()


@pytest.fixture(scope='module')
def printers(room):
    """Printers of that CUPS, as a guest's network card sees them: lanprinters.py."""
    from lanprinters import printers_of
    return printers_of(room)


def built(profile):
    """A profile's disc: a dict with ISO, EXTENSION, NAME (build/out/latest.PROFILE)."""
    make(BUILD, 'iso', f'PROFILE={profile}')
    lines = (BUILD / 'out' / f'latest.{profile}').read_text().splitlines()
    return dict(line.split('=', 1) for line in lines)


@pytest.fixture(scope='session')
def disc_of():
    """The disc of a profile, by its name."""
    return built


@pytest.fixture(scope='session')
def disc():
    """The console disc: what has nothing to do with the desktop is shown on it,
    since it starts sooner."""
    return built('console')


@pytest.fixture(scope='session')
def ceremony_disc():
    """The disc with the desktop."""
    return built('ceremony')
