/* SPDX-License-Identifier: ISC */
/*
 * The boot stage's parameters on the kernel command line.  README.md beside
 * this file has the table.
 */
#ifndef INIT_CMDLINE_H
#define INIT_CMDLINE_H

#include "err.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	CMDLINE_ID_MIN = 8,
	CMDLINE_ID_MAX = 64,
	CMDLINE_HASH_DIGITS = 64, /* SHA-256 in hex */
	CMDLINE_PATH_MAX = 127,
	CMDLINE_BLOCK = 4096, /* bytes in a block of the image */
};

/* What dm-verity is told; block numbers count CMDLINE_BLOCK bytes. */
struct verity_params {
	char root[CMDLINE_HASH_DIGITS + 1];
	char salt[CMDLINE_HASH_DIGITS + 1];
	uint32_t data_blocks;
	uint32_t hash_start; /* not before data_blocks */
	uint32_t fec_start;  /* after hash_start */
	uint32_t fec_roots;  /* 2 to 24 */
};

struct cmdline {
	char medium[CMDLINE_ID_MAX + 1];
	char image[CMDLINE_PATH_MAX + 1]; /* begins with a slash */
	struct verity_params verity;
	/* What ahead.h reads, in blocks; both 0 where nothing is said. */
	uint32_t front_blocks; /* from the first */
	uint32_t tables_start; /* up to the parity */
	bool toram;
	bool check;
	bool debug;
};

/*
 * Read the parameters from text, a kernel command line.  Words that do not
 * begin with "keyroom." are others' business.  Fails on a parameter that is
 * missing, given twice, malformed or unknown; *out is then untouched.
 */
bool cmdline_parse(const char *text, struct cmdline *out, struct err *err);

#endif
