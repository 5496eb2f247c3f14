# SPDX-License-Identifier: ISC
"""Folders of ceremonies for the tests, as "ceremony-log" and "ceremony run" leave
them: a chained journal, recordings, the script."""
import hashlib
import time

SCRIPT = '''---
ceremony: 61
title: Sign the ZSK for 2027 Q2
disc: keyroom-1.0.0-amd64.iso DISC
roles: {CA: Ceremony Administrator, IW: Internal Witness, RZM: zone maintainer}
set: {KSR: /media/KSR/ksr.xml}
---

Read before the day.

# Act 1. The disc

## 1. Verify the disc {CA IW, 8 min}

CA starts the check.

    # verify-media
    The whole medium:
    PGP Words:  * (glob)

- [ ] IW: the words are those of the release
- Bag number: ____ (IW)

## 2. The drive {CA, 2 min}

    *** * mounted at /media/KSR (writable) *** (glob)

# Act 2. The signatures

## 3. Sign {CA RZM, 5 min}

    # ksrsigner ${KSR} skr.xml
    Is this correct (y/N)? y

- [ ] RZM: the words of the request are those on the sheet

## 4. The second opinion {CA, 3 min}

    # skrcheck ${KSR} skr.xml

## 5. End the log {CA, 1 min}

    # ceremony-log finish

## 6. Switch off {CA, 1 min}

    # shutdown -h now
'''.replace('DISC', hashlib.sha256(b'disc').hexdigest())

# Seconds after the start, kind, text.
EVENTS = [
    (10, 'early', '2026-11-29T09:00:05Z step 1 begin'),
    (10, 'early', '2026-11-29T09:00:06Z step 1 command verify-media'),
    (20, 'step', '1 confirm IW the words are those of the release'),
    (30, 'step', '1 value Bag number: B-17'),
    (400, 'step', '1 end 0'),
    (410, 'step', '2 begin'),
    (420, 'step', '2 end 0'),
    (430, 'step', '3 begin'),
    (440, 'step', '3 command ksrsigner /media/KSR/ksr.xml skr.xml'),
    (500, 'step', '3 confirm RZM the words of the request are those on the sheet'),
    (510, 'step', '3 end 0'),
    (520, 'step', '4 begin'),
    (530, 'step', '4 command skrcheck /media/KSR/ksr.xml skr.xml'),
    (540, 'step', '4 end 0'),
    (550, 'step', '5 begin'),
    (560, 'step', '5 command ceremony-log finish'),
]
SHOWN = [
    (3, 'ksrsigner /media/KSR/ksr.xml skr.xml', 'Is this correct (y/N)? y', 0),
    (4, 'skrcheck /media/KSR/ksr.xml skr.xml', 'PASS', 0),
]
# As "ceremony run" has itself recorded.
COMMAND = ('exec 9>&-; KEYROOM_RECORDED=123:$(tty) SHELL=/bin/bash; export KEYROOM_RECORDED SHELL; '
           'exec ceremony run "$KEYROOM_CARD_SCRIPT"')
START = 1795942800      # 2026-11-29T09:00:00Z


def escaped(text):
    data = text.encode() if isinstance(text, str) else text
    return ''.join('\\\\' if b == 0x5c else chr(b) if 0x20 <= b < 0x7f else f'\\x{b:02x}' for b in data)


def journal(lines, start=START):
    """lines: (seconds, kind, text); the bytes, and the hash of the last line."""
    made, last = [], '0' * 64
    for number, (after, kind, text) in enumerate(lines, 1):
        stamp = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(start + after))
        rest = f'{number} {stamp} {kind} {escaped(text)}'
        last = hashlib.sha256(f'{last} {rest}'.encode()).hexdigest()
        made.append(f'{last} {rest}\n')
    return ''.join(made).encode(), last


def recording(shown):
    text = f'Script started on 2026-11-29 09:00:07+00:00 [COMMAND="{COMMAND}" TERM="linux" TTY="/dev/tty1" COLUMNS="80" LINES="24"]\n'
    for step, command, lines, status in shown:
        text += f'\r\n=== step {step} # {command}\r\n' + lines.replace('\n', '\r\n') + '\r\n'
        text += f'\r\n=== step {step} ended with {status}\r\n'
    return (text + '\r\nScript done on 2026-11-29 09:40:00+00:00 [COMMAND_EXIT_CODE="0"]\n').encode()


def unsigned():
    """What to make a folder of in which nobody signs: that would have to be shown, and to
    be good, in one that is checked afterwards (test_ceremony_check.py)."""
    signs, reads = 'ksrsigner', 'cat'
    return {'script': SCRIPT.replace(signs, reads),
            'events': [(after, kind, text.replace(signs, reads)) for after, kind, text in EVENTS],
            'shown': [(step, command.replace(signs, reads), *more) for step, command, *more in SHOWN]}


def make(folder, script=SCRIPT, events=None, shown=None, start=START, ended=True, files=(), release='1.0.0', first=()):
    """A ceremony's folder; returns the hash of the journal's last line."""
    folder.mkdir(parents=True)
    data = script.encode()
    typed = recording(SHOWN if shown is None else shown)
    (folder / 'terminal-tty1.typescript').write_bytes(typed)
    events = EVENTS if events is None else events
    last = max([after for after, _, _ in events], default=7)
    # What is early was before that.
    lines = [(7, 'start', f'release {release} (0123456789ab), /media/HSMFD/ceremony-61'),
             *((max(after, 7), kind, text) for after, kind, text in first),
             (7, 'script', f'{hashlib.sha256(data).hexdigest()} script.md'),
             (7, 'open', 'terminal-tty1.typescript'), *events,
             (last, 'data', f'terminal-tty1.typescript 0 {len(typed)} {hashlib.sha256(typed).hexdigest()}'),
             (last, 'close', f'terminal-tty1.typescript {len(typed)}')]
    for name, content in [('script.md', data), *files]:
        (folder / name).write_bytes(content)
        lines.append((last, 'file', f'{len(content)} {hashlib.sha256(content).hexdigest()} {name}'))
    if ended:
        lines.append((last + 1, 'end', 'x'))
    made, tip = journal(lines, start)
    (folder / 'journal').write_bytes(made)
    (folder / 'verify').write_text('#!/bin/sh\n')
    names = sorted(path.name for path in folder.iterdir())
    (folder / 'MANIFEST').write_text(''.join(
        f'{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n' for name in names))
    return tip
