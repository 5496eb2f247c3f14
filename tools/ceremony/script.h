/* SPDX-License-Identifier: ISC */
/*
 * A ceremony's script as data: what docs/CEREMONY.md, docs/REHEARSAL.md and a
 * script of one's own hold.
 *
 * The file is CommonMark with a few lines of YAML before it; what its parts
 * mean is in ceremony-script(5).  This is what a reader makes of it: acts,
 * their steps, and in each step items in the order in which they stand.
 */
#ifndef TOOLS_CEREMONY_SCRIPT_H
#define TOOLS_CEREMONY_SCRIPT_H

#include "lib/base/buf.h"

/* What may stand in an indented block, below a command. */
enum script_line_kind {
	LINE_TEXT,   /* must appear as it is, anywhere in a line shown */
	LINE_GLOB,   /* a whole line, with * and ? */
	LINE_REGEX,  /* a whole line, a POSIX extended regular expression */
	LINE_ANSWER, /* a question that is shown, and what is typed then */
	LINE_BREAK,  /* Ctrl-C is pressed */
};

struct script_line {
	enum script_line_kind kind;
	char *text;   /* owned; NULL for LINE_BREAK */
	char *answer; /* owned; LINE_ANSWER only */
	size_t line;  /* of the file, from 1 */
};

enum script_item_kind {
	ITEM_TEXT,    /* a paragraph to be read */
	ITEM_NOTE,    /* a quotation: a remark that is no part of the step */
	ITEM_COMMAND, /* what is typed, and what must be seen */
	ITEM_SHOWN, /* a block without a command: what the screen says by itself
		     */
	ITEM_CONFIRM, /* "- [ ] ROLE: text" */
	ITEM_VALUE,   /* "- NAME: ____ (ROLE)" */
};

struct script_item {
	enum script_item_kind kind;
	char *text; /* owned: text, command (variables as written) or name */
	char *role; /* owned; ITEM_CONFIRM and ITEM_VALUE */
	int status; /* ITEM_COMMAND: the exit status that is right */
	struct script_line *lines; /* ITEM_COMMAND and ITEM_SHOWN */
	size_t line_count;
	size_t line; /* of the file, from 1 */
};

struct script_step {
	unsigned number;
	char *title;
	char **roles;
	size_t role_count;
	unsigned minutes; /* planned; 0: none are stated */
	struct script_item *items;
	size_t item_count;
	size_t line;
};

struct script_act {
	char *title;
	struct script_item *items; /* before the first step: what must hold */
	size_t item_count;
	struct script_step *steps;
	size_t step_count;
	size_t line;
};

/* A name and what it stands for: a role's, a variable's. */
struct script_name {
	char *name;
	char *text;
	size_t line;
};

struct script {
	char *path; /* as given, for messages */
	char *ceremony, *title;
	char *disc, *disc_sha256; /* NULL where the file names none */
	struct script_name *roles;
	size_t role_count;
	struct script_name *set;
	size_t set_count;
	struct script_item *items; /* before the first act */
	size_t item_count;
	struct script_act *acts;
	size_t act_count;
};

/* A script is read whole; a larger file is refused. */
#define SCRIPT_SIZE_MAX ((size_t)1024 * 1024)

/*
 * Read a file, or bytes under a name.  *out is new; the caller frees it.
 * Errors: ERR_INPUT, "FILE:LINE: what"; ERR_REFUSED where it is larger.
 */
bool script_read(const char *path, struct script **out, struct err *err);
bool script_parse(const char *name, const uint8_t *bytes, size_t size,
	struct script **out, struct err *err);

/* NULL is allowed. */
void script_free(struct script *script);

/* The role or variable of that name, or NULL. */
const struct script_name *script_name(
	const struct script_name *names, size_t count, const char *name);

/*
 * Append text with each ${NAME} of the script's set replaced.  Errors:
 * ERR_INPUT for a name that is not set and for one that is not closed.
 */
bool script_expand(const struct script *script, const char *text,
	struct buf *out, struct err *err);

/*
 * Take one more line that was shown: have the lines that must appear appeared?
 * *next is the first of them that has not, and moves on; lines appear in their
 * order, and any others between them.  A LINE_ANSWER matches its question; a
 * LINE_BREAK matches nothing and is for the caller to pass.
 */
bool script_seen(const struct script *script, const struct script_item *item,
	const char *shown, size_t *next, struct err *err);

#endif
