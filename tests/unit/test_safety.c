/* SPDX-License-Identifier: ISC */
/*
 * Shows: PUBLISH-SAFETY and RETIRE-SAFETY hold over the old and the new
 * response as one timeline, at every change of signer in it, and an earlier
 * bundle counts only where it hangs on a key of the HSM.  Matters: the root's
 * own rollover changes the signer in the second bundle, where no validator
 * follows a key that it has never seen.
 *
 * A response is written as its bundles, ten days apart and 21 days valid, with
 * a bar between them: "a:s b:p | a:rs b:s" is a bundle signed by a with b
 * published, then one in which a is revoked and both sign.  Keys in capitals
 * are of another algorithm, and "X:o" signs without being published.
 */
#include "unit.h"

#include "lib/base/array.h"
#include "lib/base/time.h"
#include "lib/ksr/ksr.h"
#include "signer/checks/catalogue.h"

#define START INT64_C(1893456000) /* 2030-01-01 */

static uint8_t algorithm_of(const char *name)
{
	return *name < 'a' ? 13 : 8;
}

static void add_signature(
	struct ksr_bundle *bundle, const char *name, uint16_t tag)
{
	struct err err = ERR_EMPTY;
	struct ksr_signature *sig = array_grow(&bundle->signatures,
		&bundle->signature_count, sizeof(*sig), &err);

	sig->identifier = strdup(name);
	sig->algorithm = algorithm_of(name);
	sig->key_tag = tag;
	sig->inception = bundle->inception;
	sig->expiration = bundle->expiration;
}

static void add_key(
	struct ksr_bundle *bundle, const char *name, const char *use)
{
	bool revoked = strchr(use, 'r') != NULL;
	struct err err = ERR_EMPTY;
	struct ksr_key *key;

	if (strchr(use, 'o') != NULL) {
		add_signature(bundle, name, 1);
		return;
	}
	key = array_grow(&bundle->keys, &bundle->key_count, sizeof(*key), &err);

	key->identifier = strdup(name);
	key->dnskey.flags =
		revoked ? DNSKEY_FLAGS_KSK_REVOKED : DNSKEY_FLAGS_KSK;
	if (strchr(use, 'z') != NULL)
		key->dnskey.flags = DNSKEY_FLAGS_ZSK;
	key->dnskey.protocol = 3;
	key->dnskey.algorithm = algorithm_of(name);
	buf_text(&key->dnskey.public_key, "the public key of ");
	buf_text(&key->dnskey.public_key, name);
	key->tag = dnskey_tag(&key->dnskey);
	if (strchr(use, 's') != NULL)
		add_signature(bundle, name, key->tag);
}

static struct ksr *make(const char *text, int64_t start)
{
	struct ksr *ksr = calloc(1, sizeof(*ksr));
	struct err err = ERR_EMPTY;
	char *copy = strdup(text), *rest = copy, *part;

	for (int64_t b = 0; (part = strsep(&rest, "|")) != NULL; b++) {
		struct ksr_bundle *bundle = array_grow(&ksr->bundles,
			&ksr->bundle_count, sizeof(*bundle), &err);
		char *word;

		bundle->id = strdup("bundle");
		bundle->inception = start + b * 10 * TIME_DAY;
		bundle->expiration = bundle->inception + 21 * TIME_DAY;
		while ((word = strsep(&part, " ")) != NULL)
			if (*word != '\0') {
				char *use = strchr(word, ':');

				*use++ = '\0';
				add_key(bundle, word, use);
			}
	}
	free(copy);
	return ksr;
}

/* Any non-NULL pointer: the checks only ask whether the HSM has the key. */
#define IN_HSM ((const struct token_key *)(const void *)"")

struct story {
	struct config config;
	struct ksk_set hsm;
	struct check_context context;
	struct ksr *old, *new;
};

/* hsm: the keys of the HSM, in a row; those of one letter. */
static void story_begin(struct story *s, const char *old, const char *new,
	const char *hsm, unsigned publish, unsigned retire)
{
	struct err err = ERR_EMPTY;

	*s = (struct story){.hsm = KSK_SET_EMPTY};
	s->config.ksk_policy.publish_safety = publish * TIME_DAY;
	s->config.ksk_policy.retire_safety = retire * TIME_DAY;
	s->config.request_policy.check_chain_keys_in_hsm = hsm != NULL;
	/* SKR-SIGNATURES has looked: here nothing is really signed. */
	s->config.response_policy.validate_signatures = true;
	s->config.request_policy.check_keys_publish_safety = true;
	s->config.request_policy.check_keys_retire_safety = true;
	s->new = make(new, START);
	if (old != NULL) {
		s->old = make(old, 0);
		for (size_t b = 0; b < s->old->bundle_count; b++) {
			struct ksr_bundle *bundle = &s->old->bundles[b];

			bundle->inception =
				START -
				((int64_t)s->old->bundle_count - (int64_t)b) *
					10 * TIME_DAY;
			bundle->expiration = bundle->inception + 21 * TIME_DAY;
		}
	}
	for (; hsm != NULL && *hsm != '\0'; hsm++) {
		const char name[] = {*hsm, '\0'};
		struct ksr_bundle bundle = {.key_count = 0};

		add_key(&bundle, name, "p");
		assert_true(ksk_set_add(&s->hsm, strdup(name), NULL, IN_HSM,
			&bundle.keys[0].dnskey, &err));
		ksr_bundle_clear(&bundle);
		free(bundle.keys);
	}
	s->context = (struct check_context){.config = &s->config,
		.previous = s->old,
		.response = s->new,
		.previous_ksks = &s->hsm};
}

static void story_end(struct story *s)
{
	for (size_t i = 0; i < s->hsm.count; i++)
		free((char *)(uintptr_t)s->hsm.keys[i].label);
	ksk_set_clear(&s->hsm);
	ksr_free(s->old);
	ksr_free(s->new);
}

static bool passes(const struct story *s, check_function *check, char *why)
{
	struct err nomem = ERR_EMPTY;
	struct finding finding = {.nomem = &nomem, .result = CHECK_PASS};

	check(&s->context, &finding);
	why[0] = '\0';
	for (size_t i = 0; i < finding.count; i++) {
		if (finding.lines[i].kind == CHECK_LINE_FAIL)
			snprintf(why, 300, "%s", finding.lines[i].text);
		free(finding.lines[i].text);
	}
	free(finding.lines);
	return finding.result == CHECK_PASS;
}

#define OLD9 "a:s|a:s|a:s|a:s|a:s|a:s|a:s|a:s|a:s"
#define OLD_PRE                                                                \
	"a:s|a:s b:p|a:s b:p|a:s b:p|a:s b:p|a:s b:p|a:s b:p|a:s b:p|a:s b:p"
#define OLD_ROLLED                                                             \
	"a:s b:p|b:s a:p|b:s a:p|b:s a:p|b:s a:p|b:s a:p|b:s a:p|b:s a:p|b:s a:p"
#define NEW_ROLL                                                               \
	"a:s b:p|b:s a:p|b:s a:p|b:s a:p|b:s a:p|b:s a:p|b:s a:p|b:s a:p|b:s a:p"
#define NEW_REVOKE                                                             \
	"b:s a:p|b:s a:rs|b:s a:rs|b:s a:rs|b:s a:rs|b:s a:rs|b:s a:rs|b:s a:rs|b:s"

static const struct {
	const char *what, *old, *new, *hsm;
	unsigned publish, retire; /* days */
	bool published, retired;  /* what must pass */
} stories[] = {
	/* The root's own way. */
	{"normal", OLD9, OLD9, "a", 10, 10, true, true},
	{"pre-publish", OLD9, OLD_PRE, "a", 10, 10, true, true},
	{"rollover", OLD_PRE, NEW_ROLL, "a", 10, 10, true, true},
	{"rollover, 90 days", OLD_PRE, NEW_ROLL, "a", 90, 10, true, true},
	{"rollover, 91 days", OLD_PRE, NEW_ROLL, "a", 91, 10, false, true},
	{"revoke", OLD_ROLLED, NEW_REVOKE, "b", 10, 10, true, true},
	{"without a response before", NULL, OLD9, "", 10, 10, true, true},
	/* A change of signer, wherever it is. */
	{"unseen in bundle 1", OLD9, "b:s a:p|b:s a:p", "a", 10, 10, false,
		true},
	{"unseen in bundle 2", OLD9, "a:s|b:s a:p|b:s a:p", "a", 10, 10, false,
		true},
	{"unseen in bundle 2, for no time at all", OLD9, "a:s|b:s a:p", "a", 0,
		10, false, true},
	{"seen ten days", OLD9, "a:s b:p|b:s a:p", "a", 10, 10, true, true},
	{"seen ten days of eleven", OLD9, "a:s b:p|b:s a:p", "a", 11, 10, false,
		true},
	{"unseen in the last bundle", OLD9, "a:s|a:s|a:s|a:s b:s", "a", 10, 10,
		false, true},
	{"a second signer beside the first", OLD9, "a:s b:p|a:s b:s", "a", 10,
		10, true, true},
	{"seen with a gap", OLD_PRE, "a:s|a:s b:p|b:s a:p", "a", 20, 10, false,
		true},
	{"seen revoked, signs as if it were not", OLD9,
		"a:s b:r|a:s b:r|b:s a:p", "a", 10, 10, false, true},
	{"signed revoked, then as if it were not", "a:s b:rs|a:s b:rs|a:s b:rs",
		"b:s a:p|b:s a:p", "ab", 10, 10, false, true},
	{"signs first in revoked form, and was seen", OLD_PRE,
		"a:s b:rs|a:s b:rs|a:s b:rs", "a", 10, 10, true, true},
	{"revoked once more after a pause (revoke+)",
		"b:s a:p|b:s a:rs|b:s a:rs|b:s a:rs|b:s", "b:s|b:s a:rs|b:s",
		"b", 10, 10, true, true},
	{"revoked, and never seen before", OLD9, "a:s|a:s b:rs|a:s", "a", 10,
		10, false, false},
	{"back after a pause of signing", OLD_ROLLED, "a:s b:p|a:s b:p", "b",
		10, 10, true, true},
	{"seen as a ZSK alone", OLD9, "a:s b:z|b:s a:p", "a", 10, 10, false,
		true},
	{"without a response before, in bundle 2", NULL, "a:s|b:s a:p", "", 10,
		10, false, true},
	/* A key that was revoked does not come back (RFC 5011 section 2.1). */
	{"revoked before, published for long, signs alone",
		"a:s b:rs|a:s b:rs|a:s b:rs", "a:s b:p|a:s b:p|b:s a:p", "ab",
		10, 10, false, true},
	{"the same beside another", "a:s b:rs|a:s b:rs",
		"a:s b:p|a:s b:p|b:s a:s", "ab", 10, 10, false, true},
	{"revoked within the quarter, and back", OLD_PRE,
		"a:s b:rs|a:s b:p|a:s b:p|b:s a:p", "a", 10, 10, false, true},
	{"revoked, and back as one that is published alone",
		"a:s b:rs|a:s b:rs", "a:s b:p|a:s b:p", "ab", 10, 10, true,
		true},
	{"back before, and alone from now on", "a:s b:rs|a:s b:s|a:s b:s",
		"b:s a:p|b:s a:p", "ab", 10, 10, false, true},
	{"revoked in a stranger's bundle", "m:s b:r|a:s b:p|a:s b:p|a:s b:p",
		"b:s a:p|b:s a:p", "a", 10, 10, true, true},
	/* Who began too early in the response before is not alone now. */
	{"began before, alone too early", "a:s|a:s|a:s b:s", "b:s a:p|b:s a:p",
		"ab", 30, 10, false, true},
	{"began before, and not alone", "a:s|a:s|a:s b:s", "b:s a:s|b:s a:s",
		"ab", 30, 10, true, true},
	{"began before, alone when it is known", "a:s|a:s b:s|a:s b:s",
		"a:s b:s|b:s a:p", "ab", 30, 10, true, true},
	{"the same one bundle too early", "a:s|a:s b:s|a:s b:s",
		"b:s a:p|b:s a:p", "ab", 30, 10, false, true},
	{"alone before already, and goes on", "a:s b:p|a:s b:p|b:s a:p",
		"b:s a:p|b:s a:p", "b", 90, 10, true, true},
	{"alone before already, published since then", "a:s|a:s b:p|b:s a:p",
		"b:s a:p|b:s a:p", "b", 90, 10, true, true},
	/* What is gone too early. */
	{"gone in bundle 1", OLD_PRE, "b:s|b:s", "a", 10, 10, true, false},
	{"gone in bundle 2", OLD_PRE, "b:s a:p|b:s", "a", 10, 10, true, false},
	{"gone at the end of its time", OLD_PRE, "b:s a:p|b:s a:p|b:s a:p|b:s",
		"a", 10, 10, true, true},
	{"gone before the end of a longer one", OLD_PRE,
		"b:s a:p|b:s a:p|b:s a:p|b:s", "a", 10, 28, true, false},
	{"revoked in bundle 1 and gone in bundle 2", OLD_PRE, "a:rs b:s|b:s",
		"a", 10, 10, true, false},
	{"revoked one bundle alone, long after it signed", OLD_ROLLED,
		"b:s a:rs|b:s", "b", 10, 10, true, false},
	{"revoked for two bundles", OLD_PRE, "a:rs b:s|a:rs b:s|b:s", "a", 10,
		10, true, true},
	{"revoked for two bundles, 28 days wanted", OLD_PRE,
		"a:rs b:s|a:rs b:s|b:s", "a", 10, 28, true, false},
	{"revoked before, for ten days, and gone",
		"a:s b:s|a:s b:s|a:s b:rs|a:s", "a:s|a:s", "ab", 10, 19, true,
		false},
	{"revoked before, for twenty days, and gone",
		"a:s b:s|a:s b:rs|a:s b:rs|a:s", "a:s|a:s", "ab", 10, 19, true,
		true},
	{"revoked before all that is known, and gone before",
		"a:s b:rs|a:s|a:s", "a:s|a:s", "ab", 10, 40, true, true},
	{"revoked before all that is known, and gone now", "a:s b:rs",
		"a:s|a:s", "ab", 10, 10, true, false},
	{"revoked for long in the bundles of a stranger",
		"m:s b:rs|m:s b:rs|a:s b:rs", "a:s|a:s", "ab", 10, 19, true,
		false},
	{"revoked for long, where the HSM is not asked",
		"m:s b:rs|m:s b:rs|a:s b:rs", "a:s|a:s", NULL, 10, 19, true,
		false},
	{"published as revoked, and does not say so itself",
		"a:s b:s|a:s b:r|a:s b:r|a:s b:r", "a:s|a:s", "ab", 10, 25,
		true, false},
	{"a signer of an earlier bundle, gone now", "a:s b:p|a:s b:p|b:s a:p",
		"b:s|b:s", "b", 10, 10, true, false},
	{"gone and back", OLD9, "a:s b:p|b:s|b:s a:p", "a", 10, 10, true,
		false},
	{"signs once within the quarter and is gone", OLD_PRE,
		"a:s b:p|a:s b:s|a:s", "a", 10, 10, true, false},
	/* What an earlier bundle says counts where a key of ours signed it. */
	{"published by bundles of a stranger", "a:s|m:s b:p|m:s b:p|a:s b:p",
		"a:s b:p|b:s a:p", "a", 30, 10, false, true},
	{"published by bundles that a key hands on",
		"c:s a:p b:p|c:s a:p b:p|c:s a:s b:p|a:s b:p c:p",
		"a:s b:p c:p|b:s a:p c:p", "a", 40, 10, true, true},
	{"the same without the hand", "c:s b:p|c:s b:p|a:s b:p|a:s b:p",
		"a:s b:p c:p|b:s a:p c:p", "a", 40, 10, false, true},
};

static void each_story_ends_as_it_must(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(*stories); i++) {
		char why_published[300], why_retired[300];
		struct story s;
		bool published, retired;

		story_begin(&s, stories[i].old, stories[i].new, stories[i].hsm,
			stories[i].publish, stories[i].retire);
		published = passes(&s, check_publish_safety, why_published);
		retired = passes(&s, check_retire_safety, why_retired);
		story_end(&s);
		if (published == stories[i].published &&
			retired == stories[i].retired)
			continue;
		print_error("%s: published %d (%s), retired %d (%s)\n",
			stories[i].what, published, why_published, retired,
			why_retired);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

#define BOTH3 "a:s B:s|a:s B:s|a:s B:s"

/*
 * What the slots state, in a row: b and B, that the algorithm of such keys
 * begins, e and E, that it ends, and - nothing.
 */
static const struct {
	const char *what, *old, *new, *hsm, *stated;
	unsigned publish, retire;
	bool published, retired;
} rolls[] = {
	{"begins as stated", OLD9, "a:s|a:s B:s", "a", "-B", 10, 10, true,
		true},
	{"begins in the first bundle", OLD9, BOTH3, "a", "B--", 10, 10, true,
		true},
	{"begins, and no slot states it", OLD9, "a:s|a:s B:s", "a", "--", 10,
		10, false, true},
	{"another slot states it", OLD9, "a:s|a:s B:s", "a", "B-", 10, 10,
		false, true},
	{"another algorithm is stated", OLD9, "a:s|a:s B:s", "a", "-b", 10, 10,
		false, true},
	{"signed before without being published", OLD9,
		"a:s B:o|a:s B:o|a:s B:s", "a", "---", 10, 10, false, true},
	{"the same, and stated", OLD9, "a:s B:o|a:s B:o|a:s B:s", "a", "--B",
		10, 10, true, true},
	{"not new: another key of it is there", OLD9, "a:s B:s|a:s B:s C:s",
		"a", "BB", 10, 10, false, true},
	{"not new: the old algorithm's key", OLD9, "a:s|a:s c:s", "a", "-b", 10,
		10, false, true},
	{"not new, and published for long enough", "a:s B:p|a:s B:p",
		"a:s B:s|a:s B:s", "a", "B-", 10, 10, true, true},
	{"nobody leads over", OLD9, "a:s|B:s", "a", "-B", 10, 10, false, false},
	{"a revoked key leads over", OLD9, "a:s|a:rs B:s", "a", "-B", 10, 10,
		false, true},
	{"revoked as it begins", OLD9, "a:s|a:s B:rs", "a", "-B", 10, 10, false,
		true},
	/* A new key is not the only one before it was seen for long enough. */
	{"alone after ten days", OLD9, "a:s B:s|B:s a:p", "a", "B-", 10, 10,
		true, true},
	{"alone after ten days of eleven", OLD9, "a:s B:s|B:s a:p", "a", "B-",
		11, 10, false, true},
	{"alone after twenty days of eleven", OLD9, "a:s B:s|a:s B:s|B:s a:p",
		"a", "B--", 11, 10, true, true},
	{"alone in the next quarter, too early", "a:s|a:s|a:s B:s",
		"B:s a:p|B:s a:p", "aB", "--", 11, 10, false, true},
	{"alone in the next quarter, as it may be", "a:s|a:s B:s|a:s B:s",
		"B:s a:p|B:s a:p", "aB", "--", 11, 10, true, true},
	/* The end of an algorithm, forward and back. */
	{"ends as stated", BOTH3, "a:s B:s|B:s", "aB", "-e", 10, 10, true,
		true},
	{"ends, and no slot states it", BOTH3, "a:s B:s|B:s", "aB", "--", 10,
		10, true, false},
	{"backed out of", BOTH3, "a:s B:s|a:s", "aB", "-E", 10, 10, true, true},
	{"backed out of at once", BOTH3, "a:s|a:s", "aB", "E-", 10, 10, true,
		true},
	{"backed out of, and no slot states it", BOTH3, "a:s|a:s", "aB", "--",
		10, 10, true, false},
	{"signs without being published to the end", BOTH3, "a:o B:s|B:s", "aB",
		"e-", 10, 10, true, true},
	{"only one of two keys is gone", "a:s c:s B:s|a:s c:s B:s",
		"c:s B:s|c:s B:s", "acB", "e-", 10, 10, true, false},
	{"nobody leads over to the end", BOTH3, "a:s B:s C:p|C:s", "aB", "-e",
		10, 10, true, false},
	{"gone before this quarter, and stated again", "a:s B:s|a:s B:s|B:s",
		"B:s|B:s", "B", "e-", 10, 10, true, true},
	{"gone before this quarter", "a:s B:s|a:s B:s|B:s", "B:s|B:s", "B",
		"--", 10, 10, true, false},
};

static uint32_t old_algorithm[] = {8}, new_algorithm[] = {13};

static void state_slot(struct config_slot_algorithms *out, char what)
{
	struct config_numbers list = {
		what < 'a' ? new_algorithm : old_algorithm, 1};

	out->stated = what != '-';
	if (what == 'b' || what == 'B')
		out->begins = list;
	if (what == 'e' || what == 'E')
		out->ends = list;
}

static void each_roll_ends_as_it_must(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rolls) / sizeof(*rolls); i++) {
		char why_published[300], why_retired[300];
		struct config_slot slots[3] = {{.number = 1}};
		struct config_schema schema = {.slots = slots};
		struct story s;
		bool published, retired;

		story_begin(&s, rolls[i].old, rolls[i].new, rolls[i].hsm,
			rolls[i].publish, rolls[i].retire);
		schema.slot_count = strlen(rolls[i].stated);
		assert_int_equal(schema.slot_count, s.new->bundle_count);
		for (size_t b = 0; b < schema.slot_count; b++)
			state_slot(&slots[b].algorithms, rolls[i].stated[b]);
		s.context.schema = &schema;
		published = passes(&s, check_publish_safety, why_published);
		retired = passes(&s, check_retire_safety, why_retired);
		story_end(&s);
		if (published == rolls[i].published &&
			retired == rolls[i].retired)
			continue;
		print_error("%s: published %d (%s), retired %d (%s)\n",
			rolls[i].what, published, why_published, retired,
			why_retired);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* KSR-CHAIN-KEYS-HSM names the bundle that hangs on nothing. */
static void stranger_in_an_earlier_bundle_is_found(void **state)
{
	static const struct {
		const char *old;
		bool tied[4];
	} cases[] = {
		{"a:s|a:s|a:s|a:s", {true, true, true, true}},
		{"a:s|m:s a:p|a:s|a:s", {true, false, true, true}},
		{"m:s|a:s|a:s|a:s", {false, true, true, true}},
		{"c:s|c:s|c:p a:s|a:s", {true, true, true, true}},
		{"c:s|c:s|a:s|c:s a:s", {true, true, true, true}},
		{"c:s|a:s|a:s|a:s", {false, true, true, true}},
		/* A ZSK that signs ties nothing. */
		{"a:zs|a:s|a:s|a:s", {false, true, true, true}},
		/* Neither does a ZSK that is published. */
		{"c:s|a:s c:z|a:s|a:s", {false, true, true, true}},
		{"a:rs|a:s|a:s|a:s", {true, true, true, true}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool tied[4] = {false};
		struct err err = ERR_EMPTY;
		struct story s;

		story_begin(&s, cases[i].old, "a:s", "a", 10, 10);
		assert_true(check_tied(&s.context, tied, &err));
		for (size_t b = 0; b < 4; b++)
			if (tied[b] != cases[i].tied[b])
				fail_msg("%s: bundle %zu", cases[i].old, b);
		story_end(&s);
	}
}

/* Where SKR-SIGNATURES is switched off, what does not verify ties nothing. */
static void what_does_not_verify_ties_nothing(void **state)
{
	bool tied[3] = {false};
	struct err err = ERR_EMPTY;
	struct story s;

	(void)state;
	story_begin(&s, "a:s|a:s|a:s", "a:s", "a", 10, 10);
	s.config.response_policy.validate_signatures = false;
	assert_true(check_tied(&s.context, tied, &err));
	assert_false(tied[0] || tied[1] || tied[2]);
	story_end(&s);
}

/* Where the HSM is not asked, the last bundle's signers stand for the rest. */
static void without_the_hsm_the_last_bundle_stands(void **state)
{
	char why[300];
	struct story s;

	(void)state;
	story_begin(&s, OLD_PRE, NEW_ROLL, NULL, 90, 10);
	assert_true(passes(&s, check_publish_safety, why));
	story_end(&s);
	story_begin(&s, "a:s|m:s b:p|m:s b:p|a:s b:p", "a:s b:p|b:s a:p", NULL,
		30, 10);
	assert_false(passes(&s, check_publish_safety, why));
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_story_ends_as_it_must),
		cmocka_unit_test(each_roll_ends_as_it_must),
		cmocka_unit_test(stranger_in_an_earlier_bundle_is_found),
		cmocka_unit_test(what_does_not_verify_ties_nothing),
		cmocka_unit_test(without_the_hsm_the_last_bundle_stands),
	};

	return cmocka_run_group_tests_name("safety", tests, NULL, NULL);
}
