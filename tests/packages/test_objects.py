# SPDX-License-Identifier: ISC
"""The objects of the last compilation (image/lib/objects): what comes out is what a
compilation from nothing gives, whatever was edited between, and only what was
touched by that is compiled."""
import hashlib
import os
import random
import shutil
import subprocess

import pytest

NAMES = ('one', 'two', 'three')
RULES = '''FLAGS := -O1
objects := $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard lib/*.c))
all: $(objects)
$(OUT)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo CC $@
	@gcc $(FLAGS) -I. -I$(OUT)/obj -MMD -MP -c -o $@ $<
$(OUT)/obj/made.inc: lib/made.txt
	@mkdir -p $(@D)
	@cp $< $@
$(OUT)/obj/lib/three.o: $(OUT)/obj/made.inc
-include $(objects:.o=.d)
'''


class Sources:
    def __init__(self, top, folder):
        self.objects, self.folder = top / 'image/lib/objects', folder
        self.path = folder / 'source'
        (self.path / 'lib').mkdir(parents=True)
        self.write('Makefile', RULES)
        self.write('lib/made.txt', '1\n')
        self.write('lib/common.h', '#define COMMON 1\n')
        self.write('lib/pair.h', '#include "lib/common.h"\n#define PAIR 2\n')
        self.write('lib/one.c', '#include "lib/common.h"\nint one(void) { return COMMON; }\n')
        self.write('lib/two.c', '#include "lib/pair.h"\nint two(void) { return PAIR + COMMON; }\n')
        self.write('lib/three.c', 'int three(void) { return\n#include "made.inc"\n; }\n')

    def write(self, name, text):
        """As in the copy of the sources: every file is of one time, long ago."""
        (self.path / name).write_text(text)
        os.utime(self.path / name, (10**9, 10**9))

    def make(self, kept):
        """The names of what was compiled, and a hash over all that came out."""
        out = self.folder / 'out'
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        self.move('take', kept, out)
        said = subprocess.run(['make', '-C', self.path, '-s', f'OUT={out}'], check=True, stdout=subprocess.PIPE, text=True)
        self.move('keep', kept, out)
        digest = hashlib.sha256()
        for path in sorted(out.rglob('*.o')):
            digest.update(path.name.encode() + path.read_bytes())
        return sorted(line.rpartition('/')[2][:-2] for line in said.stdout.split('\n') if line), digest.hexdigest()

    def move(self, what, kept, out):
        subprocess.run([self.objects, what, kept, self.path, out], check=True)

    def fresh(self):
        kept = self.folder / 'none'
        shutil.rmtree(kept, ignore_errors=True)
        return self.make(kept)[1]


@pytest.fixture
def sources(top, tmp_path):
    return Sources(top, tmp_path)


@pytest.fixture
def kept(sources):
    folder = sources.folder / 'kept'
    compiled, _ = sources.make(folder)
    assert compiled == sorted(NAMES)
    return folder


# Whatever includes a file that is made is compiled each time: nobody has its hash.
@pytest.mark.parametrize('edit, compiled', [
    (lambda s: None, ['three']),
    (lambda s: s.write('lib/one.c', 'int one(void) { return 7; }\n'), ['one', 'three']),
    (lambda s: s.write('lib/common.h', '#define COMMON 5\n'), ['one', 'three', 'two']),
    (lambda s: s.write('lib/pair.h', '#include "lib/common.h"\n#define PAIR 9\n'), ['three', 'two']),
    (lambda s: s.write('lib/made.txt', '8\n'), ['three']),
    (lambda s: s.write('lib/four.c', 'int four(void) { return 4; }\n'), ['four', 'three']),
    (lambda s: s.write('lib/new.h', '\n'), ['one', 'three', 'two']),          # it may be found before another
    (lambda s: s.write('Makefile', RULES.replace('-O1', '-O0')), ['one', 'three', 'two']),
    (lambda s: (s.path / 'lib/one.c').unlink(), ['three']),
])
def test_only_what_an_edit_touches_is_compiled(sources, kept, edit, compiled):
    edit(sources)
    made, digest = sources.make(kept)
    assert made == compiled and digest == sources.fresh()
    # And the next time as well: what was taken over is kept again.
    again, digest = sources.make(kept)
    assert again == ['three'] and digest == sources.fresh()


def test_random_edits_come_out_as_from_nothing(sources, kept):
    """Back and forth, so that a file of before the last one would be noticed, too."""
    seed = random.randrange(10**6)
    print('seed', seed)
    dice = random.Random(seed)
    for _ in range(12):
        value = dice.randrange(3)
        dice.choice([
            lambda: sources.write('lib/one.c', f'#include "lib/common.h"\nint one(void) {{ return COMMON + {value}; }}\n'),
            lambda: sources.write('lib/common.h', f'#define COMMON {value}\n'),
            lambda: sources.write('lib/pair.h', f'#include "lib/common.h"\n#define PAIR {value}\n'),
            lambda: sources.write('lib/made.txt', f'{value}\n'),
            lambda: sources.write('Makefile', RULES.replace('-O1', f'-O{value}')),
        ])()
        assert sources.make(kept)[1] == sources.fresh()


def test_object_with_the_build_id_is_never_kept(top, programs):
    """It is made of a file that is made, and not of words of the command line."""
    read = (programs.parent / 'obj/lib/base/version.d').read_text()
    assert '/version.inc' in read, read
