/* SPDX-License-Identifier: ISC */
#include "ceremony/recording.h"

#include "base/text.h"
#include "base/time.h"
#include "ceremony/feed.h"

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
	bool log;        /* fd is the ceremony's log */
	off_t written;   /* bytes in the file */
	struct buf rest; /* not written yet */
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
	recording->log = false;
	recording->written = 0;
	if (recording->fd < 0)
		return err_set(err, ERR_OUTPUT, "%s: cannot create: %s",
			buf_string(name), strerror(errno));
	return buf_ok(name, err);
}

static bool open_log(struct recording *recording)
{
	struct buf name = BUF_EMPTY;
	char time[TIME_TEXT_MAX];

	time_format(time_now(), TIME_FILE, time);
	buf_format(&name, "%s-%s.log", recording->prefix, time);
	recording->log = feed_stream(buf_string(&name), &recording->fd);
	buf_format(
		&recording->name, "the ceremony's log, %s", buf_string(&name));
	buf_free(&name);
	return recording->log;
}

static void recording_free(struct recording *recording)
{
	if (recording->fd >= 0)
		close(recording->fd);
	buf_free(&recording->name);
	buf_free(&recording->rest);
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

const char *recording_name(struct recording *recording)
{
	return buf_string(&recording->name);
}

void recording_add(struct recording *recording, const struct buf *data)
{
	buf_bytes(&recording->rest, data->data, data->len);
}

static ssize_t put(const struct recording *recording, size_t done)
{
	const uint8_t *data = recording->rest.data + done;
	size_t len = recording->rest.len - done;

	return recording->log
		       ? send(recording->fd, data, len, MSG_NOSIGNAL)
		       : pwrite(recording->fd, data, len, recording->written);
}

static bool write_rest(struct recording *recording, struct err *err)
{
	struct buf *rest = &recording->rest;
	size_t done = 0;
	int error = 0;

	while (done < rest->len && error == 0) {
		ssize_t len = put(recording, done);

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			error = len < 0 ? errno : ENOSPC;
		else
			done += (size_t)len;
		recording->written += len > 0 ? len : 0;
	}
	if (done > 0)
		memmove(rest->data, rest->data + done, rest->len - done);
	rest->len -= done;
	if (error == 0 && !recording->log && fdatasync(recording->fd) != 0)
		error = errno;
	if (error != 0)
		err_set(err, ERR_OUTPUT, "%s: cannot write: %s",
			buf_string(&recording->name), strerror(error));
	return error == 0;
}

bool recording_flush(struct recording *recording, struct err *err)
{
	if (!buf_ok(&recording->rest, err))
		return false;
	if (recording->rest.len == 0)
		return true;
	if (recording->fd >= 0 && write_rest(recording, err))
		return true;
	if (!recording->log)
		return false;
	/* The log was finished meanwhile. */
	close(recording->fd);
	return create_file(recording, ".", err) && write_rest(recording, err);
}

/* On a drive of its own, the machine's memory. */
static bool rescue(struct recording *recording, struct err *err)
{
	struct err second = ERR_EMPTY;
	size_t left = recording->rest.len;

	if (recording->fd >= 0)
		close(recording->fd);
	mkdir(feed_run_folder(), 0755);
	if (create_file(recording, feed_run_folder(), &second) &&
		write_rest(recording, &second))
		return err_prefix(err, "the last %zu bytes are saved in %s",
			left, buf_string(&recording->name));
	return err_prefix(err, "the last %zu bytes are LOST", left);
}

bool recording_close(struct recording *recording, struct err *err)
{
	bool ok;

	if (recording == NULL)
		return true;
	ok = recording_flush(recording, err) || rescue(recording, err);
	recording_free(recording);
	return ok;
}
