# SPDX-License-Identifier: ISC
"""Three of the mutants of tests/mutants.list, one of each kind, in every "make test": a
word of the menu changed, a tool emptied, a signer without one check; each is noticed.
And a change that nobody notices is told.  Matters: tests that pass whatever happens
look like tests that pass.  "make mutants" does all of the list."""
import os
import subprocess

import pytest

pytestmark = pytest.mark.slow

THREE = ('lockdown=integrity', 'usb-allow', 'check_chain_keys')


def mutants(top, *words, **environment):
    done = subprocess.run([top / 'tests/mutants', *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, **environment}, check=False)
    return done.returncode, done.stdout


def test_three_mutants_are_noticed(top):
    status, said = mutants(top, *THREE)
    assert status == 0, said
    assert said.count(': tests/') == len(THREE) and 'NOBODY' not in said, said


def test_what_nobody_notices_is_told(top, tmp_path):
    (tmp_path / 'list').write_text('tools/system/usb-allow | s/Let in USB devices/Let USB devices in/ | '
                                   'tests/cli/test_usb_policy.py::test_allow_list_lets_nothing_in\n')
    status, said = mutants(top, MUTANTS=str(tmp_path / 'list'))
    assert status == 1 and 'NOBODY NOTICES' in said, said


def test_a_line_that_changes_nothing_is_refused(top, tmp_path):
    (tmp_path / 'list').write_text('tools/system/usb-allow | s/no such words// | '
                                   'tests/cli/test_usb_policy.py::test_allow_list_lets_nothing_in\n')
    status, said = mutants(top, MUTANTS=str(tmp_path / 'list'))
    assert status == 2 and 'changes nothing' in said, said


@pytest.mark.parametrize('mutants, without, status', [(0, 0, 0), (1, 0, 1), (0, 1, 1), (2, 2, 1)])
def test_one_command_does_both_lists(top, tmp_path, mutants, without, status):
    """And it fails where one of them does, when both have been gone through."""
    recipe = subprocess.run(['make', '--no-print-directory', '-n', 'mutations'], cwd=top, check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    for name, ends in (('image/host-check', 0), ('tests/mutants', mutants), ('tests/without', without)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} "$@"\nexit {ends}\n')
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(['sh', '-c', recipe], cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == status
    assert done.stdout.splitlines() == ['image/host-check test', 'tests/mutants', 'tests/without']
