/* SPDX-License-Identifier: ISC */
#include "show/table.h"

#include "base/hex.h"
#include "base/time.h"
#include "crypto/crypto.h"
#include "show/words.h"

static bool signs(const struct ksr_bundle *bundle, const struct ksr_key *key)
{
	for (size_t s = 0; s < bundle->signature_count; s++)
		if (ksr_signature_key(bundle, &bundle->signatures[s]) == key)
			return true;
	return false;
}

static void append_zsk(struct buf *out, const struct ksr_key *key)
{
	buf_format(out, "%s%05u", out->len > 0 ? "," : "", key->tag);
}

static void append_ksk(struct buf *out, const struct ksr_bundle *bundle,
	const struct ksr_key *key)
{
	bool revoked = (key->dnskey.flags & DNSKEY_FLAG_REVOKE) != 0;
	bool signing = signs(bundle, key);

	buf_format(out, "%s%05u(%s)/", out->len > 0 ? "," : "", key->tag,
		key->identifier);
	buf_format(out, "%s%s", revoked ? "R" : "",
		signing   ? "S"
		: revoked ? ""
			  : "P");
}

static void show_bundle(
	struct log *log, size_t number, const struct ksr_bundle *bundle)
{
	struct buf zsks = BUF_EMPTY, ksks = BUF_EMPTY;
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];

	time_format(bundle->inception, TIME_BARE, from);
	time_format(bundle->expiration, TIME_BARE, to);
	/* The last of the RRset first, as ceremony transcripts have it. */
	for (size_t k = bundle->key_count; k-- > 0;) {
		const struct ksr_key *key = &bundle->keys[k];

		if ((key->dnskey.flags & DNSKEY_FLAG_SEP) == 0)
			append_zsk(&zsks, key);
		else
			append_ksk(&ksks, bundle, key);
	}
	log_say(log, "%-2zu %s %s  %-*s %s", number, from, to,
		ksks.len > 0 ? 13 : 0, buf_string(&zsks), buf_string(&ksks));
	buf_free(&zsks);
	buf_free(&ksks);
}

void table_show(struct log *log, const struct ksr *ksr)
{
	log_say(log, "%-2s %-19s %-19s  %-13s %s", "#", "Inception",
		"Expiration", "ZSK Tags", "KSK Tag(CKA_LABEL)");
	for (size_t b = 0; b < ksr->bundle_count; b++)
		show_bundle(log, b + 1, &ksr->bundles[b]);
}

static void show_line(
	struct log *log, const char *name, const struct check_line *line)
{
	switch (line->kind) {
	case CHECK_LINE_FAIL:
		log_error(log, "%s: %s", name, line->text);
		break;
	case CHECK_LINE_WARNING:
		log_warn(log, "%s: %s", name, line->text);
		break;
	case CHECK_LINE_NOTE:
		break;
	}
}

static void show_finding(struct log *log, const struct finding *finding)
{
	const char *note = NULL;

	for (size_t i = 0; note == NULL && i < finding->count; i++)
		if (finding->lines[i].kind == CHECK_LINE_NOTE)
			note = finding->lines[i].text;
	log_say(log, "%s %s%s%s%s", check_result_name(finding->result),
		finding->name, note != NULL ? " (" : "",
		note != NULL ? note : "", note != NULL ? ")" : "");
	for (size_t i = 0; i < finding->count; i++)
		show_line(log, finding->name, &finding->lines[i]);
	if (finding->more > 0)
		log_error(
			log, "%s: and %zu more", finding->name, finding->more);
}

void table_findings(struct log *log, const struct report *report, size_t first)
{
	for (size_t i = first; i < report->count; i++)
		show_finding(log, &report->findings[i]);
}

void table_hash(struct log *log, const char *what, const uint8_t hash[32])
{
	struct buf text = BUF_EMPTY;

	log_say(log, "SHA256 hash of %s:", what);
	hex_encode(&text, hash, CRYPTO_SHA256_LEN);
	log_say(log, "%s", buf_string(&text));
	buf_clear(&text);
	words_write(&text, hash, CRYPTO_SHA256_LEN, 0);
	log_say(log, ">> %s <<", buf_string(&text));
	buf_free(&text);
}
