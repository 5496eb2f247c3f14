/* SPDX-License-Identifier: ISC */
#include "lib/dns/ds.h"

void ds_digest_input(
	const struct buf *owner, const struct dnskey *key, struct buf *out)
{
	buf_bytes(out, owner->data, owner->len);
	dnskey_rdata(key, out);
}
