#!/bin/sh
# SPDX-License-Identifier: ISC
# Draw the desktop's pointer, an arrow whose first two lines and columns are
# empty: while it waits in the lower right corner, nothing of it is on the screen
# or in a picture.  In the three sizes that screens of this width need.
# Phase: after packages.  Reads: ROOT SRC PROFILE.  Safe to run twice.
set -eu
: "${ROOT:?must name the unpacked image tree}"

DESKTOP=no
# shellcheck source=image/profiles/ceremony/settings
. "$SRC/image/profiles/$PROFILE/settings"
[ "$DESKTOP" = yes ] || exit 0
folder=$ROOT/usr/share/keyroom/pointers/keyroom/cursors
mkdir -p "$folder"

# One letter a dot: # is ink, + paper, anything else nothing.
picture='
..........................
..........................
..##......................
..#+#.....................
..#++#....................
..#+++#...................
..#++++#..................
..#+++++#.................
..#++++++#................
..#+++++++#...............
..#++++++++#..............
..#+++++++++#.............
..#++++++++++#............
..#++++++#####............
..#+++#++#................
..#++#.#++#...............
..#+#..#++#...............
..##....#++#..............
........#++#..............
.........##...............
'
# As octal escapes, for printf: Xcursor's file is words of four bytes, the lowest
# first: magic, size of head, version, count; for each picture type, size, place;
# then each picture: head, type, size, version, width, height, hot spot, pause, dots.
escapes=$(printf '%s' "$picture" | awk '
	function word(number, i) {
		for (i = 0; i < 4; i++) { printf "\\%03o", number % 256; number = int(number / 256) }
	}
	/./ { row[count++] = $0 }
	END {
		side = 26
		printf "Xcur"; word(16); word(65536); word(3)
		place = 16 + 3 * 12
		for (n = 1; n <= 3; n++) {
			word(4294770690); word(24 * n); word(place)
			place += 36 + 4 * side * n * side * n
		}
		for (n = 1; n <= 3; n++) {
			word(36); word(4294770690); word(24 * n); word(1)
			word(side * n); word(side * n); word(0); word(0); word(0)
			for (y = 0; y < side * n; y++)
				for (x = 0; x < side * n; x++) {
					dot = substr(row[int(y / n)], int(x / n) + 1, 1)
					if (dot == "#") printf "\\034\\034\\034\\377"
					else if (dot == "+") printf "\\372\\373\\366\\377"
					else printf "\\000\\000\\000\\000"
				}
		}
	}')
# shellcheck disable=SC2059 # the escapes are the format
printf "$escapes" >"$folder/left_ptr"
for name in default text xterm; do ln -sf left_ptr "$folder/$name"; done

size=$(stat -c %s "$folder/left_ptr")
[ "$size" = $((16 + 36 + 3 * 36 + 4 * 26 * 26 * 14)) ]
