# SPDX-License-Identifier: ISC
"""docs/REBUILDERS.md, done as it stands there: a key, a tag that comes, a statement
that counts.  Whoever becomes a rebuilder has that page and nothing else."""
import re
import shutil
import subprocess

from statements import TOP, run
from test_release import VERSION, project  # noqa: F401 (a fixture)


def commands():
    text = (TOP / 'docs/REBUILDERS.md').read_text()
    return [line.replace('VERSION', VERSION) for line in re.findall(r'^ {8}(\S.*)$', text, re.M)]


def type_in(project, folder, line):
    done = subprocess.run(['bash', '-euc', line], cwd=folder, env=project.env, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, (line, done)
    return done.stdout


def test_page_of_the_rebuilders(project, tmp_path):  # noqa: F811
    key, vkey, fetch, rebuild, explain = commands()
    assert project.release().returncode == 0
    clone = tmp_path / 'rebuilder'
    run('git', 'clone', '-q', project.top, clone, env=project.env).check_returncode()
    type_in(project, clone, key)
    secret = project.folder / 'keyroom/rebuilder.pem'       # HOME
    assert secret.stat().st_mode & 0o777 == 0o600 and secret.parent.stat().st_mode & 0o777 == 0o700
    # Nor does a careless "git add" take it.
    assert run('git', 'add', '-A', '--dry-run', cwd=clone, env=project.env).stdout == ''
    witness = type_in(project, clone, vkey).strip()
    assert re.fullmatch(r'rebuilder\.example\.org\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+', witness)
    type_in(project, clone, fetch)
    type_in(project, clone, rebuild)
    # The statement is taken as it is, and counts.
    evidence = project.top / 'attest' / VERSION
    evidence.mkdir(exist_ok=True)
    shutil.copy(clone / f'rebuilt-{VERSION}/rebuilder.example.org.intoto.jsonl', evidence)
    policy = project.top / 'attest/policy'
    policy.write_text(f'witness rebuilder.example.org {witness}\ngroup all 1 rebuilder.example.org\nquorum all\n')
    project.commit()
    done = project.release()
    assert done.returncode == 0 and 'published: rebuilt by rebuilder.example.org' in done.stderr, done
    # The last command compares two discs; a stand-in is none, and is called that.
    shutil.copy(project.top / f'build/release/{VERSION}/keyroom-{VERSION}-amd64.iso', clone)
    done = subprocess.run(['bash', '-euc', explain], cwd=clone, env=project.env, text=True, capture_output=True)
    assert done.returncode in (0, 3), done
