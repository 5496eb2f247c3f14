# SPDX-License-Identifier: ISC
"""The annotated script says what was done and when, and names everything that went
otherwise: what it leaves out, nobody will look for.  Each kind of deviation is made
here once, and none is named where there was none."""
import re
import subprocess

import pytest

import ceremonies
from ceremony_tools import BIN, run
from cups_room import pdf_text

EVENTS, SHOWN = ceremonies.EVENTS, ceremonies.SHOWN
FINDINGS = ('exception', 'left out', 'another command', 'not seen', 'exit status', 'not confirmed', 'not done')
BELL = 'printer <b>gone</b> \x1b[31mred\u202e *x* [a](b) | y\n# Act 9'


def annotate(tmp_path, *options, status=0, **how):
    if not (tmp_path / 'c').exists():
        ceremonies.make(tmp_path / 'c', **how)
    done = run(BIN / 'ceremony', 'annotate', *options, tmp_path / 'c')
    assert done.returncode == status, done.stderr
    return done.stdout if '--pdf' in options else done.stdout.decode()


def with_events(*more, without=''):
    kept = [event for event in EVENTS if not without or without not in event[2]]
    return sorted(kept + list(more), key=lambda event: event[0])


def findings(text):
    return re.findall(r'^> \*\*(%s)(?: \d+)?\*\*' % '|'.join(FINDINGS), text, re.M)


def step(text, number):
    return text[text.index(f'\n## {number}. '):].split('\n## ')[1].split('\n# ')[0]


def test_what_was_done_stands_at_each_step(tmp_path):
    text = annotate(tmp_path)
    assert findings(text) == []
    assert '| release | 1.0.0 (0123456789ab) |' in text and '| planned | 20 min |' in text
    assert '2026-11-29 09:00:05 to 2026-11-29 09:09:00' in text
    first = step(text, 1)
    assert '> 2026-11-29 09:00:05 to 09:06:40 UTC, 6 min 35 s (planned 8 min)' in first
    assert '- [x] the words are those of the release (IW, 09:00:20)' in first
    assert '- Bag number: B-17 (IW, 09:00:30)' in first
    assert '    # verify-media\n    The whole medium:\n    PGP Words:  * (glob)\n' in first
    assert '# ksrsigner /media/KSR/ksr.xml skr.xml' in step(text, 3)
    assert 'after the end of the log' in step(text, 6)
    assert (tmp_path / 'c/journal').read_text().splitlines()[-1].split()[0] in text


@pytest.mark.parametrize('change, number, kind, words', [
    (dict(events=with_events((505, 'except', '1 3 the printer is gone'))), 3, 'exception', 'the printer is gone'),
    (dict(events=with_events((505, 'step', '3 otherwise ls -l'))), 3, 'another command', 'ls -l'),
    (dict(events=with_events((535, 'step', '4 skip'))), 4, 'left out', ''),
    (dict(events=with_events((540, 'step', '4 end 3'), without='4 end')), 4, 'exit status', '3, where 0 is right'),
    (dict(events=with_events(without='confirm RZM')), 3, 'not confirmed', 'RZM: the words of the request'),
    (dict(events=with_events(without='value Bag')), 1, 'not confirmed', 'IW: Bag number'),
    (dict(events=with_events((500, 'step', '3 confirm IW the words of the request are those on the sheet'),
                             without='confirm RZM')), 3, 'not confirmed', 'RZM: the words'),
    (dict(events=with_events((500, 'step', '3 confirm RZM other words'), without='confirm RZM')), 3,
     'not confirmed', 'RZM: the words'),
    (dict(shown=[(3, 'ksrsigner', 'Is this wrong', 0), SHOWN[1]]), 3, 'not seen', 'Is this correct (y/N)?'),
    (dict(events=[e for e in EVENTS if not e[2].startswith('2 ')]), 2, 'not done', 'never begun'),
    (dict(events=with_events(without='2 end')), 2, 'not done', 'never ended'),
    (dict(events=with_events(without='2 begin')), 2, 'not done', 'never begun, and yet'),
    (dict(events=with_events((30, 'step', '1 value Bag number:  '), without='value Bag')), 1, 'not confirmed', 'IW: Bag number'),
])
def test_each_kind_of_deviation_is_named_at_its_step(tmp_path, change, number, kind, words):
    text = annotate(tmp_path, **change)
    assert findings(text) == [kind]
    assert findings('\n' + step(text, number)) == [kind] and words in step(text, number)


def test_a_step_after_the_log_has_ended_is_none_that_was_left_out(tmp_path):
    assert 'not done' not in annotate(tmp_path)
    ceremonies.make(tmp_path / 'cut', ended=False)
    done = run(BIN / 'ceremony', 'annotate', tmp_path / 'cut')
    assert done.returncode == 0 and findings(done.stdout.decode()) == ['not done', 'not done']


def test_pauses_are_not_counted_and_a_second_try_is_enough(tmp_path):
    text = annotate(
        tmp_path, events=with_events((445, 'step', '3 pause'), (475, 'step', '3 resume'), (435, 'step', '3 begin')),
        shown=[(3, 'ksrsigner x', 'nothing', 1), *SHOWN])
    third = step(text, 3)
    assert findings(text) == [] and '50 s (planned 5 min), paused 30 s, begun 2 times' in third


def test_hostile_text_stays_text(tmp_path):
    text = annotate(tmp_path, events=with_events(
        (505, 'except', '1 3 ' + BELL), (506, 'step', '3 note ' + BELL), (30, 'step', '1 value Bag number: ' + BELL),
        without='value Bag'))
    assert re.search(r'[\x00-\x09\x0b-\x1f\x7f\u202e]', text) is None
    assert len(re.findall(r'^# Act', text, re.M)) == 2
    assert text.count(r'\<b\>gone\</b\> \\x1b\[31mred\\u202e \*x\* \[a\](b) \| y\\x0a\# Act 9') == 3
    page = subprocess.run(['cmark', '--unsafe'], input=text.encode(), capture_output=True, check=True).stdout.decode()
    assert set(re.findall(r'<(\w+)', page)) <= {'h1', 'h2', 'p', 'ul', 'li', 'pre', 'code', 'blockquote', 'strong'}
    assert page.count('printer &lt;b&gt;gone&lt;/b&gt; \\x1b[31mred\\u202e *x* [a](b) | y\\x0a# Act 9') == 3


def test_pages_are_filled_in(tmp_path):
    (tmp_path / 'a.pdf').write_bytes(annotate(tmp_path, '--pdf', events=with_events(
        (505, 'except', '1 3 ' + BELL), (507, 'step', '3 note tea'))))
    text = pdf_text(tmp_path / 'a.pdf')
    pages = text.split('\f')[:-1]
    assert len(pages) == 3 and 'Annotated: Ceremony 61' in pages[0]
    assert '2026-11-29 09:00:05 to 2026-11-29 09:09:00 UTC' in pages[0]
    for words in ('8 min; taken: 6 min 35 s', '09:00:05', '09:06:40', 'B-17', 'note: tea', 'exception 1: printer'):
        assert words in pages[1]
    assert '2026-11-29 09:08:25' in pages[2] and '<b>gone</b> \\x1b[31mred\\u202e' in pages[2]
    assert annotate(tmp_path, '--pdf') == (tmp_path / 'a.pdf').read_bytes()


def test_a_day_that_the_power_cut_is_one(tmp_path):
    cut = [event for event in EVENTS if event[0] < 480]
    rest = [(after - 600, kind, text) for after, kind, text in EVENTS if after >= 480]
    tip = ceremonies.make(tmp_path / 'c1', events=cut, ended=False, shown=[])
    ceremonies.make(tmp_path / 'c2', events=[(after + 150, kind, text) for after, kind, text in rest],
                    start=ceremonies.START + 600,
                    first=[(0, 'after', f'{tip} /media/HSMFD/ceremony-61')])
    done = run(BIN / 'ceremony', 'annotate', tmp_path / 'c1', tmp_path / 'c2')
    text = done.stdout.decode()
    assert done.returncode == 0 and findings(text) == [], done.stderr
    assert '- [x] the words of the request' in text
    done = run(BIN / 'ceremony', 'annotate', tmp_path / 'c2', tmp_path / 'c1')
    assert done.returncode == 1 and b'**The log is not whole:**' in done.stdout and b'not whole' in done.stderr


def test_a_log_that_is_not_whole_is_said_so(tmp_path):
    ceremonies.make(tmp_path / 'c')
    journal = (tmp_path / 'c/journal').read_text().splitlines(True)
    (tmp_path / 'c/journal').write_text(''.join(journal[:5] + journal[6:]))
    assert '**The log is not whole:** journal 1, line' in annotate(tmp_path, status=1)
    (tmp_path / 'a.pdf').write_bytes(annotate(tmp_path, '--pdf', status=1))
    assert 'LOG NOT WHOLE' in pdf_text(tmp_path / 'a.pdf')


def test_another_script_is_refused(tmp_path):
    ceremonies.make(tmp_path / 'c')
    (tmp_path / 'other.md').write_text(ceremonies.SCRIPT.replace('8 min', '9 min'))
    for words in (('--script', tmp_path / 'other.md'), ()):
        if not words:
            (tmp_path / 'c/script.md').write_text(ceremonies.SCRIPT + '\n')
        done = run(BIN / 'ceremony', 'annotate', *words, tmp_path / 'c')
        assert done.returncode == 3 and b'is not the script that was played' in done.stderr and done.stdout == b''
    (tmp_path / 'same.md').write_text(ceremonies.SCRIPT)
    assert run(BIN / 'ceremony', 'annotate', '--script', tmp_path / 'same.md', tmp_path / 'c').returncode == 0


def test_the_script_may_lie_above_the_folder_and_nowhere_else(tmp_path):
    ceremonies.make(tmp_path / 'drive/c')
    for place, status in (('drive/script.md', 0), ('script.md', 3), ('drive/c/sub/script.md', 3)):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        next(tmp_path.rglob('script.md')).rename(tmp_path / place)
        done = run(BIN / 'ceremony', 'annotate', tmp_path / 'drive/c')
        assert done.returncode == status, (place, done.stderr)
        published = run(BIN / 'ceremony', 'publish', tmp_path / 'drive/c', tmp_path / f'public{status}')
        assert published.returncode == status, published.stderr


def test_a_name_in_the_journal_leads_nowhere(tmp_path):
    ceremonies.make(tmp_path / 'c')
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / 'c/script.md').rename(tmp_path / 'elsewhere/script.md')
    lines = [line.split(' ', 4) for line in (tmp_path / 'c/journal').read_text().splitlines()]
    changed = [(int(n), kind, text.replace(' script.md', ' ../elsewhere/script.md') if kind == 'script' else text)
               for _, n, _, kind, text in lines]
    (tmp_path / 'c/journal').write_bytes(ceremonies.journal(changed)[0])
    assert run(BIN / 'ceremony', 'annotate', tmp_path / 'c').returncode == 3


def test_what_cannot_be_read_is_said(tmp_path):
    assert run(BIN / 'ceremony', 'annotate', tmp_path / 'none').returncode == 3
    (tmp_path / 'c').mkdir()
    (tmp_path / 'c/journal').write_bytes(ceremonies.journal([(0, 'start', 'release 1, x'), (1, 'end', 'x')])[0])
    done = run(BIN / 'ceremony', 'annotate', tmp_path / 'c')
    assert done.returncode == 3 and b'no script was played' in done.stderr
    (tmp_path / 'x.md').write_text(ceremonies.SCRIPT)
    done = run(BIN / 'ceremony', 'annotate', '--script', tmp_path / 'x.md', tmp_path / 'c')
    assert done.returncode == 3 and b'no script was played' in done.stderr
    assert run(BIN / 'ceremony', 'annotate').returncode == 2
    assert run(BIN / 'ceremony', 'annotate', '--sheets', '1', tmp_path / 'c').returncode == 2
