/* SPDX-License-Identifier: ISC */
#include "ceremony/feed.h"

#include "base/file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX ((size_t)1024 * 1024)

const char *feed_run_folder(void)
{
	const char *folder = getenv("KEYROOM_RUN");

	return folder != NULL && folder[0] == '/' ? folder : "/run/keyroom";
}

void feed_socket_path(struct buf *out)
{
	buf_format(out, "%s/log/socket", feed_run_folder());
}

static bool is_plain(char c)
{
	return isalnum((unsigned char)c) || strchr("._-", c) != NULL;
}

bool feed_is_name(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > FEED_NAME_MAX || text[0] == '.' || text[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_plain(text[i]))
			return false;
	return true;
}

void feed_name(struct buf *out, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	for (size_t i = 0; i < FEED_NAME_MAX / 2 && name[i] != '\0'; i++)
		buf_u8(out, (uint8_t)(is_plain(name[i]) ? name[i] : '_'));
}

int feed_open(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct buf path = BUF_EMPTY;
	int fd = -1;

	feed_socket_path(&path);
	if (strlen(buf_string(&path)) < sizeof(address.sun_path)) {
		strcpy(address.sun_path, buf_string(&path));
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	}
	buf_free(&path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address,
			       sizeof(address)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

bool feed_stream(const char *name, int *fd)
{
	struct err discarded = ERR_EMPTY;
	struct buf line = BUF_EMPTY;
	bool ok;

	*fd = feed_open();
	if (*fd < 0)
		return false;
	buf_format(&line, "stream %s\n", name);
	ok = buf_ok(&line, &discarded) &&
	     file_write_fd(*fd, "log", line.data, line.len, &discarded);
	buf_free(&line);
	if (!ok) {
		close(*fd);
		*fd = -1;
	}
	return ok;
}

bool feed_request(const char *request, struct buf *answer, struct err *err)
{
	struct buf line = BUF_EMPTY;
	int fd = feed_open();
	bool ok;

	if (fd < 0)
		return err_set(err, ERR_OUTPUT, "no log is being kept");
	buf_format(&line, "%s\n", request);
	ok = buf_ok(&line, err) &&
	     file_write_fd(fd, "log", line.data, line.len, err) &&
	     file_read_fd(fd, "log", ANSWER_MAX, answer, err);
	buf_free(&line);
	close(fd);
	return ok;
}
