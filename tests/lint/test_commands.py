# SPDX-License-Identifier: ISC
"""Shows that every command which a document gives to a newcomer is run by a test:
the table tests/lint/commands says which.  What is cheap and has no better place is
run here, word by word as the document has it.  Matters: a document that nobody
runs is wrong within a month."""
import os
import re
import subprocess

import pytest
from onebuild import one_build

DOCUMENTS = ['README.md', 'HACKING.md', 'RELEASE.md', 'docs/REBUILDERS.md']


def commands(text):
    """The commands of a document's indented blocks, of a list's too: lines that go on
    are one, and what stands behind a "#" is a remark."""
    joined = re.sub(r'\\\n\s*', '', text)
    lines = re.findall(r'^ {4}(?: {4})?([^ |`#].*)$', joined, re.M)
    return [re.sub(r"\s+# [^']*$", '', line).strip() for line in lines]


def rows(top):
    table = [[column.strip() for column in re.split(r'\s+\|\s+', line)]
             for line in (top / 'tests/lint/commands').read_text().splitlines() if line and not line.startswith('#')]
    assert all(len(row) == 3 for row in table)
    return table


@pytest.mark.parametrize('document', DOCUMENTS)
def test_every_command_has_a_test(top, document):
    given = commands((top / document).read_text())
    patterns = [pattern for name, pattern, _ in rows(top) if name == document]
    assert given
    assert not [command for command in given if not any(re.fullmatch(p, command) for p in patterns)]
    assert not [p for p in patterns if not any(re.fullmatch(p, command) for command in given)]


def test_every_test_of_the_table_is_there(top):
    for _, _, test in rows(top):
        path, _, name = test.partition('::')
        assert (top / path).exists(), path
        assert not name or re.search(rf'^def {name}\(', (top / path).read_text(), re.M), test


def test_a_command_without_a_test_is_seen(top):
    assert commands('Text\n\n    make new  # a remark\n    and \\\n      more\n') == ['make new', 'and more']
    assert not any(re.fullmatch(pattern, 'make new') for _, pattern, _ in rows(top))


def hacking(top, start):
    """The commands of HACKING.md that begin so."""
    found = [line for line in commands((top / 'HACKING.md').read_text()) if line.startswith(start)]
    assert found
    return found


def shell(script, cwd, **extra):
    done = subprocess.run(['bash', '-euc', script], cwd=cwd, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(os.environ, **extra))
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


@pytest.mark.slow
def test_one_file_and_one_test(top, programs, tmp_path):
    """Elsewhere than in the folder whose results this run will count."""
    for line in hacking(top, 'tests/run fast'):
        out = shell(line, top, BUILD=str(tmp_path / 'build'))
        counted = re.search(r'^(\d+) passed, 0 failed, \d+ skipped$', out, re.M)
        assert counted and int(counted.group(1)) > 0, out[-2000:]


@pytest.mark.slow
def test_make_unit(top, build, programs):
    with one_build(build):
        assert 'FAILED' not in shell(hacking(top, 'make unit')[0], top)


def repository(folder, versions):
    """One commit for each text of "source", and a makefile whose disc is that text."""
    folder.mkdir()
    shell('git init -q . && git config user.name t && git config user.email t@example. && '
          'printf "iso:\\n\\t@mkdir -p build/out && cp source build/out/keyroom-1-console-amd64.iso && '
          'cp source build/out/keyroom-1-console-amd64.manifest && '
          'echo ISO=build/out/keyroom-1-console-amd64.iso >build/out/latest.console\\n" >Makefile && echo build >.gitignore && git add .', folder)
    for text in versions:
        (folder / 'source').write_text(text)
        shell(f'git add . && git commit -q -m "{text}" && git tag {text}', folder)


def test_bisecting_a_hash(top, tmp_path):
    """The commands of the document, on a tree whose disc is one file."""
    tree = tmp_path / 'tree'
    repository(tree, ['good1', 'good2', 'bad1', 'bad2', 'bad3'])
    # What is the same in all good ones, as a disc's hash is.
    shell('git checkout -q good1', tree)
    script = '\n'.join(hacking(top, 'git bisect')).replace('BAD GOOD', 'bad3 good1')
    out = shell(script.replace('sha256sum "$ISO" | grep -q HASH', 'grep -q good "$ISO"'), tree)
    assert re.search(r'is the first bad commit[\s\S]*bad1', out), out
    other = tree / 'other'
    other.mkdir()
    (other / 'keyroom-1-console-amd64.manifest').write_text('good2')
    shell('git bisect reset >reset.log && git checkout -q bad2 && make -s iso', tree)
    done = subprocess.run(['bash', '-c', hacking(top, 'diff ')[0]], cwd=tree, text=True, stdout=subprocess.PIPE)
    assert done.returncode == 1 and '> good2' in done.stdout


def test_a_tag_is_signed_and_verified(top, tmp_path):
    tree = tmp_path / 'tree'
    repository(tree, ['one'])
    home = tmp_path / 'home'
    (home / '.ssh').mkdir(parents=True)
    shell('ssh-keygen -q -t ed25519 -N "" -f .ssh/id_ed25519', home)
    (tree / 'attest').mkdir()
    public = (home / '.ssh/id_ed25519.pub').read_text().split()
    (tree / 'attest/allowed_signers').write_text(f't@example. namespaces="git" {public[0]} {public[1]}\n')
    lines = hacking(top, 'git config') + [f'{line} -m release' for line in hacking(top, 'git tag')] + hacking(top, 'git -c')
    out = shell('\n'.join(lines).replace('VERSION', '0.4.0'), tree, HOME=str(home))
    assert 'Good "git" signature for t@example.' in out
    # Another key's signature does not count.
    (home / '.ssh/id_ed25519').unlink()
    shell('ssh-keygen -q -t ed25519 -N "" -f .ssh/id_ed25519', home)
    shell('git tag -s 0.4.1 -m forged', tree, HOME=str(home))
    done = subprocess.run(['bash', '-c', hacking(top, 'git -c')[0].replace('VERSION', '0.4.1')], cwd=tree,
                          env=dict(os.environ, HOME=str(home)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert done.returncode != 0
