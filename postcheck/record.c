/* SPDX-License-Identifier: ISC */
/*
 * POST-LOG: what the transcript says of the files must be what they are.
 *
 * Lines are "TIME: [LEVEL] TEXT".  Where TEXT begins with a bar it is a line of
 * a document that was copied into the log (lib/cli/log.h), and no event: such
 * lines say nothing here.  Inputs are recorded as "KSR PATH SHA-256
 * HEX", the result as "SHA256 hash of SKR:" and HEX on the line after it; a
 * log of several quarters has several of these.  Bundles are shown as rows of a
 * table, which are made here anew.  In an experiment TEXT stands behind its
 * mark, in every line from the configuration on.
 */
#include "lib/base/buf.h"
#include "lib/base/experiment.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/hash/sha256.h"
#include "postcheck/second.h"

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

/* Of a copied document, which may say anything. */
#define MARK_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
#define COPY_MARK '|'

/* Is it the text of a time, of this length? */
static bool is_time(const char *text, size_t len)
{
	char copy[TIME_TEXT_MAX];
	struct err ignored = ERR_EMPTY;
	int64_t t;

	if (len >= sizeof(copy) || len == 0 || text[len - 1] != 'Z')
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return time_parse(copy, &t, &ignored);
}

/* Cut "TIME: [LEVEL] TEXT" at its places; false for another line. */
static bool cut_line(char *line, char **level, char **text)
{
	static const char *const levels[] = {
		"DEBUG", "INFO", "WARNING", "ERROR"};
	char *open = strstr(line, ": ["), *close;

	if (open == NULL || !is_time(line, (size_t)(open - line)))
		return false;
	close = strchr(open, ']');
	if (close == NULL || close[1] != ' ')
		return false;
	*close = '\0';
	*level = open + 3;
	*text = close + 2;
	for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++)
		if (strcmp(*level, levels[i]) == 0)
			return true;
	return false;
}

/* The text without the mark of an experiment; *marked: a line had it. */
static char *cut_mark(
	char *text, size_t line, bool *marked, struct verdict *verdict)
{
	size_t len = strlen(experiment_mark());

	if (strncmp(text, experiment_mark(), len) != 0) {
		if (*marked)
			verdict_fail(verdict, "line %zu does not begin with %s",
				line, EXPERIMENT_MARK);
		return text;
	}
	*marked = true;
	return text + len;
}

static bool record_cut(
	const struct buf *log, struct record *out, struct verdict *verdict)
{
	size_t lines = 1;
	char *rest, *line, **text;
	bool marked = false;

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
		text = &out->texts[out->count];
		if (!cut_line(line, &out->levels[out->count], text)) {
			verdict_fail(verdict,
				"line %zu is not \"TIME: [LEVEL] TEXT\"", n);
			continue;
		}
		*text = cut_mark(*text, n, &marked, verdict);
		if (**text != COPY_MARK)
			out->count++;
	}
	if (experiment_is_on() && !marked)
		verdict_fail(
			verdict, "no line begins with %s", EXPERIMENT_MARK);
	return true;
}

static void to_hex(const uint8_t *hash, char out[2 * SHA256_LEN + 1])
{
	struct buf text = BUF_EMPTY;

	hex_encode(&text, hash, SHA256_LEN);
	memset(out, 0, 2 * SHA256_LEN + 1);
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
	char hex[2 * SHA256_LEN + 1];

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

/* "(KSK1)/"; a bracket within the name is written as %29. */
static void put_name(struct buf *out, const char *name)
{
	buf_text(out, "(");
	for (size_t len; *name != '\0'; name += len) {
		len = strcspn(name, ")");
		buf_bytes(out, name, len);
		if (name[len] == ')') {
			buf_text(out, "%29");
			len++;
		}
	}
	buf_text(out, ")/");
}

/* "05017(KSK1)/S": signs (S), published only (P), revoked (R). */
static void put_ksk(const struct second *second, struct buf *out,
	const struct ksr_bundle *bundle, const struct ksr_key *key)
{
	bool revoked = key->dnskey.flags == DNSKEY_FLAGS_KSK_REVOKED;
	bool signs = second_count_by(second, bundle, key) > 0;

	buf_format(out, "%s%05u", out->len > 0 ? "," : "",
		dnskey_tag(&key->dnskey));
	put_name(out, key->identifier);
	buf_format(out, "%s%s%s", revoked ? "R" : "", signs ? "S" : "",
		revoked || signs ? "" : "P");
}

/* "09144(KSK2)/O": signs only, it is not published. */
static void put_absent(const struct second *second, struct buf *out,
	const struct ksr_bundle *bundle, const struct ksr_signature *sig)
{
	if (second_signer(second, bundle, sig) != NULL)
		return;
	buf_format(out, "%s%05u", out->len > 0 ? "," : "", sig->key_tag);
	put_name(out, sig->identifier);
	buf_text(out, "O");
}

/*
 * A bundle as the witnesses saw it, escaped as all text on a screen is.  The
 * keys stand in the order of the RRset or, as most signers show them, from its
 * end.
 */
static void put_row(const struct second *second, struct buf *out, size_t number,
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
			put_ksk(second, &ksks, bundle, key);
		else
			buf_format(&zsks, "%s%05u", zsks.len > 0 ? "," : "",
				dnskey_tag(&key->dnskey));
	}
	for (size_t s = 0; s < bundle->signature_count; s++)
		put_absent(second, &ksks, bundle, &bundle->signatures[s]);
	buf_format(&row, "%-2zu %s %s  %-13s %s%s%s", number, from, to,
		buf_string(&zsks), buf_string(&ksks),
		second->member != NULL ? "  " : "",
		second->member != NULL ? second->member->mark : "");
	text_escape(out, buf_string(&row), row.len);
	buf_free(&zsks);
	buf_free(&ksks);
	buf_free(&row);
}

/*
 * Is it the row, or, where the response is judged by itself, the row with the
 * mark of a family's member behind it ("  BACKOUT")?
 */
static bool is_row(
	const struct second *second, const char *text, const char *row)
{
	size_t len = strlen(row);

	if (strncmp(text, row, len) != 0)
		return false;
	text += len;
	return *text == '\0' ||
	       (second->member == NULL && strncmp(text, "  ", 2) == 0 &&
		       text[2] != '\0' &&
		       text[2 + strspn(text + 2, MARK_LETTERS)] == '\0');
}

static bool is_shown(const struct second *second, const struct record *record,
	const char *row)
{
	for (size_t i = 0; i < record->count; i++)
		if (is_row(second, record->texts[i], row))
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
			put_row(second, &row, b + 1, bundle, from_end != 0);
			found = is_shown(second, record, buf_string(&row));
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
