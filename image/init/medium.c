/* SPDX-License-Identifier: ISC */
#include "medium.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#ifndef MS_NOSYMFOLLOW /* musl's header does not have it yet */
#define MS_NOSYMFOLLOW 256
#endif

enum { PAUSE_MS = 100 };

static bool read_volume(const char *path, struct volume *out, struct err *err)
{
	uint8_t sector[VOLUME_SECTOR];
	ssize_t got;
	int file;

	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 && errno == ENOMEDIUM)
		return err_set(err, "no disc in the drive");
	if (file < 0)
		return err_errno(err, "cannot be opened");
	got = pread(file, sector, sizeof(sector), VOLUME_OFFSET);
	if (got < 0)
		err_errno(err, "cannot be read");
	else if (got != sizeof(sector))
		err_set(err, "too short to be the disc");
	close(file);
	return got == sizeof(sector) && volume_parse(sector, out, err);
}

/* Is it the disc that is wanted?  Only this opens a device. */
static bool is_wanted(const struct medium_search *search,
	const struct device *device, struct medium *out, struct err *err)
{
	struct medium medium = {.device = *device};
	struct volume volume;

	if (device->kind == DEVICE_FIXED)
		return err_set(err, "a fixed disk, not looked into");
	snprintf(medium.path, sizeof(medium.path), "%s/%s", search->dev,
		device->name);
	if (!read_volume(medium.path, &volume, err))
		return false;
	if (strcmp(volume.set_id, search->id) != 0)
		return err_set(err, "another disc: %s", volume.set_id);
	memcpy(medium.label, volume.id, sizeof(medium.label));
	*out = medium;
	return true;
}

bool medium_look(const struct medium_search *search,
	const struct device_list *list, struct medium *out, struct err *err)
{
	struct err why;
	size_t used;
	size_t i;

	err_set(err, "no removable medium carries the id %s", search->id);
	for (i = 0; i < list->count; i++) {
		if (is_wanted(search, &list->device[i], out, &why))
			return true;
		used = strlen(err->text);
		snprintf(err->text + used, sizeof(err->text) - used,
			"\n  %s: %s", list->device[i].name, why.text);
	}
	return false;
}

/* Is there a device in now that was not in before? */
static bool has_new(
	const struct device_list *before, const struct device_list *now)
{
	size_t i;
	size_t k;

	for (i = 0; i < now->count; i++) {
		for (k = 0; k < before->count; k++)
			if (strcmp(now->device[i].name,
				    before->device[k].name) == 0)
				break;
		if (k == before->count)
			return true;
	}
	return false;
}

bool medium_find(
	const struct medium_search *search, struct medium *out, struct err *err)
{
	int64_t deadline = clock_ms() + search->patience;
	struct device_list before = {.count = 0};
	struct device_list now;

	for (;;) {
		if (!device_list(search->sysfs, &now, err))
			return false;
		if (has_new(&before, &now))
			deadline = clock_ms() + search->patience;
		before = now;
		if (medium_look(search, &now, out, err))
			return true;
		if (clock_ms() >= deadline)
			return err_advise(err,
				"put the disc, or the USB stick or SD card made from it, into this machine and start again");
		clock_sleep(PAUSE_MS);
	}
}

/* A disc cannot be written; a stick could be, if anything tried. */
static bool forbid_writing(const char *path, struct err *err)
{
	int yes = 1;
	bool ok;
	int file;

	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return err_errno(err, "%s", path);
	ok = ioctl(file, BLKROSET, &yes) == 0;
	if (!ok)
		err_errno(err, "%s cannot be made read-only", path);
	close(file);
	return ok;
}

/* ISO 9660 counts in sectors of 2048 bytes; a drive with larger ones has no
 * such place.  Firmware starts from none, but a kernel may see one. */
static bool has_small_sectors(const char *path, struct err *err)
{
	int size = 0;
	bool ok;
	int file;

	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return err_errno(err, "%s", path);
	ok = ioctl(file, BLKSSZGET, &size) == 0;
	if (!ok)
		err_errno(err, "%s does not tell its sector size", path);
	close(file);
	if (!ok || size <= VOLUME_SECTOR)
		return ok;
	err_set(err, "%s has sectors of %d bytes, expected at most %d", path,
		size, VOLUME_SECTOR);
	return err_advise(err,
		"the disc cannot be used from this drive: put it onto another USB stick");
}

bool medium_mount(
	const struct medium *medium, const char *target, struct err *err)
{
	const unsigned long flags =
		MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOEXEC | MS_NOSYMFOLLOW;

	if (!forbid_writing(medium->path, err) ||
		!has_small_sectors(medium->path, err))
		return false;
	/* sbsector=0: the session whose descriptor was read, not the last. */
	if (mount(medium->path, target, "iso9660", flags,
		    "sbsector=0,nojoliet") == 0)
		return true;
	err_errno(err, "%s has the right id but does not mount", medium->path);
	return err_advise(err, "the disc is damaged; use another copy");
}
