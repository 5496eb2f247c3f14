/* SPDX-License-Identifier: ISC */
#include "lib/xml/schema.h"

/* The bytes of lib/xml/ksr.rng, put there by the build. */
const unsigned char schema_bytes[] = {
#include "ksr_rng.inc"
};

const size_t schema_len = sizeof(schema_bytes);

/* And those of lib/xml/anchor.rng. */
const unsigned char schema_anchor_bytes[] = {
#include "anchor_rng.inc"
};

const size_t schema_anchor_len = sizeof(schema_anchor_bytes);
