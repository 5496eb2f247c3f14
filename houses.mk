# SPDX-License-Identifier: ISC
# Compiles the three houses (signer, postcheck, tools) on their ground (lib) for
# the host.  The image's copies are made by this same file inside the builder
# root, where only gcc, make and pkg-config exist.
#
# PROGRAMS_OUT      where programs (bin), objects (obj), tests (unit) go
# KEYROOM_BUILD_ID  recorded in the programs: a hash of the sources
# SANITIZE=1        address and undefined behaviour sanitizers, own folder
# WERROR=1          warnings are errors (always so in make check)
# EXTRA_CFLAGS      further options of the compiler, after all others
# DESTDIR, PREFIX   for install

SANITIZE ?=
WERROR ?= 1
PROGRAMS_OUT ?= $(BUILD)/host$(if $(SANITIZE),-sanitize)
KEYROOM_BUILD_ID ?= unknown
PREFIX ?= /usr

comma := ,
# V=1 shows the commands.
Q := $(if $(V),,@)

# The programs, by their source; every other source is part of its house's
# archive.  A program is linked with its own house and the ground, so that what
# the table of rooms (tests/lint/rooms) forbids would not link, either.
program_src := $(addprefix signer/programs/,keymaster.c ksrcheck.c ksrgen.c \
	ksrsigner.c trustanchor.c) postcheck/skrcheck.c \
	$(addprefix tools/evidence/,ceremony-log.c displaycsr.c hsmfd-hash.c \
	sha2wordlist.c ttyaudit.c verify-media.c) tools/paper/text2pdf.c \
	tools/ceremony/ceremony.c
house_lib := $(wildcard lib/*/*.c)
house_signer := $(filter-out $(program_src),$(wildcard signer/*/*.c))
house_postcheck := $(filter-out $(program_src),$(wildcard postcheck/*.c))
house_tools := $(filter-out $(program_src),$(wildcard tools/*/*.c))
houses := lib signer postcheck tools
# Programs of the disc have second names, which today's ceremony scripts use.
aliases := ksrsigner keymaster trustanchor sha2wordlist

# ksrgen makes requests for rehearsals and tests, on the host: no ceremony has a
# use for it, so no disc has it.
disc_programs := $(filter-out ksrgen,$(notdir $(program_src:.c=)))
disc_pages := $(filter-out man/ksrgen.1,$(sort $(wildcard man/*.[158])))

# Scripts of the tools: what is typed, what is started by other things.
scripts := $(shell find tools -mindepth 2 -maxdepth 2 -type f ! -name '*.[ch]' | LC_ALL=C sort)
sbin_scripts := tools/system/hsm-driver
helpers := $(wildcard tools/*/lib/*)
# What system-audit looks at, one file a check.
audit_checks := $(wildcard tools/system/audit/*)
filters := $(wildcard tools/paper/filter/*)

# The init of the disc has its own fragment and its own tests.
unit_names := $(filter-out test_init_%,$(sort $(notdir $(basename \
	$(wildcard tests/unit/test_*.c)))))

programs := $(notdir $(program_src:.c=))
program_bin := $(programs:%=$(PROGRAMS_OUT)/bin/%)
program_obj := $(program_src:%.c=$(PROGRAMS_OUT)/obj/%.o)
objects_of = $(patsubst %.c,$(PROGRAMS_OUT)/obj/%.o,$(sort $(house_$(1))))
house_obj := $(foreach house,$(houses),$(call objects_of,$(house)))
archives := $(houses:%=$(PROGRAMS_OUT)/obj/lib%.a)
unit_bin := $(unit_names:%=$(PROGRAMS_OUT)/unit/%)

house_pc := libxml-2.0 libcrypto yaml-0.1 p11-kit-1 libqrencode vterm libpng libcmark
house_warn := -Wall -Wextra -Wpedantic -Wshadow -Wconversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
	$(if $(filter 1,$(WERROR)),-Werror)
house_harden := $(if $(SANITIZE),-O1 -g -fno-omit-frame-pointer \
	-fsanitize=address$(comma)undefined -fno-sanitize-recover=all, \
	-O2 -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	-fstack-clash-protection -fcf-protection)
# Headers of libraries are system headers: their warnings are not ours.
# Asked once, and only where something is compiled.
house_pc_cflags = $(eval house_pc_cflags := $(patsubst -I%,-isystem %,\
	$(shell pkg-config --cflags $(house_pc))))$(house_pc_cflags)
house_cflags = -std=c17 -D_GNU_SOURCE -I. -I$(PROGRAMS_OUT)/obj \
	$(house_warn) $(house_harden) -fPIE -ffunction-sections \
	-fdata-sections -ffile-prefix-map=$(CURDIR)/= \
	-ffile-prefix-map=$(abspath $(PROGRAMS_OUT))/=out/ \
	$(house_pc_cflags) $(EXTRA_CFLAGS)
house_ldflags = -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed \
	-Wl,--gc-sections -Wl,-O1 -Wl,--build-id=sha1 \
	$(if $(SANITIZE),-fsanitize=address$(comma)undefined)
house_libs = $(eval house_libs := $(shell pkg-config --libs \
	libxml-2.0 libcrypto yaml-0.1 libqrencode vterm libpng libcmark) \
	-lhpdf -lncursesw -ltinfo -ldl)$(house_libs)
version_lines := '\#define KEYROOM_VERSION "$(KEYROOM_VERSION)"' \
	'\#define KEYROOM_BUILD_ID "$(KEYROOM_BUILD_ID)"'

.PHONY: signer install unit unit-programs always
signer: $(program_bin) $(PROGRAMS_OUT)/root.done ## compile the programs into build/host/bin, lay out the scripts beside

unit-programs: $(unit_bin)
unit: $(unit_bin) ## compile and run the unit tests
	@for t in $(unit_bin); do $$t || exit 1; done

$(PROGRAMS_OUT)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo '  CC $@'
	$(Q)$(CC) $(house_cflags) -MMD -MP -c -o $@ $<

# The version and build id live in one object, remade when either changes.
$(PROGRAMS_OUT)/obj/version.inc: always
	@mkdir -p $(@D)
	@printf '%s\n' $(version_lines) | cmp -s - $@ || printf '%s\n' $(version_lines) >$@
$(PROGRAMS_OUT)/obj/lib/base/version.o: $(PROGRAMS_OUT)/obj/version.inc

# The schema is part of the program: what checks cannot be swapped beside it.
$(PROGRAMS_OUT)/obj/%_rng.inc: lib/xml/%.rng
	@mkdir -p $(@D)
	@echo '  EMBED $@'
	$(Q)od -An -v -tx1 $< | sed 's/ \(..\)/0x\1,/g' >$@
$(PROGRAMS_OUT)/obj/lib/xml/schema.o: $(PROGRAMS_OUT)/obj/ksr_rng.inc \
	$(PROGRAMS_OUT)/obj/anchor_rng.inc

# And what verifies a log, which "ceremony-log finish" puts beside it.
$(PROGRAMS_OUT)/obj/verify_log.inc: tools/evidence/lib/verify-log
	@mkdir -p $(@D)
	@echo '  EMBED $@'
	$(Q)od -An -v -tx1 $< | sed 's/ \(..\)/0x\1,/g' >$@
$(PROGRAMS_OUT)/obj/tools/evidence/verify.o: $(PROGRAMS_OUT)/obj/verify_log.inc

define house_rule
$(PROGRAMS_OUT)/obj/lib$(1).a: $(call objects_of,$(1))
	@rm -f $$@
	@echo '  AR $$@'
	$$(Q)$$(AR) rcsD $$@ $$^
endef
$(foreach house,$(houses),$(eval $(call house_rule,$(house))))

define program_rule
$(PROGRAMS_OUT)/bin/$(notdir $(1:.c=)): $(PROGRAMS_OUT)/obj/$(1:.c=.o) \
		$(PROGRAMS_OUT)/obj/lib$(firstword $(subst /, ,$(1))).a \
		$(PROGRAMS_OUT)/obj/liblib.a
	@mkdir -p $$(@D)
	@echo '  LINK $$@'
	$$(Q)$$(CC) $$(house_ldflags) -o $$@ $$^ $$(house_libs)
endef
$(foreach source,$(program_src),$(eval $(call program_rule,$(source))))

# Tests see every house.
linked = $(PROGRAMS_OUT)/obj/libsigner.a $(PROGRAMS_OUT)/obj/libpostcheck.a \
	$(PROGRAMS_OUT)/obj/libtools.a $(PROGRAMS_OUT)/obj/liblib.a
$(PROGRAMS_OUT)/unit/%: tests/unit/%.c $(archives)
	@mkdir -p $(@D) $(PROGRAMS_OUT)/obj/unit
	@echo '  UNIT $@'
	$(Q)$(CC) $(house_cflags) -MMD -MP -MF $(PROGRAMS_OUT)/obj/unit/$*.d \
		$(house_ldflags) -o $@ $< $(linked) $(house_libs) -lcmocka

# Scripts as the disc has them, under build/host/root, for the tests.
$(PROGRAMS_OUT)/root.done: $(scripts) $(helpers) $(audit_checks) $(filters)
	@mkdir -p $(@D)
	@rm -rf $(PROGRAMS_OUT)/root
	@$(MAKE) -s install-scripts DESTDIR=$(PROGRAMS_OUT)/root PREFIX=/usr
	@touch $@

.PHONY: install-scripts
install-scripts:
	@install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin \
		$(DESTDIR)$(PREFIX)/lib/keyroom/audit $(DESTDIR)$(PREFIX)/lib/cups/filter
	@install -m 755 $(filter-out $(sbin_scripts),$(scripts)) $(DESTDIR)$(PREFIX)/bin
	@install -m 755 $(sbin_scripts) $(DESTDIR)$(PREFIX)/sbin
	@install -m 644 $(audit_checks) $(DESTDIR)$(PREFIX)/lib/keyroom/audit
	@install -m 755 $(filters) $(DESTDIR)$(PREFIX)/lib/cups/filter
	@for helper in $(helpers); do if [ -x $$helper ]; then mode=755; \
		else mode=644; fi; install -m $$mode $$helper \
		$(DESTDIR)$(PREFIX)/lib/keyroom || exit 1; done

install: signer install-scripts ## install what is on the disc under DESTDIR
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/keyroom
	install -s -m 755 $(disc_programs:%=$(PROGRAMS_OUT)/bin/%) $(DESTDIR)$(PREFIX)/bin
	for p in $(aliases); do \
		ln -sfn $$p $(DESTDIR)$(PREFIX)/bin/kskm-$$p; done
	install -m 644 lib/xml/*.rng $(DESTDIR)$(PREFIX)/share/keyroom
	install -d $(addprefix $(DESTDIR)$(PREFIX)/share/man/man,1 5 8)
	for page in $(disc_pages); do install -m 644 \
		$$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}; done

.SECONDARY: $(program_obj)
-include $(house_obj:.o=.d)
-include $(program_obj:.o=.d)
-include $(unit_names:%=$(PROGRAMS_OUT)/obj/unit/%.d)
