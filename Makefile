# SPDX-License-Identifier: ISC
# Keyroom: the operating environment of a key-signing ceremony.
#
# "make" alone prints the targets below.  Everything is written under build/.

include image/release
BUILD ?= build
PYTHON ?= /usr/bin/python3

.DEFAULT_GOAL := help
.PHONY: help clean
help: ## print this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

clean: ## remove build/
	rm -rf $(BUILD)

include signer/build.mk
include image/init/build.mk
