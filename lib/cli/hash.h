/* SPDX-License-Identifier: ISC */
/* A hash as people read and compare it, on screen, in logs and on paper. */
#ifndef LIB_CLI_HASH_H
#define LIB_CLI_HASH_H

#include "lib/base/buf.h"
#include "lib/hash/sha256.h"

/* Append "SHA-256:    " and the hash in hexadecimal, a line. */
void hash_hex(struct buf *out, const uint8_t hash[SHA256_LEN]);

/*
 * Append that line and "PGP Words:  " with the words, four to a line in
 * columns: a block of nine lines, at most 76 columns wide.
 */
void hash_block(struct buf *out, const uint8_t hash[SHA256_LEN]);

/* Append ">> WORDS <<", as the transcripts of ceremonies have it. */
void hash_words(struct buf *out, const uint8_t hash[SHA256_LEN]);

#endif
