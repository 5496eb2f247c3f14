/* SPDX-License-Identifier: ISC */
#include "sign/publish.h"

#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool publish_is_input(const char *path, const char *const *inputs, size_t count)
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

static void remove_folder(
	const char *folder, const struct publish_item *items, size_t count)
{
	struct err ignored = ERR_EMPTY;

	for (size_t i = 0; i < count; i++) {
		char *path = join(folder, items[i].name, &ignored);

		if (path != NULL)
			unlink(path);
		free(path);
	}
	rmdir(folder);
}

static bool fill_folder(const char *folder, const struct publish_item *items,
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

static bool is_distinct(
	const struct publish_item *items, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(items[i].name, items[j].name) == 0)
				return err_set(err, ERR_USAGE,
					"two responses would be named %s",
					items[i].name);
	return true;
}

bool publish_folder(const char *folder, const struct publish_item *items,
	size_t count, struct err *err)
{
	char *target = text_copy(folder, err), *staged = NULL;
	bool ok = false;

	if (target == NULL)
		return false;
	for (size_t len = strlen(target); len > 1 && target[len - 1] == '/';)
		target[--len] = '\0';
	if (!is_distinct(items, count, err))
		goto done;
	if (asprintf(&staged, "%s.new-XXXXXX", target) < 0) {
		staged = NULL;
		err_nomem(err);
		goto done;
	}
	if (mkdtemp(staged) == NULL || chmod(staged, 0755) != 0) {
		err_set(err, ERR_OUTPUT, "%s: cannot create: %s", staged,
			strerror(errno));
		goto done;
	}
	ok = fill_folder(staged, items, count, err);
	if (ok && rename(staged, target) != 0)
		ok = err_set(err, ERR_OUTPUT,
			"%s: cannot rename into place: %s", target,
			strerror(errno));
	if (!ok)
		remove_folder(staged, items, count);
	else
		ok = file_sync_folder(target, err);
done:
	free(staged);
	free(target);
	return ok;
}
