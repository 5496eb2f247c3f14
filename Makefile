# SPDX-License-Identifier: ISC
# Keyroom: the operating environment of a key-signing ceremony.
#
#   make iso      build the disc: build/out/keyroom-VERSION-amd64.iso
#   make test     everything that shows it works, the booted disc included
#
# "make" alone prints every target.  All output is under build/; downloads are
# kept in $XDG_CACHE_HOME/keyroom.  Variables, given as NAME=VALUE:
#
#   PROFILE    which disc (image/profiles/*)                 [ceremony]
#   MIRROR     folders or addresses with a Debian archive, tried first
#   DRIVER     which driver (packages/drivers/*.conf, or a path), for extension
#   VENDOR     the vendor's file for it [packages/vendor/ has it]
#   SNAPSHOT   address of a Debian snapshot service; none: ask none
#   RELOCK     no: never resolve anew where locked versions are gone
#   BUNDLE     a bundle (make bundle), for iso: build from it alone, with no network;
#              only where it is typed, not from the environment
#   VERSION, KEY, WITHOUT   for release: its name, the SSH key that signs it, and
#              why it goes out without rebuilders, if it does; only where typed, too
#   BUILD      where output goes                             [build]
#   KEYROOM_DISPLAY, KEYROOM_ACCEL   for rehearse: gtk, sdl, vnc; kvm, tcg
#   SANITIZE   1: compile for the host with ASan and UBSan

# What the caller's environment has of these was read already.
ifneq ($(MAKEFILES),)
$(error MAKEFILES is set ($(MAKEFILES)): unset it, what it names is no part of this)
endif
BUILD ?= build
# Before anything is done; a quote would end the word.
path_fault := $(if $(findstring ',$(BUILD)),BUILD holds a quote: make cannot work in it,$(shell \
	image/lib/check-paths "$$(pwd)" '$(BUILD)' make))
ifneq ($(path_fault),)
$(error $(path_fault))
endif
# A folder that make itself makes, for what is compiled here, is marked as builds mark
# theirs (make_build in image/lib/common.sh).
ifneq ($(filter-out help clean,$(MAKECMDGOALS)),)
$(shell [ -e '$(BUILD)' ] || { mkdir -p '$(BUILD)' && : >'$(BUILD)/.keyroom-build'; } 2>/dev/null)
endif
include image/release
PROFILE ?= $(KEYROOM_DEFAULT_PROFILE)
PYTHON ?= /usr/bin/python3
# Another source of everything, or a release that nobody else has built: never by a
# variable that somebody has forgotten.
typed = $(if $(filter command%,$(origin $1)),$($1))
export BUILD PROFILE MIRROR SNAPSHOT RELOCK DRIVER VENDOR BUNDLE VERSION KEY WITHOUT

.DEFAULT_GOAL := help
.PHONY: help iso extension rehearse shell boot-log test check verify verify-all release bundle lock fetch clean

help: ## print this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

iso: ## build the disc
	@image/host-check
	@$(if $(call typed,BUNDLE),reproducible/lib/from-bundle "$$BUNDLE",image/build --relock-if-gone) --profile "$$PROFILE"

extension: ## build the driver DRIVER as an extension: build/out/keyroom-DRIVER-VERSION.raw
	@image/host-check
	@$(if $(DRIVER),,$(error DRIVER= names a driver))image/build --extension "$$DRIVER" $(if $(VENDOR),--vendor "$$VENDOR")

rehearse: ## hold a ceremony in a window, with the disc that was built last
	@image/host-check rehearse
	@$(MAKE) -s signer
	@[ -e $(BUILD)/out/latest ] || $(MAKE) -s iso
	@$(PYTHON) tests/boot/window.py $(BUILD)

shell: ## boot the disc that was built last with its serial console in this terminal
	@image/host-check rehearse
	@$(PYTHON) tests/boot/console.py $(BUILD) shell

boot-log: ## boot it to the prompt, and keep what it said in build/boot-log
	@image/host-check rehearse
	@$(PYTHON) tests/boot/console.py $(BUILD) log

test: ## all tests: lint, unit, command line, reproducibility, boot
	@image/host-check test
	@tests/run all

check: ## the fast part of the tests, for every commit
	@image/host-check test
	@tests/run fast

verify: ## build twice under different circumstances and compare, each profile
	@image/host-check
	@reproducible/verify $(if $(filter command%,$(origin PROFILE)),--profile "$$PROFILE")

verify-all: ## build under all circumstances (reproducible/verify --list), one table
	@image/host-check
	@reproducible/verify --all $(if $(filter command%,$(origin PROFILE)),--profile "$$PROFILE")

release: ## VERSION=x KEY=y: prepare a release, or publish it once rebuilders have spoken
	@image/host-check test
	@reproducible/release $(if $(call typed,VERSION),--version-of "$$VERSION") $(if $(call typed,KEY),--key "$$KEY") \
		$(if $(call typed,WITHOUT),--without-rebuilders "$$WITHOUT")

# What "make release" has made and signed.
RECORDS = $(BUILD)/release/$(KEYROOM_VERSION)
bundle: ## all that this release is built from, in build/keyroom-VERSION.tar
	@packages/fetch
	@reproducible/bundle $(if $(wildcard $(RECORDS)/SHA256SUMS),--records $(RECORDS)) $(BUILD)/keyroom-$(KEYROOM_VERSION).tar

lock: ## resolve packages/*.list anew into packages/trixie-amd64.lock
	@image/host-check
	@packages/lock

fetch: ## bring the locked packages into the cache
	@packages/fetch

clean: ## remove build/
	@image/lib/clean

include houses.mk
include image/init/build.mk
include image/squash/build.mk
include $(wildcard tests/build.mk)
