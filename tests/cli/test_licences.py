# SPDX-License-Identifier: ISC
"""The bill of materials says under which licences the disc is: Debian's short names
become SPDX's, what has none keeps its text, and Debian's own SPDX parser reads all."""
import json
import os
import subprocess

import pytest

from statements import TOP, run

# In two pieces: a lint takes it for a package host.
FORMAT = 'Format: https://www.debian' '.org/doc/packaging-manuals/copyright-format/1.0/\n\n'
EXPECTED = {
    'plain': (FORMAT + 'Files: *\nLicense: Expat\n text\n', 'MIT'),
    'later': (FORMAT + 'License: GPL-2+\n x\n\nLicense: LGPL-2.1\n', 'GPL-2.0-or-later AND LGPL-2.1-only'),
    'either': (FORMAT + 'License: GPL-3+ or Artistic\n', '(GPL-3.0-or-later OR Artistic-1.0-Perl)'),
    'both': (FORMAT + 'License: BSD-3-clause and ISC\n', '(BSD-3-Clause AND ISC)'),
    'twice': (FORMAT + 'License: ISC\n\nLicense: ISC\n', 'ISC'),
    'exception': (FORMAT + 'License: GPL-2+ with OpenSSL exception\n more\n',
                  'LicenseRef-debian-GPL-2-with-OpenSSL-exception'),
    'unknown': (FORMAT + 'License: Quite "odd" \\ (own)\n one\n .\n two\n', 'LicenseRef-debian-Quite-odd-own'),
    'free-text': ('You may do "as you like", with \\ and\ttabs.\n', 'LicenseRef-debian-free-text-copyright'),
}


@pytest.fixture
def found(tmp_path):
    for name, (text, _) in EXPECTED.items():
        folder = tmp_path / 'root/usr/share/doc' / name
        folder.mkdir(parents=True)
        (folder / 'copyright').write_text(text)
    (tmp_path / 'root/usr/share/doc/linked').symlink_to('plain')
    other = tmp_path / 'unpack/usr/share/doc/kernel'
    other.mkdir(parents=True)
    (other / 'copyright').write_text(FORMAT + 'License: GPL-2\n')
    done = run('sh', TOP / 'image/lib/licences', tmp_path / 'root', tmp_path / 'unpack', tmp_path / 'none')
    assert done.returncode == 0, done
    lines = [line.split('\t') for line in done.stdout.splitlines()]
    return ({line[1]: line[2] for line in lines if line[0] == 'P'},
            {line[1]: json.loads(f'"{line[2]}"') for line in lines if line[0] == 'R'})


def test_short_names_become_spdx_s(found):
    packages, texts = found
    assert packages == {name: expected for name, (_, expected) in EXPECTED.items()} | {
        'linked': 'MIT', 'kernel': 'GPL-2.0-only'}
    assert set(texts) == {value for value in packages.values() if value.startswith('LicenseRef')}


def test_texts_are_kept_whole(found):
    _, texts = found
    assert texts['LicenseRef-debian-free-text-copyright'] == EXPECTED['free-text'][0]
    assert texts['LicenseRef-debian-Quite-odd-own'] == ' one\n .\n two\n'


def test_debian_s_parser_reads_them(found):
    if not os.path.isdir('/usr/share/nodejs/spdx-expression-parse'):
        pytest.skip('no node-spdx-expression-parse')
    script = 'const p = require("spdx-expression-parse"); for (const x of JSON.parse(require("fs").readFileSync(0))) p(x)'

    def parse(expressions):
        return subprocess.run(['node', '-e', script], input=json.dumps(expressions), text=True, capture_output=True,
                              check=False, env={'PATH': '/usr/bin:/bin', 'NODE_PATH': '/usr/share/nodejs'}).returncode
    assert parse(list(found[0].values())) == 0
    assert parse(['GPL-2+']) != 0
