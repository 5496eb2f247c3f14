# SPDX-License-Identifier: ISC
"""What went otherwise over the years is asked of the folders of all ceremonies: each
counts once, in the order of their days, and by act and kind nothing is lost; and what
was typed years ago does not become a formula, a tag or an escape sequence."""
import csv
import io
import re
import xml.etree.ElementTree as etree

import ceremonies
from browser import chromium, needs_chromium, read_png
from ceremony_tools import BIN, run

YEAR = 365 * 86400
HSM = b'''2026-11-29T09:00:00Z: [INFO] HSM Information:
2026-11-29T09:00:00Z: [INFO]     Module:          /x.so
2026-11-29T09:00:00Z: [INFO]     Label:           ksk
2026-11-29T09:00:00Z: [INFO]     Model:           Keeper %s
2026-11-29T09:00:00Z: [INFO]     Serial:          H123
2026-11-29T09:00:00Z: [INFO]     Firmware:        2.6
2026-11-29T09:00:00Z: [INFO] Model: of something else
'''


def make(tmp_path, name, number, year, *more, **how):
    early = {'early': lambda text: ('step', text.split(' ', 2)[2])}
    events = sorted([(after, *early.get(kind, lambda text, kind=kind: (kind, text))(text))
                     for after, kind, text in [*ceremonies.EVENTS, *more]], key=lambda event: event[0])
    ceremonies.make(tmp_path / name, script=how.pop('script', ceremonies.SCRIPT).replace('ceremony: 61', f'ceremony: {number}'),
                    events=events, start=ceremonies.START + year * YEAR, **how)


def history(tmp_path, *words, status=0):
    done = run(BIN / 'ceremony', 'history', *words, cwd=tmp_path)
    assert done.returncode == status, done.stderr
    return done.stdout.decode()


def three(tmp_path):
    make(tmp_path, 'b', 62, 0, (505, 'except', '1 3 no printer'), (506, 'except', '2 3 no paper'), release='0.5.0',
         files=[('ksrsigner-1.log', HSM % b'A'), ('ksrsigner-2.log', HSM % b'A')])
    make(tmp_path, 'a', 61, 1, (505, 'except', '1 3 no printer'), (415, 'step', '2 otherwise ls'), release='0.6.0',
         files=[('ksrsigner-1.log', HSM % b'B')])
    make(tmp_path, 'r', 1, 2, release='0.6.0')
    done = run(BIN / 'ceremony', 'publish', 'a', 'pub', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return 'pub', 'r', 'b'


def test_ceremonies_by_day_and_what_went_otherwise_by_act(tmp_path):
    text = history(tmp_path, *three(tmp_path))
    assert re.findall(r'^    ceremony: +(\d+)$', text, re.M) == ['62', '61', '1']
    assert re.findall(r'^    release: +(.*)$', text, re.M) == [f'{n} (0123456789ab)' for n in ('0.5.0', '0.6.0', '0.6.0')]
    assert re.findall(r'^    HSM: +(.*)$', text, re.M) == ['Keeper A H123', 'Keeper B H123']
    assert re.findall(r'^    exceptions: +(.*)$', text, re.M) == [
        '2, and 0 other deviations', '1, and 1 other deviations', '0, and 0 other deviations']
    first, second = text.split('    Act 1. The disc\n')[1].split('    Act 2. The signatures\n')
    assert re.findall(r'^        (\S.*?) +(\d+)   in (.*)$', first, re.M) == [('another command', '1', '61')]
    assert re.findall(r'^        (\S.*?) +(\d+)   in (.*)$', second, re.M) == [('exception', '3', '62, 61')]
    assert 'planned 30 min, taken' in first


def test_csv_has_a_row_for_each_act(tmp_path):
    rows = list(csv.DictReader(io.StringIO(history(tmp_path, '--format', 'csv', *three(tmp_path)), newline='')))
    assert [(row['ceremony'], row['act']) for row in rows] == [
        (n, act) for n in ('62', '61', '1') for act in ('Act 1. The disc', 'Act 2. The signatures')]
    assert [row['exception'] for row in rows] == ['0', '2', '0', '1', '0', '0']
    assert [row['another command'] for row in rows] == ['0', '0', '1', '0', '0', '0']
    assert {row['minutes planned'] for row in rows} == {'10'} and rows[0]['HSM'] == 'Keeper A H123'
    assert float(rows[1]['minutes taken']) == 1.66 and rows[0]['log whole'] == 'yes'


def test_the_picture_has_a_bar_for_each(tmp_path):
    svg = etree.fromstring(history(tmp_path, '--format', 'svg', *three(tmp_path)))
    texts = [element.text for element in svg.iter('{http://www.w3.org/2000/svg}text')]
    assert [text for text in texts if ' + ' in text] == ['2 + 0', '1 + 1', '0 + 0']
    assert [text for text in texts if text in ('61', '62', '1')] == ['62', '61', '1'] and 'minutes planned' in texts
    assert {element.tag.split('}')[1] for element in svg.iter()} == {'svg', 'title', 'rect', 'text'}


def test_the_keys_are_those_that_have_signed(tmp_path, data):
    skr = next((data / 'production').glob('skr*.xml')).read_bytes()
    make(tmp_path, 'a', 61, 0, files=[('skr.xml', skr)])
    tags = sorted(set(re.findall(rb'<KeyTag>(\d+)', skr)))
    assert [tag.zfill(5).decode() for tag in tags] == sorted(
        re.search(r'^    keys: +(.*)$', history(tmp_path, 'a'), re.M)[1].split(', '))


def test_hostile_text_stays_text(tmp_path):
    script = ceremonies.SCRIPT.replace('# Act 1. The disc', '# =cmd() "x", \\<b>').replace('ceremony: 61', "ceremony: '=1+1'")
    events = [*ceremonies.EVENTS, (560, 'except', '1 3 x')]
    ceremonies.make(tmp_path / 'a', script=script, events=events, release='-1 \x1b[31m"',
                    files=[('ksrsigner-1.log', HSM % '\x1b]0;x\x07<b>\u202e, @B'.encode())])
    for words in ((), ('--format', 'csv'), ('--format', 'svg')):
        assert not re.search(r'[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\u202e]', history(tmp_path, *words, 'a'))
    row = next(csv.DictReader(io.StringIO(history(tmp_path, '--format', 'csv', 'a'), newline='')))
    assert row['ceremony'] == "'=1+1" and row['act'] == '\'=cmd() "x", <b>' and row['release'].startswith("'-1 \\x1b")
    assert '<b>' not in history(tmp_path, '--format', 'svg', 'a')


def test_one_ceremony_counts_once(tmp_path):
    three(tmp_path)
    done = run(BIN / 'ceremony', 'history', 'a', 'b', 'pub', cwd=tmp_path)
    assert done.returncode == 3 and b'are one ceremony' in done.stderr and done.stdout == b''


def test_a_log_that_is_not_whole_is_named(tmp_path):
    names = three(tmp_path)
    journal = (tmp_path / 'b/journal').read_text().splitlines(True)
    (tmp_path / 'b/journal').write_text(''.join(journal[:7] + journal[8:]))
    assert history(tmp_path, *names, status=1).count('THE LOG IS NOT WHOLE') == 1


def test_usage_and_what_cannot_be_read(tmp_path):
    three(tmp_path)
    for words, status in ((('--format', 'pdf', 'a'), 2), ((), 2), (('none',), 3), (('a', 'none'), 3), ((tmp_path,), 3),
                          (('--key', 'x', 'a'), 2)):
        done = run(BIN / 'ceremony', 'history', *words, cwd=tmp_path)
        assert done.returncode == status and done.stdout == b'', words


@needs_chromium
def test_the_picture_can_be_seen(tmp_path):
    (tmp_path / 'h.svg').write_text(history(tmp_path, '--format', 'svg', *three(tmp_path)))
    chromium(tmp_path, '--window-size=900,190', f'--screenshot={tmp_path}/h.png', (tmp_path / 'h.svg').as_uri())
    seen = {pixel for row in read_png((tmp_path / 'h.png').read_bytes()) for pixel in row}
    assert {(0x8f, 0x1d, 0x14), (0x1f, 0x5f, 0x8b), (0xd5, 0xdd, 0xe5), (0xe3, 0xb7, 0xa0)} <= seen
