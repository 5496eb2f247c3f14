/* SPDX-License-Identifier: ISC */
/*
 * Where the output of a program would change the size at which a recording is
 * replayed (tools/paper/replay.h): the words of a terminal for that, CSI 8 ;
 * rows ; columns t, and a line "Script started" within a recording.  Behind it
 * the recorder has to say its own size again.
 */
#ifndef TOOLS_EVIDENCE_RESIZE_H
#define TOOLS_EVIDENCE_RESIZE_H

#include <stdbool.h>
#include <stddef.h>

enum resize_state {
	RESIZE_TEXT,
	RESIZE_ESCAPE,  /* behind ESC */
	RESIZE_CONTROL, /* behind ESC [ */
};

/* What was read so far: {0} at the beginning of a recording. */
struct resize {
	enum resize_state state;
	bool first_over; /* the first parameter has ended */
	unsigned int first;
	bool later;  /* the line is not the recording's first one */
	size_t line; /* bytes of the line that are as a header's */
	bool line_differs;
};

/*
 * How many of these bytes (len > 0) come up to the end of what changes the
 * size, or all; *found: it is there.  It may have begun in earlier bytes.
 */
size_t resize_next(
	struct resize *resize, const char *data, size_t len, bool *found);

#endif
