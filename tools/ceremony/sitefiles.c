/* SPDX-License-Identifier: ISC */
/* What the folder holds: logs, pictures, every file with its hash. */
#include "tools/ceremony/folder.h"
#include "tools/ceremony/say.h"
#include "tools/ceremony/sitepart.h"

#include "lib/base/base64.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define SHOWN_MAX ((size_t)256 * 1024)  /* of a log, on the page */
#define PICTURE_MAX (UINT64_C(1) << 21) /* bytes of one that is in the page */
#define PICTURES_MAX (UINT64_C(1) << 24)
#define HSM_LOG "ttyaudit-"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), tail = strlen(end);

	return len >= tail && strcmp(text + len - tail, end) == 0;
}

/* Append the first max bytes. */
static bool read_start(const struct site *site, const char *path, size_t max,
	struct buf *out, struct err *err)
{
	struct buf name = BUF_EMPTY;
	uint8_t *room = buf_extend(out, max);
	ssize_t got = -1;
	int fd;

	buf_format(&name, "%s/%s", site->dir, path);
	fd = open(buf_string(&name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && room != NULL)
		got = pread(fd, room, max, 0);
	if (fd >= 0)
		close(fd);
	out->len -= room != NULL ? max - (size_t)(got > 0 ? got : 0) : 0;
	if (got < 0)
		err_set(err, ERR_INPUT, "%s: cannot be read",
			buf_string(&name));
	buf_free(&name);
	return got >= 0;
}

static bool put_log(const struct site *site, struct markup *m,
	const struct tree_file *file, struct err *err)
{
	struct buf text = BUF_EMPTY, cut = BUF_EMPTY;
	bool ok = read_start(site, file->path, SHOWN_MAX, &text, err);

	if (ok) {
		markup_open(m, "h3");
		part_link(m, file->path, base_name(file->path));
		markup_close(m);
		for (size_t i = 0; i < text.len; i++)
			if (text.data[i] == '\0')
				text.data[i] = '?';
		markup_open(m, "pre");
		part_lines(m, buf_string(&text));
		markup_close(m);
		if (file->size > SHOWN_MAX) {
			buf_format(&cut,
				"These are the first %zu of %" PRIu64
				" bytes; the file has all of them.",
				SHOWN_MAX, file->size);
			part_put(m, "p", "bad", buf_string(&cut));
		}
	}
	buf_free(&cut);
	buf_free(&text);
	return ok;
}

bool part_logs(const struct site *site, struct markup *m, struct err *err)
{
	size_t count = 0;

	/* First what the programs wrote, then what the HSM said. */
	for (int hsm = 0; hsm < 2; hsm++)
		for (size_t i = 0; i < site->files->count; i++) {
			const struct tree_file *file = &site->files->files[i];
			const char *name = base_name(file->path);

			if (!ends_with(name, ".log") ||
				(strncmp(name, HSM_LOG, strlen(HSM_LOG)) ==
					0) != (hsm == 1))
				continue;
			count++;
			if (!put_log(site, m, file, err))
				return false;
		}
	if (count == 0)
		part_put(m, "p", NULL,
			"The folder has none besides the journal and the recordings.");
	return true;
}

/* Pictures */

static bool is_png(const struct buf *bytes)
{
	static const uint8_t mark[8] = {
		0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

	return bytes->len > sizeof(mark) &&
	       memcmp(bytes->data, mark, sizeof(mark)) == 0;
}

static void put_picture(
	struct markup *m, const struct tree_file *file, const struct buf *png)
{
	struct buf address = BUF_EMPTY, about = BUF_EMPTY;
	struct buf name = BUF_EMPTY;

	buf_text(&address, "data:image/png;base64,");
	base64_encode(&address, png->data, png->len);
	say_text(&name, base_name(file->path));
	buf_format(&about, "Picture of a screen: %s", buf_string(&name));
	markup_open(m, "figure");
	markup_open(m, "img");
	markup_attribute(m, "src", buf_string(&address));
	markup_attribute(m, "alt", buf_string(&about));
	markup_close(m);
	markup_open(m, "figcaption");
	markup_text(m, buf_string(&about));
	markup_text(m, " (");
	part_link(m, file->path, "file");
	markup_text(m, ")");
	markup_close(m);
	markup_close(m);
	buf_free(&name);
	buf_free(&about);
	buf_free(&address);
}

bool part_pictures(const struct site *site, struct markup *m, struct err *err)
{
	uint64_t left = PICTURES_MAX;
	size_t count = 0;
	bool ok = true;

	for (size_t i = 0; ok && i < site->files->count; i++) {
		const struct tree_file *file = &site->files->files[i];
		struct buf png = BUF_EMPTY;

		if (!ends_with(file->path, ".png"))
			continue;
		count++;
		if (file->size <= PICTURE_MAX && file->size <= left)
			ok = read_start(
				site, file->path, PICTURE_MAX, &png, err);
		if (ok && is_png(&png)) {
			left -= file->size;
			put_picture(m, file, &png);
		} else if (ok) {
			markup_open(m, "p");
			part_link(m, file->path, file->path);
			markup_text(m, " (not shown here)");
			markup_close(m);
		}
		buf_free(&png);
	}
	if (count == 0)
		part_put(m, "p", NULL, "The folder has none.");
	return ok;
}

/* Files */

static void put_file(struct markup *m, const struct tree_file *file)
{
	struct buf text = BUF_EMPTY;

	markup_open(m, "tr");
	markup_open(m, "th");
	markup_attribute(m, "scope", "row");
	part_link(m, file->path, file->path);
	markup_close(m);
	buf_format(&text, "%" PRIu64, file->size);
	part_put(m, "td", "time", buf_string(&text));
	buf_clear(&text);
	hex_encode(&text, file->hash, SHA256_LEN);
	part_put(m, "td", "hash", buf_string(&text));
	markup_close(m);
	buf_free(&text);
}

static void put_how(const struct site *site, struct markup *m)
{
	markup_open(m, "p");
	markup_text(m, "Every file of this folder, this page too, stands in ");
	part_link(m, FOLDER_SUMS, FOLDER_SUMS);
	markup_text(m, site->sealed ? ", which is signed by "
				    : "; nothing is signed here.");
	if (site->sealed) {
		part_link(m, FOLDER_SEAL, FOLDER_SEAL);
		markup_text(m, ".");
	}
	markup_text(m, " To check that no file was changed, and by whose key:");
	markup_close(m);
	markup_open(m, "pre");
	markup_text(m, "sha256sum --check --quiet " FOLDER_SUMS "\n");
	if (site->sealed)
		markup_text(m,
			"openssl pkeyutl -verify -rawin -pubin -inkey PUBLIC-KEY -in " FOLDER_SUMS
			" -sigfile " FOLDER_SEAL "\n");
	markup_close(m);
	markup_element(m, "p",
		"Whether the ceremony was done as it is written is judged by Keyroom itself, on any machine, with nothing but this folder, the list of releases and public keys:");
	markup_element(m, "pre",
		site->sealed
			? "ceremony check --releases RELEASE.md --key PUBLIC-KEY .\n"
			: "ceremony check --releases RELEASE.md .\n");
}

bool part_files(const struct site *site, struct markup *m, struct err *err)
{
	static const char *const heads[] = {"File", "Bytes", "SHA-256"};
	static const struct {
		const char *path, *text;
	} pages[] = {
		{FOLDER_PAPER, "The script as it was printed (PDF)"},
		{FOLDER_SIGNED, "The annotated script on pages (PDF)"},
		{FOLDER_SCRIPT, "The script (text)"},
		{FOLDER_NOTES, "The annotated script (text)"},
		{FOLDER_DISC, "The disc, its hash and words (text)"},
	};

	(void)err;
	markup_open(m, "ul");
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		markup_open(m, "li");
		part_link(m, pages[i].path, pages[i].text);
		markup_close(m);
	}
	markup_close(m);
	put_how(site, m);
	part_table(m, "Files", heads, sizeof(heads) / sizeof(*heads));
	for (size_t i = 0; i < site->files->count; i++)
		put_file(m, &site->files->files[i]);
	part_table_end(m);
	return true;
}
