# SPDX-License-Identifier: ISC
"""Fixtures that every kind of test shares."""
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

# Whoever starts these tests in the background may ignore Ctrl-C, Ctrl-\ and the end of
# the terminal: what is tested must not inherit that.
for key, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL),
                     (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(key) == signal.SIG_IGN:
        signal.signal(key, handler)

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / 'tests' / 'cli'))     # tokens, rehearsal: for the boot tests, too
from onebuild import make  # noqa: E402
BUILD = pathlib.Path(os.environ.get('BUILD') or 'build')
BUILD = BUILD if BUILD.is_absolute() else TOP / BUILD


DATA = TOP.parent / 'shared' / 'data'


def lacking(names):
    """Of what tests need by a fixture's name, what is not here, and why."""
    if 'data' in names and not DATA.is_dir():
        yield 'data', 'no ../shared/data'
    if 'mldsa' in names:
        version = subprocess.run(['openssl', 'version'], check=True, stdout=subprocess.PIPE, text=True).stdout
        if [int(part) for part in version.split()[1].split('.')[:2]] < [3, 5]:
            yield 'mldsa', f'{" ".join(version.split()[:2])} is older than ML-DSA (3.5)'


def pytest_collection_modifyitems(config, items):
    """What this machine lacks (the reference material, ML-DSA) is one group with one
    line that says how many tests need it: the first of them, skipped; the others are
    left out."""
    for name, why in lacking({name for item in items for name in getattr(item, 'fixturenames', ())}):
        group = [item for item in items if name in getattr(item, 'fixturenames', ())]
        group[0].add_marker(pytest.mark.skip(reason=f'{why}: {len(group)} tests need it'))
        left_out = set(group[1:])
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=group[1:])


# In the processes that run tests alone: tests that a test starts have no limit of
# their own, or what they leave out would pass there.
UNTIL = os.environ.get('KEYROOM_UNTIL')


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """KEYROOM_UNTIL, in seconds since 1970: where a run has a limit (.ci/run), what
    does not begin before that is told and counted as left out; a run that is ended
    from outside would tell nothing."""
    if UNTIL and time.time() > float(UNTIL):
        pytest.skip('left out: no time for it before KEYROOM_UNTIL')
    os.environ.pop('KEYROOM_UNTIL', None)


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
    """Reference material beside the project; tests that ask for it are not run without."""
    return DATA


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
