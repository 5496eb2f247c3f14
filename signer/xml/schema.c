/* SPDX-License-Identifier: ISC */
#include "xml/schema.h"

/* The bytes of signer/schema/ksr.rng, put there by the build. */
const unsigned char schema_bytes[] = {
#include "ksr_rng.inc"
};

const size_t schema_len = sizeof(schema_bytes);
