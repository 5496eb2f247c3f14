/* SPDX-License-Identifier: ISC */
/*
 * Records what serial lines say, an HSM's log as a rule, with the time on
 * every line.
 *
 * This process only reads and hands on: each file is written by a process of
 * its own (writer.h), so that a slow flash drive never makes the kernel's
 * small buffer overflow, and no terminal is waited for (view.h).
 */
#include "lib/base/buf.h"
#include "lib/base/number.h"
#include "lib/base/stop.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/cli/feed.h"
#include "lib/cli/options.h"
#include "tools/evidence/serial.h"
#include "tools/evidence/timed.h"
#include "tools/evidence/view.h"
#include "tools/evidence/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
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
	.purpose =
		"Record serial lines, with the time on every line, until interrupted.",
	.usage = usage,
	.options = options,
};

/* One serial line. */
struct line {
	const char *path;
	int fd; /* -1 while the device is gone */
	uint64_t bytes, overruns;
	struct timed timed;
	struct writer *file;
};

struct audit {
	struct line lines[DEVICES_MAX];
	size_t count;
	int64_t speed;
	struct view screen, messages;
};

/* Records to their file, and to the screen. */
static void pass_on(struct audit *audit, struct line *line, struct buf *file,
	struct buf *shown)
{
	writer_add(line->file, file);
	view_show(&audit->screen, shown);
	buf_free(file);
	buf_free(shown);
}

/* Our own words. */
static void remark(struct audit *audit, struct line *line, const char *text)
{
	struct buf file = BUF_EMPTY, shown = BUF_EMPTY;

	timed_remark(&line->timed, text, time_now(), &file, &shown);
	pass_on(audit, line, &file, &shown);
}

/* Bytes from the line. */
static void arrived(
	struct audit *audit, struct line *line, const uint8_t *data, size_t len)
{
	struct buf file = BUF_EMPTY, shown = BUF_EMPTY;

	line->bytes += len;
	timed_bytes(&line->timed, data, len, time_now(), time_steady(), &file,
		&shown);
	pass_on(audit, line, &file, &shown);
}

static void lost_device(struct audit *audit, struct line *line, int error)
{
	struct buf name = BUF_EMPTY;
	char text[200];

	snprintf(text, sizeof(text), "device gone (%s)",
		error != 0 ? strerror(error) : "hung up");
	remark(audit, line, text);
	text_escape(&name, line->path, strlen(line->path));
	view_say(&audit->messages, "%s: %s: %s\a\n", program.name,
		buf_string(&name), text);
	buf_free(&name);
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

/* What poll() looks at: each line, and each file that has to catch up. */
static void read_lines(struct audit *audit)
{
	struct pollfd polled[2 * DEVICES_MAX];

	while (stop_signal() == 0) {
		for (size_t i = 0; i < audit->count; i++) {
			polled[2 * i] = (struct pollfd){
				.fd = audit->lines[i].fd, .events = POLLIN};
			polled[2 * i + 1] = (struct pollfd){
				.fd = writer_fd(audit->lines[i].file),
				.events = POLLOUT};
		}
		poll(polled, (nfds_t)(2 * audit->count), RETRY_MS);
		for (size_t i = 0; i < audit->count; i++) {
			if (polled[2 * i].revents != 0)
				read_line(audit, &audit->lines[i]);
			if (polled[2 * i + 1].revents != 0)
				writer_send(audit->lines[i].file);
		}
		reopen_lines(audit);
		view_retry(&audit->messages);
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
	     writer_new(program.name, folder, buf_string(&prefix), &line->file,
		     err);
	if (ok) {
		line->overruns = serial_overruns(line->fd);
		text_escape(&text, path, strlen(path));
		buf_format(&text, ", %lld baud", (long long)audit->speed);
		remark(audit, line, buf_string(&text));
		view_say(&audit->messages, "%s: %s into %s\n", program.name,
			buf_string(&text), writer_name(line->file));
	}
	buf_free(&prefix);
	buf_free(&text);
	return ok;
}

static bool close_lines(struct audit *audit, struct err *err)
{
	bool ok = true;

	for (size_t i = 0; i < audit->count; i++) {
		struct line *line = &audit->lines[i];

		if (!writer_end(line->file, err))
			ok = false;
		if (line->fd >= 0)
			close(line->fd);
	}
	return ok;
}

static bool run(const struct option_result *given, struct err *err)
{
	struct audit audit = {.speed = DEFAULT_SPEED, .screen = {.fd = -1}};
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
	view_open(&audit.messages, STDERR_FILENO);
	if (!quiet)
		view_open(&audit.screen, STDOUT_FILENO);
	for (size_t i = 0; ok && i < given->count; i++)
		ok = open_line(&audit, given->operands[i], err);
	if (ok) {
		read_lines(&audit);
		drain(&audit);
	}
	if (!close_lines(&audit, &closing) && ok) {
		*err = closing;
		ok = false;
	}
	view_close(&audit.screen);
	view_close(&audit.messages);
	return ok;
}

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv, run);
}
