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
