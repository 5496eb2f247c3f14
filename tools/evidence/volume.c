/* SPDX-License-Identifier: ISC */
#include "tools/evidence/volume.h"

#include "lib/base/buf.h"
#include "lib/cli/progress.h"
#include "lib/hash/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define SECTOR 2048
#define BLOCK 512 /* of the partition table */
#define CHUNK ((size_t)1024 * 1024)
#define DIRECTORY_MAX ((uint64_t)1024 * 1024)
#define DEPTH_MAX 8
/* A disc has some hundreds; records that name one folder again have no end. */
#define FOLDERS_MAX 10000
#define GPT_ENTRIES_MAX 128

/* What is read while the parts are looked for. */
struct reader {
	int fd;
	const char *name;
	struct volume *volume;
	uint64_t efi; /* offset of the EFI boot image, 0: none */
	unsigned int folders;
};

static uint32_t le16(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | le16(p + 2) << 16;
}

static uint64_t le64(const uint8_t *p)
{
	return le32(p) | (uint64_t)le32(p + 4) << 32;
}

static bool read_at(const struct reader *reader, uint64_t offset, void *out,
	size_t len, struct err *err)
{
	uint8_t *p = out;

	while (len > 0) {
		ssize_t got = pread(reader->fd, p, len, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_INPUT,
				"%s: cannot read at byte %" PRIu64 ": %s",
				reader->name, offset, strerror(errno));
		if (got == 0)
			return err_set(err, ERR_INPUT,
				"%s: ends after %" PRIu64 " bytes",
				reader->name, offset);
		p += got;
		offset += (uint64_t)got;
		len -= (size_t)got;
	}
	return true;
}

static bool inside(const struct volume *volume, uint64_t offset, uint64_t size)
{
	return offset <= volume->size && size <= volume->size - offset;
}

static void read_label(const uint8_t *descriptor, char out[33])
{
	size_t len = 32;

	memcpy(out, descriptor + 40, len);
	while (len > 0 && (out[len - 1] == ' ' || out[len - 1] == '\0'))
		len--;
	out[len] = '\0';
}

static bool add_part(struct reader *reader, const char *name, uint64_t offset,
	uint64_t size, struct err *err)
{
	struct volume *volume = reader->volume;
	struct volume_part *part = &volume->parts[volume->count];

	if (volume->count == VOLUME_PARTS_MAX)
		return err_set(err, ERR_INPUT, "%s: more than %d parts",
			reader->name, VOLUME_PARTS_MAX);
	if (!inside(volume, offset, size))
		return err_set(err, ERR_INPUT,
			"%s: %s lies beyond the end of the ISO", reader->name,
			name);
	*part = (struct volume_part){.offset = offset, .size = size};
	strncpy(part->name, name, sizeof(part->name) - 1);
	volume->count++;
	return true;
}

/* The Rock Ridge name (RRIP 4.1.4) in a record's system use area, appended. */
static void rock_ridge_name(
	const uint8_t *area, size_t len, char *out, size_t room)
{
	size_t used = 0;

	while (len >= 4 && area[2] >= 4 && area[2] <= len) {
		size_t size = area[2];

		if (memcmp(area, "NM", 2) == 0 && size > 5 &&
			(area[4] & 6) == 0 && used + size - 5 < room) {
			memcpy(out + used, area + 5, size - 5);
			used += size - 5;
		}
		area += size;
		len -= size;
	}
	out[used] = '\0';
}

/* The plain name: "VMLINUZ.;1" is vmlinuz. */
static void plain_name(const uint8_t *name, size_t len, char *out)
{
	size_t used = 0;

	while (used < len && name[used] != ';') {
		out[used] = (char)name[used];
		if (out[used] >= 'A' && out[used] <= 'Z')
			out[used] = (char)(out[used] + ('a' - 'A'));
		used++;
	}
	if (used > 0 && out[used - 1] == '.')
		used--;
	out[used] = '\0';
}

/* One directory record (ECMA-119 §9.1). */
struct record {
	uint64_t offset, size;
	bool folder, multi;
	char name[VOLUME_NAME_MAX];
};

/* False for "." and ".." and for a record that is not one. */
static bool parse_record(const uint8_t *p, size_t len, struct record *out)
{
	size_t name = p[32], system = 33 + name + (name % 2 == 0);

	if (name == 0 || 33 + name > len || (name == 1 && p[33] <= 1))
		return false;
	out->offset = (uint64_t)le32(p + 2) * SECTOR;
	out->size = le32(p + 10);
	out->folder = (p[25] & 2) != 0;
	out->multi = (p[25] & 0x80) != 0;
	out->name[0] = '\0';
	if (system < len)
		rock_ridge_name(
			p + system, len - system, out->name, sizeof(out->name));
	if (out->name[0] == '\0')
		plain_name(p + 33, name, out->name);
	return true;
}

static bool walk(struct reader *reader, uint64_t offset, uint64_t size,
	const char *path, int depth, struct err *err);

static bool visit(struct reader *reader, const struct record *record,
	const char *path, int depth, struct err *err)
{
	struct buf name = BUF_EMPTY;
	bool ok = true, live, efi;

	buf_format(&name, "%s/%s", path, record->name);
	live = strcmp(path, "/live") == 0;
	efi = reader->efi != 0 && record->offset == reader->efi;
	if (record->folder)
		ok = walk(reader, record->offset, record->size,
			buf_string(&name), depth + 1, err);
	else if ((live || efi) && record->multi)
		ok = err_set(err, ERR_INPUT, "%s: %s is in several pieces",
			reader->name, buf_string(&name));
	else if (live || efi)
		ok = add_part(reader, buf_string(&name), record->offset,
			record->size, err);
	if (ok && efi && !record->folder)
		reader->efi = 0;
	buf_free(&name);
	return ok;
}

static bool walk_records(struct reader *reader, const uint8_t *data,
	size_t size, const char *path, int depth, struct err *err)
{
	struct record record;

	for (size_t at = 0; at + 33 < size;) {
		size_t len = data[at], left = SECTOR - at % SECTOR;

		/* Records do not cross sectors; zeros fill the rest. */
		if (len == 0) {
			at += left;
			continue;
		}
		if (len < 34 || len > left || at + len > size)
			return err_set(err, ERR_INPUT,
				"%s: folder %s is damaged", reader->name,
				path[0] != '\0' ? path : "/");
		if (parse_record(data + at, len, &record) &&
			!visit(reader, &record, path, depth, err))
			return false;
		at += len;
	}
	return true;
}

static bool walk(struct reader *reader, uint64_t offset, uint64_t size,
	const char *path, int depth, struct err *err)
{
	uint8_t *data;
	bool ok;

	if (reader->folders++ == FOLDERS_MAX)
		return err_set(err, ERR_INPUT, "%s: more than %d folders",
			reader->name, FOLDERS_MAX);
	if (depth > DEPTH_MAX || size > DIRECTORY_MAX ||
		!inside(reader->volume, offset, size))
		return err_set(err, ERR_INPUT, "%s: folder %s is damaged",
			reader->name, path[0] != '\0' ? path : "/");
	data = malloc((size_t)size + 1);
	if (data == NULL)
		return err_nomem(err);
	ok = read_at(reader, offset, data, (size_t)size, err) &&
	     walk_records(reader, data, (size_t)size, path, depth, err);
	free(data);
	return ok;
}

/* The EFI entry of the boot catalogue; 0 bytes where there is none. */
static void find_efi(const uint8_t *catalog, uint64_t *offset, uint64_t *size)
{
	bool efi = catalog[1] == 0xef;

	for (const uint8_t *p = catalog + 32; p < catalog + SECTOR; p += 32) {
		if (p[0] == 0x90 || p[0] == 0x91)
			efi = p[1] == 0xef;
		if (p[0] == 0x88 && efi) {
			*offset = (uint64_t)le32(p + 8) * SECTOR;
			*size = (uint64_t)le16(p + 6) * BLOCK;
			return;
		}
	}
}

/* The size of the partition that begins at offset, 0 for none. */
static bool partition_size(
	struct reader *reader, uint64_t offset, uint64_t *size, struct err *err)
{
	uint8_t block[BLOCK], entry[128];
	uint64_t table;

	if (!read_at(reader, 0, block, sizeof(block), err))
		return false;
	for (const uint8_t *p = block + 446; p < block + 510; p += 16)
		if (p[4] == 0xef && (uint64_t)le32(p + 8) * BLOCK == offset)
			*size = (uint64_t)le32(p + 12) * BLOCK;
	if (!read_at(reader, BLOCK, block, sizeof(block), err))
		return false;
	if (memcmp(block, "EFI PART", 8) != 0 || le32(block + 84) != 128)
		return true;
	table = le64(block + 72);
	for (uint32_t i = 0; i < le32(block + 80) && i < GPT_ENTRIES_MAX; i++) {
		if (table > reader->volume->size / BLOCK)
			return true;
		if (!read_at(reader, table * BLOCK + i * sizeof(entry), entry,
			    sizeof(entry), err))
			return false;
		if (le64(entry + 32) == offset / BLOCK &&
			le64(entry + 40) >= le64(entry + 32))
			*size = (le64(entry + 40) - le64(entry + 32) + 1) *
				BLOCK;
	}
	return true;
}

/* Where does the boot record say that the EFI image is? */
static bool read_catalog(struct reader *reader, uint64_t *size, struct err *err)
{
	uint8_t sector[SECTOR];
	uint64_t at;

	if (!read_at(reader, UINT64_C(17) * SECTOR, sector, SECTOR, err))
		return false;
	if (memcmp(sector, "\0CD001\1EL TORITO SPECIFICATION", 30) != 0)
		return true;
	at = (uint64_t)le32(sector + 71) * SECTOR;
	if (!inside(reader->volume, at, SECTOR))
		return err_set(err, ERR_INPUT,
			"%s: the boot catalogue is damaged", reader->name);
	if (!read_at(reader, at, sector, SECTOR, err))
		return false;
	find_efi(sector, &reader->efi, size);
	return true;
}

static void extend(struct volume *volume, uint64_t end)
{
	if (end > volume->size)
		volume->size = end;
}

/* Partitions behind the file system, and the backup of their table. */
static bool extend_to_partitions(struct reader *reader, struct err *err)
{
	uint8_t mbr[BLOCK], gpt[BLOCK];

	if (!read_at(reader, 0, mbr, sizeof(mbr), err) ||
		!read_at(reader, BLOCK, gpt, sizeof(gpt), err))
		return false;
	if (memcmp(gpt, "EFI PART", 8) == 0) {
		if (le64(gpt + 32) >= UINT64_MAX / BLOCK - 1)
			return err_set(err, ERR_INPUT,
				"%s: the partition table is damaged",
				reader->name);
		extend(reader->volume, (le64(gpt + 32) + 1) * BLOCK);
		return true;
	}
	if (le16(mbr + 510) != 0xaa55)
		return true;
	for (const uint8_t *p = mbr + 446; p < mbr + 510; p += 16)
		if (p[4] != 0 && p[4] != 0xee)
			extend(reader->volume,
				((uint64_t)le32(p + 8) + le32(p + 12)) * BLOCK);
	return true;
}

static int by_offset(const void *a, const void *b)
{
	const struct volume_part *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

bool volume_read(int fd, const char *name, struct volume *out, struct err *err)
{
	struct volume volume = {.count = 0};
	struct reader reader = {.fd = fd, .name = name, .volume = &volume};
	uint8_t descriptor[SECTOR];
	uint64_t efi_size = 0;
	const uint8_t *root = descriptor + 156;

	if (!read_at(&reader, UINT64_C(16) * SECTOR, descriptor, SECTOR, err))
		return false;
	if (memcmp(descriptor, "\1CD001\1", 7) != 0 ||
		le16(descriptor + 128) != SECTOR)
		return err_set(err, ERR_INPUT, "%s: holds no ISO", name);
	read_label(descriptor, volume.label);
	volume.size = (uint64_t)le32(descriptor + 80) * SECTOR;
	if (!extend_to_partitions(&reader, err) ||
		!read_catalog(&reader, &efi_size, err) ||
		!walk(&reader, (uint64_t)le32(root + 2) * SECTOR,
			le32(root + 10), "", 0, err))
		return false;
	/* An EFI image that is no file in the tree lies in a partition. */
	if (reader.efi != 0 &&
		(!partition_size(&reader, reader.efi, &efi_size, err) ||
			!add_part(&reader, "EFI boot image", reader.efi,
				efi_size, err)))
		return false;
	qsort(volume.parts, volume.count, sizeof(*volume.parts), by_offset);
	*out = volume;
	return true;
}

/* Feed what of a chunk at offset belongs to each part. */
static bool feed_parts(const struct volume *volume,
	struct sha256 *const *hashes, const uint8_t *chunk, uint64_t offset,
	size_t len, struct err *err)
{
	for (size_t i = 0; i < volume->count; i++) {
		const struct volume_part *part = &volume->parts[i];
		uint64_t from = part->offset, to = part->offset + part->size;

		from = from > offset ? from : offset;
		to = to < offset + len ? to : offset + len;
		if (from < to &&
			!sha256_update(hashes[i], chunk + (from - offset),
				(size_t)(to - from), err))
			return false;
	}
	return true;
}

static bool stream(const struct reader *reader, struct sha256 *all,
	struct sha256 *const *hashes, uint8_t *chunk, struct err *err)
{
	const struct volume *volume = reader->volume;
	struct progress progress;
	uint64_t offset = 0;
	bool ok = true;

	progress_start(&progress, "reading", volume->size);
	while (ok && offset < volume->size) {
		uint64_t left = volume->size - offset;
		size_t len = left < CHUNK ? (size_t)left : CHUNK;

		ok = read_at(reader, offset, chunk, len, err) &&
		     sha256_update(all, chunk, len, err) &&
		     feed_parts(volume, hashes, chunk, offset, len, err);
		offset += len;
		progress_add(&progress, len);
	}
	progress_end(&progress);
	return ok;
}

bool volume_hash(
	int fd, const char *name, struct volume *volume, struct err *err)
{
	struct reader reader = {.fd = fd, .name = name, .volume = volume};
	struct sha256 *hashes[VOLUME_PARTS_MAX] = {NULL}, *all = NULL;
	uint8_t *chunk = malloc(CHUNK);
	bool ok = chunk != NULL || err_nomem(err);

	/* What is in memory says nothing about the medium. */
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	ok = ok && sha256_new(&all, err);
	for (size_t i = 0; ok && i < volume->count; i++)
		ok = sha256_new(&hashes[i], err);
	ok = ok && stream(&reader, all, hashes, chunk, err) &&
	     sha256_final(all, volume->hash, err);
	for (size_t i = 0; ok && i < volume->count; i++)
		ok = sha256_final(hashes[i], volume->parts[i].hash, err);
	for (size_t i = 0; i < volume->count; i++)
		sha256_free(hashes[i]);
	sha256_free(all);
	free(chunk);
	return ok;
}
