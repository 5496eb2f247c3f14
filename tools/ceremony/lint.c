/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/lint.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/cli/print.h"
#include "tools/ceremony/command.h"
#include "tools/ceremony/typed.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RELEASES_MAX ((size_t)4 * 1024 * 1024)
#define PAGE_MAX ((size_t)1024 * 1024)
#define DRIVES_MAX 32
#define DRIVE_LEN 33
#define MEDIA "/media/"
#define MOUNTED "mounted at /media/"

/* What a command brings to the table, and what must be there before it. */
enum thing {
	THING_NONE,
	THING_LOG,
	THING_PRINTER,
	THING_HSM,
	THING_COUNT,
};

static const char *const thing_names[THING_COUNT] = {"",
	"the log (ceremony-log start)", "a printer (configure-printer)",
	"an HSM (hsm-list, keymaster inventory)"};

static const struct use {
	const char *command;
	const char *operand; /* the first one; NULL: any */
	enum thing brings, needs;
} uses[] = {
	{"ceremony-log", "start", THING_LOG, THING_NONE},
	{"ceremony-log", "status", THING_NONE, THING_LOG},
	{"ceremony-log", "finish", THING_NONE, THING_LOG},
	{"configure-printer", NULL, THING_PRINTER, THING_NONE},
	{"lpadmin", NULL, THING_NONE, THING_PRINTER},
	{"lpq", NULL, THING_NONE, THING_PRINTER},
	{"printlog", NULL, THING_NONE, THING_PRINTER},
	{"print-script", NULL, THING_NONE, THING_PRINTER},
	{"print-ttyaudit", NULL, THING_NONE, THING_PRINTER},
	{"screencap-verify", NULL, THING_NONE, THING_PRINTER},
	{"hsm-list", NULL, THING_HSM, THING_NONE},
	{"keymaster", "inventory", THING_HSM, THING_NONE},
	{"ksrsigner", NULL, THING_NONE, THING_HSM},
	{"keymaster", NULL, THING_NONE, THING_HSM},
	{"trustanchor", NULL, THING_NONE, THING_HSM},
};

/* Commands of the shell itself. */
static const char *const builtins[] = {"cd", "exit", "export", "echo"};

struct lint {
	const struct script *script;
	const struct lint_options *options;
	struct buf *out;
	size_t count;
	bool there[THING_COUNT];
	char drives[DRIVES_MAX][DRIVE_LEN]; /* mounted; "" is a free place */
	struct err *err;
};

static void find(struct lint *lint, size_t line, const char *what,
	const char *name, const char *rest)
{
	buf_format(lint->out, "%s:%zu: %s%s%s\n", lint->script->path, line,
		what, name, rest);
	lint->count++;
}

/* Drives */

/* The name behind "/media/" at text, as far as it goes. */
static void drive_name(const char *text, char out[DRIVE_LEN])
{
	size_t len = strcspn(text, "/, \"'*");

	if (len >= DRIVE_LEN)
		len = DRIVE_LEN - 1;
	memcpy(out, text, len);
	out[len] = '\0';
}

static char *find_drive(struct lint *lint, const char *name)
{
	for (size_t i = 0; i < DRIVES_MAX; i++)
		if (strcmp(lint->drives[i], name) == 0)
			return lint->drives[i];
	return NULL;
}

static void bring_drives(struct lint *lint, const struct script_item *item)
{
	for (size_t i = 0; i < item->line_count; i++) {
		const char *text = item->lines[i].text;
		const char *place = text != NULL ? strstr(text, MOUNTED) : NULL;
		char name[DRIVE_LEN], *free_place = find_drive(lint, "");

		if (place == NULL || free_place == NULL)
			continue;
		drive_name(place + strlen(MOUNTED), name);
		if (find_drive(lint, name) == NULL)
			memcpy(free_place, name, DRIVE_LEN);
	}
}

static void need_drives(
	struct lint *lint, const struct script_item *item, const char *command)
{
	const char *place = command;
	char name[DRIVE_LEN];

	while ((place = strstr(place, MEDIA)) != NULL) {
		place += strlen(MEDIA);
		drive_name(place, name);
		if (name[0] != '\0' && find_drive(lint, name) == NULL)
			find(lint, item->line,
				"no step before has brought the drive ", name,
				", with a line \"mounted at /media/NAME\"");
	}
}

static void take_drive(struct lint *lint, const struct typed *words)
{
	char name[DRIVE_LEN], *drive;

	if (words->count < 2 || strcmp(words->list[0], "umount") != 0 ||
		strncmp(words->list[1], MEDIA, strlen(MEDIA)) != 0)
		return;
	drive_name(words->list[1] + strlen(MEDIA), name);
	drive = find_drive(lint, name);
	if (drive != NULL)
		drive[0] = '\0';
}

/* Programs and their options */

static bool is_program(const struct lint *lint, const char *name)
{
	const char *place = lint->options->path;
	struct buf path = BUF_EMPTY;
	bool found = false;

	for (size_t i = 0; i < sizeof(builtins) / sizeof(*builtins); i++)
		found = found || strcmp(builtins[i], name) == 0;
	while (!found && *place != '\0') {
		size_t len = strcspn(place, ":");

		buf_clear(&path);
		buf_format(&path, "%.*s/%s", (int)len, place, name);
		found = access(buf_string(&path), X_OK) == 0;
		place += len + (place[len] == ':');
	}
	buf_free(&path);
	return found;
}

/* The page of a program, which has none where it is not ours. */
static bool read_page(
	const struct lint *lint, const char *name, struct buf *page)
{
	static const char *const places[] = {"", "man1/", "man8/"};
	struct err ignored = ERR_EMPTY;
	struct buf path = BUF_EMPTY;
	bool found = false;

	for (size_t i = 0; !found && i < 6; i++) {
		buf_clear(&path);
		buf_format(&path, "%s/%s%s.%c", lint->options->pages,
			places[i / 2], name, i % 2 == 0 ? '1' : '8');
		found = file_read(buf_string(&path), PAGE_MAX, page, &ignored);
	}
	buf_free(&path);
	return found;
}

/* Does the page have "Fl -name", or "Fl x" for a letter? */
static bool page_has(struct buf *page, const char *option, size_t len)
{
	struct buf wanted = BUF_EMPTY;
	const char *place = buf_string(page);
	bool found = false;

	buf_format(&wanted, "Fl %.*s", (int)len - 1, option + 1);
	while (!found && (place = strstr(place, buf_string(&wanted))) != NULL) {
		place += wanted.len;
		found = !isalnum((unsigned char)*place) && *place != '-';
	}
	buf_free(&wanted);
	return found;
}

static void check_options(struct lint *lint, const struct script_item *item,
	const struct typed *words)
{
	struct buf page = BUF_EMPTY;

	if (!read_page(lint, words->list[0], &page))
		return;
	for (size_t i = 1; i < words->count; i++) {
		const char *word = words->list[i];
		size_t len = strcspn(word, "=");

		if (strcmp(word, "--") == 0)
			break;
		if (word[0] != '-' || len < 2)
			continue;
		if (!page_has(&page, word, len)) {
			struct buf text = BUF_EMPTY;

			buf_format(&text, "%s has no option %.*s",
				words->list[0], (int)len, word);
			find(lint, item->line, buf_string(&text), "", "");
			buf_free(&text);
		}
	}
	buf_free(&page);
}

static void check_use(struct lint *lint, const struct script_item *item,
	const struct typed *words)
{
	for (size_t i = 0; i < sizeof(uses) / sizeof(*uses); i++) {
		const struct use *use = &uses[i];

		if (strcmp(use->command, words->list[0]) != 0 ||
			(use->operand != NULL &&
				(words->count < 2 ||
					strcmp(use->operand, words->list[1]) !=
						0)))
			continue;
		if (use->needs != THING_NONE && !lint->there[use->needs])
			find(lint, item->line, words->list[0],
				" needs what no step before has brought: ",
				thing_names[use->needs]);
		lint->there[use->brings] = true;
	}
}

static bool check_words(
	struct lint *lint, const struct script_item *item, const char *command)
{
	struct typed words = {.list = NULL};

	if (!typed_split(command, &words, lint->err)) {
		find(lint, item->line, lint->err->text, "", "");
		return true;
	}
	if (words.joined)
		find(lint, item->line, "two commands in one line: ", command,
			"");
	if (words.count > 0) {
		if (!is_program(lint, words.list[0]))
			find(lint, item->line,
				"no such program: ", words.list[0], "");
		check_options(lint, item, &words);
		check_use(lint, item, &words);
		need_drives(lint, item, command);
		take_drive(lint, &words);
	}
	typed_free(&words);
	return true;
}

static bool check_command(struct lint *lint, const struct script_item *item)
{
	struct buf command = BUF_EMPTY;
	struct err why = ERR_EMPTY;
	bool ok = true;

	if (!script_expand(lint->script, item->text, &command, &why))
		find(lint, item->line, why.text, "", "");
	else
		ok = check_words(lint, item, buf_string(&command));
	buf_free(&command);
	return ok;
}

static void check_lines(struct lint *lint, const struct script_item *item)
{
	for (size_t i = 0; i < item->line_count; i++) {
		struct script_item one = {
			.lines = &item->lines[i], .line_count = 1};
		struct err why = ERR_EMPTY;
		size_t next = 0;

		if (!script_seen(lint->script, &one, "", &next, &why))
			find(lint, item->lines[i].line, why.text, "", "");
	}
}

/* Of a command that is check_command()'s. */
static void check_text(struct lint *lint, const struct script_item *item)
{
	struct buf text = BUF_EMPTY;
	struct err why = ERR_EMPTY;

	if (item->text == NULL || item->kind == ITEM_COMMAND)
		return;
	if (!script_expand(lint->script, item->text, &text, &why))
		find(lint, item->line, why.text, "", "");
	else if (item->kind == ITEM_VALUE &&
		 strstr(buf_string(&text), ": ") != NULL)
		find(lint, item->line,
			"a colon and a blank in the name of a value: ",
			buf_string(&text), "");
	buf_free(&text);
}

/* What is before a step is on paper alone: no card shows it, and no log has it.
 */
static void check_place(struct lint *lint, const struct script_item *item)
{
	static const char *const words[] = {
		[ITEM_TEXT] = NULL,
		[ITEM_NOTE] = NULL,
		[ITEM_COMMAND] = "a command",
		[ITEM_SHOWN] = "what must be seen",
		[ITEM_CONFIRM] = "a confirmation",
		[ITEM_VALUE] = "a value",
	};

	if (words[item->kind] != NULL)
		find(lint, item->line, words[item->kind],
			" belongs into a step", "");
}

static void check_role(struct lint *lint, size_t line, const char *role)
{
	if (script_name(lint->script->roles, lint->script->role_count, role) ==
		NULL)
		find(lint, line, "roles does not have ", role, "");
}

static bool check_items(struct lint *lint, const struct script_item *items,
	size_t count, bool in_step)
{
	size_t commands = 0;

	for (size_t i = 0; i < count; i++) {
		const struct script_item *item = &items[i];

		check_lines(lint, item);
		check_text(lint, item);
		if (!in_step)
			check_place(lint, item);
		if (item->role != NULL)
			check_role(lint, item->line, item->role);
		if (item->kind == ITEM_COMMAND) {
			if (in_step && commands++ > 0)
				find(lint, item->line,
					"a second command in this step; make it a step of its own",
					"", "");
			if (!check_command(lint, item))
				return false;
		}
		bring_drives(lint, item);
	}
	return true;
}

static bool check_step(
	struct lint *lint, const struct script_step *step, unsigned *number)
{
	if (step->number != *number + 1)
		find(lint, step->line,
			"steps are numbered one after the other, through all acts",
			"", "");
	*number = step->number;
	if (step->role_count == 0)
		find(lint, step->line,
			"no role: {ROLE, N min} at the end of the heading", "",
			"");
	if (step->minutes == 0)
		find(lint, step->line,
			"no minutes: {ROLE, N min} at the end of the heading",
			"", "");
	for (size_t i = 0; i < step->role_count; i++)
		check_role(lint, step->line, step->roles[i]);
	return check_items(lint, step->items, step->item_count, true);
}

/* Is the disc one of those that are listed, by name and hash in one line? */
static bool is_listed(const struct script *script, const char *releases)
{
	const char *place = releases;

	while ((place = strstr(place, script->disc_sha256)) != NULL) {
		const char *from = place, *end = strchr(place, '\n');
		size_t len = strlen(script->disc);

		end = end != NULL ? end : place + strlen(place);
		while (from > releases && from[-1] != '\n')
			from--;
		for (; from + len <= end; from++)
			if (strncmp(from, script->disc, len) == 0)
				return true;
		place++;
	}
	return false;
}

static void check_front(struct lint *lint)
{
	const struct script *script = lint->script;

	if (script->title == NULL)
		find(lint, 1, "no title", "", "");
	if (script->role_count == 0)
		find(lint, 1, "no roles", "", "");
	if (script->act_count == 0)
		find(lint, 1, "no act (#)", "", "");
	if (script->disc != NULL && lint->options->releases != NULL &&
		!is_listed(script, lint->options->releases))
		find(lint, 1, "no release lists this disc with this hash: ",
			script->disc, "");
}

bool lint_script(const struct script *script,
	const struct lint_options *options, struct buf *out, size_t *count,
	struct err *err)
{
	struct lint lint = {
		.script = script, .options = options, .out = out, .err = err};
	unsigned number = 0;
	bool ok = true;

	check_front(&lint);
	ok = check_items(&lint, script->items, script->item_count, false);
	for (size_t a = 0; ok && a < script->act_count; a++) {
		const struct script_act *act = &script->acts[a];

		ok = check_items(&lint, act->items, act->item_count, false);
		for (size_t s = 0; ok && s < act->step_count; s++)
			ok = check_step(&lint, &act->steps[s], &number);
	}
	*count = lint.count;
	return ok && buf_ok(out, err);
}

static bool lint(const struct command_given *given, struct err *err)
{
	const char *path = getenv("PATH");
	struct lint_options asked = {.path = path != NULL ? path : "",
		.pages = given->pages != NULL ? given->pages : LINT_PAGES};
	struct buf text = BUF_EMPTY, found = BUF_EMPTY;
	struct script *script = NULL;
	size_t count = 0;
	bool ok = script_read(given->operands[0], &script, err);

	if (ok && given->releases != NULL) {
		ok = file_read(given->releases, RELEASES_MAX, &text, err);
		asked.releases = buf_string(&text);
	}
	ok = ok && lint_script(script, &asked, &found, &count, err) &&
	     print_text(&found, err);
	if (ok && count > 0)
		ok = err_set(err, ERR_REFUSED, "%s: %zu findings", script->path,
			count);
	script_free(script);
	buf_free(&found);
	buf_free(&text);
	return ok;
}

const struct command command_lint = {
	.name = "lint",
	.options = "pages releases",
	.operands = "one script",
	.least = 1,
	.most = 1,
	.run = lint,
};
