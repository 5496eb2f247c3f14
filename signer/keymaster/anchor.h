/* SPDX-License-Identifier: ISC */
/* The trust anchor file (RFC 9718; RFC 7958 without keys and flags). */
#ifndef SIGNER_KEYMASTER_ANCHOR_H
#define SIGNER_KEYMASTER_ANCHOR_H

#include "lib/base/buf.h"
#include "lib/cli/log.h"
#include "lib/config/config.h"
#include "signer/token/token.h"

#define ANCHOR_SOURCE "http://data.iana.org/root-anchors/root-anchors.xml"

struct anchor_settings {
	const char *id;     /* of the file; NULL: a random one is made */
	const char *source; /* where the file is published */
	bool old_form;      /* RFC 7958 */
};

/*
 * Append the file for every configured key, in the order of their valid_from.
 * Each must be in the HSMs and be what its configuration says (else ERR_HSM,
 * ERR_REFUSED), but a key whose configuration states an end (valid_until),
 * key_tag and ds_sha256 may have gone: it is written from these, without its
 * public key, as the root's own file has its first key.
 */
bool anchor_write(const struct config *config, struct token_set *set,
	const struct anchor_settings *settings, struct log *log,
	struct buf *out, struct err *err);

#endif
