/* SPDX-License-Identifier: ISC */
#include "signer/sign/table.h"

#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/time.h"
#include "lib/cli/hash.h"
#include "lib/hash/sha256.h"
#include "lib/ksr/size.h"

#include <stdlib.h>

/*
 * Which keys of the bundle sign it, and which of its signatures are by keys
 * that are not in it; false without memory.  The caller frees both.
 */
static bool find_signing(
	const struct ksr_bundle *bundle, bool **signing, bool **absent)
{
	const struct ksr_key **signers = NULL;
	struct err ignored = ERR_EMPTY;

	*signing = calloc(bundle->key_count + 1, sizeof(**signing));
	*absent = calloc(bundle->signature_count + 1, sizeof(**absent));
	if (*signing == NULL || *absent == NULL ||
		!ksr_signers(bundle, &signers, &ignored))
		return false;
	for (size_t s = 0; s < bundle->signature_count; s++)
		if (signers[s] != NULL)
			(*signing)[signers[s] - bundle->keys] = true;
		else
			(*absent)[s] = true;
	free(signers);
	return true;
}

/* The tag that the key has, whatever a file says of it. */
static void append_zsk(struct buf *out, const struct ksr_key *key)
{
	buf_format(out, "%s%05u", out->len > 0 ? "," : "",
		dnskey_tag(&key->dnskey));
}

/*
 * A label ends with the bracket that the table puts there, so that none can
 * look like the keys of another row: "KSK1)/S,20326(KSK2".
 */
static void append_label(struct buf *out, const char *label)
{
	buf_u8(out, '(');
	for (; *label != '\0'; label++)
		if (*label == ')')
			buf_text(out, "%29");
		else
			buf_u8(out, (uint8_t)*label);
	buf_text(out, ")/");
}

static void append_ksk(struct buf *out, const struct ksr_key *key, bool signing)
{
	bool revoked = (key->dnskey.flags & DNSKEY_FLAG_REVOKE) != 0;

	buf_format(out, "%s%05u", out->len > 0 ? "," : "",
		dnskey_tag(&key->dnskey));
	append_label(out, key->identifier);
	buf_format(out, "%s%s", revoked ? "R" : "",
		signing   ? "S"
		: revoked ? ""
			  : "P");
}

/* Who signs and is not published: in the order of the signatures. */
static void append_absent(struct buf *out, const struct ksr_signature *sig)
{
	buf_format(out, "%s%05u", out->len > 0 ? "," : "", sig->key_tag);
	append_label(out, sig->identifier);
	buf_text(out, "O");
}

static void show_bundle(struct log *log, size_t number,
	const struct ksr_bundle *bundle, const char *mark)
{
	struct buf zsks = BUF_EMPTY, ksks = BUF_EMPTY;
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
	bool *signing = NULL, *absent = NULL;
	bool known = find_signing(bundle, &signing, &absent);

	time_format(bundle->inception, TIME_BARE, from);
	time_format(bundle->expiration, TIME_BARE, to);
	/* The last of the RRset first, as ceremony transcripts have it. */
	for (size_t k = bundle->key_count; k-- > 0;) {
		const struct ksr_key *key = &bundle->keys[k];

		if ((key->dnskey.flags & DNSKEY_FLAG_SEP) == 0)
			append_zsk(&zsks, key);
		else
			append_ksk(&ksks, key, known && signing[k]);
	}
	for (size_t s = 0; known && s < bundle->signature_count; s++)
		if (absent[s])
			append_absent(&ksks, &bundle->signatures[s]);
	log_say(log, "%-2zu %s %s  %-*s %s%s%s", number, from, to,
		ksks.len > 0 ? 13 : 0, buf_string(&zsks), buf_string(&ksks),
		mark != NULL ? "  " : "", mark != NULL ? mark : "");
	buf_free(&zsks);
	buf_free(&ksks);
	free(signing);
	free(absent);
}

void table_show(struct log *log, const struct ksr *ksr, const char *mark)
{
	log_say(log, "%-2s %-19s %-19s  %-13s %s", "#", "Inception",
		"Expiration", "ZSK Tags", "KSK Tag(CKA_LABEL)");
	for (size_t b = 0; b < ksr->bundle_count; b++)
		show_bundle(log, b + 1, &ksr->bundles[b], mark);
}

/* The bytes of all signatures of a bundle, made or to be made. */
static size_t count_signed(
	const struct ksr_bundle *bundle, const struct ksk_set *ksks)
{
	size_t size = 0;

	for (size_t s = 0; s < bundle->signature_count; s++) {
		const struct ksr_signature *sig = &bundle->signatures[s];
		const struct ksr_key *key = ksr_signature_key(bundle, sig);
		const struct ksk *absent = ksk_by_signature(ksks, sig);

		if (sig->signature.len > 0)
			size += sig->signature.len;
		else if (key != NULL)
			size += size_signature(&key->dnskey);
		else if (absent != NULL)
			size += size_signature(&absent->dnskey);
	}
	return size;
}

static void warn_size(
	struct log *log, size_t number, const char *what, size_t size)
{
	if (size > SIZE_UDP)
		log_warn(log,
			"bundle %zu: the %s answer has %zu bytes, more than the %d that fit into a datagram",
			number, what, size, SIZE_UDP);
}

void table_sizes(struct log *log, const struct ksr *response,
	const struct ksk_set *ksks, bool nxdomain, const char *mark)
{
	for (size_t b = 0; b < response->bundle_count; b++) {
		const struct ksr_bundle *bundle = &response->bundles[b];
		size_t dnskey = size_dnskey(
			bundle, response->domain, count_signed(bundle, ksks));
		size_t denial = size_nxdomain(bundle, response->domain);
		struct buf row = BUF_EMPTY;

		buf_format(&row, "%-2zu DNSKEY %zu bytes", b + 1, dnskey);
		if (nxdomain)
			buf_format(&row, ", NXDOMAIN about %zu bytes", denial);
		if (mark != NULL)
			buf_format(&row, "  %s", mark);
		log_say(log, "%s", buf_string(&row));
		buf_free(&row);
		warn_size(log, b + 1, "DNSKEY", dnskey);
		if (nxdomain)
			warn_size(log, b + 1, "NXDOMAIN", denial);
	}
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
	if (finding->more == 0)
		return;
	if (finding->result == CHECK_FAIL)
		log_error(
			log, "%s: and %zu more", finding->name, finding->more);
	else
		log_warn(log, "%s: and %zu more", finding->name, finding->more);
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
	hex_encode(&text, hash, SHA256_LEN);
	log_say(log, "%s", buf_string(&text));
	buf_clear(&text);
	hash_words(&text, hash);
	log_say(log, "%s", buf_string(&text));
	buf_free(&text);
}
