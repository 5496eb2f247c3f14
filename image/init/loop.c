/* SPDX-License-Identifier: ISC */
#include "loop.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int free_number(void)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int number;

	if (control < 0)
		return -1;
	number = ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	return number;
}

/* Tie the open file to the loop device at path. */
static bool configure(const char *path, int file, struct err *err)
{
	struct loop_config config = {
		.fd = (uint32_t)file,
		.info.lo_flags = LO_FLAGS_READ_ONLY,
	};
	bool ok;
	int device;

	device = open(path, O_RDONLY | O_CLOEXEC);
	if (device < 0)
		return err_errno(err, "%s", path);
	ok = ioctl(device, LOOP_CONFIGURE, &config) == 0;
	if (!ok)
		err_errno(err, "%s cannot be set up", path);
	close(device);
	return ok;
}

bool loop_open(const char *path, struct loop *out, struct err *err)
{
	struct loop loop;
	struct stat status;
	bool ok = false;
	int number;
	int file;

	file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (file < 0 || fstat(file, &status) < 0) {
		err_errno(err, "%s", path);
		goto done;
	}
	if (!S_ISREG(status.st_mode)) {
		err_set(err, "%s is not a file", path);
		goto done;
	}
	number = free_number();
	if (number < 0) {
		err_errno(err, "no loop device is free");
		goto done;
	}
	snprintf(loop.path, sizeof(loop.path), "/dev/loop%d", number);
	loop.size = (uint64_t)status.st_size;
	if (!configure(loop.path, file, err))
		goto done;
	*out = loop;
	ok = true;
done:
	if (file >= 0)
		close(file);
	return ok;
}
