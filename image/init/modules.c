/* SPDX-License-Identifier: ISC */
#include "modules.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LINE_SIZE = 256 };

/* sha256-ssse3 says ENODEV on a processor without those instructions. */
static bool load(const char *folder, char *line, struct err *err)
{
	const char *name = strsep(&line, " ");
	const char *parameters = line == NULL ? "" : line;
	char path[PATH_MAX];
	bool ok;
	int file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return err_errno(err, "%s", path);
	ok = syscall(SYS_finit_module, file, parameters, 0) == 0 ||
	     errno == ENODEV;
	if (!ok)
		err_errno(err, "the kernel refuses its module %s", name);
	close(file);
	return ok;
}

bool modules_load(const char *folder, struct err *err)
{
	char path[PATH_MAX];
	char line[LINE_SIZE];
	bool ok = true;
	FILE *order;

	snprintf(path, sizeof(path), "%s/order", folder);
	order = fopen(path, "re");
	if (order == NULL)
		return err_errno(err, "%s", path);
	while (ok && fgets(line, sizeof(line), order) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		ok = load(folder, line, err);
	}
	fclose(order);
	return ok;
}
