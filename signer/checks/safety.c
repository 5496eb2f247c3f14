/* SPDX-License-Identifier: ISC */
/*
 * SKR-POLICY-PUBLISH-SAFETY and SKR-POLICY-RETIRE-SAFETY: validators must
 * have seen a key before it signs, and still see it while what it signed is
 * in their caches.  Old and new bundles are one timeline, and every change of
 * signer in it counts, wherever the schema has it.
 *
 * A change of the algorithm cannot keep to that: where an algorithm is
 * published its signatures must be there (RFC 6781 section 4.1.4).  So a slot
 * may state which algorithms begin and end with it.  What makes that safe is
 * another key, which signed before and goes on to sign.
 *
 * Whoever began to sign, in this response or before it, does not sign alone
 * until it was published for PublishSafety; and a key that was revoked never
 * again (RFC 5011 section 2.1).
 */
#include "lib/base/array.h"
#include "lib/base/time.h"
#include "lib/dns/algorithm.h"
#include "signer/checks/catalogue.h"

#include <stdlib.h>

/* The bundles of the response before and of this one, in their order. */
struct timeline {
	const struct ksr_bundle **bundles;
	bool *counts; /* not: an old bundle that no key of ours stands for */
	size_t count;
	size_t first; /* of this response */
};

static void timeline_free(struct timeline *line)
{
	free(line->bundles);
	free(line->counts);
}

static bool timeline_make(const struct check_context *context,
	struct timeline *out, struct err *err)
{
	const struct ksr *old = context->previous, *new = context->response;
	size_t before = old != NULL ? old->bundle_count : 0;

	*out = (struct timeline){
		.count = before + new->bundle_count, .first = before};
	out->bundles = calloc(out->count + 1, sizeof(*out->bundles));
	out->counts = calloc(out->count + 1, sizeof(*out->counts));
	if (out->bundles == NULL || out->counts == NULL)
		return err_nomem(err);
	for (size_t b = 0; b < before; b++)
		out->bundles[b] = &old->bundles[b];
	for (size_t b = 0; b < new->bundle_count; b++) {
		out->bundles[before + b] = &new->bundles[b];
		out->counts[before + b] = true;
	}
	return old == NULL || check_tied(context, out->counts, err);
}

static bool is_revoked(const struct dnskey *dnskey)
{
	return (dnskey->flags & DNSKEY_FLAG_REVOKE) != 0;
}

/* The key in the bundle as a KSK, revoked or not; NULL: it is not there. */
static const struct dnskey *find_public(
	const struct ksr_bundle *bundle, const struct dnskey *dnskey)
{
	for (size_t k = 0; k < bundle->key_count; k++) {
		const struct dnskey *there = &bundle->keys[k].dnskey;

		if ((there->flags & DNSKEY_FLAG_SEP) != 0 &&
			dnskey_same_public(there, dnskey))
			return there;
	}
	return NULL;
}

/* Did it sign this bundle?  In the same form, or now it is revoked. */
static bool has_signed(
	const struct ksr_bundle *bundle, const struct dnskey *dnskey)
{
	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_key *key =
			ksr_signature_key(bundle, &bundle->signatures[s]);

		if (key == NULL)
			continue;
		if (dnskey_compare(&key->dnskey, dnskey) == 0 ||
			(is_revoked(dnskey) &&
				dnskey_same_public(&key->dnskey, dnskey)))
			return true;
	}
	return false;
}

/*
 * Since when the key is published without a gap, up to bundle b, in bundles
 * that count; INT64_MAX where the bundle before b does not have it.
 */
static int64_t published_since(
	const struct timeline *line, size_t b, const struct dnskey *dnskey)
{
	int64_t since = INT64_MAX, next = line->bundles[b]->inception;

	while (b-- > 0) {
		const struct ksr_bundle *bundle = line->bundles[b];

		if (!line->counts[b] || bundle->expiration < next ||
			!ksr_bundle_has(bundle, dnskey))
			break;
		since = next = bundle->inception;
	}
	return since;
}

/*
 * No validator follows a revoked key: that it signs is how its revocation is
 * made known (RFC 5011 section 2.1).  It is enough that it was published at
 * some time, as one that was absent for a bundle or two.
 */
static bool was_ever_published(
	const struct timeline *line, size_t b, const struct dnskey *dnskey)
{
	while (b-- > 0)
		if (line->counts[b] &&
			find_public(line->bundles[b], dnskey) != NULL)
			return true;
	return false;
}

/*
 * Was the key published as revoked before bundle b?  No validator takes it
 * back, however long it is published as if nothing had been.
 */
static bool was_revoked(
	const struct timeline *line, size_t b, const struct dnskey *dnskey)
{
	while (b-- > 0) {
		const struct ksr_bundle *bundle = line->bundles[b];

		for (size_t k = 0; line->counts[b] && k < bundle->key_count;
			k++)
			if (bundle->keys[k].dnskey.flags ==
					DNSKEY_FLAGS_KSK_REVOKED &&
				dnskey_same_public(
					&bundle->keys[k].dnskey, dnskey))
				return true;
	}
	return false;
}

/* What the slot of bundle b states; NULL: nothing. */
static const struct config_slot_algorithms *stated_at(
	const struct check_context *context, const struct timeline *line,
	size_t b)
{
	const struct config_slot *slot =
		b >= line->first ? check_slot(context, b - line->first) : NULL;

	return slot != NULL && slot->algorithms.stated ? &slot->algorithms
						       : NULL;
}

static bool has_ksk_of(const struct ksr_bundle *bundle, uint8_t algorithm)
{
	for (size_t k = 0; k < bundle->key_count; k++)
		if ((bundle->keys[k].dnskey.flags & DNSKEY_FLAG_SEP) != 0 &&
			bundle->keys[k].dnskey.algorithm == algorithm)
			return true;
	return false;
}

/* Does a key that is not revoked sign bundle b and the one before it? */
static bool has_steady_signer(const struct timeline *line, size_t b)
{
	const struct ksr_bundle *bundle = line->bundles[b];

	for (size_t s = 0; line->counts[b - 1] && s < bundle->signature_count;
		s++) {
		const struct ksr_key *key =
			ksr_signature_key(bundle, &bundle->signatures[s]);

		if (key != NULL && key->dnskey.flags == DNSKEY_FLAGS_KSK &&
			has_signed(line->bundles[b - 1], &key->dnskey))
			return true;
	}
	return false;
}

/*
 * Why the key may not begin as the slot states of its algorithm; NULL: it may.
 */
static const char *why_not_begin(
	const struct timeline *line, size_t b, const struct dnskey *dnskey)
{
	if (has_ksk_of(line->bundles[b - 1], dnskey->algorithm))
		return "a KSK of its algorithm is in the bundle before";
	if (!has_steady_signer(line, b))
		return "no other key goes on to sign that signed the bundle before";
	return NULL;
}

/* From which bundle up to b the key is published in all, and all count. */
static size_t first_published(
	const struct timeline *line, size_t b, const struct dnskey *dnskey)
{
	while (b > 0 && line->counts[b - 1] &&
		ksr_bundle_has(line->bundles[b - 1], dnskey))
		b--;
	return b;
}

/* Is it a key that not all validators know, so that it must not sign alone? */
static bool is_on_trial(const struct check_context *context,
	const struct timeline *line, size_t b, const struct dnskey *dnskey)
{
	size_t since = first_published(line, b, dnskey);

	/* What is there from the first bundle on was there before, too. */
	return was_revoked(line, b, dnskey) ||
	       (since > 0 &&
		       line->bundles[b]->inception -
				       line->bundles[since]->inception <
			       context->config->ksk_policy.publish_safety);
}

/* The first signer of bundle b that all validators know; or NULL. */
static const struct ksr_key *known_signer(const struct check_context *context,
	const struct timeline *line, size_t b)
{
	const struct ksr_bundle *bundle = line->bundles[b];

	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_key *key =
			ksr_signature_key(bundle, &bundle->signatures[s]);

		if (key != NULL && key->dnskey.flags == DNSKEY_FLAGS_KSK &&
			!is_on_trial(context, line, b, &key->dnskey))
			return key;
	}
	return NULL;
}

/*
 * Where the bundle before has a signer that all validators know, this one has,
 * too.  A key that begins here has a finding of its own.
 */
static void check_trials(const struct check_context *context,
	const struct timeline *line, size_t b, struct finding *finding)
{
	const struct ksr_bundle *bundle = line->bundles[b];

	if (known_signer(context, line, b) != NULL ||
		known_signer(context, line, b - 1) == NULL)
		return;
	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_key *key =
			ksr_signature_key(bundle, &bundle->signatures[s]);

		if (key == NULL || key->dnskey.flags != DNSKEY_FLAGS_KSK ||
			!has_signed(line->bundles[b - 1], &key->dnskey))
			continue;
		finding_fail(finding,
			"bundle %s is signed by no other key than %s, which signed before and %s",
			bundle->id, key->identifier,
			was_revoked(line, b, &key->dnskey)
				? "was revoked before that"
				: "is not published for PublishSafety yet");
		return;
	}
}

static bool is_published_long(const struct check_context *context,
	const struct timeline *line, size_t b, const struct dnskey *dnskey)
{
	int64_t since = published_since(line, b, dnskey);

	return since != INT64_MAX &&
	       line->bundles[b]->inception - since >=
		       context->config->ksk_policy.publish_safety;
}

static void check_published(const struct check_context *context,
	const struct timeline *line, size_t b, const struct ksr_key *key,
	struct finding *finding)
{
	int64_t needed = context->config->ksk_policy.publish_safety;
	const struct ksr_bundle *bundle = line->bundles[b];
	int64_t since = published_since(line, b, &key->dnskey);
	char text[TIME_DURATION_MAX], from[TIME_TEXT_MAX], now[TIME_TEXT_MAX];

	time_duration_format(needed, text);
	time_format(bundle->inception, TIME_BARE, now);
	time_format(since, TIME_BARE, from);
	if (since == INT64_MAX)
		finding_fail(finding,
			"key %s begins to sign in bundle %s (%s), but was not published in the bundle before",
			key->identifier, bundle->id, now);
	else if (bundle->inception - since < needed)
		finding_fail(finding,
			"key %s begins to sign in bundle %s (%s), but is published only since %s, expected %s before",
			key->identifier, bundle->id, now, from, text);
}

/*
 * A key that begins to sign: as the slot states, where that takes effect, or
 * published before.
 */
static void check_beginner(const struct check_context *context,
	const struct timeline *line, size_t b, const struct ksr_key *key,
	struct finding *finding)
{
	const struct config_slot_algorithms *stated =
		stated_at(context, line, b);
	const char *why;

	if (!is_revoked(&key->dnskey) && was_revoked(line, b, &key->dnskey)) {
		finding_fail(finding,
			"key %s begins to sign in bundle %s, but was revoked before, and no validator takes it back",
			key->identifier, line->bundles[b]->id);
		return;
	}
	if (stated == NULL || is_revoked(&key->dnskey) ||
		!config_numbers_has(&stated->begins, key->dnskey.algorithm)) {
		check_published(context, line, b, key, finding);
		return;
	}
	why = why_not_begin(line, b, &key->dnskey);
	if (why != NULL && !is_published_long(context, line, b, &key->dnskey))
		finding_fail(finding,
			"key %s begins to sign in bundle %s, as algorithms.begins states, but %s",
			key->identifier, line->bundles[b]->id, why);
}

/* Every key that signs a bundle and did not sign the one before it. */
static void check_beginners(const struct check_context *context,
	const struct timeline *line, size_t b, struct finding *finding)
{
	const struct ksr_bundle *bundle = line->bundles[b];

	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_key *key =
			ksr_signature_key(bundle, &bundle->signatures[s]);

		if (key == NULL ||
			has_signed(line->bundles[b - 1], &key->dnskey) ||
			(is_revoked(&key->dnskey) &&
				was_ever_published(line, b, &key->dnskey)))
			continue;
		check_beginner(context, line, b, key, finding);
	}
	check_trials(context, line, b, finding);
}

void check_publish_safety(
	const struct check_context *context, struct finding *finding)
{
	struct timeline line;

	if (timeline_make(context, &line, finding->nomem)) {
		/* Before the first bundle of all there is nothing to see. */
		for (size_t b = line.first > 0 ? line.first : 1; b < line.count;
			b++)
			check_beginners(context, &line, b, finding);
		if (context->previous == NULL)
			finding_note(finding,
				"no previous response: the signers of the first bundle are not compared");
	}
	timeline_free(&line);
}

#define NOT_REVOKED SIZE_MAX

/* A key that has signed, as far as the timeline was looked at. */
struct signer {
	const struct ksr_key *key;
	int64_t expiration; /* of its last signature */
	size_t revoked;     /* since which bundle; or NOT_REVOKED */
	bool withdrawn;     /* its revocation was published for long enough */
	bool gone;
};

struct signers {
	struct signer *list;
	size_t count;
};

/* Is it gone because its algorithm is, as the slot states? */
static bool ends_as_stated(const struct check_context *context,
	const struct timeline *line, size_t b, const struct dnskey *dnskey)
{
	const struct config_slot_algorithms *stated =
		stated_at(context, line, b);

	return stated != NULL && b > 0 &&
	       config_numbers_has(&stated->ends, dnskey->algorithm) &&
	       !has_ksk_of(line->bundles[b], dnskey->algorithm) &&
	       has_steady_signer(line, b);
}

/* The signer is not in bundle b: may it be gone? */
static void check_gone(const struct check_context *context,
	const struct signer *signer, const struct timeline *line, size_t b,
	struct finding *finding)
{
	const struct ksr_bundle *bundle = line->bundles[b];
	int64_t safety = context->config->ksk_policy.retire_safety;
	int64_t until = signer->expiration + safety;
	char text[TIME_TEXT_MAX], begins[TIME_TEXT_MAX];

	if (bundle->inception >= until || signer->withdrawn ||
		ends_as_stated(context, line, b, &signer->key->dnskey))
		return;
	time_format(until, TIME_BARE, text);
	time_format(bundle->inception, TIME_BARE, begins);
	finding_fail(finding,
		"key %s has signed and is gone in bundle %s (%s), expected until %s, or revoked for longer than RetireSafety",
		signer->key->identifier, bundle->id, begins, text);
}

/*
 * The key as it is in bundle b, or not (NULL).  A revocation is what the key
 * signs itself (RFC 5011 section 2.1), and lasts until it is gone: of that,
 * what was published for longer than RetireSafety counts for ever.  One that
 * goes on in the first bundle of all and ends before this response was judged
 * when it ended: since when it was there is not known here.
 */
static void follow_revocation(struct signer *signer,
	const struct timeline *line, size_t b, const struct dnskey *there,
	int64_t safety)
{
	const struct ksr_bundle *bundle = line->bundles[b];

	if (there != NULL && is_revoked(there) && has_signed(bundle, there)) {
		if (signer->revoked == NOT_REVOKED)
			signer->revoked = b;
		return;
	}
	if (signer->revoked != NOT_REVOKED)
		signer->withdrawn |=
			(signer->revoked == 0 && b < line->first) ||
			bundle->inception - line->bundles[signer->revoked]
						    ->inception >
				safety;
	signer->revoked = NOT_REVOKED;
}

/* Who of the signers is in the bundle, and how. */
static void follow_signers(const struct check_context *context,
	struct signers *signers, const struct timeline *line, size_t b,
	struct finding *finding)
{
	const struct ksr_bundle *bundle = line->bundles[b];
	bool judged = b >= line->first;

	for (size_t i = 0; i < signers->count; i++) {
		struct signer *signer = &signers->list[i];
		const struct dnskey *there =
			line->counts[b]
				? find_public(bundle, &signer->key->dnskey)
				: NULL;

		follow_revocation(signer, line, b, there,
			context->config->ksk_policy.retire_safety);
		if (there == NULL && judged && !signer->gone)
			check_gone(context, signer, line, b, finding);
		/* What was gone before is judged where judging begins. */
		signer->gone = judged && there == NULL;
	}
}

static struct signer *find_signer(
	const struct signers *signers, const struct dnskey *dnskey)
{
	for (size_t i = 0; i < signers->count; i++)
		if (dnskey_same_public(&signers->list[i].key->dnskey, dnskey))
			return &signers->list[i];
	return NULL;
}

static void add_signers(struct signers *signers, const struct timeline *line,
	size_t b, struct finding *finding)
{
	const struct ksr_bundle *bundle = line->bundles[b];

	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_key *key =
			ksr_signature_key(bundle, &bundle->signatures[s]);
		struct signer *signer;

		if (key == NULL || (key->dnskey.flags & DNSKEY_FLAG_SEP) == 0)
			continue;
		signer = find_signer(signers, &key->dnskey);
		if (signer == NULL) {
			signer = array_grow(&signers->list, &signers->count,
				sizeof(*signer), finding->nomem);
			if (signer == NULL)
				return;
			signer->key = key;
			signer->revoked =
				is_revoked(&key->dnskey) ? b : NOT_REVOKED;
		}
		if (bundle->expiration > signer->expiration)
			signer->expiration = bundle->expiration;
	}
}

/*
 * The key is in the last old bundle and has no signature there: since one can
 * be removed where there is another, nothing shows that it had none.
 */
static void warn_gone(const struct check_context *context,
	const struct timeline *line, const struct ksr_key *key,
	struct finding *finding)
{
	int64_t until = line->bundles[line->first - 1]->expiration +
			context->config->ksk_policy.retire_safety;
	char text[TIME_TEXT_MAX];
	size_t b = line->first;

	while (b < line->count &&
		find_public(line->bundles[b], &key->dnskey) != NULL)
		b++;
	if (b == line->count || line->bundles[b]->inception >= until)
		return;
	time_format(until, TIME_BARE, text);
	finding_warn(finding,
		"key %s does not sign the previous response's last bundle, and is gone in bundle %s; had it signed there, it would have to stay until %s",
		key->identifier, line->bundles[b]->id, text);
}

/* What was gone before is judged where it went. */
static void warn_of_silent(const struct check_context *context,
	const struct timeline *line, const struct signers *signers,
	struct finding *finding)
{
	const struct ksr_bundle *last;

	if (line->first == 0 || !line->counts[line->first - 1])
		return;
	last = line->bundles[line->first - 1];
	for (size_t k = 0; k < last->key_count; k++) {
		const struct dnskey *dnskey = &last->keys[k].dnskey;
		const struct signer *signer = find_signer(signers, dnskey);

		if ((dnskey->flags & DNSKEY_FLAG_SEP) != 0 &&
			(signer == NULL ||
				signer->expiration < last->expiration))
			warn_gone(context, line, &last->keys[k], finding);
	}
}

void check_retire_safety(
	const struct check_context *context, struct finding *finding)
{
	struct signers signers = {0};
	struct timeline line;

	if (timeline_make(context, &line, finding->nomem)) {
		for (size_t b = 0; b < line.count; b++) {
			follow_signers(context, &signers, &line, b, finding);
			if (line.counts[b])
				add_signers(&signers, &line, b, finding);
		}
		warn_of_silent(context, &line, &signers, finding);
	}
	free(signers.list);
	timeline_free(&line);
}
