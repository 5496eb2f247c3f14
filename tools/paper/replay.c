/* SPDX-License-Identifier: ISC */
#include "tools/paper/replay.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/utf8.h"
#include "tools/paper/page.h"
#include "tools/paper/plain.h"
#include "tools/paper/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 24
#define COLUMNS 80
#define SIDE_MIN 2
#define ROWS_MAX 200
#define COLUMNS_MAX 400
#define SIZES_MAX 500
#define REPEATS_MAX 1000000 /* of a recording */
#define SEQUENCE_MAX 256
#define ARGUMENTS_MAX 16 /* as libvterm: one more is behind its own list */
#define DIGITS_MAX 9     /* of a number: what an int has room for */
/* In one place; of those behind the sixth a terminal's cell has none. */
#define MARKS_MAX 16
/*
 * A line of the page takes at least two bytes of a recording, but for what is
 * cleared away.
 */
#define LINES_FREE 1000
#define BYTES_A_LINE 2
#define LINES_MAX 100000
#define EMPTY_MAX 100 /* one after the other */
#define ESC 0x1b
#define BEL 0x07
#define CAN 0x18
#define SUB 0x1a
#define DEL 0x7f

enum state {
	STATE_TEXT,
	STATE_ESCAPE,
	STATE_CONTROL,       /* CSI */
	STATE_STRING,        /* OSC, DCS and the like */
	STATE_STRING_ESCAPE, /* in a string, behind ESC */
};

/* What is said before the row of that number. */
struct aside {
	size_t row;
	size_t lines;
	struct buf text;
};

struct replay {
	struct buf *out;
	struct terminal *main, *alternate; /* alternate may be NULL */
	struct terminal *trial;            /* where nothing else is, or NULL */
	int rows, columns;
	size_t left; /* rows that scrolled off main or were cleared away */
	struct aside *asides;
	size_t aside_count, aside_said;
	size_t waiting; /* lines of asides that are not said yet */

	/* The line that grows, and the width where its last row was. */
	struct buf line;
	size_t line_columns;
	bool line_open;
	size_t lines, most, too_many, empty, sizes, repeats;

	struct buf seen; /* of the alternate screen, before it was cleared */
	enum state state;
	uint8_t sequence[SEQUENCE_MAX];
	size_t len; /* of the sequence, or the character, or the string */
	uint8_t last[UTF8_MAX];
	size_t last_len; /* of the character to repeat, 0: there is none */
	size_t marks;    /* put one after the other without a step */
	bool newline_returns;
	bool inserts; /* a mode */
	bool failed;  /* err says why */
	struct err *err;
};

/* Lines */

static size_t lines_of(size_t len)
{
	return 1 + len / PAGE_COLUMNS;
}

static void say(struct replay *replay, const char *text, size_t len)
{
	if (replay->lines >= replay->most) {
		replay->too_many++;
		return;
	}
	replay->lines += lines_of(len);
	buf_bytes(replay->out, text, len);
	buf_u8(replay->out, '\n');
}

static void say_empty(struct replay *replay)
{
	char text[80];
	int len;

	for (size_t i = 0; i < replay->empty && i < EMPTY_MAX; i++)
		say(replay, "", 0);
	if (replay->empty > EMPTY_MAX) {
		len = snprintf(text, sizeof(text),
			"%c[left out: %zu more empty lines]", PAGE_NOTE,
			replay->empty - EMPTY_MAX);
		say(replay, text, (size_t)len);
	}
	replay->empty = 0;
}

static void end_line(struct replay *replay)
{
	if (!replay->line_open)
		return;
	replay->line_open = false;
	if (replay->line.len == 0) {
		replay->empty++;
		return;
	}
	say_empty(replay);
	say(replay, (const char *)replay->line.data, replay->line.len);
	buf_clear(&replay->line);
}

static void say_asides(struct replay *replay, size_t row)
{
	for (; replay->aside_said < replay->aside_count; replay->aside_said++) {
		struct aside *aside = &replay->asides[replay->aside_said];
		const char *text = buf_string(&aside->text);

		if (aside->row > row)
			return;
		replay->waiting -= aside->lines;
		end_line(replay);
		say_empty(replay);
		for (; *text != '\0'; text += strcspn(text, "\n") + 1)
			say(replay, text, strcspn(text, "\n"));
		buf_free(&aside->text);
	}
}

/* The next row of main; width is that of the terminal. */
static void take_row(struct replay *replay, const struct terminal_row *row)
{
	if (!row->goes_on || !replay->line_open) {
		end_line(replay);
		say_asides(replay, replay->left);
	} else {
		/* What was erased at its end stands between. */
		for (; replay->line_columns < (size_t)replay->columns;
			replay->line_columns++)
			buf_u8(&replay->line, ' ');
	}
	buf_bytes(&replay->line, row->text.data, row->text.len);
	replay->line_columns = row->columns;
	replay->line_open = true;
	replay->left++;
}

static void scrolled(void *context, const struct terminal_row *row)
{
	take_row(context, row);
}

/*
 * Said where main's cursor is: above its row, if nothing is there yet.  NULL:
 * not so many lines more, as they would wait in memory, or no memory.
 */
static struct buf *add_aside(struct replay *replay, size_t lines)
{
	struct aside *aside;
	int row, column;

	if (replay->lines + replay->waiting + lines > replay->most) {
		replay->too_many += lines;
		return NULL;
	}
	aside = array_grow(&replay->asides, &replay->aside_count,
		sizeof(*aside), replay->err);
	if (aside == NULL) {
		replay->failed = true;
		return NULL;
	}
	terminal_cursor(replay->main, &row, &column);
	aside->row = replay->left + (size_t)row + (column > 0);
	aside->lines = lines;
	replay->waiting += lines;
	return &aside->text;
}

static void left_out(struct replay *replay, const char *what)
{
	struct buf *text = add_aside(replay, 1);

	if (text != NULL)
		buf_format(text, "%c[left out: %s]\n", PAGE_NOTE, what);
}

static void left_out_bytes(struct replay *replay, const char *what)
{
	struct buf text = BUF_EMPTY;

	buf_format(&text, "%zu bytes of %s", replay->len, what);
	left_out(replay, buf_string(&text));
	buf_free(&text);
}

/* The screen */

static struct terminal *screen(struct replay *replay)
{
	return replay->alternate != NULL ? replay->alternate : replay->main;
}

static bool new_terminal(
	struct replay *replay, bool alternate, struct terminal **out)
{
	if (!terminal_new(replay->rows, replay->columns,
		    alternate ? NULL : scrolled, replay, out, replay->err))
		replay->failed = true;
	else if (replay->inserts)
		terminal_control(*out, "\033[4h", 4);
	return !replay->failed;
}

/* All rows of main that show something, from the first. */
static void take_screen(struct replay *replay)
{
	struct terminal_row row = {.text = BUF_EMPTY};
	int used = terminal_used(replay->main);

	for (int i = 0; i < used; i++) {
		terminal_row(replay->main, i, &row);
		take_row(replay, &row);
	}
	replay->out->failed = replay->out->failed || row.text.failed;
	buf_free(&row.text);
}

/* The alternate screen as it is, if it shows anything. */
static void see(struct replay *replay)
{
	struct terminal_row row = {.text = BUF_EMPTY};
	int used = terminal_used(replay->alternate);

	if (used == 0)
		return;
	buf_clear(&replay->seen);
	for (int i = 0; i < used; i++) {
		terminal_row(replay->alternate, i, &row);
		buf_u8(&replay->seen, PAGE_ASIDE);
		buf_bytes(&replay->seen, row.text.data, row.text.len);
		buf_u8(&replay->seen, '\n');
	}
	buf_free(&row.text);
}

static void before_clearing(struct replay *replay)
{
	if (replay->alternate != NULL)
		see(replay);
	else
		take_screen(replay);
}

static void enter_alternate(struct replay *replay)
{
	if (replay->alternate != NULL)
		return;
	buf_clear(&replay->seen);
	new_terminal(replay, true, &replay->alternate);
}

static size_t lines_seen(struct replay *replay)
{
	const char *text = buf_string(&replay->seen);
	size_t lines = 0;

	for (; *text != '\0'; text += strcspn(text, "\n") + 1)
		lines += lines_of(strcspn(text, "\n"));
	return lines;
}

static void leave_alternate(struct replay *replay, const char *how)
{
	struct buf *text;

	if (replay->alternate == NULL)
		return;
	see(replay);
	terminal_free(replay->alternate);
	replay->alternate = NULL;
	text = add_aside(replay, 2 + lines_seen(replay));
	if (text == NULL)
		return;
	buf_format(text, "%c[%s]\n", PAGE_NOTE, how);
	buf_bytes(text, replay->seen.data, replay->seen.len);
	buf_format(text, "%c[end of the alternate screen]\n", PAGE_NOTE);
}

/* Change of size */

/* Rows from first on, put together where they went on. */
static void join_rows(
	struct replay *replay, int first, struct buf *text, size_t *offset)
{
	struct terminal_row row = {.text = BUF_EMPTY};
	int at, column, used = terminal_used(replay->main);
	size_t columns = 0, wide = (size_t)replay->columns;

	terminal_cursor(replay->main, &at, &column);
	for (int i = first; i < used || i <= at; i++) {
		terminal_row(replay->main, i, &row);
		if (i > first && !row.goes_on)
			buf_u8(text, '\n');
		else if (i > first)
			for (; columns < wide; columns++)
				buf_u8(text, ' ');
		buf_bytes(text, row.text.data, row.text.len);
		columns = row.columns;
		if (i == at) {
			for (; columns < (size_t)column; columns++)
				buf_u8(text, ' ');
			*offset = text->len - (columns - (size_t)column);
		}
	}
	buf_free(&row.text);
}

/* As typed at another width; the cursor comes to stand before byte offset. */
static void put_lines(struct replay *replay, struct buf *text, size_t offset)
{
	const char *bytes = buf_string(text);
	int row = 0, column = 0;
	char move[32];

	for (size_t i = 0; i <= text->len;) {
		uint32_t character;
		size_t len = utf8_read(bytes + i, text->len - i, &character);

		if (i == offset)
			terminal_cursor(replay->main, &row, &column);
		if (i == text->len)
			break;
		if (bytes[i] == '\n')
			terminal_control(replay->main, "\r\n", 2);
		else
			terminal_put(
				replay->main, bytes + i, len > 0 ? len : 1);
		i += len > 0 ? len : 1;
	}
	if (offset == text->len)
		return;
	snprintf(move, sizeof(move), "\033[%d;%dH", row + 1, column + 1);
	terminal_control(replay->main, move, strlen(move));
}

/*
 * Terminals differ in what they do with what is there: rows above the line
 * with the cursor are taken as they are, and nothing can overwrite them any
 * more; that line is set anew, as wide as it may be.
 */
static void change_size(struct replay *replay, int rows, int columns)
{
	struct terminal_row row = {.text = BUF_EMPTY};
	struct buf text = BUF_EMPTY;
	size_t offset = 0;
	int first, column;

	if (rows == replay->rows && columns == replay->columns)
		return;
	if (replay->sizes++ >= SIZES_MAX) {
		if (replay->sizes == SIZES_MAX + 1)
			left_out(replay, "more changes of size");
		return;
	}
	terminal_cursor(replay->main, &first, &column);
	for (; first > 0; first--) {
		terminal_row(replay->main, first, &row);
		if (!row.goes_on)
			break;
	}
	for (int i = 0; i < first; i++) {
		terminal_row(replay->main, i, &row);
		take_row(replay, &row);
	}
	join_rows(replay, first, &text, &offset);
	terminal_free(replay->main);
	replay->main = NULL;
	replay->rows = rows;
	replay->columns = columns;
	if (new_terminal(replay, false, &replay->main))
		put_lines(replay, &text, offset);
	if (replay->alternate != NULL && !replay->failed) {
		/* Who has such a screen draws all of it again. */
		see(replay);
		terminal_free(replay->alternate);
		replay->alternate = NULL;
		new_terminal(replay, true, &replay->alternate);
	}
	buf_free(&text);
	buf_free(&row.text);
}

static int within(long value, int most, int otherwise)
{
	if (value < SIDE_MIN)
		return otherwise;
	return value < most ? (int)value : most;
}

/* What a recording by script(1) says of its terminal: NAME="value". */
static long header_value(const char *line, size_t len, const char *name)
{
	size_t at = strlen(name);

	for (size_t i = 0; i + at < len; i++)
		if (memcmp(line + i, name, at) == 0)
			return strtol(line + i + at, NULL, 10);
	return 0;
}

static void header_size(struct replay *replay, const char *line, size_t len)
{
	replay->rows =
		within(header_value(line, len, " LINES=\""), ROWS_MAX, ROWS);
	replay->columns = within(
		header_value(line, len, " COLUMNS=\""), COLUMNS_MAX, COLUMNS);
}

/* Sequences */

struct arguments {
	char leader; /* '?' and the like; 0: none */
	bool marked; /* by a byte before the final one: another command */
	long values[ARGUMENTS_MAX];
	size_t count;
};

static bool is_within(uint8_t c, uint8_t from, uint8_t to)
{
	return c >= from && c <= to;
}

/*
 * Are the parts behind ESC [ there in their order (ECMA-48 5.4)?  libvterm
 * leaves a sequence where they are not, and takes the rest for text; others
 * take no notice of it.  Sub-parameters, behind colons, only colours have.
 */
static bool is_in_order(const uint8_t *text, size_t len)
{
	size_t at = len > 0 && is_within(text[0], 0x3c, 0x3f);

	while (at < len && is_within(text[at], 0x30, 0x3b) && text[at] != ':')
		at++;
	while (at < len && is_within(text[at], 0x20, 0x2f))
		at++;
	return at == len;
}

/* Behind ESC [, up to the final byte.  False: more than there is room for. */
static bool read_arguments(
	const uint8_t *text, size_t len, struct arguments *out)
{
	*out = (struct arguments){.count = 1};
	if (len > 0 && is_within(text[0], 0x3c, 0x3f)) {
		out->leader = (char)text[0];
		text++;
		len--;
	}
	for (size_t i = 0; i < len; i++) {
		long *value = &out->values[out->count - 1];

		if (is_within(text[i], '0', '9') && *value < 100000)
			*value = *value * 10 + (text[i] - '0');
		else if (text[i] == ';' && out->count++ == ARGUMENTS_MAX)
			return false;
		out->marked = out->marked || is_within(text[i], 0x20, 0x2f);
	}
	return true;
}

/* A larger number is as large as one can be: libvterm counts on over zero. */
static void shorten_numbers(struct replay *replay)
{
	uint8_t *text = replay->sequence;
	size_t len = 0, digits = 0;

	for (size_t i = 0; i < replay->len; i++) {
		digits = is_within(text[i], '0', '9') ? digits + 1 : 0;
		if (digits == 2 && text[len - 1] == '0') {
			digits = 1;
			len--;
		}
		if (digits <= DIGITS_MAX)
			text[len++] = text[i];
	}
	replay->len = len;
}

static bool is_alternate(const struct arguments *arguments)
{
	for (size_t i = 0; i < arguments->count; i++)
		if (arguments->values[i] == 47 ||
			arguments->values[i] == 1047 ||
			arguments->values[i] == 1049)
			return true;
	return false;
}

static bool is_at_home(struct replay *replay)
{
	int row, column;

	terminal_cursor(screen(replay), &row, &column);
	return row == 0 && column == 0;
}

static void take_erase(struct replay *replay, long what)
{
	/* What scrolled off is kept: 3 would forget it. */
	if (what == 3)
		return;
	if (what == 2 || (what == 0 && is_at_home(replay)))
		before_clearing(replay);
	terminal_control(screen(replay), replay->sequence, replay->len);
}

/* Its columns: 0 where it can join what stands before it. */
static int columns_of(struct replay *replay, const void *character, size_t len)
{
	int row, column = 1;

	if (replay->trial == NULL && !terminal_new(SIDE_MIN, COLUMNS, NULL,
					     NULL, &replay->trial, replay->err))
		replay->failed = true;
	if (replay->failed)
		return 1;
	terminal_control(replay->trial, "\r", 1);
	terminal_put(replay->trial, "x", 1);
	terminal_control(replay->trial, "\r", 1);
	terminal_put(replay->trial, character, len);
	terminal_cursor(replay->trial, &row, &column);
	return column;
}

/*
 * In insert mode libvterm moves the rest of the row by one column, whatever the
 * width, and a wide character would stand over what was there.
 */
static void put_with_room(
	struct replay *replay, const void *character, size_t len)
{
	int row, column;

	terminal_cursor(screen(replay), &row, &column);
	if (replay->inserts && len > 1 && column < replay->columns - 1 &&
		columns_of(replay, character, len) > 1)
		terminal_control(screen(replay), "\033[@", 3);
	terminal_put(screen(replay), character, len);
}

/*
 * The last character again, over the right edge, too, as in foot and xterm. Not
 * libvterm's own: that never ends behind what takes no room (an accent).
 */
static void take_repeat(struct replay *replay, long count)
{
	size_t all = count > 0 ? (size_t)count : 1, most = all;
	size_t cells = (size_t)replay->rows * (size_t)replay->columns;

	if (replay->last_len == 0)
		return;
	most = most < cells ? most : cells;
	if (most > REPEATS_MAX - replay->repeats)
		most = REPEATS_MAX - replay->repeats;
	for (size_t i = 0; i < most; i++)
		put_with_room(replay, replay->last, replay->last_len);
	replay->repeats += most;
	if (most < all)
		left_out(replay, "a character that is repeated more often");
}

static void take_size(struct replay *replay, const struct arguments *arguments)
{
	if (arguments->values[0] == 8 && arguments->count == 3)
		change_size(replay,
			within(arguments->values[1], ROWS_MAX, replay->rows),
			within(arguments->values[2], COLUMNS_MAX,
				replay->columns));
}

static void take_mode(struct replay *replay, bool set)
{
	if (set)
		enter_alternate(replay);
	else
		leave_alternate(replay, "the alternate screen, as last seen:");
}

/*
 * CSI s and CSI u are ESC 7 and ESC 8, with numbers and in any mode, as on the
 * Linux console, in foot and in tmux.  libvterm has only what they are in a
 * mode for margins at the sides (DECSLRM): its cursor would go to the upper
 * left.
 */
static void take_cursor(struct replay *replay, bool save)
{
	terminal_control(screen(replay), save ? "\0337" : "\0338", 2);
}

static void set_inserts(struct replay *replay, bool set)
{
	replay->inserts = set;
	terminal_control(screen(replay), set ? "\033[4h" : "\033[4l", 4);
}

/*
 * CSI 4 h, CSI 4 l and CSI ! p.  libvterm takes but the first number of a list,
 * and does not leave the mode for the last of these.
 */
static void note_inserts(
	struct replay *replay, uint8_t final, const struct arguments *arguments)
{
	if (replay->len == 4 && memcmp(replay->sequence, "\033[!p", 4) == 0)
		set_inserts(replay, false);
	if (arguments->marked || arguments->leader != 0 ||
		(final != 'h' && final != 'l'))
		return;
	for (size_t i = 0; i < arguments->count; i++)
		if (arguments->values[i] == 4)
			set_inserts(replay, final == 'h');
}

/* The commands that are not left to the terminal: true where it was one. */
static bool take_own(
	struct replay *replay, uint8_t final, const struct arguments *arguments)
{
	bool private = arguments->leader == '?';

	note_inserts(replay, final, arguments);
	if (arguments->marked || (arguments->leader != 0 && !private))
		return false;
	if (private && (final == 'h' || final == 'l') &&
		is_alternate(arguments))
		take_mode(replay, final == 'h');
	else if (final == 'J') /* with a '?', too */
		take_erase(replay, arguments->values[0]);
	else if (final == 't' && !private)
		take_size(replay, arguments);
	else if (final == 'b' && !private)
		take_repeat(replay, arguments->values[0]);
	else if ((final == 's' || final == 'u') && !private)
		take_cursor(replay, final == 's');
	else
		return false;
	return true;
}

static void take_control(struct replay *replay)
{
	uint8_t final = replay->sequence[replay->len - 1];
	struct arguments arguments;

	/* No colour is on paper, and a font is the terminal's own mark. */
	if (final == 'm' || !is_in_order(replay->sequence + 2, replay->len - 3))
		return;
	if (!read_arguments(
		    replay->sequence + 2, replay->len - 3, &arguments)) {
		left_out_bytes(replay, "a sequence with too many parameters");
		return;
	}
	shorten_numbers(replay);
	if (!take_own(replay, final, &arguments))
		terminal_control(screen(replay), replay->sequence, replay->len);
}

/*
 * Does libvterm know it?  A character set or #8 and the like; another coding
 * than UTF-8 (ESC %) is not recorded.  ESC ) [ it may take for ESC [.
 */
static bool is_escape(const uint8_t *sequence, size_t len)
{
	if (len == 2)
		return true;
	if (len != 3)
		return false;
	return sequence[1] == '#' ? is_within(sequence[2], '0', '9')
				  : is_within(sequence[1], '(', '+') &&
					    strchr("0AB", sequence[2]) != NULL;
}

static void take_escape(struct replay *replay)
{
	uint8_t kind = replay->sequence[1];

	if (!is_escape(replay->sequence, replay->len))
		return;
	if (kind == 'c') {
		leave_alternate(replay, "the alternate screen, as last seen:");
		if (!replay->failed)
			before_clearing(replay);
		replay->inserts = false;
	}
	if (!replay->failed)
		terminal_control(screen(replay), replay->sequence, replay->len);
}

/* Bytes */

static void take_text(struct replay *replay, uint8_t c);

/* A control character acts within a sequence, too. */
static void take_character(struct replay *replay, uint8_t c)
{
	static const char both[] = "\r\n";

	replay->last_len = 0;
	if (c == BEL || c == DEL || c == 0)
		return;
	if (c == '\n' && replay->newline_returns)
		terminal_control(screen(replay), both, 2);
	else
		terminal_control(screen(replay), &c, 1);
}

static void begin(struct replay *replay, enum state state, uint8_t c)
{
	replay->state = state;
	replay->len = 0;
	replay->sequence[replay->len++] = c;
}

/* One more byte of a sequence; what is too long is none. */
static bool add_byte(struct replay *replay, uint8_t c)
{
	if (replay->len == SEQUENCE_MAX) {
		replay->state = STATE_TEXT;
		left_out_bytes(replay, "a sequence that is too long");
		replay->len = 0;
		return false;
	}
	replay->sequence[replay->len++] = c;
	return true;
}

static void end_sequence(struct replay *replay, void (*take)(struct replay *))
{
	replay->state = STATE_TEXT;
	take(replay);
	replay->len = 0;
	replay->last_len = 0;
}

/* Control characters in a sequence: true where c was one. */
static bool take_within(struct replay *replay, uint8_t c)
{
	if (c == ESC) {
		begin(replay, STATE_ESCAPE, c);
	} else if (c == CAN || c == SUB) {
		replay->state = STATE_TEXT;
		replay->len = 0;
	} else if (c < 0x20 || c == DEL) {
		take_character(replay, c);
	} else {
		return false;
	}
	return true;
}

static void in_escape(struct replay *replay, uint8_t c)
{
	/* A byte of another character changes nothing here. */
	if (c >= 0x80 || take_within(replay, c) || !add_byte(replay, c))
		return;
	if (replay->len == 2 && c == '[') {
		replay->state = STATE_CONTROL;
	} else if (replay->len == 2 && strchr("]PX^_", c) != NULL) {
		replay->state = STATE_STRING;
		replay->len = 0;
		replay->sequence[0] = c;
	} else if (c >= 0x30) {
		end_sequence(replay, take_escape);
	}
}

static void in_control(struct replay *replay, uint8_t c)
{
	if (take_within(replay, c) || !add_byte(replay, c))
		return;
	if (c >= 0x80) {
		/* No sequence has such a byte: it ends here. */
		replay->state = STATE_TEXT;
		replay->len = 0;
		take_text(replay, c);
	} else if (c >= 0x40) {
		end_sequence(replay, take_control);
	}
}

static void end_string(struct replay *replay, bool ended)
{
	if (!ended)
		left_out_bytes(replay, "a string that nobody ended");
	else if (replay->sequence[0] == 'P')
		left_out_bytes(
			replay, "a picture or another string for the terminal");
	replay->state = STATE_TEXT;
	replay->len = 0;
}

static void in_string(struct replay *replay, uint8_t c)
{
	if (c == ESC)
		replay->state = STATE_STRING_ESCAPE;
	else if (c == BEL && replay->sequence[0] == ']')
		end_string(replay, true);
	else if (c == CAN || c == SUB)
		end_string(replay, false);
	else
		replay->len++;
}

static void in_string_escape(struct replay *replay, uint8_t c)
{
	end_string(replay, c == '\\');
	if (c == '\\')
		return;
	begin(replay, STATE_ESCAPE, ESC);
	in_escape(replay, c);
}

static void put(struct replay *replay, const void *character, size_t len)
{
	int row, column, before[2];

	/* libvterm goes over all marks of a place for each one more. */
	if (replay->marks > MARKS_MAX && len > 1 &&
		columns_of(replay, character, len) == 0)
		return;
	terminal_cursor(screen(replay), &before[0], &before[1]);
	put_with_room(replay, character, len);
	terminal_cursor(screen(replay), &row, &column);
	memcpy(replay->last, character, len);
	replay->last_len = len;
	/* The cursor stands still where there is no room behind it, too. */
	if (row == before[0] && column == before[1] && len > 1 &&
		columns_of(replay, character, len) == 0)
		replay->last_len = 0;
	replay->marks = replay->last_len > 0 ? 0 : replay->marks + 1;
}

static void put_none(struct replay *replay)
{
	put(replay, "\357\277\275", 3); /* U+FFFD */
}

/*
 * A whole one, or what only began as one.  A control character of two bytes
 * (C1, U+0080 to U+009F) no terminal shows; in libvterm the cursor would go
 * back one column for it, out of the row where it is at its beginning.
 */
static void take_whole(struct replay *replay)
{
	uint32_t character;

	if (utf8_read((const char *)replay->sequence, replay->len,
		    &character) == 0)
		put_none(replay);
	else if (character < 0x80 || character > 0x9f)
		put(replay, replay->sequence, replay->len);
	replay->len = 0;
}

/* sequence holds the bytes of a character that is not whole yet. */
static void take_text(struct replay *replay, uint8_t c)
{
	if (replay->len > 0 && (c & 0xc0) != 0x80) {
		put_none(replay);
		replay->len = 0;
	}
	if (c == ESC) {
		begin(replay, STATE_ESCAPE, c);
		return;
	}
	if (c < 0x20 || c == DEL) {
		take_character(replay, c);
		return;
	}
	replay->sequence[replay->len++] = c;
	if (replay->len >= utf8_len(replay->sequence[0]))
		take_whole(replay);
}

static void take_byte(struct replay *replay, uint8_t c)
{
	static void (*const take[])(struct replay *, uint8_t) = {
		[STATE_TEXT] = take_text,
		[STATE_ESCAPE] = in_escape,
		[STATE_CONTROL] = in_control,
		[STATE_STRING] = in_string,
		[STATE_STRING_ESCAPE] = in_string_escape,
	};

	take[replay->state](replay, c);
}

/* Recordings */

static bool begins_with(const char *text, size_t len, const char *with)
{
	return len >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

static size_t line_len(const char *text, size_t len)
{
	const char *newline = memchr(text, '\n', len);

	return newline != NULL ? (size_t)(newline - text) : len;
}

/* A line of script(1) itself: below what its terminal showed. */
static void say_frame(struct replay *replay, const char *text, size_t len)
{
	struct buf in = BUF_EMPTY, shown = BUF_EMPTY;

	take_screen(replay);
	end_line(replay);
	say_asides(replay, SIZE_MAX);
	say_empty(replay);
	buf_bytes(&in, text, len);
	plain_text(false, &in, &shown);
	say(replay, (const char *)shown.data,
		shown.len > 0 ? shown.len - 1 : 0);
	replay->out->failed = replay->out->failed || shown.failed;
	buf_free(&in);
	buf_free(&shown);
}

/*
 * The first and the last line of a recording no terminal got.  How much of text
 * they are: 0 for what it got.  Behind them stands a new terminal.
 */
static size_t take_frame(struct replay *replay, const char *text, size_t len)
{
	size_t line = line_len(text, len);
	bool header = begins_with(text, len, "Script started");

	if (!header && !begins_with(text, len, "Script done on "))
		return 0;
	say_frame(replay, text, line);
	if (header)
		header_size(replay, text, line);
	terminal_free(replay->main);
	replay->main = NULL;
	replay->inserts = false;
	new_terminal(replay, false, &replay->main);
	return line < len ? line + 1 : len;
}

static void take_all(struct replay *replay, const char *text, size_t len)
{
	bool may_follow = true;
	size_t at = 0;

	new_terminal(replay, false, &replay->main);
	while (at < len && !replay->failed) {
		bool begins = at == 0 || text[at - 1] == '\n';
		size_t frame = 0;

		/* Another recording follows only where one ended. */
		if (begins && replay->state == STATE_TEXT &&
			replay->alternate == NULL &&
			(may_follow || begins_with(text + at, len - at,
					       "Script done on ")))
			frame = take_frame(replay, text + at, len - at);
		may_follow = frame > 0;
		if (frame == 0)
			take_byte(replay, (uint8_t)text[at]);
		at += frame > 0 ? frame : 1;
	}
}

static void finish(struct replay *replay)
{
	char text[100];
	int len;

	if (replay->state == STATE_STRING ||
		replay->state == STATE_STRING_ESCAPE)
		end_string(replay, false);
	leave_alternate(replay,
		"the alternate screen, still there at the end, as last seen:");
	if (replay->failed)
		return;
	take_screen(replay);
	end_line(replay);
	replay->empty = 0; /* nothing stands below */
	say_asides(replay, SIZE_MAX);
	if (replay->too_many == 0)
		return;
	replay->most = SIZE_MAX;
	len = snprintf(text, sizeof(text),
		"%c[left out: %zu more lines than so short a recording should have]",
		PAGE_NOTE, replay->too_many);
	say(replay, text, (size_t)len);
}

bool replay_lines(const struct buf *recording, struct buf *out, struct err *err)
{
	const char *text = (const char *)recording->data;
	struct replay replay = {.out = out,
		.rows = ROWS,
		.columns = COLUMNS,
		.line = BUF_EMPTY,
		.seen = BUF_EMPTY,
		.err = err};
	size_t most = LINES_FREE + recording->len / BYTES_A_LINE;

	replay.most = most < LINES_MAX ? most : LINES_MAX;
	replay.newline_returns =
		recording->len > 0 &&
		memmem(text, recording->len, "\r\n", 2) == NULL;
	take_all(&replay, text, recording->len);
	if (!replay.failed)
		finish(&replay);
	for (size_t i = 0; i < replay.aside_count; i++)
		buf_free(&replay.asides[i].text);
	free(replay.asides);
	terminal_free(replay.trial);
	terminal_free(replay.alternate);
	terminal_free(replay.main);
	buf_free(&replay.line);
	buf_free(&replay.seen);
	return !replay.failed && buf_ok(out, err);
}
