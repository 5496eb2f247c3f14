/* SPDX-License-Identifier: ISC */
#include "tools/ceremony/summary.h"

#include "lib/base/array.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/ksr/document.h"
#include "tools/ceremony/folder.h"
#include "tools/evidence/tree.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOGS_MAX 8
#define LOG_SIZE_MAX ((size_t)16 * 1024 * 1024)
#define SIGNER_LOG "ksrsigner-"
#define HSM_HEAD "HSM Information:"

static bool is_there(const char *folder, const char *name)
{
	struct buf path = BUF_EMPTY;
	struct stat st;
	bool there;

	buf_format(&path, "%s/%s", folder, name);
	there = lstat(buf_string(&path), &st) == 0;
	buf_free(&path);
	return there;
}

/* Append to "A, B", once. */
static void add_once(struct buf *list, const char *text)
{
	const char *place = buf_string(list);
	size_t len = strlen(text);

	while (len > 0 && *place != '\0') {
		size_t word = strcspn(place, ",");

		if (word == len && strncmp(place, text, len) == 0)
			return;
		place += word;
		place += strspn(place, ", ");
	}
	if (len > 0)
		buf_format(list, "%s%s", list->len > 0 ? ", " : "", text);
}

/* The HSM, by the signer's log */

/* "Model:   X" behind time and level: X goes to out. */
static void take_field(const char *line, const char *name, struct buf *out)
{
	const char *place = strstr(line, name);

	if (place == NULL || strstr(line, "[INFO]     ") == NULL)
		return;
	place += strlen(name);
	place += strspn(place, " ");
	buf_format(out, "%s%s", out->len > 0 ? " " : "", place);
}

static void take_hsm(char *text, struct buf *hsms)
{
	struct buf hsm = BUF_EMPTY;
	bool inside = false;
	char *state = NULL;

	for (char *line = strtok_r(text, "\n", &state); line != NULL;
		line = strtok_r(NULL, "\n", &state)) {
		if (strstr(line, HSM_HEAD) != NULL)
			inside = true;
		if (!inside)
			continue;
		take_field(line, "Model:", &hsm);
		take_field(line, "Serial:", &hsm);
		if (strstr(line, "Firmware:") != NULL) {
			for (size_t i = 0; i < hsm.len; i++)
				if (hsm.data[i] == ',')
					hsm.data[i] = ';';
			add_once(hsms, buf_string(&hsm));
			buf_clear(&hsm);
			inside = false;
		}
	}
	buf_free(&hsm);
}

/* The keys that have signed, by the responses. */
static void take_keys(const struct ksr *ksr, struct buf *keys)
{
	for (size_t b = 0; b < ksr->bundle_count; b++)
		for (size_t i = 0; i < ksr->bundles[b].signature_count; i++) {
			char tag[8];

			snprintf(tag, sizeof(tag), "%05u",
				ksr->bundles[b].signatures[i].key_tag);
			add_once(keys, tag);
		}
}

static bool take_file(struct summary *summary, const struct xml_schema *schema,
	const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	size_t len = strlen(name);
	struct document document = DOCUMENT_EMPTY;
	struct buf text = BUF_EMPTY;
	bool ok = true;

	if (strncmp(name, SIGNER_LOG, strlen(SIGNER_LOG)) == 0) {
		struct err ignored = ERR_EMPTY;

		/* One that is too large is none of ours. */
		if (file_read(path, LOG_SIZE_MAX, &text, &ignored))
			take_hsm((char *)(uintptr_t)buf_string(&text),
				&summary->hsms);
	} else if (len > 4 && strcmp(name + len - 4, ".xml") == 0) {
		ok = document_read(schema, path, KSR_SIZE_DEFAULT, KSR_RESPONSE,
			&document, err);
		if (ok && document.ksr != NULL)
			take_keys(document.ksr, &summary->keys);
		document_clear(&document);
	}
	buf_free(&text);
	return ok;
}

static bool take_files(
	struct summary *summary, const char *folder, struct err *err)
{
	struct xml_schema *schema = NULL;
	struct tree tree = {.root = NULL};
	bool ok = tree_read(folder, &tree, err) && xml_schema_new(&schema, err);

	for (size_t i = 0; ok && i < tree.count; i++) {
		struct buf path = BUF_EMPTY;

		buf_format(&path, "%s/%s", folder, tree.files[i].path);
		ok = take_file(summary, schema, buf_string(&path), err);
		buf_free(&path);
	}
	xml_schema_free(schema);
	tree_free(&tree);
	return ok;
}

/* Acts */

static void count_step(struct summary_act *act, const struct account_step *step)
{
	act->steps++;
	act->planned += step->step->minutes;
	act->taken += step->taken > 0 ? step->taken : 0;
}

static bool count_acts(struct summary *summary, struct err *err)
{
	const struct account *account = summary->account;
	const struct script_act *act = NULL;
	struct summary_act *row = NULL;

	for (size_t s = 0; s < account->step_count; s++) {
		if (account->steps[s].act != act) {
			act = account->steps[s].act;
			row = array_grow(&summary->acts, &summary->act_count,
				sizeof(*row), err);
			if (row == NULL)
				return false;
			row->title = act->title;
		}
		assert(row != NULL); /* the first step has an act */
		count_step(row, &account->steps[s]);
		for (size_t i = 0; i < account->finding_count; i++)
			if (account->findings[i].step == s)
				row->counts[account->findings[i].kind]++;
	}
	for (size_t i = 0; i < account->finding_count; i++)
		if (account->findings[i].kind == ACCOUNT_EXCEPTION)
			summary->exceptions++;
		else
			summary->others++;
	return true;
}

/* "log", "log-2" and so on below a public folder; or the folder itself. */
static size_t find_logs(
	const char *folder, struct buf names[LOGS_MAX], bool *public)
{
	size_t count = 0;

	*public = !is_there(folder, FOLDER_JOURNAL) &&
		  is_there(folder, FOLDER_LOG "/" FOLDER_JOURNAL);
	if (!*public) {
		buf_text(&names[0], folder);
		return 1;
	}
	while (count < LOGS_MAX) {
		struct buf name = BUF_EMPTY;
		bool there;

		buf_text(&name, FOLDER_LOG);
		if (count > 0)
			buf_format(&name, "-%zu", count + 1);
		there = is_there(folder, buf_string(&name));
		if (there)
			buf_format(&names[count], "%s/%s", folder,
				buf_string(&name));
		buf_free(&name);
		if (!there)
			break;
		count++;
	}
	return count;
}

static bool read_account(
	struct summary *summary, const char *folder, struct err *err)
{
	struct buf names[LOGS_MAX] = {BUF_EMPTY}, script = BUF_EMPTY;
	const char *logs[LOGS_MAX];
	bool public, ok;
	size_t count = find_logs(folder, names, &public);

	for (size_t i = 0; i < count; i++)
		logs[i] = buf_string(&names[i]);
	buf_format(&script, "%s/" FOLDER_SCRIPT, folder);
	ok = account_read(logs, count, public ? buf_string(&script) : NULL,
		&summary->account, err);
	for (size_t i = 0; i < LOGS_MAX; i++)
		buf_free(&names[i]);
	buf_free(&script);
	return ok;
}

bool summary_read(const char *folder, struct summary *out, struct err *err)
{
	*out = (struct summary){.account = NULL};
	if (!read_account(out, folder, err) || !count_acts(out, err) ||
		!take_files(out, folder, err))
		return false;
	buf_text(&out->name, out->account->script->ceremony != NULL
				     ? out->account->script->ceremony
				     : folder);
	buf_text(&out->releases, out->account->release);
	return buf_ok(&out->name, err) && buf_ok(&out->hsms, err) &&
	       buf_ok(&out->keys, err) && buf_ok(&out->releases, err);
}

void summary_free(struct summary *summary)
{
	free(summary->acts);
	buf_free(&summary->releases);
	buf_free(&summary->keys);
	buf_free(&summary->hsms);
	buf_free(&summary->name);
	account_free(summary->account);
	*summary = (struct summary){.account = NULL};
}

int64_t summary_taken(const struct summary *summary)
{
	const struct account *account = summary->account;

	return account->begin != COURSE_NEVER && account->end > account->begin
		       ? account->end - account->begin
		       : COURSE_NEVER;
}
