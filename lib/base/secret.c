/* SPDX-License-Identifier: ISC */
#include "lib/base/secret.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

bool secret_new(struct secret **out, struct err *err)
{
	struct secret *secret = mmap(NULL, sizeof(*secret),
		PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (secret == MAP_FAILED)
		return err_nomem(err);
	/* Best effort, as the header says: neither is a reason to stop. */
	(void)mlock(secret, sizeof(*secret));
	(void)madvise(secret, sizeof(*secret), MADV_DONTDUMP);
	*out = secret;
	return true;
}

bool secret_copy(
	const char *bytes, size_t length, struct secret **out, struct err *err)
{
	struct secret *secret = NULL;

	if (length > SECRET_MAX)
		return err_set(err, ERR_USAGE, "longer than %zu characters",
			SECRET_MAX);
	if (memchr(bytes, '\0', length) != NULL)
		return err_set(err, ERR_USAGE, "NUL in a PIN");
	if (!secret_new(&secret, err))
		return false;
	assert(secret != NULL);
	memcpy(secret->bytes, bytes, length);
	secret->length = length;
	*out = secret;
	return true;
}

void secret_free(struct secret *secret)
{
	if (secret == NULL)
		return;
	explicit_bzero(secret, sizeof(*secret));
	munmap(secret, sizeof(*secret));
}
