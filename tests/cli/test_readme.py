# SPDX-License-Identifier: ISC
"""Shows that a newcomer can do what the README says, command by command, and
that the answer is a response which the second opinion accepts."""
import re
import shutil
import subprocess


def test_rehearsal_of_the_readme(top, programs, tmp_path):
    block = re.search(r'\n    make signer\n((?:    .*\n)+)', (top / 'README.md').read_text()).group(1)
    script = re.sub(r'^    ', '', block, flags=re.M)
    assert 'ksrsigner --no' in script and 'skrcheck' in script
    # The programs are made already; nobody is there to answer the question.
    script = script.replace('$PWD/build/host/bin', str(programs)).replace('ksrsigner --no', 'ksrsigner --force --no')
    (tmp_path / 'docs').mkdir()
    shutil.copy(top / 'docs' / 'rehearsal.yaml', tmp_path / 'docs')
    done = subprocess.run(['sh', '-euc', script], cwd=tmp_path, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith('PASS'), done.stdout
    assert (tmp_path / 'rehearsal' / 'skr.xml').stat().st_size > 1000
