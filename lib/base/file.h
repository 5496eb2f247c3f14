/* SPDX-License-Identifier: ISC */
/*
 * Whole files: bounded reading, and writing that never leaves half a file.
 *
 * Writing is in two steps, so that everything which can fail has failed
 * before anything is published:
 *
 *	file_stage_new()	the bytes are in a temporary file beside the
 *				target, fsynced
 *	file_stage_publish()	an existing target is copied beside, then the
 *				temporary file is renamed over it and the
 *				folder fsynced
 *
 * Killed at any point, the target is either the old file or the new one.
 * Copies, not hard links: the drives are FAT.
 */
#ifndef LIB_BASE_FILE_H
#define LIB_BASE_FILE_H

#include "lib/base/buf.h"

/*
 * Append the whole of a regular file (not a folder, FIFO or device) of at
 * most max bytes.  Errors: ERR_INPUT, naming the path; ERR_REFUSED where it
 * is larger.
 */
bool file_read(const char *path, size_t max, struct buf *out, struct err *err);

/* The same from an open descriptor (a pipe too); name is for messages. */
bool file_read_fd(
	int fd, const char *name, size_t max, struct buf *out, struct err *err);

/*
 * Why something could not be written, for people: as strerror(), but where a
 * disk is full with what helps.
 */
const char *file_reason(int error);

/* Write all bytes, through short writes and EINTR.  Errors: ERR_OUTPUT. */
bool file_write_fd(int fd, const char *name, const void *data, size_t len,
	struct err *err);

/* A larger file that stands where another is to be written is not kept. */
#define FILE_KEPT_MAX ((size_t)67108864)

/*
 * Could a file be written there, as far as can be seen before the work that
 * makes it?  Its folder exists and can be written to; what stands there, if
 * anything, is a regular file (not a link, a folder, a device) of at most
 * FILE_KEPT_MAX bytes, so that it can be kept beside.  Errors: ERR_OUTPUT.
 */
bool file_check_target(const char *path, struct err *err);

/*
 * Could anything of this name be made in the folder: it is one, can be written
 * to, and takes the name (see fat.h, where it is on such a drive) and what is
 * put behind it until the rename.  Errors: ERR_OUTPUT.
 */
bool file_check_name(const char *folder, const char *name, struct err *err);

/* The last part of path, borrowed: what stands behind its last slash. */
const char *file_name(const char *path);

struct file_stage; /* a file that is written but not published */

/*
 * Errors: ERR_OUTPUT; then nothing is left behind.  The caller publishes
 * and then frees, or only frees, which removes the temporary file.
 */
bool file_stage_new(const char *path, const void *data, size_t len,
	struct file_stage **out, struct err *err);

/*
 * If a file is there already, it is kept with its mode as PATH.old-N (the
 * first free N from 1), the new one gets its mode, too, and *kept is that name,
 * which the caller frees; otherwise *kept is NULL.  kept may be NULL.  Errors:
 * ERR_OUTPUT; then the target is what it was and nothing is left behind.
 */
bool file_stage_publish(struct file_stage *stage, char **kept, struct err *err);

/*
 * After publishing: put back what was there before, a file or none, because
 * something later failed.  Errors: ERR_OUTPUT.
 */
bool file_stage_undo(struct file_stage *stage, struct err *err);

void file_stage_free(struct file_stage *stage);

/* Stage and publish in one. */
bool file_write(const char *path, const void *data, size_t len, char **kept,
	struct err *err);

/* fsync the folder that holds path.  Errors: ERR_OUTPUT. */
bool file_sync_folder(const char *path, struct err *err);

/* The folder of path, "." when it names none; the caller frees. */
char *file_folder(const char *path, struct err *err);

#endif
