/* SPDX-License-Identifier: ISC */
#include "ceremony/recorder.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/stop.h"
#include "base/time.h"
#include "base/version.h"
#include "ceremony/alarm.h"
#include "ceremony/device.h"
#include "ceremony/feed.h"
#include "ceremony/journal.h"
#include "ceremony/replica.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 64
#define REQUEST_MAX 4096
#define CHUNK 65536
#define TICK_MS 500 /* how long bytes may be in a file but not vouched for */
#define SOURCES 3   /* listening socket, devices, notices */

/* Someone who sends; what is a stream belongs to file number "file". */
struct client {
	int fd; /* -1: free */
	bool stream;
	size_t file;
	uint64_t vouched;           /* bytes of the file that the journal has */
	struct crypto_sha256 *hash; /* of the bytes behind these; may be NULL */
	struct buf request;
};

struct recorder {
	struct spool *spool;
	struct replica *replicas[RECORDER_FOLDERS_MAX];
	size_t folders;
	struct journal journal;
	struct client clients[CLIENTS_MAX];
	int listening, devices, notices[2];
	struct buf socket_path;
	bool finished, failing;
};

/* A failure here means that memory is full: nothing else can be done. */
static void fail(struct recorder *recorder, const struct err *err)
{
	struct buf text = BUF_EMPTY;

	if (!recorder->failing) {
		buf_format(&text, "ceremony-log: NOT RECORDING: %s", err->text);
		alarm_show(buf_string(&text));
		buf_free(&text);
	}
	recorder->failing = true;
}

static void journal(
	struct recorder *recorder, const char *kind, const char *text)
{
	struct journal next = recorder->journal;
	struct err err = ERR_EMPTY;
	struct buf line = BUF_EMPTY;

	if (journal_line(&next, kind, text, &line, &err) &&
		spool_write(recorder->spool, 0, line.data, line.len, &err))
		recorder->journal = next;
	else
		fail(recorder, &err);
	buf_free(&line);
}

/* A line that vouches for what a stream has brought since the last one. */
static void vouch(struct recorder *recorder, struct client *client)
{
	uint64_t size = spool_size(recorder->spool, client->file);
	uint8_t hash[CRYPTO_SHA256_LEN];
	struct err err = ERR_EMPTY;
	struct buf text = BUF_EMPTY;

	if (client->hash == NULL)
		return;
	if (!crypto_sha256_final(client->hash, hash, &err)) {
		fail(recorder, &err);
		return;
	}
	buf_format(&text, "%s %" PRIu64 " %" PRIu64 " ",
		spool_name(recorder->spool, client->file), client->vouched,
		size - client->vouched);
	hex_encode(&text, hash, sizeof(hash));
	journal(recorder, "data", buf_string(&text));
	client->vouched = size;
	crypto_sha256_free(client->hash);
	client->hash = NULL;
	buf_free(&text);
}

static void take_bytes(struct recorder *recorder, struct client *client,
	const void *data, size_t len)
{
	struct err err = ERR_EMPTY;

	if (len == 0)
		return;
	if (client->hash == NULL && !crypto_sha256_new(&client->hash, &err)) {
		fail(recorder, &err);
		return;
	}
	if (!spool_write(recorder->spool, client->file, data, len, &err) ||
		!crypto_sha256_update(client->hash, data, len, &err))
		fail(recorder, &err);
}

static void leave(struct recorder *recorder, struct client *client)
{
	struct buf text = BUF_EMPTY;

	if (client->stream) {
		vouch(recorder, client);
		buf_format(&text, "%s %" PRIu64,
			spool_name(recorder->spool, client->file),
			spool_size(recorder->spool, client->file));
		journal(recorder, "close", buf_string(&text));
		buf_free(&text);
	}
	crypto_sha256_free(client->hash);
	buf_free(&client->request);
	close(client->fd);
	*client = (struct client){.fd = -1};
}

/* A second stream of a name gets NAME-2, NAME-3 and so on. */
static bool add_stream(struct recorder *recorder, struct client *client,
	const char *name, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok = false;

	for (int i = 1; i < 100 && !ok; i++) {
		buf_clear(&text);
		buf_text(&text, name);
		if (i > 1)
			buf_format(&text, "-%d", i);
		ok = spool_add(
			recorder->spool, buf_string(&text), &client->file, err);
		if (!feed_is_name(name))
			break;
	}
	client->stream = ok;
	client->vouched = 0;
	if (ok)
		journal(recorder, "open", buf_string(&text));
	buf_free(&text);
	return ok;
}

static void answer(struct client *client, struct buf *text)
{
	/* Whoever does not read the answer does not hold us up. */
	if (!text->failed && send(client->fd, text->data, text->len,
				     MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		errno = 0;
}

static void describe(struct recorder *recorder, struct buf *out)
{
	buf_format(out, "Journal:    %" PRIu64 " lines, last %.16s...\n",
		recorder->journal.lines, recorder->journal.hash);
	for (size_t i = 0; i < recorder->folders; i++)
		buf_format(out, "Folder:     %s: %s\n",
			replica_path(recorder->replicas[i]),
			replica_is_lost(recorder->replicas[i]) ? "LOST"
							       : "written");
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		const struct client *client = &recorder->clients[i];

		if (client->fd >= 0 && client->stream)
			buf_format(out, "Recording:  %s, %" PRIu64 " bytes\n",
				spool_name(recorder->spool, client->file),
				spool_size(recorder->spool, client->file));
	}
	if (recorder->failing)
		buf_text(out, "Memory:     FULL, NOT RECORDING\n");
}

static void receive(struct recorder *recorder, struct client *client);

static bool is_ready(const struct client *client)
{
	struct pollfd polled = {.fd = client->fd, .events = POLLIN};

	return poll(&polled, 1, 0) > 0;
}

/* The log ends; says "whole PATH" or "lost PATH" for each folder. */
static void finish(struct recorder *recorder, struct buf *out)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &recorder->clients[i];

		/* What was sent before "finish" belongs to the log. */
		while (client->fd >= 0 && client->stream && is_ready(client))
			receive(recorder, client);
		if (client->fd >= 0 && client->stream)
			leave(recorder, client);
	}
	journal(recorder, "end", "");
	for (size_t i = 0; i < recorder->folders; i++) {
		struct buf path = BUF_EMPTY;

		buf_text(&path, replica_path(recorder->replicas[i]));
		buf_format(out, "%s %s\n",
			replica_end(recorder->replicas[i]) ? "whole" : "lost",
			buf_string(&path));
		recorder->replicas[i] = NULL;
		buf_free(&path);
	}
	recorder->folders = 0;
	buf_format(out, "hash %s\n", recorder->journal.hash);
	recorder->finished = true;
}

static void handle(
	struct recorder *recorder, struct client *client, const char *request)
{
	struct buf text = BUF_EMPTY;
	struct err err = ERR_EMPTY;

	if (strncmp(request, "stream ", 7) == 0) {
		if (!add_stream(recorder, client, request + 7, &err))
			leave(recorder, client);
		return;
	}
	if (strncmp(request, "note ", 5) == 0)
		journal(recorder, "note", request + 5);
	else if (strcmp(request, "status") == 0)
		describe(recorder, &text);
	else if (strcmp(request, "finish") == 0)
		finish(recorder, &text);
	answer(client, &text);
	buf_free(&text);
	leave(recorder, client);
}

/* The request is the first line; what follows it belongs to the stream. */
static void receive(struct recorder *recorder, struct client *client)
{
	uint8_t chunk[CHUNK];
	ssize_t got = recv(client->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	uint8_t *end;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		leave(recorder, client);
		return;
	}
	if (client->stream) {
		take_bytes(recorder, client, chunk, (size_t)got);
		return;
	}
	end = memchr(chunk, '\n', (size_t)got);
	buf_bytes(&client->request, chunk,
		end != NULL ? (size_t)(end - chunk) : (size_t)got);
	if (end == NULL && client->request.len > REQUEST_MAX)
		leave(recorder, client);
	if (end == NULL)
		return;
	handle(recorder, client, buf_string(&client->request));
	if (client->fd >= 0 && client->stream)
		take_bytes(recorder, client, end + 1,
			(size_t)(chunk + got - end - 1));
}

static void accept_client(struct recorder *recorder)
{
	int fd = accept4(recorder->listening, NULL, NULL, SOCK_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < CLIENTS_MAX; i++)
		if (recorder->clients[i].fd < 0) {
			recorder->clients[i] = (struct client){.fd = fd};
			return;
		}
	if (fd >= 0)
		close(fd);
}

static void read_device(struct recorder *recorder)
{
	struct buf text = BUF_EMPTY;

	device_read(recorder->devices, &text);
	if (text.len > 0)
		journal(recorder, "device", buf_string(&text));
	buf_free(&text);
}

/* "lost PATH: REASON" or "back PATH", from a replica. */
static void show_notice(struct recorder *recorder, char *line)
{
	struct buf text = BUF_EMPTY;
	char *rest = line + strcspn(line, " ");

	if (*rest != '\0')
		*rest++ = '\0';
	journal(recorder, line, rest);
	if (strcmp(line, "lost") == 0)
		buf_format(&text,
			"LOG: %s. Nothing is lost: put the drive back", rest);
	else
		buf_format(&text, "LOG: %s is back and complete", rest);
	alarm_show(buf_string(&text));
	buf_free(&text);
}

static void read_notices(struct recorder *recorder)
{
	char lines[CHUNK];
	ssize_t got = read(recorder->notices[0], lines, sizeof(lines) - 1);
	char *line = lines, *end;

	lines[got > 0 ? got : 0] = '\0';
	while ((end = strchr(line, '\n')) != NULL) {
		*end = '\0';
		show_notice(recorder, line);
		line = end + 1;
	}
}

static bool is_time_to_vouch(struct timespec *last)
{
	struct timespec now;
	int64_t passed;

	clock_gettime(CLOCK_MONOTONIC, &now);
	passed = (now.tv_sec - last->tv_sec) * 1000 +
		 (now.tv_nsec - last->tv_nsec) / 1000000;
	if (passed < TICK_MS)
		return false;
	*last = now;
	return true;
}

static void serve(struct recorder *recorder)
{
	struct pollfd polled[SOURCES + CLIENTS_MAX];
	struct timespec last = {0};

	while (!recorder->finished && stop_signal() == 0) {
		polled[0].fd = recorder->listening;
		polled[1].fd = recorder->devices;
		polled[2].fd = recorder->notices[0];
		for (size_t i = 0; i < CLIENTS_MAX; i++)
			polled[SOURCES + i].fd = recorder->clients[i].fd;
		for (size_t i = 0; i < SOURCES + CLIENTS_MAX; i++)
			polled[i].events = POLLIN;
		if (poll(polled, SOURCES + CLIENTS_MAX, TICK_MS) < 0)
			continue;
		for (size_t i = 0; i < CLIENTS_MAX; i++)
			if (polled[SOURCES + i].revents != 0 &&
				recorder->clients[i].fd >= 0)
				receive(recorder, &recorder->clients[i]);
		if (polled[0].revents != 0)
			accept_client(recorder);
		if (polled[1].revents != 0)
			read_device(recorder);
		if (polled[2].revents != 0)
			read_notices(recorder);
		if (is_time_to_vouch(&last))
			for (size_t i = 0; i < CLIENTS_MAX; i++)
				if (recorder->clients[i].fd >= 0)
					vouch(recorder, &recorder->clients[i]);
	}
}

static bool listen_on_socket(struct recorder *recorder, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = buf_string(&recorder->socket_path);

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, ERR_OUTPUT, "%s: too long", path);
	strcpy(address.sun_path, path);
	/* Nobody answers there: it is left over. */
	unlink(path);
	recorder->listening =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (recorder->listening < 0 ||
		bind(recorder->listening, (struct sockaddr *)&address,
			sizeof(address)) != 0 ||
		chmod(path, 0600) != 0 ||
		listen(recorder->listening, CLIENTS_MAX) != 0)
		return err_set(
			err, ERR_OUTPUT, "%s: %s", path, strerror(errno));
	return true;
}

static bool make_spool(struct recorder *recorder, struct err *err)
{
	char time[TIME_TEXT_MAX];
	struct buf path = BUF_EMPTY;
	size_t journal_file;
	bool ok = false;

	mkdir(feed_run_folder(), 0755);
	buf_format(&path, "%s/log", feed_run_folder());
	mkdir(buf_string(&path), 0700);
	time_format(time_now(), TIME_FILE, time);
	buf_format(&path, "/%s", time);
	for (int i = 0; i < 100 && !ok; i++) {
		if (i > 0)
			buf_format(&path, "x");
		ok = spool_new(buf_string(&path), &recorder->spool, err);
		if (!ok && errno != EEXIST)
			break;
	}
	buf_free(&path);
	return ok &&
	       spool_add(recorder->spool, RECORDER_JOURNAL, &journal_file, err);
}

static void first_line(
	struct recorder *recorder, const char *const *folders, size_t count)
{
	struct buf text = BUF_EMPTY;

	buf_format(&text, "release %s (%s)", version_release, version_build_id);
	for (size_t i = 0; i < count; i++)
		buf_format(&text, ", %s", folders[i]);
	journal(recorder, "start", buf_string(&text));
	buf_free(&text);
}

/* A start that failed leaves no journal in any folder. */
static void take_back(struct recorder *recorder)
{
	while (recorder->folders > 0) {
		struct replica *replica =
			recorder->replicas[--recorder->folders];
		struct buf path = BUF_EMPTY;

		buf_format(&path, "%s/%s", replica_path(replica),
			RECORDER_JOURNAL);
		replica_end(replica);
		unlink(buf_string(&path));
		buf_free(&path);
	}
}

static bool begin(struct recorder *recorder, const char *const *folders,
	size_t count, struct err *err)
{
	if (!make_spool(recorder, err))
		return false;
	first_line(recorder, folders, count);
	if (pipe2(recorder->notices, O_CLOEXEC) != 0)
		return err_set(err, ERR_OUTPUT, "%s", strerror(errno));
	for (size_t i = 0; i < count; i++) {
		if (!replica_new(folders[i], recorder->spool,
			    recorder->notices[1],
			    &recorder->replicas[recorder->folders], err)) {
			take_back(recorder);
			return false;
		}
		recorder->folders++;
	}
	recorder->devices = device_open();
	if (recorder->devices < 0)
		journal(recorder, "note", "devices are not recorded");
	if (listen_on_socket(recorder, err))
		return true;
	take_back(recorder);
	return false;
}

static void recorder_free(struct recorder *recorder)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (recorder->clients[i].fd >= 0)
			leave(recorder, &recorder->clients[i]);
	for (size_t i = 0; i < recorder->folders; i++)
		replica_end(recorder->replicas[i]);
	if (recorder->listening >= 0) {
		unlink(buf_string(&recorder->socket_path));
		close(recorder->listening);
	}
	if (recorder->devices >= 0)
		close(recorder->devices);
	for (int i = 0; i < 2; i++)
		if (recorder->notices[i] >= 0)
			close(recorder->notices[i]);
	buf_free(&recorder->socket_path);
	spool_free(recorder->spool);
	free(recorder);
}

bool recorder_run(const char *const *folders, size_t count,
	void (*ready)(void *), void *argument, struct err *err)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));
	struct buf discarded = BUF_EMPTY;
	bool ok;

	if (recorder == NULL)
		return err_nomem(err);
	recorder->listening = recorder->devices = -1;
	recorder->notices[0] = recorder->notices[1] = -1;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		recorder->clients[i].fd = -1;
	journal_start(&recorder->journal);
	feed_socket_path(&recorder->socket_path);
	signal(SIGPIPE, SIG_IGN);
	stop_catch();
	ok = begin(recorder, folders, count, err);
	if (ok) {
		ready(argument);
		serve(recorder);
		if (!recorder->finished)
			finish(recorder, &discarded);
	}
	buf_free(&discarded);
	recorder_free(recorder);
	return ok;
}
