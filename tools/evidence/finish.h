/* SPDX-License-Identifier: ISC */
/*
 * The end of a ceremony's log: what other programs wrote becomes part of it,
 * every folder is completed and gets its manifest.
 */
#ifndef TOOLS_EVIDENCE_FINISH_H
#define TOOLS_EVIDENCE_FINISH_H

#include "lib/base/buf.h"

#define FINISH_MANIFEST "MANIFEST"

/*
 * Where no log is being kept, that of the last one is made again: a folder
 * that could not be completed then may be now.  out: what the operator is
 * shown; manifest: that of the first folder that is whole, empty where none
 * is.  Every folder is tried.  Errors: ERR_OUTPUT, naming each folder that is
 * not whole.
 */
bool finish_log(struct buf *out, struct buf *manifest, struct err *err);

#endif
