/* SPDX-License-Identifier: ISC */
/*
 * A terminal that is written to without ever waiting for it: one that was
 * stopped (Ctrl-S) stops nobody.
 */
#ifndef TOOLS_EVIDENCE_VIEW_H
#define TOOLS_EVIDENCE_VIEW_H

#include "lib/base/buf.h"

struct view {
	int fd;             /* -1: none */
	struct buf waiting; /* messages that it has not taken yet */
	bool missed;        /* something was not shown */
};

/* Of what a descriptor, 1 or 2, stands for; fd is our own. */
void view_open(struct view *view, int descriptor);
void view_close(struct view *view);

/* What it cannot take at once is not shown; and that is said later. */
void view_show(struct view *view, const struct buf *text);

/* A message that is kept until it is taken. */
void view_say(struct view *view, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Try again what waits. */
void view_retry(struct view *view);

#endif
