/* SPDX-License-Identifier: ISC */
/*
 * Write an initramfs archive (cpio "newc", as in the kernel's
 * Documentation/driver-api/early-userspace/buffer-format.rst) from a list on
 * standard input, in its order:
 *
 *   dir PATH MODE
 *   node PATH MODE MAJOR MINOR       a character device
 *   file PATH MODE SOURCE
 *
 * Everything belongs to root and carries one time, so the bytes depend on
 * the list and the files alone, and no privilege is needed for a node.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { WORDS = 5, LINE_SIZE = 8192 };

struct entry {
	const char *path; /* without the leading slash */
	uint32_t mode;
	uint32_t size;
	uint32_t major;
	uint32_t minor;
};

static void pad(size_t written)
{
	while (written++ % 4 != 0)
		putchar(0);
}

static void put_header(const struct entry *entry, uint32_t ino, uint32_t time)
{
	uint32_t links = S_ISDIR(entry->mode) ? 2 : 1;
	uint32_t name = (uint32_t)strlen(entry->path) + 1;
	const uint32_t field[] = {ino, entry->mode, 0, 0, links, time,
		entry->size, 0, 0, entry->major, entry->minor, name, 0};
	size_t i;

	fputs("070701", stdout);
	for (i = 0; i < sizeof(field) / sizeof(field[0]); i++)
		printf("%08" PRIX32, field[i]);
	fwrite(entry->path, 1, name, stdout);
	pad(6 + 8 * sizeof(field) / sizeof(field[0]) + name);
}

/* The whole number in text, in base; false if it is anything else. */
static bool parse(const char *text, int base, uint32_t *out)
{
	unsigned long long value;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	value = strtoull(text, &end, base);
	if (*end != '\0' || value > UINT32_MAX)
		return false;
	*out = (uint32_t)value;
	return true;
}

static bool put_file(
	const char *source, struct entry *entry, uint32_t ino, uint32_t time)
{
	FILE *file = fopen(source, "rbe");
	uint64_t left;
	long size = -1;
	int byte;

	if (file != NULL && fseek(file, 0, SEEK_END) == 0)
		size = ftell(file);
	if (size < 0 || size > INT32_MAX) {
		fprintf(stderr, "mkcpio: cannot read %s\n", source);
		if (file != NULL)
			fclose(file);
		return false;
	}
	rewind(file);
	entry->size = (uint32_t)size;
	put_header(entry, ino, time);
	for (left = entry->size; left > 0; left--) {
		byte = getc(file);
		if (byte == EOF)
			break;
		putchar(byte);
	}
	pad(entry->size);
	fclose(file);
	if (left > 0)
		fprintf(stderr, "mkcpio: %s became shorter\n", source);
	return left == 0;
}

static bool put_line(
	char *word[WORDS], size_t count, uint32_t ino, uint32_t time)
{
	struct entry entry = {.path = ""};

	if (count < 3 || word[1][0] != '/' || word[1][1] == '\0' ||
		!parse(word[2], 8, &entry.mode))
		return false;
	entry.path = word[1] + 1;
	if (strcmp(word[0], "file") == 0 && count == 4) {
		entry.mode |= S_IFREG;
		return put_file(word[3], &entry, ino, time);
	}
	if (strcmp(word[0], "dir") == 0 && count == 3)
		entry.mode |= S_IFDIR;
	else if (strcmp(word[0], "node") == 0 && count == 5 &&
		 parse(word[3], 10, &entry.major) &&
		 parse(word[4], 10, &entry.minor))
		entry.mode |= S_IFCHR;
	else
		return false;
	put_header(&entry, ino, time);
	return true;
}

static bool put_list(uint32_t time)
{
	char line[LINE_SIZE];
	uint32_t ino = 1;

	for (; fgets(line, sizeof(line), stdin) != NULL; ino++) {
		char *word[WORDS];
		char *rest = line;
		size_t count = 0;

		line[strcspn(line, "\n")] = '\0';
		while (rest != NULL && count < WORDS)
			word[count++] = strsep(&rest, " ");
		if (rest != NULL || !put_line(word, count, ino, time)) {
			fprintf(stderr, "mkcpio: line %" PRIu32 "\n", ino);
			return false;
		}
	}
	put_header(&(struct entry){.path = "TRAILER!!!"}, 0, 0);
	return fflush(stdout) == 0 && !ferror(stdout) && !ferror(stdin);
}

int main(int argc, char **argv)
{
	uint32_t time;

	if (argc != 2 || !parse(argv[1], 10, &time)) {
		fputs("usage: mkcpio SECONDS <LIST >ARCHIVE\n", stderr);
		return 2;
	}
	return put_list(time) ? 0 : 1;
}
