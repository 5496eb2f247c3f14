# SPDX-License-Identifier: ISC
# What proves the signer beyond its unit tests: fuzzing, the replay of what
# fuzzing found, injected faults, benchmarks, coverage.  For the host alone.
#
# SECONDS_PER_FUZZ  how long a fuzz-NAME target looks [600]
# FUZZ_MORE         further folders of seeds, read and never written

SECONDS_PER_FUZZ ?= 600
FUZZ_MORE ?=
FUZZ_OUT ?= $(BUILD)/fuzz
fuzz_names := ksr skr config time words anchor second
# The longest input; no such limit is part of any format.
fuzz_len_ksr := 65536
fuzz_len_skr := 65536
fuzz_len_config := 16384
fuzz_len_time := 128
fuzz_len_words := 1024
fuzz_len_anchor := 16384
fuzz_len_second := 65536
fuzz_shared_ksr := tests/fuzz/document.c
fuzz_shared_skr := tests/fuzz/document.c
fuzz_shared_second := tests/fuzz/document.c
fuzz_cc := clang -fsanitize=fuzzer-no-link
fuzz_make = $(MAKE) -s SANITIZE=1 PROGRAMS_OUT=$(FUZZ_OUT) CC='$(fuzz_cc)'

.PHONY: fuzz $(fuzz_names:%=fuzz-%) fuzz-programs replay-programs
fuzz: $(fuzz_names:%=fuzz-%) ## look for inputs that break the signer's readers (clang)
# Findings land in build/fuzz/found.
$(fuzz_names:%=fuzz-%): fuzz-%:
	@$(fuzz_make) $(FUZZ_OUT)/bin/fuzz_$*
	@mkdir -p $(FUZZ_OUT)/corpus/$* $(FUZZ_OUT)/found
	nice $(FUZZ_OUT)/bin/fuzz_$* -max_total_time=$(SECONDS_PER_FUZZ) \
		-max_len=$(fuzz_len_$*) -timeout=5 -dict=tests/fuzz/$*.dict \
		-artifact_prefix=$(FUZZ_OUT)/found/$*- -print_final_stats=1 \
		$(FUZZ_OUT)/corpus/$* tests/fuzz/$* $(FUZZ_MORE)

fuzz-programs:
	@$(fuzz_make) $(fuzz_names:%=$(FUZZ_OUT)/bin/fuzz_%)
$(FUZZ_OUT)/bin/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/document.c $(archives)
	@mkdir -p $(@D)
	$(Q)$(CC) $(house_cflags) $(house_ldflags) -fsanitize=fuzzer -o $@ \
		$< $(fuzz_shared_$*) $(linked) $(house_libs)

# Any compiler, sanitized or not: runs each file once.
replay-programs: $(fuzz_names:%=$(PROGRAMS_OUT)/replay/%)
$(PROGRAMS_OUT)/replay/%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c \
		tests/fuzz/document.c $(archives)
	@mkdir -p $(@D)
	@echo '  REPLAY $@'
	$(Q)$(CC) $(house_cflags) $(house_ldflags) -o $@ $< \
		tests/fuzz/replay.c $(fuzz_shared_$*) $(linked) \
		$(house_libs)

# Alternating runs of ours and of the least that could be done.
ROUNDS ?= 15
BENCH_OUT := $(BUILD)/bench
.PHONY: bench
bench: signer $(BENCH_OUT)/floor $(BENCH_OUT)/least $(BENCH_OUT)/measure ## measure the signer's speed and memory
	@tests/bench/bench --rounds $(ROUNDS) $(PROGRAMS_OUT)/bin $(BENCH_OUT)
$(BENCH_OUT)/floor: tests/bench/proofs.c tests/bench/proofs.h
$(BENCH_OUT)/least: tests/bench/floor.c tests/bench/proofs.c \
		tests/bench/documents.c tests/bench/proofs.h \
		tests/bench/documents.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(house_cflags) -DDOCUMENTS $(house_ldflags) -o $@ \
		$(filter %.c,$^) $(house_libs)
$(BENCH_OUT)/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(house_cflags) $(house_ldflags) -o $@ $(filter %.c,$^) \
		-lcrypto -ldl

# Programs that tests run, linked with the signer's own objects.
.PHONY: mutate-programs
mutate-programs: $(PROGRAMS_OUT)/mutate/flips
$(PROGRAMS_OUT)/mutate/%: tests/mutate/%.c $(archives)
	@mkdir -p $(@D)
	$(Q)$(CC) $(house_cflags) $(house_ldflags) -o $@ $< $(linked) \
		$(house_libs)

COVERAGE_MIN ?= 90
.PHONY: coverage
coverage: ## line coverage of the C code, with what is not reached
	@tests/coverage $(BUILD)/coverage $(COVERAGE_MIN)

.PHONY: bench-image
bench-image: ## measure the disc: size, packages, boot, memory (BENCH=--build: builds)
	@tests/bench/bench-image $(BENCH)

.PHONY: boot-files
boot-files: ## list the files that every boot of PROFILE's disc reads, from traced boots
	@image/host-check test
	@$(PYTHON) tests/boot/bootfiles.py $(BUILD) $(PROFILE)

.PHONY: test-matrix
test-matrix: ## boot every profile from every medium under every firmware
	@image/host-check test
	@tests/run matrix

.PHONY: test-deep
test-deep: ## the command-line tests under the sanitizers, the coverage, ten times the mutants
	@image/host-check test
	@tests/run deep

.PHONY: test-unproven
test-unproven: ## tests that have not been seen to pass yet, and are not part of "make test"
	@image/host-check test
	@tests/run unproven

.PHONY: mutants
mutants: ## change what goes onto the disc, line by line of tests/mutants.list, and see that a test fails
	@image/host-check test
	@tests/mutants $(MUTANT)

.PHONY: test-without
test-without: ## build discs that lack one thing each, and see that it is noticed
	@image/host-check test
	@tests/without $(WITHOUT)

.PHONY: mutations
mutations: ## mutants and test-without, all lines: whatever is changed or left out, somebody notices
	@image/host-check test
	@status=0; tests/mutants || status=1; tests/without || status=1; exit $$status

# A test program that is run in the booted disc, so it is static like /init.
.PHONY: boot-programs
boot-programs: $(INIT_OUT)/boot/damage
$(INIT_OUT)/boot/damage: tests/boot/damage.c \
		$(patsubst %,$(init_dir)/%.c,cmdline err loop verity)
	@mkdir -p $(@D)
	$(Q)$(INIT_CC) $(INIT_CFLAGS) $(init_pie) $(init_kernel_headers) \
		-I$(init_dir) $(init_ldflags) -o $@ $^
