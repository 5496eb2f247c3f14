# SPDX-License-Identifier: ISC
"""The script of a ceremony is one file for paper, screen, test and record.  Shows
that its reader takes what the manual says and refuses the rest with file and line,
and that the lint finds each thing that would stop a ceremony, before anybody plays
it."""
import os
import re
import subprocess

import pytest

from ceremony_tools import BIN, MAN, SCRIPTS, TOP, run

HASH = '0123456789abcdef' * 4
HEAD = f'''---
ceremony: 61
title: Sign the ZSK
disc: keyroom-1.0.0-amd64.iso {HASH}
roles: {{CA: Ceremony Administrator, IW: Internal Witness}}
set: {{KSR: /media/KSR/ksr.xml, OUT: skr.xml}}
---
'''
BODY = '''Read before the day.

# Act 1. Start

## 1. Verify the disc {CA IW, 8 min}

CA starts the check; IW reads
the words.

    # verify-media
    PGP Words:  * (glob)
    [0-9a-f]+ (re)
    sha

- [ ] IW: the words are those of the release
- Bag number: ____ (IW)

> A remark.

## 2. The drive {CA, 1 min}

    *** * mounted at /media/KSR (writable) *** (glob)

# Act 2. Sign

The HSM is there.

## 3. The HSM {CA, 2 min}

    # hsm-list
    ^C
    [1]

## 4. Sign {CA, 3 min}

    # ksrsigner --config x.yaml ${KSR} ${OUT}
    Is this correct (y/N)? y
'''


def ceremony(tmp_path, text, command='list', *options):
    script = tmp_path / 'script.md'
    script.write_bytes(text if isinstance(text, bytes) else text.encode())
    env = {'PATH': f'{BIN}:{SCRIPTS}:/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C.UTF-8'}
    done = subprocess.run([BIN / 'ceremony', command, *options, 'script.md'], cwd=tmp_path, env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout, done.stderr


def lint(tmp_path, text, *options):
    """(status, findings without the file's name)"""
    status, out, err = ceremony(tmp_path, text, 'lint', '--pages', MAN, *options)
    assert status in (0, 1), err
    return status, [line.removeprefix('script.md:') for line in out.splitlines()]


def test_every_part_is_read(tmp_path):
    status, out, err = ceremony(tmp_path, HEAD + BODY)
    assert status == 0, err
    assert out.splitlines() == [
        'text\tRead before the day.',
        'act\tAct 1. Start',
        'step\t1\tCA IW\t8\tVerify the disc',
        'text\tCA starts the check; IW reads the words.',
        'command\t0\tverify-media',
        'glob\tPGP Words:  *',
        'regex\t[0-9a-f]+',
        'see\tsha',
        'confirm\tIW\tthe words are those of the release',
        'value\tIW\tBag number',
        'note\tA remark.',
        'step\t2\tCA\t1\tThe drive',
        'shown',
        'glob\t*** * mounted at /media/KSR (writable) ***',
        'act\tAct 2. Sign',
        'text\tThe HSM is there.',
        'step\t3\tCA\t2\tThe HSM',
        'command\t1\thsm-list',
        'break',
        'step\t4\tCA\t3\tSign',
        'command\t0\tksrsigner --config x.yaml /media/KSR/ksr.xml skr.xml',
        'answer\tIs this correct (y/N)?\ty',
    ]


def test_a_sound_script_has_no_findings(tmp_path):
    assert lint(tmp_path, HEAD + BODY) == (0, [])


@pytest.mark.parametrize('old, new, message', [
    ('---\nceremony', 'ceremony', r'^1: expected a line ---'),
    ("skr.xml}\n---\n", "skr.xml}\n", r'^1: no second line ---'),
    ('title:', 'titel:', r'line 3: titel: unknown'),
    (HASH, HASH[:-1], r'expected the 64 digits'),
    ('disc: keyroom-1.0.0-amd64.iso ', 'disc: ', r'expected the name of the ISO'),
    ('{CA: Cer', '{CA: X, CA: Cer', r'CA'),
    ('KSR: /media', 'K-SR: /media', r'a name is 1 to 32'),
    ('# Act 1. Start\n\n## 1.', '## 1.', r'a step \(##\) before the first act'),
    ('## 1. Verify', '## Verify', r'expected ## NUMBER'),
    ('8 min}', '8 minutes}', r'expected \{ROLE ROLE, N min\}'),
    ('8 min}', '0 min}', r'0'),
    ('8 min}', '8 min', r'\{ without \}'),
    ('- [ ] IW: the', '- [ ] the', r'expected - \[ \] ROLE'),
    ('____ (IW)', '____ ()', r'expected - NAME: ____ \(ROLE\)'),
    ('Bag number: ____', 'Bag: number: ____', r'a colon and a blank in the name of a value'),
    ('the words.', 'the <b>words</b>.', r'neither HTML'),
    ('> A remark.', '<div>\nx\n</div>', r'no part of a script'),
    ('> A remark.', '### Lower', r'no lower headings'),
    ('> A remark.', '***', r'no part of a script'),
    ('> A remark.', '![a](b)', r'neither HTML nor pictures'),
    ('the words.', 'the\x1b[31m words.', r'character U\+001B cannot'),
    ('the words.', 'the words.\r', r'character U\+000D cannot'),
    ('the words.', 'the\twords.', r'character U\+0009 cannot'),
    ('the words.', 'the\u17b4words.', r'character U\+17B4 cannot'),
    ('the words.', 'the\u202ewords.', r'character U\+202E cannot'),
    ('the words.', 'the words &#27;[2J.', r'character U\+001B cannot be seen'),
    ('# Act 1. Start', '# Act 1. &#x202e;Start', r'character U\+202E cannot be seen'),
    ('OUT: skr.xml', 'OUT: "\\x9b2J"', r'line 6: .*character U\+009B cannot be seen'),
    ('OUT: skr.xml', 'OUT: "a\\u202eb"', r'character U\+202E cannot be seen'),
    ('OUT: skr.xml', 'OUT: "a\\nb"', r'character U\+000A cannot be seen'),
    ('title: Sign', 'title: "\\e[2J" #', r'character U\+001B cannot be seen'),
    ('CA: Ceremony Administrator', 'CA: "\\U000e0041"', r'character U\+E0041 cannot be seen'),
    ('${OUT}', '${NONE}', r'\$\{NONE\} is not in set'),
    ('${OUT}', '${OUT', r'without \}'),
])
def test_what_is_no_script_is_refused_with_its_line(tmp_path, old, new, message):
    text = HEAD + BODY
    assert text.count(old) >= 1
    status, out, err = ceremony(tmp_path, text.replace(old, new, 1))
    assert (status, out) == (3, '') and re.match(r'ceremony: script\.md:', err), err
    assert re.search(message, err.removeprefix('ceremony: script.md:').strip()), err


def test_the_line_is_the_files(tmp_path):
    text = HEAD + BODY
    where = text[:text.index('## 1.')].count('\n') + 1
    _, _, err = ceremony(tmp_path, text.replace('## 1.', '##'))
    assert err.startswith(f'ceremony: script.md:{where}: ')


@pytest.mark.parametrize('old, new, finding', [
    (' {CA IW, 8 min}', ' {CA IW}', 'no minutes'),
    (' {CA IW, 8 min}', ' {, 8 min}', 'no role'),
    (' {CA IW, 8 min}', '', 'no role'),
    ('{CA IW,', '{CA XY,', 'roles does not have XY'),
    ('- [ ] IW:', '- [ ] XY:', 'roles does not have XY'),
    ('(IW)', '(XY)', 'roles does not have XY'),
    ('## 2.', '## 3.', 'numbered one after the other'),
    ('    sha\n', '    # digest x\n', 'a second command in this step'),
    ('verify-media\n', 'verify-media && digest x\n', 'two commands in one line'),
    ('verify-media\n', 'verify-media; digest x\n', 'two commands in one line'),
    ('verify-media\n', 'verify-media || digest x\n', 'two commands in one line'),
    ('verify-media\n', 'verify-medium\n', 'no such program: verify-medium'),
    ('verify-media\n', 'verify-media --verfy x\n', 'verify-media has no option --verfy'),
    ('verify-media\n', 'verify-media -X\n', 'verify-media has no option -X'),
    ('verify-media\n', "digest 'x\n", 'a quotation mark without its end'),
    ('[0-9a-f]+ (re)', '[0-9a-f+ (re)', 'not a regular expression'),
    ('mounted at /media/KSR', 'mounted at /media/OTHER', 'brought the drive KSR'),
    ('    # hsm-list\n    ^C\n    [1]\n', '', 'ksrsigner needs what no step before has brought: an HSM'),
    ('# hsm-list', '# printlog x', 'a printer'),
    ('# hsm-list', '# ceremony-log finish', 'the log'),
    ('# hsm-list', '# umount /media/KSR', 'brought the drive KSR'),
    ('roles: {CA: Ceremony Administrator, IW: Internal Witness}\n', '', 'no roles'),
    ('title: Sign the ZSK\n', '', 'no title'),
    ('The HSM is there.', '    # hsm-list', 'a command belongs into a step'),
    ('The HSM is there.', '    it is there', 'what must be seen belongs into a step'),
    ('The HSM is there.', '- [ ] IW: the HSM is there', 'a confirmation belongs into a step'),
    ('Read before the day.', '- Bag number: ____ (IW)', 'a value belongs into a step'),
    ('Read before', 'Read ${X} before', '${X} is not in set'),
    ('the words.', 'the words of ${X}.', '${X} is not in set'),
    ('the words are', 'the ${X} words are', '${X} is not in set'),
    ('Bag number', 'Bag ${X}', '${X} is not in set'),
    ('A remark', 'A ${X}', '${X} is not in set'),
    ('The HSM is', 'The ${X} is', '${X} is not in set'),
])
def test_the_lint_finds(tmp_path, old, new, finding):
    text = HEAD + BODY
    assert text.count(old) >= 1
    status, found = lint(tmp_path, text.replace(old, new, 1))
    assert status == 1 and any(finding in line for line in found), found
    assert all(re.match(r'\d+: ', line) for line in found)


def test_the_name_of_a_value_stays_one(tmp_path):
    """In the journal a colon and a blank end it."""
    text = (HEAD + BODY).replace('OUT: skr.xml', 'OUT: "a: b"').replace('Bag number', 'Bag ${OUT}')
    status, found = lint(tmp_path, text)
    assert status == 1 and 'a colon and a blank in the name of a value: Bag a: b' in ''.join(found)


@pytest.mark.parametrize('listed, status', [
    (f'{HASH}  keyroom-1.0.0-amd64.iso\n', 0),
    (f'| 1.0.0 | `keyroom-1.0.0-amd64.iso` | `{HASH}` |\n', 0),
    (f'{HASH}  keyroom-1.0.0-console-amd64.iso\n', 1),
    (f'{HASH}  other\n{HASH[::-1]}  keyroom-1.0.0-amd64.iso\n', 1),
    ('', 1),
])
def test_the_disc_is_a_release(tmp_path, listed, status):
    (tmp_path / 'sums').write_text(listed)
    got, found = lint(tmp_path, HEAD + BODY, '--releases', 'sums')
    assert got == status and ('no release lists' in ''.join(found)) == bool(status)


def test_usage():
    for words in ((), ('lint',), ('play', 'x'), ('lint', 'a', 'b')):
        done = run(BIN / 'ceremony', *words)
        assert done.returncode == 2 and done.stderr.count(b'\n') <= 2
    assert run(BIN / 'ceremony', 'lint', '/nonexistent').returncode == 3


def test_any_bytes_end_in_a_message(tmp_path):
    """Cut and flipped anywhere: a script, or one line that says what is wrong."""
    text = (HEAD + BODY).encode()
    for place in range(0, len(text), 7):
        for made in (text[:place], text[:place] + bytes([text[place] ^ 0x20]) + text[place + 1:],
                     text[:place] + b'\xff\xfe' + text[place:]):
            status, _, err = ceremony(tmp_path, made)
            assert status in (0, 3) and err.count('\n') == (status != 0), (place, err)
    assert os.path.exists(TOP)
