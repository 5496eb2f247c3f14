/* SPDX-License-Identifier: ISC */
/*
 * A script that is being played: where it is, and what has been told to the
 * log.  What is shown, and what keys do, is run.c's.
 */
#ifndef TOOLS_CEREMONY_PLAY_H
#define TOOLS_CEREMONY_PLAY_H

#include "tools/ceremony/script.h"
#include "tools/ceremony/teller.h"

struct play {
	const struct script *script;
	const struct script_act **acts;   /* of each step; owned arrays */
	const struct script_step **steps; /* of all acts, in order */
	size_t count;
	size_t at;   /* the step; count: the end */
	size_t item; /* in it; item_count: all is done */
	bool begun;  /* the log knows that it has begun */
	bool paused;
	bool ran;      /* the command of this step has been run */
	int status;    /* of the last command of this step */
	int64_t since; /* when the step began, by the clock of the machine */
	unsigned exceptions;
	struct teller teller;
};

/*
 * At the first step that has not ended, by the log that is being kept, or by
 * what was kept before there is one, or, with after, by the log in that folder,
 * which the power has cut; NULL where there is none.  play_free() in any case.
 * Errors: ERR_INPUT, ERR_REFUSED: that log is of another script, or is
 * broken.
 */
bool play_open(const struct script *script, const char *path, const char *after,
	struct play *out, struct err *err);
void play_free(struct play *play);

/* The step, its act, and the item that is next; NULL where there is none. */
const struct script_step *play_step(const struct play *play);
const struct script_item *play_item(const struct play *play);

/* The step's command, or NULL. */
const struct script_item *play_command(const struct play *play);

/* Tell that the step begins, once. */
bool play_begin(struct play *play, struct err *err);

/* The item is done; past those that ask for nothing. */
void play_next_item(struct play *play);

/* Tell that the step has ended, and go to the next one. */
bool play_end(struct play *play, struct err *err);

/* Tell "step N EVENT", and " TEXT" where it is not NULL. */
bool play_tell(struct play *play, enum steps_event event, const char *text,
	struct err *err);

/* Tell an exception at this step; it gets the next number. */
bool play_except(struct play *play, const char *text, struct err *err);

/* Minutes since the step began. */
long play_minutes(const struct play *play);

#endif
