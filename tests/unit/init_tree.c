/* SPDX-License-Identifier: ISC */
#include "init_tree.h"

#include "volume.h"

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 512 };

/* Make every folder on the way to path. */
static void make_folders(const char *path)
{
	char part[PATH_SIZE];
	char *slash;

	snprintf(part, sizeof(part), "%s/", path);
	for (slash = strchr(part + 1, '/'); slash != NULL;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(part, 0755);
		*slash = '/';
	}
}

static void write_file(const char *path, const void *content, size_t size)
{
	FILE *file = fopen(path, "wb");

	assert(file != NULL);
	assert(fwrite(content, 1, size, file) == size);
	assert(fclose(file) == 0);
}

void tree_make(struct tree *tree)
{
	char folder[PATH_SIZE];

	snprintf(tree->top, sizeof(tree->top), "/tmp/keyroom-tree-XXXXXX");
	assert(mkdtemp(tree->top) != NULL);
	snprintf(tree->sysfs, sizeof(tree->sysfs), "%s/sys", tree->top);
	snprintf(tree->dev, sizeof(tree->dev), "%s/dev", tree->top);
	snprintf(folder, sizeof(folder), "%s/block", tree->sysfs);
	make_folders(folder);
	make_folders(tree->dev);
}

static int remove_one(
	const char *path, const struct stat *status, int flag, struct FTW *ftw)
{
	(void)status;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void tree_remove(const struct tree *tree)
{
	nftw(tree->top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void tree_add(const struct tree *tree, const struct tree_disk *disk)
{
	char folder[PATH_SIZE];
	char path[PATH_SIZE + 32];
	char link[PATH_SIZE];

	snprintf(folder, sizeof(folder), "%s/devices/%s/block/%s", tree->sysfs,
		disk->path, disk->name);
	make_folders(folder);
	if (disk->removable != NULL) {
		snprintf(path, sizeof(path), "%s/removable", folder);
		write_file(path, disk->removable, strlen(disk->removable));
	}
	if (disk->type != NULL) {
		snprintf(path, sizeof(path), "%s/device", folder);
		make_folders(path);
		snprintf(path, sizeof(path), "%s/device/type", folder);
		write_file(path, disk->type, strlen(disk->type));
	}
	snprintf(link, sizeof(link), "../devices/%s/block/%s", disk->path,
		disk->name);
	snprintf(path, sizeof(path), "%s/block/%s", tree->sysfs, disk->name);
	assert(symlink(link, path) == 0);
}

void tree_insert(const struct tree *tree, const char *name, const char *id)
{
	static uint8_t medium[VOLUME_OFFSET + VOLUME_SECTOR];
	uint8_t *sector = medium + VOLUME_OFFSET;
	char path[PATH_SIZE];

	memset(medium, 0, sizeof(medium));
	memcpy(sector, "\1CD001\1", 7);
	memcpy(sector + 128, "\x00\x08\x08\x00", 4);
	memset(sector + 190, ' ', 128);
	memcpy(sector + 190, id, strlen(id));
	snprintf(path, sizeof(path), "%s/%s", tree->dev, name);
	write_file(path, medium, sizeof(medium));
}
