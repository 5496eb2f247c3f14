# SPDX-License-Identifier: ISC
"""Shows that an operator makes a disc of their own with what the README says,
line by line, in a copy of the tree and without touching anything else.  If not,
nobody but this project can use it."""
import os
import re
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.slow


def test_profile_of_the_readme_builds(disc, top, build, tmp_path):
    section = (top / 'README.md').read_text().split('## A profile of your own')[1].split('\n## ')[0]
    script = '\n'.join(re.findall('^    (.*)$', section, re.M))
    assert 'make iso PROFILE=' in script and len(script.splitlines()) <= 10
    names = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard', '-z'], cwd=top, check=True,
                           stdout=subprocess.PIPE, text=True).stdout.split('\0')
    tree = tmp_path / 'tree'
    for name in filter(None, names):
        if (top / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(top / name, tree / name)
    # The same builder serves every profile: it need not be made again.
    layers = tree / 'build' / 'layers'
    layers.mkdir(parents=True)
    subprocess.run([top / 'image/lib/ns-run', 'cp', '-a', '--reflink=auto',
                    *(build / 'layers').glob('archive-*'), *(build / 'layers').glob('builder-*'), layers],
                   check=True)
    # A seal says when a file was last changed, and by that no copy is the same.
    for layer in [*layers.glob('archive-*[!e]'), *layers.glob('builder-*[!e]')]:
        seal = subprocess.run([top / 'image/lib/ns-run', top / 'image/lib/seal', layer], check=True, stdout=subprocess.PIPE)
        layer.with_name(f'{layer.name}.done').write_bytes(seal.stdout)
    environment = {name: value for name, value in os.environ.items() if name not in ('BUILD', 'PROFILE')}
    try:
        done = subprocess.run(['sh', '-euc', script], cwd=tree, text=True, env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout[-4000:]
        made = next((tree / 'build' / 'out').glob('keyroom-*-example-amd64.manifest')).read_text()
    finally:
        subprocess.run([top / 'image/lib/ns-run', 'rm', '-rf', tree], check=False)
    assert '/usr/bin/xz\n' in made and '/root/ksrsigner.yaml\n' in made
    plain = (build / 'out' / f'{disc["NAME"]}.manifest').read_text()
    assert '/usr/bin/xz\n' not in plain and '/root/ksrsigner.yaml\n' not in plain
