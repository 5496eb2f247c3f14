# SPDX-License-Identifier: ISC
"""Shows that every message is one string literal, so that what a person reads on
a screen or in a log can be searched for in the tree."""
import re
import subprocess

import pytest

LITERAL = r'"(?:[^"\\\n]|\\.)*"'
# Two literals side by side, unless the first one ends its line.
SPLIT_C = re.compile(rf'({LITERAL})\s*\n\s*{LITERAL}')
# A quoted word of a message that goes on in the next line, as another one.
SPLIT_SH = re.compile(r'^\s*(?:.*[;&|({)]\s*)?(?:die|say|warn|note|fail|refuse|announce)\s[^\n]*"\s*\\\n\s*"', re.M)


def split_in_c(text):
    return [match.group(0) for match in SPLIT_C.finditer(text) if not match.group(1).endswith('\\n"')]


def split_in_sh(text):
    return [match.group(0) for match in SPLIT_SH.finditer(text)]


def tracked(top, *patterns):
    names = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard', *patterns], cwd=top, check=True,
                           stdout=subprocess.PIPE, text=True).stdout.split('\n')
    return [name for name in names if name and (top / name).is_file()]


def test_no_message_is_split_in_c(top):
    names = tracked(top, '*.c', '*.h')
    assert len(names) > 200
    assert not [(name, found) for name in names for found in split_in_c((top / name).read_text())]


def test_no_message_is_split_in_shell(top):
    names = [name for name in tracked(top)
             if re.match(rb'#!.*\b(sh|bash)\b', (top / name).read_bytes()[:80]) or name.endswith('.sh')]
    assert len(names) > 50
    assert not [(name, found) for name in names for found in split_in_sh((top / name).read_text())]


@pytest.mark.parametrize('text', [
    'err_set(err, "no such "\n\t\t"file");', 'puts("a" \n "b");',
    'printf("%s of a line\\\\" \n\t"more");',
])
def test_a_split_message_is_seen(text):
    assert split_in_c(text)


@pytest.mark.parametrize('text', ['puts("one line\\n"\n\t"and the next\\n");', 'f("a", "b",\n\t"c");', 'f("a" PRIu64\n\t"b")'])
def test_what_is_no_split_message(text):
    assert not split_in_c(text)


def test_a_split_message_in_shell_is_seen():
    assert split_in_sh('\t[ -e x ] || die "no x:" \\\n\t\t"make one"\n')
    assert not split_in_sh('cmd "a" \\\n\t"b"\n') and not split_in_sh('die "one"\n"$next" \\\n')
