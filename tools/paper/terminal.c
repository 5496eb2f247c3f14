/* SPDX-License-Identifier: ISC */
#include "tools/paper/terminal.h"

#include "lib/base/buf.h"
#include "lib/base/utf8.h"

#include <stdlib.h>
#include <vterm.h>

#define BLANK ' '
#define BEHIND_WIDE ((uint32_t)-1)
/*
 * A font that nobody uses marks the first cell of a row into which the row
 * above went on: so the mark moves, scrolls and is erased as the text is.
 * (libvterm's own mark, since 0.2, is lost where a line editor writes again.)
 */
#define MARK 9
#define MARK_ON "\033[19m"
#define MARK_OFF "\033[10m"

struct terminal {
	VTerm *vterm;
	VTermScreen *screen;
	VTermState *state;
	int rows, columns;
	terminal_scrolled *scrolled;
	void *context;
};

static void take_cells(
	const VTermScreenCell *cells, int count, struct terminal_row *out)
{
	size_t end = 0;

	buf_clear(&out->text);
	out->columns = 0;
	out->goes_on = count > 0 && cells[0].attrs.font == MARK;
	for (int i = 0; i < count; i++) {
		const uint32_t *chars = cells[i].chars;

		if (chars[0] == BEHIND_WIDE)
			continue;
		if (chars[0] == 0)
			buf_u8(&out->text, BLANK);
		for (int n = 0; n < VTERM_MAX_CHARS_PER_CELL && chars[n]; n++)
			utf8_write(&out->text, chars[n]);
		if (chars[0] == 0 || chars[0] == BLANK)
			continue;
		end = out->text.len;
		out->columns = (size_t)i + (size_t)cells[i].width;
	}
	out->text.len = end;
}

static int push(int count, const VTermScreenCell *cells, void *context)
{
	struct terminal *terminal = context;
	struct terminal_row row = {.text = BUF_EMPTY};

	if (terminal->scrolled == NULL)
		return 1;
	take_cells(cells, count, &row);
	terminal->scrolled(terminal->context, &row);
	buf_free(&row.text);
	return 1;
}

/* What it would answer to a program. */
static void drop(const char *bytes, size_t len, void *context)
{
	(void)bytes;
	(void)len;
	(void)context;
}

bool terminal_new(int rows, int columns, terminal_scrolled *scrolled,
	void *context, struct terminal **out, struct err *err)
{
	static const VTermScreenCallbacks callbacks = {.sb_pushline = push};
	struct terminal *terminal = calloc(1, sizeof(*terminal));

	if (terminal == NULL)
		return err_nomem(err);
	terminal->vterm = vterm_new(rows, columns);
	if (terminal->vterm == NULL) {
		free(terminal);
		return err_nomem(err);
	}
	terminal->rows = rows;
	terminal->columns = columns;
	terminal->scrolled = scrolled;
	terminal->context = context;
	vterm_set_utf8(terminal->vterm, 1);
	vterm_output_set_callback(terminal->vterm, drop, NULL);
	terminal->screen = vterm_obtain_screen(terminal->vterm);
	terminal->state = vterm_obtain_state(terminal->vterm);
	vterm_screen_set_callbacks(terminal->screen, &callbacks, terminal);
	vterm_screen_reset(terminal->screen, 1);
	*out = terminal;
	return true;
}

void terminal_free(struct terminal *terminal)
{
	if (terminal == NULL)
		return;
	vterm_free(terminal->vterm);
	free(terminal);
}

void terminal_control(struct terminal *terminal, const void *bytes, size_t len)
{
	vterm_input_write(terminal->vterm, bytes, len);
}

void terminal_put(struct terminal *terminal, const void *bytes, size_t len)
{
	VTermScreenCell cell;
	VTermPos at;
	bool mark;

	terminal_cursor(terminal, &at.row, &at.col);
	/* At the right edge it is this one or the next that goes on below. */
	mark = at.col >= terminal->columns - 1;
	if (at.col == 0 &&
		vterm_screen_get_cell(terminal->screen, at, &cell) != 0)
		mark = cell.attrs.font == MARK;
	if (mark)
		vterm_input_write(
			terminal->vterm, MARK_ON, sizeof(MARK_ON) - 1);
	vterm_input_write(terminal->vterm, bytes, len);
	if (mark)
		vterm_input_write(
			terminal->vterm, MARK_OFF, sizeof(MARK_OFF) - 1);
}

static int clamp(int value, int sides)
{
	if (value < 0)
		return 0;
	return value < sides ? value : sides - 1;
}

/* Whatever libvterm says: who asks counts up to it. */
void terminal_cursor(const struct terminal *terminal, int *row, int *column)
{
	VTermPos at;

	vterm_state_get_cursorpos(terminal->state, &at);
	*row = clamp(at.row, terminal->rows);
	*column = clamp(at.col, terminal->columns);
}

void terminal_row(
	const struct terminal *terminal, int row, struct terminal_row *out)
{
	VTermScreenCell *cells =
		calloc((size_t)terminal->columns, sizeof(*cells));

	buf_clear(&out->text);
	out->text.failed = out->text.failed || cells == NULL;
	if (cells == NULL)
		return;
	for (int i = 0; i < terminal->columns; i++)
		vterm_screen_get_cell(terminal->screen,
			(VTermPos){.row = row, .col = i}, &cells[i]);
	take_cells(cells, terminal->columns, out);
	free(cells);
}

int terminal_used(const struct terminal *terminal)
{
	struct terminal_row row = {.text = BUF_EMPTY};
	int used = terminal->rows;

	for (; used > 0; used--) {
		terminal_row(terminal, used - 1, &row);
		if (row.text.len > 0)
			break;
	}
	buf_free(&row.text);
	return used;
}
