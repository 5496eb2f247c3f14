/* SPDX-License-Identifier: ISC */
/* The script of a ceremony: one file for paper, screen, test and record. */
#include "lib/cli/options.h"
#include "tools/ceremony/command.h"
#include "tools/ceremony/lint.h"

#include <string.h>

static struct command_given given;

static const struct option_entry options[] = {
	{"pages", 0, OPTION_VALUE, "DIR",
		"lint: where manual pages are [" LINT_PAGES "]", &given.pages},
	{"releases", 0, OPTION_VALUE, "FILE",
		"lint: the list of releases that the disc must be in",
		&given.releases},
	{"paper", 'p', OPTION_VALUE, "NAME", "a4 or letter (if not given)",
		&given.paper},
	{"sheets", 0, OPTION_VALUE, "N",
		"print: blank sheets for exceptions [4]", &given.sheets},
	{"script", 's', OPTION_VALUE, "FILE",
		"the script that was played, if it is not beside the journal",
		&given.script},
	{"key", 'k', OPTION_VALUE, "FILE",
		"publish: the private key that signs; check: the public one",
		&given.key},
	{"pdf", 0, OPTION_FLAG, NULL, "annotate: pages, not text", &given.pdf},
	{"after", 0, OPTION_VALUE, "FOLDER",
		"run: the log that the power has cut", &given.after},
	{"anchor", 'a', OPTION_VALUE, "FILE", "check: the trust anchor file",
		&given.anchor},
	{"format", 'f', OPTION_VALUE, "NAME",
		"history: text (if not given), csv or svg", &given.format},
	{0},
};

static const char *const usage[] = {
	"lint [--pages DIR] [--releases FILE] SCRIPT",
	"list SCRIPT",
	"print [--paper NAME] [--sheets N] SCRIPT >PDF",
	"annotate [--script FILE] [--pdf [--paper NAME]] FOLDER...",
	"run [--after FOLDER] SCRIPT",
	"check [--releases FILE] [--key FILE] [--anchor FILE] FOLDER",
	"publish [--script FILE] [--key FILE] [--paper NAME] FOLDER... PUBLIC",
	"history [--format NAME] FOLDER...",
	NULL,
};

static const struct option_program program = {
	.name = "ceremony",
	.purpose = "The script of a ceremony.",
	.usage = usage,
	.options = options,
};

static const struct command *const commands[] = {
	&command_lint,
	&command_list,
	&command_print,
	&command_annotate,
	&command_run,
	&command_check,
	&command_publish,
	&command_history,
};

/* Is name one of the words of list? */
static bool has_word(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = list; *p != '\0'; p += strspn(p, " ")) {
		size_t word = strcspn(p, " ");

		if (word == len && strncmp(p, name, len) == 0)
			return true;
		p += word;
	}
	return false;
}

/* An option that the command does not take is none of its options. */
static bool check_options(const struct command *command, struct err *err)
{
	for (const struct option_entry *o = options; o->name != NULL; o++) {
		bool there = o->kind == OPTION_FLAG
				     ? *(const bool *)o->value
				     : *(const char *const *)o->value != NULL;

		if (there && !has_word(command->options, o->name))
			return err_set(err, ERR_USAGE, "%s has no option --%s",
				command->name, o->name);
	}
	return true;
}

static bool refuse_command(struct err *err)
{
	struct buf names = BUF_EMPTY;

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		buf_format(
			&names, "%s%s", i > 0 ? ", " : "", commands[i]->name);
	err_set(err, ERR_USAGE, "expected a command: %s", buf_string(&names));
	buf_free(&names);
	return false;
}

static bool run(const struct option_result *result, struct err *err)
{
	const struct command *command = NULL;

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (result->count > 0 &&
			strcmp(commands[i]->name, result->operands[0]) == 0)
			command = commands[i];
	if (command == NULL)
		return refuse_command(err);
	if (!check_options(command, err))
		return false;
	given.operands = result->operands + 1;
	given.count = result->count - 1;
	if (given.count < command->least || given.count > command->most)
		return err_set(err, ERR_USAGE, "%s takes %s", command->name,
			command->operands);
	return command->run(&given, err);
}

int main(int argc, char **argv)
{
	return options_main(&program, argc, argv, run);
}
