/* SPDX-License-Identifier: ISC */
/*
 * POST-PUBLISH-SAFETY and POST-RETIRE-SAFETY: the bundles of the response
 * before and of this one are one timeline, and the rules hold wherever the
 * signer changes in it, not at its seam alone.
 */
#include "lib/base/time.h"
#include "postcheck/second.h"

#include <stdlib.h>

/* A bundle in the timeline. */
struct moment {
	const struct ksr_bundle *bundle;
	bool counts; /* not so for old bundles that hang on no known key */
};

struct timeline {
	struct moment *moments;
	size_t count;
	size_t first_new;
};

static bool timeline_new(
	const struct second *second, struct timeline *out, struct err *err)
{
	const struct ksr *old = second->previous, *new = second->response;
	size_t old_count = old != NULL ? old->bundle_count : 0;

	out->moments =
		calloc(old_count + new->bundle_count, sizeof(*out->moments));
	if (out->moments == NULL)
		return err_nomem(err);
	for (size_t b = 0; b < old_count; b++)
		out->moments[out->count++] = (struct moment){
			.bundle = &old->bundles[b], .counts = second->tied[b]};
	out->first_new = old_count;
	for (size_t b = 0; b < new->bundle_count; b++)
		out->moments[out->count++] = (struct moment){
			.bundle = &new->bundles[b], .counts = true};
	return true;
}

/* Does the key sign there, in this very form? */
static bool signs_in(const struct second *second, const struct moment *moment,
	const struct dnskey *dnskey)
{
	const struct ksr_key *key = second_find(moment->bundle, dnskey);

	return key != NULL && second_count_by(second, moment->bundle, key) > 0;
}

/*
 * Since when is the key published, without a gap, when bundle "at" begins?
 * The inception of "at" where the bundle before it has no such key.
 */
static int64_t published_since(
	const struct timeline *timeline, size_t at, const struct dnskey *dnskey)
{
	const struct moment *moments = timeline->moments;
	int64_t since = moments[at].bundle->inception;

	for (; at > 0 && moments[at - 1].counts &&
		second_find(moments[at - 1].bundle, dnskey) != NULL &&
		moments[at - 1].bundle->expiration >=
			moments[at].bundle->inception;
		at--)
		since = moments[at - 1].bundle->inception;
	return since;
}

/* What the slot of a new bundle states of its algorithms; NULL: nothing. */
static const struct config_slot_algorithms *stated_at(
	const struct second *second, const struct timeline *timeline, size_t at)
{
	return at < timeline->first_new
		       ? NULL
		       : second_stated(second, at - timeline->first_new);
}

/* Is there a KSK of this algorithm? */
static bool has_algorithm(const struct moment *moment, uint8_t algorithm)
{
	for (size_t k = 0; k < moment->bundle->key_count; k++) {
		const struct dnskey *dnskey = &moment->bundle->keys[k].dnskey;

		if ((dnskey->flags & DNSKEY_FLAG_SEP) != 0 &&
			dnskey->algorithm == algorithm)
			return true;
	}
	return false;
}

/* Is there a signer that validators follow from the bundle before to here? */
static bool is_bridged(
	const struct second *second, const struct timeline *timeline, size_t at)
{
	const struct moment *here = &timeline->moments[at], *before = here - 1;

	for (size_t k = 0; before->counts && k < here->bundle->key_count; k++) {
		const struct ksr_key *key = &here->bundle->keys[k];

		if (key->dnskey.flags == DNSKEY_FLAGS_KSK &&
			second_count_by(second, here->bundle, key) > 0 &&
			signs_in(second, before, &key->dnskey))
			return true;
	}
	return false;
}

/*
 * An algorithm that begins (RFC 6781 section 4.1.4): its key signs as soon as
 * it is published.  Only where the slot states it, there was no KSK of it, and
 * another key leads over.
 */
static bool begins_with_algorithm(const struct second *second,
	const struct timeline *timeline, size_t at, uint8_t algorithm)
{
	const struct config_slot_algorithms *stated =
		stated_at(second, timeline, at);

	return stated != NULL &&
	       config_numbers_has(&stated->begins, algorithm) &&
	       !has_algorithm(&timeline->moments[at - 1], algorithm) &&
	       is_bridged(second, timeline, at);
}

/* Did a bundle before say that the key is revoked?  That holds for ever. */
static bool was_withdrawn(
	const struct timeline *timeline, size_t at, const struct dnskey *dnskey)
{
	struct dnskey revoked = *dnskey; /* borrows */

	revoked.flags = DNSKEY_FLAGS_KSK_REVOKED;
	for (size_t earlier = 0; earlier < at; earlier++)
		if (timeline->moments[earlier].counts &&
			second_find(timeline->moments[earlier].bundle,
				&revoked) != NULL)
			return true;
	return false;
}

/*
 * May validators not know the key yet: did it appear less than that long ago?
 * Of one that is in all bundles from the first on nobody can tell.
 */
static bool is_fresh(const struct timeline *timeline, size_t at,
	const struct dnskey *dnskey, int64_t wanted)
{
	const struct moment *moments = timeline->moments;
	size_t first = at;

	while (first > 0 && moments[first - 1].counts &&
		second_find(moments[first - 1].bundle, dnskey) != NULL)
		first--;
	return first > 0 && moments[at].bundle->inception -
					    moments[first].bundle->inception <
				    wanted;
}

/* Is a signer there that every validator follows? */
static bool is_followed(const struct second *second,
	const struct timeline *timeline, size_t at, int64_t wanted)
{
	const struct ksr_bundle *bundle = timeline->moments[at].bundle;

	for (size_t k = 0; k < bundle->key_count; k++) {
		const struct ksr_key *key = &bundle->keys[k];

		if (key->dnskey.flags == DNSKEY_FLAGS_KSK &&
			second_count_by(second, bundle, key) > 0 &&
			!is_fresh(timeline, at, &key->dnskey, wanted) &&
			!was_withdrawn(timeline, at, &key->dnskey))
			return true;
	}
	return false;
}

/*
 * Not from one bundle to the next is a zone left to keys alone that validators
 * do not know yet, or no more.  Those that begin to sign here are looked at
 * by themselves.
 */
static void look_for_known_signer(const struct second *second,
	const struct timeline *timeline, size_t at, int64_t wanted,
	struct verdict *verdict)
{
	const struct ksr_bundle *bundle = timeline->moments[at].bundle;

	if (is_followed(second, timeline, at, wanted) ||
		!is_followed(second, timeline, at - 1, wanted))
		return;
	for (size_t k = 0; k < bundle->key_count; k++) {
		const struct ksr_key *key = &bundle->keys[k];

		if (key->dnskey.flags != DNSKEY_FLAGS_KSK ||
			second_count_by(second, bundle, key) == 0 ||
			!signs_in(second, &timeline->moments[at - 1],
				&key->dnskey))
			continue;
		verdict_fail(verdict,
			"bundle %s: nobody signs but %s, which was %s: expected another key",
			bundle->id, key->identifier,
			was_withdrawn(timeline, at, &key->dnskey)
				? "revoked before"
				: "not published for PublishSafety yet");
		return;
	}
}

static void look_at_beginner(const struct timeline *timeline, size_t at,
	const struct ksr_key *key, int64_t wanted, struct verdict *verdict)
{
	const struct ksr_bundle *bundle = timeline->moments[at].bundle;
	int64_t since = published_since(timeline, at, &key->dnskey);
	char from[TIME_TEXT_MAX], text[TIME_DURATION_MAX];

	if (since < bundle->inception && bundle->inception - since >= wanted)
		return;
	time_duration_format(wanted, text);
	time_format(since, TIME_BARE, from);
	if (since == bundle->inception)
		verdict_fail(verdict,
			"bundle %s: key %s begins to sign, and is not in the bundle before, expected %s of publication",
			bundle->id, key->identifier, text);
	else
		verdict_fail(verdict,
			"bundle %s: key %s begins to sign, and is published only since %s, expected %s before",
			bundle->id, key->identifier, from, text);
}

/* Was the key there before, in whatever form? */
static bool was_seen(
	const struct timeline *timeline, size_t at, const struct dnskey *dnskey)
{
	while (at-- > 0)
		if (timeline->moments[at].counts &&
			second_find_ksk(timeline->moments[at].bundle, dnskey) !=
				NULL)
			return true;
	return false;
}

/*
 * A revoked key's signature says that it is revoked, and nobody follows it; so
 * it may come back for that, but not out of nothing.
 */
static void look_at_signer(const struct second *second,
	const struct timeline *timeline, size_t at, const struct ksr_key *key,
	int64_t wanted, struct verdict *verdict)
{
	const struct moment *before = &timeline->moments[at - 1];
	const struct ksr_bundle *bundle = timeline->moments[at].bundle;

	if ((key->dnskey.flags & DNSKEY_FLAG_SEP) == 0 ||
		second_count_by(second, bundle, key) == 0 ||
		(before->counts && signs_in(second, before, &key->dnskey)))
		return;
	if (key->dnskey.flags == DNSKEY_FLAGS_KSK &&
		was_withdrawn(timeline, at, &key->dnskey)) {
		verdict_fail(verdict,
			"bundle %s: key %s signs again, and was revoked before (RFC 5011)",
			bundle->id, key->identifier);
		return;
	}
	if (key->dnskey.flags == DNSKEY_FLAGS_KSK &&
		begins_with_algorithm(
			second, timeline, at, key->dnskey.algorithm))
		return;
	if ((key->dnskey.flags & DNSKEY_FLAG_REVOKE) == 0)
		look_at_beginner(timeline, at, key, wanted, verdict);
	else if (!was_seen(timeline, at, &key->dnskey))
		verdict_fail(verdict,
			"bundle %s: key %s is revoked, and was in no bundle before",
			bundle->id, key->identifier);
}

static void look_at_beginners(const struct second *second,
	const struct timeline *timeline, struct verdict *verdict)
{
	int64_t wanted = second->config != NULL
				 ? second->config->ksk_policy.publish_safety
				 : second->response->ksk.publish_safety;

	/* Before the first bundle of all nothing is known. */
	for (size_t at = timeline->first_new > 0 ? timeline->first_new : 1;
		at < timeline->count; at++) {
		const struct ksr_bundle *bundle = timeline->moments[at].bundle;

		for (size_t k = 0; k < bundle->key_count; k++)
			look_at_signer(second, timeline, at, &bundle->keys[k],
				wanted, verdict);
		look_for_known_signer(second, timeline, at, wanted, verdict);
	}
}

void second_publish_safety(const struct second *second, struct verdict *verdict)
{
	struct timeline timeline = {0};
	struct err err = ERR_EMPTY;

	if (!second_is_on(second_policy(second)->check_keys_publish_safety,
		    "check_keys_publish_safety", verdict))
		return;
	if (!timeline_new(second, &timeline, &err))
		verdict_fail(verdict, "%s", err.text);
	else
		look_at_beginners(second, &timeline, verdict);
	free(timeline.moments);
}

/* What signed a bundle, and does not sign the next one. */
struct retiree {
	const struct ksr_key *key;
	size_t last; /* that bundle */
};

/* Does the key say there, by its own signature, that it is revoked? */
static bool is_withdrawn_in(const struct second *second,
	const struct moment *moment, const struct dnskey *dnskey)
{
	struct dnskey revoked = *dnskey; /* borrows */

	revoked.flags = DNSKEY_FLAGS_KSK_REVOKED;
	return moment->counts && signs_in(second, moment, &revoked);
}

/*
 * Was the key's revocation published for that long, without a break, before
 * bundle "at"?  For more, to be exact: a revocation that was in one bundle
 * alone, of ten days, is not known everywhere after ten days.  It ends where a
 * bundle begins that has it no more; where that is before the new ones, and it
 * was there from the first bundle on, its beginning is not known here: it was
 * judged when it ended.
 */
static bool was_revoked(const struct second *second,
	const struct timeline *timeline, size_t at, const struct dnskey *dnskey,
	int64_t wanted)
{
	const struct moment *moments = timeline->moments;

	for (size_t begin = 0, end; begin < at; begin = end + 1) {
		for (end = begin; end < at; end++)
			if (!is_withdrawn_in(second, &moments[end], dnskey))
				break;
		if (begin < end &&
			((begin == 0 && end < timeline->first_new) ||
				moments[end].bundle->inception -
						moments[begin]
							.bundle->inception >
					wanted))
			return true;
	}
	return false;
}

/* Is the key gone with its algorithm, as the slot states? */
static bool ends_with_algorithm(const struct second *second,
	const struct timeline *timeline, size_t at, uint8_t algorithm)
{
	const struct config_slot_algorithms *stated =
		stated_at(second, timeline, at);

	return stated != NULL && at > 0 &&
	       config_numbers_has(&stated->ends, algorithm) &&
	       !has_algorithm(&timeline->moments[at], algorithm) &&
	       is_bridged(second, timeline, at);
}

/* The first new bundle that the key is missing in too soon; else count. */
static size_t gone_at(const struct second *second,
	const struct timeline *timeline, const struct retiree *retiree,
	int64_t wanted)
{
	const struct moment *moments = timeline->moments;
	const struct dnskey *dnskey = &retiree->key->dnskey;
	int64_t until = moments[retiree->last].bundle->expiration + wanted;
	size_t at = retiree->last + 1;

	if (at < timeline->first_new)
		at = timeline->first_new;
	for (; at < timeline->count && moments[at].bundle->inception < until;
		at++) {
		if (second_find_ksk(moments[at].bundle, dnskey) != NULL)
			continue;
		if (was_revoked(second, timeline, at, dnskey, wanted))
			break;
		return ends_with_algorithm(
			       second, timeline, at, dnskey->algorithm)
			       ? timeline->count
			       : at;
	}
	return timeline->count;
}

static void look_at_retiree(const struct second *second,
	const struct timeline *timeline, const struct retiree *retiree,
	int64_t wanted, struct verdict *verdict)
{
	const struct ksr_bundle *last = timeline->moments[retiree->last].bundle;
	size_t gone = gone_at(second, timeline, retiree, wanted);
	char until[TIME_TEXT_MAX];

	if (gone == timeline->count)
		return;
	time_format(last->expiration + wanted, TIME_BARE, until);
	verdict_fail(verdict,
		"bundle %s: key %s is gone, which signed bundle %s, expected until %s",
		timeline->moments[gone].bundle->id, retiree->key->identifier,
		last->id, until);
}

/* Where the key signs and in the next bundle does not. */
static void look_at_endings(const struct second *second,
	const struct timeline *timeline, size_t at, int64_t wanted,
	struct verdict *verdict)
{
	const struct ksr_bundle *bundle = timeline->moments[at].bundle;

	for (size_t k = 0; k < bundle->key_count; k++) {
		const struct retiree retiree = {
			.key = &bundle->keys[k], .last = at};
		const struct dnskey *dnskey = &bundle->keys[k].dnskey;
		const struct ksr_key *next = NULL;

		if ((dnskey->flags & DNSKEY_FLAG_SEP) == 0 ||
			second_count_by(second, bundle, &bundle->keys[k]) == 0)
			continue;
		if (at + 1 < timeline->count)
			next = second_find_ksk(
				timeline->moments[at + 1].bundle, dnskey);
		if (next == NULL ||
			second_count_by(second,
				timeline->moments[at + 1].bundle, next) == 0)
			look_at_retiree(
				second, timeline, &retiree, wanted, verdict);
	}
}

/* Has the key a signature from that moment on, in either form? */
static bool signs_from(const struct second *second,
	const struct timeline *timeline, size_t at, const struct dnskey *dnskey)
{
	struct dnskey form = *dnskey; /* borrows */

	for (; at < timeline->count; at++) {
		const struct moment *moment = &timeline->moments[at];

		if (!moment->counts)
			continue;
		form.flags = DNSKEY_FLAGS_KSK;
		if (signs_in(second, moment, &form))
			return true;
		form.flags = DNSKEY_FLAGS_KSK_REVOKED;
		if (signs_in(second, moment, &form))
			return true;
	}
	return false;
}

/*
 * A key of the last old bundle that does not sign it, nor later: a signature
 * beside others can be removed without a trace.
 */
static void look_at_silent(const struct second *second,
	const struct timeline *timeline, const struct ksr_key *key,
	int64_t wanted, struct verdict *verdict)
{
	const struct moment *moments = timeline->moments;
	size_t gone = timeline->first_new, last = gone - 1;
	int64_t until = moments[last].bundle->expiration + wanted;
	char text[TIME_TEXT_MAX];

	while (gone < timeline->count &&
		second_find_ksk(moments[gone].bundle, &key->dnskey) != NULL)
		gone++;
	if (gone == timeline->count ||
		moments[gone].bundle->inception >= until ||
		signs_from(second, timeline, last, &key->dnskey))
		return;
	time_format(until, TIME_BARE, text);
	verdict_note(verdict,
		"bundle %s: key %s is gone, and does not sign bundle %s, the last before; had it signed that, expected until %s",
		moments[gone].bundle->id, key->identifier,
		moments[last].bundle->id, text);
}

static void look_at_silents(const struct second *second,
	const struct timeline *timeline, int64_t wanted,
	struct verdict *verdict)
{
	const struct moment *last;

	if (timeline->first_new == 0)
		return;
	last = &timeline->moments[timeline->first_new - 1];
	for (size_t k = 0; last->counts && k < last->bundle->key_count; k++)
		if ((last->bundle->keys[k].dnskey.flags & DNSKEY_FLAG_SEP) != 0)
			look_at_silent(second, timeline, &last->bundle->keys[k],
				wanted, verdict);
}

void second_retire_safety(const struct second *second, struct verdict *verdict)
{
	struct timeline timeline = {0};
	struct err err = ERR_EMPTY;
	int64_t wanted = second->config != NULL
				 ? second->config->ksk_policy.retire_safety
				 : second->response->ksk.retire_safety;

	if (!second_is_on(second_policy(second)->check_keys_retire_safety,
		    "check_keys_retire_safety", verdict))
		return;
	if (!timeline_new(second, &timeline, &err))
		verdict_fail(verdict, "%s", err.text);
	for (size_t at = 0; at < timeline.count; at++)
		if (timeline.moments[at].counts)
			look_at_endings(second, &timeline, at, wanted, verdict);
	look_at_silents(second, &timeline, wanted, verdict);
	free(timeline.moments);
}
