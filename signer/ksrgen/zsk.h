/* SPDX-License-Identifier: ISC */
/*
 * The maintainer's zone signing keys: a folder with one file for each,
 * NAME.pem, PKCS#8 without encryption (RFC 7468 §10), readable by its owner
 * alone.  For rehearsals and tests: a real zone's keys live in its signer.
 *
 * A name is zsk-ALGORITHM-REST, for PKCS#8 does not tell RSASHA256 from
 * RSASHA512; REST is the key tag where the name is ours.  The name is the
 * key's identifier in requests, which is how the next quarter finds the file.
 */
#ifndef SIGNER_KSRGEN_ZSK_H
#define SIGNER_KSRGEN_ZSK_H

#include "lib/crypto/crypto.h"
#include "lib/dns/dnskey.h"

/* In which bundles of a quarter the key stands. */
enum zsk_role {
	ZSK_RETIRING, /* in the first, or the first few */
	ZSK_CURRENT,  /* in all */
	ZSK_NEXT,     /* in the last, or the last few */
};

struct zsk {
	char *name;
	enum zsk_role role;
	bool is_new; /* not in the folder yet */
	struct crypto_key *key;
	struct dnskey dnskey; /* flags 256 */
};

struct zsk_set {
	const char *folder; /* borrowed */
	struct zsk *keys;
	size_t count;
};

void zsk_set_clear(struct zsk_set *set);

/*
 * Add a new key, with a tag that no other key of the set has, nor one of its
 * algorithm in the folder.  bits is for RSA.  Nothing is written yet.
 */
bool zsk_generate(struct zsk_set *set, uint8_t algorithm, unsigned bits,
	enum zsk_role role, struct err *err);

/*
 * Add a key from the folder.  Errors: ERR_INPUT for a name of another form,
 * a file that is not there or is no such key; ERR_USAGE for a key that is in
 * the set already, by its name or by another.
 */
bool zsk_load(struct zsk_set *set, const char *name, enum zsk_role role,
	struct err *err);

/*
 * Write the new keys, and make the folder where it is missing.  A file that
 * exists is never touched.  Errors: ERR_OUTPUT.
 */
bool zsk_set_save(struct zsk_set *set, struct err *err);

#endif
