/* SPDX-License-Identifier: ISC */
#include "lib/base/fat.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#define NEVER "\"*:<>?\\|"

static size_t kept_length(const char *name)
{
	size_t len = strlen(name);

	while (len > 0 && (name[len - 1] == '.' || name[len - 1] == ' '))
		len--;
	return len;
}

bool fat_check_name(const char *name, struct err *err)
{
	for (const char *p = name; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || strchr(NEVER, *p) != NULL)
			return err_set(err, ERR_OUTPUT,
				"\"%.80s\" is no name on a drive (FAT): expected no control character and none of %s",
				name, NEVER);
	if (name[kept_length(name)] != '\0')
		return err_set(err, ERR_OUTPUT,
			"\"%.80s\" is another name on a drive (FAT): expected no dot and no blank at the end",
			name);
	return true;
}

bool fat_is_same(const char *a, const char *b)
{
	size_t len = kept_length(a);

	return len == kept_length(b) && strncasecmp(a, b, len) == 0;
}

bool fat_holds(const char *folder)
{
	struct statfs fs;

	return statfs(folder, &fs) == 0 &&
	       (fs.f_type == MSDOS_SUPER_MAGIC ||
		       fs.f_type == EXFAT_SUPER_MAGIC);
}
