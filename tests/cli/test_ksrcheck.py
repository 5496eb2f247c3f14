# SPDX-License-Identifier: ISC
"""Shows: ksrcheck gives the same verdict as ksrsigner would, without an HSM, one
line a check, and the right exit status.  Matters: it is how the maintainer knows
before the ceremony that the request will pass."""
import re
import signal
import subprocess

import pytest
from rehearsal import Rehearsal


@pytest.fixture
def zone(tmp_path, programs):
    """A request, and the configuration it meets."""
    zone = Rehearsal(tmp_path, programs, algorithm=15, bundles=4)
    zone.add_ksk('ksk')
    zone.ask()
    zone.configure(zone.normal('ksk'), zone.request)
    return zone


def verdicts(out):
    return dict(reversed(line.split()[:2]) for line in out.splitlines() if re.match('(PASS|FAIL|SKIP) ', line))


def check(zone, *words):
    return zone.hsm.run('ksrcheck', *(words or [*zone.chain(), zone.request.name]))


def test_a_sound_request_passes(zone):
    done = check(zone)
    assert done.status == 0, done.err
    found = verdicts(done.out)
    assert found['KSR-BUNDLE-POP'] == 'PASS' and found['SKR-SIGNATURES'] == 'SKIP'
    assert 'FAIL' not in found.values()


def test_the_second_quarter_is_held_against_the_first(zone):
    zone.response = zone.folder / 'skr-1.xml'
    assert zone.sign().status == 0
    zone.ask()
    zone.configure(zone.normal('ksk'), zone.request)
    done = check(zone)
    assert done.status == 0, done.err
    assert verdicts(done.out)['KSR-CHAIN-KEYS'] == 'PASS'
    assert verdicts(done.out)['SKR-SIGNATURES'] == 'PASS'
    # The first request does not follow the response to itself.
    done = check(zone, '--previous-skr', 'skr-1.xml', 'ksr-1.xml')
    assert done.status == 1 and 'FAIL' in verdicts(done.out).values()


def test_no_hsm_is_touched(zone):
    """The configured module does not exist here, and nobody minds."""
    path = zone.folder / 'ksrsigner.yaml'
    path.write_text(path.read_text().replace('/usr/lib/softhsm/libsofthsm2.so', '/absent/module.so'))
    assert check(zone).status == 0


def test_every_check_has_a_line_and_a_failure_names_it(zone):
    text = zone.request.read_text()
    zone.request.write_text(re.sub(r'<TTL>\d+<', '<TTL>5<', text, count=1))
    done = check(zone)
    assert done.status == 1
    failed = [name for name, verdict in verdicts(done.out).items() if verdict == 'FAIL']
    assert failed and all(name in done.err for name in failed)
    assert len(verdicts(done.out)) >= 20


def test_an_unreadable_request_is_a_finding(zone):
    zone.request.write_text('<KSR/>')
    done = check(zone)
    assert done.status == 1
    assert verdicts(done.out)['KSR-FILE'] == 'FAIL'


@pytest.mark.parametrize('status, words', [
    (3, ['--no-previous-skr', 'first', 'absent.xml']),
    (3, ['--no-previous-skr', 'first', '.']),
    (2, ['--config', 'absent.yaml', '--no-previous-skr', 'first', 'ksr-1.xml']),
    (2, ['--schema', 'absent', '--no-previous-skr', 'first', 'ksr-1.xml']),
    (2, ['--no-previous-skr', '', 'ksr-1.xml']),
    (2, ['--no-previous-skr', 'first', '--previous-skr', 'ksr-1.xml', 'ksr-1.xml']),
    (2, ['--no-previous-skr', 'first', 'ksr-1.xml', 'ksr-1.xml']),
    (2, ['--no-previous-skr', 'first']),
    (2, ['--absent']),
    (2, ['--no-previous', 'first', 'ksr-1.xml']),  # no abbreviations
    (2, ['--schema', 'normal', '--schema', 'normal', 'ksr-1.xml']),
    (2, ['--config']),
    (1, ['ksr-1.xml']),
    (1, ['--previous-skr', 'absent.xml', 'ksr-1.xml']),
])
def test_exit_status(zone, status, words):
    done = check(zone, *words)
    assert done.status == status, done.err
    assert done.err.startswith('ksrcheck: ') or 'error: ' in done.err


def test_help_and_version(zone):
    done = check(zone, '--help')
    assert done.status == 0 and '--no-previous-skr' in done.out and 'exit status' in done.out
    done = check(zone, '--version')
    assert done.status == 0 and done.out.startswith('ksrcheck ')


def test_a_closed_pipe_is_not_success(zone):
    program = zone.hsm.programs / 'ksrcheck'
    with open('/dev/full', 'wb') as full:
        done = subprocess.run([program, *zone.chain(), zone.request.name], cwd=zone.folder, stdout=full,
                              stderr=subprocess.PIPE, timeout=60)
    assert done.returncode in (5, -signal.SIGPIPE)


def test_mutants_are_judged_as_listed(data, tmp_path, run):
    lines = (data / 'mutants/VERDICTS.tsv').read_text().splitlines()
    for name, verdict, what in (line.split('\t') for line in lines if not line.startswith('#')):
        done = run('ksrcheck', '--config', data / 'config/2017-q2-0.yaml', '--previous-skr',
                   data / 'production/skr-root-2017-q1-0.xml', data / 'mutants' / name, timeout=10)
        assert done.returncode == (0 if verdict == 'accept' else 1), what
