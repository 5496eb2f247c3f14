/* SPDX-License-Identifier: ISC */
/*
 * damage GOOD BAD FIRST COUNT    in the booted disc: COUNT damaged copies
 * damage GOOD BAD comb COUNT     one copy, a chosen damage
 * damage GOOD BAD plain SEED     one copy, read past dm-verity
 *
 * GOOD is the disc's image (squashfs, hash tree, parity), BAD a copy of it
 * that can be written.  A case overwrites sectors of BAD, opens it with the
 * boot stage's own code and the root hash of the kernel's command line, reads
 * every byte, compares it with GOOD and mends BAD.
 *
 * Cases are numbered from FIRST; the number is the seed: it says how many
 * sectors (1 to 64, a few more often than many), which, and what they hold.
 * "comb" overwrites COUNT blocks that share their parity.  Output is a line a
 * case: right (every byte is there and right), refused (some give an error, the
 * others are right) or WRONG.
 */
#include "cmdline.h"
#include "loop.h"
#include "verity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "keyroom-damage"

enum { SECTOR = 2048, MOST = 64, CHUNK = 1 << 20, CODEWORD = 255 };

struct copy {
	struct verity_params params;
	const uint8_t *good;
	uint64_t size;    /* of the whole image */
	const char *path; /* of the copy */
	int file;         /* the copy, for writing */
};

struct hole {
	uint64_t at;
	size_t length;
};

struct damage {
	size_t count;
	struct hole hole[MOST];
};

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "damage: %s: %s\n", what, why);
	exit(2);
}

/* splitmix64: small, and the same everywhere. */
static uint64_t chance(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static struct damage scatter(const struct copy *copy, uint64_t *seed)
{
	uint64_t most = 1 + chance(seed) % MOST;
	struct damage damage = {.count = 1 + chance(seed) % most};
	size_t i;

	for (i = 0; i < damage.count; i++)
		damage.hole[i] = (struct hole){
			chance(seed) % (copy->size / SECTOR) * SECTOR, SECTOR};
	return damage;
}

/* Blocks that share a codeword lie as far apart as there are codewords side
 * by side (README.md of the boot stage, "Damage"). */
static struct damage comb(const struct copy *copy, size_t count)
{
	uint32_t width = CODEWORD - copy->params.fec_roots;
	uint64_t apart = (copy->params.fec_start + width - 1) / width;
	struct damage damage = {.count = count};
	size_t i;

	for (i = 0; i < count; i++)
		damage.hole[i] = (struct hole){
			(7 + i * apart) * CMDLINE_BLOCK, CMDLINE_BLOCK};
	return damage;
}

static void put(const struct copy *copy, const void *bytes, struct hole hole)
{
	if (pwrite(copy->file, bytes, hole.length, (off_t)hole.at) !=
		(ssize_t)hole.length)
		die(copy->path, strerror(errno));
}

static void strike(
	const struct copy *copy, const struct damage *damage, uint64_t *seed)
{
	uint64_t noise[CMDLINE_BLOCK / sizeof(uint64_t)];
	size_t i;
	size_t k;

	for (i = 0; i < damage->count; i++) {
		for (k = 0; k < sizeof(noise) / sizeof(noise[0]); k++)
			noise[k] = chance(seed);
		put(copy, noise, damage->hole[i]);
	}
}

static void mend(const struct copy *copy, const struct damage *damage)
{
	size_t i;

	for (i = 0; i < damage->count; i++)
		put(copy, copy->good + damage->hole[i].at, damage->hole[i]);
}

/* Read one piece, block by block if it does not come as a whole.  The bytes
 * that did not come are counted in *refused. */
static bool is_right(const struct copy *copy, int file, uint8_t *buffer,
	uint64_t at, size_t length, uint64_t *refused)
{
	ssize_t got = pread(file, buffer, length, (off_t)at);
	uint64_t end = at + length;
	bool right = true;

	if (got == (ssize_t)length)
		return memcmp(buffer, copy->good + at, length) == 0;
	if (length == CMDLINE_BLOCK) {
		*refused += length;
		return true;
	}
	for (; at < end; at += CMDLINE_BLOCK)
		right &= is_right(
			copy, file, buffer, at, CMDLINE_BLOCK, refused);
	return right;
}

/* Read all that the device promises and say what it is worth. */
static const char *verdict(const struct copy *copy, const char *device)
{
	static _Alignas(CMDLINE_BLOCK) uint8_t buffer[CHUNK];
	uint64_t size = (uint64_t)copy->params.data_blocks * CMDLINE_BLOCK;
	uint64_t refused = 0;
	bool right = true;
	uint64_t at;
	int file;

	file = open(device, O_RDONLY | O_CLOEXEC | O_DIRECT);
	if (file < 0)
		die(device, strerror(errno));
	for (at = 0; at < size; at += CHUNK)
		right &= is_right(copy, file, buffer, at,
			size - at < CHUNK ? (size_t)(size - at) : CHUNK,
			&refused);
	close(file);
	if (!right)
		return "WRONG";
	return refused > 0 ? "refused" : "right";
}

static void release(const struct loop *loop)
{
	int file = open(loop->path, O_RDONLY | O_CLOEXEC);

	if (file < 0 || ioctl(file, LOOP_CLR_FD, 0) < 0)
		die(loop->path, strerror(errno));
	close(file);
}

static void look(const struct copy *copy, bool plain)
{
	char device[32];
	struct loop loop;
	struct err err = {.text = ""};

	if (!loop_open(copy->path, &loop, &err))
		die(copy->path, err.text);
	if (plain) {
		puts(verdict(copy, loop.path));
	} else {
		if (!verity_open(NAME, &copy->params, &loop, device,
			    sizeof(device), &err))
			die(copy->path, err.text);
		puts(verdict(copy, device));
		if (!verity_close(NAME))
			die(NAME, strerror(errno));
	}
	fflush(stdout);
	release(&loop);
}

static void try(const struct copy *copy, const struct damage *damage,
	uint64_t *seed, bool plain)
{
	strike(copy, damage, seed);
	look(copy, plain);
	mend(copy, damage);
}

static void scattered(const struct copy *copy, uint64_t number, bool plain)
{
	uint64_t seed = number;
	struct damage damage = scatter(copy, &seed);

	printf("seed %" PRIu64 ": %zu sectors, ", number, damage.count);
	try(copy, &damage, &seed, plain);
}

static struct copy open_copy(const char *good, const char *bad)
{
	struct copy copy = {.path = bad};
	struct cmdline cmdline;
	struct stat status;
	struct err err = {.text = ""};
	char text[4096] = "";
	FILE *file = fopen("/proc/cmdline", "re");
	int original;

	if (file == NULL || fgets(text, sizeof(text), file) == NULL ||
		!cmdline_parse(text, &cmdline, &err))
		die("/proc/cmdline", err.text);
	fclose(file);
	copy.params = cmdline.verity;
	original = open(good, O_RDONLY | O_CLOEXEC);
	if (original < 0 || fstat(original, &status) < 0)
		die(good, strerror(errno));
	copy.size = (uint64_t)status.st_size;
	copy.good = mmap(NULL, copy.size, PROT_READ, MAP_PRIVATE, original, 0);
	if (copy.good == MAP_FAILED)
		die(good, strerror(errno));
	close(original);
	copy.file = open(bad, O_RDWR | O_CLOEXEC);
	if (copy.file < 0)
		die(bad, strerror(errno));
	return copy;
}

int main(int argc, char **argv)
{
	struct copy copy;
	struct damage damage;
	uint64_t seed = 0;
	uint64_t number;

	if (argc != 5)
		die("usage", "damage GOOD BAD FIRST|comb|plain NUMBER");
	copy = open_copy(argv[1], argv[2]);
	number = strtoull(argv[4], NULL, 10);
	if (strcmp(argv[3], "plain") == 0) {
		scattered(&copy, number, true);
	} else if (strcmp(argv[3], "comb") == 0) {
		damage = comb(&copy, (size_t)number % (MOST + 1));
		printf("comb of %zu blocks, ", damage.count);
		try(&copy, &damage, &seed, false);
	} else {
		seed = strtoull(argv[3], NULL, 10);
		for (number += seed; seed < number; seed++)
			scattered(&copy, seed, false);
	}
	return 0;
}
