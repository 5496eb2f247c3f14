/* SPDX-License-Identifier: ISC */
/*
 * What verifies a log is a shell script (lib/verify-log), so that it works on
 * any machine; this program has it inside.
 */
#ifndef TOOLS_EVIDENCE_VERIFY_H
#define TOOLS_EVIDENCE_VERIFY_H

#include "lib/base/buf.h"

#define VERIFY_NAME "verify" /* of the script in a log's folder */

/* The script's text, appended. */
void verify_script(struct buf *out);

/* Becomes the script; returns only where it cannot.  Errors: ERR_INPUT. */
bool verify_log(const char *folder, struct err *err);

#endif
