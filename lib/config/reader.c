/* SPDX-License-Identifier: ISC */
#include "lib/config/reader.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/*
 * Maps and lists within each other; the deepest is the list
 * schemas.NAME.SLOT.algorithms.LIST.
 */
#define DEPTH_MAX 5

#define DIGITS "0123456789"

struct reader {
	const char *name;
	const uint8_t *bytes; /* of the file, borrowed */
	size_t size;
	yaml_parser_t parser;
	bool parser_made;
	yaml_event_t event; /* looked at, not yet consumed, where have_event */
	bool have_event;
	size_t line;                 /* of the last event */
	const char *path[DEPTH_MAX]; /* keys around the present value */
	size_t depth;
	bool before_map; /* a map is expected, and did not begin */
	bool unknown;    /* the last key is none of those that there are */
};

static bool refuse_at(const struct reader *reader, const char *key,
	struct err *err, const char *format, va_list ap)
	__attribute__((format(printf, 4, 0)));

/* Does the text consist of these characters alone? */
static bool consists_of(const char *text, const char *characters)
{
	return text[0] != '\0' && text[strspn(text, characters)] == '\0';
}

/* Below hsm.NAME: only what cannot be a PIN. */
static bool is_hsm_key(
	const struct reader *reader, size_t place, const char *key)
{
	static const char *const known[] = {"module", "pin", "so_pin", "env"};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (place == 2 && strcmp(known[i], key) == 0)
			return true;
	return place > 2 && strcmp(reader->path[2], "env") == 0 &&
	       consists_of(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") &&
	       (key[0] < '0' || key[0] > '9');
}

/* "pin:1234" without a blank is a key. */
static bool begins_with_pin(const char *key)
{
	static const char *const before[] = {"pin", "so_pin", "so-pin"};

	for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++)
		if (strncasecmp(key, before[i], strlen(before[i])) == 0 &&
			key[strlen(before[i])] != '\0')
			return true;
	return false;
}

/* The name of an hsm has a map: a PIN that is moved to its place has none. */
static bool is_hsm_name(const struct reader *reader, const char *key)
{
	if (!reader->before_map || reader->depth != 2)
		return true;
	if (!reader->have_event)
		return strpbrk(key, DIGITS) == NULL;
	return reader->event.type == YAML_MAPPING_START_EVENT;
}

/*
 * What stands where a key should may be a PIN ("pin:1234", the two mixed up,
 * or a line of hsm.NAME that is indented less): only what is none is shown.
 */
static bool is_shown(const struct reader *reader, size_t place, const char *key)
{
	bool in_hsm = place > 0 && strcmp(reader->path[0], "hsm") == 0;
	bool unknown = reader->unknown && place + 1 == reader->depth;

	if (in_hsm && place > 1)
		return is_hsm_key(reader, place, key);
	if (begins_with_pin(key))
		return false;
	if (in_hsm)
		return is_hsm_name(reader, key);
	return !unknown || (place > 0 && strpbrk(key, DIGITS) == NULL);
}

static const char *shown_key(
	const struct reader *reader, size_t place, const char *key)
{
	return is_shown(reader, place, key) ? key : "(a key that is not shown)";
}

/* The line that the reader is at, without what ends it. */
static const char *line_text(const struct reader *reader, size_t *len)
{
	const char *at = (const char *)reader->bytes;
	const char *end = at + reader->size;

	for (size_t n = 1; n < reader->line && at < end; n++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		at = stop != NULL ? stop + 1 : end;
	}
	*len = (size_t)(end - at);
	if (*len > 0 && memchr(at, '\n', *len) != NULL)
		*len = (size_t)((const char *)memchr(at, '\n', *len) - at);
	return at;
}

/* What looks like a blank in an editor and is none to YAML. */
static const char *hint_of(const struct reader *reader)
{
	static const struct {
		const char *bytes, *hint;
	} lookalikes[] = {
		{"\xc2\xa0",
			"; the line has a no-break space (U+00A0), expected a blank"},
		{"\xe2\x80\x8b",
			"; the line has a zero width space (U+200B), expected none"},
		{"\xe2\x80\xaf",
			"; the line has a narrow no-break space (U+202F), expected a blank"},
		{"\xe2\x80\x83",
			"; the line has an em space (U+2003), expected a blank"},
		{"\xe3\x80\x80",
			"; the line has an ideographic space (U+3000), expected a blank"},
		{"\xef\xbb\xbf",
			"; the line has a byte order mark (U+FEFF), expected none"},
	};
	size_t len, indent = 0;
	const char *line = line_text(reader, &len);

	while (indent < len && line[indent] == ' ')
		indent++;
	if (indent < len && line[indent] == '\t')
		return "; the line is indented with a tab, expected blanks";
	for (size_t i = 0; i < sizeof(lookalikes) / sizeof(*lookalikes); i++)
		if (memmem(line, len, lookalikes[i].bytes,
			    strlen(lookalikes[i].bytes)) != NULL)
			return lookalikes[i].hint;
	return "";
}

static bool refuse_at(const struct reader *reader, const char *key,
	struct err *err, const char *format, va_list ap)
{
	char message[ERR_TEXT_MAX / 2];
	struct buf path = BUF_EMPTY;

	/* A long hostile text may be cut: the beginning says enough. */
	vsnprintf(message, sizeof(message), format, ap);
	for (size_t i = 0; i < reader->depth; i++)
		buf_format(&path, "%s%.64s", i > 0 ? "." : "",
			shown_key(reader, i, reader->path[i]));
	if (key != NULL)
		buf_format(&path, "%s%.64s", path.len > 0 ? "." : "",
			shown_key(reader, reader->depth, key));
	err_set(err, ERR_USAGE, "%s: line %zu: %s%s%s%s", reader->name,
		reader->line, buf_string(&path), path.len > 0 ? ": " : "",
		message, hint_of(reader));
	buf_free(&path);
	return false;
}

bool reader_refuse(
	const struct reader *reader, struct err *err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	refuse_at(reader, NULL, err, format, ap);
	va_end(ap);
	return false;
}

bool reader_refuse_key(const struct reader *reader, const char *key,
	struct err *err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	refuse_at(reader, key, err, format, ap);
	va_end(ap);
	return false;
}

bool reader_refuse_unknown(
	struct reader *reader, struct err *err, const char *expected)
{
	reader->unknown = true;
	if (expected == NULL)
		return reader_refuse(reader, err, "unknown key");
	return reader_refuse(reader, err, "unknown %s, expected %s",
		reader->depth > 1 ? "key" : "section", expected);
}

size_t reader_line(const struct reader *reader)
{
	return reader->line;
}

void reader_back_to(struct reader *reader, size_t line)
{
	reader->line = line;
}

/* Forget the event, and the text in it: it may be a PIN. */
static void drop_event(struct reader *reader)
{
	if (!reader->have_event)
		return;
	if (reader->event.type == YAML_SCALAR_EVENT)
		explicit_bzero(reader->event.data.scalar.value,
			reader->event.data.scalar.length);
	yaml_event_delete(&reader->event);
	reader->have_event = false;
}

static size_t line_at(const struct reader *reader, size_t offset)
{
	size_t line = 1;

	for (size_t i = 0; i < offset && i < reader->size; i++)
		line += reader->bytes[i] == '\n';
	return line;
}

static bool refuse_problem(struct reader *reader, struct err *err)
{
	const yaml_parser_t *parser = &reader->parser;

	if (parser->error == YAML_MEMORY_ERROR)
		return err_nomem(err);
	reader->line = parser->problem_mark.line + 1;
	/* What cannot be a character has no place, but an offset. */
	if (parser->error == YAML_READER_ERROR)
		reader->line = line_at(reader, parser->problem_offset);
	return reader_refuse(reader, err, "not valid YAML: %s",
		parser->problem != NULL ? parser->problem : "unknown problem");
}

/*
 * Anchors, aliases and tags make one text mean another: none is taken.  Their
 * names are not shown: a PIN may begin with any of these characters.
 */
static bool check_plainness(struct reader *reader, struct err *err)
{
	const yaml_event_t *event = &reader->event;
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (event->type == YAML_ALIAS_EVENT)
		return reader_refuse(reader, err,
			"aliases (with *) are not accepted; a text that begins so is put in quotes");
	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (anchor != NULL)
		return reader_refuse(reader, err,
			"anchors (with &) are not accepted; a text that begins so is put in quotes");
	if (tag != NULL)
		return reader_refuse(reader, err,
			"tags (with !) are not accepted; a text that begins so is put in quotes");
	return true;
}

/* Look at the next event; it stays until drop_event. */
static bool peek_event(struct reader *reader, struct err *err)
{
	if (reader->have_event)
		return true;
	if (yaml_parser_parse(&reader->parser, &reader->event) == 0)
		return refuse_problem(reader, err);
	reader->have_event = true;
	reader->line = reader->event.start_mark.line + 1;
	return check_plainness(reader, err);
}

/* The event must be of this type; it is consumed. */
static bool take_event(struct reader *reader, yaml_event_type_t type,
	const char *expected, struct err *err)
{
	if (!peek_event(reader, err))
		return false;
	if (reader->event.type != type)
		return reader_refuse(reader, err, "expected %s", expected);
	drop_event(reader);
	return true;
}

static bool start_document(struct reader *reader, struct err *err)
{
	const yaml_event_t *event = &reader->event;

	if (!take_event(reader, YAML_STREAM_START_EVENT, "YAML", err) ||
		!peek_event(reader, err))
		return false;
	if (event->type != YAML_DOCUMENT_START_EVENT)
		return reader_refuse(reader, err, "empty configuration");
	if (event->data.document_start.tag_directives.start !=
		event->data.document_start.tag_directives.end)
		return reader_refuse(
			reader, err, "tag directives are not accepted");
	drop_event(reader);
	return true;
}

bool reader_new(const char *name, const uint8_t *bytes, size_t size,
	struct reader **out, struct err *err)
{
	static const uint8_t bom[] = {0xef, 0xbb, 0xbf};
	struct reader *reader = calloc(1, sizeof(*reader));
	bool ok = false;

	if (reader == NULL)
		return err_nomem(err);
	reader->name = name;
	reader->line = 1;
	if (yaml_parser_initialize(&reader->parser) == 0) {
		err_nomem(err);
		goto done;
	}
	reader->parser_made = true;
	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	/* Editors of some systems put it there, and it says nothing. */
	if (size >= sizeof(bom) && memcmp(bytes, bom, sizeof(bom)) == 0) {
		bytes += sizeof(bom);
		size -= sizeof(bom);
	}
	reader->bytes = bytes;
	reader->size = size;
	yaml_parser_set_input_string(&reader->parser, bytes, size);
	if (!start_document(reader, err))
		goto done;
	*out = reader;
	reader = NULL;
	ok = true;
done:
	reader_free(reader);
	return ok;
}

void reader_free(struct reader *reader)
{
	yaml_parser_t *parser;

	if (reader == NULL)
		return;
	drop_event(reader);
	parser = &reader->parser;
	if (reader->parser_made) {
		/* libyaml's copies of the input, PINs among it. */
		explicit_bzero(parser->raw_buffer.start,
			(size_t)(parser->raw_buffer.end -
				 parser->raw_buffer.start));
		explicit_bzero(parser->buffer.start,
			(size_t)(parser->buffer.end - parser->buffer.start));
		yaml_parser_delete(parser);
	}
	free(reader);
}

bool reader_end(struct reader *reader, struct err *err)
{
	return take_event(reader, YAML_DOCUMENT_END_EVENT,
		       "the end of the document", err) &&
	       take_event(reader, YAML_STREAM_END_EVENT,
		       "one document, and no other after it", err);
}

/* The keys of one map so far. */
struct seen {
	char *keys[READER_ENTRIES_MAX];
	size_t count;
};

static void seen_free(struct seen *seen)
{
	if (seen == NULL)
		return;
	for (size_t i = 0; i < seen->count; i++)
		free(seen->keys[i]);
	free(seen);
}

/* Take the key that is next; it is owned by seen. */
static bool take_key(struct reader *reader, struct seen *seen, struct err *err)
{
	const yaml_event_t *event = &reader->event;
	const char *text;
	char *key;

	if (event->type != YAML_SCALAR_EVENT)
		return reader_refuse(reader, err, "expected the name of a key");
	text = (const char *)event->data.scalar.value;
	if (event->data.scalar.length == 0)
		return reader_refuse(reader, err, "empty name of a key");
	if (strlen(text) != event->data.scalar.length)
		return reader_refuse(reader, err, "NUL in the name of a key");
	for (size_t i = 0; i < seen->count; i++)
		if (strcmp(seen->keys[i], text) == 0)
			return reader_refuse_key(
				reader, text, err, "stands here twice");
	if (seen->count == READER_ENTRIES_MAX)
		return reader_refuse(reader, err, "more than %zu entries",
			READER_ENTRIES_MAX);
	key = text_copy(text, err);
	if (key == NULL)
		return false;
	seen->keys[seen->count++] = key;
	drop_event(reader);
	return true;
}

bool reader_map(struct reader *reader, reader_entry *entry, void *context,
	struct err *err)
{
	struct seen *seen = NULL;
	bool ok = false;

	reader->before_map = true;
	if (!take_event(reader, YAML_MAPPING_START_EVENT, "a map", err))
		return false;
	reader->before_map = false;
	seen = calloc(1, sizeof(*seen));
	if (seen == NULL)
		return err_nomem(err);
	for (;;) {
		const char *key;

		if (!peek_event(reader, err))
			goto done;
		if (reader->event.type == YAML_MAPPING_END_EVENT)
			break;
		if (!take_key(reader, seen, err))
			goto done;
		key = seen->keys[seen->count - 1];
		assert(reader->depth < DEPTH_MAX);
		reader->path[reader->depth++] = key;
		if (!entry(context, reader, key, err))
			goto done;
		reader->depth--;
	}
	drop_event(reader);
	ok = true;
done:
	/* After a refusal the path still borrows the keys: drop it. */
	if (!ok)
		reader->depth = 0;
	seen_free(seen);
	return ok;
}

bool reader_scalar(struct reader *reader, reader_item *item, void *context,
	struct err *err)
{
	struct scalar scalar;

	if (!peek_event(reader, err))
		return false;
	if (reader->event.type != YAML_SCALAR_EVENT)
		return reader_refuse(
			reader, err, "expected one value, not a list or a map");
	scalar.text = (const char *)reader->event.data.scalar.value;
	scalar.length = reader->event.data.scalar.length;
	scalar.plain =
		reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	/* "\0" in a quoted scalar is YAML; a C string would end there. */
	if (strlen(scalar.text) != scalar.length)
		return reader_refuse(reader, err, "NUL in a value");
	if (!item(context, reader, &scalar, err))
		return false;
	drop_event(reader);
	return true;
}

bool reader_list(struct reader *reader, bool alone_allowed, reader_item *item,
	void *context, struct err *err)
{
	if (!peek_event(reader, err))
		return false;
	if (alone_allowed && reader->event.type == YAML_SCALAR_EVENT)
		return reader_scalar(reader, item, context, err);
	if (!take_event(reader, YAML_SEQUENCE_START_EVENT, "a list", err))
		return false;
	for (size_t count = 0;; count++) {
		if (!peek_event(reader, err))
			return false;
		if (reader->event.type == YAML_SEQUENCE_END_EVENT)
			break;
		if (count == READER_ENTRIES_MAX)
			return reader_refuse(reader, err,
				"more than %zu entries", READER_ENTRIES_MAX);
		if (!reader_scalar(reader, item, context, err))
			return false;
	}
	drop_event(reader);
	return true;
}
