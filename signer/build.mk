# SPDX-License-Identifier: ISC
# Compiles signer/ for the host.  The image's copies are made by this same
# file inside the builder root, where only gcc, make and pkg-config exist.
#
# SIGNER_OUT        where programs (bin), objects (obj), tests (unit) go
# KEYROOM_BUILD_ID  recorded in the programs: a hash of the sources
# SANITIZE=1        address and undefined behaviour sanitizers, own folder
# WERROR=1          warnings are errors (always so in make check)
# SIGNER_CFLAGS     further options of the compiler, after all others
# DESTDIR, PREFIX   for signer-install

SANITIZE ?=
WERROR ?= 1
SIGNER_OUT ?= $(BUILD)/host$(if $(SANITIZE),-sanitize)
KEYROOM_BUILD_ID ?= unknown
PREFIX ?= /usr

comma := ,
# V=1 shows the commands.
Q := $(if $(V),,@)
signer_layers := base dns crypto xml config token ksr checks show sign keys \
	gen second ceremony
signer_src := $(sort $(wildcard $(signer_layers:%=signer/%/*.c)))
signer_programs := $(sort $(notdir $(basename $(wildcard signer/programs/*.c))))
# The init of the disc has its own fragment and its own tests.
signer_tests := $(filter-out test_init_%,$(sort $(notdir $(basename \
	$(wildcard tests/unit/test_*.c)))))
# Second names, which today's ceremony scripts use.
signer_aliases := ksrsigner keymaster trustanchor sha2wordlist

signer_obj := $(signer_src:signer/%.c=$(SIGNER_OUT)/obj/%.o)
signer_lib := $(SIGNER_OUT)/obj/libkeyroom.a
signer_bin := $(signer_programs:%=$(SIGNER_OUT)/bin/%)
signer_unit := $(signer_tests:%=$(SIGNER_OUT)/unit/%)

signer_pc := libxml-2.0 libcrypto yaml-0.1 p11-kit-1 libqrencode
signer_warn := -Wall -Wextra -Wpedantic -Wshadow -Wconversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
	$(if $(filter 1,$(WERROR)),-Werror)
signer_harden := $(if $(SANITIZE),-O1 -g -fno-omit-frame-pointer \
	-fsanitize=address$(comma)undefined -fno-sanitize-recover=all, \
	-O2 -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	-fstack-clash-protection -fcf-protection)
# Headers of libraries are system headers: their warnings are not ours.
# Asked once, and only where something is compiled.
signer_pc_cflags = $(eval signer_pc_cflags := $(patsubst -I%,-isystem %,\
	$(shell pkg-config --cflags $(signer_pc))))$(signer_pc_cflags)
signer_cflags = -std=c17 -D_GNU_SOURCE -Isigner -I$(SIGNER_OUT)/obj \
	$(signer_warn) $(signer_harden) -fPIE -ffunction-sections \
	-fdata-sections -ffile-prefix-map=$(CURDIR)/= \
	-ffile-prefix-map=$(abspath $(SIGNER_OUT))/=out/ \
	$(signer_pc_cflags) $(SIGNER_CFLAGS)
signer_ldflags = -pie -pthread -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed \
	-Wl,--gc-sections -Wl,-O1 -Wl,--build-id=sha1 \
	$(if $(SANITIZE),-fsanitize=address$(comma)undefined)
signer_libs = $(eval signer_libs := $(shell pkg-config --libs \
	libxml-2.0 libcrypto yaml-0.1 libqrencode) -ldl)$(signer_libs)
signer_version := -DKEYROOM_VERSION='"$(KEYROOM_VERSION)"' \
	-DKEYROOM_BUILD_ID='"$(KEYROOM_BUILD_ID)"'

.PHONY: signer signer-install unit unit-programs signer-force
signer: $(signer_bin) ## compile the signer's programs into build/host/bin

unit-programs: $(signer_unit)
unit: $(signer_unit) ## compile and run the unit tests
	@for t in $(signer_unit); do $$t || exit 1; done

$(SIGNER_OUT)/obj/%.o: signer/%.c
	@mkdir -p $(@D)
	@echo '  CC $@'
	$(Q)$(CC) $(signer_cflags) $(signer_defs) -MMD -MP -c -o $@ $<

# The version and build id live in one object, remade when either changes.
$(SIGNER_OUT)/obj/version.txt: signer-force
	@mkdir -p $(@D)
	@echo '$(signer_version)' | cmp -s - $@ || echo '$(signer_version)' >$@
$(SIGNER_OUT)/obj/base/version.o: signer_defs := $(signer_version)
$(SIGNER_OUT)/obj/base/version.o: $(SIGNER_OUT)/obj/version.txt

# The schema is part of the program: what checks cannot be swapped beside it.
$(SIGNER_OUT)/obj/%_rng.inc: signer/schema/%.rng
	@mkdir -p $(@D)
	@echo '  EMBED $@'
	$(Q)od -An -v -tx1 $< | sed 's/ \(..\)/0x\1,/g' >$@
$(SIGNER_OUT)/obj/xml/schema.o: $(SIGNER_OUT)/obj/ksr_rng.inc \
	$(SIGNER_OUT)/obj/anchor_rng.inc

$(signer_lib): $(signer_obj)
	@rm -f $@
	@echo '  AR $@'
	$(Q)$(AR) rcsD $@ $(signer_obj)

$(SIGNER_OUT)/bin/%: $(SIGNER_OUT)/obj/programs/%.o $(signer_lib)
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$(Q)$(CC) $(signer_ldflags) -o $@ $< $(signer_lib) $(signer_libs)

$(SIGNER_OUT)/unit/%: tests/unit/%.c $(signer_lib)
	@mkdir -p $(@D) $(SIGNER_OUT)/obj/unit
	@echo '  UNIT $@'
	$(Q)$(CC) $(signer_cflags) -MMD -MP -MF $(SIGNER_OUT)/obj/unit/$*.d \
		$(signer_ldflags) -o $@ $< $(signer_lib) $(signer_libs) \
		-lcmocka

signer-install: signer ## install the signer under DESTDIR
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/keyroom
	install -s -m 755 $(signer_bin) $(DESTDIR)$(PREFIX)/bin
	for p in $(filter $(signer_aliases),$(signer_programs)); do \
		ln -sfn $$p $(DESTDIR)$(PREFIX)/bin/kskm-$$p; done
	install -m 644 signer/schema/*.rng $(DESTDIR)$(PREFIX)/share/keyroom
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/man/man5
	for page in $(sort $(wildcard signer/man/*.[15])); do install -m 644 \
		$$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}; done

.SECONDARY: $(signer_programs:%=$(SIGNER_OUT)/obj/programs/%.o)
-include $(signer_obj:.o=.d)
-include $(signer_programs:%=$(SIGNER_OUT)/obj/programs/%.d)
-include $(signer_tests:%=$(SIGNER_OUT)/obj/unit/%.d)
