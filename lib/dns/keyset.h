/* SPDX-License-Identifier: ISC */
/* A set of public keys, whatever their flags; each is borrowed. */
#ifndef LIB_DNS_KEYSET_H
#define LIB_DNS_KEYSET_H

#include "lib/dns/dnskey.h"

struct keyset {
	const struct dnskey **keys; /* owned, unlike what it points at */
	size_t count;
};

#define KEYSET_EMPTY {.keys = NULL}

bool keyset_has(const struct keyset *set, const struct dnskey *dnskey);

/* Add a key, unless it is there. */
bool keyset_add(
	struct keyset *set, const struct dnskey *dnskey, struct err *err);

void keyset_clear(struct keyset *set);

#endif
