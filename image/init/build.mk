# SPDX-License-Identifier: ISC
# The boot stage: "make -f image/init/build.mk init INIT_OUT=DIR" in the top
# folder gives DIR/init (static) and DIR/mkcpio.  Runs in the builder root.

BUILD ?= build
INIT_OUT ?= $(BUILD)/init
# musl: a third of glibc's size.  Where its compiler is absent, glibc does.
INIT_CC ?= $(if $(shell command -v musl-gcc),musl-gcc,gcc)

init_dir := image/init
init_modules := clock cmdline console device err init loop medium modules \
	ram root verity volume
init_objects := $(init_modules:%=$(INIT_OUT)/obj/%.o)

INIT_CFLAGS := -std=c17 -D_GNU_SOURCE -Os -Wall -Wextra -Wpedantic -Wshadow \
	-Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wformat=2 -Werror -fstack-protector-strong -fno-asynchronous-unwind-tables \
	-ffunction-sections -fdata-sections -ffile-prefix-map=$(CURDIR)=.
# The kernel's own headers, after the C library's: musl-gcc leaves them out.
init_kernel_headers := -idirafter /usr/include \
	-idirafter /usr/include/$(shell gcc -print-multiarch)
init_ldflags := -static -s -Wl,--gc-sections -Wl,--build-id=none \
	-Wl,-z,relro,-z,now -Wl,-z,noexecstack

.PHONY: init
init: $(INIT_OUT)/init $(INIT_OUT)/mkcpio

$(INIT_OUT)/init: $(init_objects)
	$(INIT_CC) $(init_ldflags) -o $@ $(init_objects)

$(INIT_OUT)/obj/%.o: $(init_dir)/%.c $(wildcard $(init_dir)/*.h)
	@mkdir -p $(@D)
	$(INIT_CC) $(INIT_CFLAGS) $(init_kernel_headers) -c -o $@ $<

$(INIT_OUT)/mkcpio: $(init_dir)/mkcpio.c
	@mkdir -p $(@D)
	gcc $(INIT_CFLAGS) -o $@ $<
