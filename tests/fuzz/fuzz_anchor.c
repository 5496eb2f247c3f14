/* SPDX-License-Identifier: ISC */
/*
 * Fuzz entry for trust anchor files: what is taken has keys, each with an id
 * that finds it, and can be compared with a key of a response.
 */
#include "fuzz.h"
#include "postcheck/anchor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t point[32], root[1];
	const struct buf bytes = {.data = (uint8_t *)data, .len = size};
	const struct buf owner = {.data = root, .len = sizeof(root)};
	const struct dnskey key = {.flags = DNSKEY_FLAGS_KSK,
		.protocol = DNSKEY_PROTOCOL,
		.algorithm = 15,
		.public_key = {.data = point, .len = sizeof(point)}};
	struct second_anchor_asked asked;
	struct second_anchor *anchor = NULL;
	struct err err = ERR_EMPTY;

	if (!second_anchor_read(&bytes, &anchor, &err)) {
		fuzz_expect_reason(&err);
		assert(anchor == NULL);
		return 0;
	}
	assert(anchor->count > 0 && anchor->zone != NULL);
	second_anchor_ask(&key, &owner, &asked);
	for (size_t i = 0; i < anchor->count; i++) {
		bool same = true;

		assert(second_anchor_by_id(anchor, anchor->keys[i].id) != NULL);
		assert(second_anchor_is(&anchor->keys[i], &asked, &same, &err));
		assert(!same || anchor->keys[i].algorithm == key.algorithm);
	}
	second_anchor_free(anchor);
	return 0;
}
