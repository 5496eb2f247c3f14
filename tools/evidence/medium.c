/* SPDX-License-Identifier: ISC */
#include "tools/evidence/medium.h"

#include "lib/cli/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/cdrom.h>
#include <scsi/sg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 2048
#define CHUNK ((size_t)1024 * 1024)
#define STICK_MAX ((uint64_t)64 * 1024 * 1024)
#define INFORMATION_LEN 34
#define DRIVE_TIMEOUT 10000 /* milliseconds */

void medium_disc_information(
	const uint8_t *answer, size_t len, struct medium *out)
{
	if (len < 10)
		return;
	out->sessions = answer[4] | (unsigned)answer[9] << 8;
	/* Disc status: 0 empty, 1 appendable, 2 complete, 3 others. */
	out->state = (answer[2] & 3) == 2 ? MEDIUM_CLOSED : MEDIUM_OPEN;
}

static void ask_drive(int fd, struct medium *out)
{
	uint8_t answer[INFORMATION_LEN] = {0}, sense[32];
	uint8_t command[10] = {GPCMD_READ_DISC_INFO, [8] = INFORMATION_LEN};
	struct sg_io_hdr io = {
		.interface_id = 'S',
		.dxfer_direction = SG_DXFER_FROM_DEV,
		.cmd_len = sizeof(command),
		.cmdp = command,
		.dxfer_len = sizeof(answer),
		.dxferp = answer,
		.mx_sb_len = sizeof(sense),
		.sbp = sense,
		.timeout = DRIVE_TIMEOUT,
	};

	if (ioctl(fd, SG_IO, &io) != 0 || (io.info & SG_INFO_OK_MASK) != 0 ||
		io.resid < 0 || io.resid > INFORMATION_LEN)
		return;
	medium_disc_information(
		answer, (size_t)(INFORMATION_LEN - io.resid), out);
}

/* The first byte that is not 0, or len. */
static size_t first_set(const uint8_t *data, size_t len)
{
	size_t i = 0;

	while (i < len && data[i] == 0)
		i++;
	return i;
}

/*
 * A volume descriptor at a sector's beginning (ECMA-119 §8.1), or len; data
 * lies at offset of the medium.
 */
static size_t find_descriptor(const uint8_t *data, size_t len, uint64_t offset)
{
	size_t at = (SECTOR - (size_t)(offset % SECTOR)) % SECTOR;

	for (; at + 7 <= len; at += SECTOR)
		if (memcmp(data + at + 1, "CD001\1", 6) == 0 &&
			(data[at] <= 3 || data[at] == 255))
			return at;
	return len;
}

/* Reads whole chunks that begin at multiples of a sector. */
static bool fill(int fd, uint64_t offset, uint8_t *chunk, size_t *len)
{
	size_t used = 0;

	while (used < *len) {
		ssize_t got = pread(
			fd, chunk + used, *len - used, (off_t)(offset + used));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	*len = used;
	return used > 0;
}

static void look_behind(
	int fd, uint64_t from, uint64_t to, uint8_t *chunk, struct medium *out)
{
	struct progress progress;

	out->looked = from;
	progress_start(&progress, "looking behind it", to - from);
	while (out->looked < to) {
		uint64_t left = to - out->looked;
		size_t len = left < CHUNK ? (size_t)left : CHUNK, at;

		if (!fill(fd, out->looked, chunk, &len)) {
			out->unreadable = true;
			break;
		}
		at = first_set(chunk, len);
		if (at < len && out->first == 0)
			out->first = out->looked + at;
		at = at < len ? find_descriptor(chunk, len, out->looked) : len;
		if (at < len && out->session == 0)
			out->session = out->looked + at;
		out->looked += len;
		progress_add(&progress, len);
	}
	progress_end(&progress);
}

bool medium_look(int fd, const char *name, uint64_t iso, bool all,
	struct medium *out, struct err *err)
{
	struct medium medium = {.state = MEDIUM_UNKNOWN};
	struct stat status;
	off_t end = lseek(fd, 0, SEEK_END);
	uint64_t to;
	uint8_t *chunk;

	if (end < 0 || fstat(fd, &status) != 0)
		return err_set(err, ERR_INPUT, "%s: has no size: %s", name,
			strerror(errno));
	medium.size = (uint64_t)end;
	if (S_ISBLK(status.st_mode) &&
		ioctl(fd, CDROM_GET_CAPABILITY, 0) >= 0) {
		medium.optical = true;
		ask_drive(fd, &medium);
	}
	chunk = malloc(CHUNK);
	if (chunk == NULL)
		return err_nomem(err);
	to = medium.size > iso ? medium.size : iso;
	if (!all && S_ISBLK(status.st_mode) && !medium.optical &&
		to - iso > STICK_MAX)
		to = iso + STICK_MAX;
	look_behind(fd, iso, to, chunk, &medium);
	free(chunk);
	*out = medium;
	return true;
}

static void describe_disc(const struct medium *medium, struct buf *out)
{
	static const char *const states[] = {
		[MEDIUM_UNKNOWN] = "the drive does not say",
		[MEDIUM_OPEN] = "OPEN, more can be written to it",
		[MEDIUM_CLOSED] = "closed",
	};

	if (!medium->optical)
		return;
	if (medium->sessions > 0)
		buf_format(out, "Sessions:   %u\n", medium->sessions);
	buf_format(out, "State:      %s\n", states[medium->state]);
}

void medium_describe(const struct medium *medium, uint64_t iso, struct buf *out)
{
	uint64_t behind = medium->size > iso ? medium->size - iso : 0;
	uint64_t seen = medium->looked - iso;

	describe_disc(medium, out);
	if (behind == 0) {
		buf_text(out, "Behind it:  nothing\n");
		return;
	}
	buf_format(out, "Behind it:  %" PRIu64 " bytes, ", behind);
	if (seen < behind)
		buf_format(out, "%" PRIu64 " of them %s, ", seen,
			medium->unreadable ? "readable" : "looked at");
	if (medium->first == 0)
		buf_text(out, "all zero\n");
	else
		buf_format(out, "not empty from byte %" PRIu64 " on\n",
			medium->first);
	if (medium->session != 0)
		buf_format(out,
			"            ANOTHER SESSION at byte %" PRIu64 "\n",
			medium->session);
}

bool medium_is_one_closed_session(
	const struct medium *medium, const char *name, struct err *err)
{
	if (medium->session != 0)
		return err_set(err, ERR_REFUSED,
			"%s: holds another session behind the ISO, from which a machine may start",
			name);
	if (medium->sessions > 1)
		return err_set(err, ERR_REFUSED,
			"%s: has %u sessions, and a machine starts from the last",
			name, medium->sessions);
	if (medium->state == MEDIUM_OPEN)
		return err_set(err, ERR_REFUSED,
			"%s: is not closed: another session can be added",
			name);
	return true;
}
