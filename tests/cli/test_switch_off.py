# SPDX-License-Identifier: ISC
"""poweroff, reboot, halt and shutdown ask systemd for the target itself: what they
ask first, a login service, is not on the disc, and two red lines at the end of a
ceremony would say so."""
import os
import shutil
import subprocess

import pytest

FIRST = '--no-block --job-mode=replace-irreversibly start'


@pytest.fixture
def switch(top, tmp_path):
    folder = tmp_path / 'sbin'
    folder.mkdir()
    for name in ('poweroff', 'reboot', 'halt', 'shutdown'):
        shutil.copy(top / 'tools/system/lib/switch-off', folder / name)
    (folder / 'systemctl').write_text('#!/bin/sh\necho "$*"\n')
    (folder / 'systemctl').chmod(0o755)

    def run(name, *arguments):
        return subprocess.run([folder / name, *arguments], capture_output=True, text=True,
                              env=dict(os.environ, PATH=f'{folder}:{os.environ["PATH"]}'))
    return run


@pytest.mark.parametrize('line, target', [
    ('poweroff', 'poweroff'), ('reboot', 'reboot'), ('halt', 'halt'), ('shutdown', 'poweroff'),
    ('shutdown now', 'poweroff'), ('shutdown -h now', 'poweroff'), ('shutdown -P', 'poweroff'),
    ('shutdown -r now', 'reboot'), ('shutdown --reboot', 'reboot')])
def test_the_target_is_asked_for(switch, line, target):
    done = switch(*line.split())
    assert (done.returncode, done.stdout, done.stderr) == (0, f'{FIRST} {target}.target\n', '')


@pytest.mark.parametrize('line', ['poweroff --force', 'reboot -ff', 'halt --help'])
def test_other_words_are_for_systemctl(switch, line):
    assert switch(*line.split()).stdout == f'{line}\n'


@pytest.mark.parametrize('line', ['shutdown +5', 'shutdown -h 23:00', 'shutdown -c', 'shutdown -h now all off'])
def test_later_is_refused(switch, line):
    done = switch(*line.split())
    assert (done.returncode, done.stdout) == (2, '') and 'shutdown -h now' in done.stderr
