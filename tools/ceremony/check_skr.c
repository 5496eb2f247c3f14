/* SPDX-License-Identifier: ISC */
/* A point of the check: what skrcheck says of each response. */
#include "lib/base/text.h"
#include "tools/ceremony/check.h"
#include "tools/ceremony/signers.h"
#include "tools/ceremony/typed.h"

#include <stdlib.h>
#include <string.h>

#define CONFIG "ksrsigner.yaml"
#define BY_LABEL "PASS, but keys are known by their labels alone"
#define WORDS_MAX 16

/* How a log of the signer's was made, by the journal's command. */
struct made {
	char *schemas; /* owned: one name, or one each by commas; or NULL */
	bool family;
	bool known;
};

/* The value of an option among the words, borrowed; or NULL. */
static const char *option(
	const struct typed *words, const char *name, const char *letter)
{
	for (size_t i = 1; i < words->count; i++) {
		const char *word = words->list[i];
		size_t len = strlen(name);

		if (strcmp(word, "--") == 0)
			return NULL;
		if (strncmp(word, name, len) == 0 && word[len] == '=')
			return word + len + 1;
		if (strcmp(word, name) == 0 || strcmp(word, letter) == 0)
			return i + 1 < words->count ? words->list[i + 1] : NULL;
		if (word[1] != '-' && strncmp(word, letter, 2) == 0)
			return word + 2;
	}
	return NULL;
}

/* Are these the words that the signer has noted as its arguments? */
static bool is_command_of(
	const struct typed *words, const struct signers_log *log)
{
	struct buf text = BUF_EMPTY;
	bool is;

	for (size_t i = 0; i < words->count; i++)
		buf_format(&text, "%s%s", i > 0 ? " " : "", words->list[i]);
	is = log->arguments != NULL &&
	     strcmp(buf_string(&text), log->arguments) == 0;
	buf_free(&text);
	return is;
}

/* Where several commands could have made the log they must agree. */
static bool take_command(struct made *made, const struct typed *words,
	size_t *count, struct err *err)
{
	const char *schemas = option(words, "--schema", "-s");
	bool family = option(words, "--family", "--family") != NULL;

	if ((*count)++ > 0) {
		made->known = made->known && family == made->family &&
			      (schemas == NULL) == (made->schemas == NULL) &&
			      (schemas == NULL ||
				      strcmp(schemas, made->schemas) == 0);
		return true;
	}
	made->known = true;
	made->family = family;
	if (schemas != NULL)
		made->schemas = text_copy(schemas, err);
	return schemas == NULL || made->schemas != NULL;
}

/* By the commands of that log; exact: by those alone that the signer noted. */
static bool find_commands(const struct check *check,
	const struct signers_log *log, bool exact, struct made *made,
	size_t *count, struct err *err)
{
	const struct course *course = check->course;
	bool ok = true;

	for (size_t s = 0; s < course->step_count; s++)
		for (size_t i = 0; ok && i < course->steps[s].event_count;
			i++) {
			const struct course_event *event =
				&course->steps[s].events[i];
			struct typed words = {.list = NULL};
			struct err none = ERR_EMPTY;

			if ((event->event != STEPS_COMMAND &&
				    event->event != STEPS_OTHERWISE) ||
				event->line->log != log->log ||
				!signers_is(event->text) ||
				!typed_split(event->text, &words, &none))
				continue;
			if (!exact || is_command_of(&words, log))
				ok = take_command(made, &words, count, err);
			typed_free(&words);
		}
	return ok;
}

static bool find_made(const struct check *check, const struct signers_log *log,
	struct made *made, struct err *err)
{
	size_t count = 0;

	*made = (struct made){.known = false};
	return find_commands(check, log, true, made, &count, err) &&
	       (count > 0 ||
		       find_commands(check, log, false, made, &count, err));
}

/* skrcheck's answers that are FAIL, and its last line. */
static void tell(struct check_verdict *verdict, struct buf *out, int status)
{
	char *state = NULL, *last = NULL;
	char *line = strtok_r((char *)(uintptr_t)buf_string(out), "\n", &state);

	for (; line != NULL; line = strtok_r(NULL, "\n", &state)) {
		if (last != NULL && strncmp(last, "FAIL", 4) == 0)
			check_fail(verdict, "skrcheck: %s", last);
		last = line;
	}
	if (status != 0)
		check_fail(verdict, "skrcheck ended with %d: %s", status,
			last != NULL ? last : "it said nothing");
	else if (last == NULL || strncmp(last, "PASS", 4) != 0 ||
		 strncmp(last, BY_LABEL, strlen(BY_LABEL)) == 0)
		check_skip(verdict, "skrcheck: %s",
			last != NULL ? last : "it said nothing");
}

/* The words of a command, and the paths among them. */
struct words {
	const char *list[WORDS_MAX];
	size_t count;
	struct buf paths[5];
	size_t path_count;
};

static void add_word(struct words *words, const char *word)
{
	words->list[words->count++] = word;
}

static void add_path(struct words *words, const struct check *check,
	const char *option_name, const struct tree_file *file)
{
	struct buf *path = &words->paths[words->path_count++];

	if (option_name != NULL)
		add_word(words, option_name);
	check_path(check, file->path, path);
	add_word(words, buf_string(path));
}

/*
 * The response before this one: of the same run, or the one that the signer
 * showed first, which may be of this run, too, where it had none before.
 */
static const struct tree_file *previous_of(
	const struct check *check, const struct signers_log *log, size_t i)
{
	const struct signers_hashes *made = &log->hashes[SIGNERS_RESPONSES];
	const struct signers_hashes *before = &log->hashes[SIGNERS_PREVIOUS];

	if (i > 0 && log->hashes[SIGNERS_REQUESTS].count > 1)
		return signers_file(check, made->all[i - 1].digits);
	if (before->count == 0 || signers_has(made, before->all[0].digits))
		return NULL;
	return signers_file(check, before->all[0].digits);
}

/* Nothing is taken from the folder in which the check is made. */
static bool ask_skrcheck(const struct check *check,
	struct check_verdict *verdict, const struct signers_log *log, size_t i,
	const char *schema, const struct tree_file *request,
	const struct tree_file *response, struct err *err)
{
	const struct tree_file *config = signers_beside(check, log, CONFIG);
	const struct tree_file *previous = previous_of(check, log, i);
	struct words words = {.count = 0};
	struct buf out = BUF_EMPTY;
	int status = 0;
	bool ok;

	add_word(&words, "skrcheck");
	if (config != NULL)
		add_path(&words, check, "--config", config);
	if (config != NULL && schema != NULL) {
		add_word(&words, "--schema");
		add_word(&words, schema);
	}
	if (check->given->anchor != NULL) {
		add_word(&words, "--anchor");
		add_word(&words, check->given->anchor);
	}
	if (previous != NULL)
		add_path(&words, check, "--previous-skr", previous);
	else
		add_word(&words, "--no-previous-skr=not in the folder");
	add_path(&words, check, "--log", log->file);
	add_path(&words, check, NULL, request);
	add_path(&words, check, NULL, response);
	ok = check_run(words.list, &out, &status, err);
	if (ok)
		tell(verdict, &out, status);
	for (size_t k = 0; k < words.path_count; k++)
		buf_free(&words.paths[k]);
	buf_free(&out);
	return ok;
}

/* One name for all, or the one at that place; *out is new, or NULL. */
static bool schema_at(
	const struct made *made, size_t place, char **out, struct err *err)
{
	const char *from = made->schemas;

	*out = NULL;
	if (from == NULL)
		return true;
	if (strchr(from, ',') != NULL)
		for (size_t i = 0; i < place && from != NULL; i++) {
			from = strchr(from, ',');
			from = from != NULL ? from + 1 : NULL;
		}
	if (from == NULL)
		return true;
	*out = strndup(from, strcspn(from, ","));
	return *out != NULL || err_nomem(err);
}

static bool ask_one(const struct check *check, struct check_verdict *verdict,
	const struct signers_log *log, const struct made *made, size_t i,
	struct err *err)
{
	const struct signers_hashes *requests = &log->hashes[SIGNERS_REQUESTS];
	const char *asked = requests->all[requests->count > 1 ? i : 0].digits;
	const char *signed_ = log->hashes[SIGNERS_RESPONSES].all[i].digits;
	const struct tree_file *request = signers_file(check, asked);
	const struct tree_file *response = signers_file(check, signed_);
	char *schema = NULL;
	bool ok;

	if (request == NULL || response == NULL) {
		check_skip(verdict, "not in the folder: %s",
			response == NULL ? signed_ : asked);
		return true;
	}
	ok = schema_at(made, i, &schema, err) &&
	     ask_skrcheck(
		     check, verdict, log, i, schema, request, response, err);
	free(schema);
	return ok;
}

/* All responses of one run. */
static bool ask_log(const struct check *check, struct check_verdict *verdict,
	const struct signers_log *log, struct err *err)
{
	size_t asked = log->hashes[SIGNERS_REQUESTS].count;
	size_t count = log->hashes[SIGNERS_RESPONSES].count;
	struct made made;
	bool ok = find_made(check, log, &made, err);

	if (ok && made.family)
		check_skip(verdict,
			"%s: a family: \"skrcheck --family\" judges it",
			log->file->path);
	else if (ok && !made.known)
		check_skip(verdict,
			"%s: the journal does not say by which command, with which schema",
			log->file->path);
	else if (ok && asked != count && asked != 1)
		check_skip(verdict,
			"%s: which of %zu requests its %zu responses answer is not known",
			log->file->path, asked, count);
	else
		for (size_t i = 0; ok && i < count; i++)
			ok = ask_one(check, verdict, log, &made, i, err);
	free(made.schemas);
	return ok;
}

bool check_signatures(
	struct check *check, struct check_verdict *verdict, struct err *err)
{
	struct signers signers;
	bool any = false, ok = signers_read(check, &signers, err);

	for (size_t i = 0; ok && i < signers.count; i++) {
		const struct signers_log *log = &signers.logs[i];

		if (log->hashes[SIGNERS_RESPONSES].count == 0)
			continue;
		any = true;
		ok = ask_log(check, verdict, log, err);
	}
	if (ok && !any)
		check_skip(verdict, "nothing was signed by " SIGNERS_PROGRAM);
	signers_free(&signers);
	return ok;
}
