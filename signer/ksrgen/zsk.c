/* SPDX-License-Identifier: ISC */
#include "signer/ksrgen/zsk.h"

#include "lib/base/array.h"
#include "lib/base/base64.h"
#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/ksr/ksr.h"
#include "signer/ksrgen/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "zsk-"
#define NAME_LENGTH_MAX 64
#define FILE_SIZE_MAX 65536
#define LINE_WIDTH 64 /* RFC 7468 §2 */
/* With 65536 tags and a handful of keys, one more try is rare already. */
#define TRIES_MAX 100

static const char begin_line[] = "-----BEGIN PRIVATE KEY-----\n";
static const char end_line[] = "-----END PRIVATE KEY-----\n";

static void zsk_clear(struct zsk *zsk)
{
	free(zsk->name);
	crypto_key_free(zsk->key);
	dnskey_free(&zsk->dnskey);
	*zsk = (struct zsk){0};
}

void zsk_set_clear(struct zsk_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		zsk_clear(&set->keys[i]);
	free(set->keys);
	set->keys = NULL;
	set->count = 0;
}

/* FOLDER/NAME.pem, owned by the caller. */
static char *file_path(
	const struct zsk_set *set, const char *name, struct err *err)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s.pem", set->folder, name) < 0) {
		err_nomem(err);
		return NULL;
	}
	return path;
}

/* The algorithm that a name states. */
static bool name_algorithm(const char *name, uint8_t *out, struct err *err)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	char digits[4] = "";
	const char *start = name + strlen(PREFIX), *end;
	struct err ignored = ERR_EMPTY;
	int64_t number;

	/* It becomes part of a path: no dots and no slashes. */
	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 ||
		strlen(name) > NAME_LENGTH_MAX ||
		name[strspn(name, plain)] != '\0')
		goto refused;
	end = strchr(start, '-');
	if (end == NULL || end == start || end - start > 3)
		goto refused;
	memcpy(digits, start, (size_t)(end - start));
	if (!number_parse(digits, 0, UINT8_MAX, &number, &ignored))
		goto refused;
	*out = (uint8_t)number;
	return true;
refused:
	return err_set(err, ERR_INPUT,
		"\"%.80s\" is not the name of a key in a folder, expected for example zsk-13-12345",
		name);
}

static bool has_tag(const struct zsk_set *set, uint16_t tag)
{
	for (size_t i = 0; i < set->count; i++)
		if (dnskey_tag(&set->keys[i].dnskey) == tag)
			return true;
	return false;
}

/* Is there no such name and no such tag yet? */
static bool is_free(const struct zsk_set *set, const struct zsk *zsk, bool *out,
	struct err *err)
{
	char *path = file_path(set, zsk->name, err);
	struct stat st;

	if (path == NULL)
		return false;
	*out = !has_tag(set, dnskey_tag(&zsk->dnskey)) && lstat(path, &st) != 0;
	free(path);
	return true;
}

static bool make_key(
	uint8_t algorithm, unsigned bits, struct zsk *out, struct err *err)
{
	int len;

	if (!crypto_key_generate(algorithm, bits, &out->key, err) ||
		!crypto_key_dnskey(
			out->key, DNSKEY_FLAGS_ZSK, &out->dnskey, err))
		return false;
	len = asprintf(&out->name, PREFIX "%u-%05u", algorithm,
		dnskey_tag(&out->dnskey));
	if (len < 0) {
		out->name = NULL;
		return err_nomem(err);
	}
	return true;
}

static bool add(struct zsk_set *set, struct zsk *zsk, struct err *err)
{
	struct zsk *slot =
		array_grow(&set->keys, &set->count, sizeof(*slot), err);

	if (slot == NULL)
		return false;
	*slot = *zsk;
	*zsk = (struct zsk){0};
	return true;
}

bool zsk_generate(struct zsk_set *set, uint8_t algorithm, unsigned bits,
	enum zsk_role role, struct err *err)
{
	struct zsk zsk = {0};
	bool ok = true, found = false;

	for (int i = 0; ok && !found && i < TRIES_MAX; i++) {
		zsk_clear(&zsk);
		zsk.role = role;
		zsk.is_new = true;
		ok = make_key(algorithm, bits, &zsk, err) &&
		     is_free(set, &zsk, &found, err);
	}
	if (ok && !found)
		ok = err_set(
			err, ERR_OUTPUT, "%s: no key tag is free", set->folder);
	ok = ok && add(set, &zsk, err);
	zsk_clear(&zsk);
	return ok;
}

static bool read_key(const char *path, uint8_t algorithm,
	struct crypto_key **out, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok;

	ok = file_read(path, FILE_SIZE_MAX, &text, err);
	if (ok && !private_read(buf_string(&text), algorithm, out, err))
		ok = err_prefix(err, "%s", path);
	buf_wipe(&text);
	return ok;
}

/* Two names for one key would be one key that is counted twice. */
static bool check_distinct(
	const struct zsk_set *set, const struct zsk *zsk, struct err *err)
{
	for (size_t i = 0; i < set->count; i++)
		if (dnskey_compare(&set->keys[i].dnskey, &zsk->dnskey) == 0)
			return err_set(err, ERR_USAGE,
				"%s and %s are one key under two names",
				set->keys[i].name, zsk->name);
	return true;
}

bool zsk_load(struct zsk_set *set, const char *name, enum zsk_role role,
	struct err *err)
{
	struct zsk zsk = {.role = role};
	uint8_t algorithm = 0;
	char *path = NULL;
	bool ok = false;

	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->keys[i].name, name) == 0)
			return err_set(err, ERR_USAGE,
				"key %s is named for two roles", name);
	if (!name_algorithm(name, &algorithm, err))
		return false;
	path = file_path(set, name, err);
	zsk.name = text_copy(name, err);
	if (path == NULL || zsk.name == NULL)
		goto done;
	ok = read_key(path, algorithm, &zsk.key, err) &&
	     crypto_key_dnskey(zsk.key, DNSKEY_FLAGS_ZSK, &zsk.dnskey, err) &&
	     check_distinct(set, &zsk, err) && add(set, &zsk, err);
done:
	zsk_clear(&zsk);
	free(path);
	return ok;
}

static void pem_encode(const struct buf *der, struct buf *out)
{
	struct buf line = BUF_EMPTY;
	const char *text;

	base64_encode(&line, der->data, der->len);
	text = buf_string(&line);
	buf_text(out, begin_line);
	for (size_t at = 0; at < line.len; at += LINE_WIDTH) {
		size_t rest = line.len - at;

		buf_bytes(
			out, text + at, rest < LINE_WIDTH ? rest : LINE_WIDTH);
		buf_text(out, "\n");
	}
	buf_text(out, end_line);
	out->failed |= line.failed;
	buf_wipe(&line);
}

/* O_EXCL: a private key that is there is never written over. */
static bool write_new(const char *path, const struct buf *text, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0)
		return err_set(err, ERR_OUTPUT, "%s: cannot create: %s", path,
			strerror(errno));
	ok = file_write_fd(fd, path, text->data, text->len, err);
	if (ok && fsync(fd) != 0)
		ok = err_set(err, ERR_OUTPUT, "%s: cannot sync: %s", path,
			strerror(errno));
	close(fd);
	if (!ok)
		unlink(path);
	return ok;
}

static bool save_one(
	const struct zsk_set *set, struct zsk *zsk, struct err *err)
{
	struct buf der = BUF_EMPTY, text = BUF_EMPTY;
	char *path = file_path(set, zsk->name, err);
	bool ok = path != NULL && crypto_key_write(zsk->key, &der, err);

	if (ok) {
		pem_encode(&der, &text);
		ok = buf_ok(&text, err) && write_new(path, &text, err) &&
		     file_sync_folder(path, err);
	}
	if (ok)
		zsk->is_new = false;
	buf_wipe(&der);
	buf_wipe(&text);
	free(path);
	return ok;
}

bool zsk_set_save(struct zsk_set *set, struct err *err)
{
	if (mkdir(set->folder, 0700) != 0 && errno != EEXIST)
		return err_set(err, ERR_OUTPUT, "%s: cannot create: %s",
			set->folder, strerror(errno));
	for (size_t i = 0; i < set->count; i++)
		if (set->keys[i].is_new && !save_one(set, &set->keys[i], err))
			return false;
	return true;
}
