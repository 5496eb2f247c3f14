/* SPDX-License-Identifier: ISC */
#include "verity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { SECTORS_PER_BLOCK = CMDLINE_BLOCK / 512, CHUNK = 1 << 20 };

/* One request to the device mapper: the header, then the table. */
struct request {
	struct dm_ioctl header;
	struct dm_target_spec target;
	char params[VERITY_TABLE];
};

/*
 * The parity covers data and hash tree, one after the other as in the file,
 * so it covers as many blocks as lie before it.
 */
bool verity_table(const struct verity_params *params, const char *path,
	char out[static VERITY_TABLE])
{
	uint32_t covered =
		params->data_blocks + (params->fec_start - params->hash_start);
	int length = snprintf(out, VERITY_TABLE,
		"1 %s %s %d %d %" PRIu32 " %" PRIu32
		" sha256 %s %s 8 use_fec_from_device %s fec_blocks %" PRIu32
		" fec_start %" PRIu32 " fec_roots %" PRIu32,
		path, path, CMDLINE_BLOCK, CMDLINE_BLOCK, params->data_blocks,
		params->hash_start, params->root, params->salt, path, covered,
		params->fec_start, params->fec_roots);

	return length > 0 && length < VERITY_TABLE;
}

/* A fresh request about the device called name. */
static void prepare(struct request *request, const char *name, uint32_t flags)
{
	memset(request, 0, sizeof(*request));
	request->header.version[0] = DM_VERSION_MAJOR;
	request->header.data_size = sizeof(*request);
	request->header.data_start = offsetof(struct request, target);
	request->header.flags = flags;
	snprintf(
		request->header.name, sizeof(request->header.name), "%s", name);
}

/* The C libraries disagree on the type of an ioctl's number; the kernel not. */
static bool call(int control, unsigned long number, struct request *request)
{
	return syscall(SYS_ioctl, control, number, request) == 0;
}

static bool create(int control, const char *name,
	const struct verity_params *params, const char *device, char *out,
	size_t size, struct err *err)
{
	struct request request;

	prepare(&request, name, DM_READONLY_FLAG);
	if (!call(control, DM_DEV_CREATE, &request))
		return err_errno(err, "the device mapper makes no device");
	snprintf(out, size, "/dev/dm-%u", minor(request.header.dev));

	prepare(&request, name, DM_READONLY_FLAG);
	request.header.target_count = 1;
	request.target.length =
		(uint64_t)params->data_blocks * SECTORS_PER_BLOCK;
	request.target.next = sizeof(request.target) + sizeof(request.params);
	memcpy(request.target.target_type, "verity", sizeof("verity"));
	if (!verity_table(params, device, request.params))
		return err_set(err, "the verity table does not fit");
	if (!call(control, DM_TABLE_LOAD, &request))
		return err_errno(err, "dm-verity refuses keyroom.verity");

	prepare(&request, name, 0);
	if (!call(control, DM_DEV_SUSPEND, &request)) /* that is: resume */
		return err_errno(err, "dm-verity does not start");
	return true;
}

bool verity_open(const char *name, const struct verity_params *params,
	const struct loop *loop, char *out, size_t size, struct err *err)
{
	uint64_t least = ((uint64_t)params->fec_start + 1) * CMDLINE_BLOCK;
	int control;
	bool ok;

	if (loop->size < least)
		return err_set(err,
			"the image has %" PRIu64
			" bytes, expected at least %" PRIu64,
			loop->size, least);
	control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return err_errno(err, "the device mapper");
	ok = create(control, name, params, loop->path, out, size, err);
	close(control);
	return ok;
}

bool verity_close(const char *name)
{
	struct request request;
	bool gone;
	int control;

	control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return false;
	prepare(&request, name, 0);
	gone = call(control, DM_DEV_REMOVE, &request) || errno == ENXIO;
	close(control);
	return gone;
}

static bool read_all(int file, char *buffer, uint64_t size,
	void (*progress)(unsigned percent), struct err *err)
{
	unsigned shown = 101;
	uint64_t at = 0;
	ssize_t got;

	while (at < size) {
		unsigned percent = (unsigned)(at * 100 / size);

		if (percent != shown)
			progress(shown = percent);
		got = pread(file, buffer, CHUNK, (off_t)at);
		if (got <= 0)
			return err_set(err,
				"damaged beyond repair near byte %" PRIu64
				" of %" PRIu64,
				at, size);
		at += (uint64_t)got;
	}
	progress(100);
	return true;
}

bool verity_check(
	const char *path, void (*progress)(unsigned percent), struct err *err)
{
	char *buffer = NULL;
	bool ok = false;
	off_t size;
	int file;

	/* O_DIRECT: there is no use in keeping what is read here. */
	file = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	size = file < 0 ? -1 : lseek(file, 0, SEEK_END);
	if (size < 0) {
		err_errno(err, "%s", path);
		goto done;
	}
	if (posix_memalign((void **)&buffer, CMDLINE_BLOCK, CHUNK) != 0) {
		err_set(err, "out of memory");
		goto done;
	}
	ok = read_all(file, buffer, (uint64_t)size, progress, err);
done:
	free(buffer);
	if (file >= 0)
		close(file);
	return ok;
}
