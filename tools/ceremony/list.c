/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/list.h"

#include "lib/cli/print.h"
#include "tools/ceremony/command.h"

/* A field: no text of a script has a tab or a newline in it. */
static bool put(const struct script *script, const char *text, struct buf *out,
	struct err *err)
{
	buf_u8(out, '\t');
	return script_expand(script, text, out, err);
}

static bool put_line(const struct script *script,
	const struct script_line *line, struct buf *out, struct err *err)
{
	static const char *const names[] = {
		[LINE_TEXT] = "see",
		[LINE_GLOB] = "glob",
		[LINE_REGEX] = "regex",
		[LINE_ANSWER] = "answer",
		[LINE_BREAK] = "break",
	};

	buf_text(out, names[line->kind]);
	if (line->text != NULL && !put(script, line->text, out, err))
		return false;
	if (line->answer != NULL && !put(script, line->answer, out, err))
		return false;
	buf_u8(out, '\n');
	return true;
}

static bool put_item(const struct script *script,
	const struct script_item *item, struct buf *out, struct err *err)
{
	static const char *const names[] = {
		[ITEM_TEXT] = "text",
		[ITEM_NOTE] = "note",
		[ITEM_COMMAND] = "command",
		[ITEM_SHOWN] = "shown",
		[ITEM_CONFIRM] = "confirm",
		[ITEM_VALUE] = "value",
	};

	buf_text(out, names[item->kind]);
	if (item->kind == ITEM_COMMAND)
		buf_format(out, "\t%d", item->status);
	if (item->role != NULL)
		buf_format(out, "\t%s", item->role);
	if (item->text != NULL && !put(script, item->text, out, err))
		return err_prefix(err, "%s:%zu", script->path, item->line);
	buf_u8(out, '\n');
	for (size_t i = 0; i < item->line_count; i++)
		if (!put_line(script, &item->lines[i], out, err))
			return err_prefix(err, "%s:%zu", script->path,
				item->lines[i].line);
	return true;
}

static bool put_items(const struct script *script,
	const struct script_item *items, size_t count, struct buf *out,
	struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (!put_item(script, &items[i], out, err))
			return false;
	return true;
}

static bool put_step(const struct script *script,
	const struct script_step *step, struct buf *out, struct err *err)
{
	buf_format(out, "step\t%u\t", step->number);
	for (size_t i = 0; i < step->role_count; i++)
		buf_format(out, "%s%s", i > 0 ? " " : "", step->roles[i]);
	buf_format(out, "\t%u\t%s\n", step->minutes, step->title);
	return put_items(script, step->items, step->item_count, out, err);
}

bool list_script(const struct script *script, struct buf *out, struct err *err)
{
	if (!put_items(script, script->items, script->item_count, out, err))
		return false;
	for (size_t a = 0; a < script->act_count; a++) {
		const struct script_act *act = &script->acts[a];

		buf_format(out, "act\t%s\n", act->title);
		if (!put_items(script, act->items, act->item_count, out, err))
			return false;
		for (size_t s = 0; s < act->step_count; s++)
			if (!put_step(script, &act->steps[s], out, err))
				return false;
	}
	return buf_ok(out, err);
}

static bool list(const struct command_given *given, struct err *err)
{
	struct script *script = NULL;
	struct buf text = BUF_EMPTY;
	bool ok = script_read(given->operands[0], &script, err) &&
		  list_script(script, &text, err) && print_text(&text, err);

	buf_free(&text);
	script_free(script);
	return ok;
}

const struct command command_list = {
	.name = "list",
	.options = "",
	.operands = "one script",
	.least = 1,
	.most = 1,
	.run = list,
};
