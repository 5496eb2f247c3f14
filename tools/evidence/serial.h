/* SPDX-License-Identifier: ISC */
/* Serial lines, raw: what arrives is what is read. */
#ifndef TOOLS_EVIDENCE_SERIAL_H
#define TOOLS_EVIDENCE_SERIAL_H

#include "lib/base/err.h"

#include <stdint.h>

/*
 * Open a serial device for reading, without waiting for a carrier: 8 bits,
 * no parity, no flow control, no translation, nothing flushed; locked against
 * a second reader.  speed: bits a second, one of the usual ones.  The caller
 * closes *fd.  Errors: ERR_INPUT; ERR_USAGE for the speed.
 */
bool serial_open(const char *path, int64_t speed, int *fd, struct err *err);

/* Bytes that hardware or kernel dropped since the line exists; 0: unknown. */
uint64_t serial_overruns(int fd);

#endif
