/* SPDX-License-Identifier: ISC */
/* What a script holds, apart from how it is read. */
#include "tools/ceremony/script.h"

#include <fnmatch.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

static void items_free(struct script_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t l = 0; l < items[i].line_count; l++) {
			free(items[i].lines[l].text);
			free(items[i].lines[l].answer);
		}
		free(items[i].lines);
		free(items[i].text);
		free(items[i].role);
	}
	free(items);
}

static void step_clear(struct script_step *step)
{
	for (size_t i = 0; i < step->role_count; i++)
		free(step->roles[i]);
	free(step->roles);
	free(step->title);
	items_free(step->items, step->item_count);
}

static void act_clear(struct script_act *act)
{
	for (size_t i = 0; i < act->step_count; i++)
		step_clear(&act->steps[i]);
	free(act->steps);
	free(act->title);
	items_free(act->items, act->item_count);
}

static void names_free(struct script_name *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(names[i].name);
		free(names[i].text);
	}
	free(names);
}

void script_free(struct script *script)
{
	if (script == NULL)
		return;
	for (size_t i = 0; i < script->act_count; i++)
		act_clear(&script->acts[i]);
	free(script->acts);
	items_free(script->items, script->item_count);
	names_free(script->roles, script->role_count);
	names_free(script->set, script->set_count);
	free(script->disc_sha256);
	free(script->disc);
	free(script->title);
	free(script->ceremony);
	free(script->path);
	free(script);
}

const struct script_name *script_name(
	const struct script_name *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i].name, name) == 0)
			return &names[i];
	return NULL;
}

/* Put what ${NAME} at *text stands for, and go past it. */
static bool expand_one(const struct script *script, const char **text,
	struct buf *out, struct err *err)
{
	const char *from = *text + 2, *end = strchr(from, '}');
	const struct script_name *found = NULL;

	if (end == NULL)
		return err_set(err, ERR_INPUT, "${ without }: %s", *text);
	for (size_t i = 0; i < script->set_count; i++)
		if (strlen(script->set[i].name) == (size_t)(end - from) &&
			strncmp(script->set[i].name, from,
				(size_t)(end - from)) == 0)
			found = &script->set[i];
	if (found == NULL)
		return err_set(err, ERR_INPUT, "${%.*s} is not in set",
			(int)(end - from), from);
	buf_text(out, found->text);
	*text = end + 1;
	return true;
}

bool script_expand(const struct script *script, const char *text,
	struct buf *out, struct err *err)
{
	while (*text != '\0') {
		if (strncmp(text, "${", 2) != 0)
			buf_u8(out, (uint8_t)*text++);
		else if (!expand_one(script, &text, out, err))
			return false;
	}
	return buf_ok(out, err);
}

/* Does the whole line match? */
static bool matches_regex(
	const char *pattern, const char *shown, bool *out, struct err *err)
{
	struct buf whole = BUF_EMPTY;
	regex_t compiled;
	int status;

	buf_format(&whole, "^(%s)$", pattern);
	if (!buf_ok(&whole, err))
		return false;
	status = regcomp(
		&compiled, buf_string(&whole), REG_EXTENDED | REG_NOSUB);
	buf_free(&whole);
	if (status != 0)
		return err_set(err, ERR_INPUT, "not a regular expression: %s",
			pattern);
	*out = regexec(&compiled, shown, 0, NULL, 0) == 0;
	regfree(&compiled);
	return true;
}

static bool matches(const struct script_line *line, const char *text,
	const char *shown, bool *out, struct err *err)
{
	switch (line->kind) {
	case LINE_TEXT:
	case LINE_ANSWER:
		*out = strstr(shown, text) != NULL;
		return true;
	case LINE_GLOB:
		*out = fnmatch(text, shown, 0) == 0;
		return true;
	case LINE_REGEX:
		return matches_regex(text, shown, out, err);
	case LINE_BREAK:
		break;
	}
	*out = false;
	return true;
}

bool script_seen(const struct script *script, const struct script_item *item,
	const char *shown, size_t *next, struct err *err)
{
	const struct script_line *line;
	struct buf text = BUF_EMPTY;
	bool same = false, ok = true;

	if (*next >= item->line_count)
		return true;
	line = &item->lines[*next];
	if (line->text != NULL)
		ok = script_expand(script, line->text, &text, err);
	ok = ok && matches(line, buf_string(&text), shown, &same, err);
	buf_free(&text);
	if (same)
		(*next)++;
	return ok;
}
