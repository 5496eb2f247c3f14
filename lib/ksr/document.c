/* SPDX-License-Identifier: ISC */
#include "lib/ksr/document.h"

#include "lib/base/file.h"
#include "lib/hash/sha256.h"

bool document_read(const struct xml_schema *schema, const char *path,
	size_t max, enum ksr_kind kind, struct document *out, struct err *err)
{
	out->path = path;
	if (!file_read(path, max, &out->bytes, &out->reason)) {
		if (out->reason.kind == ERR_REFUSED)
			return true;
		*err = out->reason;
		return false;
	}
	if (!sha256_of(out->bytes.data, out->bytes.len, out->sha256, err))
		return false;
	if (!ksr_read(schema, out->bytes.data, out->bytes.len, kind, &out->ksr,
		    &out->reason))
		err_prefix(&out->reason, "%s", path);
	return true;
}

void document_clear(struct document *document)
{
	buf_free(&document->bytes);
	ksr_free(document->ksr);
	*document = (struct document)DOCUMENT_EMPTY;
}
