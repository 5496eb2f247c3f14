/* SPDX-License-Identifier: ISC */
#ifndef BENCH_PROOFS_H
#define BENCH_PROOFS_H

#include <stdint.h>
#include <stdio.h>

/* The next block of a file: its length, four bytes, lowest first, before it. */
struct block {
	uint8_t bytes[65536];
	uint32_t len;
};

/* 0 at the end of the file. */
int block_read(FILE *in, struct block *block);

/*
 * Verify each signature of a file: blocks of a public key (DER), the data and
 * the signature, in turn.  As little is done as OpenSSL lets one do: a key is
 * unpacked once.  Ends the process where a signature does not hold.
 */
void proofs_check(const char *path);

#endif
