/* SPDX-License-Identifier: ISC */
/*
 * The one reader of SHA-256 hashes that people give to compare with: typed,
 * pasted, scanned, or in a file, in whatever notation they have it.
 *
 *	853f f937 62A0:6DDB ...           digits, with blanks, colons, hyphens
 *	music crossover, Zulu ...         PGP words, with commas and lines
 *	SHA256:853FF937...                the QR code of a page
 *	SHA-256: / PGP Words: / >> <<     what our own programs show, whole
 *lines 853ff937...  name, or  *name      sha256sum SHA256 (name) = 853ff937...
 *BSD, openssl
 *
 * Lines may end in CR LF, the text may begin with a byte order mark or be
 * UTF-16 (as Windows writes it), and may be clear-signed by PGP: then what
 * stands outside of the signed part is refused, and the signature is NOT
 * looked at.  Other digests and other lines with a label are passed over.
 */
#ifndef LIB_CLI_HASHES_H
#define LIB_CLI_HASHES_H

#include "lib/base/buf.h"
#include "lib/hash/sha256.h"

#define HASHES_NAME_SIZE 256

struct hashes_entry {
	uint8_t hash[SHA256_LEN];
	char name[HASHES_NAME_SIZE]; /* of the file, cut; "" without a name */
};

/* struct hashes hashes = HASHES_EMPTY; */
struct hashes {
	struct hashes_entry *entries; /* owned */
	size_t count;
};
#define HASHES_EMPTY {.entries = NULL}

/*
 * Every hash in text, at least one; a hash that is there several times
 * without a name, as digits and as words, counts once.  On failure *out is
 * untouched.  Errors: ERR_INPUT, saying which word or line is wrong and how.
 */
bool hashes_read(const struct buf *text, struct hashes *out, struct err *err);
void hashes_free(struct hashes *hashes);

/*
 * What an operator gave with --verify TEXT ("-": one line is asked for on the
 * terminal) or --verify-file FILE; one of the two is NULL.  Both NULL: *out
 * stays empty.  Errors: also ERR_USAGE for both, ERR_REFUSED for no answer.
 */
bool hashes_given(const char *text, const char *file, struct hashes *out,
	struct err *err);

/*
 * The only hash of those; where there are two, nobody knows which one is
 * meant.  Borrowed.  Errors: ERR_INPUT.
 */
bool hashes_one(
	const struct hashes *hashes, const uint8_t **out, struct err *err);

#endif
