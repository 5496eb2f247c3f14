# SPDX-License-Identifier: ISC
"""Shows: a value that the schemas do not take is named by its element or attribute, with
what would have been right; each value of both schemas has its turn, as the schemas
are read here.  Matters: "not valid" sends an operator through 3,000 lines at a table where
people wait."""
import pathlib
import re
import xml.etree.ElementTree as ElementTree

import pytest
from rehearsal import Rehearsal

TOP = pathlib.Path(__file__).resolve().parents[2]
NS = '{http://relaxng.org/ns/structure/1.0}'
# By XML Schema's type: what it does not take, and our words for what it takes.
WRONG = {
    'unsignedByte': (('256', '-1', 'x', '99999999999999999999999', '1.0', ''), 'a number from 0 to 255'),
    'unsignedShort': (('65536', '-1', 'seven', ''), 'a number from 0 to 65535'),
    'unsignedInt': (('4294967296', '-1', '0x10'), 'a number from 0 to 4294967295'),
    'unsignedLong': (('18446744073709551616', '-1', '1e3'), 'a number from 0 to 18446744073709551615'),
    'integer': (('1.5', 'x', ''), 'a whole number'),
    'dateTime': (('2026-13-01T00:00:00Z', '2026-02-30T00:00:00Z', 'now', '2026-01-01 00:00:00'),
                 'a time, such as 2026-01-31T00:00:00Z'),
    'duration': (('15D', 'P', '15', 'P1.5D'), 'a length of time, such as P21D'),
    'base64Binary': (('A', '====', 'a-b_'), 'Base64'),
    'hexBinary': (('ABC', 'XY'), 'whole bytes in hexadecimal'),
    'NMTOKEN': (('A B', ''), 'one word'),
}


def typed(schema):
    """(name, is it an attribute, type) of each value that has one."""
    root = ElementTree.parse(TOP / 'lib/xml' / schema)
    return {(node.get('name'), node.tag == NS + 'attribute', data.get('type'))
            for node in root.iter() if node.tag in (NS + 'attribute', NS + 'element')
            for data in node.findall(NS + 'data')}


CASES = [(schema, *case) for schema in ('ksr.rng', 'anchor.rng') for case in sorted(typed(schema))]


@pytest.fixture(scope='module')
def room(tmp_path_factory, programs):
    """A request, its response, a trust anchor and a configuration, in one folder."""
    zone = Rehearsal(tmp_path_factory.mktemp('values'), programs, bundles=2)
    zone.add_ksk('ksk')
    zone.quarter(zone.normal('ksk'))
    (zone.folder / 'anchor.xml').write_text(
        zone.anchor().read_text().replace(' validFrom=', ' validUntil="2040-01-01T00:00:00Z" validFrom='))
    return zone


def changed(text, name, attribute, value):
    """The first value of that name, which stands in the line that is given, too."""
    pattern = rf'(\s{name}=")[^"]*(")' if attribute else rf'(<{name}>)[^<]*(</{name}>)'
    found = re.search(pattern, text)
    if not found:
        return None, None
    return text[:found.start()] + found.expand(rf'\g<1>{value}\g<2>') + text[found.end():], \
        text.count('\n', 0, found.end()) + 1


def read(room, document, text):
    """What the program that reads such a document says of it."""
    (room.folder / f'wrong-{document}').write_text(text)
    words = {'ksr.xml': ['ksrcheck', '--no-previous-skr', 'the first', 'wrong-ksr.xml'],
             'skr.xml': ['skrcheck', room.request.name, 'wrong-skr.xml', '--no-previous-skr', 'the first'],
             'anchor.xml': ['skrcheck', room.request.name, room.response.name, '--no-previous-skr', 'the first',
                            '--anchor', 'wrong-anchor.xml']}[document]
    return room.hsm.run(*words)


@pytest.mark.parametrize('schema, name, attribute, kind', CASES)
def test_value_that_is_not_taken_is_named(room, schema, name, attribute, kind):
    documents = ('ksr.xml', 'skr.xml') if schema == 'ksr.rng' else ('anchor.xml',)
    seen = 0
    for document in documents:
        text = {'ksr.xml': room.request, 'skr.xml': room.response}.get(document, room.folder / document).read_text()
        # The times of a response have a reader of their own.
        if document == 'skr.xml' and kind == 'dateTime':
            continue
        for flat in (False, True):
            for value in WRONG[kind][0]:
                wrong, line = changed(text, name, attribute, value)
                if wrong is None:
                    continue
                if flat:
                    wrong, line = wrong.replace('\n', ' '), 1
                done = read(room, document, wrong)
                said = f'line {line}: {name}' + (r' of \w+' if attribute else '') + \
                    f': "{re.escape(value)}" is not {re.escape(WRONG[kind][1])}\n'
                assert done.status in (1, 3) and re.search(said, done.err + done.out), \
                    (document, value, done.err)
                seen += 1
    assert seen


def test_every_type_of_the_schemas_is_tried():
    assert {kind for _, _, _, kind in CASES} == {*WRONG}
