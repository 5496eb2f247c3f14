/* SPDX-License-Identifier: ISC */
#include "lib/dns/keyset.h"

#include "lib/base/array.h"

#include <stdlib.h>

bool keyset_has(const struct keyset *set, const struct dnskey *dnskey)
{
	for (size_t i = 0; i < set->count; i++)
		if (dnskey_same_public(set->keys[i], dnskey))
			return true;
	return false;
}

bool keyset_add(
	struct keyset *set, const struct dnskey *dnskey, struct err *err)
{
	const struct dnskey **place;

	if (keyset_has(set, dnskey))
		return true;
	place = array_grow(&set->keys, &set->count, sizeof(*set->keys), err);
	if (place != NULL)
		*place = dnskey;
	return place != NULL;
}

void keyset_clear(struct keyset *set)
{
	free(set->keys);
	*set = (struct keyset)KEYSET_EMPTY;
}
