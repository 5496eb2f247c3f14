/* SPDX-License-Identifier: ISC */
/* What the check is given besides the folder: it can be read, or nothing is
 * asked.  A key that is none would look like a folder that is forged. */
#include "lib/base/file.h"
#include "lib/crypto/seal.h"
#include "lib/xml/xml.h"
#include "tools/ceremony/check.h"

#define KEY_MAX ((size_t)64 * 1024)
#define ANCHOR_MAX ((size_t)64 * 1024 * 1024)

static bool read_key(const char *path, struct err *err)
{
	struct buf bytes = BUF_EMPTY;
	bool ok = file_read(path, KEY_MAX, &bytes, err);

	if (ok && !seal_is_public(&bytes, err))
		ok = err_set(
			err, ERR_INPUT, "%s: is no public key in PEM", path);
	buf_free(&bytes);
	return ok;
}

static bool read_anchor(const char *path, struct err *err)
{
	struct xml_schema *schema = NULL;
	struct xml_doc *doc = NULL;
	struct buf bytes = BUF_EMPTY;
	bool ok = file_read(path, ANCHOR_MAX, &bytes, err) &&
		  xml_schema_new_anchor(&schema, err);

	if (ok && !xml_read(schema, bytes.data, bytes.len, &doc, err))
		ok = err_prefix(err, "%s", path);
	xml_doc_free(doc);
	xml_schema_free(schema);
	buf_free(&bytes);
	return ok;
}

static bool read_releases(const char *path, struct err *err)
{
	struct buf bytes = BUF_EMPTY;
	bool ok = file_read(path, CHECK_RELEASES_MAX, &bytes, err);

	buf_free(&bytes);
	return ok;
}

bool check_given(const struct command_given *given, struct err *err)
{
	bool ok = (given->key == NULL || read_key(given->key, err)) &&
		  (given->anchor == NULL || read_anchor(given->anchor, err)) &&
		  (given->releases == NULL ||
			  read_releases(given->releases, err));

	/* Too large is no verdict on the folder, either. */
	if (!ok && err->kind == ERR_REFUSED)
		err->kind = ERR_INPUT;
	return ok;
}
