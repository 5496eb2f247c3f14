#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""havoc.py FOLDER SEED ROUNDS: in FOLDER, on a small disk of its own, build with
stand-ins; then, at random, interrupt builds, edit sources while they are built,
fill the disk, spoil the cache, the layers and the published files; after each,
put the sources back, build once more and compare.  test_build.py runs it."""
import os
import pathlib
import random
import signal
import sys
import time

import standins

EDITED = ['image/boot/grub.cfg.in', 'image/stages/60-iso', 'image/profiles/console/settings', 'hooks/10-configure-identity.sh',
          'packages/trixie-amd64.lock', 'image/release', 'packages/image.list']


def interrupt(tree, chance):
    building = tree.start()
    time.sleep(chance.uniform(0, 2.5))
    how = chance.choice([signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
    target = chance.choice([os.kill, os.killpg])
    if building.poll() is None:
        target(building.pid, how)
    building.communicate(timeout=120)
    return f'{target.__name__} {how.name}'


def edit(tree, chance):
    path = tree.top / chance.choice(EDITED)
    before = path.read_bytes()
    building = tree.start()
    time.sleep(chance.uniform(0, 1.5))
    path.write_bytes(before + b'# edited\n')
    if chance.random() < 0.5:
        building.communicate(timeout=120)
        building = tree.start()
        time.sleep(chance.uniform(0, 1.5))
    path.write_bytes(before)
    building.communicate(timeout=120)
    return f'edit of {path.name}'


def fill(tree, chance):
    """From nothing: a build of stand-ins takes about three megabytes."""
    tree.clear()
    room = os.statvfs(tree.folder)
    free = room.f_bavail * room.f_frsize
    leave = chance.randrange(0, 3 << 20)
    with open(tree.folder / 'ballast', 'wb') as ballast:
        ballast.write(bytes(max(0, free - leave)))
    done = tree.run()
    (tree.folder / 'ballast').unlink()
    if done.returncode:
        assert 'full' in done.stdout or 'No space left' in done.stdout, done.stdout
    return f'{leave} bytes left: status {done.returncode}'


def spoil(tree, chance):
    """A few files of the cache, the layers, the results: bytes changed, cut, gone."""
    files = [path for folder in ('cache', 'tree/build') for path in sorted((tree.folder / folder).rglob('*'))
             if path.is_file() and not path.is_symlink()]
    spoiled = chance.sample(files, min(len(files), chance.randrange(1, 6)))
    for path in spoiled:
        # Of the copy of the sources, too: it is made anew by each build.
        how = chance.choice(['byte', 'cut', 'gone'])
        if how == 'gone':
            path.unlink()
        elif how == 'cut':
            os.truncate(path, chance.randrange(0, path.stat().st_size + 1))
        else:
            with open(path, 'r+b') as file:
                file.seek(chance.randrange(0, path.stat().st_size + 1))
                file.write(b'!')
    return 'spoiled ' + ' '.join(path.name for path in spoiled)


def main(folder, seed, rounds):
    chance = random.Random(seed)
    tree = standins.Tree(pathlib.Path(folder))
    clean = tree.build_once()
    for number in range(rounds):
        for what in chance.sample([interrupt, edit, fill, spoil], chance.randrange(1, 4)):
            print(f'{number} {what.__name__}: {what(tree, chance)}', flush=True)
        done = tree.run()
        assert done.returncode == 0, done.stdout
        made = tree.made()
        # An edited lock or version has left results of its own beside.
        assert {name: made.get(name) for name in clean} == clean, done.stdout
    print(f'rounds {rounds}: one hash')


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
