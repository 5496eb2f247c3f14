/* SPDX-License-Identifier: ISC */
#include "signer/sign/output.h"

#include "lib/base/fat.h"
#include "lib/base/file.h"
#include "lib/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct output {
	struct file_stage *stage; /* of a file */
	char *kept;
	char *folder; /* or a folder, with what is in it */
	bool was_there;
	char **names;
	size_t count;
};

bool output_is_input(const char *path, const char *const *inputs, size_t count)
{
	struct stat target, input;

	if (stat(path, &target) != 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (inputs[i] != NULL && stat(inputs[i], &input) == 0 &&
			input.st_dev == target.st_dev &&
			input.st_ino == target.st_ino)
			return true;
	return false;
}

/* "FOLDER/NAME", owned by the caller. */
static char *join(const char *folder, const char *name, struct err *err)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", folder, name) < 0) {
		err_nomem(err);
		return NULL;
	}
	return path;
}

static void remove_folder(const char *folder, char *const *names, size_t count)
{
	struct err ignored = ERR_EMPTY;

	for (size_t i = 0; i < count; i++) {
		char *path = join(folder, names[i], &ignored);

		if (path != NULL)
			unlink(path);
		free(path);
	}
	rmdir(folder);
}

static bool fill_folder(const char *folder, const struct output_item *items,
	size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		char *path = join(folder, items[i].name, err);
		bool ok =
			path != NULL && file_write(path, items[i].bytes->data,
						items[i].bytes->len, NULL, err);

		free(path);
		if (!ok)
			return false;
	}
	return true;
}

/* The drives are FAT, where different names may be one. */
static bool is_distinct(
	const struct output_item *items, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (fat_is_same(items[i].name, items[j].name))
				return err_set(err, ERR_USAGE,
					"two responses would be named %s and %s, which is one name on a drive",
					items[j].name, items[i].name);
	return true;
}

/* Has the folder nothing in it? */
static bool is_empty_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	int entries = 0;

	if (dir == NULL)
		return false;
	while (entries < 3 && readdir(dir) != NULL)
		entries++;
	closedir(dir);
	return entries == 2; /* . and .. */
}

/* The folder's name without slashes at its end; owned. */
static char *folder_name(const char *folder, struct err *err)
{
	char *name = text_copy(folder, err);

	if (name != NULL)
		for (size_t len = strlen(name);
			len > 1 && name[len - 1] == '/';)
			name[--len] = '\0';
	return name;
}

/* What stands there is replaced by a rename, which has its rules. */
static bool check_old_folder(const char *folder, struct err *err)
{
	const char *name = file_name(folder);
	struct statx st;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(err, ERR_OUTPUT,
			"%s: expected the name of a new folder", folder);
	if (statx(AT_FDCWD, folder, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) != 0)
		return true;
	if (!S_ISDIR(st.stx_mode) || !is_empty_folder(folder))
		return err_set(err, ERR_OUTPUT,
			"%s: exists and is not an empty folder", folder);
	if ((st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
		return err_set(err, ERR_OUTPUT,
			"%s: a drive is mounted there, expected the name of a folder on it",
			folder);
	return true;
}

/* The folder, and each name in it: asked where the folder is to be. */
static bool check_place(const char *folder, const struct output_item *items,
	size_t count, struct err *err)
{
	char *parent = file_folder(folder, err);
	bool ok = parent != NULL && check_old_folder(folder, err) &&
		  file_check_name(parent, file_name(folder), err);

	for (size_t i = 0; ok && i < count; i++)
		ok = file_check_name(parent, items[i].name, err);
	free(parent);
	return ok;
}

bool output_check_folder(const char *folder, const struct output_item *items,
	size_t count, struct err *err)
{
	char *name = NULL;
	bool ok;

	if (!is_distinct(items, count, err))
		return false;
	if (*folder == '\0')
		return err_set(err, ERR_OUTPUT,
			"the name of the folder to write is empty");
	name = folder_name(folder, err);
	ok = name != NULL && check_place(name, items, count, err);
	free(name);
	return ok;
}

static struct output *output_new(
	const struct output_item *items, size_t count, struct err *err)
{
	struct output *new = calloc(1, sizeof(*new));
	bool ok;

	if (new == NULL) {
		err_nomem(err);
		return NULL;
	}
	new->names = calloc(count, sizeof(*new->names));
	ok = new->names != NULL || err_nomem(err);
	for (size_t i = 0; ok && i < count; i++) {
		new->names[i] = text_copy(items[i].name, err);
		ok = new->names[i] != NULL;
		new->count++;
	}
	if (ok)
		return new;
	output_free(new);
	return NULL;
}

void output_free(struct output *output)
{
	if (output == NULL)
		return;
	for (size_t i = 0; output->names != NULL && i < output->count; i++)
		free(output->names[i]);
	free(output->names);
	free(output->folder);
	free(output->kept);
	file_stage_free(output->stage);
	free(output);
}

const char *output_kept(const struct output *output)
{
	return output->kept;
}

bool output_undo(struct output *output, struct err *err)
{
	if (output->stage != NULL)
		return file_stage_undo(output->stage, err);
	remove_folder(output->folder, output->names, output->count);
	if (output->was_there && mkdir(output->folder, 0755) != 0)
		return err_set(err, ERR_OUTPUT, "%s: cannot create: %s",
			output->folder, file_reason(errno));
	return file_sync_folder(output->folder, err);
}

bool output_file(
	const struct output_item *item, struct output **out, struct err *err)
{
	struct output *new = output_new(item, 1, err);

	if (new == NULL)
		return false;
	if (!file_stage_new(item->name, item->bytes->data, item->bytes->len,
		    &new->stage, err) ||
		!file_stage_publish(new->stage, &new->kept, err)) {
		output_free(new);
		return false;
	}
	*out = new;
	return true;
}

/* A new folder beside the target, with all files in it; owned. */
static char *stage_folder(const struct output *new,
	const struct output_item *items, struct err *err)
{
	char *staged = NULL;

	if (asprintf(&staged, "%s.new-XXXXXX", new->folder) < 0) {
		err_nomem(err);
		return NULL;
	}
	if (mkdtemp(staged) == NULL) {
		err_set(err, ERR_OUTPUT, "%s: cannot create: %s", staged,
			file_reason(errno));
		free(staged);
		return NULL;
	}
	if (chmod(staged, 0755) != 0)
		err_set(err, ERR_OUTPUT, "%s: cannot make readable: %s", staged,
			file_reason(errno));
	else if (fill_folder(staged, items, new->count, err))
		return staged;
	remove_folder(staged, new->names, new->count);
	free(staged);
	return NULL;
}

bool output_directory(const char *folder, const struct output_item *items,
	size_t count, struct output **out, struct err *err)
{
	struct output *new = NULL;
	struct err undo = ERR_EMPTY;
	char *staged = NULL;
	bool ok = false;

	if (!output_check_folder(folder, items, count, err))
		return false;
	new = output_new(items, count, err);
	if (new == NULL)
		return false;
	new->folder = folder_name(folder, err);
	if (new->folder == NULL)
		goto done;
	new->was_there = access(new->folder, F_OK) == 0;
	staged = stage_folder(new, items, err);
	if (staged == NULL)
		goto done;
	if (rename(staged, new->folder) != 0) {
		err_set(err, ERR_OUTPUT, "%s: cannot rename into place: %s",
			new->folder, file_reason(errno));
		remove_folder(staged, new->names, count);
		goto done;
	}
	if (!file_sync_folder(new->folder, err)) {
		if (!output_undo(new, &undo))
			err_prefix(err, "%s", undo.text);
		goto done;
	}
	*out = new;
	new = NULL;
	ok = true;
done:
	free(staged);
	output_free(new);
	return ok;
}
