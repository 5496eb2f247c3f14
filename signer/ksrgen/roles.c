/* SPDX-License-Identifier: ISC */
#include "signer/ksrgen/roles.h"

#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/dns/algorithm.h"

#include <stdlib.h>
#include <string.h>

#define ALGORITHM_DEFAULT "RSASHA256"

/* What is done with each part of a list. */
typedef bool part_function(const struct roles_wish *wish, const char *part,
	enum zsk_role role, struct zsk_set *set, struct err *err);

static bool for_each(const struct roles_wish *wish, const char *list,
	part_function *call, enum zsk_role role, struct zsk_set *set,
	struct err *err)
{
	char *copy = text_copy(list, err), *rest = copy, *part;
	bool ok = copy != NULL;

	while (ok && (part = strsep(&rest, ",")) != NULL)
		ok = call(wish, part, role, set, err);
	free(copy);
	return ok;
}

static bool is_in_list(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = list; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, name, len) == 0 &&
			(p[len] == ',' || p[len] == '\0'))
			return true;
	}
	return false;
}

static bool make_part(const struct roles_wish *wish, const char *part,
	enum zsk_role role, struct zsk_set *set, struct err *err)
{
	const struct algorithm *algorithm = algorithm_by_name(part);
	struct err ignored = ERR_EMPTY;
	int64_t number;

	if (algorithm == NULL && number_parse(part, 0, 255, &number, &ignored))
		algorithm = algorithm_by_number(number);
	if (algorithm == NULL || !algorithm_is_supported(algorithm))
		return err_set(err, ERR_USAGE,
			"algorithm \"%.40s\": expected RSASHA256, RSASHA512, ECDSAP256SHA256, ECDSAP384SHA384, ED25519, ED448 or its number",
			part);
	return zsk_generate(set, algorithm->number, wish->bits, role, err);
}

static bool load_part(const struct roles_wish *wish, const char *part,
	enum zsk_role role, struct zsk_set *set, struct err *err)
{
	(void)wish;
	return zsk_load(set, part, role, err);
}

/* One new key for each different algorithm of the current ones. */
static bool make_alike(
	const struct roles_wish *wish, struct zsk_set *set, struct err *err)
{
	size_t count = set->count;

	for (size_t i = 0; i < count; i++) {
		uint8_t algorithm = set->keys[i].dnskey.algorithm;
		bool made = set->keys[i].role != ZSK_CURRENT;

		for (size_t j = 0; j < i; j++)
			made |= set->keys[j].role == ZSK_CURRENT &&
				set->keys[j].dnskey.algorithm == algorithm;
		if (!made && !zsk_generate(
				     set, algorithm, wish->bits, ZSK_NEXT, err))
			return false;
	}
	return true;
}

/* Named keys are read, otherwise keys of the wished algorithms are made. */
static bool load_or_make(const struct roles_wish *wish, const char *names,
	enum zsk_role role, struct zsk_set *set, struct err *err)
{
	if (names != NULL)
		return for_each(wish, names, load_part, role, set, err);
	return for_each(wish,
		wish->algorithms != NULL ? wish->algorithms : ALGORITHM_DEFAULT,
		make_part, role, set, err);
}

static bool is_in_bundle(
	const struct ksr_bundle *bundle, const struct ksr_key *key)
{
	return bundle == NULL || ksr_bundle_has(bundle, &key->dnskey);
}

/* Does the last bundle have a key that the one before it had not? */
static bool has_newcomer(
	const struct ksr_bundle *last, const struct ksr_bundle *before)
{
	for (size_t k = 0; k < last->key_count; k++)
		if (ksr_key_is_zsk(&last->keys[k]) &&
			!is_in_bundle(before, &last->keys[k]))
			return true;
	return false;
}

static bool take_over_key(const struct ksr_key *key, enum zsk_role role,
	struct zsk_set *set, struct err *err)
{
	const struct zsk *taken;

	if (!zsk_load(set, key->identifier, role, err))
		return err_prefix(err, "a key of the previous quarter");
	taken = &set->keys[set->count - 1];
	if (dnskey_compare(&taken->dnskey, &key->dnskey) != 0)
		return err_set(err, ERR_INPUT,
			"%s/%s.pem is another key than in the previous quarter",
			set->folder, key->identifier);
	return true;
}

static bool take_over(
	const struct roles_wish *wish, struct zsk_set *set, struct err *err)
{
	const struct ksr *previous = wish->previous;
	const struct ksr_bundle *last, *before = NULL;
	bool replaced;

	last = &previous->bundles[previous->bundle_count - 1];
	if (previous->bundle_count > 1)
		before = last - 1;
	replaced = has_newcomer(last, before);
	for (size_t k = 0; k < last->key_count; k++) {
		const struct ksr_key *key = &last->keys[k];
		bool retires = wish->roll_begin && replaced &&
			       is_in_bundle(before, key);

		if (wish->retire != NULL)
			retires = is_in_list(wish->retire, key->identifier);
		if (ksr_key_is_zsk(key) &&
			!take_over_key(key,
				retires ? ZSK_RETIRING : ZSK_CURRENT, set, err))
			return false;
	}
	return true;
}

static bool check_wish(const struct roles_wish *wish, struct err *err)
{
	if (wish->previous != NULL && wish->current != NULL)
		return err_set(err, ERR_USAGE,
			"the current keys are those of the previous quarter, they cannot be named");
	if (wish->retire != NULL && !wish->roll_begin)
		return err_set(err, ERR_USAGE,
			"a key is to retire, but without a rollover at the beginning");
	if (wish->next != NULL && !wish->roll_end)
		return err_set(err, ERR_USAGE,
			"a next key is named, but without a rollover at the end");
	return true;
}

static size_t count_role(const struct zsk_set *set, enum zsk_role role)
{
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++)
		count += set->keys[i].role == role;
	return count;
}

/* Those of the quarter before, or the first ones. */
static bool choose_old(
	const struct roles_wish *wish, struct zsk_set *set, struct err *err)
{
	if (wish->previous != NULL)
		return take_over(wish, set, err);
	if (!load_or_make(wish, wish->current, ZSK_CURRENT, set, err))
		return false;
	return !wish->roll_begin ||
	       load_or_make(wish, wish->retire, ZSK_RETIRING, set, err);
}

static int compare_keys(const void *a, const void *b)
{
	const struct zsk *x = a, *y = b;

	if (x->role != y->role)
		return x->role < y->role ? -1 : 1;
	return dnskey_compare(&x->dnskey, &y->dnskey);
}

static bool choose(
	const struct roles_wish *wish, struct zsk_set *set, struct err *err)
{
	if (!check_wish(wish, err) || !choose_old(wish, set, err))
		return false;
	if (wish->roll_begin && count_role(set, ZSK_RETIRING) == 0)
		return err_set(err, ERR_USAGE,
			"no key can retire in the first bundle: the previous quarter's last bundle brings no new one");
	if (count_role(set, ZSK_CURRENT) == 0)
		return err_set(err, ERR_USAGE, "no key would stay");
	if (!wish->roll_end)
		return true;
	if (wish->next == NULL && wish->algorithms == NULL)
		return make_alike(wish, set, err);
	return load_or_make(wish, wish->next, ZSK_NEXT, set, err);
}

bool roles_choose(
	const struct roles_wish *wish, struct zsk_set *set, struct err *err)
{
	if (!choose(wish, set, err))
		return false;
	/* However they were named: ids are derived from them in this order. */
	if (set->count > 1)
		qsort(set->keys, set->count, sizeof(*set->keys), compare_keys);
	return true;
}
