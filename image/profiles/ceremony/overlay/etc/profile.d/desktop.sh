# SPDX-License-Identifier: ISC
# The desktop on the first terminal, unless the menu chose the console.  Read
# before keyroom.sh: when the desktop ends, or cannot start, the prompt of the
# text console follows.
# shellcheck shell=bash
if [ -z "${WAYLAND_DISPLAY-}" ] && [ /dev/fd/0 -ef /dev/tty1 ]; then
	/usr/lib/keyroom/desktop || true
fi
