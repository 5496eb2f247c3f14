/* SPDX-License-Identifier: ISC */
#include "tools/evidence/recording.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/cli/feed.h"
#include "lib/cli/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_MAX 99

struct recording {
	char *prefix;
	struct buf name;
	int fd;
	struct feed_stream log; /* instead of fd, while it takes bytes */
	uint64_t kept;          /* bytes before rest, which the log has */
	size_t sent;            /* bytes of rest that the log was sent */
	off_t written;          /* bytes in the file */
	struct buf rest;        /* not written, or not known to be */
	struct buf news;
};

static bool create_file(
	struct recording *recording, const char *folder, struct err *err)
{
	struct buf *name = &recording->name;
	char time[TIME_TEXT_MAX];
	size_t base;

	time_format(time_now(), TIME_FILE, time);
	buf_clear(name);
	buf_format(name, "%s/%s-%s", folder, recording->prefix, time);
	base = name->len;
	recording->fd = -1;
	for (int i = 1; i <= NAMES_MAX && recording->fd < 0; i++) {
		name->len = base;
		if (i > 1)
			buf_format(name, "-%d", i);
		buf_text(name, ".log");
		recording->fd = open(buf_string(name),
			O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (recording->fd < 0 && errno != EEXIST)
			break;
	}
	recording->written = 0;
	if (recording->fd < 0)
		return err_set(err, ERR_OUTPUT, "%s: cannot create: %s",
			buf_string(name), strerror(errno));
	return buf_ok(name, err);
}

static bool open_log(struct recording *recording)
{
	struct err discarded = ERR_EMPTY;
	struct buf name = BUF_EMPTY;
	char time[TIME_TEXT_MAX];
	bool ok;

	time_format(time_now(), TIME_FILE, time);
	buf_format(&name, "%s-%s.log", recording->prefix, time);
	ok = feed_stream_open(buf_string(&name), &recording->log, &discarded);
	if (ok)
		buf_format(&recording->name, "the ceremony's log, %s",
			recording->log.name);
	buf_free(&name);
	return ok;
}

static void recording_free(struct recording *recording)
{
	if (recording->fd >= 0)
		close(recording->fd);
	feed_stream_close(&recording->log);
	buf_free(&recording->name);
	buf_free(&recording->rest);
	buf_free(&recording->news);
	free(recording->prefix);
	free(recording);
}

bool recording_open(const char *folder, const char *prefix,
	struct recording **out, struct err *err)
{
	struct recording *recording = calloc(1, sizeof(*recording));

	if (recording == NULL)
		return err_nomem(err);
	recording->fd = -1;
	recording->log = (struct feed_stream)FEED_STREAM_EMPTY;
	recording->prefix = text_copy(prefix, err);
	if (recording->prefix != NULL &&
		((folder == NULL && open_log(recording)) ||
			create_file(recording, folder != NULL ? folder : ".",
				err))) {
		*out = recording;
		return true;
	}
	recording_free(recording);
	return false;
}

static void close_between(int low, int high)
{
	if (high - 1 >= low + 1)
		close_range((unsigned)low + 1, (unsigned)high - 1, 0);
}

void recording_close_others(struct recording *recording, int also)
{
	int own = recording->log.fd >= 0 ? recording->log.fd : recording->fd;
	int low = own < also ? own : also, high = own < also ? also : own;

	close_between(2, low);
	close_between(low, high);
	close_range((unsigned)high + 1, ~0U, 0);
}

void recording_leave(struct recording *recording)
{
	if (recording != NULL)
		recording_free(recording);
}

const char *recording_name(struct recording *recording)
{
	return buf_string(&recording->name);
}

void recording_news(struct recording *recording, struct buf *out)
{
	buf_bytes(out, recording->news.data, recording->news.len);
	buf_clear(&recording->news);
}

void recording_add(struct recording *recording, const struct buf *data)
{
	buf_bytes(&recording->rest, data->data, data->len);
}

static void forget(struct recording *recording, size_t len)
{
	struct buf *rest = &recording->rest;

	if (len > 0)
		memmove(rest->data, rest->data + len, rest->len - len);
	rest->len -= len;
}

static bool write_rest(struct recording *recording, struct err *err)
{
	const struct buf *rest = &recording->rest;
	size_t done = 0;
	int error = 0;

	while (done < rest->len && error == 0) {
		ssize_t len = pwrite(recording->fd, rest->data + done,
			rest->len - done, recording->written);

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			error = len < 0 ? errno : ENOSPC;
		else
			done += (size_t)len;
		recording->written += len > 0 ? len : 0;
	}
	forget(recording, done);
	if (error == 0 && fdatasync(recording->fd) != 0)
		error = errno;
	if (error != 0)
		err_set(err, ERR_OUTPUT, "%s: cannot write: %s",
			buf_string(&recording->name), strerror(error));
	return error == 0;
}

/* What the log says that it has need not be kept here. */
static void forget_taken(struct recording *recording)
{
	uint64_t taken = recording->log.taken - recording->kept;

	if (recording->log.taken <= recording->kept || taken > recording->sent)
		return;
	forget(recording, (size_t)taken);
	recording->kept += taken;
	recording->sent -= (size_t)taken;
}

/* False: the log takes no more. */
static bool send_rest(struct recording *recording, struct err *why)
{
	while (recording->sent < recording->rest.len) {
		ssize_t len = send(recording->log.fd,
			recording->rest.data + recording->sent,
			recording->rest.len - recording->sent, MSG_NOSIGNAL);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			break;
		recording->sent += (size_t)len;
	}
	if (!feed_stream_listen(&recording->log, why) || recording->log.ended ||
		recording->sent < recording->rest.len) {
		forget_taken(recording);
		return false;
	}
	forget_taken(recording);
	return true;
}

/* In place of the log. */
static bool write_beside(struct recording *recording, struct err *err)
{
	if (recording->fd < 0) {
		if (!create_file(recording, ".", err))
			return false;
		buf_format(&recording->news,
			"what the ceremony's log does not have goes into %s\n",
			buf_string(&recording->name));
	}
	return write_rest(recording, err);
}

/* What the log does not have goes into a file. */
static bool leave_log(
	struct recording *recording, const struct err *why, struct err *err)
{
	feed_stream_close(&recording->log);
	recording->sent = 0;
	buf_format(&recording->news,
		"the ceremony's log takes no more: %s: what follows goes into a file in this folder\n",
		why->kind != ERR_NONE ? why->text : "it has ended");
	return recording->rest.len == 0 || write_beside(recording, err);
}

bool recording_flush(struct recording *recording, struct err *err)
{
	struct err why = ERR_EMPTY;

	if (!buf_ok(&recording->rest, err))
		return false;
	if (recording->log.fd >= 0)
		return send_rest(recording, &why) ||
		       leave_log(recording, &why, err);
	return recording->rest.len == 0 || write_beside(recording, err);
}

/* The log says that it has everything, or a file gets what it has not. */
static bool end_log(struct recording *recording, struct err *err)
{
	struct err why = ERR_EMPTY;

	if (recording->log.fd < 0)
		return true;
	if (feed_stream_end(
		    &recording->log, recording->kept + recording->sent, &why)) {
		forget(recording, recording->sent);
		return true;
	}
	forget_taken(recording);
	return leave_log(recording, &why, err);
}

/* On a drive of its own, the machine's memory. */
static bool rescue(struct recording *recording, struct err *err)
{
	struct err second = ERR_EMPTY;
	struct buf folder = BUF_EMPTY;
	size_t left = recording->rest.len;
	bool saved;

	if (recording->fd >= 0)
		close(recording->fd);
	recording->fd = -1;
	place_make_run();
	place(&folder, PLACE_RUN);
	saved = create_file(recording, buf_string(&folder), &second) &&
		write_rest(recording, &second);
	buf_free(&folder);
	if (saved)
		return err_prefix(err, "the last %zu bytes are saved in %s",
			left, buf_string(&recording->name));
	return err_prefix(err, "the last %zu bytes are LOST", left);
}

bool recording_close(
	struct recording *recording, struct buf *news, struct err *err)
{
	bool ok;

	if (recording == NULL)
		return true;
	ok = (recording_flush(recording, err) && end_log(recording, err)) ||
	     rescue(recording, err);
	recording_news(recording, news);
	recording_free(recording);
	return ok;
}
