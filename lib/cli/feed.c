/* SPDX-License-Identifier: ISC */
#include "lib/cli/feed.h"

#include "lib/base/buf.h"
#include "lib/base/number.h"
#include "lib/cli/place.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK 65536
#define WAIT_MS 10000         /* for an answer */
#define FINISH_WAIT_MS 600000 /* drives may be slow */
#define NO_LOG "no log is being kept"

void feed_socket_path(struct buf *out)
{
	place(out, PLACE_RUN "/log/socket");
}

static bool is_plain(char c)
{
	return isalnum((unsigned char)c) || strchr("._-", c) != NULL;
}

bool feed_is_name(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > FEED_NAME_MAX || text[0] == '.' || text[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_plain(text[i]))
			return false;
	return true;
}

void feed_name(struct buf *out, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	for (size_t i = 0; i < FEED_NAME_MAX / 2 && name[i] != '\0'; i++)
		buf_u8(out, (uint8_t)(is_plain(name[i]) ? name[i] : '_'));
}

/* A connection, or -1. */
static int connect_log(struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct buf path = BUF_EMPTY;
	int fd = -1;

	feed_socket_path(&path);
	if (strlen(buf_string(&path)) < sizeof(address.sun_path)) {
		strcpy(address.sun_path, buf_string(&path));
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	}
	buf_free(&path);
	if (fd < 0) {
		err_set(err, ERR_OUTPUT, NO_LOG);
		return -1;
	}
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	if (errno == ECONNREFUSED)
		err_set(err, ERR_OUTPUT,
			NO_LOG ": the process that kept it has died");
	else
		err_set(err, ERR_OUTPUT, NO_LOG);
	close(fd);
	return -1;
}

/*
 * More of what the log says.  False where there is no more: err is set where
 * that is a failure, and not at the end.
 */
static bool read_more(int fd, int wait, struct buf *heard, struct err *err)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	uint8_t chunk[CHUNK];
	ssize_t got;

	while (poll(&polled, 1, wait) < 0)
		if (errno != EINTR)
			break;
	if (polled.revents == 0 && wait > 0)
		return err_set(err, ERR_OUTPUT,
			"the log has not answered within %d seconds",
			wait / 1000);
	got = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (got > 0)
		buf_bytes(heard, chunk, (size_t)got);
	if (got < 0 && errno == ECONNRESET)
		return err_set(err, ERR_OUTPUT,
			"the process that kept the log has died");
	return got > 0 && buf_ok(heard, err);
}

/* The first line of what was heard, taken out of it; false: not whole yet. */
static bool take_line(struct buf *heard, struct buf *line)
{
	uint8_t *end =
		heard->len > 0 ? memchr(heard->data, '\n', heard->len) : NULL;
	size_t len;

	if (end == NULL)
		return false;
	len = (size_t)(end - heard->data);
	buf_clear(line);
	buf_bytes(line, heard->data, len);
	heard->len -= len + 1;
	memmove(heard->data, end + 1, heard->len);
	return true;
}

/* What "ok" and "no" say; *rest is what follows "ok". */
static bool judge(struct buf *line, const char **rest, struct err *err)
{
	const char *text = buf_string(line);

	if (strcmp(text, "ok") == 0 || strncmp(text, "ok ", 3) == 0) {
		*rest = text[2] != '\0' ? text + 3 : text + 2;
		return true;
	}
	if (strncmp(text, "no ", 3) == 0)
		return err_set(
			err, ERR_OUTPUT, "the log refuses: %s", text + 3);
	return err_set(err, ERR_OUTPUT, "the log has answered \"%s\"", text);
}

/* Everything of text; what the log says meanwhile is kept for later. */
static bool send_text(int fd, const char *text, size_t len, struct err *err)
{
	while (len > 0) {
		ssize_t put = send(fd, text, len, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		/* It has closed: what it said is still to be read. */
		if (put < 0 && (errno == EPIPE || errno == ECONNRESET))
			return true;
		if (put < 0)
			return err_set(err, ERR_OUTPUT,
				"cannot write to the log: %s", strerror(errno));
		text += put;
		len -= (size_t)put;
	}
	return true;
}

/* Send a request and read the line that answers it. */
static bool ask(int fd, const char *request, int wait, struct buf *heard,
	struct buf *line, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok;

	if (strlen(request) > FEED_REQUEST_MAX)
		return err_set(err, ERR_OUTPUT,
			"%zu bytes are more than the log's %zu for one line",
			strlen(request), FEED_REQUEST_MAX);
	buf_format(&text, "%s\n", request);
	ok = buf_ok(&text, err) &&
	     send_text(fd, (char *)text.data, text.len, err);
	buf_free(&text);
	while (ok && !take_line(heard, line)) {
		ok = read_more(fd, wait, heard, err);
		if (!ok && err->kind == ERR_NONE)
			err_set(err, ERR_OUTPUT,
				"the log has ended without an answer");
	}
	return ok;
}

bool feed_request(const char *request, struct buf *answer, struct err *err)
{
	int wait = strcmp(request, "finish") == 0 ? FINISH_WAIT_MS : WAIT_MS;
	struct buf heard = BUF_EMPTY, line = BUF_EMPTY;
	const char *rest;
	bool ok;
	int fd;

	*err = (struct err)ERR_EMPTY;
	fd = connect_log(err);
	if (fd < 0)
		return false;
	ok = ask(fd, request, wait, &heard, &line, err) &&
	     judge(&line, &rest, err);
	while (ok && read_more(fd, wait, &heard, err))
		;
	ok = ok && err->kind == ERR_NONE;
	if (ok)
		buf_bytes(answer, heard.data, heard.len);
	close(fd);
	buf_free(&heard);
	buf_free(&line);
	return ok && buf_ok(answer, err);
}

bool feed_stream_open(
	const char *name, struct feed_stream *out, struct err *err)
{
	struct feed_stream stream = FEED_STREAM_EMPTY;
	struct buf request = BUF_EMPTY, line = BUF_EMPTY;
	const char *given = "";
	bool ok;

	*err = (struct err)ERR_EMPTY;
	stream.fd = connect_log(err);
	if (stream.fd < 0)
		return false;
	buf_format(&request, "stream %s", name);
	ok = ask(stream.fd, buf_string(&request), WAIT_MS, &stream.heard, &line,
		     err) &&
	     judge(&line, &given, err);
	if (ok && !feed_is_name(given))
		ok = err_set(err, ERR_OUTPUT, "the log has given no name");
	if (ok) {
		strcpy(stream.name, given);
		*out = stream;
	} else {
		feed_stream_close(&stream);
	}
	buf_free(&request);
	buf_free(&line);
	return ok;
}

/* "at N", "end N" or "no REASON". */
static bool hear_line(
	struct feed_stream *stream, struct buf *line, struct err *err)
{
	const char *text = buf_string(line), *number = strchr(text, ' ');
	const char *rest;
	int64_t taken;

	if (strncmp(text, "at ", 3) != 0 && strncmp(text, "end ", 4) != 0) {
		stream->ended = true;
		return judge(line, &rest, err);
	}
	stream->ended = text[0] == 'e';
	if (!number_parse(number + 1, 0, INT64_MAX, &taken, err))
		return false;
	stream->taken = (uint64_t)taken;
	return true;
}

/* wait: milliseconds, 0: only what is there. */
static bool hear(struct feed_stream *stream, int wait, struct err *err)
{
	struct buf line = BUF_EMPTY;
	bool more, ok = true;

	do {
		struct pollfd polled = {.fd = stream->fd, .events = POLLIN};

		more = wait > 0 || poll(&polled, 1, 0) > 0;
		if (!more)
			break;
		*err = (struct err)ERR_EMPTY;
		more = read_more(stream->fd, wait, &stream->heard, err);
		while (ok && take_line(&stream->heard, &line))
			ok = hear_line(stream, &line, err);
		if (ok && !more && !stream->ended) {
			stream->ended = true;
			ok = err->kind == ERR_NONE
				     ? err_set(err, ERR_OUTPUT,
					       "the process that kept the log has died")
				     : false;
		}
	} while (ok && !stream->ended);
	buf_free(&line);
	return ok;
}

bool feed_stream_listen(struct feed_stream *stream, struct err *err)
{
	return hear(stream, 0, err);
}

bool feed_stream_end(struct feed_stream *stream, uint64_t sent, struct err *err)
{
	shutdown(stream->fd, SHUT_WR);
	if (!stream->ended && !hear(stream, WAIT_MS, err))
		return false;
	if (stream->taken != sent)
		return err_set(err, ERR_OUTPUT,
			"the log has %ju of the %ju bytes of %s",
			(uintmax_t)stream->taken, (uintmax_t)sent,
			stream->name);
	return true;
}

void feed_stream_close(struct feed_stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
	buf_free(&stream->heard);
}
