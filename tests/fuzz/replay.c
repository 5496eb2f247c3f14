/* SPDX-License-Identifier: ISC */
/*
 * replay FILE...: run each file through the fuzz entry that this program is
 * linked with, once.  With no fuzzer and any compiler, so that what fuzzing
 * has found stays found in every run of the tests.
 */
#include "fuzz.h"
#include "lib/base/buf.h"
#include "lib/base/file.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct buf bytes = BUF_EMPTY;
		struct err err = ERR_EMPTY;
		uint8_t *exact;

		if (!file_read(argv[i], SIZE_MAX / 4, &bytes, &err)) {
			fprintf(stderr, "replay: %s\n", err.text);
			return 1;
		}
		/* Just the bytes, so that a read beyond them is seen. */
		exact = malloc(bytes.len > 0 ? bytes.len : 1);
		assert(exact != NULL);
		if (bytes.len > 0)
			memcpy(exact, bytes.data, bytes.len);
		printf("%s\n", argv[i]);
		fflush(stdout);
		LLVMFuzzerTestOneInput(exact, bytes.len);
		free(exact);
		buf_free(&bytes);
	}
	return argc > 1 ? 0 : 2;
}
