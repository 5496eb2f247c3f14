# SPDX-License-Identifier: ISC
"""Shows: a request in which any single bit of a key, a signature or a time is
flipped is refused before the HSM is opened, or is the same request written
differently.  Matters: this is the promise that nothing between the maintainer
and the ceremony can change what is signed.

tests/mutate/flips.c does the work in one process with the checks of ksrcheck:
all bits of the first bundle, a sample of the others."""
import subprocess

import pytest
from onebuild import make
from rehearsal import Rehearsal

KEYS = ['PublicKey', 'KeyTag', 'Flags', 'Protocol', 'Algorithm', 'TTL']
SIGNATURES = ['SignatureData', 'TypeCovered', 'Labels', 'OriginalTTL', 'SignersName']
TIMES = ['Inception', 'Expiration', 'SignatureInception', 'SignatureExpiration']


@pytest.fixture(scope='session')
def flips(build):
    make(build, f'PROGRAMS_OUT={build}/host', 'mutate-programs')
    return build / 'host' / 'mutate' / 'flips'


@pytest.fixture
def request_of(tmp_path, programs):
    def make(algorithm, **more):
        zone = Rehearsal(tmp_path, programs, algorithm=algorithm, **more)
        zone.add_ksk('ksk')
        zone.ask()
        zone.configure(zone.normal('ksk'), zone.request)
        return zone.folder / 'ksrsigner.yaml', zone.request
    return make


def walk(flips, config, ksr, step, elements):
    done = subprocess.run([flips, config, ksr, str(step), *elements], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=600)
    return done.returncode, done.stdout


def expect_none_accepted(flips, config, ksr, step, elements):
    status, out = walk(flips, config, ksr, step, elements)
    assert status == 0, out
    tried, unreadable, refused, _, _ = [int(word) for word in out.split() if word.isdigit()]
    assert unreadable > 0 and refused > tried / 4 and tried > 1000


def test_flips_in_ed25519(flips, request_of):
    expect_none_accepted(flips, *request_of(15), 199, KEYS + SIGNATURES + TIMES)


def test_flips_that_mean_nothing_are_told_apart(flips, request_of):
    """The stated PublishSafety may be longer than the policy's: the walk sees
    that such a flip is accepted, so it would see it elsewhere."""
    config, ksr = request_of(15)
    status, out = walk(flips, config, ksr, 1, ['PublishSafety'])
    assert status == 1 and 'accepted: text, offset' in out
    assert walk(flips, config, ksr, 1, ['Absent'])[0] == 2


@pytest.mark.slow
@pytest.mark.parametrize('algorithm', [8, 10, 13, 14, 16])
def test_flips_in_other_algorithms(flips, request_of, algorithm):
    expect_none_accepted(flips, *request_of(algorithm), 97, KEYS + SIGNATURES + TIMES)


@pytest.mark.slow
def test_flips_in_a_zone_below_the_root(flips, request_of):
    expect_none_accepted(flips, *request_of(13, domain='example.', bundles=4), 97, KEYS + SIGNATURES + TIMES)


@pytest.mark.slow
def test_flips_in_the_root_zone_of_2017(flips, data):
    expect_none_accepted(flips, data / 'config/2017-q2-0.yaml', data / 'production/ksr-root-2017-q2-0.xml', 97,
                         KEYS + SIGNATURES + TIMES)
