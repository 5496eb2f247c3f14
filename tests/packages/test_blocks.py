# SPDX-License-Identifier: ISC
"""The compressed blocks of the last build (image/squash/keep.c): the same image with
them and without, whatever has happened to them, and only what is new compressed."""
import hashlib
import os
import pathlib
import random
import shutil
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BLOCK = 16 << 10


@pytest.fixture(scope='module')
def keeper(tmp_path_factory):
    folder = tmp_path_factory.mktemp('squash')
    subprocess.run(['make', '-s', 'squash-keep', f'SQUASH_OUT={folder}'], cwd=TOP, check=True)
    return folder / 'keep.so'


class Room:
    def __init__(self, folder, keeper):
        self.tree, self.kept, self.keeper = folder / 'tree', folder / 'kept', keeper
        self.image = folder / 'image'
        for name in ('old', 'new'):
            (self.kept / name).mkdir(parents=True)
        dice = random.Random(1)
        words = [dice.randbytes(5) for _ in range(200)]
        self.tree.mkdir()
        for name, blocks in (('large', 6), ('same', 6), ('other', 3)):
            dice.seed('large' if name == 'same' else name)
            (self.tree / name).write_bytes(b''.join(dice.choices(words, k=blocks * BLOCK // 5)))
        (self.tree / 'noise').write_bytes(dice.randbytes(2 * BLOCK + 7))
        for i in range(20):
            (self.tree / f'small.{i:02}').write_bytes(b''.join(dice.choices(words, k=200 + i)))

    def squash(self, kept=True):
        """The image's hash; what it was made with is the next one's."""
        more = {'LD_PRELOAD': str(self.keeper), 'KEPT': str(self.kept)} if kept else {}
        subprocess.run(['mksquashfs', self.tree, self.image, '-noappend', '-no-progress', '-quiet', '-comp', 'zstd',
                        '-Xcompression-level', '19', '-b', str(BLOCK), '-mkfs-time', '0', '-all-time', '0',
                        '-all-root', '-no-duplicates'], check=True, env={'PATH': os.environ['PATH'], **more})
        return hashlib.sha256(self.image.read_bytes()).hexdigest()

    def turn(self):
        """How many blocks were taken from the last build, and how many were made."""
        made = [path.stat().st_nlink for path in (self.kept / 'new').iterdir()]
        shutil.rmtree(self.kept / 'old')
        (self.kept / 'new').rename(self.kept / 'old')
        (self.kept / 'new').mkdir()
        return made.count(2), made.count(1)


@pytest.fixture
def room(tmp_path, keeper):
    room = Room(tmp_path, keeper)
    room.plain = room.squash(kept=False)
    assert room.squash() == room.plain
    taken, made = room.turn()
    # Six blocks twice, three, those of the small ones, and tables; of noise nothing gets smaller.
    assert taken == 0 and 10 <= made <= 20
    room.made = made
    return room


def test_nothing_is_compressed_twice(room):
    assert room.squash() == room.plain
    assert room.turn() == (room.made, 0)


def test_an_edit_costs_what_it_touches(room):
    with open(room.tree / 'other', 'r+b') as file:
        file.seek(BLOCK + 100)
        file.write(b'edited')
    assert room.squash() != room.plain
    edited = room.squash(kept=False)
    assert room.squash() == edited
    taken, made = room.turn()
    # The block, and the table that has the place of those behind it.
    assert 1 <= made <= 3 and taken >= room.made - 3


def damage_flip(path, dice):
    data = bytearray(path.read_bytes())
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def damage_cut(path, dice):
    os.truncate(path, dice.randrange(path.stat().st_size))


def damage_more(path, _dice):
    path.write_bytes(path.read_bytes() + b'\0')


def damage_swap(path, _dice):
    other = min(path.parent.iterdir())
    shutil.copy(other, path) if other != path else path.write_bytes(b'')


def damage_link(path, _dice):
    path.unlink()
    path.symlink_to('/dev/zero')


def damage_folder(path, _dice):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize('damage', [damage_flip, damage_cut, damage_more, damage_swap, damage_link, damage_folder])
def test_a_damaged_block_is_made_anew(room, damage):
    dice = random.Random(damage.__name__)
    paths = sorted((room.kept / 'old').iterdir())
    for path in paths:
        damage(path, dice)
    assert room.squash() == room.plain
    taken, made = room.turn()
    # What is copied over the first is itself.
    assert made >= room.made - (damage is damage_swap) and taken + made == room.made


def test_a_forged_block_must_unpack_to_the_same(room):
    """Well-formed, of the right length, and of something else."""
    forged = room.tree.parent / 'forged'
    forged.write_bytes(b'\0' * BLOCK)
    packed = subprocess.run(['zstd', '-q', '-19', '-c', forged], check=True, capture_output=True).stdout
    for path in (room.kept / 'old').iterdir():
        path.write_bytes(packed)
    assert room.squash() == room.plain
    assert room.turn() == (0, room.made)


@pytest.mark.parametrize('missing', ['new', 'old'])
def test_without_a_folder_all_is_made(room, missing):
    shutil.rmtree(room.kept / missing)
    (room.kept / missing).touch()
    assert room.squash() == room.plain
