/* SPDX-License-Identifier: ISC */
#include "signer/token/pin.h"

#include "lib/base/buf.h"
#include "lib/base/experiment.h"
#include "lib/base/file.h"
#include "lib/base/stop.h"
#include "lib/base/text.h"
#include "lib/cli/screen.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define TERMINAL "/dev/tty"

/*
 * Read a line straight into the locked pages.  The rest of a line that is too
 * long is read and dropped, or it would be taken for the next answer.
 */
static bool read_line(int fd, struct secret *line, struct err *err)
{
	bool too_long = false;

	for (;;) {
		char c;
		int got = stop_read_byte(fd, &c, err);

		if (got < 0)
			return false;
		if (got == 0)
			return err_set(err, ERR_REFUSED, "no PIN was typed");
		if (c == '\n')
			break;
		if (line->length < SECRET_MAX)
			line->bytes[line->length++] = c;
		else
			too_long = true;
		explicit_bzero(&c, sizeof(c));
	}
	line->bytes[line->length] = '\0';
	if (too_long)
		return err_set(err, ERR_REFUSED,
			"a PIN of more than %zu characters", SECRET_MAX);
	if (line->length == 0)
		return err_set(err, ERR_REFUSED, "no PIN was typed");
	return true;
}

/* What a token says of itself begins no row of the screen. */
static bool show(int fd, const char *prompt, struct err *err)
{
	struct buf shown = BUF_EMPTY;
	bool ok;

	text_fold(&shown, prompt, screen_width(fd), SCREEN_INDENT);
	buf_u8(&shown, ' ');
	ok = buf_ok(&shown, err) &&
	     file_write_fd(fd, TERMINAL, shown.data, shown.len, err);
	buf_free(&shown);
	return ok;
}

static bool prompt_on(
	int fd, const char *prompt, struct secret **out, struct err *err)
{
	struct secret *line = NULL;
	struct termios before, quiet;
	bool ok = false;

	if (tcgetattr(fd, &before) != 0)
		return err_set(
			err, ERR_USAGE, "%s: %s", TERMINAL, strerror(errno));
	if (!secret_new(&line, err))
		return false;
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	quiet.c_lflag |= ICANON | ISIG;
	/* Stopped with ^Z the terminal would stay without echo. */
	quiet.c_cc[VSUSP] = _POSIX_VDISABLE;
	/* TCSAFLUSH: what was typed before the question is no answer. */
	if (tcsetattr(fd, TCSAFLUSH, &quiet) != 0) {
		err_set(err, ERR_USAGE, "%s: %s", TERMINAL, strerror(errno));
		goto done;
	}
	ok = show(fd, prompt, err) && read_line(fd, line, err);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	if (!file_write_fd(fd, TERMINAL, "\n", 1, err))
		ok = false;
	if (ok) {
		*out = line;
		line = NULL;
	}
done:
	secret_free(line);
	return ok;
}

static bool prompt(const char *text, struct secret **out, struct err *err)
{
	int fd = open(TERMINAL, O_RDWR | O_NOCTTY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return err_set(err, ERR_USAGE,
			"no PIN in the configuration, and no terminal to ask for it");
	ok = prompt_on(fd, text, out, err);
	close(fd);
	return ok;
}

/* "PREFIX token LABEL (MODEL, serial SERIAL, slot N): " */
static bool ask(const char *prefix, const struct token_info *info,
	struct secret **out, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok;

	buf_format(&text,
		"%s%s token %s (%s, serial %s, slot %lu):", experiment_mark(),
		prefix, info->label, info->model, info->serial, info->slot);
	ok = buf_ok(&text, err) && prompt(buf_string(&text), out, err);
	buf_free(&text);
	return ok;
}

bool pin_ask(void *context, const struct token_info *info, enum token_user user,
	struct secret **pin, struct err *err)
{
	const char *prefix = "PIN for";

	(void)context;
	if (user == TOKEN_SO)
		prefix = "security officer's PIN for";
	else if (info->pin_final)
		prefix = "LAST TRY, a wrong PIN locks the token!\nPIN for";
	else if (info->pin_low)
		prefix = "a wrong PIN was typed before\nPIN for";
	return ask(prefix, info, pin, err);
}

bool pin_ask_new(
	const struct token_info *info, struct secret **pin, struct err *err)
{
	struct secret *first = NULL, *second = NULL;
	bool ok = false;

	if (!ask("new PIN for", info, &first, err) ||
		!ask("again, new PIN for", info, &second, err))
		goto done;
	assert(first != NULL && second != NULL);
	if (first->length != second->length ||
		memcmp(first->bytes, second->bytes, first->length) != 0) {
		err_set(err, ERR_REFUSED, "the two new PINs differ");
		goto done;
	}
	*pin = first;
	first = NULL;
	ok = true;
done:
	secret_free(first);
	secret_free(second);
	return ok;
}
