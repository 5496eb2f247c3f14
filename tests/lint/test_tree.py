# SPDX-License-Identifier: ISC
"""Shows that the tree itself keeps its rules: scripts are clean, no package
host is named, nothing large or foreign is in it, and the C compiles without a
warning.  File lists come from git, so a new file is covered at once."""
import re
import subprocess
import sys

import pytest


def tracked(top):
    """Every tracked (or not yet ignored) text file, by path."""
    names = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard', '-z'], cwd=top,
                           check=True, stdout=subprocess.PIPE, text=True).stdout.split('\0')
    return [name for name in names if name and (top / name).is_file()]


def shell_scripts(top):
    return [name for name in tracked(top)
            if re.match(rb'#!.*\b(sh|bash)\b', (top / name).read_bytes()[:80])]


def test_shell_scripts_are_clean(top):
    scripts = shell_scripts(top)
    assert len(scripts) > 10
    done = subprocess.run(['shellcheck', '-x', *scripts], cwd=top, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


def test_hooks_are_strict_and_say_their_purpose(top):
    for hook in sorted((top / 'hooks').glob('*.sh')):
        text = hook.read_text()
        assert text.startswith('#!/bin/sh\n'), hook
        assert '\nset -eu\n' in text and '# Phase: ' in text and ' ROOT' in text, hook


def test_no_package_host_is_named(top):
    hosts = re.compile(r'(deb|security|ftp|snapshot|archive)[.]debian|registry[.]npm|[.]debian[.]org')
    found = [name for name in tracked(top)
             if hosts.search((top / name).read_bytes().decode('utf-8', 'replace'))
             and name != 'tests/lint/test_tree.py']
    assert not found


def test_every_test_is_collected(top):
    """All folders in one go, as "make test" does: two test files of one name, say,
    each work alone, and together neither does."""
    done = subprocess.run([sys.executable, '-m', 'pytest', '-p', 'no:cacheprovider', '-c', 'tests/pytest.ini',
                           '--rootdir', '.', '-q', '--collect-only', 'tests'], cwd=top, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


def test_every_source_names_its_licence(top):
    kinds = ('.c', '.h', '.py', '.sh', '.mk', '.awk')
    missing = [name for name in tracked(top) if name.endswith(kinds)
               and 'SPDX-License-Identifier: ISC' not in (top / name).read_text()[:200]]
    assert not missing


def test_no_large_file(top):
    assert not [name for name in tracked(top) if (top / name).stat().st_size > 512 * 1024]


def test_functions_fit_on_a_screen(top):
    """60 lines from brace to brace, in every C file."""
    long = []
    for name in tracked(top):
        if not name.endswith('.c'):
            continue
        start = None
        for number, line in enumerate((top / name).read_text().splitlines(), 1):
            if line.startswith('{'):
                start = number
            elif line.startswith('}') and start:
                if number - start > 60:
                    long.append(f'{name}:{start}')
                start = None
    assert not long


@pytest.mark.parametrize('compiler', ['gcc', 'clang'])
@pytest.mark.slow
def test_compiles_without_warnings(compiler, top, tmp_path):
    """The image's own build shows the same for gcc 14, in the builder root."""
    if compiler != 'gcc' and subprocess.run(['which', compiler], stdout=subprocess.DEVNULL).returncode:
        pytest.skip(f'no {compiler}')
    done = subprocess.run(['make', '-s', '-j2', 'signer', f'CC={compiler}', 'WERROR=1',
                           f'SIGNER_OUT={tmp_path}'],
                          cwd=top, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
