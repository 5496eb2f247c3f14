/* SPDX-License-Identifier: ISC */
/*
 * What the witnesses look at: the table of a response, the findings of the
 * checks, a hash with its words.  Every line goes through the log.
 */
#ifndef SIGNER_SIGN_TABLE_H
#define SIGNER_SIGN_TABLE_H

#include "lib/cli/log.h"
#include "lib/ksr/ksr.h"
#include "signer/checks/check.h"

/*
 * A line for each bundle: times, tags of the ZSKs, tags (as computed) and
 * labels of the KSKs with /S (signs), /P (published only), /R (revoked) and /O
 * (signs only, is not published).  For a request without KSKs the last column
 * is empty.  mark stands behind each line, so that no page of one response of a
 * family is taken for one of another; NULL for none.
 */
void table_show(struct log *log, const struct ksr *ksr, const char *mark);

/*
 * A line for each bundle of a response, signed or only planned: the bytes of
 * the answer with its DNSKEY RRset ("1  DNSKEY 855 bytes"), with nxdomain also
 * those of a typical signed NXDOMAIN; and a warning where either does not fit
 * into a datagram.  ksks are the keys that sign; mark as above.
 */
void table_sizes(struct log *log, const struct ksr *response,
	const struct ksk_set *ksks, bool nxdomain, const char *mark);

/* A line for each finding from the first on, and the reasons below it. */
void table_findings(struct log *log, const struct report *report, size_t first);

/*
 * "SHA256 hash of KSR:", the digits, ">> words <<": the three lines that are
 * read aloud.
 */
void table_hash(struct log *log, const char *what, const uint8_t hash[32]);

#endif
