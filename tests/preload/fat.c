/* SPDX-License-Identifier: ISC */
/* Preloaded into a program: every folder is said to be on a FAT. */
#include <dlfcn.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>

int statfs(const char *path, struct statfs *fs)
{
	int (*next)(const char *, struct statfs *) =
		(__typeof__(next))dlsym(RTLD_NEXT, "statfs");
	int result;

	if (next == NULL)
		abort();
	result = next(path, fs);
	fs->f_type = MSDOS_SUPER_MAGIC;
	return result;
}
