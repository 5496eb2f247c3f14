/* SPDX-License-Identifier: ISC */
#include "tools/evidence/client.h"

#include "lib/base/buf.h"
#include "lib/base/time.h"
#include "lib/cli/feed.h"
#include "lib/hash/sha256.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ASKS_S 10   /* for a whole request */
#define WAITS_S 2   /* for a drive: what is in memory is not lost */
#define LEAVES_S 10 /* for reading the answer */

int64_t client_clock(void)
{
	return time_steady() / 1000;
}

struct client *client_new(int fd)
{
	struct client *client = calloc(1, sizeof(*client));
	struct ucred peer = {.pid = 0};
	socklen_t size = sizeof(peer);

	if (client == NULL)
		return NULL;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
		client->process = peer.pid;
	client->fd = fd;
	client->until = client_clock() + ASKS_S;
	return client;
}

void client_free(struct client *client)
{
	close(client->fd);
	sha256_free(client->stream.hash);
	buf_free(&client->in);
	buf_free(&client->out);
	free(client);
}

short client_events(const struct client *client)
{
	return client->out.len > 0 ? POLLIN | POLLOUT : POLLIN;
}

ssize_t client_read(struct client *client, uint8_t *data, size_t size)
{
	ssize_t got = recv(client->fd, data, size, MSG_DONTWAIT);

	if (got > 0)
		return got;
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

bool client_hear(struct client *client, const uint8_t *data, size_t len,
	struct buf *rest)
{
	const uint8_t *end = memchr(data, '\n', len);
	size_t part = end != NULL ? (size_t)(end - data) : len;

	buf_bytes(&client->in, data, part);
	if (client->in.failed || client->in.len > FEED_REQUEST_MAX) {
		client_refuse(client, "a line has no more than 1048576 bytes");
		return false;
	}
	if (end == NULL)
		return false;
	if (memchr(client->in.data != NULL ? (char *)client->in.data : "", '\0',
		    client->in.len) != NULL) {
		client_refuse(client, "a line has no zero bytes");
		return false;
	}
	buf_bytes(rest, end + 1, len - part - 1);
	return true;
}

void client_send(struct client *client)
{
	struct buf *out = &client->out;
	ssize_t put;

	while (out->len > 0) {
		put = send(client->fd, out->data, out->len,
			MSG_NOSIGNAL | MSG_DONTWAIT);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno != EAGAIN)
			out->len = 0;
		if (put <= 0)
			break;
		out->len -= (size_t)put;
		memmove(out->data, out->data + put, out->len);
	}
	if (out->len == 0 && client->state == CLIENT_LEAVES)
		shutdown(client->fd, SHUT_WR);
}

void client_accept(struct client *client, const char *text)
{
	if (text != NULL)
		buf_format(&client->out, "ok %s\n", text);
	else
		buf_text(&client->out, "ok\n");
}

void client_wait(struct client *client, uint64_t length)
{
	client->state = CLIENT_WAITS;
	client->length = length;
	client->until = client_clock() + WAITS_S;
}

void client_refuse(struct client *client, const char *reason)
{
	buf_format(&client->out, "no %s\n", reason);
	client_leave(client);
}

void client_leave(struct client *client)
{
	client->state = CLIENT_LEAVES;
	client->until = client_clock() + LEAVES_S;
	client_send(client);
}

void client_check_time(struct client *client)
{
	if (client->state == CLIENT_STREAMS || client_clock() < client->until)
		return;
	if (client->state == CLIENT_ASKS) {
		client_refuse(client, "no request within 10 seconds");
	} else if (client->state == CLIENT_WAITS) {
		client_accept(client, NULL);
		client_leave(client);
	} else {
		client->state = CLIENT_GONE;
	}
}
