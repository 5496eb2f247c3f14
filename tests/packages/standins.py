# SPDX-License-Identifier: ISC
"""A copy of the tree whose stages are stand-ins, so that a build takes seconds:
what is shown is the driver's own: what it takes from the caller, what a layer is
kept for, whose lock it holds.  The real stages that remain are those that read
packages (10-archive, and 25-unpack without depmod).  What the other ones write
depends on everything that they could see: sources, packages, environment."""
import hashlib
import os
import shutil
import subprocess
import time

import archives

# Prints what reaches a stage: the names of all variables, and the values of those that
# may differ; and stops where the test has put a file named like the stage.
HEAD = '''#!/bin/bash
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
me=$(basename "$0")
pause=$HOME/pause
touch "$pause/reached.$me"
while [ -e "$pause/$me" ]; do sleep 0.05; done
seen() {
	env -0 | sed -z 's/=.*//' | tr '\\0' '\\n' | LC_ALL=C sort | grep -vxE '@TAKEN@'
	printf '%s\\n' "$KEYROOM_VERSION $KEYROOM_BUILD_ID $KEYROOM_LOCK_HASH $SOURCE_DATE_EPOCH $PATH $LC_ALL $TZ $(umask)"
	declare -F | LC_ALL=C sort
	shopt; set -o
	"$TOP/image/lib/tree-hash" "$TOP" 2>/dev/null || find "$TOP/image" "$TOP/hooks" -type f -exec sha256sum {} + | sed "s, $TOP,," | sort
}
'''
STAGES = {
    '20-root': 'mkdir -p "$3"; { of_role "$1"; seen; } >"$3/file"; find "$2" -name "*.deb" -exec cat {} + >"$3/debs"',
    '26-trim': 'root=$2; shift 2; (cd "$TOP" && cat -- "$@") >"$root/trimmed"',
    '30-compile': 'mkdir -p "$4/root"; head -c 2000000 /dev/zero >"$4/zero"; seen >"$4/root/program"',
    '40-configure': 'mkdir -p "$6"; cp -a "$2/." "$3/root/." "$6/"; seen >"$6/seen"; cat "$5" >"$6/extensions"\n'
                    'cat "$4/image/boot/grub.cfg.in" >"$6/menu"',
    '50-squash': 'mkdir -p "$5"; (cd "$2" && find . -type f | LC_ALL=C sort | xargs cat) >"$5/root.squashfs"\n'
                 'for f in verity manifest packages licences; do : >"$5/root.$f"; done; : >"$5/initrd"\n'
                 'find "$1/unpack" -type f -exec cat {} + >"$5/vmlinuz"; seen >>"$5/root.verity"',
    '60-iso': '. "$TOP/image/profiles/$PROFILE/settings"; { cat "$2"/*; cat "$TOP/image/boot/grub.cfg.in"; seen; } >"$3"',
}
EXTENSION = 'of_role softhsm >"${!#}"; seen >>"${!#}"'
NAMES = {'base-files': 'base,builder,ceremony,image', 'gcc': 'builder', 'shim-signed': 'unpack', 'debootstrap': 'unpack',
         'softhsm2': 'softhsm'}


def make_package(folder, name):
    root = folder / 'package'
    (root / 'DEBIAN').mkdir(parents=True)
    (root / 'usr/lib').mkdir(parents=True)
    (root / 'DEBIAN/control').write_text(f'Package: {name}\nVersion: 1:1.0\nArchitecture: all\nPriority: optional\n'
                                         'Maintainer: nobody <nobody@example.invalid>\nDescription: stand-in\n')
    (root / f'usr/share/doc/{name}').mkdir(parents=True)
    (root / f'usr/share/doc/{name}/copyright').write_text('License: ISC\n')
    (root / f'usr/lib/{name}').write_text(f'{name} as it should be\n')
    made = folder / f'mirror/pool/{name}.deb'
    made.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(['dpkg-deb', '--root-owner-group', '--build', str(root), str(made)], check=True,
                   stdout=subprocess.DEVNULL, env={'PATH': os.environ['PATH'], 'SOURCE_DATE_EPOCH': '1'})
    shutil.rmtree(root)
    return made


class Tree:
    """folder/tree, its packages in folder/mirror, stages that stop in folder/pause."""

    def __init__(self, folder, name='tree', model=None):
        self.folder = folder
        self.pause = folder / 'pause'
        self.pause.mkdir()
        self.top = folder / name
        self.build = self.top / 'build'
        self.cache = folder / 'cache/keyroom/deb'
        if model:
            shutil.copytree(model.top, self.top, symlinks=True, 
                            ignore=lambda folder, names: ['build'] if folder == str(model.top) else [])
            shutil.copytree(model.folder / 'mirror', folder / 'mirror')
            return
        archives.copy_tree(self.top)
        self.prune()
        self.stand_in()
        self.write_lock()

    def prune(self):
        """One file of each house stands for all."""
        for house in ('lib', 'signer', 'postcheck', 'tools', 'man', 'image/init', 'image/rootfs', 'hooks'):
            files = sorted(path for path in (self.top / house).rglob('*') if path.is_file() or path.is_symlink())
            for path in files[3:]:
                if path.suffix != '.mk':
                    path.unlink()
        (self.top / 'image/rootfs/etc').mkdir(exist_ok=True)

    def script(self, path, body):
        if not path.exists():
            return
        # Whatever a driver is given by right, or bash makes.
        taken = ('BUILD|HOME|XDG_CACHE_HOME|MIRROR|SNAPSHOT|APT_CONFIG|KEYRING|RELOCK|TMPDIR|JOBS|PWD|OLDPWD|SHLVL|_|'
                 'LOCK|KEYROOM_(TREE|FRESH|IDS|MAY_RELOCK|RELOCKED)|[a-z]+_proxy|[A-Z]+_PROXY')
        path.write_text(HEAD.replace('@TAKEN@', taken) + body + '\n')

    def stand_in(self):
        for name, body in STAGES.items():
            self.script(self.top / 'image/stages' / name, body)
        self.script(self.top / 'image/lib/make-extension', EXTENSION)
        unpack = self.top / 'image/stages/25-unpack'
        lines = unpack.read_text().splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith('for tree in'))
        end = next(i for i, line in enumerate(lines) if i > start and line == 'done')
        unpack.write_text('\n'.join(lines[:start] + lines[end + 1:]) + '\n')
        for name in ('words', 'layout'):
            (self.top / 'image/lib' / name).write_text(f'#!/bin/sh\necho {name}\n')
        # For "make iso": what the machine lacks is not what is looked at.
        (self.top / 'image/host-check').write_text('#!/bin/sh\n')

    def write_lock(self):
        lines = ['# snapshot: 20260101T000000Z']
        for name, roles in NAMES.items():
            deb = make_package(self.folder, name)
            digest = hashlib.sha256(deb.read_bytes()).hexdigest()
            lines.append(f'{name} 1:1.0 all {digest} {deb.stat().st_size} pool/{name}.deb {roles}')
        (self.top / 'packages/trixie-amd64.lock').write_text('\n'.join(lines) + '\n')

    def environment(self, **more):
        made = archives.environment(self.folder, **{'MIRROR': self.folder / 'mirror', **more})
        if 'BUILD' not in more:
            del made['BUILD']
        return made

    def command(self, *words):
        return [str(self.top / 'image/build'), '--profile', 'console', *words]

    def run(self, *words, **more):
        return archives.run(*self.command(*words), env=self.environment(**more), cwd=self.folder)

    def start(self, *words, command=None, **more):
        """In a process group of its own."""
        return subprocess.Popen(command or self.command(*words), env=self.environment(**more), cwd=self.folder, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                start_new_session=True)

    def start_until(self, stage, *words, command=None):
        """Started, and standing in this stage, until go_on."""
        (self.pause / stage).touch()
        (self.pause / f'reached.{stage}').unlink(missing_ok=True)
        building = self.start(*words, command=command)
        end = time.monotonic() + 60
        while not (self.pause / f'reached.{stage}').exists():
            assert time.monotonic() < end and building.poll() is None, building.stdout.read()
            time.sleep(0.02)
        return building

    def go_on(self, stage, building):
        (self.pause / stage).unlink()
        said, _ = building.communicate(timeout=120)
        return building.returncode, said

    def made(self):
        """A hash over all that leaves the building, by name."""
        out = self.build / 'out'
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.iterdir())
                if not path.name.startswith('latest')}

    def build_once(self, *words, **more):
        done = self.run(*words, **more)
        assert done.returncode == 0, done.stdout
        return self.made()

    def layer(self, name):
        return next(path for path in (self.build / 'layers').iterdir()
                    if path.name.rpartition('-')[0] == name and not path.name.endswith('.done'))

    def clear(self):
        subprocess.run([str(self.top / 'image/lib/ns-run'), 'rm', '-rf', str(self.build)], check=True)

    def sources(self):
        info = next((self.build / 'out').glob('*.buildinfo')).read_text()
        return next(line for line in info.splitlines() if line.startswith('sources: '))


