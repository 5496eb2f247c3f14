# SPDX-License-Identifier: ISC
"""Shows: the commands of docs/ROLLOVER.md change the algorithm of a zone, from the
first to the last, and what the page tells people to look at is there.  Matters: it
is the page that is open beside the keyboard on those days."""
import os
import re
import shutil
import subprocess

import pytest

from tokens import needs_softhsm


def commands(top):
    return re.findall(r'^    (\S.*)$', (top / 'docs/ROLLOVER.md').read_text(), re.M)


@pytest.fixture(scope='module')
def played(top, programs, tmp_path_factory):
    """The page's commands in one shell; what each of them wrote, by itself."""
    needs_softhsm()
    folder = tmp_path_factory.mktemp('rollover')
    shutil.copy(top / 'docs/rollover.yaml', folder)
    script = ''.join(f'echo "@@ {number}"\n{command}\n' for number, command in enumerate(commands(top)))
    done = subprocess.run(['bash', '-euc', script], cwd=folder, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
                          env={**os.environ, 'PATH': f'{programs}:{os.environ["PATH"]}', 'TZ': 'UTC', 'LC_ALL': 'C.UTF-8'})
    assert done.returncode == 0, done.stdout[-4000:]
    return dict(zip(commands(top), re.split(r'^@@ \d+\n', done.stdout, flags=re.M)[1:]))


def rows(played, start, schema):
    """The last table of the command that signs with this schema."""
    text, = [text for command, text in played.items() if command.startswith(start) and f'--schema {schema} ' in command]
    return re.findall(r'^\d +\d{4}-\S+ \d{4}-\S+ +(\S+) +(.*)$', text, re.M)[-9:]


def test_every_response_is_judged_good(played):
    judged = {command: text for command, text in played.items() if command.startswith('skrcheck --config')}
    assert len(judged) == 7
    for command, text in judged.items():
        # Keys have no ds_sha256 in a rehearsal, so the anchor says whose they are; no log is given.
        ends = re.findall(r'^(PASS|FAIL|INCOMPLETE)(?:,|$)(.*)', text, re.M)
        assert ends and {end for end, _ in ends} == {'PASS'}, text
        assert len(ends) == (3 if '--family' in command else 1), text


def test_what_to_look_at_is_there(played):
    family, = [text for command, text in played.items() if 'ksrsigner' in command and '--family' in command]
    use = re.findall(r'^\d +\d{4}.* (\S+)  USE$', family, re.M)[-9:]
    assert [re.sub(r'\d{5}', '', row) for row in use] == ['(rsa)/S'] + ['(rsa)/S,(ec)/O'] * 7 + ['(ec)/S,(rsa)/S']
    assert re.search(r'^9  DNSKEY \d+ bytes  USE$', family, re.M)
    signed = rows(played, 'ksrsigner', 'revoke')
    assert [re.sub(r'\d{5}', '', row[1]) for row in signed] == ['(ec)/S,(rsa)/S'] + ['(rsa)/RS,(ec)/S'] * 8
    signed = rows(played, 'ksrsigner', 'finish')
    assert [re.sub(r'\d{5}', '', row[1]) for row in signed] == ['(rsa)/RS,(ec)/S', '(ec)/S,(rsa)/O'] + ['(ec)/S'] * 7
    signed = rows(played, 'ksrsigner', 'ec')
    assert {re.sub(r'\d{5}', '', row[1]) for row in signed} == {'(ec)/S'}
    gone, = [text for command, text in played.items() if 'keydelete' in command]
    assert re.search(r'^token roll, serial \S+, has no object of this key any more$', gone, re.M)
    zone, = [text for command, text in played.items() if '--zone' in command]
    assert ' DNSKEY 257 3 13 ' in zone and ' DNSKEY 257 3 8 ' not in zone


def test_page_names_every_schema(top):
    """And the configuration has no other."""
    schemas = re.findall(r'^  (\S+):$', (top / 'docs/rollover.yaml').read_text().split('\nschemas:\n')[1], re.M)
    page = (top / 'docs/ROLLOVER.md').read_text()
    assert len(schemas) == 8
    assert not [name for name in schemas if f'`{name}`' not in page and f'--schema {name} ' not in page]
