/* SPDX-License-Identifier: ISC */
/*
 * Preloaded into mksquashfs: a block that was compressed by the last build is
 *not compressed again.  After an edit of the sources nearly all of a root is as
 *it was, and compressing it is most of what a build costs.
 *
 *	KEPT	a folder with two in it: "old", the blocks of the last build,
 *which are only read, and "new", which gets all those of this one
 *
 * A block's file is named by the SHA-256 of what the result depends on: level,
 * room, and the bytes themselves; the caller keeps one folder for each build of
 *the library.  It is used only if it unpacks to these very bytes, so whatever
 *has happened to it cannot change what is on the disc.  A block that cannot be
 *kept (a full disk, say) costs the next build its time and this one nothing.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As in the library's zstd.h, which the builder root has not: mksquashfs brings
 * the library itself. */
struct ZSTD_CCtx_s;
size_t ZSTD_compressCCtx(struct ZSTD_CCtx_s *context, void *out, size_t room,
	const void *in, size_t len, int level);
size_t ZSTD_decompress(void *out, size_t room, const void *in, size_t len);
unsigned ZSTD_isError(size_t result);

typedef size_t compress_fn(
	struct ZSTD_CCtx_s *, void *, size_t, const void *, size_t, int);

enum {
	NAME_DIGITS = 64,
	PATH_ROOM = 512,
};

static bool name_block(
	const void *in, size_t len, size_t room, int level, char *name)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	uint64_t head[3] = {(uint64_t)level, room, len};
	unsigned hash_len = 0;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool done = md != NULL &&
		    EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
		    EVP_DigestUpdate(md, head, sizeof(head)) == 1 &&
		    EVP_DigestUpdate(md, in, len) == 1 &&
		    EVP_DigestFinal_ex(md, hash, &hash_len) == 1;

	EVP_MD_CTX_free(md);
	for (unsigned i = 0; done && i < hash_len; i++)
		snprintf(name + 2 * i, 3, "%02x", hash[i]);
	return done;
}

static size_t read_block(const char *path, void *out, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t len = 0;
	ssize_t got = 0;

	if (fd == -1)
		return 0;
	while (len < room &&
		(got = read(fd, (char *)out + len, room - len)) > 0)
		len += (size_t)got;
	close(fd);
	return got < 0 ? 0 : len;
}

/* Length of what is in OUT now, or 0 if that is not IN compressed. */
static size_t find_block(
	const char *path, void *out, size_t room, const void *in, size_t len)
{
	size_t packed = read_block(path, out, room), unpacked;
	void *back;
	bool same;

	if (packed == 0)
		return 0;
	back = malloc(len + 1);
	if (back == NULL)
		return 0;
	unpacked = ZSTD_decompress(back, len + 1, out, packed);
	same = !ZSTD_isError(unpacked) && unpacked == len &&
	       memcmp(back, in, len) == 0;
	free(back);
	return same ? packed : 0;
}

static void keep_block(
	const char *folder, const char *path, const void *block, size_t len)
{
	char making[PATH_ROOM];
	ssize_t put;
	int fd;

	snprintf(making, sizeof(making), "%s/new/making.XXXXXX", folder);
	fd = mkstemp(making);
	if (fd == -1)
		return;
	put = write(fd, block, len);
	if (close(fd) == -1 || put != (ssize_t)len ||
		rename(making, path) == -1)
		unlink(making);
}

size_t ZSTD_compressCCtx(struct ZSTD_CCtx_s *context, void *out, size_t room,
	const void *in, size_t len, int level)
{
	static compress_fn *volatile compress;
	const char *folder = getenv("KEPT");
	char name[NAME_DIGITS + 1] = "", before[PATH_ROOM], now[PATH_ROOM];
	size_t packed;

	if (compress == NULL) {
		void *found = dlsym(RTLD_NEXT, "ZSTD_compressCCtx");

		if (found == NULL)
			abort();
		memcpy((void *)&compress, &found, sizeof(found));
	}
	if (folder == NULL || !name_block(in, len, room, level, name))
		return compress(context, out, room, in, len, level);
	snprintf(before, sizeof(before), "%s/old/%s", folder, name);
	snprintf(now, sizeof(now), "%s/new/%s", folder, name);
	packed = find_block(before, out, room, in, len);
	if (packed != 0) {
		/* That it is there already, from elsewhere in the root, is as
		 * good. */
		(void)!link(before, now);
		return packed;
	}
	packed = compress(context, out, room, in, len, level);
	if (!ZSTD_isError(packed))
		keep_block(folder, now, out, packed);
	return packed;
}
