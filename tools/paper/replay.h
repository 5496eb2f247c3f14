/* SPDX-License-Identifier: ISC */
/*
 * A recording by script(1), played to a terminal of its width, as lines.
 *
 * What scrolled off, was cleared away whole or stands at the end is there once,
 * in its order; what was overwritten is not, as on the terminal.  A line that
 * went on at the right edge is one line again.  An alternate screen (less, man,
 * nano) is there once, as it was last seen, where it was left.
 *
 * The size is the recording's own (COLUMNS="84" LINES="30" in its first line),
 * 80 by 24 where it says none, and changes with CSI 8 ; rows ; columns t, which
 * ceremony-log writes into its recordings, and where another recording follows.
 */
#ifndef TOOLS_PAPER_REPLAY_H
#define TOOLS_PAPER_REPLAY_H

#include "lib/base/buf.h"

/*
 * Append the lines, UTF-8 without control characters but
 * page.h's, which mark an alternate screen and what we say.  What is
 * not shown is said in a note: strings that nobody ended, sequences with too
 * many parameters, runs of empty lines, and what is beyond a bound on lines,
 * which grows with the recording.
 * Errors: ERR_INPUT, memory.
 */
bool replay_lines(
	const struct buf *recording, struct buf *out, struct err *err);

#endif
