/* SPDX-License-Identifier: ISC */
#include "ahead.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHUNK = 256 << 10 };

void ahead_read(const char *path, uint64_t from, uint64_t to)
{
	char *buffer = malloc(CHUNK);
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint64_t at = from;
	size_t length;
	ssize_t got;

	while (buffer != NULL && file >= 0 && at < to) {
		length = to - at < CHUNK ? (size_t)(to - at) : CHUNK;
		got = pread(file, buffer, length, (off_t)at);
		if (got == 0)
			break;
		at += got > 0 ? (size_t)got : length;
	}
	if (file >= 0)
		close(file);
	free(buffer);
}

void ahead_read_beside(const char *path, uint64_t from, uint64_t to)
{
	if (fork() != 0)
		return;
	ahead_read(path, from, to);
	_exit(0);
}
