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
#   SNAPSHOT   address of a Debian snapshot service
#   BUILD      where output goes                             [build]
#   KEYROOM_DISPLAY, KEYROOM_ACCEL   for rehearse: gtk, sdl, vnc; kvm, tcg
#   SANITIZE   1: compile for the host with ASan and UBSan

include image/release
BUILD ?= build
PROFILE ?= $(KEYROOM_DEFAULT_PROFILE)
PYTHON ?= /usr/bin/python3
export BUILD PROFILE MIRROR SNAPSHOT

.DEFAULT_GOAL := help
.PHONY: help iso extension rehearse test check verify release lock fetch clean

help: ## print this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

iso: ## build the disc
	@image/host-check
	@image/build --profile $(PROFILE) --relock-if-gone

extension: ## build the driver DRIVER as an extension: build/out/keyroom-DRIVER-VERSION.raw
	@image/host-check
	@image/build --extension "$(or $(DRIVER),$(error DRIVER= names a driver))" $(if $(VENDOR),--vendor "$(VENDOR)")

rehearse: ## hold a ceremony in a window, with the disc that was built last
	@image/host-check rehearse
	@$(MAKE) -s signer
	@[ -e $(BUILD)/out/latest ] || $(MAKE) -s iso
	@$(PYTHON) tests/boot/rehearse.py $(BUILD)

test: ## all tests: lint, unit, command line, reproducibility, boot
	@image/host-check test
	@tests/run all

check: ## the fast part of the tests, for every commit
	@image/host-check test
	@tests/run fast

verify: ## build twice under different circumstances and compare, each profile
	@image/host-check
	@reproducible/verify $(if $(filter command%,$(origin PROFILE)),--profile $(PROFILE))

release: ## build from the lock alone and write the release's records
	@image/host-check
	@reproducible/release

lock: ## resolve packages/*.list anew into packages/trixie-amd64.lock
	@image/host-check
	@packages/lock

fetch: ## bring the locked packages into the cache
	@packages/fetch

clean: ## remove build/
	@image/lib/ns-run rm -rf $(abspath $(BUILD))

include signer/build.mk
include image/init/build.mk
include $(wildcard tests/build.mk)
