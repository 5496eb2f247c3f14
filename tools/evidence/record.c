/* SPDX-License-Identifier: ISC */
#include "tools/evidence/record.h"

#include "lib/base/buf.h"
#include "lib/base/stop.h"
#include "lib/base/time.h"
#include "lib/cli/feed.h"
#include "tools/evidence/lately.h"
#include "tools/evidence/recorder.h"
#include "tools/evidence/resize.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK 65536
#define LOOK_MS 200 /* whether script has ended */
#define LOG_FD 9    /* that of the pipe in script: one digit, for sh */
/* Of a terminal that has no size, as a serial one: as it is replayed. */
#define ROWS 24
#define COLUMNS 80

struct recording {
	struct feed_stream stream;
	uint64_t sent;
	int pipe; /* from script */
	pid_t script;
	bool lost;      /* the log takes no more, or nothing yet */
	struct err why; /* where it was not finished */
	struct winsize size;
	struct resize resize;
	struct lately *lately; /* may be NULL */
	bool head_over;
	struct buf head; /* script's first line, with its end */
};

#define HEAD_BEGINS "Script started on "
#define HEAD_MAX 512

/* A name for this terminal's recording. */
static void make_name(struct buf *out)
{
	const char *terminal = ttyname(STDIN_FILENO);
	char time[TIME_TEXT_MAX];

	buf_text(out, RECORDER_TERMINAL);
	if (terminal != NULL && strncmp(terminal, "/dev/pts/", 9) == 0)
		buf_text(out, "pts");
	feed_name(out, terminal != NULL ? terminal : "none");
	time_format(time_now(), TIME_FILE, time);
	buf_format(out, "-%s.typescript", time);
}

#define BEFORE "exec %d>&-; KEYROOM_RECORDED="
#define BEHIND ":$(tty) SHELL=/bin/bash; export KEYROOM_RECORDED SHELL; "

/*
 * What script runs: the shell there finds in KEYROOM_RECORDED who records it,
 * and on which terminal, and knows by that when it is on another one.
 */
static void make_command(const char *command, pid_t recorder, struct buf *out)
{
	buf_format(out, BEFORE "%d" BEHIND, LOG_FD, recorder);
	buf_text(out, command != NULL ? command : "exec bash -l");
}

/* What stands at *text and begins with that, is passed. */
static bool pass(const char **text, const char *with)
{
	size_t len = strlen(with);

	if (strncmp(*text, with, len) != 0)
		return false;
	*text += len;
	return true;
}

/* Behind the time: [COMMAND="..." TERM=...; script(1) escapes nothing. */
bool record_is_of(const char *recording, size_t len, const char *command)
{
	char line[512] = "", before[64];
	const char *end = len > 0 ? memchr(recording, '\n', len) : NULL;
	const char *rest = line;
	bool is;

	if (end == NULL || (size_t)(end - recording) >= sizeof(line))
		return false;
	memcpy(line, recording, (size_t)(end - recording));
	snprintf(before, sizeof(before), "[COMMAND=\"" BEFORE, LOG_FD);
	is = pass(&rest, HEAD_BEGINS);
	rest += strcspn(rest, "[");
	is = is && pass(&rest, before);
	rest += strspn(rest, "0123456789");
	return is && pass(&rest, BEHIND) && pass(&rest, command) &&
	       (pass(&rest, "\" TERM=") || pass(&rest, "\" TTY="));
}

static _Noreturn void run_script(
	const char *command, pid_t recorder, int log, const char *path)
{
	struct buf text = BUF_EMPTY;

	make_command(command, recorder, &text);
	/* script opens the pipe by its name in /proc: it must stay open. */
	if (log == LOG_FD)
		fcntl(log, F_SETFD, 0);
	else
		dup2(log, LOG_FD);
	/* For script alone; what is recorded gets its own again. */
	setenv("SHELL", "/bin/sh", 1);
	stop_default_output();
	execlp("script", "script", "--quiet", "--flush", "--return",
		"--log-out", path, "--command", buf_string(&text),
		(char *)NULL);
	fprintf(stderr, "ceremony-log: cannot start script: %s\n",
		strerror(errno));
	_exit(ERR_OUTPUT);
}

static bool start_script(
	struct recording *recording, const char *command, struct err *err)
{
	char path[64];
	int ends[2];
	pid_t recorder = getpid();

	snprintf(path, sizeof(path), "/proc/self/fd/%d", LOG_FD);
	if (pipe2(ends, O_CLOEXEC) != 0 || (recording->script = fork()) < 0)
		return err_set(
			err, ERR_OUTPUT, "cannot start: %s", strerror(errno));
	if (recording->script == 0)
		run_script(command, recorder, ends[1], path);
	close(ends[1]);
	recording->pipe = ends[0];
	return true;
}

/* Where whoever sits there sees it; in red, but at the log's own end. */
static void tell_lost(struct recording *recording, const struct err *err)
{
	if (recording->lost)
		return;
	recording->lost = true;
	if (strstr(err->text, FEED_FINISHED) != NULL) {
		fprintf(stderr,
			"\r\n*** " FEED_FINISHED
			": this terminal is not recorded any more ***\r\n");
		return;
	}
	recording->why = *err;
	fprintf(stderr, "\r\n\033[1;31m*** NOT RECORDED: %s ***\033[0m\a\r\n",
		err->text);
}

static void send_all(struct recording *recording, const char *data, size_t len)
{
	struct err err = ERR_EMPTY;

	lately_add(recording->lately, data, len);
	while (len > 0 && !recording->lost) {
		ssize_t put =
			send(recording->stream.fd, data, len, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0) {
			/* It has said why, before it closed. */
			if (feed_stream_listen(&recording->stream, &err))
				err_set(&err, ERR_OUTPUT,
					"the log takes no more");
			tell_lost(recording, &err);
			return;
		}
		recording->sent += (uint64_t)put;
		data += put;
		len -= (size_t)put;
	}
}

/* In the words of a terminal (XTWINOPS 8). */
static void say_size(struct recording *recording)
{
	const struct winsize *size = &recording->size;
	char text[40];
	int len;

	len = snprintf(text, sizeof(text), "\033[8;%u;%ut",
		size->ws_row > 0 ? size->ws_row : ROWS,
		size->ws_col > 0 ? size->ws_col : COLUMNS);
	send_all(recording, text, (size_t)len);
}

/*
 * A terminal that got another size shows what follows otherwise, and script
 * notes the size at the beginning alone: so it goes into the recording, but
 * into no sequence that a read has cut.
 */
static void note_size(struct recording *recording, char next)
{
	struct winsize size;

	if (strchr("\r\n\033", next) == NULL ||
		ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0 ||
		(size.ws_row == recording->size.ws_row &&
			size.ws_col == recording->size.ws_col))
		return;
	recording->size = size;
	say_size(recording);
}

/*
 * What was read, and behind each place where it says a size, as any program
 * can, the terminal's own: else what follows would be replayed at another one.
 */
static void record(struct recording *recording, const char *data, size_t len)
{
	while (len > 0) {
		bool resized;
		size_t some =
			resize_next(&recording->resize, data, len, &resized);

		send_all(recording, data, some);
		if (resized)
			say_size(recording);
		data += some;
		len -= some;
	}
}

/* The first line, which each recording of this terminal begins with. */
static void take_head(struct recording *recording, const char *data, size_t len)
{
	for (size_t i = 0; i < len && !recording->head_over; i++) {
		buf_u8(&recording->head, (uint8_t)data[i]);
		recording->head_over =
			data[i] == '\n' || recording->head.len == HEAD_MAX;
	}
}

/*
 * From script's pipe to the log, once.  The terminal goes on when the log
 * does not, so what cannot be sent is read all the same.  False: no more.
 */
static bool pump(struct recording *recording, int wait)
{
	struct pollfd polled[] = {{.fd = recording->pipe, .events = POLLIN},
		{.fd = recording->lost ? -1 : recording->stream.fd,
			.events = POLLIN}};
	struct err err = ERR_EMPTY;
	char chunk[CHUNK];
	ssize_t got;

	if (poll(polled, 2, wait) <= 0)
		return errno == EINTR && wait > 0;
	if (polled[1].revents != 0 &&
		!feed_stream_listen(&recording->stream, &err))
		tell_lost(recording, &err);
	if (polled[0].revents == 0)
		return wait > 0;
	got = read(recording->pipe, chunk, sizeof(chunk));
	if (got <= 0)
		return false;
	note_size(recording, *chunk);
	take_head(recording, chunk, (size_t)got);
	record(recording, chunk, (size_t)got);
	return true;
}

static bool open_stream(struct recording *recording, struct err *err)
{
	struct buf name = BUF_EMPTY;
	bool ok;

	make_name(&name);
	ok = buf_ok(&name, err) &&
	     feed_stream_open(buf_string(&name), &recording->stream, err);
	buf_free(&name);
	return ok;
}

/* As script would have begun it now. */
static void send_head(struct recording *recording)
{
	const char *rest = strchr(buf_string(&recording->head), '[');
	char time[TIME_TEXT_MAX], *between;
	struct buf line = BUF_EMPTY;

	time_format(time_now(), TIME_OFFSET, time);
	between = strchr(time, 'T');
	if (between != NULL)
		*between = ' ';
	buf_format(
		&line, HEAD_BEGINS "%s %s", time, rest != NULL ? rest : "\n");
	send_all(recording, buf_string(&line), line.len);
	buf_free(&line);
	say_size(recording);
}

/*
 * A terminal whose shell was there before the log: from now on what it shows
 * goes there.  Where the log refuses, the shell asks it in its own name, and
 * says why.
 */
static void join(struct recording *recording)
{
	struct err discarded = ERR_EMPTY;

	if (!recording->lost || !recording->head_over ||
		recording->resize.state != RESIZE_TEXT ||
		!lately_is_wanted(recording->lately))
		return;
	feed_stream_close(&recording->stream);
	recording->stream = (struct feed_stream)FEED_STREAM_EMPTY;
	recording->sent = 0;
	recording->why = (struct err)ERR_EMPTY;
	if (open_stream(recording, &discarded)) {
		recording->lost = false;
		send_head(recording);
	}
	lately_answered(recording->lately);
}

/* Until script has ended; what it leaves behind may hold the pipe open. */
static int run_until_end(struct recording *recording)
{
	int status = 0;

	while (waitpid(recording->script, &status, WNOHANG) == 0) {
		if (!pump(recording, LOOK_MS))
			poll(NULL, 0, 1);
		join(recording);
	}
	while (pump(recording, 0))
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Everything from script's start on; command as for record_terminal. */
static bool run(struct recording *recording, const char *command, int *status,
	struct err *err)
{
	struct err discarded = ERR_EMPTY;

	/* Not a reason to go without the rest. */
	lately_new(&recording->lately, &discarded);
	if (!start_script(recording, command, err))
		return false;
	(void)ioctl(STDIN_FILENO, TIOCGWINSZ, &recording->size);
	/* What is typed is for what runs there. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	*status = run_until_end(recording);
	if (command == NULL)
		*status = 0;
	close(recording->pipe);
	/* A log that was finished meanwhile has the beginning. */
	if (!recording->lost)
		return feed_stream_end(
			&recording->stream, recording->sent, err);
	if (recording->why.kind != ERR_NONE)
		return err_set(err, ERR_OUTPUT, "not recorded to its end: %s",
			recording->why.text);
	return true;
}

/* script(1) does not come to an end without one. */
static bool is_on_terminal(struct err *err)
{
	return isatty(STDIN_FILENO) == 1 ||
	       err_set(err, ERR_USAGE, "record needs a terminal");
}

static void end(struct recording *recording)
{
	feed_stream_close(&recording->stream);
	lately_free(recording->lately);
	buf_free(&recording->head);
}

bool record_terminal(const char *command, int *status, struct err *err)
{
	struct recording recording = {.stream = FEED_STREAM_EMPTY};
	bool ok;

	ok = is_on_terminal(err) && open_stream(&recording, err) &&
	     run(&recording, command, status, err);
	end(&recording);
	return ok;
}

bool record_later(struct err *err)
{
	struct recording recording = {
		.stream = FEED_STREAM_EMPTY, .lost = true};
	int status;
	bool ok;

	ok = is_on_terminal(err) && run(&recording, NULL, &status, err);
	if (!ok && recording.script > 0) {
		/* The shell has ended all the same. */
		tell_lost(&recording, err);
		ok = true;
	}
	end(&recording);
	return ok;
}
