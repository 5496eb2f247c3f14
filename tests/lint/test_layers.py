# SPDX-License-Identifier: ISC
"""Shows that the folders of signer/ are layers: a file includes only its own
layer or lower ones, and an outside library is seen by one layer alone.
Matters: it is why a change of a library, or of the wire format, is a review of
one folder."""
import re

import pytest

# Whose business it is; a header of the C library or the kernel is anyone's.
DOORS = {'openssl/': 'crypto', 'libxml/': 'xml', 'yaml.h': 'config', 'p11-kit/': 'token', 'pkcs11': 'token'}
C_LIBRARY = re.compile(r'((sys|linux|netinet)/)?[a-z0-9]+[.]h')


def layers(top):
    """Lowest first, as the makefile has them."""
    found = re.search(r'^signer_layers := ((?:.*\\\n)*.*)', (top / 'signer/build.mk').read_text(), re.M)
    return [*found.group(1).replace('\\\n', ' ').split(), 'programs']


def includes(text):
    """[(quoted?, name)] of the #include lines."""
    return [(mark == '"', name) for mark, name in re.findall(r'^\s*#\s*include\s*(["<])([^">]+)[">]', text, re.M)]


def breaches(order, layer, text):
    """What a file of that layer may not include."""
    bad = []
    for quoted, name in includes(text):
        door = next((owner for start, owner in DOORS.items() if name.startswith(start)), None)
        if quoted:
            folder = name.split('/')[0]
            # A table made at build time has no folder.
            allowed = name.endswith('.inc') or (
                folder in order and order.index(folder) <= order.index(layer))
        elif door is not None:
            allowed = layer == door
        else:
            allowed = C_LIBRARY.fullmatch(name) is not None
        if not allowed:
            bad.append(name)
    return bad


def test_layers_are_kept(top):
    order = layers(top)
    files = sorted((top / 'signer').glob('*/*.[ch]'))
    assert len(files) > 80
    bad = [f'{path.relative_to(top)}: {name}' for path in files
           for name in breaches(order, path.parent.name, path.read_text())]
    assert not bad


def test_every_folder_is_a_layer(top):
    order = layers(top)
    folders = {path.parent.name for path in (top / 'signer').glob('*/*.c')}
    assert len(folders) > 10 and folders <= set(order)


@pytest.mark.parametrize('layer, line', [
    ('base', '#include "dns/dnskey.h"'),
    ('crypto', '#include "token/token.h"'),
    ('token', '#include <openssl/evp.h>'),
    ('keys', '#include <p11-kit/pkcs11.h>'),
    ('ksr', '#  include <libxml/parser.h>'),
    ('checks', '#include <yaml.h>'),
    ('show', '#include <curl/curl.h>'),
    ('sign', '#include "programs/ksrsigner.c"'),
])
def test_a_breach_is_seen(top, layer, line):
    assert breaches(layers(top), layer, f'\n{line}\n')


@pytest.mark.parametrize('layer, line', [
    ('crypto', '#include <openssl/evp.h>'),
    ('token', '#include "dns/dnskey.h"'),
    ('programs', '#include <sys/stat.h>'),
])
def test_what_is_allowed(top, layer, line):
    assert not breaches(layers(top), layer, f'\n{line}\n')
