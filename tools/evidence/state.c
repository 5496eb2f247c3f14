/* SPDX-License-Identifier: ISC */
#include "tools/evidence/state.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/cli/feed.h"
#include "tools/evidence/recorder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Cut off the word at *text. */
static const char *word(char **text)
{
	char *start = *text;

	*text += strcspn(*text, " ");
	if (**text == ' ')
		*(*text)++ = '\0';
	return start;
}

static bool add_folder(struct state *state, char *line, struct err *err)
{
	struct state_folder *folder = array_grow(
		&state->folders, &state->folder_count, sizeof(*folder), err);
	const char *how = word(&line);

	if (folder == NULL)
		return false;
	folder->lost = strcmp(how, "lost") == 0;
	folder->slow = strcmp(how, "slow") == 0;
	folder->path = line;
	folder->reason = "";
	return true;
}

static bool add_stream(struct state *state, char *line, struct err *err)
{
	struct state_stream *stream = array_grow(
		&state->streams, &state->stream_count, sizeof(*stream), err);

	if (stream == NULL)
		return false;
	stream->bytes = strtoull(word(&line), NULL, 10);
	stream->process = (pid_t)strtol(word(&line), NULL, 10);
	stream->name = line;
	return true;
}

static bool add_line(struct state *state, char *line, struct err *err)
{
	const char *kind = word(&line);

	if (strcmp(kind, "folder") == 0)
		return add_folder(state, line, err);
	if (strcmp(kind, "stream") == 0)
		return add_stream(state, line, err);
	if (strcmp(kind, "reason") == 0 && state->folder_count > 0)
		state->folders[state->folder_count - 1].reason = line;
	if (strcmp(kind, "lines") == 0)
		state->lines = strtoull(word(&line), NULL, 10);
	if (strcmp(kind, "lines") == 0 || strcmp(kind, "hash") == 0)
		state->hash = line;
	state->full = state->full || strcmp(kind, "full") == 0;
	return true;
}

bool state_ask(const char *request, struct state *out, struct err *err)
{
	char *line, *end;
	bool ok;

	*out = (struct state){.text = BUF_EMPTY, .hash = ""};
	ok = feed_request(request, &out->text, err);
	buf_string(&out->text);
	line = (char *)out->text.data;
	while (ok && line != NULL && (end = strchr(line, '\n')) != NULL) {
		*end = '\0';
		ok = add_line(out, line, err);
		line = end + 1;
	}
	return ok;
}

void state_free(struct state *state)
{
	buf_free(&state->text);
	free(state->folders);
	free(state->streams);
	*state = (struct state){.text = BUF_EMPTY};
}

static bool is_terminal(const struct state_stream *stream)
{
	return strncmp(stream->name, RECORDER_TERMINAL,
		       strlen(RECORDER_TERMINAL)) == 0;
}

bool state_terminals(
	const struct state *state, struct terminals *out, struct err *err)
{
	pid_t *recording = calloc(state->stream_count + 1, sizeof(*recording));
	size_t count = 0;
	bool ok;

	if (recording == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < state->stream_count; i++)
		if (is_terminal(&state->streams[i]))
			recording[count++] = state->streams[i].process;
	ok = terminals_read(recording, count, out, err);
	free(recording);
	return ok;
}

static void show_folder(const struct state_folder *folder, struct buf *out)
{
	buf_text(out, "Folder:     ");
	text_escape(out, folder->path, strlen(folder->path));
	if (folder->lost)
		buf_format(out, ": LOST\n            %s\n", folder->reason);
	else
		buf_text(out, folder->slow ? ": SLOW, not all is written yet\n"
					   : ": written\n");
}

static void show_terminal(const struct terminal *terminal, struct buf *out)
{
	static const char *const states[] = {
		[TERMINAL_RECORDED] = "recorded",
		[TERMINAL_SHOWS] = "shows a picture",
		[TERMINAL_NOT_RECORDED] = "NOT RECORDED",
	};

	buf_format(out, "Terminal:   %s: %s", terminal->name,
		states[terminal->state]);
	if (terminal->state == TERMINAL_NOT_RECORDED) {
		buf_text(out, " (");
		text_escape(out, terminal->command, strlen(terminal->command));
		buf_format(out, ", process %d)", terminal->process);
	}
	buf_u8(out, '\n');
}

void state_show(const struct state *state, const struct terminals *terminals,
	struct buf *out)
{
	buf_format(out, "Journal:    %" PRIu64 " lines, last %.16s...\n",
		state->lines, state->hash);
	for (size_t i = 0; i < state->folder_count; i++)
		show_folder(&state->folders[i], out);
	for (size_t i = 0; i < state->stream_count; i++)
		buf_format(out, "Recording:  %s, %" PRIu64 " bytes\n",
			state->streams[i].name, state->streams[i].bytes);
	for (size_t i = 0; i < terminals->count; i++)
		show_terminal(&terminals->all[i], out);
	if (state->full)
		buf_text(out, "Memory:     FULL, NOT RECORDING\n");
}

bool state_is_complete(
	const struct state *state, const struct terminals *terminals)
{
	for (size_t i = 0; i < state->folder_count; i++)
		if (state->folders[i].lost || state->folders[i].slow)
			return false;
	for (size_t i = 0; i < terminals->count; i++)
		if (terminals->all[i].state == TERMINAL_NOT_RECORDED)
			return false;
	return !state->full;
}
