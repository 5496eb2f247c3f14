/* SPDX-License-Identifier: ISC */
#include "lib/cli/hashes.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/cli/ask.h"
#include "lib/cli/words.h"
#include "lib/hash/sha256.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEX_LEN ((size_t)2 * SHA256_LEN)
#define DIGITS "0123456789abcdefABCDEF"
#define TEXT_MAX ((size_t)1024 * 1024)
#define LABEL_MAX 64
/* An unknown label's value must have this many bytes to be part of a hash. */
#define PART_MIN 4
/* A hash of another algorithm has as many digits or more. */
#define OTHER_MIN 32
/* What may stand between words and around groups of digits. */
#define BETWEEN " \t,;.\"'()<>"

/* Where a line is in a clear-signed message (RFC 9580 §7). */
enum place {
	PLACE_PLAIN, /* nothing is signed */
	PLACE_HEADERS,
	PLACE_SIGNED,
	PLACE_SIGNATURE,
	PLACE_BEHIND,
};

/* What stands free and is not yet a whole hash. */
enum run {
	RUN_NONE,
	RUN_DIGITS,
	RUN_WORDS,
};

struct reader {
	struct hashes found;
	enum place place;
	enum run kind;
	struct buf run;
	bool plain;        /* a line outside of a signed message was there */
	bool other_digest; /* indented lines go on with another digest */
};

static bool add(struct reader *reader, const uint8_t *hash, const char *name,
	struct err *err)
{
	struct hashes *found = &reader->found;
	struct hashes_entry *entry;

	for (size_t i = 0; i < found->count; i++)
		if (memcmp(found->entries[i].hash, hash, SHA256_LEN) == 0 &&
			(*name == '\0' ||
				strcmp(found->entries[i].name, name) == 0))
			return true;
	entry = array_grow(&found->entries, &found->count, sizeof(*entry), err);
	if (entry == NULL)
		return false;
	memcpy(entry->hash, hash, SHA256_LEN);
	snprintf(entry->name, sizeof(entry->name), "%s", name);
	return true;
}

/* The first 64 of these digits. */
static bool add_digits(struct reader *reader, const char *digits,
	const char *name, struct err *err)
{
	char text[HEX_LEN + 1];
	struct buf hash = BUF_EMPTY;
	bool ok;

	memcpy(text, digits, HEX_LEN);
	text[HEX_LEN] = '\0';
	ok = words_read(text, &hash, err) && add(reader, hash.data, name, err);
	buf_free(&hash);
	return ok;
}

/* What stood free ends here: whole hashes, or it is none. */
static bool end_run(struct reader *reader, struct err *err)
{
	struct buf bytes = BUF_EMPTY;
	bool ok = true;

	if (reader->kind == RUN_NONE)
		return true;
	ok = words_read(buf_string(&reader->run), &bytes, err);
	if (ok && (bytes.len == 0 || bytes.len % SHA256_LEN != 0))
		ok = err_set(err, ERR_INPUT,
			"%zu bytes to compare with, expected %d (64 hex digits or 32 words)",
			bytes.len, SHA256_LEN);
	for (size_t at = 0; ok && at < bytes.len; at += SHA256_LEN)
		ok = add(reader, bytes.data + at, "", err);
	buf_free(&bytes);
	buf_clear(&reader->run);
	reader->kind = RUN_NONE;
	return ok;
}

/* Of the 0x before digits, which is no part of them. */
static size_t mark_len(const char *token)
{
	return strncasecmp(token, "0x", 2) == 0 ? 2 : 0;
}

/*
 * Digits, and what separates groups of them; not a word: every word has a
 * letter beyond f, though that of "exceed" is an x.
 */
static bool is_digits(const char *token, size_t len)
{
	return strspn(token + mark_len(token), DIGITS ":-") + mark_len(token) >=
	       len;
}

static void take_digits(struct reader *reader, const char *token, size_t len)
{
	for (size_t i = mark_len(token); i < len; i++)
		if (strchr(":-", token[i]) == NULL)
			buf_u8(&reader->run, (uint8_t)token[i]);
}

static bool take_token(
	struct reader *reader, const char *token, size_t len, struct err *err)
{
	bool hex = is_digits(token, len);
	enum run kind = hex ? RUN_DIGITS : RUN_WORDS;

	if (reader->kind != kind && !end_run(reader, err))
		return false;
	reader->kind = kind;
	if (hex) {
		take_digits(reader, token, len);
		return true;
	}
	buf_u8(&reader->run, ' ');
	buf_bytes(&reader->run, token, len);
	return true;
}

/* Digits and words that stand free; they may go on in the next line. */
static bool take_free(struct reader *reader, const char *text, struct err *err)
{
	for (;;) {
		size_t len;

		text += strspn(text, BETWEEN);
		len = strcspn(text, BETWEEN);
		if (len == 0)
			return true;
		if (!take_token(reader, text, len, err))
			return false;
		text += len;
	}
}

/* Are these digits or words, and at least so many bytes? */
static bool reads(const char *text, size_t least)
{
	struct reader trial = {.place = PLACE_PLAIN};
	struct buf bytes = BUF_EMPTY;
	struct err discarded = ERR_EMPTY;
	bool ok = take_free(&trial, text, &discarded) &&
		  words_read(buf_string(&trial.run), &bytes, &discarded) &&
		  bytes.len >= least;

	buf_free(&bytes);
	buf_free(&trial.run);
	free(trial.found.entries);
	return ok;
}

/* 64 digits that are no part of something longer; NULL: there are none. */
static const char *whole_hash(const char *text, const char *start)
{
	while (*text != '\0') {
		size_t len = strspn(text, DIGITS);

		if (len == HEX_LEN && !isalnum((unsigned char)text[len]) &&
			(text == start || !isalnum((unsigned char)text[-1])))
			return text;
		text += len + (text[len] != '\0');
	}
	return NULL;
}

/* Is that hash no part of a name, as in x-HASH.iso, but beside it? */
static bool stands_free(const char *hash, const char *start)
{
	static const char named[] = "._~+/\\-";

	return (hash == start || strchr(named, hash[-1]) == NULL) &&
	       (hash[HEX_LEN] == '\0' || strchr(named, hash[HEX_LEN]) == NULL);
}

static const char *free_hash(const char *text, const char *start)
{
	const char *hash = whole_hash(text, start);

	while (hash != NULL && !stands_free(hash, start))
		hash = whole_hash(hash + HEX_LEN, start);
	return hash;
}

/* sha256sum: digits, a blank, a blank or an asterisk, the name. */
static bool is_sum(const char *line)
{
	const char *name = line + HEX_LEN + 2;

	return strspn(line, DIGITS) == HEX_LEN && line[HEX_LEN] == ' ' &&
	       (line[HEX_LEN + 1] == ' ' || line[HEX_LEN + 1] == '*') &&
	       *name != '\0' && strchr(" \t>", *name) == NULL &&
	       free_hash(name, name) == NULL && strstr(name, ">>") == NULL &&
	       whole_hash(name, name) != name && !reads(name, 2 * PART_MIN);
}

/* The name of an algorithm without what people put into it; or "". */
static void plain_label(const char *text, size_t len, char out[LABEL_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < LABEL_MAX; i++)
		if (isalnum((unsigned char)text[i]))
			out[n++] = (char)tolower((unsigned char)text[i]);
	out[n] = '\0';
}

static bool is_ours(const char *label)
{
	return strstr(label, "sha256") != NULL ||
	       strstr(label, "sha2256") != NULL;
}

/* Another algorithm's: what it has must not be taken for ours. */
static bool is_other(const char *label)
{
	static const char *const others[] = {"sha1", "sha224", "sha2224",
		"sha384", "sha2384", "sha512", "sha2512", "sha3", "md5",
		"blake", "rmd160", "ripemd", "crc"};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (strstr(label, others[i]) != NULL && !is_ours(label))
			return true;
	return false;
}

/* BSD and openssl: ALGORITHM (NAME) = DIGITS. */
struct tagged {
	char algorithm[LABEL_MAX];
	char name[HASHES_NAME_SIZE];
	const char *digits;
};

static bool is_tagged(const char *line, struct tagged *out)
{
	size_t head = strcspn(line, " (");
	const char *open = line + head + strspn(line + head, " ");
	const char *close = strrchr(line, ')');

	if (*open != '(' || close == NULL || close < open)
		return false;
	out->digits = close + 1 + strspn(close + 1, " ");
	if (*out->digits != '=')
		return false;
	out->digits += 1 + strspn(out->digits + 1, " ");
	plain_label(line, head, out->algorithm);
	snprintf(out->name, sizeof(out->name), "%.*s", (int)(close - open - 1),
		open + 1);
	return is_ours(out->algorithm) || is_other(out->algorithm);
}

/* Behind another algorithm's digits, does the line name ours, with a hash? */
static bool hides_ours(const char *line)
{
	static const char *const ours[] = {
		"sha256", "sha-256", "sha 256", "sha2-256"};
	size_t len;

	while ((len = strspn(line, DIGITS)) < OTHER_MIN && *line != '\0')
		line += len + (line[len] != '\0');
	for (line += len; *line != '\0'; line++)
		for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
			if (strncasecmp(line, ours[i], strlen(ours[i])) == 0)
				return whole_hash(line + 1, line) != NULL;
	return false;
}

static bool pass_other(const char *line, struct err *err)
{
	return !hides_ours(line) ||
	       err_set(err, ERR_INPUT,
		       "a SHA-256 stands behind another hash in its line: give it alone");
}

/* What is left of a line behind its hashes: words, or digits in groups. */
static bool take_rest(struct reader *reader, const char *rest, struct err *err)
{
	const char *words = strstr(rest, ">>");

	if (words == NULL && reads(rest, PART_MIN))
		words = rest;
	return words == NULL || take_free(reader, words, err);
}

/* A line of ours, or a table's: the digits somewhere, perhaps words behind. */
static bool take_line_of_hash(struct reader *reader, const char *line,
	const char *hash, struct err *err)
{
	const char *rest = line;

	for (; hash != NULL; hash = whole_hash(rest, line)) {
		if (!add_digits(reader, hash, "", err))
			return false;
		rest = hash + HEX_LEN;
	}
	return take_rest(reader, rest, err);
}

/* The name may go over the hash of another file, and one may stand behind. */
static bool take_tagged(struct reader *reader, const char *line,
	const struct tagged *tagged, struct err *err)
{
	const char *digits = tagged->digits, *hash;

	if (!is_ours(tagged->algorithm))
		return pass_other(line, err);
	if (whole_hash(digits, digits) != digits)
		return err_set(err, ERR_INPUT,
			"the SHA-256 of \"%s\" is not 64 hex digits",
			tagged->name);
	if (!add_digits(reader, digits, tagged->name, err))
		return false;
	for (hash = free_hash(line, line); hash != NULL && hash < digits;
		hash = free_hash(hash + HEX_LEN, line))
		if (!add_digits(reader, hash, "", err))
			return false;
	digits += HEX_LEN;
	return take_line_of_hash(
		reader, digits, whole_hash(digits, digits), err);
}

/* The length of "LABEL:" with a letter that no digit is; 0: there is none. */
static size_t label_len(const char *line)
{
	size_t len = strcspn(line, ":");

	if (line[len] != ':' || strspn(line, DIGITS " \t-") >= len)
		return 0;
	return len + 1;
}

static bool take_labelled(
	struct reader *reader, const char *line, size_t len, struct err *err)
{
	const char *hash = whole_hash(line, line);
	char label[LABEL_MAX];

	plain_label(line, len, label);
	reader->other_digest = is_other(label);
	if (reader->other_digest)
		return pass_other(line, err);
	if (hash != NULL)
		return take_line_of_hash(reader, line, hash, err);
	if (is_ours(label) || strstr(label, "word") != NULL ||
		strstr(label, "hash") != NULL || reads(line + len, PART_MIN))
		return take_free(reader, line + len, err);
	return true;
}

/* The two lines above a table, as PowerShell's Get-FileHash writes them. */
static bool is_heading(const char *line)
{
	return strspn(line, "- \t") == strlen(line) ||
	       (strncmp(line, "Algorithm ", strlen("Algorithm ")) == 0 &&
		       strstr(line, " Hash ") != NULL);
}

static bool take_line(struct reader *reader, const char *line, struct err *err)
{
	bool indented = isspace((unsigned char)*line);
	struct tagged tagged;
	const char *hash;
	size_t label;

	line += strspn(line, " \t");
	if (indented && reader->other_digest && label_len(line) == 0 &&
		!is_tagged(line, &tagged))
		return true;
	reader->other_digest = false;
	if (*line == '\0' || *line == '#' || is_heading(line))
		return true;
	/* sha256sum's mark of a name with \n or \\ in it. */
	if (*line == '\\' && is_sum(line + 1))
		line++;
	if (is_sum(line))
		return end_run(reader, err) &&
		       add_digits(reader, line, line + HEX_LEN + 2, err);
	if (is_tagged(line, &tagged))
		return end_run(reader, err) &&
		       take_tagged(reader, line, &tagged, err);
	label = label_len(line);
	if (label > 0)
		return end_run(reader, err) &&
		       take_labelled(reader, line, label, err);
	hash = whole_hash(line, line);
	if (hash != NULL && reader->kind != RUN_DIGITS)
		return end_run(reader, err) &&
		       take_line_of_hash(reader, line, hash, err);
	return take_free(reader, line, err);
}

/* *wanted: does the line, *line of it, belong to what is signed or plain? */
static bool take_armor(
	struct reader *reader, const char **line, bool *wanted, struct err *err)
{
	bool begins = strcmp(*line, "-----BEGIN PGP SIGNED MESSAGE-----") == 0;
	bool blank = (*line)[strspn(*line, " \t")] == '\0';

	*wanted = false;
	if (reader->place == PLACE_PLAIN && !begins) {
		reader->plain = reader->plain || !blank;
		*wanted = true;
		return true;
	}
	if ((begins && (reader->place != PLACE_PLAIN || reader->plain)) ||
		(reader->place == PLACE_BEHIND && !blank))
		return err_set(err, ERR_INPUT,
			"there is text outside of what is signed");
	if (begins)
		reader->place = PLACE_HEADERS;
	else if (reader->place == PLACE_HEADERS && blank)
		reader->place = PLACE_SIGNED;
	else if (reader->place == PLACE_SIGNED) {
		*wanted = strcmp(*line, "-----BEGIN PGP SIGNATURE-----") != 0;
		if (!*wanted)
			reader->place = PLACE_SIGNATURE;
		else if (strncmp(*line, "- ", 2) == 0)
			*line += 2;
	} else if (strcmp(*line, "-----END PGP SIGNATURE-----") == 0)
		reader->place = PLACE_BEHIND;
	return true;
}

static bool take_lines(struct reader *reader, const char *text, struct err *err)
{
	struct buf copy = BUF_EMPTY;
	bool ok = true, wanted;

	while (ok && *text != '\0') {
		size_t len = strcspn(text, "\r\n"), show = len;
		const char *line;

		while (show > 0 && strchr(" \t", text[show - 1]) != NULL)
			show--;
		buf_clear(&copy);
		buf_bytes(&copy, text, show);
		line = buf_string(&copy);
		ok = take_armor(reader, &line, &wanted, err) &&
		     (!wanted || take_line(reader, line, err));
		text += len;
		text += *text == '\r' && text[1] == '\n';
		text += *text != '\0';
	}
	buf_free(&copy);
	return ok;
}

/* From UTF-16, little end first, as far as it is ASCII. */
static bool narrow(const struct buf *in, struct buf *out, struct err *err)
{
	for (size_t i = 2; i + 1 < in->len; i += 2)
		buf_u8(out, in->data[i + 1] == 0 ? in->data[i] : '?');
	return buf_ok(out, err);
}

/* Without a byte order mark, blanks that break no line as blanks. */
static bool plain_text(const struct buf *in, struct buf *out, struct err *err)
{
	size_t i = 0;

	if (in->len >= 2 && memcmp(in->data, "\377\376", 2) == 0) {
		if (!narrow(in, out, err))
			return false;
	} else {
		if (in->len >= 3 && memcmp(in->data, "\357\273\277", 3) == 0)
			i = 3;
		for (; i < in->len; i++)
			if (i + 1 < in->len &&
				memcmp(in->data + i, "\302\240", 2) == 0) {
				buf_u8(out, ' ');
				i++;
			} else
				buf_u8(out, in->data[i]);
	}
	if (!buf_ok(out, err))
		return false;
	if (out->len > 0 && memchr(out->data, '\0', out->len) != NULL)
		return err_set(err, ERR_INPUT,
			"what to compare with is no text: expected 64 hex digits or 32 words");
	return true;
}

bool hashes_read(const struct buf *text, struct hashes *out, struct err *err)
{
	struct reader reader = {.place = PLACE_PLAIN};
	struct buf plain = BUF_EMPTY;
	bool ok;

	ok = plain_text(text, &plain, err) &&
	     take_lines(&reader, buf_string(&plain), err) &&
	     end_run(&reader, err);
	if (ok && reader.place != PLACE_PLAIN && reader.place != PLACE_BEHIND)
		ok = err_set(err, ERR_INPUT,
			"the signed message is cut off before its end");
	if (ok && reader.found.count == 0)
		ok = err_set(err, ERR_INPUT,
			"no SHA-256 to compare with: expected 64 hex digits or 32 words");
	if (ok) {
		*out = reader.found;
		reader.found = (struct hashes)HASHES_EMPTY;
	}
	hashes_free(&reader.found);
	buf_free(&reader.run);
	buf_free(&plain);
	return ok;
}

void hashes_free(struct hashes *hashes)
{
	free(hashes->entries);
	*hashes = (struct hashes)HASHES_EMPTY;
}

bool hashes_given(
	const char *text, const char *file, struct hashes *out, struct err *err)
{
	struct buf given = BUF_EMPTY;
	bool ok = true;

	if (text == NULL && file == NULL)
		return true;
	if (text != NULL && file != NULL)
		return err_set(err, ERR_USAGE,
			"--verify and --verify-file exclude each other");
	if (file != NULL)
		ok = file_read(file, TEXT_MAX, &given, err);
	else if (strcmp(text, "-") == 0)
		ok = ask_line("Hex or words to compare with: ", &given, err);
	else
		buf_text(&given, text);
	ok = ok && buf_ok(&given, err) && hashes_read(&given, out, err);
	buf_free(&given);
	return ok;
}

bool hashes_one(
	const struct hashes *hashes, const uint8_t **out, struct err *err)
{
	for (size_t i = 1; i < hashes->count; i++)
		if (memcmp(hashes->entries[i].hash, hashes->entries[0].hash,
			    SHA256_LEN) != 0)
			return err_set(err, ERR_INPUT,
				"two different hashes to compare with: give the one that is meant");
	*out = hashes->entries[0].hash;
	return true;
}
