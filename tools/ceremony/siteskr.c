/* SPDX-License-Identifier: ISC */
/* The responses in the folder: what was signed, by which keys, for when. */
#include "tools/ceremony/say.h"
#include "tools/ceremony/sitepart.h"

#include "lib/base/hex.h"
#include "lib/ksr/document.h"

#include <string.h>

static bool is_xml(const char *path)
{
	size_t len = strlen(path);

	return len > 4 && strcmp(path + len - 4, ".xml") == 0;
}

static void put_time(struct markup *m, int64_t time)
{
	struct buf text = BUF_EMPTY;

	say_time(&text, time);
	part_put(m, "td", "time", buf_string(&text));
	buf_free(&text);
}

/* The tags of the keys of one kind; a KSK that is revoked says so. */
static void put_keys(
	struct markup *m, const struct ksr_bundle *bundle, bool zsk)
{
	struct buf text = BUF_EMPTY;

	for (size_t i = 0; i < bundle->key_count; i++) {
		const struct ksr_key *key = &bundle->keys[i];

		if (ksr_key_is_zsk(key) != zsk)
			continue;
		buf_format(&text, "%s%05u%s", text.len > 0 ? ", " : "",
			dnskey_tag(&key->dnskey),
			(key->dnskey.flags & DNSKEY_FLAG_REVOKE) != 0
				? " (revoked)"
				: "");
	}
	part_put(m, "td", "time", buf_string(&text));
	buf_free(&text);
}

static void put_signatures(struct markup *m, const struct ksr_bundle *bundle)
{
	struct buf text = BUF_EMPTY;

	for (size_t i = 0; i < bundle->signature_count; i++)
		buf_format(&text, "%s%05u", i > 0 ? ", " : "",
			bundle->signatures[i].key_tag);
	part_put(m, "td", "time", buf_string(&text));
	buf_free(&text);
}

static void put_response(struct markup *m, const struct tree_file *file,
	const struct document *document)
{
	static const char *const heads[] = {"Bundle", "Inception (UTC)",
		"Expiration (UTC)", "ZSKs", "KSKs", "Signed by"};
	const struct ksr *ksr = document->ksr;
	struct buf text = BUF_EMPTY;

	markup_open(m, "h3");
	part_link(m, file->path, file->path);
	markup_close(m);
	buf_format(&text, "Id %s, serial %lld, domain %s; SHA-256 ", ksr->id,
		(long long)ksr->serial, ksr->domain);
	hex_encode(&text, document->sha256, SHA256_LEN);
	part_put(m, "p", "hash", buf_string(&text));
	part_table(m, "Bundles, with the tags of their keys", heads,
		sizeof(heads) / sizeof(*heads));
	for (size_t i = 0; i < ksr->bundle_count; i++) {
		const struct ksr_bundle *bundle = &ksr->bundles[i];

		buf_clear(&text);
		buf_format(&text, "%zu", i + 1);
		markup_open(m, "tr");
		markup_open(m, "th");
		markup_attribute(m, "scope", "row");
		markup_text(m, buf_string(&text));
		markup_close(m);
		put_time(m, bundle->inception);
		put_time(m, bundle->expiration);
		put_keys(m, bundle, true);
		put_keys(m, bundle, false);
		put_signatures(m, bundle);
		markup_close(m);
	}
	part_table_end(m);
	buf_free(&text);
}

bool part_responses(const struct site *site, struct markup *m, struct err *err)
{
	struct xml_schema *schema = NULL;
	bool ok = xml_schema_new(&schema, err);
	size_t count = 0;

	for (size_t i = 0; ok && i < site->files->count; i++) {
		const struct tree_file *file = &site->files->files[i];
		struct document document = DOCUMENT_EMPTY;
		struct buf path = BUF_EMPTY;

		if (!is_xml(file->path) || file->size > KSR_SIZE_DEFAULT)
			continue;
		buf_format(&path, "%s/%s", site->dir, file->path);
		ok = document_read(schema, buf_string(&path), KSR_SIZE_DEFAULT,
			KSR_RESPONSE, &document, err);
		if (ok && document.ksr != NULL) {
			put_response(m, file, &document);
			count++;
		}
		document_clear(&document);
		buf_free(&path);
	}
	if (ok && count == 0)
		part_put(m, "p", NULL, "The folder has none.");
	xml_schema_free(schema);
	return ok;
}
