/* SPDX-License-Identifier: ISC */
/*
 * A card for a step, over the whole terminal; the one door to ncurses.
 *
 * Between card_open() and card_close() the terminal is the card's; a command
 * that runs has it to itself.
 */
#ifndef TOOLS_CEREMONY_CARD_H
#define TOOLS_CEREMONY_CARD_H

#include "lib/base/buf.h"

enum card_look {
	CARD_PLAIN,
	CARD_STRONG, /* the title, what is to be done now */
	CARD_DONE,   /* paler: is done, or is only a remark */
	CARD_ALARM,  /* red */
};

struct card_line {
	enum card_look look;
	size_t indent; /* columns */
	bool now;      /* is to be seen: the card scrolls there */
	char *text;    /* owned */
};

/* What is on it; texts are UTF-8 and hostile. */
struct card {
	struct buf top, act; /* two lines above */
	struct buf right;    /* at the right of the first one */
	struct buf side;     /* at the right of the second one */
	bool alarm;          /* side is one */
	struct card_line *lines;
	size_t count;
	struct buf keys; /* the line at the bottom */
};

#define CARD_EMPTY {.lines = NULL}

/* Errors: memory. */
bool card_add(struct card *card, enum card_look look, size_t indent, bool now,
	struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

/* Forget the content. */
void card_clear(struct card *card);

/*
 * Take the terminal.  One that its TERM does not describe is a vt100.  Errors:
 * ERR_USAGE: no terminal, or one that cannot show cards.
 */
bool card_open(struct err *err);

/* Give it back. */
void card_close(void);

#define CARD_NOTHING (-1) /* no key within the time */
#define CARD_ENTER '\n'
#define CARD_GONE (-2) /* the terminal is */

/* Draw it; scroll is counted in lines from where "now" is seen. */
void card_draw(const struct card *card, int scroll);

/* A key, as its character; CARD_UP, CARD_DOWN for those that scroll. */
#define CARD_UP (-3)
#define CARD_DOWN (-4)
int card_key(int wait_ms);

#endif
