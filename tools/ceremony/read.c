/* SPDX-License-Identifier: ISC */
/*
 * A script from its bytes: cmark makes a tree of the Markdown, and what the
 * parts of that tree mean at a ceremony is said here.
 */
#include "lib/base/array.h"
#include "lib/base/file.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "tools/ceremony/front.h"
#include "tools/ceremony/script.h"

#include <cmark.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MAX 9999
#define MINUTES_MAX 1440
#define BLANK_VALUE ": ____ ("

struct reading {
	struct script *script;
	size_t offset; /* lines of the file before the body */
	size_t line;   /* of the node that is being read */
	struct err *err;
};

static bool refuse(const struct reading *r, const char *what)
{
	return err_set(r->err, ERR_INPUT, "%s:%zu: %s", r->script->path,
		r->line, what);
}

/* Prefix an error of a function that knows neither file nor line. */
static bool refused_at(const struct reading *r)
{
	r->err->kind = ERR_INPUT;
	return err_prefix(r->err, "%s:%zu", r->script->path, r->line);
}

/* What CommonMark makes of &#27; and the like is in no byte of the file. */
static bool check_shown(const struct reading *r, const char *text)
{
	size_t left = strlen(text), len;

	for (; left > 0; text += len, left -= len) {
		uint32_t character = 0;
		char said[64];

		len = utf8_read(text, left, &character);
		if (len > 0 && utf8_is_shown(character))
			continue;
		snprintf(said, sizeof(said), "character U+%04X cannot be seen",
			(unsigned)character);
		return refuse(r, said);
	}
	return true;
}

/* The text of a node and all below it; line ends are blanks. */
static bool node_text(const struct reading *r, cmark_node *top, struct buf *out)
{
	cmark_iter *iter = cmark_iter_new(top);
	cmark_event_type event;
	bool ok = true;

	while (ok && (event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
		cmark_node *node = cmark_iter_get_node(iter);

		if (event != CMARK_EVENT_ENTER)
			continue;
		switch (cmark_node_get_type(node)) {
		case CMARK_NODE_TEXT:
		case CMARK_NODE_CODE:
			ok = check_shown(r, cmark_node_get_literal(node));
			buf_text(out, cmark_node_get_literal(node));
			break;
		case CMARK_NODE_SOFTBREAK:
		case CMARK_NODE_LINEBREAK:
			buf_u8(out, ' ');
			break;
		case CMARK_NODE_HTML_INLINE:
		case CMARK_NODE_IMAGE:
			ok = refuse(r,
				"neither HTML nor pictures are part of a script");
			break;
		default:
			break;
		}
	}
	cmark_iter_free(iter);
	return ok && buf_ok(out, r->err);
}

/* The act, step or script that items are added to now. */
static struct script_item *add_item(
	const struct reading *r, enum script_item_kind kind)
{
	struct script *script = r->script;
	struct script_act *act = script->act_count > 0
					 ? &script->acts[script->act_count - 1]
					 : NULL;
	struct script_step *step = act != NULL && act->step_count > 0
					   ? &act->steps[act->step_count - 1]
					   : NULL;
	struct script_item *item;

	if (step != NULL)
		item = array_grow(
			&step->items, &step->item_count, sizeof(*item), r->err);
	else if (act != NULL)
		item = array_grow(
			&act->items, &act->item_count, sizeof(*item), r->err);
	else
		item = array_grow(&script->items, &script->item_count,
			sizeof(*item), r->err);
	if (item != NULL) {
		item->kind = kind;
		item->line = r->line;
	}
	return item;
}

static bool add_text(
	const struct reading *r, enum script_item_kind kind, const char *text)
{
	struct script_item *item = add_item(r, kind);

	if (item == NULL)
		return false;
	item->text = text_copy(text, r->err);
	return item->text != NULL;
}

/* Cut the text at its end; is that what stood there? */
static bool cut_end(char *text, const char *end)
{
	size_t len = strlen(text), cut = strlen(end);

	if (len < cut || strcmp(text + len - cut, end) != 0)
		return false;
	text[len - cut] = '\0';
	return true;
}

/* One line of a block, below its command. */
static bool read_line(const struct reading *r, struct script_item *item,
	const char *text, size_t number)
{
	struct script_line *line = array_grow(
		&item->lines, &item->line_count, sizeof(*line), r->err);
	char *question;

	if (line == NULL)
		return false;
	line->line = number;
	line->kind = LINE_BREAK;
	if (strcmp(text, "^C") == 0)
		return true;
	line->text = text_copy(text, r->err);
	if (line->text == NULL)
		return false;
	line->kind = LINE_TEXT;
	question = strstr(line->text, "? ");
	if (cut_end(line->text, " (glob)")) {
		line->kind = LINE_GLOB;
	} else if (cut_end(line->text, " (re)")) {
		line->kind = LINE_REGEX;
	} else if (question != NULL && question[2] != '\0') {
		line->kind = LINE_ANSWER;
		line->answer = text_copy(question + 2, r->err);
		question[1] = '\0';
		return line->answer != NULL;
	}
	return true;
}

/* "[N]": the exit status that is right. */
static bool is_status(const char *text, int *out)
{
	struct err ignored = ERR_EMPTY;
	size_t len = strlen(text);
	char digits[4] = "";
	int64_t number;

	if (len < 3 || len > 5 || text[0] != '[' || text[len - 1] != ']')
		return false;
	memcpy(digits, text + 1, len - 2);
	if (!number_parse(digits, 0, 255, &number, &ignored))
		return false;
	*out = (int)number;
	return true;
}

static bool read_block_line(const struct reading *r, const char *text,
	size_t number, struct script_item **item)
{
	if (strncmp(text, "# ", 2) == 0) {
		*item = add_item(r, ITEM_COMMAND);
		if (*item == NULL)
			return false;
		(*item)->line = number;
		(*item)->text = text_copy(text + 2, r->err);
		return (*item)->text != NULL;
	}
	if (text[0] == '\0')
		return true;
	if (*item == NULL) {
		*item = add_item(r, ITEM_SHOWN);
		if (*item == NULL)
			return false;
		(*item)->line = number;
	}
	if ((*item)->kind == ITEM_COMMAND && is_status(text, &(*item)->status))
		return true;
	return read_line(r, *item, text, number);
}

/* An indented block: commands and what they show, or what the screen shows. */
static bool read_block(const struct reading *r, cmark_node *node)
{
	char *text = text_copy(cmark_node_get_literal(node), r->err);
	struct script_item *item = NULL;
	size_t number = r->line;
	char *line, *rest;
	bool ok = text != NULL;

	for (line = text; ok && line != NULL && *line != '\0'; line = rest) {
		rest = strchr(line, '\n');
		if (rest != NULL)
			*rest++ = '\0';
		ok = read_block_line(r, line, number++, &item);
	}
	free(text);
	return ok;
}

/* "ROLE: text" behind the box. */
static bool read_confirm(const struct reading *r, const char *text)
{
	const char *colon = strstr(text, ": ");
	struct script_item *item;

	if (colon == NULL || colon == text)
		return refuse(r, "expected - [ ] ROLE: what is confirmed");
	item = add_item(r, ITEM_CONFIRM);
	if (item == NULL)
		return false;
	item->role = strndup(text, (size_t)(colon - text));
	item->text = text_copy(colon + 2, r->err);
	if (item->role == NULL)
		return err_nomem(r->err);
	return item->text != NULL;
}

/* "NAME: ____ (ROLE)". */
static bool read_value(
	const struct reading *r, const char *text, const char *blank)
{
	const char *role = blank + strlen(BLANK_VALUE);
	const char *end = strchr(role, ')');
	struct script_item *item;

	if (blank == text || end == NULL || end == role || end[1] != '\0')
		return refuse(r, "expected - NAME: ____ (ROLE)");
	/* The journal has "NAME: VALUE". */
	if (strstr(text, ": ") != blank)
		return refuse(r, "a colon and a blank in the name of a value");
	item = add_item(r, ITEM_VALUE);
	if (item == NULL)
		return false;
	item->text = strndup(text, (size_t)(blank - text));
	item->role = strndup(role, (size_t)(end - role));
	if (item->text == NULL || item->role == NULL)
		return err_nomem(r->err);
	return true;
}

static bool read_entry(struct reading *r, cmark_node *node)
{
	struct buf text = BUF_EMPTY;
	const char *said, *blank;
	bool ok;

	r->line = r->offset + (size_t)cmark_node_get_start_line(node);
	ok = node_text(r, node, &text);
	said = buf_string(&text);
	blank = strstr(said, BLANK_VALUE);
	if (ok && strncmp(said, "[ ] ", 4) == 0)
		ok = read_confirm(r, said + 4);
	else if (ok && blank != NULL)
		ok = read_value(r, said, blank);
	else if (ok)
		ok = add_text(r, ITEM_TEXT, said);
	buf_free(&text);
	return ok;
}

static bool read_list(struct reading *r, cmark_node *node)
{
	cmark_node *entry = cmark_node_first_child(node);

	for (; entry != NULL; entry = cmark_node_next(entry))
		if (!read_entry(r, entry))
			return false;
	return true;
}

static bool read_act(const struct reading *r, const char *text)
{
	struct script *script = r->script;
	struct script_act *act = array_grow(
		&script->acts, &script->act_count, sizeof(*act), r->err);

	if (act == NULL)
		return false;
	act->line = r->line;
	act->title = text_copy(text, r->err);
	return act->title != NULL;
}

static bool add_role(
	const struct reading *r, struct script_step *step, const char *role)
{
	char **added = array_grow(
		&step->roles, &step->role_count, sizeof(*added), r->err);

	if (added == NULL)
		return false;
	*added = text_copy(role, r->err);
	return *added != NULL;
}

/* "CA IW, 8 min": roles, and the minutes that are planned. */
static bool read_plan(
	const struct reading *r, struct script_step *step, char *plan)
{
	char *comma = strchr(plan, ','), *state = NULL;
	int64_t minutes;

	if (comma != NULL) {
		char *number = comma + 1 + strspn(comma + 1, " ");

		*comma = '\0';
		if (!cut_end(number, " min"))
			return refuse(r, "expected {ROLE ROLE, N min}");
		if (!number_parse(number, 1, MINUTES_MAX, &minutes, r->err))
			return refused_at(r);
		step->minutes = (unsigned)minutes;
	}
	for (char *role = strtok_r(plan, " ", &state); role != NULL;
		role = strtok_r(NULL, " ", &state))
		if (!add_role(r, step, role))
			return false;
	return true;
}

/* Without blanks at its end. */
static void trim(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == ' ')
		text[--len] = '\0';
}

/* "12. Verify the disc {CA IW, 8 min}" */
static bool read_step(const struct reading *r, char *text)
{
	size_t digits = strspn(text, "0123456789");
	char *plan = strrchr(text, '{'), *title = text + digits + 2;
	struct script_act *act;
	struct script_step *step;
	int64_t number;

	if (r->script->act_count == 0)
		return refuse(r, "a step (##) before the first act (#)");
	if (digits == 0 || strncmp(text + digits, ". ", 2) != 0)
		return refuse(r, "expected ## NUMBER. TITLE {ROLES, N min}");
	text[digits] = '\0';
	if (!number_parse(text, 1, STEP_MAX, &number, r->err))
		return refused_at(r);
	act = &r->script->acts[r->script->act_count - 1];
	step = array_grow(&act->steps, &act->step_count, sizeof(*step), r->err);
	if (step == NULL)
		return false;
	step->number = (unsigned)number;
	step->line = r->line;
	if (plan != NULL && plan > title) {
		*plan++ = '\0';
		if (!cut_end(plan, "}"))
			return refuse(
				r, "{ without } at the end of the heading");
		if (!read_plan(r, step, plan))
			return false;
	}
	trim(title);
	step->title = text_copy(title, r->err);
	return step->title != NULL;
}

static bool read_heading(struct reading *r, cmark_node *node)
{
	int level = cmark_node_get_heading_level(node);
	struct buf text = BUF_EMPTY;
	char *copy = NULL;
	bool ok = node_text(r, node, &text);

	if (ok)
		copy = text_copy(buf_string(&text), r->err);
	ok = copy != NULL;
	if (ok && level == 1)
		ok = read_act(r, copy);
	else if (ok && level == 2)
		ok = read_step(r, copy);
	else if (ok)
		ok = refuse(r,
			"there are acts (#) and steps (##), and no lower headings");
	free(copy);
	buf_free(&text);
	return ok;
}

static bool read_text(
	struct reading *r, cmark_node *node, enum script_item_kind kind)
{
	struct buf text = BUF_EMPTY;
	bool ok = node_text(r, node, &text) &&
		  add_text(r, kind, buf_string(&text));

	buf_free(&text);
	return ok;
}

static bool read_node(struct reading *r, cmark_node *node)
{
	r->line = r->offset + (size_t)cmark_node_get_start_line(node);
	switch (cmark_node_get_type(node)) {
	case CMARK_NODE_HEADING:
		return read_heading(r, node);
	case CMARK_NODE_PARAGRAPH:
		return read_text(r, node, ITEM_TEXT);
	case CMARK_NODE_BLOCK_QUOTE:
		return read_text(r, node, ITEM_NOTE);
	case CMARK_NODE_CODE_BLOCK:
		return read_block(r, node);
	case CMARK_NODE_LIST:
		return read_list(r, node);
	default:
		return refuse(r,
			"no part of a script: there are headings, paragraphs, lists, quotations and indented blocks");
	}
}

static bool read_body(struct script *script, const uint8_t *bytes, size_t size,
	size_t line, struct err *err)
{
	struct reading r = {.script = script, .offset = line - 1, .err = err};
	cmark_node *top = cmark_parse_document(
		(const char *)bytes, size, CMARK_OPT_DEFAULT);
	bool ok = true;

	if (top == NULL)
		return err_nomem(err);
	for (cmark_node *node = cmark_node_first_child(top); ok && node != NULL;
		node = cmark_node_next(node))
		ok = read_node(&r, node);
	cmark_node_free(top);
	return ok;
}

/* UTF-8 that is seen as it is: neither control characters nor hidden marks. */
static bool check_bytes(const struct script *script, const uint8_t *bytes,
	size_t size, struct err *err)
{
	size_t line = 1, len;

	for (size_t i = 0; i < size; i += len) {
		uint32_t character = 0;

		len = utf8_read((const char *)bytes + i, size - i, &character);
		if (character == '\n' && len == 1)
			line++;
		else if (len == 0)
			return err_set(err, ERR_INPUT,
				"%s:%zu: byte 0x%02x is not UTF-8",
				script->path, line, bytes[i]);
		else if (!utf8_is_shown(character))
			return err_set(err, ERR_INPUT,
				"%s:%zu: character U+%04X cannot be seen; blanks indent, and lines end with a newline alone",
				script->path, line, (unsigned)character);
	}
	return true;
}

bool script_parse(const char *name, const uint8_t *bytes, size_t size,
	struct script **out, struct err *err)
{
	struct script *script = calloc(1, sizeof(*script));
	size_t body, line;
	bool ok;

	if (script == NULL)
		return err_nomem(err);
	script->path = text_copy(name, err);
	ok = script->path != NULL && check_bytes(script, bytes, size, err) &&
	     front_read(script, bytes, size, &body, &line, err) &&
	     read_body(script, bytes + body, size - body, line, err);
	if (!ok) {
		script_free(script);
		return false;
	}
	*out = script;
	return true;
}

bool script_read(const char *path, struct script **out, struct err *err)
{
	struct buf bytes = BUF_EMPTY;
	bool ok = file_read(path, SCRIPT_SIZE_MAX, &bytes, err) &&
		  script_parse(path, bytes.data, bytes.len, out, err);

	buf_free(&bytes);
	return ok;
}
