/* SPDX-License-Identifier: ISC */
#include "lib/cli/print.h"
#include "lib/base/file.h"
#include "lib/base/number.h"
#include "lib/base/version.h"
#include "lib/hash/sha256.h"
#include "tools/ceremony/command.h"
#include "tools/ceremony/pages.h"

static bool read_options(
	const struct command_given *given, struct pages *pages, struct err *err)
{
	int64_t sheets = PAGES_SHEETS;

	if (!command_paper(given, &pages->paper, err))
		return false;
	if (given->sheets != NULL && !number_parse(given->sheets, 0,
					     PAGES_SHEETS_MAX, &sheets, err)) {
		err->kind = ERR_USAGE;
		return err_prefix(err, "--sheets");
	}
	pages->sheets = (size_t)sheets;
	return command_no_terminal(err);
}

static bool print(const struct command_given *given, struct err *err)
{
	const char *path = given->operands[0];
	struct buf bytes = BUF_EMPTY, pdf = BUF_EMPTY;
	struct script *script = NULL;
	uint8_t hash[SHA256_LEN];
	struct pages pages = {.release = version_release, .hash = hash};
	bool ok;

	ok = read_options(given, &pages, err) &&
	     file_read(path, SCRIPT_SIZE_MAX, &bytes, err) &&
	     sha256_of(bytes.data, bytes.len, hash, err) &&
	     script_parse(path, bytes.data, bytes.len, &script, err);
	pages.script = script;
	ok = ok && pages_pdf(&pages, &pdf, err) && print_text(&pdf, err);
	script_free(script);
	buf_free(&pdf);
	buf_free(&bytes);
	return ok;
}

const struct command command_print = {
	.name = "print",
	.options = "paper sheets",
	.operands = "one script",
	.least = 1,
	.most = 1,
	.run = print,
};
