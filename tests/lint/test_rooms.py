# SPDX-License-Identifier: ISC
"""Shows that the C code keeps to its rooms: a file includes only what the table
tests/lint/rooms lets its folder see, by its whole path, and an outside library
has one door.  Matters: it is why a change of a library, or of the wire format, is
a review of one folder, and why the second opinion is one."""
import re

import pytest

ISO_C = set('assert ctype errno inttypes limits signal stdarg stdbool stddef stdint stdio stdlib string time'.split())
HOUSES = ('lib', 'signer', 'postcheck', 'tools')


def read_rooms(top):
    """{room: (rooms it sees, headers it sees)}"""
    rows = [[column.strip() for column in line.split('|')]
            for line in (top / 'tests/lint/rooms').read_text().splitlines() if line and not line.startswith('#')]
    names = [row[0] for row in rows]
    assert len(names) == len(set(names))
    rooms = {}
    for name, sees, headers in rows:
        seen = {room for word in sees.split() for room in names
                if word == room or (word == 'lib/*' and room.startswith('lib/'))}
        missing = {word for word in sees.split() if word != 'lib/*'} - set(names)
        assert not missing, f'{name} sees rooms that are not there: {missing}'
        rooms[name] = (seen | {name}, headers.split())
    return rooms


def includes(text):
    """[(quoted?, name)] of the #include lines."""
    return [(mark == '"', name) for mark, name in re.findall(r'^\s*#\s*include\s*(["<])([^">]+)[">]', text, re.M)]


def breaches(rooms, room, text):
    """What a file of that room may not include."""
    sees, headers = rooms[room]
    bad = []
    for quoted, name in includes(text):
        if quoted:
            # A table made at build time has no folder.
            allowed = name.endswith('.inc') or name.rpartition('/')[0] in sees
        else:
            allowed = name.removesuffix('.h') in ISO_C or any(
                name.startswith(header) if header.endswith('/') else name == header for header in headers)
        if not allowed:
            bad.append(name)
    return bad


@pytest.fixture(scope='module')
def rooms(top):
    return read_rooms(top)


def files(top):
    return sorted(path for house in HOUSES for path in (top / house).rglob('*.[ch]'))


def test_every_file_keeps_to_its_room(top, rooms):
    found = files(top)
    assert len(found) > 150
    bad = [f'{path.relative_to(top)}: {name}' for path in found
           for name in breaches(rooms, str(path.parent.relative_to(top)), path.read_text())]
    assert not bad


def test_every_room_is_there_and_no_other(top, rooms):
    assert {str(path.parent.relative_to(top)) for path in files(top)} == set(rooms)


def test_no_two_rooms_see_each_other(rooms):
    """The table is a direction, too: nothing comes back to where it started."""
    def reach(room, seen):
        for other in rooms[room][0] - {room}:
            if other not in seen:
                seen.add(other)
                reach(other, seen)
        return seen
    assert not [room for room in rooms if room in reach(room, set())]


def test_the_houses_see_lib_and_themselves(rooms):
    for room, (sees, _) in rooms.items():
        assert {other.split('/')[0] for other in sees} <= {'lib', room.split('/')[0]}, room


def test_each_library_has_one_door(rooms):
    """OpenSSL has two: hashing, which knows no DNS, and everything else."""
    doors = {}
    for room, (_, headers) in rooms.items():
        for header in headers:
            for library in ('openssl/', 'libxml/', 'yaml.h', 'p11-kit/', 'qrencode.h', 'dlfcn.h', 'hpdf.h', 'png.h',
                            'vterm.h'):
                if header.startswith(library):
                    doors.setdefault(library, set()).add(room)
    assert doors.pop('openssl/') == {'lib/hash', 'lib/crypto'}
    assert all(len(where) == 1 for where in doors.values()), doors


def test_every_forbidden_edge_is_seen(rooms):
    """A file is made for each pair of rooms that the table does not allow."""
    made = 0
    for room, (sees, _) in rooms.items():
        for other in set(rooms) - sees:
            made += 1
            assert breaches(rooms, room, f'#include "{other}/x.h"\n') == [f'{other}/x.h'], (room, other)
    assert made > 100


THREADS = ('pthread.h', 'threads.h', 'sched.h', 'stdatomic.h')


def test_no_room_has_threads(rooms):
    """Nothing runs beside anything: what a program does, it does in the order of its
    source, and a review of that order is one of the program."""
    for room in rooms:
        for header in THREADS:
            assert breaches(rooms, room, f'#include <{header}>\n') == [header], room


def test_no_file_makes_a_thread(top):
    """Nor by another way to the same functions."""
    made = re.compile(r'\b(pthread_\w+|thrd_\w+|mtx_\w+|clone3?\s*\(|SYS_clone|CLONE_THREAD|_Thread_local|_Atomic)')
    assert made.search('pthread_create(&thread') and made.search('thrd_create(') and made.search('clone(run')
    bad = [f'{path.relative_to(top)}: {found.group()}' for path in files(top)
           if (found := made.search(path.read_text()))]
    assert not bad
    assert '-pthread' not in (top / 'houses.mk').read_text() and '-lpthread' not in (top / 'houses.mk').read_text()


@pytest.mark.parametrize('room', ['signer/checks', 'signer/sign', 'signer/token', 'signer/keyset'])
def test_the_second_opinion_sees_nothing_of_the_signer(rooms, room):
    assert breaches(rooms, 'postcheck', f'#include "{room}/x.h"\n')


@pytest.mark.parametrize('room, line', [
    ('lib/base', '#include "lib/dns/dnskey.h"'),
    ('signer/token', '#include <openssl/evp.h>'),
    ('signer/keymaster', '#include <p11-kit/pkcs11.h>'),
    ('lib/ksr', '#  include <libxml/parser.h>'),
    ('signer/checks', '#include <yaml.h>'),
    ('lib/cli', '#include <curl/curl.h>'),
    ('signer/checks', '#include <unistd.h>'),
    ('signer/sign', '#include "../programs/ksrsigner.c"'),
    ('lib/base', '#include "buf.h"'),
])
def test_a_breach_is_seen(rooms, room, line):
    assert breaches(rooms, room, f'\n{line}\n')


@pytest.mark.parametrize('room, line', [
    ('lib/crypto', '#include <openssl/evp.h>'),
    ('signer/token', '#include "lib/dns/dnskey.h"'),
    ('signer/sign', '#include <sys/stat.h>'),
    ('lib/xml', '#include "ksr_rng.inc"'),
])
def test_what_is_allowed(rooms, room, line):
    assert not breaches(rooms, room, f'\n{line}\n')
