/* SPDX-License-Identifier: ISC */
#include "lib/base/version.h"
#include "lib/cli/print.h"
#include "tools/ceremony/account.h"
#include "tools/ceremony/command.h"
#include "tools/ceremony/notes.h"
#include "tools/ceremony/pages.h"

#include <unistd.h>

#define FOLDERS_MAX 8

static bool write_pdf(const struct command_given *given,
	const struct account *account, struct buf *out, struct err *err)
{
	struct pages pages = {.script = account->script,
		.hash = account->hash,
		.release = version_release,
		.account = account};

	return command_paper(given, &pages.paper, err) &&
	       pages_pdf(&pages, out, err);
}

static bool annotate(const struct command_given *given, struct err *err)
{
	struct account *account = NULL;
	struct buf text = BUF_EMPTY;
	bool ok;

	if (given->pdf && !command_no_terminal(err))
		return false;
	ok = account_read(given->operands, given->count, given->script,
		     &account, err) &&
	     (given->pdf ? write_pdf(given, account, &text, err)
			 : notes_write(account, &text, err)) &&
	     print_text(&text, err);
	if (ok && account->course->problem_count > 0)
		ok = err_set(err, ERR_REFUSED,
			"%s: the log is not whole: %zu problems, which stand in what was written",
			given->operands[0], account->course->problem_count);
	buf_free(&text);
	account_free(account);
	return ok;
}

const struct command command_annotate = {
	.name = "annotate",
	.options = "paper pdf script",
	.operands = "the ceremony's folder, or several",
	.least = 1,
	.most = FOLDERS_MAX,
	.run = annotate,
};
