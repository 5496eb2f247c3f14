# SPDX-License-Identifier: ISC
"""A ceremony is checked after the event, with nothing but the public folder, the list
of releases and public keys.  A small one is played and signed in software; its folder
passes; and each falsification of it is found and named, made by somebody who can
write every file but has no key: sums and chain are made anew."""
import hashlib
import os
import re
import shutil
import subprocess

import pytest

import ceremonies
from cards import Table
from ceremony_tools import BIN, environment, run, stub
from rehearsal import Rehearsal

ISO_HASH = '0123456789abcdef' * 4
POINTS = ['FILES', 'SEAL', 'LOG', 'RECORDINGS', 'TERMINALS', 'TIMES', 'SCRIPT', 'STEPS', 'COMMANDS', 'STATUS', 'SEEN', 'CONFIRMED',
          'EXCEPTIONS', 'DISC', 'REQUEST', 'RESPONSE', 'SIGNATURES', 'PAGES']
DAY = '''---
ceremony: 61
title: Sign the ZSK
disc: keyroom-{version}-amd64.iso {iso}
roles: {{CA: Ceremony Administrator, IW: Internal Witness}}
set: {{LOG: {log}, BAG: Bag number, WHO: release, WHY: first, KSR: ../ksr-1.xml}}
---

# Act 1. Start

## 1. Begin the log {{CA, 1 min}}

    # ceremony-log start ${{LOG}}

## 2. Its folder {{CA, 1 min}}

    # cd ${{LOG}}

## 3. Keep what is signed with {{CA, 1 min}}

    # cp ${{KSR}} ../ksrsigner.yaml .

## 4. Verify the disc {{CA, 1 min}}

    # verify-media
    SHA-256: here

Of the ${{WHO}}.

- [ ] IW: the words are those of the ${{WHO}}

## 5. Left out {{CA, 1 min}}

    # false

# Act 2. Sign

## 6. Sign {{CA, 1 min}}

    # ksrsigner --config ksrsigner.yaml --no-previous-skr=${{WHY}} ksr-1.xml skr.xml
    SHA256 hash of KSR:
    Is this correct (y/N)? y

- ${{BAG}}: ____ (IW)

## 7. End the log {{CA, 1 min}}

    # ceremony-log finish --no-print

## 8. Seal the bags {{CA, 1 min}}
'''


def version():
    return subprocess.run([BIN / 'ceremony', '--version'], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.split()[1]


def play(table, top):
    stub(top / 'bin', 'verify-media', f"printf 'SHA-256: %s\\n' here {ISO_HASH}\n")
    table.type(f'PATH={top}/bin:$PATH; clear')
    table.play('day.md')
    for number in (1, 2, 3):
        table.run_it()
        table.next(number + 1)
    table.run_it()
    table.enter('Enter: next')
    table.next(5)
    table.keys('s')
    table.see('left out, because:$')
    table.type('the cable is at home')
    table.see('Step 6 of')
    table.keys(':')
    table.see('a deviation: #$')
    table.type('ls')
    table.back()
    table.keys('Enter')
    table.see(r'correct \(y/N\)\?$', 30)
    table.type('y')
    table.back()
    table.keys('Enter')
    table.see(r'^Bag number \(IW\):$')
    table.type('7')
    table.next(7)
    table.run_it()
    table.next(8)
    table.next(None)
    table.enter('table>')


def seal(folder, key):
    """What lists every file, and the signature over it."""
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob('*') if path.is_file())
    sums = ''.join(f'{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n' for name in files
                   if not name.startswith('SHA256SUMS'))
    (folder / 'SHA256SUMS').write_text(sums)
    if key:
        subprocess.run(['openssl', 'pkeyutl', '-sign', '-inkey', key, '-rawin', '-in', folder / 'SHA256SUMS',
                        '-out', folder / 'SHA256SUMS.sig'], check=True)


@pytest.fixture(scope='module')
def played(tmp_path_factory, programs):
    top = tmp_path_factory.mktemp('day')
    zone = Rehearsal(top, programs, domain='example.', bundles=2, algorithm=13)
    zone.add_ksk('ksk')
    zone.configure(zone.normal('ksk'), zone.ask())
    for path in top.glob('*.log'):
        path.unlink()
    (top / 'day.md').write_text(DAY.format(version=version(), iso=ISO_HASH, log=top / 'log'))
    table = Table(top, 100, 40)
    try:
        play(table, top)
    finally:
        table.close()
    for name in ('key', 'other'):
        subprocess.run(['openssl', 'genpkey', '-algorithm', 'ed25519', '-out', top / name], check=True)
        subprocess.run(['openssl', 'pkey', '-in', top / name, '-pubout', '-out', top / f'{name}.pub'], check=True)
    done = run(BIN / 'ceremony', 'publish', '--script', top / 'day.md', '--key', top / 'key', top / 'log',
               top / 'public')
    assert done.returncode == 0, done.stderr
    (top / 'RELEASES').write_text(f'{ISO_HASH}  keyroom-{version()}-amd64.iso\n{"f" * 64}  keyroom-9-amd64.iso\n')
    zone.hsm.run('ksrsigner', '--force', '--no-previous-skr=x', 'ksr-1.xml', 'another-skr.xml')
    return top


@pytest.fixture
def public(played, tmp_path):
    shutil.copytree(played / 'public', tmp_path / 'public')
    return tmp_path / 'public'


def check(played, folder, *options):
    """(status, {point: (verdict, reasons)}, last line)"""
    options = options or ('--releases', played / 'RELEASES', '--key', played / 'key.pub')
    done = run(BIN / 'ceremony', 'check', *options, folder)
    out, points, last = done.stdout.decode(), {}, None
    for line in out.splitlines():
        found = re.fullmatch(r'(PASS|FAIL|SKIP)  ([A-Z]+)', line)
        if found:
            last = found[2]
            points[last] = (found[1], [])
        elif line.startswith('      '):
            points[last][1].append(line.strip())
    assert list(points) == POINTS, (out, done.stderr)
    return done.returncode, points, out.splitlines()[-1]


def test_the_folder_as_it_was_published(played):
    status, points, last = check(played, played / 'public')
    assert (status, last) == (0, 'PASS'), points


def test_what_is_not_given_is_not_asked(played):
    status, points, last = check(played, played / 'public', '--')
    assert status == 0 and last == 'PASS, but 2 points were not asked'
    assert [name for name, (verdict, _) in points.items() if verdict == 'SKIP'] == ['SEAL', 'DISC']


# Falsifications

def journal(folder, change):
    """Another journal, its numbers and its chain made anew."""
    path = folder / 'log/journal'
    lines = [line.split(' ', 2)[2] for line in path.read_text().splitlines()]
    before, out = '0' * 64, []
    for number, rest in enumerate(change(lines), 1):
        before = hashlib.sha256(f'{before} {number} {rest}'.encode()).hexdigest()
        out.append(f'{before} {number} {rest}\n')
    path.write_text(''.join(out))
    manifest(folder)


def manifest(folder):
    """What "ceremony-log finish" lists."""
    log = folder / 'log'
    names = sorted(str(path.relative_to(log)) for path in log.rglob('*') if path.is_file() and path.name != 'MANIFEST')
    (log / 'MANIFEST').write_text(''.join(
        f'{hashlib.sha256((log / name).read_bytes()).hexdigest()}  ./{name}\n' for name in names))


def recorded(folder, change, vouched=True):
    """Another recording of run, and the journal vouches for it; or, where the power
    was cut, for what it vouched for before and no more."""
    path, = folder.glob('log/terminal-*')
    text = change(path.read_bytes())
    path.write_bytes(text)

    def lines(old):
        if not vouched:
            return [line for line in old if not re.search(r'Z (close|end) ', line)]
        kept = [line for line in old if f' data {path.name} ' not in line]
        at = next(i for i, line in enumerate(kept) if f' close {path.name} ' in line)
        stamp = kept[at][:20]
        return [*kept[:at], f'{stamp} data {path.name} 0 {len(text)} {hashlib.sha256(text).hexdigest()}',
                f'{stamp} close {path.name} {len(text)}', *kept[at + 1:]]
    journal(folder, lines)


def replaced(old, new):
    def change(text):
        assert old in text
        return text.replace(old, new)
    return change


def shell(folder, text):
    """A recording more, of a terminal of its own."""
    name = 'terminal-tty2-20260101-000000.typescript'
    (folder / 'log' / name).write_bytes(text)
    journal(folder, lambda lines: [*lines[:-1], *(f'{lines[-1][:20]} {rest}' for rest in (
        f'open {name}', f'data {name} 0 {len(text)} {hashlib.sha256(text).hexdigest()}', f'close {name} {len(text)}')),
        lines[-1]])
    return name


def without(pattern):
    return lambda folder: journal(folder, lambda lines: [line for line in lines if not re.search(pattern, line)])


def instead(pattern, text):
    return lambda folder: journal(folder, lambda lines: [re.sub(pattern, text, line) for line in lines])


def raw(pattern, text):
    """The journal is edited, and not chained anew."""
    def change(folder):
        path = folder / 'log/journal'
        path.write_text(re.sub(pattern, text, path.read_text(), count=1, flags=re.MULTILINE))
    return change


def edit(name, old, new):
    def change(folder):
        path, = folder.glob(name)
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new, 1))
    return change


def append(name, data):
    def change(folder):
        path = folder / name
        path.write_bytes(path.read_bytes() + data)
    return change


def cut(folder):
    path, = folder.glob('log/terminal-*')
    path.write_bytes(path.read_bytes()[:-100])


def moved(folder):
    def change(lines):
        at = next(i for i, line in enumerate(lines) if ' step 6 begin' in line)
        lines[at] = '2020-01-01T00:00:00Z' + lines[at][20:]
        return lines
    journal(folder, change)


def other_log_page(folder):
    folder.joinpath('annotated.md').write_text(
        folder.joinpath('annotated.md').read_text().replace('the cable is at home', 'nothing'))


def stranger(folder):
    (folder / 'log/terminal-pts9-20260101-000000.typescript').write_text('x')


def response(folder):
    """That of another ceremony, with the journal's line for it."""
    other = (folder / 'log/skr.xml').read_bytes().replace(b'serial="', b'serial="1', 1)
    (folder / 'log/skr.xml').write_bytes(other)
    note = f'{len(other)} {hashlib.sha256(other).hexdigest()} skr.xml'
    journal(folder, lambda lines: [re.sub(r'file \d+ \S+ skr.xml', f'file {note}', line) for line in lines])


def request(folder):
    other = (folder / 'log/ksr-1.xml').read_bytes() + b'\n'
    (folder / 'log/ksr-1.xml').write_bytes(other)
    note = f'{len(other)} {hashlib.sha256(other).hexdigest()} ksr-1.xml'
    journal(folder, lambda lines: [re.sub(r'file \d+ \S+ ksr-1.xml', f'file {note}', line) for line in lines])


def noted(folder, path):
    """The journal's line of a file, made anew; without the file, none."""
    def change(lines):
        kept = [line for line in lines if not line.endswith(f' {path.name}') or ' file ' not in line]
        note = f'{lines[-1][:20]} file {path.stat().st_size} {hashlib.sha256(path.read_bytes()).hexdigest()} ' \
            f'{path.name}' if path.exists() else None
        return [*kept[:-1], *([note] if note else []), kept[-1]]
    journal(folder, change)


def signers_log(folder):
    """The signer's log says another hash than the screen."""
    path, = folder.glob('log/ksrsigner-*.log')
    text = path.read_text()
    digits = re.search(r'hash of SKR:\n.*?([0-9a-f]{64})', text)[1]
    path.write_text(text.replace(digits, digits[::-1]))
    noted(folder, path)


def more_in_signers_log(folder):
    """It has signed once more, which nobody saw."""
    path, = folder.glob('log/ksrsigner-*.log')
    lines = path.read_text().splitlines(True)
    path.write_text(''.join([*lines[:-1], lines[-1].replace('done', 'SHA256 hash of SKR:'),
                             lines[-1].replace('done', 'ab' * 32), lines[-1]]))
    noted(folder, path)


def nothing_signed(folder):
    """ksrsigner was run, and nothing says what it did."""
    path, = folder.glob('log/ksrsigner-*.log')
    path.unlink()
    recorded(folder, lambda text: text.replace(b'SHA256 hash of ', b'SHA256 cash of '))
    noted(folder, path)


def early(folder, step, stamp):
    """Its lines say that they were kept, so that no recording need have it."""
    recorded(folder, replaced(f'=== step {step} #'.encode(), b'=== stop 0 #'))
    journal(folder, lambda lines: [
        re.sub(rf'^(\S+) step {step} ', lambda m: f'{m[1]} early {stamp or m[1]} step {step} ', line) for line in lines])


def put(folder, name, change):
    """Another file of the log's own."""
    path = folder / 'log' / name
    path.write_text(change(path.read_text()))
    if name != 'MANIFEST':
        manifest(folder)


def script(old, new):
    """Another script than the one that was played, or, with the journal's line, one
    that was changed afterwards."""
    def change(folder):
        edit('script.md', old, new)(folder)
        digest = hashlib.sha256((folder / 'script.md').read_bytes()).hexdigest()
        instead(r'script [0-9a-f]{64}', f'script {digest}')(folder)
    return change


STARTED = 'Script started on 2026-11-29 09:00:07+00:00 [COMMAND="%s" TERM="linux" TTY="/dev/tty2"]\n'

FALSE = {
    # name: (what is done, the points that must fail, what is named)
    'a line removed': (raw(r'^.* step 4 confirm .*\n', ''), {'LOG'}, 'changed, cut or put in'),
    'a line changed': (raw('the cable is at home', 'a good reason'), {'LOG'}, 'changed, cut or put in'),
    'a confirmation removed': (without(' step 4 confirm '), {'CONFIRMED'}, 'step 4: not confirmed'),
    'a value removed': (without(' step 6 value '), {'CONFIRMED'}, 'Bag number'),
    'a time moved': (moved, {'TIMES', 'LOG'}, 'earlier time'),
    'an exception removed': (without(' except 1 5 '), {'STEPS', 'LOG', 'EXCEPTIONS'}, 'step 5: left out'),
    'a deviation without exception': (without(' except 2 6 '), {'COMMANDS'}, 'step 6: another command'),
    'a step removed': (without(' step 4 '), {'STEPS'}, 'step 4: not done'),
    'a value that is empty': (instead('value Bag number: 7', 'value Bag number:  '), {'CONFIRMED'}, 'Bag number'),
    'a step that never began': (without(' step 4 begin'), {'STEPS'}, 'step 4: not done'),
    'a step left out after a cut': (
        instead('the cable is at home', 'the log in /x was cut after line 9; this one goes on'), {'STEPS'},
        'step 5: left out'),
    'a deviation removed': (without('otherwise ls'), {'COMMANDS'}, 'the recording has ls'),
    'another command': (instead('step 3 command cp', 'step 3 command mv'), {'COMMANDS'}, 'step 3: typed was mv'),
    'another status': (instead('step 4 end 0', 'step 4 end 1'), {'STATUS'}, 'step 4: exit status'),
    'a step of another script': (instead('step 4 ', 'step 40 '), {'STEPS'}, 'step 40'),
    'a terminal that was not recorded': (
        instead(' end $', ' unrecorded tty2 7 bash'), {'TERMINALS', 'LOG'}, 'not recorded: tty2 7 bash'),
    'the end removed': (without(' end $'), {'LOG'}, 'has no end'),
    'something behind the end': (append('log/journal', b'0123 38 half a line'), {'LOG'}, 'the last line is cut off'),
    'something behind the last line': (
        lambda folder: (without('Z end ')(folder), append('log/journal', b'0123 \0\x1b half a line')(folder)), {'LOG'},
        'log: the last line is cut off'),
    'the log before removed': (
        lambda folder: journal(folder, lambda lines: [lines[0], f'{lines[0][:20]} after {"ab" * 32} /x', *lines[1:]]),
        {'LOG'}, 'log goes on from a log that is not there'),
    'a recording cut': (cut, {'RECORDINGS'}, 'not those that were recorded'),
    'a recording changed': (edit('log/terminal-*', b'SHA-256: here', b'SHA-256: hers'), {'RECORDINGS'},
                            'not those that were recorded'),
    'a recording removed': (lambda folder: [path.unlink() for path in folder.glob('log/terminal-*')],
                            {'RECORDINGS', 'SEEN'}, 'not there'),
    'a command that no recording has': (lambda folder: recorded(folder, replaced(b'=== step 3 # ', b'=== stop 3 # ')),
                                        {'COMMANDS'}, 'no recording does'),
    'a command typed once and told twice': (
        lambda folder: journal(folder, lambda lines: [
            again for line in lines for again in [line] * (1 + (' step 4 command ' in line))]),
        {'COMMANDS'}, '2 times, and the recordings 1 times'),
    'a command typed twice and told once': (
        lambda folder: shell(folder, (STARTED % ceremonies.COMMAND + '=== step 6 # ls\r\n').encode()),
        {'COMMANDS'}, 'the recordings have ls more often'),
    'another status on the screen': (
        lambda folder: recorded(folder, replaced(b'step 4 ended with 0', b'step 4 ended with 1')), {'STATUS'},
        'step 4: the recording has exit status 1, and the journal 0'),
    'an end that no recording has': (
        lambda folder: recorded(folder, replaced(b'step 4 ended with 0', b'step 4 enden with 0')), {'STATUS'},
        'step 4: no recording has the end of its command'),
    'a step told as from before the log': (lambda folder: early(folder, 4, '2026-01-01T00:00:00Z'), {'COMMANDS', 'TIMES'},
                                           'step 4: is said to have been before the log, which step 1 began'),
    'a step told late': (lambda folder: early(folder, 4, '2036-01-01T00:00:00Z'), {'COMMANDS'},
                         'step 4: the journal has verify-media, and no'),
    'a recording put in': (stranger, {'RECORDINGS'}, 'does not know it'),
    'a line of the manifest removed': (
        lambda folder: put(folder, 'MANIFEST', lambda text: re.sub('.*skr.xml\n', '', text)), {'RECORDINGS'},
        'log/MANIFEST: does not list: '),
    'a line of the manifest changed': (
        lambda folder: put(folder, 'MANIFEST', lambda text: text.replace('a', 'b', 1)), {'RECORDINGS'},
        'log/MANIFEST: lists what is not there: '),
    'no manifest': (lambda folder: (folder / 'log/MANIFEST').unlink(), {'RECORDINGS'}, 'log/MANIFEST: '),
    'another script that verifies': (lambda folder: put(folder, 'verify', lambda text: 'exit 0 # ' + text),
                                     {'RECORDINGS'}, 'log/verify: is not the script that release'),
    'another script': (edit('script.md', b'Seal the bags', b'Burn the bags'), {'SCRIPT'}, 'is not the script that'),
    'a script changed afterwards': (script(b'SHA-256: here', b'SHA-256: there'), {'SEEN'}, 'step 4: not seen'),
    'another disc': (script(ISO_HASH.encode(), b'e' * 64), {'DISC'}, 'is no release'),
    'a disc of another release': (script(f'keyroom-{version()}-amd64.iso {ISO_HASH}'.encode(),
                                         f'keyroom-9-amd64.iso {"f" * 64}'.encode()), {'DISC'},
                                  'the log was kept by release'),
    'another disc on the screen': (
        lambda folder: recorded(folder, replaced(ISO_HASH.encode(), ISO_HASH[::-1].encode())), {'DISC'},
        'step 4: verify-media showed another hash'),
    'another disc beside': (edit('disc.txt', b'0123', b'3210'), {'DISC'}, 'disc.txt'),
    'another request': (request, {'REQUEST'}, 'no file of the folder is'),
    'a response of another ceremony': (response, {'RESPONSE'}, 'no file of the folder is'),
    'the response replaced': (edit('log/skr.xml', b'serial="', b'serial="1'), {'RECORDINGS', 'RESPONSE'}, 'skr.xml'),
    'the response removed': (lambda folder: (folder / 'log/skr.xml').unlink(), {'RECORDINGS'}, 'skr.xml: not there'),
    'a first response on the screen': (
        lambda folder: recorded(folder, replaced(
            b'SHA256 hash of SKR:', b'SHA256 hash of SKR:\r\n' + b'ab' * 32 + b'\r\nSHA256 hash of SKR:')),
        {'RESPONSE'}, f'step 6: the screen has {"ab" * 32}, and no log'),
    'a response more in the log': (more_in_signers_log, {'RESPONSE'}, f'{"ab" * 32}, and no recording shows it'),
    'nothing was signed': (nothing_signed, {'REQUEST', 'RESPONSE'}, 'neither a recording nor a log of it'),
    "another signer's log": (signers_log, {'RESPONSE'}, 'the screen has'),
    'a page of another log': (other_log_page, {'PAGES'}, 'annotated.md: is not what'),
    'another page of paper': (edit('annotated.pdf', b'%PDF-', b'%PDF~'), {'PAGES'}, 'annotated.pdf: is not what'),
    'the paper of another script': (lambda folder: shutil.copy(folder / 'annotated.pdf', folder / 'script.pdf'),
                                    {'PAGES'}, 'script.pdf: is not what'),
    'another front page': (lambda folder: (folder / 'index.html').write_text('<p>another'), {'PAGES'}, 'index.html'),
    'no journal': (lambda folder: (folder / 'log/journal').unlink(), {'LOG', 'SCRIPT'}, 'there is no log/journal'),
}


@pytest.mark.parametrize('name', FALSE)
def test_falsification(name, played, public):
    change, points, named = FALSE[name]
    change(public)
    seal(public, None)
    status, found, last = check(played, public, '--releases', played / 'RELEASES')
    failed = {point for point, (verdict, _) in found.items() if verdict == 'FAIL'}
    assert status == 1 and last.startswith('FAIL: '), (found, last)
    assert points <= failed, found
    assert any(named in reason for point in failed for reason in found[point][1]), found
    # And the seal is no longer that of whoever published.
    assert check(played, public)[1]['SEAL'][0] == 'FAIL'


@pytest.mark.parametrize('text', [
    '$ rm -r /media/KSR\r\n',
    '$ rm -r /media/KSR; echo === step 3\r\n',
    STARTED % ceremonies.COMMAND.replace('exec ceremony run "$KEYROOM_CARD_SCRIPT"', 'exec bash -l') + '$ ceremony run x',
    STARTED % ceremonies.COMMAND.replace('exec ceremony', 'bash; exec ceremony') + '$ rm x',
    STARTED % (ceremonies.COMMAND + '; bash') + '$ rm x',
    '\n' + STARTED % ceremonies.COMMAND + '$ rm x',
], ids=['typed', 'mark', 'run in a shell', 'a shell before', 'a shell behind', 'second line'])
def test_a_shell_that_no_script_led_is_named(text, played, public):
    """Its recording is whole; what was typed there no machine can judge.  That run was
    typed there, or that its marks are there, makes it no other thing."""
    name = shell(public, text.encode())
    seal(public, None)
    _, found, _ = check(played, public)
    assert found['RECORDINGS'][0] == found['LOG'][0] == 'PASS', found
    assert found['TERMINALS'] == ('SKIP', [f'{name}: a shell; what was typed there is for people to read']), found


def test_what_run_has_recorded_itself_is_no_shell(played, public):
    shell(public, (STARTED % ceremonies.COMMAND).encode())
    seal(public, None)
    _, found, _ = check(played, public)
    assert found['TERMINALS'] == ('PASS', []), found


def test_a_disc_whose_hash_nobody_showed_is_not_asked_about(played, public):
    """verify-media before there is a log is in no recording."""
    script(b'# verify-media', b'# verify_media')(public)
    instead('step 4 command verify-media', 'step 4 command verify_media')(public)
    recorded(public, replaced(b'=== step 4 # verify-media', b'=== step 4 # verify_media'))
    seal(public, None)
    found = check(played, public)[1]
    assert found['COMMANDS'][0] == found['SEEN'][0] == 'PASS', found
    assert found['DISC'] == ('SKIP', ["no recording shows the disc's hash (verify-media)"])


def test_terminals_are_in_no_order(played, public):
    """The last part of a step may stand in the recording that was begun first."""
    mark = re.search(r'=== step 4 # [^\r]*', next(public.glob('log/terminal-*')).read_text(errors='replace'))[0]
    shell(public, (STARTED % ceremonies.COMMAND + f'{mark}\r\n\r\n=== step 4 ended with 1\r\n').encode())
    seal(public, None)
    assert check(played, public)[1]['STATUS'] == ('PASS', [])


def test_bytes_that_the_journal_does_not_vouch_for_count_for_nothing(played, public):
    """Where the power was cut, anybody can go on writing a recording."""
    real = b'\r\nSHA-256: here'
    recorded(public, replaced(real, b'\r\nSHA-256: gone'))
    seal(public, None)
    assert check(played, public)[1]['SEEN'] == (
        'FAIL', ['step 4: not seen, and no exception for it: SHA-256: here'])
    mark = re.search(rb'=== step 4 # [^\r]*', next(public.glob('log/terminal-*')).read_bytes())[0]
    forged = b'\r\n' + mark + real + b'\r\n\r\n=== step 4 ended with 0\r\n'
    recorded(public, lambda text: text + forged, vouched=False)
    seal(public, None)
    _, found, _ = check(played, public)
    assert found['RECORDINGS'][0] == 'PASS' and found['SEEN'][0] == 'FAIL', found
    # A recording of which no byte is vouched for is not led by anything.
    without(' data ')(public)
    seal(public, None)
    assert check(played, public)[1]['TERMINALS'][0] == 'SKIP'


def test_a_log_of_the_signer_elsewhere_is_none(played, public):
    """Its own lies in a ceremony's log and is noted there; another one, put where the
    names end, has no say, and neither has a configuration."""
    for place in ('zz', 'log/zz'):
        (public / place).mkdir()
        (public / place / 'ksrsigner-99991231-000000.log').write_text(
            ''.join(f'2026-11-29T09:00:00Z: [INFO] SHA256 hash of {what}:\n2026-11-29T09:00:00Z: [INFO] {"ab" * 32}\n'
                    for what in ('KSR', 'SKR')))
        (public / place / 'ksrsigner.yaml').write_text('x')
    shutil.copy(public / 'zz/ksrsigner-99991231-000000.log', public / 'log')
    journal(public, lambda lines: lines)
    seal(public, None)
    found = check(played, public)[1]
    assert [found[point][0] for point in ('REQUEST', 'RESPONSE', 'SIGNATURES')] == ['PASS'] * 3, found
    assert found['RECORDINGS'][0] == 'FAIL'


@pytest.mark.parametrize('says, verdict', [
    ('PASS', 'PASS'),
    ('PASS, but 3 of 16 questions not asked', 'PASS'),
    ('PASS, but keys are known by their labels alone, without ds_sha256 or --anchor; 3 of 16', 'SKIP'),
    ('INCOMPLETE: whose keys signed is not known', 'SKIP'),
    ('FAIL POST-CHAIN\nFAIL', 'FAIL'),
])
def test_what_skrcheck_says(says, verdict, public, tmp_path):
    """Where nothing says whose keys signed, anybody may have: that is no PASS."""
    stub(tmp_path / 'bin', 'skrcheck', f"printf '%s\\n' '{says}'; echo \"$@\" >{tmp_path}/given\n"
         + 'exit 1\n' * (verdict == 'FAIL'))
    env = environment()
    env['PATH'] = f'{tmp_path}/bin:{env["PATH"]}'
    out = run(BIN / 'ceremony', 'check', public, env=env).stdout.decode()
    assert re.search(rf'^{verdict}  SIGNATURES$', out, re.M), out
    given = (tmp_path / 'given').read_text()
    assert f'--config {public}/log/ksrsigner.yaml --no-previous-skr=not in the folder --log {public}/log/ksrs' in given
    assert given.endswith(f'{public}/log/ksr-1.xml {public}/log/skr.xml\n')


def asked(public, tmp_path):
    """(SIGNATURES and its reasons, what skrcheck is given each time)"""
    stub(tmp_path / 'bin', 'skrcheck', f'echo PASS; echo "$@" >>{tmp_path}/given\n')
    env = environment()
    env['PATH'] = f'{tmp_path}/bin:{env["PATH"]}'
    out = run(BIN / 'ceremony', 'check', public, env=env).stdout.decode()
    given = tmp_path / 'given'
    return re.search(r'\n(\w+  SIGNATURES\n(?: .*\n)*)', out)[1], given.read_text().splitlines() if given.exists() else []


def typed(public, words):
    script(b'ksrsigner --config', f'ksrsigner {words} --config'.encode())(public)
    instead('step 6 command ksrsigner', f'step 6 command ksrsigner {words}')(public)


def test_the_schema_is_that_of_the_command(public, tmp_path):
    typed(public, '--schema=other')
    said, (given,) = asked(public, tmp_path)
    assert said == 'PASS  SIGNATURES\n' and ' --schema other ' in given


def test_a_family_is_not_asked_about_one_by_one(public, tmp_path):
    typed(public, '--family two')
    said, given = asked(public, tmp_path)
    assert said.startswith('SKIP  SIGNATURES') and 'a family' in said and given == []


@pytest.mark.parametrize('more, expected', [
    ('KSR SKR', 'PASS  SIGNATURES\n'),
    ('KSR', 'which of 2 requests its 1 responses answer is not known'),
    ('KSR SKR-withheld', 'not in the folder: '),
])
def test_a_chain_is_asked_about_one_after_the_other(more, expected, public, tmp_path):
    """Each with its schema, and against the response before, where that is there."""
    typed(public, '--schema first,second')
    path, = public.glob('log/ksrsigner-*.log')
    log, screen = path.read_text().removesuffix(': [INFO] done\n') + ': [INFO] more\n', ''
    for what in more.split():
        digits = hashlib.sha256(what.encode()).hexdigest()
        log += f'2026-11-29T09:00:00Z: [INFO] SHA256 hash of {what[:3]}:\n2026-11-29T09:00:00Z: [INFO] {digits}\n'
        screen += f'SHA256 hash of {what[:3]}:\r\n{digits}\r\n'
        if 'withheld' not in what:
            (public / f'log/2-{what}.xml').write_text(what)
            noted(public, public / f'log/2-{what}.xml')
    path.write_text(log)
    noted(public, path)
    recorded(public, replaced(b'=== step 6 ended', f'{screen}=== step 6 ended'.encode()))
    said, given = asked(public, tmp_path)
    assert expected in said, said
    if more == 'KSR SKR':
        one, two = given
        assert ' --schema first --no-previous-skr' in one and one.endswith('log/ksr-1.xml ' + f'{public}/log/skr.xml')
        assert f' --schema second --previous-skr {public}/log/skr.xml ' in two
        assert two.endswith(f'{public}/log/2-KSR.xml {public}/log/2-SKR.xml')
    assert len(given) == {'KSR SKR': 2, 'KSR': 0}.get(more, 1)


def test_a_terminal_that_was_recorded_late_is_named(played, public):
    def late(lines):
        at = next(i for i, line in enumerate(lines) if ' open terminal-pts' in line)
        number = re.search('terminal-pts([0-9]+)', lines[at])[1]
        return [*lines[:at], f'{lines[at][:20]} unrecorded pts/{number} 7 bash', *lines[at:]]
    journal(public, late)
    seal(public, None)
    verdict, (reason,) = check(played, public)[1]['TERMINALS']
    assert verdict == 'SKIP' and reason.startswith('was open before it was recorded: pts/')


@pytest.mark.parametrize('change, named', [
    (lambda folder: (folder / 'more.txt').write_text('x'), 'more.txt: not in SHA256SUMS'),
    (lambda folder: (folder / 'disc.txt').unlink(), 'disc.txt: not there'),
    (lambda folder: (folder / 'disc.txt').write_text(ISO_HASH), 'disc.txt: is not the file'),
    (lambda folder: (folder / 'SHA256SUMS').unlink(), 'SHA256SUMS'),
    (lambda folder: (folder / 'SHA256SUMS').write_text('x\n'), 'malformed: x'),
    (lambda folder: (folder / 'log/link').symlink_to('/etc/passwd'), 'log/link: is neither a file nor a folder'),
    (lambda folder: os.mkfifo(folder / 'pipe'), 'pipe: is neither a file nor a folder'),
], ids=['more', 'less', 'another', 'no sums', 'bad sums', 'link', 'pipe'])
def test_files_are_those_of_the_sums(change, named, played, public):
    change(public)
    status, found, _ = check(played, public)
    assert status == 1 and found['FILES'][0] == 'FAIL'
    assert any(named in reason for reason in found['FILES'][1]), found


def test_a_seal_of_somebody_else(played, public):
    seal(public, played / 'other')
    status, found, _ = check(played, public)
    assert status == 1 and [name for name, (verdict, _) in found.items() if verdict == 'FAIL'] == ['SEAL']
    (public / 'SHA256SUMS.sig').unlink()
    assert check(played, public)[1]['SEAL'] == ('FAIL', ['SHA256SUMS.sig: not there'])


@pytest.mark.parametrize('option', ['--key', '--anchor', '--releases'])
def test_what_is_given_must_be_readable(option, played, public, tmp_path):
    """It would look like a folder that is forged."""
    (tmp_path / 'bad').write_text('no key, no XML\n')
    (tmp_path / 'folder').mkdir()
    for name in ('nowhere', 'folder', *(['bad'] if option != '--releases' else [])):
        done = run(BIN / 'ceremony', 'check', option, tmp_path / name, public)
        assert (done.returncode, done.stdout) == (3, b''), (name, done.stderr)
        assert str(tmp_path / name) in done.stderr.decode() and done.stderr.count(b'\n') == 1
    if option == '--key':
        done = run(BIN / 'ceremony', 'check', option, played / 'key', public)
        assert done.returncode == 3 and b'is no public key in PEM' in done.stderr


def test_a_folder_that_is_none(tmp_path):
    done = run(BIN / 'ceremony', 'check', tmp_path / 'nowhere')
    assert done.returncode == 3 and b'nowhere' in done.stderr
    (tmp_path / 'empty').mkdir()
    done = run(BIN / 'ceremony', 'check', tmp_path / 'empty')
    assert done.returncode == 1 and b'there is no log/journal' in done.stdout
