/* SPDX-License-Identifier: ISC */
#include "device.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"

/* Is name the prefix and then one or more of these characters, no others? */
static bool is_name(
	const char *name, const char *prefix, const char *characters)
{
	size_t length = strlen(prefix);

	return strncmp(name, prefix, length) == 0 && name[length] != '\0' &&
	       name[length + strspn(name + length, characters)] == '\0';
}

/* Does the file sysfs/block/name/attribute hold exactly this line? */
static bool attribute_is(const char *sysfs, const char *name,
	const char *attribute, const char *expected)
{
	char path[PATH_MAX];
	char value[32];
	ssize_t got;
	int file;

	if ((size_t)snprintf(path, sizeof(path), "%s/block/%s/%s", sysfs, name,
		    attribute) >= sizeof(path))
		return false;
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	got = read(file, value, sizeof(value) - 1);
	close(file);
	if (got <= 0)
		return false;
	value[got] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return strcmp(value, expected) == 0;
}

/*
 * Does the device hang on a USB port?  sysfs/block/name is a link such as
 * ../devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/...: the folder
 * of a USB root hub is called usb and a number.
 */
static bool is_on_usb(const char *sysfs, const char *name)
{
	char path[PATH_MAX];
	char target[PATH_MAX];
	char *rest = target;
	char *part;
	ssize_t got;

	if ((size_t)snprintf(path, sizeof(path), "%s/block/%s", sysfs, name) >=
		sizeof(path))
		return false;
	got = readlink(path, target, sizeof(target) - 1);
	if (got <= 0)
		return false;
	target[got] = '\0';
	while ((part = strsep(&rest, "/")) != NULL)
		if (is_name(part, "usb", DIGITS))
			return true;
	return false;
}

const char *device_kind_name(enum device_kind kind)
{
	static const char *const names[] = {
		[DEVICE_OPTICAL] = "optical",
		[DEVICE_USB] = "usb",
		[DEVICE_SD] = "sd",
		[DEVICE_REMOVABLE] = "removable",
		[DEVICE_FIXED] = "fixed",
	};

	return names[kind];
}

enum device_kind device_classify(const char *sysfs, const char *name)
{
	if (is_name(name, "sr", DIGITS))
		return DEVICE_OPTICAL;
	/* A soldered eMMC says MMC, its boot areas have other names. */
	if (is_name(name, "mmcblk", DIGITS))
		return attribute_is(sysfs, name, "device/type", "SD")
			       ? DEVICE_SD
			       : DEVICE_FIXED;
	if (!is_name(name, "sd", LOWER))
		return DEVICE_FIXED;
	if (is_on_usb(sysfs, name))
		return DEVICE_USB;
	if (attribute_is(sysfs, name, "removable", "1"))
		return DEVICE_REMOVABLE;
	return DEVICE_FIXED;
}

static bool has_no_medium(const char *name)
{
	return name[0] == '.' || is_name(name, "loop", DIGITS) ||
	       is_name(name, "dm-", DIGITS) || is_name(name, "ram", DIGITS);
}

static int compare(const void *a, const void *b)
{
	const struct device *one = a;
	const struct device *other = b;

	if (one->kind != other->kind)
		return one->kind < other->kind ? -1 : 1;
	return strcmp(one->name, other->name);
}

bool device_list(const char *sysfs, struct device_list *out, struct err *err)
{
	struct device_list list = {.count = 0};
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/block", sysfs);
	dir = opendir(path);
	if (dir == NULL)
		return err_errno(err, "%s", path);
	while (list.count < DEVICE_MAX && (entry = readdir(dir)) != NULL) {
		struct device *device = &list.device[list.count];
		size_t length = strlen(entry->d_name);

		if (has_no_medium(entry->d_name) || length > DEVICE_NAME)
			continue;
		memcpy(device->name, entry->d_name, length + 1);
		device->kind = device_classify(sysfs, device->name);
		list.count++;
	}
	closedir(dir);
	qsort(list.device, list.count, sizeof(list.device[0]), compare);
	*out = list;
	return true;
}
