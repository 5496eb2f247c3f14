/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/teller.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/cli/feed.h"
#include "lib/cli/place.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KEPT_MAX ((size_t)4 * 1024 * 1024)
#define SCRIPT_WORD "script "

static int64_t boot_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

static void kept_path(struct buf *out)
{
	place(out, PLACE_RUN "/early");
}

static bool keep(
	struct teller *teller, int64_t boot, const char *text, struct err *err)
{
	struct teller_line *line = array_grow(
		&teller->kept, &teller->kept_count, sizeof(*line), err);

	if (line == NULL)
		return false;
	line->boot = boot;
	line->text = text_copy(text, err);
	return line->text != NULL;
}

static void forget_kept(struct teller *teller)
{
	for (size_t i = 0; i < teller->kept_count; i++)
		free(teller->kept[i].text);
	free(teller->kept);
	teller->kept = NULL;
	teller->kept_count = 0;
}

/* So that a run that was left goes on. */
static bool write_kept(const struct teller *teller, struct err *err)
{
	struct buf path = BUF_EMPTY, text = BUF_EMPTY;
	bool ok;

	kept_path(&path);
	buf_format(&text, SCRIPT_WORD "%s\n", teller->script);
	for (size_t i = 0; i < teller->kept_count; i++)
		buf_format(&text, "%" PRId64 " %s\n", teller->kept[i].boot,
			teller->kept[i].text);
	place_make_run();
	/* It is in memory only: what was there before is of no use. */
	unlink(buf_string(&path));
	ok = buf_ok(&path, err) && buf_ok(&text, err) &&
	     file_write(buf_string(&path), text.data, text.len, NULL, err);
	buf_free(&path);
	buf_free(&text);
	return ok;
}

static void remove_kept(void)
{
	struct buf path = BUF_EMPTY;

	kept_path(&path);
	unlink(buf_string(&path));
	buf_free(&path);
}

static bool read_kept_line(struct teller *teller, char *line, struct err *err)
{
	char *blank = strchr(line, ' ');
	struct err why = ERR_EMPTY;
	int64_t boot;

	if (blank == NULL)
		return true;
	*blank = '\0';
	return !number_parse(line, 0, INT64_MAX, &boot, &why) ||
	       keep(teller, boot, blank + 1, err);
}

/* What is of another script is left over from another ceremony. */
static bool read_kept(struct teller *teller, struct err *err)
{
	struct buf path = BUF_EMPTY, text = BUF_EMPTY;
	struct err none = ERR_EMPTY;
	char *state = NULL, *line;
	bool ok = true;

	kept_path(&path);
	if (file_read(buf_string(&path), KEPT_MAX, &text, &none)) {
		line = strtok_r(
			(char *)(uintptr_t)buf_string(&text), "\n", &state);
		if (line != NULL &&
			strncmp(line, SCRIPT_WORD, strlen(SCRIPT_WORD)) == 0 &&
			strcmp(line + strlen(SCRIPT_WORD), teller->script) == 0)
			while (ok &&
				(line = strtok_r(NULL, "\n", &state)) != NULL)
				ok = read_kept_line(teller, line, err);
	}
	buf_free(&path);
	buf_free(&text);
	return ok;
}

bool teller_open(const char *script, const char *after, struct teller *out,
	struct err *err)
{
	*out = (struct teller){.state = TELLER_EARLY};
	out->script = text_copy(script, err);
	if (after != NULL)
		out->after = text_copy(after, err);
	return out->script != NULL && (after == NULL || out->after != NULL) &&
	       read_kept(out, err);
}

void teller_free(struct teller *teller)
{
	forget_kept(teller);
	free(teller->script);
	free(teller->after);
}

void teller_go_on(struct teller *teller)
{
	teller->state = TELLER_WRITES;
}

static void folder_path(struct buf *out)
{
	place(out, PLACE_RUN "/folder");
}

/* "SHA256 NAME" of the script, and the folder below it. */
void teller_keep_folder(const struct teller *teller)
{
	struct buf path = BUF_EMPTY, text = BUF_EMPTY;
	char *folder = getcwd(NULL, 0);
	struct err none = ERR_EMPTY;

	folder_path(&path);
	buf_format(
		&text, "%s\n%s", teller->script, folder != NULL ? folder : "/");
	place_make_run();
	unlink(buf_string(&path));
	(void)file_write(buf_string(&path), text.data, text.len, NULL, &none);
	free(folder);
	buf_free(&path);
	buf_free(&text);
}

void teller_go_to_folder(const struct teller *teller)
{
	struct buf path = BUF_EMPTY, text = BUF_EMPTY;
	struct err none = ERR_EMPTY;
	size_t len = strlen(teller->script);
	const char *said;

	folder_path(&path);
	if (file_read(buf_string(&path), KEPT_MAX, &text, &none)) {
		said = buf_string(&text);
		/* One that is gone meanwhile is left. */
		if (strncmp(said, teller->script, len) == 0 &&
			said[len] == '\n' && chdir(said + len + 1) != 0)
			errno = 0;
	}
	buf_free(&path);
	buf_free(&text);
}

void teller_end(struct teller *teller)
{
	struct buf path = BUF_EMPTY;

	forget_kept(teller);
	remove_kept();
	folder_path(&path);
	unlink(buf_string(&path));
	buf_free(&path);
}

static bool ask(const char *kind, const char *text, struct err *err)
{
	struct buf request = BUF_EMPTY, answer = BUF_EMPTY;
	bool ok;

	buf_format(&request, "%s%s", kind, text);
	for (size_t i = 0; i < request.len; i++)
		if (request.data[i] == '\n')
			request.data[i] = ' ';
	ok = buf_ok(&request, err) &&
	     feed_request(buf_string(&request), &answer, err);
	buf_free(&request);
	buf_free(&answer);
	return ok;
}

/*
 * What to add to a time since the start, in whole seconds and never too much:
 * two clocks that are cut off each for itself would differ by one from line to
 * line.
 */
static int64_t since_boot(void)
{
	struct timespec now, boot;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return now.tv_sec - boot.tv_sec - (now.tv_nsec < boot.tv_nsec);
}

static bool tell_early(
	const struct teller_line *line, int64_t offset, struct err *err)
{
	int64_t time = line->boot + offset;
	char text[TIME_TEXT_MAX];
	struct buf all = BUF_EMPTY;
	bool ok;

	time_format(time, TIME_Z, text);
	buf_format(&all, "%s %s", text, line->text);
	ok = buf_ok(&all, err) && ask("early ", buf_string(&all), err);
	buf_free(&all);
	return ok;
}

/* Lines that were kept go first; those that are told are kept no more. */
static bool tell_kept(struct teller *teller)
{
	int64_t offset = since_boot();
	size_t told = 0;

	while (told < teller->kept_count &&
		tell_early(&teller->kept[told], offset, &teller->said))
		free(teller->kept[told++].text);
	teller->kept_count -= told;
	if (told > 0)
		memmove(teller->kept, teller->kept + told,
			teller->kept_count * sizeof(*teller->kept));
	return teller->kept_count == 0;
}

void teller_look(struct teller *teller)
{
	struct buf answer = BUF_EMPTY;
	struct err none = ERR_EMPTY;
	bool there;

	there = feed_request("status", &answer, &none);
	buf_free(&answer);
	if (!there && teller->state == TELLER_WRITES)
		teller->state = TELLER_ENDED;
	if (!there)
		return;
	if (teller->state != TELLER_WRITES) {
		if (!ask(SCRIPT_WORD, teller->script, &teller->said) ||
			(teller->after != NULL &&
				!ask("after ", teller->after, &teller->said)))
			return;
		teller->state = TELLER_WRITES;
	}
	teller->said = (struct err)ERR_EMPTY;
	if (tell_kept(teller))
		remove_kept();
}

bool teller_say(struct teller *teller, struct err *err, const char *fmt, ...)
{
	struct buf text = BUF_EMPTY;
	va_list list;
	char *said = NULL;
	bool ok;

	va_start(list, fmt);
	if (vasprintf(&said, fmt, list) < 0)
		said = NULL;
	va_end(list);
	if (said == NULL)
		return err_nomem(err);
	for (const char *p = said; *p != '\0'; p++)
		buf_u8(&text, *p == '\n' ? ' ' : (uint8_t)*p);
	free(said);
	ok = buf_ok(&text, err);
	teller_look(teller);
	if (ok && teller->state == TELLER_WRITES && teller->kept_count == 0 &&
		ask("", buf_string(&text), &teller->said)) {
		teller->said = (struct err)ERR_EMPTY;
	} else if (ok) {
		ok = keep(teller, boot_now(), buf_string(&text), err) &&
		     write_kept(teller, err);
	}
	buf_free(&text);
	return ok;
}
