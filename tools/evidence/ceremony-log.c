/* SPDX-License-Identifier: ISC */
/*
 * The log of a ceremony: started, looked at, finished, checked.  What keeps
 * it is recorder.h; this is what the operator types.
 */
#include "lib/base/buf.h"
#include "lib/base/number.h"
#include "lib/cli/feed.h"
#include "lib/cli/options.h"
#include "lib/cli/print.h"
#include "tools/evidence/finish.h"
#include "tools/evidence/record.h"
#include "tools/evidence/start.h"
#include "tools/evidence/state.h"
#include "tools/evidence/verify.h"
#include "tools/paper/paper.h"

#include <stdlib.h>
#include <string.h>

static bool no_print, later;
static const char *copies;
static int recorded_status;

static const struct option_entry options[] = {
	{"no-print", 0, OPTION_FLAG, NULL, "finish: do not print the manifest",
		&no_print},
	{"copies", 0, OPTION_VALUE, "N", "finish: how many, 1 if not given",
		&copies},
	{"later", 0, OPTION_FLAG, NULL,
		"record: a shell now, in the log when it asks", &later},
	{0},
};

static const char *const usage[] = {
	"start FOLDER [FOLDER ...]",
	"status",
	"finish [--no-print | --copies N]",
	"verify FOLDER",
	"note TEXT",
	"record [--later | COMMAND]",
	NULL,
};

static const struct option_program program = {
	.name = "ceremony-log",
	.purpose =
		"Record the terminals and devices of a ceremony, chained by hash.",
	.usage = usage,
	.options = options,
};

/* judge: fail where something is not recorded or not written. */
static bool show_state(bool judge, struct err *err)
{
	struct terminals terminals = {.all = NULL};
	struct buf text = BUF_EMPTY;
	struct state state;
	bool ok;

	ok = state_ask("status", &state, err) &&
	     state_terminals(&state, &terminals, err);
	if (ok)
		state_show(&state, &terminals, &text);
	ok = ok && print_text(&text, err);
	if (ok && judge && !state_is_complete(&state, &terminals))
		ok = err_set(err, ERR_REFUSED, "the log is not complete");
	state_free(&state);
	free(terminals.all);
	buf_free(&text);
	return ok;
}

/* Terminals are recorded from their next prompt on: it is not judged yet. */
static bool start(const char *const *operands, size_t count, struct err *err)
{
	return start_log(operands, count, err) && show_state(false, err);
}

static bool status(const char *const *operands, size_t count, struct err *err)
{
	(void)operands;
	(void)count;
	return show_state(true, err);
}

static bool print_manifest(
	const struct buf *text, const struct buf *manifest, struct err *err)
{
	struct buf page = BUF_EMPTY;
	bool ok;

	buf_bytes(&page, text->data, text->len);
	buf_u8(&page, '\n');
	buf_bytes(&page, manifest->data, manifest->len);
	ok = buf_ok(&page, err) && paper_print("Ceremony log manifest", &page,
					   copies != NULL ? copies : "1", err);
	buf_free(&page);
	return ok;
}

static bool finish(const char *const *operands, size_t count, struct err *err)
{
	struct buf text = BUF_EMPTY, manifest = BUF_EMPTY;
	struct err other = ERR_EMPTY;
	bool ok;

	(void)operands;
	(void)count;
	ok = finish_log(&text, &manifest, err);
	/* The folders that are whole are shown and printed in any case. */
	if (text.len > 0 && !print_text(&text, ok ? err : &other))
		ok = false;
	if (manifest.len > 0 && !no_print &&
		!print_manifest(&text, &manifest, ok ? err : &other))
		ok = false;
	buf_free(&text);
	buf_free(&manifest);
	return ok;
}

static bool verify(const char *const *operands, size_t count, struct err *err)
{
	(void)count;
	return verify_log(operands[0], err);
}

static bool note(const char *const *operands, size_t count, struct err *err)
{
	struct buf request = BUF_EMPTY, answer = BUF_EMPTY;
	bool ok;

	(void)count;
	buf_text(&request, "note ");
	for (const char *p = operands[0]; *p != '\0'; p++)
		buf_u8(&request, *p == '\n' ? ' ' : (uint8_t)*p);
	ok = buf_ok(&request, err) &&
	     feed_request(buf_string(&request), &answer, err);
	buf_free(&request);
	buf_free(&answer);
	return ok;
}

static bool record(const char *const *operands, size_t count, struct err *err)
{
	if (later && count > 0)
		return err_set(
			err, ERR_USAGE, "--later goes without a command");
	if (later)
		return record_later(err);
	return record_terminal(
		count > 0 ? operands[0] : NULL, &recorded_status, err);
}

static const struct {
	const char *name;
	size_t least, most; /* operands */
	bool (*run)(const char *const *operands, size_t count, struct err *err);
} verbs[] = {
	{"start", 0, (size_t)-1, start},
	{"status", 0, 0, status},
	{"finish", 0, 0, finish},
	{"verify", 1, 1, verify},
	{"note", 1, 1, note},
	{"record", 0, 1, record},
};

static bool check_copies(struct err *err)
{
	int64_t number;

	if (copies == NULL || number_parse(copies, 1, 99, &number, err))
		return true;
	err->kind = ERR_USAGE;
	return err_prefix(err, "--copies");
}

static bool run(const struct option_result *given, struct err *err)
{
	const char *verb = given->count > 0 ? given->operands[0] : "";
	size_t count = given->count - 1;

	if (given->count == 0)
		return err_set(err, ERR_USAGE,
			"give start, status, finish, verify, note or record");
	if ((no_print || copies != NULL) && strcmp(verb, "finish") != 0)
		return err_set(
			err, ERR_USAGE, "these options belong to finish");
	if (later && strcmp(verb, "record") != 0)
		return err_set(err, ERR_USAGE, "--later belongs to record");
	if (!check_copies(err))
		return false;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(verb, verbs[i].name) == 0 &&
			count >= verbs[i].least && count <= verbs[i].most)
			return verbs[i].run(given->operands + 1, count, err);
	return err_set(err, ERR_USAGE,
		"\"%s\" is no such command, or its operands", verb);
}

int main(int argc, char **argv)
{
	int status = options_main(&program, argc, argv, run);

	return status != 0 ? status : recorded_status;
}
