/* SPDX-License-Identifier: ISC */
/*
 * The hashes of a flash drive: shown, printed, or compared with those of its
 * copy.
 */
#include "lib/base/buf.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/cli/hash.h"
#include "lib/cli/hashes.h"
#include "lib/cli/options.h"
#include "lib/cli/print.h"
#include "tools/evidence/tree.h"
#include "tools/paper/paper.h"

#include <inttypes.h>
#include <string.h>

#define COPIES_MAX 99
#define COLUMN 12 /* where values begin */

static bool calculate, print, match;
static const char *drive, *other, *verify, *verify_file;

static const struct option_entry options[] = {
	{"calculate", 'c', OPTION_FLAG, NULL, "show the hashes", &calculate},
	{"print", 'p', OPTION_FLAG, NULL,
		"show and print them (once, or COPIES times)", &print},
	{"match", 'm', OPTION_FLAG, NULL, "compare two drives, file by file",
		&match},
	{"drive", 0, OPTION_VALUE, "FOLDER", "instead of /media/HSMFD", &drive},
	{"other", 0, OPTION_VALUE, "FOLDER",
		"the copy, instead of /media/HSMFD_", &other},
	{"verify", 0, OPTION_VALUE, "TEXT",
		"compare with hex or words; - asks for them", &verify},
	{"verify-file", 0, OPTION_VALUE, "FILE",
		"compare with hex or words in a file", &verify_file},
	{0},
};

static const char *const usage[] = {
	"-c [--verify TEXT]", "-p [COPIES]", "-m", NULL};

static const struct option_program program = {
	.name = "hsmfd-hash",
	.purpose =
		"SHA-256 and PGP words of the files on the HSMFD flash drive.",
	.usage = usage,
	.options = options,
};

static void describe(const struct tree *tree, struct buf *out)
{
	buf_text(out, "Drive:      ");
	text_escape(out, tree->root, strlen(tree->root));
	buf_format(out, "\nFiles:      %zu, %" PRIu64 " bytes\n\n", tree->count,
		tree->size);
	buf_text(out, "All files, one after the other:\n");
	hash_block(out, tree->all);
	buf_text(out, "\nNames and files (manifest):\n");
	hash_block(out, tree->manifest);
}

static bool read_drive(const char *folder, struct tree *tree, struct buf *text,
	struct err *err)
{
	bool ok = tree_read(folder, tree, err) && tree_hash(tree, err);

	if (ok)
		describe(tree, text);
	return ok;
}

/* A drive has two hashes, and older papers have the first alone. */
static bool verdict(const struct tree *tree, const uint8_t *expected,
	struct buf *text, struct err *err)
{
	bool all = memcmp(tree->all, expected, SHA256_LEN) == 0;
	bool manifest = memcmp(tree->manifest, expected, SHA256_LEN) == 0;

	if (all || manifest)
		buf_format(text, "\nResult:     same (%s)\n",
			all ? "all files, one after the other" : "manifest");
	else
		buf_text(text, "\nResult:     DIFFERENT\n");
	if (!print_text(text, err))
		return false;
	return all || manifest ||
	       err_set(err, ERR_REFUSED,
		       "neither hash is the one to compare with");
}

static bool show(const char *copies, const uint8_t *expected, struct err *err)
{
	struct tree tree = {.root = NULL};
	struct buf text = BUF_EMPTY;
	bool ok;

	ok = read_drive(drive, &tree, &text, err);
	if (ok && expected != NULL)
		ok = verdict(&tree, expected, &text, err);
	else if (ok)
		ok = print_text(&text, err);
	if (ok && print)
		ok = paper_print("HSMFD hash", &text, copies, err);
	buf_free(&text);
	tree_free(&tree);
	return ok;
}

static bool show_or_verify(const char *copies, struct err *err)
{
	struct hashes hashes = HASHES_EMPTY;
	const uint8_t *expected = NULL;
	bool ok = hashes_given(verify, verify_file, &hashes, err);

	if (ok && hashes.count > 0)
		ok = hashes_one(&hashes, &expected, err);
	ok = ok && show(copies, expected, err);
	hashes_free(&hashes);
	return ok;
}

static bool compare(struct err *err)
{
	struct tree a = {.root = NULL}, b = {.root = NULL};
	struct buf text = BUF_EMPTY;
	size_t differences = 0;
	bool ok;

	ok = read_drive(drive, &a, &text, err);
	buf_u8(&text, '\n');
	ok = ok && read_drive(other, &b, &text, err);
	if (ok) {
		buf_u8(&text, '\n');
		differences = tree_compare(&a, &b, &text);
		buf_text(&text, differences == 0 ? "Result:     same\n"
						 : "Result:     DIFFERENT\n");
		ok = print_folded(&text, COLUMN, err);
	}
	if (ok && differences > 0)
		ok = err_set(err, ERR_REFUSED, "the drives differ in %zu files",
			differences);
	buf_free(&text);
	tree_free(&a);
	tree_free(&b);
	return ok;
}

static bool run(const struct option_result *given, struct err *err)
{
	const char *copies = given->count > 0 ? given->operands[0] : "1";
	int64_t number;

	if (calculate + print + match != 1)
		return err_set(err, ERR_USAGE, "give one of -c, -p and -m");
	if (given->count > (print ? 1 : 0))
		return err_set(err, ERR_USAGE, "unexpected operand \"%s\"",
			given->operands[given->count - 1]);
	if (!number_parse(copies, 1, COPIES_MAX, &number, err)) {
		err->kind = ERR_USAGE;
		return err_prefix(err, "copies");
	}
	if (other != NULL && !match)
		return err_set(err, ERR_USAGE, "--other goes with -m");
	if ((verify != NULL || verify_file != NULL) && !calculate)
		return err_set(err, ERR_USAGE, "--verify goes with -c");
	drive = drive != NULL ? drive : "/media/HSMFD";
	other = other != NULL ? other : "/media/HSMFD_";
	return match ? compare(err) : show_or_verify(copies, err);
}

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv, run);
}
