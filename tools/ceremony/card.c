/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/card.h"

#include "lib/base/array.h"
#include "lib/base/text.h"
#include "lib/base/utf8.h"

#include <locale.h>
#include <ncurses.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_ROWS 3
#define MARGIN 2
#define WIDEST 100 /* longer lines are hard to read */
#define RED 1
#define REDRAW 0x0c  /* Ctrl-L: a serial line may have lost something */
#define ESCAPE_MS 50 /* a lone Esc is no longer waited for */

bool card_add(struct card *card, enum card_look look, size_t indent, bool now,
	struct err *err, const char *fmt, ...)
{
	struct card_line *line =
		array_grow(&card->lines, &card->count, sizeof(*line), err);
	va_list list;
	int len;

	if (line == NULL)
		return false;
	line->look = look;
	line->indent = indent;
	line->now = now;
	va_start(list, fmt);
	len = vasprintf(&line->text, fmt, list);
	va_end(list);
	if (len >= 0)
		return true;
	line->text = NULL;
	return err_nomem(err);
}

void card_clear(struct card *card)
{
	for (size_t i = 0; i < card->count; i++)
		free(card->lines[i].text);
	free(card->lines);
	buf_free(&card->top);
	buf_free(&card->act);
	buf_free(&card->right);
	buf_free(&card->side);
	buf_free(&card->keys);
	*card = (struct card)CARD_EMPTY;
}

/* One that cannot place its cursor shows no card. */
static SCREEN *take_terminal(const char *kind)
{
	SCREEN *screen = newterm(kind, stdout, stdin);
	const char *place = screen != NULL ? tigetstr("cup") : NULL;

	if (place != NULL && place != (const char *)-1)
		return screen;
	if (screen != NULL) {
		endwin();
		delscreen(screen);
	}
	return NULL;
}

/* ncurses keeps its screen; there is one, and it is made once. */
static bool start(struct err *err)
{
	setlocale(LC_ALL, "C.UTF-8");
	if (take_terminal(NULL) == NULL && take_terminal("vt100") == NULL)
		return err_set(err, ERR_USAGE,
			"this terminal cannot show cards: set TERM to its kind");
	set_escdelay(ESCAPE_MS);
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(RED, COLOR_RED, -1);
	}
	return true;
}

bool card_open(struct err *err)
{
	if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
		return err_set(err, ERR_USAGE, "run needs a terminal");
	if (stdscr == NULL && !start(err))
		return false;
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	curs_set(0);
	/* What a command left there is not the card's, nor is the last card. */
	erase();
	clearok(stdscr, TRUE);
	refresh();
	/* What was typed before the card was seen is no answer to it. */
	flushinp();
	return true;
}

void card_close(void)
{
	if (stdscr == NULL || isendwin())
		return;
	curs_set(1);
	endwin();
}

static int attributes(enum card_look look)
{
	switch (look) {
	case CARD_STRONG:
		return (int)A_BOLD;
	case CARD_DONE:
		return (int)A_DIM;
	case CARD_ALARM:
		return (int)(A_BOLD |
			     (has_colors() ? COLOR_PAIR(RED) : A_REVERSE));
	case CARD_PLAIN:
		break;
	}
	return (int)A_NORMAL;
}

/* What may be shown, a question mark for the rest. */
static void clean(struct buf *out, const char *text)
{
	size_t left = strlen(text), len;

	for (; left > 0; text += len, left -= len) {
		uint32_t character = 0;

		len = utf8_read(text, left, &character);
		if (len > 0 && utf8_is_shown(character)) {
			buf_bytes(out, text, len);
		} else {
			buf_u8(out, '?');
			len = len > 0 ? len : 1;
		}
	}
}

static void put(int row, int column, int look, const char *text, int room)
{
	struct buf shown = BUF_EMPTY;

	clean(&shown, text);
	attron(look);
	if (room > 0)
		mvaddnstr(row, column, buf_string(&shown), room);
	attroff(look);
	buf_free(&shown);
}

static int text_width(int columns, size_t indent)
{
	int width = columns - 2 * MARGIN - (int)indent;

	if (width > WIDEST)
		width = WIDEST;
	return width < 8 ? 8 : width;
}

struct row {
	char *text; /* borrowed */
	enum card_look look;
	size_t indent;
};

struct rows {
	struct row *all;
	size_t count, now; /* now: the first that is to be seen */
	struct buf *texts; /* one a line of the card; what rows borrow from */
};

static bool add_rows(struct rows *rows, size_t i, const struct card_line *line,
	int columns, struct err *err)
{
	struct buf clear = BUF_EMPTY;
	char *state = NULL, *text;
	struct row *row;

	clean(&clear, line->text);
	text_fold(&rows->texts[i], buf_string(&clear),
		(size_t)text_width(columns, line->indent),
		line->indent > 0 ? 4 : 0);
	buf_free(&clear);
	if (line->now)
		rows->now = rows->count;
	text = strtok_r(
		(char *)(uintptr_t)buf_string(&rows->texts[i]), "\n", &state);
	do {
		row = array_grow(&rows->all, &rows->count, sizeof(*row), err);
		if (row == NULL)
			return false;
		*row = (struct row){text, line->look, line->indent};
	} while ((text = strtok_r(NULL, "\n", &state)) != NULL);
	return true;
}

/* Lines broken to the terminal's width; memory that is short shows less. */
static void make_rows(const struct card *card, int columns, struct rows *rows)
{
	struct err none = ERR_EMPTY;

	rows->texts = calloc(card->count + 1, sizeof(*rows->texts));
	for (size_t i = 0; rows->texts != NULL && i < card->count; i++)
		if (!add_rows(rows, i, &card->lines[i], columns, &none))
			break;
}

static void free_rows(struct rows *rows, size_t count)
{
	for (size_t i = 0; rows->texts != NULL && i < count; i++)
		buf_free(&rows->texts[i]);
	free(rows->texts);
	free(rows->all);
}

/* The part that has what is to be done now in its upper half. */
static size_t first_row(const struct rows *rows, int room, int scroll)
{
	long last = (long)rows->count - room;
	long first = (long)rows->now - room / 2 + scroll;

	if (first > last)
		first = last;
	return first < 0 ? 0 : (size_t)first;
}

static void draw_rows(
	const struct card *card, int scroll, int height, int width)
{
	int room = height - HEAD_ROWS;
	struct rows rows = {.all = NULL};
	size_t first;

	make_rows(card, width, &rows);
	first = first_row(&rows, room, scroll);
	for (int i = 0; i < room && first + (size_t)i < rows.count; i++) {
		const struct row *row = &rows.all[first + (size_t)i];

		if (row->text != NULL)
			put(HEAD_ROWS + i, MARGIN + (int)row->indent,
				attributes(row->look), row->text,
				width - MARGIN - (int)row->indent);
	}
	if (first > 0)
		put(HEAD_ROWS, width - 5, attributes(CARD_DONE), "more", 4);
	if (first + (size_t)(room > 0 ? room : 0) < rows.count)
		put(height - 1, width - 5, attributes(CARD_DONE), "more", 4);
	free_rows(&rows, card->count);
}

static void put_right(int row, struct buf *text, enum card_look look)
{
	int column = COLS - MARGIN - (int)text->len;

	put(row, column > MARGIN ? column : MARGIN, attributes(look),
		buf_string(text), COLS - MARGIN);
}

/* The keys, in as many rows as they need; the row above them. */
static int draw_foot(const struct card *card)
{
	struct card shown = *card;
	struct buf text = BUF_EMPTY;
	char *state = NULL, *line;
	int rows = 1;

	text_fold(
		&text, buf_string(&shown.keys), (size_t)(COLS - 2 * MARGIN), 0);
	for (size_t i = 0; i < text.len; i++)
		rows += text.data[i] == '\n';
	mvhline(LINES - rows - 1, 0, 0, COLS);
	line = strtok_r((char *)(uintptr_t)buf_string(&text), "\n", &state);
	for (int i = 0; line != NULL; i++) {
		put(LINES - rows + i, MARGIN, attributes(CARD_PLAIN), line,
			COLS - MARGIN);
		line = strtok_r(NULL, "\n", &state);
	}
	buf_free(&text);
	return LINES - rows - 1;
}

void card_draw(const struct card *card, int scroll)
{
	struct card shown = *card;

	erase();
	put(0, MARGIN, attributes(CARD_STRONG), buf_string(&shown.top),
		COLS - MARGIN - (int)shown.right.len - 3);
	put_right(0, &shown.right, CARD_PLAIN);
	put(1, MARGIN, attributes(CARD_PLAIN), buf_string(&shown.act),
		COLS - MARGIN - (int)shown.side.len - 3);
	put_right(1, &shown.side, shown.alarm ? CARD_ALARM : CARD_DONE);
	mvhline(2, 0, 0, COLS);
	draw_rows(card, scroll, draw_foot(card), COLS);
	refresh();
}

int card_key(int wait_ms)
{
	int key;

	timeout(wait_ms);
	key = getch();
	switch (key) {
	case ERR:
		return isatty(STDIN_FILENO) == 1 ? CARD_NOTHING : CARD_GONE;
	case REDRAW:
		clearok(curscr, TRUE);
		return CARD_NOTHING;
	case KEY_ENTER:
	case '\r':
		return CARD_ENTER;
	case KEY_UP:
	case KEY_PPAGE:
		return CARD_UP;
	case KEY_DOWN:
	case KEY_NPAGE:
		return CARD_DOWN;
	default:
		return key;
	}
}
