/* SPDX-License-Identifier: ISC */
#include "lib/cli/ask.h"

#include "lib/base/buf.h"
#include "lib/base/experiment.h"
#include "lib/base/stop.h"
#include "lib/cli/screen.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ANSWER_MAX 64
#define LINE_SIZE 4096 /* what a terminal takes */

/*
 * The line without its newline; cut when it is too long (then it is no yes).
 * Bytes are read one by one: what follows the line is not ours.
 */
static bool read_answer(char answer[ANSWER_MAX], struct err *err)
{
	size_t len = 0;

	for (;;) {
		char c;
		int got = stop_read_byte(STDIN_FILENO, &c, err);

		if (got < 0)
			return false;
		if (got == 0)
			return err_set(err, ERR_REFUSED, "no answer");
		if (c == '\n')
			break;
		if (len + 1 < ANSWER_MAX)
			answer[len++] = c;
	}
	answer[len] = '\0';
	return true;
}

static bool is_yes(const char *answer)
{
	static const char *const words[] = {"y", "Y", "yes", "Yes"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(answer, words[i]) == 0)
			return true;
	return false;
}

/* The answer is typed behind it, wherever it ends. */
static void show_question(const char *question)
{
	struct buf line = BUF_EMPTY, shown = BUF_EMPTY;

	buf_format(&line, "%s%s (y/N)?", experiment_mark(), question);
	screen_line(&shown, STDOUT_FILENO, buf_string(&line));
	printf("%s ", buf_string(&shown));
	fflush(stdout);
	buf_free(&line);
	buf_free(&shown);
}

bool ask_yes(struct log *log, const char *question, bool force, struct err *err)
{
	char answer[ANSWER_MAX] = "";

	if (force) {
		log_say(log, "%s: not asked (--force)", question);
		return true;
	}
	if (isatty(STDIN_FILENO) != 1)
		return err_set(err, ERR_REFUSED,
			"%s: no terminal to ask on, and no --force", question);
	/* What was typed before the question was shown is no answer to it. */
	(void)tcflush(STDIN_FILENO, TCIFLUSH);
	show_question(question);
	if (!read_answer(answer, err)) {
		printf("\n");
		log_write(log, LOG_LEVEL_INFO, "%s (y/N)? no answer", question);
		return false;
	}
	log_write(log, LOG_LEVEL_INFO, "%s (y/N)? %s", question, answer);
	if (!is_yes(answer))
		return err_set(err, ERR_REFUSED, "refused by the operator");
	return true;
}

bool ask_line(const char *question, struct buf *out, struct err *err)
{
	FILE *terminal = fopen("/dev/tty", "r+");
	char line[LINE_SIZE];
	bool got;

	if (terminal == NULL)
		return err_set(err, ERR_REFUSED,
			"there is no terminal to ask on: %s", question);
	fprintf(terminal, "%s%s", experiment_mark(), question);
	fflush(terminal);
	got = fgets(line, sizeof(line), terminal) != NULL;
	fclose(terminal);
	if (!got)
		return err_set(err, ERR_REFUSED, "nothing was typed");
	line[strcspn(line, "\r\n")] = '\0';
	buf_text(out, line);
	return buf_ok(out, err);
}
