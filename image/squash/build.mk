# SPDX-License-Identifier: ISC
# What keeps compressed blocks from one build to the next: "make squash-keep
# SQUASH_OUT=DIR" gives DIR/keep.so.  Runs in the builder root.

SQUASH_OUT ?= $(BUILD)/squash
SQUASH_CFLAGS := -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Wpedantic -Wshadow \
	-Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Werror \
	-fstack-protector-strong -fPIC

.PHONY: squash-keep
squash-keep: $(SQUASH_OUT)/keep.so
$(SQUASH_OUT)/keep.so: image/squash/keep.c
	@mkdir -p $(@D)
	gcc $(SQUASH_CFLAGS) -shared -o $@ $< -lcrypto
