# SPDX-License-Identifier: ISC
# The boot stage: "make -f image/init/build.mk init INIT_OUT=DIR" in the top
# folder gives DIR/init (static) and DIR/mkcpio.  Runs in the builder root.

BUILD ?= build
INIT_OUT ?= $(BUILD)/init
# musl: a third of glibc's size.  Where its compiler is absent, glibc does.
INIT_CC ?= $(if $(shell command -v musl-gcc),musl-gcc,gcc)

init_dir := image/init
init_modules := ahead clock cmdline console device err guard init leave loop medium \
	modules ram root verity volume
init_objects := $(init_modules:%=$(INIT_OUT)/obj/%.o)

INIT_CFLAGS := -std=c17 -D_GNU_SOURCE -Os -Wall -Wextra -Wpedantic -Wshadow \
	-Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wformat=2 -Werror -fstack-protector-strong \
	-fstack-clash-protection -fcf-protection -fno-asynchronous-unwind-tables \
	-ffunction-sections -fdata-sections -ffile-prefix-map=$(CURDIR)=.
# The kernel's own headers, after the C library's: musl-gcc leaves them out.
init_kernel_headers = -idirafter /usr/include \
	-idirafter /usr/include/$(shell gcc -print-multiarch)
# Not static-pie: musl-gcc does not know it and links against a loader.
init_pie := -fno-pie
init_ldflags := -static -no-pie -s -Wl,--gc-sections -Wl,--build-id=none \
	-Wl,-z,relro,-z,now -Wl,-z,noexecstack

.PHONY: init
init: $(INIT_OUT)/init $(INIT_OUT)/mkcpio

$(INIT_OUT)/init: $(init_objects)
	$(INIT_CC) $(init_ldflags) -o $@ $(init_objects)

$(INIT_OUT)/obj/%.o: $(init_dir)/%.c $(wildcard $(init_dir)/*.h)
	@mkdir -p $(@D)
	$(INIT_CC) $(INIT_CFLAGS) $(init_pie) $(init_kernel_headers) -c -o $@ $<

$(INIT_OUT)/mkcpio: $(init_dir)/mkcpio.c
	@mkdir -p $(@D)
	gcc $(INIT_CFLAGS) -o $@ $<

# Tests: everything but main, for the host, under the sanitizers.
init_unit := $(patsubst tests/unit/%.c,$(INIT_OUT)/unit/%,$(sort $(wildcard \
	tests/unit/test_init_*.c)))
init_tested := $(filter-out $(init_dir)/init.c $(init_dir)/mkcpio.c,$(sort \
	$(wildcard $(init_dir)/*.c)))
init_helpers := tests/unit/init_tree.c tests/fuzz/fuzz_init.c
init_sanitize := -O1 -g -fsanitize=address,undefined \
	-fno-sanitize-recover=all -I$(init_dir) -Itests/unit
# These tests put a failing drive behind pread.
$(INIT_OUT)/unit/test_init_ram $(INIT_OUT)/unit/test_init_ahead: init_wrap := -Wl,--wrap=pread

.PHONY: init-unit init-unit-programs init-fuzz
init-unit-programs: $(init_unit)
init-unit: $(init_unit) ## compile and run the boot stage's unit tests
	@for t in $(init_unit); do $$t || exit 1; done

$(INIT_OUT)/unit/%: tests/unit/%.c $(init_tested) $(init_helpers) \
		$(wildcard $(init_dir)/*.h tests/unit/init_*.h)
	@mkdir -p $(@D)
	$(CC) $(INIT_CFLAGS) $(init_sanitize) $(init_wrap) -o $@ $< \
		$(init_tested) $(init_helpers) -lcmocka

# SECONDS=3600 looks longer; findings land in INIT_OUT/fuzz.
init-fuzz: SECONDS ?= 60
init-fuzz: ## look for inputs that break the boot stage's parsers (clang)
	@mkdir -p $(INIT_OUT)/fuzz/corpus
	clang $(INIT_CFLAGS) $(init_sanitize) -fsanitize=fuzzer \
		-o $(INIT_OUT)/fuzz/fuzz_init tests/fuzz/fuzz_init.c $(init_tested)
	$(INIT_OUT)/fuzz/fuzz_init -max_total_time=$(SECONDS) -max_len=4096 \
		-dict=tests/fuzz/init.dict -artifact_prefix=$(INIT_OUT)/fuzz/ \
		$(INIT_OUT)/fuzz/corpus tests/fuzz/init
