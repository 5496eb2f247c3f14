# SPDX-License-Identifier: ISC
"""Shows that the project's own scripts are sound: whoever plays them meets no
command, option, drive or role that is not there."""
import os
import subprocess

import pytest

from ceremony_tools import BIN, MAN, ROOT, SCRIPTS, TOP, stub

OURS = ['docs/REHEARSAL.md', 'docs/CEREMONY.md']


@pytest.mark.parametrize('name', OURS)
def test_script_has_no_findings(name, tmp_path):
    # What the disc has of the distribution, and this machine may not.
    for program in ('shutdown', 'umount', 'lpadmin', 'lpq', 'ping'):
        stub(tmp_path, program, 'exit 0\n')
    env = dict(os.environ, PATH=f'{BIN}:{SCRIPTS}:{ROOT}/usr/sbin:{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin')
    done = subprocess.run([BIN / 'ceremony', 'lint', '--pages', MAN, TOP / name], env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
