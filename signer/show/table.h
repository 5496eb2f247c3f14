/* SPDX-License-Identifier: ISC */
/*
 * What the witnesses look at: the table of a response, the findings of the
 * checks, a hash with its words.  Every line goes through the log.
 */
#ifndef SHOW_TABLE_H
#define SHOW_TABLE_H

#include "checks/check.h"
#include "ksr/ksr.h"
#include "show/log.h"

/*
 * A line for each bundle: times, tags of the ZSKs, tags and labels of the
 * KSKs with /S (signs), /P (published only) and /R (revoked).  For a request
 * without KSKs the last column is empty.
 */
void table_show(struct log *log, const struct ksr *ksr);

/* A line for each finding from the first on, and the reasons below it. */
void table_findings(struct log *log, const struct report *report, size_t first);

/*
 * "SHA256 hash of KSR:", the digits, ">> words <<": the three lines that are
 * read aloud.
 */
void table_hash(struct log *log, const char *what, const uint8_t hash[32]);

#endif
