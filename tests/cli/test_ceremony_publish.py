# SPDX-License-Identifier: ISC
"""The public folder is what the world sees of a ceremony.  Whatever was typed or
shown, or stands in a file or its name, may be nothing on the page but text; every
file is hashed, and the hashes are signed; nothing that a link points to is given
away; and the page can be read without scripts, on a telephone, on paper and with a
screen reader."""
import hashlib
import html.parser
import os
import re
import subprocess
import urllib.parse

import pytest

import ceremonies
from browser import chromium, needs_chromium, screenshot
from ceremony_tools import BIN, TOP, png, run
from cups_room import pdf_text

EVIL = '<script>alert(1)</script><img src=x onerror=alert(2)>"\'></td></table>&lt;&#60; \x1b[31m\u202e\x00'.replace('\x00', '')
VOID = ('meta', 'br', 'img')


class Page(html.parser.HTMLParser):
    """Elements, as a browser's tokenizer finds them."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text, self.headings = [], [], '', []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in VOID, tag
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if self.open and re.fullmatch(r'h[1-6]', self.open[-1]):
            self.headings.append((int(self.open[-1][1]), data))

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture
def key(tmp_path):
    subprocess.run(['openssl', 'genpkey', '-algorithm', 'ed25519', '-out', tmp_path / 'key.pem'], check=True,
                   capture_output=True)
    subprocess.run(['openssl', 'pkey', '-in', tmp_path / 'key.pem', '-pubout', '-out', tmp_path / 'pub.pem'], check=True)
    return tmp_path / 'key.pem'


def publish(tmp_path, *options, status=0, **how):
    if not (tmp_path / 'c').exists():
        ceremonies.make(tmp_path / 'c', **how)
    done = run(BIN / 'ceremony', 'publish', *options, tmp_path / 'c', tmp_path / 'public')
    assert done.returncode == status, done.stderr
    return tmp_path / 'public'


def page_of(public):
    return Page((public / 'index.html').read_text())


def verify(tmp_path, folder):
    return subprocess.run(['openssl', 'pkeyutl', '-verify', '-rawin', '-pubin', '-inkey', tmp_path / 'pub.pem', '-in',
                           folder / 'SHA256SUMS', '-sigfile', folder / 'SHA256SUMS.sig'], capture_output=True).returncode


def test_the_folder_has_everything_with_its_hash(tmp_path, key):
    public = publish(tmp_path, '--key', key, files=[('ksrsigner-1.log', b'signed\n'), ('two words.txt', b'x')])
    assert sorted(p.name for p in public.iterdir()) == [
        'SHA256SUMS', 'SHA256SUMS.sig', 'annotated.md', 'annotated.pdf', 'disc.txt', 'index.html', 'log', 'script.md',
        'script.pdf']
    for name in os.listdir(tmp_path / 'c'):
        assert (public / 'log' / name).read_bytes() == (tmp_path / 'c' / name).read_bytes()
    assert (public / 'script.md').read_text() == ceremonies.SCRIPT
    sums = dict(reversed(line.split('  ', 1)) for line in (public / 'SHA256SUMS').read_text().splitlines())
    there = {str(p.relative_to(public)) for p in public.rglob('*') if p.is_file()} - {'SHA256SUMS', 'SHA256SUMS.sig'}
    assert set(sums) == there
    assert all(hashlib.sha256((public / name).read_bytes()).hexdigest() == value for name, value in sums.items())
    assert subprocess.run(['sha256sum', '--check', '--quiet', '--strict', 'SHA256SUMS'], cwd=public).returncode == 0
    assert verify(tmp_path, public) == 0
    (public / 'SHA256SUMS').write_text((public / 'SHA256SUMS').read_text().replace('0', '1', 1))
    assert verify(tmp_path, public) != 0
    text = page_of(public).text
    assert all(name in text and value in text for name, value in sums.items() if name != 'index.html')
    done = run(BIN / 'verify-media', '--help')
    assert done.returncode == 0 and hashlib.sha256(b'disc').hexdigest() in (public / 'disc.txt').read_text()
    assert list(tmp_path.glob('public.new*')) == []


def test_the_check_afterwards_passes(tmp_path, key):
    """What is made by publish is what check asks for, and a page put in shows."""
    public = publish(tmp_path, '--key', key, files=[('two words.txt', b'x')], release='1.0.0', **ceremonies.unsigned())
    words = (BIN / 'ceremony', 'check', '--key', tmp_path / 'pub.pem', public)
    done = run(*words)
    assert done.returncode == 0 and b'FAIL' not in done.stdout, done.stdout
    for point in (b'FILES', b'SEAL', b'LOG', b'COMMANDS', b'CONFIRMED', b'PAGES'):
        assert b'PASS  ' + point in done.stdout
    (public / 'index.html').write_text((public / 'index.html').read_text().replace('B-17', 'B-18'))
    assert run(*words).returncode == 1


@pytest.mark.parametrize('kind', [['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
                                  ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']])
def test_other_keys_sign_too(tmp_path, kind):
    subprocess.run(['openssl', 'genpkey', *kind, '-out', tmp_path / 'key.pem'], check=True, capture_output=True)
    subprocess.run(['openssl', 'pkey', '-in', tmp_path / 'key.pem', '-pubout', '-out', tmp_path / 'pub.pem'], check=True)
    assert verify(tmp_path, publish(tmp_path, '--key', tmp_path / 'key.pem')) == 0


def test_the_same_folder_gives_the_same_bytes(tmp_path, key):
    first = publish(tmp_path, '--key', key).rename(tmp_path / 'first')
    second = publish(tmp_path, '--key', key)
    assert (first / 'SHA256SUMS').read_bytes() == (second / 'SHA256SUMS').read_bytes()


def test_nothing_that_is_read_breaks_out(tmp_path):
    evil_file = '<img src=x onerror=alert(3)>&"\'.log'
    script = ceremonies.SCRIPT.replace('Internal Witness', "'Witness </td></title><script>alert(4)</script>'").replace(
        'Sign the ZSK for 2027 Q2', "'</title><script>alert(5)</script>'").replace(
        'CA starts the check.', 'CA \\<script>alert(6)\\</script> & starts.').replace(
        '# Act 2. The signatures', '# Act 2. \\<script>').replace('The drive {', '\\<script>x {').replace(
        '    # skrcheck', '    # echo "<script>" </pre>\n    </pre><script>\n\n## 9. More {CA, 1 min}\n\n    # skrcheck')
    events = [e for e in ceremonies.EVENTS if 'value Bag' not in e[2]] + [
        (560, 'except', '1 3 ' + EVIL), (560, 'step', '3 note ' + EVIL), (560, 'step', '3 otherwise ' + EVIL),
        (560, 'step', '1 value Bag number: ' + EVIL)]
    public = publish(tmp_path, script=script, events=events, release='1 ' + EVIL,
                     shown=[(3, EVIL, EVIL, 1)],
                     files=[(evil_file, EVIL.encode() + b'\xff\xfe\x00\n'), ('<pre>.log', b'x'),
                            ('evil.png', b'<svg onload=alert(1)>'), ('javascript:alert(1).xml', b'<!DOCTYPE x>'),
                            ('shot.png', png())])
    raw = (public / 'index.html').read_text()
    page = Page(raw)
    assert {tag for tag, _ in page.elements} <= {
        'html', 'head', 'meta', 'title', 'style', 'body', 'header', 'main', 'footer', 'nav', 'ul', 'li', 'a', 'h1', 'h2',
        'h3', 'section', 'div', 'table', 'caption', 'thead', 'tbody', 'tr', 'th', 'td', 'p', 'pre', 'strong', 'br',
        'figure', 'figcaption', 'img', 'svg', 'desc', 'rect', 'line', 'circle', 'text'}
    for _, attrs in page.elements:
        assert not any(name.startswith('on') for name in attrs)
        for name in ('href', 'src'):
            assert name not in attrs or re.match(r'#|\./|data:image/png;base64,', attrs[name])
    assert page.open == [] and not re.search(r'[\x00-\x08\x0b-\x1f\x7f\u202e]', raw)
    assert page.text.count('alert(1)</script>') >= 5 and '\\x1b[31m\\u202e' in page.text
    assert len(page.all('img')) == 1
    for attrs in page.all('a'):
        if attrs['href'].startswith('./'):
            assert (public / urllib.parse.unquote(attrs['href'][2:])).is_file()
    assert subprocess.run(['sha256sum', '--check', '--quiet', '--strict', 'SHA256SUMS'], cwd=public).returncode == 0


def test_a_page_that_machines_read_to_people(tmp_path):
    page = page_of(publish(tmp_path, files=[('shot.png', png()), ('ksrsigner-1.log', b'x\n')]))
    assert page.all('html') == [{'lang': 'en'}] and 'script' not in [tag for tag, _ in page.elements]
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:]))
    assert all(attrs.get('scope') in ('col', 'row') for attrs in page.all('th'))
    assert len(page.all('caption')) == len(page.all('table')) > 4
    assert all(attrs.get('alt') for attrs in page.all('img'))
    assert [a for a in page.all('svg') if a.get('role') != 'img' or not a.get('aria-labelledby')] == []
    named = {attrs['id'] for _, attrs in page.elements if 'id' in attrs}
    assert all(attrs['href'][1:] in named for attrs in page.all('a') if attrs['href'][0] == '#')
    assert {'timeline', 'exceptions', 'steps', 'logs', 'files', 'timeline-name', 'timeline-text'} <= named
    policy = [attrs['content'] for attrs in page.all('meta') if attrs.get('http-equiv') == 'Content-Security-Policy']
    assert policy and policy[0].startswith("default-src 'none'")


def brightness(color):
    parts = [int(color[i:i + len(color) // 3] * (6 // len(color)), 16) / 255 for i in range(0, len(color), len(color) // 3)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_every_colour_of_text_can_be_read(tmp_path):
    """WCAG 1.4.3: 4.5 to 1, on the darkest ground that the page has."""
    style = re.search(r'<style>(.*?)</style>', (publish(tmp_path) / 'index.html').read_text(), re.S)[1]
    grounds = [brightness(c) for c in re.findall(r'background:#([0-9a-f]{3,6})', style)]
    colors = re.findall(r'(?<![-\w])(?:color|fill):#([0-9a-f]{3,6})', style)
    assert len(colors) >= 4 and len(grounds) >= 3
    assert all((min(grounds) + 0.05) / (brightness(color) + 0.05) >= 4.5 for color in colors)


def test_times_and_deviations_are_on_the_page(tmp_path):
    events = sorted([e for e in ceremonies.EVENTS if 'confirm RZM' not in e[2]] +
                    [(505, 'except', '1 3 no printer'), (506, 'step', '3 pause'), (508, 'step', '3 resume'),
                     (761, 'step', '4 end 0')], key=lambda event: event[0])
    public = publish(tmp_path, events=events)
    page = page_of(public)
    text = ' '.join(page.text.split())
    assert text.count('no printer') == 2 and 'exception 1 (09:08:25): no printer' in text
    assert text.count('RZM: the words of the request are those on the sheet') == 3
    assert '6 min 35 s' in text and 'after the log' in text
    classes = [attrs['class'] for attrs in page.all('rect')]
    assert (classes.count('plan'), classes.count('done'), classes.count('late')) == (7, 4, 2)
    assert len(page.all('circle')) == 2
    widths = {attrs['class']: float(attrs['width']) for attrs in page.all('rect')}
    assert widths['plan'] > 0
    assert 'no printer' in (public / 'annotated.md').read_text()
    assert 'Annotated' in pdf_text(public / 'annotated.pdf') and 'Exception' in pdf_text(public / 'script.pdf')


def test_a_response_is_a_table(tmp_path, data):
    skr = next((data / 'production').glob('skr*.xml')).read_bytes()
    text = page_of(publish(tmp_path, files=[('skr.xml', skr), ('ksr.xml', b'<KSR/>')])).text
    assert hashlib.sha256(skr).hexdigest() in text and 'Bundles, with the tags of their keys' in text
    times = re.findall(r'Inception="?>?([^<"]*)', skr.decode()) or re.findall(r'<Inception>([^<]*)', skr.decode())
    assert times and all(time[:19].replace('T', ' ') in text for time in times)
    assert text.count('Bundles, with the tags') == 1


def test_a_log_that_is_too_long_is_cut_and_said_so(tmp_path):
    public = publish(tmp_path, files=[('ksrsigner-1.log', b'line\n' * 100000), ('ttyaudit-x.log', b'hsm\n')])
    text = page_of(public).text
    assert 'These are the first 262144 of 500000 bytes' in text
    assert text.index('ksrsigner-1.log') < text.index('ttyaudit-x.log')
    assert (public / 'index.html').stat().st_size < 500000


@pytest.mark.parametrize('bad', ['link', 'dangling', 'folder link', 'pipe'])
def test_what_is_no_file_is_refused_and_nothing_is_left(tmp_path, bad):
    ceremonies.make(tmp_path / 'c')
    (tmp_path / 'secret').write_text('secret')
    place = tmp_path / 'c' / 'sub' / 'thing'
    place.parent.mkdir()
    if bad == 'pipe':
        os.mkfifo(place)
    else:
        place.symlink_to({'link': tmp_path / 'secret', 'dangling': 'none', 'folder link': '/etc'}[bad])
    done = run(BIN / 'ceremony', 'publish', tmp_path / 'c', tmp_path / 'public')
    assert done.returncode == 3 and b'sub/thing: is neither a file nor a folder' in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ['c', 'secret']


@pytest.mark.parametrize('name', ['new\nline', 'back\\slash', 'esc\x1b[31m', '\x7f'])
def test_names_that_a_line_cannot_hold_are_refused(tmp_path, name):
    ceremonies.make(tmp_path / 'c')
    (tmp_path / 'c' / name).write_text('x')
    done = run(BIN / 'ceremony', 'publish', tmp_path / 'c', tmp_path / 'public')
    assert done.returncode == 3 and b'rename it' in done.stderr and b'\x1b' not in done.stderr
    assert sorted(os.listdir(tmp_path)) == ['c']


def test_folders_within_are_copied(tmp_path):
    ceremonies.make(tmp_path / 'c')
    (tmp_path / 'c/KSR/deep').mkdir(parents=True)
    (tmp_path / 'c/KSR/deep/x').write_text('x')
    assert (publish(tmp_path) / 'log/KSR/deep/x').read_text() == 'x'


def test_what_is_there_stays(tmp_path, key):
    for made in ('file', 'folder', 'link'):
        place = tmp_path / made
        {'file': lambda: place.write_text('old'), 'folder': lambda: place.mkdir(),
         'link': lambda: place.symlink_to('nowhere')}[made]()
    ceremonies.make(tmp_path / 'c')
    for made in ('file', 'folder', 'link', 'folder/'):
        done = run(BIN / 'ceremony', 'publish', tmp_path / 'c', f'{tmp_path}/{made}')
        assert done.returncode == 5 and b'is there already' in done.stderr
    assert (tmp_path / 'file').read_text() == 'old' and list((tmp_path / 'folder').iterdir()) == []
    done = run(BIN / 'ceremony', 'publish', tmp_path / 'c', tmp_path / 'none/public')
    assert done.returncode == 5


def test_failures_leave_nothing(tmp_path, key):
    ceremonies.make(tmp_path / 'c')
    (tmp_path / 'bad.pem').write_text('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n')
    before = sorted(os.listdir(tmp_path))
    for words, status in ((('--key', tmp_path / 'bad.pem'), 3), (('--key', tmp_path / 'pub.pem'), 3),
                          (('--key', tmp_path / 'none'), 3), (('--paper', 'a5'), 2),
                          (('--script', tmp_path / 'bad.pem'), 3)):
        done = run(BIN / 'ceremony', 'publish', *words, tmp_path / 'c', tmp_path / 'public')
        assert done.returncode == status and done.stderr.count(b'\n') == 1 + (status == 2), done.stderr
        assert sorted(os.listdir(tmp_path)) == before
    assert run(BIN / 'ceremony', 'publish', tmp_path / 'c').returncode == 2
    assert run(BIN / 'ceremony', 'publish', tmp_path / 'none', tmp_path / 'public').returncode == 3


def test_a_log_that_is_not_whole_is_published_and_said_so(tmp_path):
    ceremonies.make(tmp_path / 'c')
    journal = (tmp_path / 'c/journal').read_text().splitlines(True)
    (tmp_path / 'c/journal').write_text(''.join(journal[:5] + journal[6:]))
    text = page_of(publish(tmp_path, status=1)).text
    assert 'NOT WHOLE' in text and 'The log is not whole' in text and 'every line follows' not in text


def test_a_day_that_the_power_cut_has_two_logs(tmp_path):
    tip = ceremonies.make(tmp_path / 'c1', events=ceremonies.EVENTS[:8], ended=False, shown=[])
    ceremonies.make(tmp_path / 'c2', events=[(9, 'step', '3 begin'), *[(a, k, t) for a, k, t in ceremonies.EVENTS[8:]]],
                    start=ceremonies.START + 600, first=[(0, 'after', f'{tip} /media/HSMFD/c1')])
    done = run(BIN / 'ceremony', 'publish', tmp_path / 'c1', tmp_path / 'c2', tmp_path / 'public')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'public/log/journal').is_file() and (tmp_path / 'public/log-2/journal').is_file()
    assert tip in page_of(tmp_path / 'public').text


@needs_chromium
def test_it_fits_wide_and_narrow_windows(tmp_path):
    """Nothing reaches the window's edge; what is wider scrolls in its own place."""
    events = ceremonies.EVENTS + [(560, 'except', '1 3 ' + 'W' * 300), (560, 'step', '3 note ' + 'a b ' * 200)]
    public = publish(tmp_path, events=events, files=[('ksrsigner-1.log', b'W' * 3000), ('shot.png', (TOP / 'docs/desktop.png').read_bytes())])
    for width, height in ((1280, 3000), (420, 3000)):
        rows = screenshot(tmp_path, public / 'index.html', width, height)
        assert len(rows[0]) >= width
        edge = [row[x] for row in rows for x in (*range(6), *range(len(row) - 6, len(row)))]
        assert set(edge) == {(255, 255, 255)}
        inner = {pixel for row in rows for pixel in row[20:-20]}
        assert (0x1f, 0x4e, 0x79) in inner and (0x1f, 0x5f, 0x8b) in inner and (0x8f, 0x1d, 0x14) in inner


@needs_chromium
def test_it_prints_whole(tmp_path):
    public = publish(tmp_path, files=[('ksrsigner-1.log', b'the last line of the log\n')])
    chromium(tmp_path, '--no-pdf-header-footer', f'--print-to-pdf={tmp_path}/page.pdf', (public / 'index.html').as_uri())
    text = pdf_text(tmp_path / 'page.pdf')
    for words in ('Ceremony 61: Sign the ZSK', 'Begin (UTC)', 'Verify the disc', '6 min 35 s', 'B-17',
                  'the last line of the log', 'SHA256SUMS'):
        assert words in text
    for row in (public / 'SHA256SUMS').read_text().splitlines():
        assert 'index.html' in row or row[:20] in text.replace('\n', '')
