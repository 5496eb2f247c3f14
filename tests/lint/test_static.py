# SPDX-License-Identifier: ISC
"""Shows that analysers find nothing in the C code that is not explained here, in
.clang-tidy or in cppcheck.suppress, and that clang-format would change nothing.
Matters: a finding that is waved through once hides the next.

Each is of the version that this is written for, where Debian has several: another
one finds other things, and a newcomer's machine is not the place to learn of it.
Each analyser is also given a file with a fault, so that silence means that it
looked."""
import concurrent.futures
import re
import shlex
import subprocess

import pytest

TIDY, GCC = 'clang-tidy-19', 'gcc-12'
# (file, function, warning): why gcc 12 errs.
EXPLAINED = {
    ('tools/ceremony/read.c', 'read_confirm', '-Wanalyzer-malloc-leak'):
        'what an item holds belongs to the script, which is freed whole',
    ('tools/ceremony/read.c', 'read_value', '-Wanalyzer-malloc-leak'):
        'what an item holds belongs to the script, which is freed whole',
    ('lib/config/settings.c', 'append_number', '-Wanalyzer-malloc-leak'):
        'what the grown array holds belongs to the configuration, which is freed whole',
    ('signer/token/key.c', 'add_label', '-Wanalyzer-malloc-leak'):
        'the label is in the list, and the list is freed by its owner',
    ('signer/sign/output.c', 'output_free', '-Wanalyzer-use-of-uninitialized-value'):
        'calloc initialises; gcc 12 loses that behind a variable count',
    ('signer/keymaster/run.c', 'keys_choose_algorithm', '-Wanalyzer-null-dereference'):
        'algorithm_is_supported(), of another file, is false for NULL',
}
HOUSES = ['lib', 'signer', 'postcheck', 'tools']
LEAK = '#include <stdlib.h>\nint f(void);\nint f(void)\n{\n\tint *p = malloc(4);\n\n\treturn p == NULL ? 1 : 0;\n}\n'


def sources(top):
    files = sorted(path for house in HOUSES for path in (top / house).rglob('*.c'))
    assert len(files) > 80
    return files


@pytest.fixture(scope='session')
def flags(top, programs, build):
    """How a file of ours is compiled; the programs are, for the tables made then."""
    wanted = subprocess.run(['pkg-config', '--cflags', 'libxml-2.0', 'libcrypto', 'yaml-0.1', 'p11-kit-1'],
                            check=True, stdout=subprocess.PIPE, text=True).stdout
    return ['-std=c17', '-D_GNU_SOURCE', '-I.', f'-I{build}/host/obj',
            *[word.replace('-I', '-isystem') for word in shlex.split(wanted)]]


def on_each(files, call):
    """What the call printed for each file, two at a time."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(call, files))


def output(top, *words):
    return subprocess.run(['nice', *map(str, words)], cwd=top, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_clang_format_changes_nothing(top):
    """In the version that .clang-format states: another sets other lines."""
    version = re.match(r'# Of (clang-format-\d+),', (top / '.clang-format').read_text()).group(1)
    names = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard', '*.c', '*.h'], cwd=top, check=True,
                           stdout=subprocess.PIPE, text=True).stdout.split()
    names = [name for name in names if (top / name).is_file()]
    done = output(top, version, '--dry-run', '-Werror', *names)
    assert done.returncode == 0, done.stdout[:4000]


@pytest.mark.slow
def test_cppcheck(top, build, tmp_path):
    bad = tmp_path / 'bad.c'
    bad.write_text('int f(void);\nint f(void)\n{\n\tint a[2];\n\n\ta[2] = 1;\n\treturn a[2];\n}\n')
    words = ['cppcheck', '--enable=warning,style,performance,portability', '--std=c11', '--quiet',
             '--error-exitcode=1', '--suppressions-list=tests/lint/cppcheck.suppress', '-D_GNU_SOURCE',
             '-I.']
    assert output(top, *words, bad).returncode == 1
    done = output(top, *words, *HOUSES)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_clang_tidy(top, flags, tmp_path):
    (tmp_path / 'bad.c').write_text(LEAK)
    (tmp_path / '.clang-tidy').write_text((top / '.clang-tidy').read_text())
    assert 'malloc' in output(top, TIDY, '--quiet', tmp_path / 'bad.c', '--', '-std=c17').stdout

    def tidy(path):
        done = output(top, TIDY, '--quiet', path, '--', *flags)
        return done.stdout if done.returncode else ''
    assert ''.join(on_each(sources(top), tidy)) == ''


def findings(top, flags, path):
    """[(file, function, warning)]"""
    done = output(top, GCC, '-O2', '-fanalyzer', '-fdiagnostics-plain-output', '-c', '-o', '/dev/null', *flags, path)
    found, function = [], ''
    for line in done.stdout.splitlines():
        where = re.search(r"In function .(\w+)", line)
        function = where.group(1) if where else function
        warning = re.search(r'([\w/.-]+):\d+:\d+: (?:warning|error): .*\[(-W[\w-]+)\]', line)
        if warning:
            name = warning.group(1)
            found.append((name.removeprefix(f'{top}/'), function, warning.group(2)))
    assert done.returncode == 0, done.stdout
    return found


@pytest.mark.slow
def test_gcc_analyzer(top, flags, tmp_path):
    (tmp_path / 'bad.c').write_text(LEAK)
    assert [warning for _, _, warning in findings(top, flags, tmp_path / 'bad.c')] == ['-Wanalyzer-malloc-leak']
    found = [one for many in on_each(sources(top), lambda path: findings(top, flags, path)) for one in many]
    assert [one for one in found if one not in EXPLAINED] == []
