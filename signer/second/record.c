/* SPDX-License-Identifier: ISC */
/*
 * POST-LOG: what the transcript says of the files must be what they are.
 *
 * Lines are "TIME: [LEVEL] TEXT".  Inputs are recorded as "KSR PATH SHA-256
 * HEX", the result as "SHA256 hash of SKR:" and HEX on the line after it; a
 * log of several quarters has several of these.  Bundles are shown as rows of a
 * table, which are made here anew.
 */
#include "base/hex.h"
#include "base/text.h"
#include "base/time.h"
#include "second/second.h"

#include <stdlib.h>
#include <string.h>

/* The log, cut into lines; the texts without time and level. */
struct record {
	char *copy;
	char **levels; /* both borrow from the copy */
	char **texts;
	size_t count;
};

static void record_clear(struct record *record)
{
	free(record->copy);
	free(record->levels);
	free(record->texts);
}

/* Cut "TIME: [LEVEL] TEXT" at its places; false for another line. */
static bool cut_line(char *line, char **level, char **text)
{
	char *open = strstr(line, ": ["), *close;

	if (open == NULL)
		return false;
	close = strchr(open, ']');
	if (close == NULL || close[1] != ' ')
		return false;
	*close = '\0';
	*level = open + 3;
	*text = close + 2;
	return true;
}

static bool record_cut(
	const struct buf *log, struct record *out, struct verdict *verdict)
{
	size_t lines = 1;
	char *rest, *line;

	for (size_t i = 0; i < log->len; i++)
		lines += log->data[i] == '\n';
	if (log->len > 0 && memchr(log->data, '\0', log->len) != NULL)
		verdict_fail(verdict, "there is a NUL in it");
	out->copy =
		strndup(log->len > 0 ? (const char *)log->data : "", log->len);
	out->levels = calloc(lines, sizeof(*out->levels));
	out->texts = calloc(lines, sizeof(*out->texts));
	if (out->copy == NULL || out->levels == NULL || out->texts == NULL) {
		verdict->nomem = true;
		return false;
	}
	rest = out->copy;
	for (size_t n = 1; (line = strsep(&rest, "\n")) != NULL; n++) {
		if (*line == '\0')
			continue;
		if (!cut_line(line, &out->levels[out->count],
			    &out->texts[out->count]))
			verdict_fail(verdict,
				"line %zu is not \"TIME: [LEVEL] TEXT\"", n);
		else
			out->count++;
	}
	return true;
}

static void to_hex(const uint8_t *hash, char out[2 * CRYPTO_SHA256_LEN + 1])
{
	struct buf text = BUF_EMPTY;

	hex_encode(&text, hash, CRYPTO_SHA256_LEN);
	memset(out, 0, 2 * CRYPTO_SHA256_LEN + 1);
	memcpy(out, buf_string(&text), text.len);
	buf_free(&text);
}

/* Is there "WHAT ... SHA-256 HEX"? */
static bool has_input(
	const struct record *record, const char *what, const char *hex)
{
	static const char mark[] = " SHA-256 ";
	size_t len = strlen(what);

	for (size_t i = 0; i < record->count; i++) {
		const char *text = record->texts[i], *last = NULL, *p = text;

		if (strncmp(text, what, len) != 0 || text[len] != ' ')
			continue;
		/* The path may hold the mark, too. */
		while ((p = strstr(p, mark)) != NULL)
			last = p++;
		if (last != NULL &&
			strncmp(last + strlen(mark), hex, strlen(hex)) == 0)
			return true;
	}
	return false;
}

/* Is there "SHA256 hash of SKR:" with HEX on the next line? */
static bool has_result(const struct record *record, const char *hex)
{
	for (size_t i = 0; i + 1 < record->count; i++)
		if (strcmp(record->texts[i], "SHA256 hash of SKR:") == 0 &&
			strcmp(record->texts[i + 1], hex) == 0)
			return true;
	return false;
}

static void compare_hashes(const struct second *second,
	const struct record *record, struct verdict *verdict)
{
	char hex[2 * CRYPTO_SHA256_LEN + 1];

	to_hex(second->request_hash, hex);
	if (!has_input(record, "KSR", hex))
		verdict_fail(verdict, "no such request: %s", hex);
	to_hex(second->response_hash, hex);
	if (!has_result(record, hex))
		verdict_fail(verdict, "no such response: %s", hex);
	if (second->config != NULL) {
		to_hex(second->config_hash, hex);
		if (!has_input(record, "configuration", hex))
			verdict_fail(verdict, "no such configuration: %s", hex);
	}
	if (second->previous != NULL) {
		to_hex(second->previous_hash, hex);
		/* Signed in the same ceremony, it was never read as a file. */
		if (!has_input(record, "previous SKR", hex) &&
			!has_result(record, hex))
			verdict_fail(
				verdict, "no such previous response: %s", hex);
	}
}

/* "05017(KSK1)/S": signs (S), published only (P), revoked (R). */
static void put_ksk(struct buf *out, const struct ksr_bundle *bundle,
	const struct ksr_key *key)
{
	bool revoked = key->dnskey.flags == DNSKEY_FLAGS_KSK_REVOKED;
	bool signs = false;

	for (size_t s = 0; s < bundle->signature_count; s++)
		signs |= second_signer(bundle, &bundle->signatures[s]) == key;
	buf_format(out, "%s%05u(%s)/%s%s%s", out->len > 0 ? "," : "", key->tag,
		key->identifier, revoked ? "R" : "", signs ? "S" : "",
		revoked || signs ? "" : "P");
}

/*
 * A bundle as the witnesses saw it, escaped as all text on a screen is.  The
 * keys stand in the order of the RRset or, as most signers show them, from its
 * end.
 */
static void put_row(struct buf *out, size_t number,
	const struct ksr_bundle *bundle, bool from_end)
{
	struct buf zsks = BUF_EMPTY, ksks = BUF_EMPTY, row = BUF_EMPTY;
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];

	time_format(bundle->inception, TIME_BARE, from);
	time_format(bundle->expiration, TIME_BARE, to);
	for (size_t k = 0; k < bundle->key_count; k++) {
		size_t at = from_end ? bundle->key_count - 1 - k : k;
		const struct ksr_key *key = &bundle->keys[at];

		if ((key->dnskey.flags & DNSKEY_FLAG_SEP) != 0)
			put_ksk(&ksks, bundle, key);
		else
			buf_format(&zsks, "%s%05u", zsks.len > 0 ? "," : "",
				key->tag);
	}
	buf_format(&row, "%-2zu %s %s  %-13s %s", number, from, to,
		buf_string(&zsks), buf_string(&ksks));
	text_escape(out, buf_string(&row), row.len);
	buf_free(&zsks);
	buf_free(&ksks);
	buf_free(&row);
}

static bool is_shown(const struct record *record, const char *row)
{
	for (size_t i = 0; i < record->count; i++)
		if (strcmp(record->texts[i], row) == 0)
			return true;
	return false;
}

/* What was shown is what is in the file. */
static void compare_rows(const struct second *second,
	const struct record *record, struct verdict *verdict)
{
	struct buf row = BUF_EMPTY;

	for (size_t b = 0; b < second->response->bundle_count; b++) {
		const struct ksr_bundle *bundle = &second->response->bundles[b];
		bool found = false;

		for (int from_end = 0; !found && from_end < 2; from_end++) {
			buf_clear(&row);
			put_row(&row, b + 1, bundle, from_end != 0);
			found = is_shown(record, buf_string(&row));
		}
		if (!found)
			verdict_fail(
				verdict, "never shown: %s", buf_string(&row));
	}
	verdict->nomem |= row.failed;
	buf_free(&row);
}

void second_record(const struct second *second, struct verdict *verdict)
{
	struct record record = {0};

	if (!record_cut(second->log, &record, verdict))
		goto done;
	if (record.count == 0 ||
		strncmp(record.texts[0], "ksrsigner ", 10) != 0)
		verdict_fail(verdict, "it is no log of ksrsigner");
	if (record.count == 0 ||
		strcmp(record.texts[record.count - 1], "done") != 0)
		verdict_fail(verdict, "it does not end with \"done\"");
	compare_hashes(second, &record, verdict);
	compare_rows(second, &record, verdict);
	for (size_t i = 0; i < record.count; i++) {
		if (strcmp(record.levels[i], "ERROR") == 0 ||
			strncmp(record.texts[i], "FAIL ", 5) == 0)
			verdict_fail(verdict, "trouble: %s", record.texts[i]);
		else if (strcmp(record.levels[i], "WARNING") == 0 ||
			 strstr(record.texts[i], "(--force)") != NULL)
			verdict_note(verdict, "%s", record.texts[i]);
	}
done:
	record_clear(&record);
}
