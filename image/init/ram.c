/* SPDX-License-Identifier: ISC */
#include "ram.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

enum { CHUNK = 1 << 20, SECTOR = 2048, MIB = 1 << 20 };

/* Memory that must be left for the system itself, in MiB. */
enum { WORKING_MIB = 384 };

struct copy {
	int source;
	int target;
	uint64_t size;
	uint64_t unreadable;
	char *buffer;
};

/* Copy up to length bytes at one place.  *got is what the source gave. */
static bool copy_piece(struct copy *copy, uint64_t at, size_t length,
	ssize_t *got, struct err *err)
{
	*got = pread(copy->source, copy->buffer, length, (off_t)at);
	if (*got <= 0)
		return true;
	if (pwrite(copy->target, copy->buffer, (size_t)*got, (off_t)at) != *got)
		return err_errno(err, "copying to memory");
	return true;
}

/* Copy a chunk that did not read as a whole, sector by sector. */
static bool copy_sectors(
	struct copy *copy, uint64_t from, uint64_t to, struct err *err)
{
	ssize_t got;
	uint64_t at;

	for (at = from; at < to; at += SECTOR) {
		if (!copy_piece(copy, at, SECTOR, &got, err))
			return false;
		if (got <= 0)
			copy->unreadable++;
	}
	return true;
}

static bool copy_all(
	struct copy *copy, void (*progress)(unsigned percent), struct err *err)
{
	unsigned shown = 101;
	uint64_t at = 0;
	uint64_t end;
	ssize_t got;

	while (at < copy->size) {
		unsigned percent = (unsigned)(at * 100 / copy->size);

		if (percent != shown)
			progress(shown = percent);
		end = at + CHUNK < copy->size ? at + CHUNK : copy->size;
		if (!copy_piece(copy, at, (size_t)(end - at), &got, err))
			return false;
		if (got > 0)
			end = at + (uint64_t)got;
		else if (!copy_sectors(copy, at, end, err))
			return false;
		at = end;
	}
	progress(100);
	return true;
}

bool ram_copy(const char *source, const char *target,
	void (*progress)(unsigned percent), uint64_t *unreadable,
	struct err *err)
{
	struct copy copy = {.source = -1, .target = -1};
	struct stat status;
	bool ok = false;

	copy.source = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (copy.source < 0 || fstat(copy.source, &status) < 0) {
		err_errno(err, "%s", source);
		goto done;
	}
	copy.size = (uint64_t)status.st_size;
	copy.target =
		open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR);
	if (copy.target < 0 || ftruncate(copy.target, status.st_size) < 0) {
		err_errno(err, "%s", target);
		goto done;
	}
	copy.buffer = malloc(CHUNK);
	if (copy.buffer == NULL) {
		err_set(err, "out of memory");
		goto done;
	}
	if (!copy_all(&copy, progress, err))
		goto done;
	*unreadable = copy.unreadable;
	ok = true;
done:
	free(copy.buffer);
	if (copy.target >= 0)
		close(copy.target);
	if (copy.source >= 0)
		close(copy.source);
	return ok;
}

bool ram_mount(const char *source, const char *folder, struct err *err)
{
	struct sysinfo memory;
	struct stat status;
	char options[64];
	uint64_t needed;
	uint64_t there;

	if (stat(source, &status) < 0)
		return err_errno(err, "%s", source);
	if (sysinfo(&memory) < 0)
		return err_errno(err, "sysinfo");
	needed = (uint64_t)status.st_size / MIB + 1;
	there = (uint64_t)memory.freeram * memory.mem_unit / MIB;
	if (there < needed + WORKING_MIB) {
		err_set(err,
			"%" PRIu64 " MiB of memory are free, expected %" PRIu64
			" for a copy of the disc",
			there, needed + WORKING_MIB);
		return err_advise(
			err, "start the entry that runs from the disc");
	}
	snprintf(options, sizeof(options), "mode=0700,size=%" PRIu64 "m",
		needed);
	if (mount("tmpfs", folder, "tmpfs", MS_NODEV | MS_NOSUID | MS_NOEXEC,
		    options) < 0)
		return err_errno(err, "%s", folder);
	return true;
}
