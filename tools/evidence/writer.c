/* SPDX-License-Identifier: ISC */
#include "tools/evidence/writer.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "tools/evidence/recording.h"
#include "tools/evidence/view.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK 65536
#define COMPACT_FROM ((size_t)1024 * 1024)
#define RETRY_MS 1000 /* after a failure, and for what the log says */

struct writer {
	const char *program;
	char *folder, *prefix; /* folder may be NULL */
	struct buf name;
	pid_t process;
	int fd;
	struct buf waiting;
	size_t done; /* bytes of waiting that were handed over */
	bool died;   /* a process before this one */
};

static void say_news(
	const char *program, struct view *messages, struct buf *news)
{
	const char *text = buf_string(news);

	for (; *text != '\0'; text += strcspn(text, "\n") + 1)
		view_say(messages, "%s: %.*s\a\n", program,
			(int)strcspn(text, "\n"), text);
	buf_clear(news);
}

static void flush(const char *program, struct recording *recording,
	struct view *messages, bool *failing)
{
	struct err err = ERR_EMPTY;
	bool ok = recording_flush(recording, &err);
	struct buf news = BUF_EMPTY;

	recording_news(recording, &news);
	say_news(program, messages, &news);
	buf_free(&news);
	if (!ok && !*failing)
		view_say(messages, "%s: %s; kept in memory\a\n", program,
			err.text);
	if (ok && *failing)
		view_say(messages, "%s: %s: writing again\n", program,
			recording_name(recording));
	*failing = !ok;
}

/* The process: what comes through fd goes into the recording. */
static _Noreturn void run(
	const char *program, struct recording *recording, int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	struct buf chunk = BUF_EMPTY;
	struct err err = ERR_EMPTY;
	struct view messages;
	bool failing = false, ok;
	ssize_t got = 1;

	view_open(&messages, STDERR_FILENO);
	while (got != 0) {
		buf_clear(&chunk);
		got = -1;
		if (poll(&polled, 1, RETRY_MS) > 0 &&
			buf_extend(&chunk, CHUNK) != NULL)
			got = read(fd, chunk.data, CHUNK);
		chunk.len = got > 0 ? (size_t)got : 0;
		if (chunk.len > 0)
			recording_add(recording, &chunk);
		/* After a failure: not sooner than in a second. */
		if (!failing || chunk.len == 0)
			flush(program, recording, &messages, &failing);
		view_retry(&messages);
	}
	buf_clear(&chunk);
	ok = recording_close(recording, &chunk, &err);
	say_news(program, &messages, &chunk);
	if (!ok)
		view_say(&messages, "%s: %s\n", program, err.text);
	_exit(ok ? 0 : ERR_OUTPUT);
}

static void ignore_signals(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

static bool start_process(struct writer *writer, struct err *err)
{
	struct recording *recording = NULL;
	int ends[2];

	if (!recording_open(writer->folder, writer->prefix, &recording, err))
		return false;
	buf_clear(&writer->name);
	buf_text(&writer->name, recording_name(recording));
	buf_string(&writer->name);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
		recording_leave(recording);
		return err_set(
			err, ERR_OUTPUT, "cannot start: %s", strerror(errno));
	}
	writer->process = fork();
	if (writer->process == 0) {
		ignore_signals();
		recording_close_others(recording, ends[1]);
		run(writer->program, recording, ends[1]);
	}
	close(ends[1]);
	recording_leave(recording);
	writer->fd = ends[0];
	if (writer->process > 0)
		return true;
	return err_set(err, ERR_OUTPUT, "cannot start: %s", strerror(errno));
}

static void writer_free(struct writer *writer)
{
	if (writer->fd >= 0)
		close(writer->fd);
	buf_free(&writer->name);
	buf_free(&writer->waiting);
	free(writer->folder);
	free(writer->prefix);
	free(writer);
}

bool writer_new(const char *program, const char *folder, const char *prefix,
	struct writer **out, struct err *err)
{
	struct writer *writer = calloc(1, sizeof(*writer));

	if (writer == NULL)
		return err_nomem(err);
	writer->fd = -1;
	writer->program = program;
	writer->prefix = text_copy(prefix, err);
	if (folder != NULL)
		writer->folder = text_copy(folder, err);
	if (writer->prefix == NULL ||
		(folder != NULL && writer->folder == NULL) ||
		!start_process(writer, err)) {
		writer_free(writer);
		return false;
	}
	*out = writer;
	return true;
}

const char *writer_name(const struct writer *writer)
{
	return writer->name.data != NULL ? (char *)writer->name.data : "";
}

void writer_add(struct writer *writer, const struct buf *data)
{
	if (writer->done == writer->waiting.len ||
		writer->done > COMPACT_FROM) {
		writer->waiting.len -= writer->done;
		if (writer->waiting.len > 0)
			memmove(writer->waiting.data,
				writer->waiting.data + writer->done,
				writer->waiting.len);
		writer->done = 0;
	}
	buf_bytes(&writer->waiting, data->data, data->len);
	writer_send(writer);
}

int writer_fd(const struct writer *writer)
{
	return writer->done < writer->waiting.len ? writer->fd : -1;
}

/* Another one, and another file: what the first one had is not known. */
static bool replace_process(struct writer *writer)
{
	struct err err = ERR_EMPTY;
	struct view messages;
	bool ok;

	close(writer->fd);
	writer->fd = -1;
	waitpid(writer->process, NULL, WNOHANG);
	writer->died = true;
	ok = start_process(writer, &err);
	view_open(&messages, STDERR_FILENO);
	view_say(&messages,
		"%s: the process that wrote has died, bytes may be missing; what follows goes into %s\a\n",
		writer->program, ok ? writer_name(writer) : err.text);
	view_close(&messages);
	return ok;
}

void writer_send(struct writer *writer)
{
	while (writer->fd >= 0 && writer->done < writer->waiting.len) {
		ssize_t put =
			send(writer->fd, writer->waiting.data + writer->done,
				writer->waiting.len - writer->done,
				MSG_NOSIGNAL | MSG_DONTWAIT);

		if (put < 0 && errno == EAGAIN)
			return;
		if (put < 0 && errno == EINTR)
			continue;
		if (put >= 0)
			writer->done += (size_t)put;
		else if (!replace_process(writer))
			return;
	}
}

bool writer_end(struct writer *writer, struct err *err)
{
	int status = 0;
	bool ok;

	if (writer == NULL)
		return true;
	writer_send(writer);
	while (writer_fd(writer) >= 0) {
		struct pollfd polled = {.fd = writer->fd, .events = POLLOUT};

		poll(&polled, 1, RETRY_MS);
		writer_send(writer);
	}
	ok = writer->fd >= 0 && !writer->died && !writer->waiting.failed;
	if (writer->fd >= 0)
		close(writer->fd);
	writer->fd = -1;
	while (waitpid(writer->process, &status, 0) < 0 && errno == EINTR)
		;
	if (!ok || status != 0)
		ok = err_set(err, ERR_OUTPUT, "%s: not everything is in it",
			writer_name(writer));
	writer_free(writer);
	return ok;
}
