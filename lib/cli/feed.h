/* SPDX-License-Identifier: ISC */
/*
 * What programs send to the ceremony's log, which one process keeps while a
 * ceremony is recorded (recorder.h).
 *
 * The first line on a local socket is one request, and every request is
 * answered by one line, "ok" or "no REASON":
 *
 *	note TEXT		ok
 *	file SIZE SHA256 NAME	ok		NAME escaped
 *	script, after, early, step, except TEXT
 *				ok		texts: steps.h
 *	status			ok, then lines (recorder.h)
 *	finish			ok, then lines
 *	stream NAME		ok NAME		the name that it got
 *
 * Every byte after a "stream" line belongs to that file.  "at N" says, now
 * and then, that the log has N bytes of it; shutting down the sending half
 * ends it, and "end N" is the answer; "no REASON" ends it before.
 */
#ifndef LIB_CLI_FEED_H
#define LIB_CLI_FEED_H

#include "lib/base/buf.h"

#define FEED_NAME_MAX 100
#define FEED_FINISHED "the log has been finished" /* a reason */
#define FEED_REQUEST_MAX ((size_t)1024 * 1024)

/* Append the path of the socket. */
void feed_socket_path(struct buf *out);

/* Is text usable as the name of a file in the log: A-Z a-z 0-9 . _ - ? */
bool feed_is_name(const char *text);

/* Append what comes after the last slash of path, made such a name. */
void feed_name(struct buf *out, const char *path);

/*
 * One request, without its newline; what follows the line "ok" is appended to
 * answer.  Errors: ERR_OUTPUT: no log is being kept, or it says why not.
 */
bool feed_request(const char *request, struct buf *answer, struct err *err);

/* A file of the log that is being written. */
struct feed_stream {
	int fd; /* -1: none */
	char name[FEED_NAME_MAX + 1];
	uint64_t taken; /* bytes that the log has said it has */
	bool ended;     /* by the log, which has said so */
	struct buf heard;
};

#define FEED_STREAM_EMPTY {.fd = -1}

/*
 * A file NAME in the log, or the like where it has that already; the log has
 * said ok.  What is written to out->fd goes there.  Errors: ERR_OUTPUT.
 */
bool feed_stream_open(
	const char *name, struct feed_stream *out, struct err *err);

/*
 * Read what the log has said meanwhile, without waiting, into stream->taken.
 * Errors: ERR_OUTPUT: the log has ended the file, and why.
 */
bool feed_stream_listen(struct feed_stream *stream, struct err *err);

/*
 * End the file, of which sent bytes were sent, and wait until the log has
 * them.  Errors: ERR_OUTPUT.  To be closed in any case.
 */
bool feed_stream_end(
	struct feed_stream *stream, uint64_t sent, struct err *err);

void feed_stream_close(struct feed_stream *stream);

#endif
