/* SPDX-License-Identifier: ISC */
/*
 * Records what serial lines say, an HSM's log as a rule, with the time on
 * every line.
 *
 * One thread only reads, into memory, so that a slow flash drive never makes
 * the kernel's small buffer overflow; another writes to the files and, as far
 * as it keeps up, to the screen.
 */
#include "base/buf.h"
#include "base/number.h"
#include "base/stop.h"
#include "base/text.h"
#include "base/time.h"
#include "ceremony/feed.h"
#include "ceremony/recording.h"
#include "ceremony/serial.h"
#include "show/options.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define DEVICES_MAX 16
#define CHUNK 65536
#define RETRY_MS 500
#define DEFAULT_SPEED 115200

static const char *folder, *speed_text;
static bool quiet;

static const struct option_entry options[] = {
	{"dir", 'd', OPTION_VALUE, "FOLDER",
		"where the files go, not the current folder", &folder},
	{"speed", 's', OPTION_VALUE, "BAUD",
		"bits a second, 115200 if not given", &speed_text},
	{"quiet", 'q', OPTION_FLAG, NULL, "do not show what arrives", &quiet},
	{0},
};

static const char *const usage[] = {
	"[--dir FOLDER] [--speed BAUD] DEVICE ...", NULL};

static const struct option_program program = {
	.name = "ttyaudit",
	.purpose = "Record serial lines, with the time on every line, until "
		   "interrupted.",
	.usage = usage,
	.options = options,
};

/* One serial line.  The writer owns file; pending passes under the lock. */
struct line {
	const char *path;
	int fd;    /* -1 while the device is gone */
	bool open; /* the last byte was no newline */
	uint64_t bytes, overruns;
	struct buf pending; /* from the reader to the writer */
	struct recording *file;
	bool failing; /* the last write failed */
};

struct audit {
	struct line lines[DEVICES_MAX];
	size_t count;
	int64_t speed;
	int screen; /* our own, so that it never blocks; -1: none */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool ended;
};

static void stamp(struct buf *out, char mark)
{
	char text[TIME_TEXT_MAX];

	time_format(time_now(), TIME_Z, text);
	buf_format(out, "%s%c", text, mark);
}

/* Our own words; an open line is ended first, which "+" says. */
static void remark(struct audit *audit, struct line *line, const char *text)
{
	pthread_mutex_lock(&audit->lock);
	if (line->open)
		buf_u8(&line->pending, '\n');
	stamp(&line->pending, line->open ? '+' : '#');
	buf_format(&line->pending, " %s\n", text);
	line->open = false;
	pthread_cond_signal(&audit->wake);
	pthread_mutex_unlock(&audit->lock);
}

/* Bytes from the line, each line with the time of its first byte. */
static void arrived(
	struct audit *audit, struct line *line, const uint8_t *data, size_t len)
{
	pthread_mutex_lock(&audit->lock);
	line->bytes += len;
	while (len > 0) {
		const uint8_t *end = memchr(data, '\n', len);
		size_t part = end != NULL ? (size_t)(end - data) + 1 : len;

		if (!line->open)
			stamp(&line->pending, ' ');
		buf_bytes(&line->pending, data, part);
		line->open = end == NULL;
		data += part;
		len -= part;
	}
	pthread_cond_signal(&audit->wake);
	pthread_mutex_unlock(&audit->lock);
}

static void lost_device(struct audit *audit, struct line *line, int error)
{
	char text[200];

	snprintf(text, sizeof(text), "device gone (%s)",
		error != 0 ? strerror(error) : "hung up");
	remark(audit, line, text);
	fprintf(stderr, "%s: %s: %s\a\n", program.name, line->path, text);
	close(line->fd);
	line->fd = -1;
}

static void read_line(struct audit *audit, struct line *line)
{
	uint8_t chunk[CHUNK];
	uint64_t overruns;
	ssize_t got = read(line->fd, chunk, sizeof(chunk));

	if (got > 0)
		arrived(audit, line, chunk, (size_t)got);
	else if (got == 0)
		lost_device(audit, line, 0);
	else if (errno != EINTR && errno != EAGAIN)
		lost_device(audit, line, errno);
	overruns = line->fd >= 0 ? serial_overruns(line->fd) : line->overruns;
	if (overruns > line->overruns)
		remark(audit, line, "the hardware dropped bytes before this");
	line->overruns = overruns;
}

static void reopen_lines(struct audit *audit)
{
	struct err discarded = ERR_EMPTY;

	for (size_t i = 0; i < audit->count; i++) {
		struct line *line = &audit->lines[i];

		if (line->fd < 0 && serial_open(line->path, audit->speed,
					    &line->fd, &discarded)) {
			line->overruns = serial_overruns(line->fd);
			remark(audit, line, "device is back");
		}
	}
}

static void read_lines(struct audit *audit)
{
	struct pollfd polled[DEVICES_MAX];

	while (stop_signal() == 0) {
		for (size_t i = 0; i < audit->count; i++)
			polled[i] = (struct pollfd){
				.fd = audit->lines[i].fd, .events = POLLIN};
		poll(polled, (nfds_t)audit->count, RETRY_MS);
		for (size_t i = 0; i < audit->count; i++)
			if (polled[i].revents != 0)
				read_line(audit, &audit->lines[i]);
		reopen_lines(audit);
	}
}

/* What is in the kernel when the operator stops is still recorded. */
static void drain(struct audit *audit)
{
	for (size_t i = 0; i < audit->count; i++) {
		struct line *line = &audit->lines[i];
		struct pollfd polled = {.fd = line->fd, .events = POLLIN};
		char text[100];

		while (line->fd >= 0 && poll(&polled, 1, 0) > 0)
			read_line(audit, line);
		snprintf(text, sizeof(text), "end, %" PRIu64 " bytes recorded",
			line->bytes);
		remark(audit, line, text);
	}
}

/*
 * The screen is a view: what it cannot take at once is not shown, so that
 * Ctrl-S stops nothing.
 */
static void show(const struct audit *audit, const struct buf *text)
{
	struct buf shown = BUF_EMPTY;
	const char *p = (const char *)text->data;

	if (audit->screen < 0 || text->len == 0)
		return;
	for (size_t i = 0; i < text->len; i++)
		if (p[i] != '\r')
			text_escape_lines(&shown, p + i, 1);
	if (!shown.failed && write(audit->screen, shown.data, shown.len) < 0)
		errno = 0;
	buf_free(&shown);
}

static int open_screen(void)
{
	if (quiet)
		return -1;
	return open("/proc/self/fd/1",
		O_WRONLY | O_NONBLOCK | O_NOCTTY | O_APPEND | O_CLOEXEC);
}

/* Everything that is pending goes to its file; false: a file refuses. */
static bool write_lines(struct audit *audit)
{
	bool all = true;

	for (size_t i = 0; i < audit->count; i++) {
		struct line *line = &audit->lines[i];
		struct err err = ERR_EMPTY;
		struct buf taken;
		bool ok;

		pthread_mutex_lock(&audit->lock);
		taken = line->pending;
		line->pending = (struct buf)BUF_EMPTY;
		pthread_mutex_unlock(&audit->lock);
		recording_add(line->file, &taken);
		ok = recording_flush(line->file, &err);
		show(audit, &taken);
		buf_free(&taken);
		if (!ok && !line->failing)
			fprintf(stderr, "%s: %s; kept in memory\a\n",
				program.name, err.text);
		if (ok && line->failing)
			fprintf(stderr, "%s: %s: writing again\n", program.name,
				recording_name(line->file));
		line->failing = !ok;
		all = all && ok;
	}
	return all;
}

/* Wait for bytes, or a second; false where no more will come. */
static bool wait_for_bytes(struct audit *audit, bool hurry)
{
	struct timespec until;
	bool more = false, ended;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 1;
	pthread_mutex_lock(&audit->lock);
	for (size_t i = 0; i < audit->count; i++)
		more = more || audit->lines[i].pending.len > 0;
	if (!audit->ended && !(more && hurry))
		pthread_cond_timedwait(&audit->wake, &audit->lock, &until);
	ended = audit->ended;
	pthread_mutex_unlock(&audit->lock);
	return !ended;
}

static void *write_until_ended(void *argument)
{
	struct audit *audit = argument;
	bool ok = true;

	/* After a failure: not sooner than in a second. */
	while (wait_for_bytes(audit, ok))
		ok = write_lines(audit);
	write_lines(audit);
	return NULL;
}

static void end(struct audit *audit)
{
	pthread_mutex_lock(&audit->lock);
	audit->ended = true;
	pthread_cond_signal(&audit->wake);
	pthread_mutex_unlock(&audit->lock);
}

static bool open_line(struct audit *audit, const char *path, struct err *err)
{
	struct line *line = &audit->lines[audit->count];
	struct buf prefix = BUF_EMPTY, text = BUF_EMPTY;
	bool ok;

	*line = (struct line){.path = path, .fd = -1};
	audit->count++;
	buf_text(&prefix, "ttyaudit-");
	feed_name(&prefix, path);
	ok = serial_open(path, audit->speed, &line->fd, err) &&
	     recording_open(folder, buf_string(&prefix), &line->file, err);
	if (ok) {
		line->overruns = serial_overruns(line->fd);
		text_escape(&text, path, strlen(path));
		buf_format(&text, ", %lld baud", (long long)audit->speed);
		remark(audit, line, buf_string(&text));
		fprintf(stderr, "%s: %s into %s\n", program.name,
			buf_string(&text), recording_name(line->file));
	}
	buf_free(&prefix);
	buf_free(&text);
	return ok;
}

static bool record(struct audit *audit, struct err *err)
{
	sigset_t stops, before;
	pthread_t writer;
	int error;

	/* Signals are for the reader alone. */
	sigfillset(&stops);
	pthread_sigmask(SIG_BLOCK, &stops, &before);
	error = pthread_create(&writer, NULL, write_until_ended, audit);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0)
		return err_set(
			err, ERR_OUTPUT, "cannot start: %s", strerror(error));
	read_lines(audit);
	drain(audit);
	end(audit);
	pthread_join(writer, NULL);
	return true;
}

static bool close_lines(struct audit *audit, struct err *err)
{
	bool ok = true;

	for (size_t i = 0; i < audit->count; i++) {
		struct line *line = &audit->lines[i];

		if (!recording_close(line->file, err))
			ok = false;
		if (line->fd >= 0)
			close(line->fd);
		buf_free(&line->pending);
	}
	return ok;
}

static bool run(const struct option_result *given, struct err *err)
{
	struct audit audit = {.lock = PTHREAD_MUTEX_INITIALIZER,
		.wake = PTHREAD_COND_INITIALIZER,
		.speed = DEFAULT_SPEED,
		.screen = -1};
	struct err closing = ERR_EMPTY;
	bool ok = true;

	if (given->count == 0 || given->count > DEVICES_MAX)
		return err_set(
			err, ERR_USAGE, "give 1 to %d devices", DEVICES_MAX);
	if (speed_text != NULL &&
		!number_parse(speed_text, 1, 1000000, &audit.speed, err)) {
		err->kind = ERR_USAGE;
		return err_prefix(err, "--speed");
	}
	stop_catch();
	audit.screen = open_screen();
	for (size_t i = 0; ok && i < given->count; i++)
		ok = open_line(&audit, given->operands[i], err);
	ok = ok && record(&audit, err);
	if (!close_lines(&audit, &closing) && ok) {
		*err = closing;
		ok = false;
	}
	if (audit.screen >= 0)
		close(audit.screen);
	return ok;
}

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv, run);
}
