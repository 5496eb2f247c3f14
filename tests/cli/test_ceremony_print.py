# SPDX-License-Identifier: ISC
"""The printed script is what people sign, so its pages must have every step once,
whole, with room for initials and times, in the established columns; the same script
must be the same bytes, so that its hash can be announced; and nothing that a script
says may fall off the paper or hide."""
import hashlib
import re
import subprocess

import pytest

from ceremony_tools import BIN, TOP, run, run_tty
from cups_room import codes, pages_of, pdf_text

HEAD = '''---
ceremony: 61
title: Sign the ZSK
roles: {CA: Ceremony Administrator, IW: Internal Witness}
set: {KSR: /media/KSR/ksr.xml}
---
'''
BODY = '''Read before the day.

# Act 1. Start

## 1. Verify the disc {CA IW, 8 min}

CA starts the check.

    # verify-media ${KSR}
    PGP Words:  * (glob)
    [0-9a-f]+ (re)
    Is this correct (y/N)? y
    ^C
    [3]

- [ ] IW: the words are those of the release
- Bag number: ____ (IW)

> A remark.

## 2. The drive {CA, 65 min}

    *** * mounted at /media/KSR (writable) *** (glob)
'''


def printed(tmp_path, text, *options):
    (tmp_path / 'script.md').write_text(text)
    done = run(BIN / 'ceremony', 'print', *options, tmp_path / 'script.md')
    assert done.returncode == 0, done.stderr
    (tmp_path / 'script.pdf').write_bytes(done.stdout)
    return pdf_text(tmp_path / 'script.pdf').split('\f')[:-1]


def words_of(path):
    """(page, x, y, right, bottom, word) of every word."""
    boxes = subprocess.run(['pdftotext', '-bbox', path, '-'], capture_output=True, check=True).stdout.decode()
    found = []
    for number, page in enumerate(boxes.split('</page>')[:-1], 1):
        for a, b, c, d, word in re.findall(
                r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)<', page):
            found.append((number, float(a), float(b), float(c), float(d), word))
    return found


def test_every_part_is_on_paper(tmp_path):
    pages = printed(tmp_path, HEAD + BODY, '--sheets', '2')
    assert len(pages) == 4
    cover, table = pages[0], pages[1]
    digest = hashlib.sha256((HEAD + BODY).encode()).hexdigest()
    assert 'Ceremony 61' in cover and '1 acts, 2 steps, 1 h 13 min' in cover
    for text in ('Participants', 'Signature', 'Ceremony Administrator', 'Internal Witness'):
        assert text in cover
    assert re.search(r'Step +Activity +Initials +Time', table)
    for text in ('Read before the day.', 'Act 1. Start', 'Verify the disc', 'CA, IW 8 min', 'CA starts the check.',
                 '# verify-media /media/KSR/ksr.xml', 'PGP Words:  *', '[0-9a-f]+  (pattern)',
                 'Is this correct (y/N)?', 'type: y', 'press Ctrl-C', 'ends with exit status 3',
                 'IW: the words are those of the release', 'Bag number:', 'A remark.', 'The screen says:',
                 '*** * mounted at /media/KSR (writable) ***'):
        assert ' '.join(table.split()).count(' '.join(text.split())) == 1, text
    for sheet in pages[2:]:
        for text in ('Exception number', 'At step', 'Expected', 'Happened', 'Decided', 'By whom'):
            assert text in sheet
    version = run(BIN / 'ceremony', '--version').stdout.decode().split()[1]
    for number, page in enumerate(pages, 1):
        assert f'page {number} of 4' in page and f'Keyroom {version}' in page and digest in page
    for png in pages_of(tmp_path / 'script.pdf', tmp_path, 150):
        assert codes(png) == [f'SHA256:{digest.upper()}']


def test_the_disc_and_its_words_are_on_the_first_page(tmp_path):
    digest = hashlib.sha256(b'disc').hexdigest()
    cover = printed(tmp_path, HEAD.replace('title', f'disc: keyroom-1.iso {digest}\ntitle') + BODY)[0]
    words = run(BIN / 'sha2wordlist', stdin=b'disc').stdout.decode().split('PGP Words:')[1].split()
    assert 'keyroom-1.iso' in cover and digest in cover
    assert cover[cover.index(digest):].replace(digest, '').split()[:32] == words


def test_the_same_script_is_the_same_file(tmp_path):
    made = []
    for folder in ('a', 'b c'):
        (tmp_path / folder).mkdir()
        printed(tmp_path / folder, HEAD + BODY)
        made.append((tmp_path / folder / 'script.pdf').read_bytes())
    assert made[0] == made[1]
    printed(tmp_path, HEAD + BODY.replace('A remark', 'B remark'))
    assert (tmp_path / 'script.pdf').read_bytes() != made[0]


def test_a_step_that_fits_is_on_one_page_and_all_are_there(tmp_path):
    steps = ''.join(f'## {n}. Step number {n} {{CA, 1 min}}\n\n' + f'Begin{n}.\n\n' + 'More.\n\n' * (n % 7) +
                    f'- [ ] IW: end{n}\n\n' for n in range(1, 61))
    pages = printed(tmp_path, HEAD + '# Act 1\n\n' + steps, '--sheets', '0')
    for n in range(1, 61):
        where = [i for i, page in enumerate(pages) if re.search(rf'Begin{n}\.', page)]
        ends = [i for i, page in enumerate(pages) if re.search(rf'IW: end{n}\b', page)]
        assert where == ends and len(where) == 1
    assert all(re.search(r'Step +Activity +Initials +Time', page) for page in pages[1:])


def test_a_step_that_is_longer_goes_on_with_its_number(tmp_path):
    lines = ''.join(f'    line{n}x\n' for n in range(200))
    pages = printed(tmp_path, HEAD + '# Act 1\n\n## 1. Long {CA, 1 min}\n\n    # true\n' + lines, '--sheets', '0')
    text = ''.join(pages)
    assert all(text.count(f'line{n}x') == 1 for n in range(200))
    assert len(pages) > 3 and all(re.search(r'^ *1\b', page, re.M) for page in pages[1:])


@pytest.mark.parametrize('paper, size', [('a4', (595, 842)), ('letter', (612, 792))])
def test_nothing_lies_outside_its_cell_or_the_paper(tmp_path, paper, size):
    wide = 'W' * 300
    body = f'# Act 1\n\n## 1. {wide} {{CA, 1 min}}\n\n{wide}\n\n    # {wide}\n    {wide}\n\n- [ ] IW: {wide}\n- {wide}: ____ (IW)\n'
    printed(tmp_path, HEAD + body, '--paper', paper)
    boxed = words_of(tmp_path / 'script.pdf')
    assert max(b[3] for b in boxed) <= 595 - 18 and min(b[1] for b in boxed) >= 18
    initials = [b for b in boxed if b[5] == 'Initials'][0]
    assert all(b[3] <= initials[1] for b in boxed if 'WWW' in b[5])
    footer = min(b[2] for b in boxed if b[5] == 'Keyroom')
    assert max(b[4] for b in boxed if 'WWW' in b[5]) <= footer
    assert sum(b[5].count('W') for b in boxed if 'WWW' in b[5]) == 6 * 300
    assert size[1] == int(float(re.search(r'height="([\d.]+)"', subprocess.run(
        ['pdftotext', '-bbox', tmp_path / 'script.pdf', '-'], capture_output=True).stdout.decode())[1]))


def test_what_the_font_does_not_have_is_said(tmp_path):
    text = ''.join(printed(tmp_path, HEAD + BODY.replace('A remark.', 'Gr\u00fc\u00dfe \u65e5\U0001f600.')))
    assert 'Gr\u00fc\u00dfe \\u65e5\\U0001f600.' in text


def test_the_scripts_of_the_project_are_printed(tmp_path):
    for path in [TOP / 'docs/REHEARSAL.md']:
        pages = printed(tmp_path, path.read_text())
        listed = run(BIN / 'ceremony', 'list', path).stdout.decode()
        titles = [line.split('\t')[4] for line in listed.splitlines() if line.startswith('step\t')]
        assert titles and all(title in ''.join(pages) for title in titles)


@pytest.mark.parametrize('words, message', [
    (('--paper', 'a5'), 'unknown paper "a5"'),
    (('--sheets', '100'), '--sheets'),
    (('--sheets', '-1'), '--sheets'),
    (('--sheets', 'x'), '--sheets'),
    (('--pages', 'x'), 'print has no option --pages'),
])
def test_usage(tmp_path, words, message):
    (tmp_path / 'script.md').write_text(HEAD + BODY)
    done = run(BIN / 'ceremony', 'print', *words, tmp_path / 'script.md')
    assert done.returncode == 2 and message in done.stderr.decode() and done.stdout == b''


def test_options_of_others_are_refused(tmp_path):
    (tmp_path / 'script.md').write_text(HEAD + BODY)
    for command in ('list', 'lint'):
        done = run(BIN / 'ceremony', command, '--paper', 'a4', tmp_path / 'script.md')
        assert done.returncode == 2 and f'{command} has no option --paper' in done.stderr.decode()


def test_no_pages_on_a_terminal(tmp_path):
    (tmp_path / 'script.md').write_text(HEAD + BODY)
    status, shown = run_tty(BIN / 'ceremony', 'print', tmp_path / 'script.md')
    assert status == 2 and '%PDF' not in shown and 'is a terminal' in shown


def test_a_script_without_end_is_refused(tmp_path):
    text = HEAD + '# Act 1\n\n## 1. Long {CA, 1 min}\n\n' + 'a\n\n' * 300000
    (tmp_path / 'script.md').write_text(text)
    done = run(BIN / 'ceremony', 'print', tmp_path / 'script.md')
    assert done.returncode == 3 and b'more than 2000 pages' in done.stderr and done.stdout == b''


def test_a_variable_that_is_not_set_is_refused_with_its_line(tmp_path):
    text = HEAD + BODY.replace('${KSR}', '${NONE}')
    (tmp_path / 'script.md').write_text(text)
    done = run(BIN / 'ceremony', 'print', tmp_path / 'script.md')
    line = text[:text.index('    # verify')].count('\n') + 1
    assert done.returncode == 3 and f'script.md:{line}: '.encode() in done.stderr and done.stdout == b''
