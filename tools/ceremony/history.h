/* SPDX-License-Identifier: ISC */
/* What ceremonies have in common, and what went otherwise over the years. */
#ifndef TOOLS_CEREMONY_HISTORY_H
#define TOOLS_CEREMONY_HISTORY_H

#include "tools/ceremony/summary.h"

struct history {
	struct summary *list; /* by their begin */
	size_t count;
};

/* Append it as text for people, as CSV (RFC 4180), as SVG. */
bool history_text(
	const struct history *history, struct buf *out, struct err *err);
bool history_csv(
	const struct history *history, struct buf *out, struct err *err);
bool history_svg(
	const struct history *history, struct buf *out, struct err *err);

#endif
