/* SPDX-License-Identifier: ISC */
/*
 * What a medium says about the ISO on it: how long it is and where its parts
 * lie.  Nothing of it is trusted: every number is checked against the length
 * before it is used.
 *
 * Sources: ECMA-119 (ISO 9660), SUSP and RRIP 1.12 for the names, El Torito
 * 1.0 for the boot catalogue, UEFI 2.10 §5 for the partition table.
 */
#ifndef TOOLS_EVIDENCE_VOLUME_H
#define TOOLS_EVIDENCE_VOLUME_H

#include "lib/hash/sha256.h"

#define VOLUME_PARTS_MAX 16
#define VOLUME_NAME_MAX 256

struct volume_part {
	char name[VOLUME_NAME_MAX]; /* path in the ISO; may be hostile */
	uint64_t offset;            /* bytes from the start of the medium */
	uint64_t size;
	uint8_t hash[SHA256_LEN]; /* after volume_hash() */
};

struct volume {
	char label[33]; /* volume identifier, without padding */
	uint64_t size;  /* bytes */
	struct volume_part parts[VOLUME_PARTS_MAX]; /* by offset */
	size_t count;
	uint8_t hash[SHA256_LEN]; /* of size bytes; after volume_hash()
				   */
};

/*
 * The parts are the files in /live and the EFI boot image.  The length is
 * that of the primary volume descriptor, or, in hybrid images, to the end of
 * the last partition or of the backup of the GUID partition table, where that
 * lies behind it.  name is for
 * messages.  Errors: ERR_INPUT.
 */
bool volume_read(int fd, const char *name, struct volume *out, struct err *err);

/*
 * Read exactly size bytes and fill in the hashes.  Shows progress.  Errors:
 * ERR_INPUT, also where the medium ends before.
 */
bool volume_hash(
	int fd, const char *name, struct volume *volume, struct err *err);

#endif
