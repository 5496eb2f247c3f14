/* SPDX-License-Identifier: ISC */
/*
 * Play a script: a card for each step, keys, the commands.  It runs in the
 * recorded terminal, and what it starts has that terminal to itself; so cards,
 * commands and what they show are in one recording, in their order.
 */
#include "lib/base/file.h"
#include "lib/base/stop.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/cli/ask.h"
#include "lib/cli/place.h"
#include "tools/ceremony/card.h"
#include "tools/ceremony/command.h"
#include "tools/ceremony/play.h"
#include "tools/ceremony/shell.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS 20000 /* the minutes on the card */
/* What the one that begins to be recorded hands on to itself. */
#define HANDED "KEYROOM_CARD"
#define HANDED_COUNT 5 /* step, item, status, ran, begun */

struct run {
	struct play play;
	const char *path; /* of the script, absolute */
	int scroll;
	bool left;
	bool tried; /* to be recorded */
};

/* The card */

static bool add_expected(struct run *run, struct card *card,
	const struct script_item *item, enum card_look look, struct err *err)
{
	static const char *const words[] = {
		[LINE_TEXT] = "must be seen: %s",
		[LINE_GLOB] = "a line like: %s",
		[LINE_REGEX] = "a line that matches: %s",
		[LINE_ANSWER] = "asks: %s",
		[LINE_BREAK] = "then press Ctrl-C",
	};
	bool ok = true;

	for (size_t i = 0; ok && i < item->line_count; i++) {
		const struct script_line *line = &item->lines[i];
		struct buf text = BUF_EMPTY, all = BUF_EMPTY;

		ok = line->text == NULL ||
		     script_expand(run->play.script, line->text, &text, err);
		if (line->kind == LINE_BREAK)
			buf_text(&all, words[line->kind]);
		else
			buf_format(&all, "%.*s%s",
				(int)strlen(words[line->kind]) - 2,
				words[line->kind], buf_string(&text));
		if (line->answer != NULL)
			buf_format(&all, "   answer: %s", line->answer);
		ok = ok && card_add(card, look, 6, false, err, "%s",
				   buf_string(&all));
		buf_free(&text);
		buf_free(&all);
	}
	return ok;
}

static bool add_command(struct run *run, struct card *card,
	const struct script_item *item, enum card_look look, bool now,
	struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok = script_expand(run->play.script, item->text, &text, err) &&
		  card_add(card, look, 2, now, err, "%s # %s", now ? ">" : " ",
			  buf_string(&text)) &&
		  add_expected(run, card, item,
			  look == CARD_STRONG ? CARD_PLAIN : look, err);

	buf_free(&text);
	if (ok && run->play.ran && run->play.status != item->status)
		ok = card_add(card, CARD_ALARM, 6, false, err,
			"exit status %d, and %d is right: r runs it again",
			run->play.status, item->status);
	return ok;
}

/* text: the item's, with what its variables stand for. */
static bool add_text_item(struct run *run, struct card *card, size_t i,
	const char *text, struct err *err)
{
	const struct script_item *item = &play_step(&run->play)->items[i];
	bool done = i < run->play.item, now = i == run->play.item;
	enum card_look look = now ? CARD_STRONG : done ? CARD_DONE : CARD_PLAIN;

	switch (item->kind) {
	case ITEM_TEXT:
		return card_add(card, CARD_PLAIN, 0, false, err, "%s", text);
	case ITEM_NOTE:
		return card_add(
			card, CARD_DONE, 2, false, err, "Note: %s", text);
	case ITEM_COMMAND:
		return add_command(run, card, item, look, now, err);
	case ITEM_SHOWN:
		return card_add(card, look, 2, now, err,
			       "%s the screen shows by itself",
			       now ? ">" : " ") &&
		       add_expected(run, card, item, look, err);
	case ITEM_CONFIRM:
		return card_add(card, look, 2, now, err, "%s [%c] %s: %s",
			now ? ">" : " ", done ? 'x' : ' ', item->role, text);
	case ITEM_VALUE:
		return card_add(card, look, 2, now, err, "%s %s: %s (%s)",
			now ? ">" : " ", text, done ? "written down" : "____",
			item->role);
	}
	return true;
}

static bool add_item(
	struct run *run, struct card *card, size_t i, struct err *err)
{
	const struct script_item *item = &play_step(&run->play)->items[i];
	struct buf text = BUF_EMPTY;
	bool ok = item->text == NULL ||
		  script_expand(run->play.script, item->text, &text, err);

	ok = ok && add_text_item(run, card, i, buf_string(&text), err);
	buf_free(&text);
	return ok;
}

static const char *enter_word(const struct run *run)
{
	const struct script_item *item = play_item(&run->play);

	if (run->play.paused)
		return "goes on";
	if (play_step(&run->play) == NULL)
		return "leaves";
	if (item == NULL)
		return "next";
	switch (item->kind) {
	case ITEM_COMMAND:
		return "runs it";
	case ITEM_CONFIRM:
		return "confirmed";
	case ITEM_VALUE:
		return "write it";
	default:
		return "seen";
	}
}

static bool is_recorded(void)
{
	const char *recorded = getenv("KEYROOM_RECORDED");
	const char *terminal = ttyname(STDIN_FILENO);
	size_t len = recorded != NULL ? strspn(recorded, "0123456789") : 0;
	struct buf mark = BUF_EMPTY;
	bool there;

	if (len == 0 || recorded[len] != ':' || terminal == NULL ||
		strcmp(recorded + len + 1, terminal) != 0)
		return false;
	place(&mark, PLACE_RUN "/log/recorded/");
	buf_format(&mark, "%.*s", (int)len, recorded);
	there = access(buf_string(&mark), F_OK) == 0;
	buf_free(&mark);
	return there;
}

static void add_side(const struct run *run, struct card *card)
{
	const struct teller *teller = &run->play.teller;

	if (teller->state == TELLER_EARLY) {
		buf_text(&card->side, "no log yet");
	} else if (teller->state == TELLER_ENDED) {
		buf_text(&card->side, "the log has ended");
	} else if (teller->said.kind != ERR_NONE) {
		buf_text(&card->side, teller->said.text);
		card->alarm = true;
	} else if (!is_recorded()) {
		buf_text(&card->side, "THIS TERMINAL IS NOT RECORDED");
		card->alarm = true;
	} else {
		buf_text(&card->side, "recorded");
	}
}

static void add_head(const struct run *run, struct card *card)
{
	const struct play *play = &run->play;
	char time[TIME_TEXT_MAX];

	buf_format(&card->top, "Ceremony %s: %s",
		play->script->ceremony != NULL ? play->script->ceremony : "",
		play->script->title != NULL ? play->script->title : "");
	time_format(time_now(), TIME_BARE, time);
	time[strlen("2026-11-29T10:00")] = '\0';
	time[strlen("2026-11-29")] = ' ';
	buf_format(&card->right, "%s UTC", time);
	if (play->at < play->count)
		buf_text(&card->act, play->acts[play->at]->title);
	add_side(run, card);
	if (play->paused)
		buf_text(&card->keys, "Enter or p goes on   n note");
	else if (play->at == play->count)
		buf_text(&card->keys, "Enter leaves");
	else
		buf_format(&card->keys,
			"Enter: %s | x exception  n note  p pause  s skip  : other  %sq quit",
			enter_word(run), play->ran ? "r again  " : "");
}

static bool add_step(struct run *run, struct card *card, struct err *err)
{
	const struct script_step *step = play_step(&run->play);
	struct buf roles = BUF_EMPTY;
	bool ok;

	for (size_t i = 0; i < step->role_count; i++)
		buf_format(&roles, "%s%s", i > 0 ? " " : "", step->roles[i]);
	ok = card_add(card, CARD_PLAIN, 0, false, err,
		     "Step %u of %zu      %s      %u min planned, %ld gone",
		     step->number, run->play.count, buf_string(&roles),
		     step->minutes, play_minutes(&run->play)) &&
	     card_add(card, CARD_PLAIN, 0, false, err, " ") &&
	     card_add(card, CARD_STRONG, 0, false, err, "%s", step->title);
	buf_free(&roles);
	if (ok && run->play.paused)
		ok = card_add(card, CARD_PLAIN, 0, false, err, " ") &&
		     card_add(card, CARD_ALARM, 0, true, err, "PAUSED");
	for (size_t i = 0; ok && i < step->item_count; i++)
		ok = card_add(card, CARD_PLAIN, 0, false, err, " ") &&
		     add_item(run, card, i, err);
	if (ok && play_item(&run->play) == NULL)
		ok = card_add(card, CARD_PLAIN, 0, false, err, " ") &&
		     card_add(card, CARD_STRONG, 2, true, err,
			     "> the step is done");
	return ok;
}

static bool show(struct run *run, struct err *err)
{
	struct card card = CARD_EMPTY;
	bool ok;

	add_head(run, &card);
	if (play_step(&run->play) != NULL)
		ok = add_step(run, &card, err);
	else
		ok = card_add(&card, CARD_STRONG, 0, true, err,
			"The script has come to its end.");
	if (ok)
		card_draw(&card, run->scroll);
	card_clear(&card);
	return ok;
}

/* What keys do */

/* A line that is typed below the card; nothing typed is nothing done. */
static bool ask(const char *question, struct buf *out)
{
	struct err none = ERR_EMPTY;
	bool there;

	card_close();
	printf("\n");
	there = ask_line(question, out, &none);
	return there && buf_string(out)[strspn(buf_string(out), " ")] != '\0';
}

static bool ask_note(struct run *run, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok = true;

	if (ask("Note: ", &text))
		ok = play_tell(&run->play, STEPS_NOTE, buf_string(&text), err);
	buf_free(&text);
	return ok && card_open(err);
}

static bool ask_exception(
	struct run *run, const char *question, bool *said, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok = true;

	*said = ask(question, &text);
	if (*said)
		ok = play_except(&run->play, buf_string(&text), err);
	buf_free(&text);
	return ok && card_open(err);
}

static bool except(struct run *run, struct err *err)
{
	bool said;

	return ask_exception(run, "Exception, what happened: ", &said, err);
}

static bool skip(struct run *run, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok = true;

	if (ask("This step is left out, because: ", &text)) {
		run->play.status = 0;
		ok = play_tell(&run->play, STEPS_SKIP, NULL, err) &&
		     play_except(&run->play, buf_string(&text), err) &&
		     play_end(&run->play, err);
	}
	buf_free(&text);
	return ok && card_open(err);
}

static bool pause_it(struct run *run, struct err *err)
{
	run->play.paused = !run->play.paused;
	return play_tell(&run->play,
		run->play.paused ? STEPS_PAUSE : STEPS_RESUME, NULL, err);
}

static bool quit(struct run *run, struct err *err)
{
	(void)err;
	run->left = true;
	return true;
}

/* Once there is a log this terminal is to be recorded: from here on by the same
 * program inside a recording. */
static void become_recorded(struct run *run)
{
	struct buf text = BUF_EMPTY;

	if (run->tried || run->play.teller.state != TELLER_WRITES ||
		is_recorded())
		return;
	run->tried = true;
	buf_format(&text, "%zu:%zu:%d:%d:%d", run->play.at, run->play.item,
		run->play.status, run->play.ran, run->play.begun);
	setenv(HANDED, buf_string(&text), 1);
	setenv(COMMAND_SCRIPT_PATH, run->path, 1);
	buf_free(&text);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGTSTP, SIG_DFL);
	signal(SIGTTOU, SIG_DFL);
	fflush(NULL);
	stop_default_output();
	execlp("ceremony-log", "ceremony-log", "record", COMMAND_AGAIN,
		(char *)NULL);
	stop_ignore_output();
	/* The card says that it is not recorded. */
	errno = 0;
}

/* HANDED_COUNT numbers with ":" between them, and nothing else. */
static bool read_handed(const char *text, long out[HANDED_COUNT])
{
	for (size_t i = 0; i < HANDED_COUNT; i++) {
		char *end;

		errno = 0;
		out[i] = strtol(text, &end, 10);
		if (end == text || errno != 0 || out[i] < 0 ||
			*end != (i < HANDED_COUNT - 1 ? ':' : '\0'))
			return false;
		text = end + 1;
	}
	return true;
}

/* Where the one before it was, which the log does not know in such detail. */
static void take_handed(struct run *run)
{
	const char *text = getenv(HANDED);
	long handed[HANDED_COUNT];

	if (text == NULL)
		return;
	run->tried = true;
	if (read_handed(text, handed) && (size_t)handed[0] == run->play.at) {
		const struct script_step *step = play_step(&run->play);

		run->play.begun = handed[4] != 0;
		run->play.status = (int)handed[2];
		run->play.ran = handed[3] != 0;
		while (step != NULL && run->play.item < (size_t)handed[1] &&
			run->play.item < step->item_count)
			play_next_item(&run->play);
	}
	unsetenv(HANDED);
	unsetenv(COMMAND_SCRIPT_PATH);
}

/* Where the log has been finished nothing else would say at which step. */
static bool look(struct run *run, struct err *err)
{
	bool wrote = run->play.teller.state == TELLER_WRITES;

	teller_look(&run->play.teller);
	return !wrote || run->play.teller.state == TELLER_WRITES ||
	       play_tell(&run->play, STEPS_BEGIN, NULL, err);
}

/* The two lines around what it shows are in the recording, see ceremony(1). */
static bool start(struct run *run, enum steps_event event, const char *command,
	struct err *err)
{
	unsigned number = play_step(&run->play)->number;
	struct buf answer = BUF_EMPTY;
	struct err none = ERR_EMPTY;
	int status = 0;
	bool ok;

	card_close();
	/* A log that was started elsewhere meanwhile is to have it. */
	teller_look(&run->play.teller);
	become_recorded(run);
	printf("\n=== step %u # %s\n", number, command);
	ok = play_tell(&run->play, event, command, err) &&
	     shell_run(command, &status, err);
	if (!ok)
		return false;
	teller_keep_folder(&run->play.teller);
	if (event == STEPS_COMMAND) {
		run->play.status = status;
		run->play.ran = true;
	}
	printf("\n=== step %u ended with %d\n", number, status);
	(void)ask_line("Enter: back to the card ", &answer, &none);
	buf_free(&answer);
	return look(run, err);
}

/* The people see it at once, and need not write that down. */
static bool judge_status(
	struct run *run, const struct script_item *item, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok;

	if (run->play.status == item->status)
		return true;
	buf_format(&text, "exit status %d of the command, and %d is right",
		run->play.status, item->status);
	ok = buf_ok(&text, err) &&
	     play_except(&run->play, buf_string(&text), err);
	buf_free(&text);
	return ok;
}

static bool run_command(
	struct run *run, const struct script_item *item, struct err *err)
{
	struct buf command = BUF_EMPTY;
	bool ok = script_expand(run->play.script, item->text, &command, err) &&
		  start(run, STEPS_COMMAND, buf_string(&command), err) &&
		  judge_status(run, item, err);

	buf_free(&command);
	if (ok && play_item(&run->play) == item)
		play_next_item(&run->play);
	if (ok)
		become_recorded(run);
	return ok && card_open(err);
}

static bool again(struct run *run, struct err *err)
{
	const struct script_item *item = play_command(&run->play);

	return item == NULL || !run->play.ran || run_command(run, item, err);
}

static bool otherwise(struct run *run, struct err *err)
{
	struct buf command = BUF_EMPTY, text = BUF_EMPTY;
	bool ok = true;

	if (ask("Another command, which is a deviation: # ", &command)) {
		buf_format(&text, "another command: %s", buf_string(&command));
		ok = start(run, STEPS_OTHERWISE, buf_string(&command), err) &&
		     play_except(&run->play, buf_string(&text), err);
	}
	buf_free(&command);
	buf_free(&text);
	if (ok)
		become_recorded(run);
	return ok && card_open(err);
}

static bool confirm(
	struct run *run, const struct script_item *item, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok;

	buf_format(&text, "%s ", item->role);
	ok = script_expand(run->play.script, item->text, &text, err) &&
	     play_tell(&run->play, STEPS_CONFIRM, buf_string(&text), err);
	buf_free(&text);
	play_next_item(&run->play);
	return ok;
}

static bool write_down(
	struct run *run, const struct script_item *item, struct err *err)
{
	struct buf name = BUF_EMPTY, question = BUF_EMPTY;
	struct buf answer = BUF_EMPTY, text = BUF_EMPTY;
	bool ok = script_expand(run->play.script, item->text, &name, err);

	buf_format(&question, "%s (%s): ", buf_string(&name), item->role);
	if (ok && ask(buf_string(&question), &answer)) {
		buf_format(&text, "%s: %s", buf_string(&name),
			buf_string(&answer));
		ok = buf_ok(&text, err) &&
		     play_tell(&run->play, STEPS_VALUE, buf_string(&text), err);
		play_next_item(&run->play);
	}
	buf_free(&name);
	buf_free(&question);
	buf_free(&answer);
	buf_free(&text);
	return ok && card_open(err);
}

static bool enter(struct run *run, struct err *err)
{
	const struct script_item *item = play_item(&run->play);

	if (play_step(&run->play) == NULL) {
		teller_end(&run->play.teller);
		return quit(run, err);
	}
	if (run->play.paused)
		return pause_it(run, err);
	if (item == NULL)
		return play_end(&run->play, err);
	switch (item->kind) {
	case ITEM_COMMAND:
		return run_command(run, item, err);
	case ITEM_CONFIRM:
		return confirm(run, item, err);
	case ITEM_VALUE:
		return write_down(run, item, err);
	default:
		play_next_item(&run->play);
		return true;
	}
}

static bool up(struct run *run, struct err *err)
{
	(void)err;
	run->scroll -= 4;
	return true;
}

static bool down(struct run *run, struct err *err)
{
	(void)err;
	run->scroll += 4;
	return true;
}

/* paused: what a key does then as well; at the end only Enter and q do. */
static const struct {
	int key;
	bool paused;
	bool (*act)(struct run *run, struct err *err);
} keys[] = {
	{CARD_ENTER, true, enter},
	{'x', true, except},
	{'n', true, ask_note},
	{'p', true, pause_it},
	{'s', false, skip},
	{':', false, otherwise},
	{'r', false, again},
	{'q', true, quit},
	{CARD_UP, true, up},
	{CARD_DOWN, true, down},
};

static bool press(struct run *run, int key, struct err *err)
{
	bool ended = play_step(&run->play) == NULL;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (keys[i].key != key || (run->play.paused && !keys[i].paused))
			continue;
		if (ended && key != CARD_ENTER && key != 'q')
			return true;
		if (key != CARD_UP && key != CARD_DOWN)
			run->scroll = 0;
		return keys[i].act(run, err);
	}
	return true;
}

static bool play(struct run *run, struct err *err)
{
	int key = CARD_NOTHING;
	bool ok = true;

	while (ok && !run->left && key != CARD_GONE) {
		ok = play_begin(&run->play, err) && show(run, err);
		if (!ok)
			break;
		key = card_key(LOOK_MS);
		ok = press(run, key, err);
	}
	return ok;
}

/* The cards must be there before a log can be asked for. */
static bool play_cards(struct run *run, struct err *err)
{
	bool ok = card_open(err);

	if (!ok)
		return false;
	/* They are for what it starts. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	ok = play(run, err);
	card_close();
	printf("\n");
	if (ok && play_step(&run->play) != NULL)
		printf("ceremony: left at step %u; the same command goes on there\n",
			play_step(&run->play)->number);
	return ok;
}

static bool run_script(const struct command_given *given, struct err *err)
{
	char *path = realpath(given->operands[0], NULL), *after = NULL;
	struct script *script = NULL;
	struct run run = {.path = path};
	bool ok;

	if (path == NULL)
		return err_set(err, ERR_INPUT, "%s: %s", given->operands[0],
			strerror(errno));
	if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1) {
		free(path);
		return err_set(err, ERR_USAGE, "run needs a terminal");
	}
	/* The journal has it, and a relative name means nothing there. */
	if (given->after != NULL)
		after = realpath(given->after, NULL);
	ok = script_read(path, &script, err) &&
	     play_open(script, path, after != NULL ? after : given->after,
		     &run.play, err);
	if (ok) {
		teller_go_to_folder(&run.play.teller);
		take_handed(&run);
		become_recorded(&run);
		ok = play_cards(&run, err);
	}
	if (script != NULL)
		play_free(&run.play);
	script_free(script);
	free(after);
	free(path);
	return ok;
}

const struct command command_run = {
	.name = "run",
	.options = "after",
	.operands = "one script",
	.least = 1,
	.most = 1,
	.run = run_script,
};
