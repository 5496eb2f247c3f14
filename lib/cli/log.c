/* SPDX-License-Identifier: ISC */
#include "lib/cli/log.h"

#include "lib/base/buf.h"
#include "lib/base/experiment.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/base/version.h"
#include "lib/cli/screen.h"
#include "lib/hash/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define NAMES_MAX 100

struct log {
	struct log_settings settings;
	char *path;
	int fd;
	bool unsynced;    /* lines were written since the last sync */
	struct err first; /* the first failure; ERR_NONE while all is well */
	struct err shown; /* the first on the screen: the file goes on */
};

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_LEVEL_DEBUG] = {"DEBUG", LOG_DEBUG},
	[LOG_LEVEL_INFO] = {"INFO", LOG_INFO},
	[LOG_LEVEL_WARNING] = {"WARNING", LOG_WARNING},
	[LOG_LEVEL_ERROR] = {"ERROR", LOG_ERR},
};

/* Exclusively: a transcript is never appended to by another run. */
static bool create(struct log *log, struct err *err)
{
	const char *folder = log->settings.folder;
	char time[TIME_TEXT_MAX];

	time_format(time_now(), TIME_FILE, time);
	for (int n = 1; n <= NAMES_MAX; n++) {
		char suffix[16] = "";

		if (n > 1)
			snprintf(suffix, sizeof(suffix), "-%d", n);
		free(log->path);
		log->path = NULL;
		if (asprintf(&log->path, "%s%s%s-%s%s.log",
			    folder != NULL ? folder : "",
			    folder != NULL ? "/" : "", log->settings.program,
			    time, suffix) < 0) {
			log->path = NULL;
			return err_nomem(err);
		}
		log->fd = open(log->path,
			O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC,
			0644);
		if (log->fd >= 0)
			return file_sync_folder(log->path, err);
		if (errno != EEXIST)
			break;
	}
	return err_set(err, ERR_OUTPUT, "%s: cannot create the log: %s",
		log->path, file_reason(errno));
}

static void log_free(struct log *log)
{
	if (log == NULL)
		return;
	if (log->fd >= 0)
		close(log->fd);
	if (log->settings.syslog)
		closelog();
	free(log->path);
	free(log);
}

bool log_open(
	const struct log_settings *settings, struct log **out, struct err *err)
{
	struct log *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return err_nomem(err);
	log->settings = *settings;
	log->fd = -1;
	if (settings->syslog)
		openlog(settings->program, LOG_PID, LOG_AUTH);
	if (!create(log, err)) {
		log_free(log);
		return false;
	}
	*out = log;
	return true;
}

/* The program as it stands on the disc, not as its name says. */
static bool hash_program(struct buf *hex, struct err *err)
{
	struct sha256 *hash = NULL;
	uint8_t digest[SHA256_LEN];
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0;

	if (!ok)
		err_set(err, ERR_INPUT, "%s", strerror(errno));
	ok = ok && sha256_new(&hash, err) &&
	     sha256_feed(hash, fd, NULL, NULL, err) &&
	     sha256_final(hash, digest, err);
	if (ok)
		hex_encode(hex, digest, sizeof(digest));
	else
		err_prefix(err, "/proc/self/exe");
	sha256_free(hash);
	if (fd >= 0)
		close(fd);
	return ok && buf_ok(hex, err);
}

bool log_start(struct log *log, int argc, char *const *argv, struct err *err)
{
	struct buf arguments = BUF_EMPTY, hex = BUF_EMPTY;
	bool ok;

	for (int i = 0; i < argc; i++)
		buf_format(&arguments, "%s%s", i > 0 ? " " : "", argv[i]);
	ok = buf_ok(&arguments, err) && hash_program(&hex, err);
	if (ok) {
		log_write(log, LOG_LEVEL_INFO, "%s %s (build %s)",
			log->settings.program, version_release,
			version_build_id);
		log_write(log, LOG_LEVEL_INFO, "arguments: %s",
			buf_string(&arguments));
		log_write(log, LOG_LEVEL_INFO, "SHA-256 of the program: %s",
			buf_string(&hex));
		ok = log_ok(log, err);
	}
	buf_free(&arguments);
	buf_free(&hex);
	return ok;
}

const char *log_path(const struct log *log)
{
	return log->path;
}

static void sync_lines(struct log *log)
{
	if (log->unsynced && log->first.kind == ERR_NONE &&
		fdatasync(log->fd) != 0)
		err_set(&log->first, ERR_OUTPUT, "%s: cannot sync: %s",
			log->path, file_reason(errno));
	log->unsynced = false;
}

/* What each line of a copied document begins with, and no event does. */
#define COPY_MARK '|'
/* Room on the narrowest paper; of what is longer the next line says "|+". */
#define COPY_WIDTH 72

/* One line, escaped before, with its newline in the same write: never half. */
static void write_line(
	struct log *log, enum log_level level, const struct buf *text)
{
	struct buf line = BUF_EMPTY;
	char time[TIME_TEXT_MAX];

	if (log->first.kind != ERR_NONE)
		return;
	time_format(time_now(), TIME_Z, time);
	buf_format(&line, "%s: [%s] %s", time, levels[level].name,
		experiment_mark());
	buf_bytes(&line, text->data, text->len);
	line.failed |= text->failed;
	if (log->settings.syslog)
		syslog(levels[level].priority, "%s", buf_string(&line));
	buf_u8(&line, '\n');
	if (buf_ok(&line, &log->first) &&
		file_write_fd(
			log->fd, log->path, line.data, line.len, &log->first))
		log->unsynced = true;
	if (level >= LOG_LEVEL_WARNING)
		sync_lines(log);
	buf_free(&line);
}

static void write_event(struct log *log, enum log_level level, const char *text)
{
	struct buf escaped = BUF_EMPTY;

	if (*text == COPY_MARK)
		buf_format(&escaped, "\\x%02x", *text++);
	text_escape(&escaped, text, strlen(text));
	write_line(log, level, &escaped);
	buf_free(&escaped);
}

/* Pieces that no paper breaks: what went on there would have no mark. */
static void write_copied(
	struct log *log, enum log_level level, const char *text, size_t len)
{
	struct buf escaped = BUF_EMPTY, piece = BUF_EMPTY;
	size_t width = COPY_WIDTH - strlen(experiment_mark());
	size_t at = 0;

	text_escape(&escaped, text, len);
	do {
		size_t part = escaped.len - at;

		if (part > width)
			part = width;
		buf_clear(&piece);
		buf_format(&piece, "%c%s", COPY_MARK, at > 0 ? "+ " : " ");
		buf_bytes(&piece, escaped.data + at, part);
		piece.failed |= escaped.failed;
		write_line(log, level, &piece);
		at += part;
	} while (at < escaped.len);
	buf_free(&piece);
	buf_free(&escaped);
}

void log_copy(
	struct log *log, enum log_level level, const char *text, size_t len)
{
	const char *end = text + len;

	if (log == NULL || (level == LOG_LEVEL_DEBUG && !log->settings.debug))
		return;
	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));

		if (stop == NULL)
			stop = end;
		write_copied(log, level, text, (size_t)(stop - text));
		text = stop + 1;
	}
}

/*
 * The whole message, escaped, and its newline, on a stream of the terminal;
 * broken between words there, since what is read aloud must not break within.
 */
static void show(
	struct log *log, enum log_level level, FILE *stream, const char *text)
{
	struct buf line = BUF_EMPTY, folded = BUF_EMPTY;

	buf_text(&line, experiment_mark());
	if (level == LOG_LEVEL_WARNING)
		buf_text(&line, "warning: ");
	else if (level == LOG_LEVEL_ERROR)
		buf_text(&line, "error: ");
	buf_text(&line, text);
	screen_line(&folded, fileno(stream), buf_string(&line));
	/* In their order, where both streams go to one place. */
	if (stream == stderr)
		fflush(stdout);
	if (fprintf(stream, "%s\n", buf_string(&folded)) < 0)
		if (log != NULL && log->shown.kind == ERR_NONE)
			err_set(&log->shown, ERR_OUTPUT,
				"cannot write to the screen: %s",
				strerror(errno));
	buf_free(&line);
	buf_free(&folded);
}

static void write_format(struct log *log, enum log_level level, FILE *stream,
	const char *fmt, va_list ap) __attribute__((format(printf, 4, 0)));

static void write_format(struct log *log, enum log_level level, FILE *stream,
	const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0) {
		if (log != NULL && log->first.kind == ERR_NONE)
			err_nomem(&log->first);
		return;
	}
	if (stream != NULL)
		show(log, level, stream, text);
	if (log != NULL && (level != LOG_LEVEL_DEBUG || log->settings.debug))
		write_event(log, level, text);
	free(text);
}

void log_write(struct log *log, enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_format(log, level, NULL, fmt, ap);
	va_end(ap);
}

void log_say(struct log *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_format(log, LOG_LEVEL_INFO, stdout, fmt, ap);
	va_end(ap);
}

void log_warn(struct log *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_format(log, LOG_LEVEL_WARNING, stderr, fmt, ap);
	va_end(ap);
}

void log_error(struct log *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_format(log, LOG_LEVEL_ERROR, stderr, fmt, ap);
	va_end(ap);
}

bool log_ok(struct log *log, struct err *err)
{
	if (log != NULL)
		sync_lines(log);
	if (fflush(stdout) != 0 || ferror(stdout) != 0)
		return err_set(err, ERR_OUTPUT, "standard output: %s",
			strerror(errno));
	if (log == NULL)
		return true;
	if (log->shown.kind != ERR_NONE)
		return err_set(err, ERR_OUTPUT, "%s", log->shown.text);
	if (log->first.kind != ERR_NONE)
		return err_set(err, ERR_OUTPUT, "%s", log->first.text);
	return true;
}

bool log_close(struct log *log, struct err *err)
{
	bool ok = log_ok(log, err);

	log_free(log);
	return ok;
}
