# SPDX-License-Identifier: ISC
"""Shows that the tree itself keeps its rules: scripts are clean, no package
host is named, nothing large or foreign is in it, and the C compiles without a
warning.  File lists come from git, so a new file is covered at once."""
import re
import shutil
import statistics
import subprocess
import sys

import pytest


def tracked(top):
    """Every tracked (or not yet ignored) text file, by path."""
    names = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard', '-z'], cwd=top,
                           check=True, stdout=subprocess.PIPE, text=True).stdout.split('\0')
    return [name for name in names if name and (top / name).is_file()]


def shell_scripts(top):
    return [name for name in tracked(top) if name.startswith('tools/system/audit/')
            or re.match(rb'#!.*\b(sh|bash)\b', (top / name).read_bytes()[:80])]


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


def test_what_devices_start_is_started_as_often_as_they_come(top):
    """systemd's limit is five starts in ten seconds: a reader with a bad contact then fell
    silent, and the audit found a service that had failed."""
    named = re.compile(r'([a-z-]+)(@.*?)?\.service')
    started = {match.group(1) + ('@' if match.group(2) else '')
               for name in tracked(top) if name.endswith('.rules') or name.startswith('tools/system/lib/')
               for line in (top / name).read_text().splitlines()
               if re.search(r'SYSTEMD_WANTS|systemctl .*start|^left=', line) and not line.startswith('#')
               for match in named.finditer(line)}
    assert len(started) >= 5, started
    units = {name.rsplit('/', 1)[1]: (top / name).read_text() for name in tracked(top) if name.endswith('.service')}
    for one in started:
        unit = re.search(r'\[Unit\]\n([^\[]*)', units[f'{one}.service']).group(1)
        assert '\nStartLimitIntervalSec=0\n' in unit, one


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


@pytest.mark.parametrize('there', [False, True])
def test_what_needs_the_reference_data_is_one_line_without(top, tmp_path, there):
    """One skip that says how many, and not a hundred in which another is overlooked."""
    tests = tmp_path / 'tree/tests'
    (tests / 'cli').mkdir(parents=True)
    for name in ('conftest.py', 'pytest.ini', 'cli/onebuild.py'):
        shutil.copy(top / 'tests' / name, tests / name)
    (tests / 'test_some.py').write_text(
        'import pytest\n@pytest.fixture\ndef more(data):\n    return data\n'
        + ''.join(f'def test_{n}({need}):\n    pass\n' for n, need in enumerate(('data', 'more', '', 'data'))))
    if there:
        (tmp_path / 'shared/data').mkdir(parents=True)
    done = subprocess.run([sys.executable, '-m', 'pytest', '-p', 'no:cacheprovider', '-c', 'tests/pytest.ini',
                           '--rootdir', '.', '-q', '-rs', 'tests'], cwd=tmp_path / 'tree', text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    if there:
        assert '4 passed in' in done.stdout
    else:
        assert '1 passed, 1 skipped, 2 deselected in' in done.stdout
        assert done.stdout.count('no ../shared/data: 3 tests need it') == 1


def test_one_variable_stands_for_the_system(top):
    """A test that gives a tool a system of its own says SYSROOT; no other name moves a part."""
    other = re.compile(rb'(?<![A-Z_])KEYROOM_(?:ROOT|RUN|LIB|USB|SYS|ETC|DEV)(?![A-Z_])')
    assert not [name for name in tracked(top) if not name.startswith('tests/lint/')
                and (top / name).is_file() and other.search((top / name).read_bytes())]


def test_every_source_names_its_licence(top):
    kinds = ('.c', '.h', '.py', '.sh', '.mk', '.awk')
    missing = [name for name in tracked(top) if name.endswith(kinds)
               and 'SPDX-License-Identifier: ISC' not in (top / name).read_text()[:200]]
    assert not missing


def test_no_large_file(top):
    assert not [name for name in tracked(top) if (top / name).stat().st_size > 512 * 1024]


def test_text_ends_with_a_newline(top):
    """A file that does not may be a link that was copied as its target's name."""
    assert not [name for name in tracked(top)
                if not (name.startswith('tests/fuzz/') or name.endswith('.png') or (top / name).is_symlink())
                and (top / name).read_bytes()[-1:] not in (b'\n', b'')]


def functions(text):
    """(line, length) of each function, from brace to brace."""
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith('{'):
            start = number
        elif line.startswith('}') and start:
            yield start, number - start - 1
            start = None


def test_functions_fit_on_a_screen(top):
    """At most 60 lines, in every C file; half of those of the programs, at most 13."""
    found = [(name, line, length) for name in tracked(top) if name.endswith('.c')
             for line, length in functions((top / name).read_text())]
    assert not [one for one in found if one[2] > 60]
    ours = [length for name, _, length in found if name.startswith(('lib/', 'signer/', 'postcheck/', 'tools/'))]
    assert len(ours) > 1000 and statistics.median(ours) <= 13


@pytest.mark.parametrize('compiler', ['gcc', 'clang'])
@pytest.mark.slow
def test_compiles_without_warnings(compiler, top, tmp_path):
    """The image's own build shows the same for gcc 14, in the builder root."""
    if compiler != 'gcc' and subprocess.run(['which', compiler], stdout=subprocess.DEVNULL).returncode:
        pytest.skip(f'no {compiler}')
    done = subprocess.run(['make', '-s', '-j2', 'signer', f'CC={compiler}', 'WERROR=1',
                           f'PROGRAMS_OUT={tmp_path}'],
                          cwd=top, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
