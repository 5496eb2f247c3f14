/* SPDX-License-Identifier: ISC */
#include "tools/evidence/recorder.h"

#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/stop.h"
#include "lib/base/time.h"
#include "lib/base/version.h"
#include "lib/cli/feed.h"
#include "tools/evidence/alarm.h"
#include "tools/evidence/client.h"
#include "tools/evidence/device.h"
#include "tools/evidence/kinds.h"
#include "tools/evidence/last.h"
#include "tools/evidence/ledger.h"
#include "tools/evidence/replica.h"
#include "tools/evidence/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 16384
#define FILES_WANTED 40000 /* descriptors: two a stream, and some more */
#define CHUNK 65536
#define TICK_MS 500 /* how long bytes may be in a file but not vouched for */
#define FINISH_MAX ((uint64_t)4 * 1024 * 1024) /* of a stream, at the end */
#define SOURCES (2 + RECORDER_FOLDERS_MAX)     /* socket, devices, folders */

struct recorder {
	struct ledger ledger;
	struct replica *replicas[RECORDER_FOLDERS_MAX];
	size_t folders;
	struct client **clients;
	size_t count;
	struct pollfd *polled;
	int listening, devices, spare; /* spare: a descriptor to refuse with */
	struct buf socket_path;
	struct watch watch;
	bool finished;
};

/* A failure has been said on every terminal. */
static void line(struct recorder *recorder, const char *kind, const char *text)
{
	struct err discarded = ERR_EMPTY;

	ledger_line(&recorder->ledger, kind, text, &discarded);
}

static bool is_terminal(
	const struct recorder *recorder, const struct client *client)
{
	return client->state == CLIENT_STREAMS &&
	       strncmp(ledger_name(&recorder->ledger, &client->stream),
		       RECORDER_TERMINAL, strlen(RECORDER_TERMINAL)) == 0;
}

/* The stream's end; reason: why before its own, or NULL. */
static void end_stream(
	struct recorder *recorder, struct client *client, const char *reason)
{
	uint64_t size = ledger_size(&recorder->ledger, &client->stream);
	struct err err = ERR_EMPTY;

	if (is_terminal(recorder, client))
		terminals_unmark(client->process);
	if (!ledger_close(&recorder->ledger, &client->stream, &err) &&
		reason == NULL)
		reason = err.text;
	buf_format(&client->out, "%s %" PRIu64 "\n",
		reason == NULL ? "end" : "at", size);
	if (reason != NULL)
		client_refuse(client, reason);
	else
		client_leave(client);
}

static void add_stream(
	struct recorder *recorder, struct client *client, const char *name)
{
	struct err err = ERR_EMPTY;

	if (!feed_is_name(name)) {
		client_refuse(
			client, "a name is 1 to 100 of A-Z a-z 0-9 . _ -");
		return;
	}
	if (!ledger_open(&recorder->ledger, name, &client->stream, &err)) {
		client_refuse(client, err.text);
		return;
	}
	client->state = CLIENT_STREAMS;
	if (is_terminal(recorder, client) &&
		!terminals_mark(client->process, &err)) {
		end_stream(recorder, client, err.text);
		return;
	}
	client_accept(client, ledger_name(&recorder->ledger, &client->stream));
}

static void take_bytes(struct recorder *recorder, struct client *client,
	const void *data, size_t len)
{
	struct err err = ERR_EMPTY;

	if (!ledger_take(&recorder->ledger, &client->stream, data, len, &err))
		end_stream(recorder, client, err.text);
}

static void describe_folders(const struct recorder *recorder, struct buf *out)
{
	static const char *const states[] = {
		[REPLICA_WRITTEN] = "written",
		[REPLICA_SLOW] = "slow",
		[REPLICA_LOST] = "lost",
	};

	for (size_t i = 0; i < recorder->folders; i++) {
		const struct replica *replica = recorder->replicas[i];
		enum replica_state state = replica_state(replica);

		buf_format(out, "folder %s %s\n", states[state],
			replica_path(replica));
		if (state == REPLICA_LOST)
			buf_format(out, "reason %s\n", replica_reason(replica));
	}
}

static void describe(const struct recorder *recorder, struct buf *out)
{
	const struct ledger *ledger = &recorder->ledger;

	buf_format(out, "lines %" PRIu64 " %s\n", ledger->journal.lines,
		ledger->journal.hash);
	describe_folders(recorder, out);
	for (size_t i = 0; i < recorder->count; i++) {
		const struct client *client = recorder->clients[i];

		if (client->state == CLIENT_STREAMS)
			buf_format(out, "stream %" PRIu64 " %d %s\n",
				ledger_size(ledger, &client->stream),
				client->process,
				ledger_name(ledger, &client->stream));
	}
	if (ledger->full)
		buf_text(out, "full\n");
}

/* What was sent before "finish" belongs to the log; what never ends does not.
 */
static void drain(struct recorder *recorder, struct client *client)
{
	uint8_t chunk[CHUNK];
	uint64_t total = 0;
	ssize_t got = 1;

	while (client->state == CLIENT_STREAMS && total < FINISH_MAX &&
		(got = client_read(client, chunk, sizeof(chunk))) > 0) {
		take_bytes(recorder, client, chunk, (size_t)got);
		total += (uint64_t)got;
	}
	if (client->state == CLIENT_STREAMS)
		end_stream(recorder, client, got < 0 ? NULL : FEED_FINISHED);
}

static void refuse_connection(int fd, const char *reason)
{
	struct buf text = BUF_EMPTY;

	buf_format(&text, "no %s\n", reason);
	if (send(fd, text.data, text.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		errno = 0;
	buf_free(&text);
	close(fd);
}

/* Before the answer: who has it may start another log at once. */
static void close_door(struct recorder *recorder)
{
	int fd;

	if (recorder->listening < 0)
		return;
	unlink(buf_string(&recorder->socket_path));
	while ((fd = accept4(recorder->listening, NULL, NULL, SOCK_CLOEXEC)) >=
		0)
		refuse_connection(fd, FEED_FINISHED);
	close(recorder->listening);
	recorder->listening = -1;
}

/* "ok" says that a line is on every drive that takes lines. */
static void answer_waiting(struct recorder *recorder)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < recorder->folders; i++)
		if (replica_state(recorder->replicas[i]) == REPLICA_WRITTEN &&
			replica_length(recorder->replicas[i]) < least)
			least = replica_length(recorder->replicas[i]);
	for (size_t i = 0; i < recorder->count; i++) {
		struct client *client = recorder->clients[i];

		if (client->state == CLIENT_WAITS && client->length <= least) {
			client_accept(client, NULL);
			client_leave(client);
		}
	}
}

static void finish(struct recorder *recorder, struct buf *out)
{
	close_door(recorder);
	for (size_t i = 0; i < recorder->count; i++)
		if (recorder->clients[i]->state == CLIENT_STREAMS)
			drain(recorder, recorder->clients[i]);
	line(recorder, "end", "");
	replica_end(recorder->replicas, recorder->folders);
	answer_waiting(recorder);
	buf_format(out, "hash %s\n", recorder->ledger.journal.hash);
	describe_folders(recorder, out);
	recorder->finished = true;
}

/* The sender waits until the line is on the drives. */
static void chain(
	struct recorder *recorder, struct client *client, const char *request)
{
	struct err err = ERR_EMPTY;

	if (kinds_take(&recorder->ledger, request, &err))
		client_wait(client, spool_size(recorder->ledger.spool, 0));
	else
		client_refuse(client, err.text);
}

static void handle(
	struct recorder *recorder, struct client *client, const char *request)
{
	struct buf text = BUF_EMPTY;

	if (strncmp(request, "stream ", 7) == 0) {
		add_stream(recorder, client, request + 7);
	} else if (strcmp(request, "status") == 0 ||
		   strcmp(request, "finish") == 0) {
		if (request[0] == 's')
			describe(recorder, &text);
		else
			finish(recorder, &text);
		client_accept(client, NULL);
		buf_bytes(&client->out, text.data, text.len);
		client_leave(client);
	} else if (kinds_has(request)) {
		chain(recorder, client, request);
	} else {
		client_refuse(client, "no such request");
	}
	buf_free(&text);
}

/* The request is the first line; what follows it belongs to the stream. */
static void receive(struct recorder *recorder, struct client *client)
{
	uint8_t chunk[CHUNK];
	ssize_t got = client_read(client, chunk, sizeof(chunk));
	struct buf rest = BUF_EMPTY;

	if (got < 0) {
		if (client->state == CLIENT_STREAMS)
			end_stream(recorder, client, NULL);
		else if (client->state == CLIENT_ASKS && client->in.len > 0)
			client_refuse(client, "a request is a whole line");
		else
			client->state = CLIENT_GONE;
	} else if (got > 0 && client->state == CLIENT_STREAMS) {
		take_bytes(recorder, client, chunk, (size_t)got);
	} else if (got > 0 && client->state == CLIENT_ASKS &&
		   client_hear(client, chunk, (size_t)got, &rest)) {
		handle(recorder, client, buf_string(&client->in));
		buf_free(&client->in);
		if (client->state == CLIENT_STREAMS && rest.len > 0)
			take_bytes(recorder, client, rest.data, rest.len);
	}
	buf_free(&rest);
}

/* No descriptor is left: the spare one is given to say so. */
static void refuse_with_spare(struct recorder *recorder)
{
	int fd;

	close(recorder->spare);
	fd = accept4(recorder->listening, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		refuse_connection(fd, "this machine has no descriptor left");
	recorder->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static bool add_client(struct recorder *recorder, int fd)
{
	struct err discarded = ERR_EMPTY;
	struct client *client, **slot;

	if (recorder->count == CLIENTS_MAX) {
		refuse_connection(
			fd, "a log has no more than 16384 connections");
		return true;
	}
	client = client_new(fd);
	slot = client != NULL ? array_grow(&recorder->clients, &recorder->count,
					sizeof(*slot), &discarded)
			      : NULL;
	if (slot != NULL) {
		*slot = client;
		return true;
	}
	if (client != NULL)
		client_free(client);
	else
		close(fd);
	return false;
}

static void accept_clients(struct recorder *recorder)
{
	int fd = accept4(recorder->listening, NULL, NULL, SOCK_CLOEXEC);

	while (fd >= 0 && add_client(recorder, fd))
		fd = accept4(recorder->listening, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		refuse_with_spare(recorder);
}

static void read_device(struct recorder *recorder)
{
	struct buf text = BUF_EMPTY;

	device_read(recorder->devices, &text);
	if (text.len > 0)
		line(recorder, "device", buf_string(&text));
	buf_free(&text);
}

static void show_state(struct recorder *recorder, const struct replica *replica)
{
	struct buf event = BUF_EMPTY, alarm = BUF_EMPTY;
	const char *path = replica_path(replica), *kind = "back";
	const char *advice = "put the drive back";

	buf_text(&event, path);
	if (replica_state(replica) == REPLICA_LOST) {
		kind = "lost";
		buf_format(&event, ": %s", replica_reason(replica));
		if (strcmp(replica_reason(replica), REPLICA_FULL) == 0)
			advice = "delete there what is not needed";
		buf_format(&alarm, "LOG: %s. Nothing is lost: %s",
			buf_string(&event), advice);
	} else if (replica_state(replica) == REPLICA_SLOW) {
		kind = "slow";
		buf_format(&alarm,
			"LOG: %s takes nothing. Nothing is lost: it waits",
			path);
	} else {
		buf_format(&alarm, "LOG: %s is back and complete", path);
	}
	line(recorder, kind, buf_string(&event));
	alarm_show(buf_string(&alarm));
	buf_free(&event);
	buf_free(&alarm);
}

static void tend_folders(struct recorder *recorder)
{
	for (size_t i = 0; i < recorder->folders; i++) {
		if (replica_listen(recorder->replicas[i]))
			show_state(recorder, recorder->replicas[i]);
		replica_wake(recorder->replicas[i]);
	}
}

static bool is_time_to_vouch(int64_t *last)
{
	int64_t now = time_steady();

	if (now - *last < TICK_MS)
		return false;
	*last = now;
	return true;
}

/* A line for what has come, and the sender is told that the log has it. */
static void vouch(struct recorder *recorder, struct client *client)
{
	uint64_t before = client->stream.vouched;
	struct err err = ERR_EMPTY;

	if (!ledger_vouch(&recorder->ledger, &client->stream, &err)) {
		end_stream(recorder, client, err.text);
		return;
	}
	if (client->stream.vouched != before && client->out.len == 0)
		buf_format(&client->out, "at %" PRIu64 "\n",
			client->stream.vouched);
	client_send(client);
}

static void tell_unrecorded(
	struct recorder *recorder, const struct terminal *terminal)
{
	struct buf text = BUF_EMPTY, alarm = BUF_EMPTY;

	buf_format(&text, "%s %d %s", terminal->name, terminal->process,
		terminal->command);
	buf_format(&alarm,
		"LOG: %s is NOT RECORDED: press Enter there, or close it",
		terminal->name);
	line(recorder, "unrecorded", buf_string(&text));
	alarm_show(buf_string(&alarm));
	buf_free(&text);
	buf_free(&alarm);
}

static void watch_terminals(struct recorder *recorder)
{
	pid_t *recording = calloc(recorder->count + 1, sizeof(*recording));
	struct terminals found;
	size_t count = 0;

	if (recording == NULL)
		return;
	for (size_t i = 0; i < recorder->count; i++)
		if (is_terminal(recorder, recorder->clients[i]))
			recording[count++] = recorder->clients[i]->process;
	watch_look(&recorder->watch, recording, count, &found);
	for (size_t i = 0; i < found.count; i++)
		tell_unrecorded(recorder, &found.all[i]);
	free(found.all);
	free(recording);
}

static void tick(struct recorder *recorder)
{
	for (size_t i = 0; i < recorder->count; i++) {
		if (recorder->clients[i]->state == CLIENT_STREAMS)
			vouch(recorder, recorder->clients[i]);
		client_check_time(recorder->clients[i]);
	}
	if (watch_is_due(&recorder->watch, client_clock()))
		watch_terminals(recorder);
}

/* Those that are gone leave the array. */
static void remove_clients(struct recorder *recorder)
{
	size_t kept = 0;

	for (size_t i = 0; i < recorder->count; i++) {
		struct client *client = recorder->clients[i];

		if (client->state != CLIENT_GONE)
			recorder->clients[kept++] = client;
		else
			client_free(client);
	}
	recorder->count = kept;
}

/* What poll() is to look at; false: memory. */
static bool prepare_poll(struct recorder *recorder)
{
	struct pollfd *polled = reallocarray(
		recorder->polled, SOURCES + recorder->count, sizeof(*polled));

	if (polled == NULL)
		return false;
	recorder->polled = polled;
	polled[0] =
		(struct pollfd){.fd = recorder->listening, .events = POLLIN};
	polled[1] = (struct pollfd){.fd = recorder->devices, .events = POLLIN};
	for (size_t i = 0; i < RECORDER_FOLDERS_MAX; i++)
		polled[2 + i] = (struct pollfd){
			.fd = i < recorder->folders
				      ? replica_fd(recorder->replicas[i])
				      : -1,
			.events = POLLIN};
	for (size_t i = 0; i < recorder->count; i++)
		polled[SOURCES + i] =
			(struct pollfd){.fd = recorder->clients[i]->fd,
				.events = client_events(recorder->clients[i])};
	return true;
}

static void serve_clients(struct recorder *recorder)
{
	size_t count = recorder->count;

	for (size_t i = 0; i < count && !recorder->finished; i++) {
		short ready = recorder->polled[SOURCES + i].revents;
		struct client *client = recorder->clients[i];

		if ((ready & POLLOUT) != 0)
			client_send(client);
		if ((ready & ~POLLOUT) != 0)
			receive(recorder, client);
	}
	remove_clients(recorder);
}

static void serve(struct recorder *recorder)
{
	int64_t last = 0;

	while (!recorder->finished && stop_signal() == 0) {
		if (!prepare_poll(recorder) ||
			poll(recorder->polled,
				(nfds_t)(SOURCES + recorder->count),
				TICK_MS) < 0)
			continue;
		serve_clients(recorder);
		if (recorder->polled[0].revents != 0)
			accept_clients(recorder);
		if (recorder->polled[1].revents != 0)
			read_device(recorder);
		if (!recorder->finished) {
			tend_folders(recorder);
			answer_waiting(recorder);
			if (is_time_to_vouch(&last))
				tick(recorder);
		}
	}
}

/* After the end: whoever still reads an answer may do so for a while. */
static void say_goodbye(struct recorder *recorder)
{
	int64_t until = client_clock() + 5;
	uint8_t chunk[CHUNK];

	while (recorder->count > 0 && client_clock() < until &&
		prepare_poll(recorder)) {
		for (size_t i = 0; i < SOURCES; i++)
			recorder->polled[i].fd = -1;
		poll(recorder->polled, (nfds_t)(SOURCES + recorder->count),
			TICK_MS);
		for (size_t i = 0; i < recorder->count; i++) {
			struct client *client = recorder->clients[i];

			if (client->state == CLIENT_ASKS)
				client_refuse(client, FEED_FINISHED);
			client_send(client);
			while (client_read(client, chunk, sizeof(chunk)) > 0)
				;
			if (client_read(client, chunk, sizeof(chunk)) < 0)
				client->state = CLIENT_GONE;
		}
		remove_clients(recorder);
	}
}

/* Two descriptors for each stream, as many as this machine allows. */
static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	if (limit.rlim_max < FILES_WANTED) {
		struct rlimit more = {FILES_WANTED, FILES_WANTED};

		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			return;
	}
	limit.rlim_cur =
		limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
	setrlimit(RLIMIT_NOFILE, &limit);
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
		listen(recorder->listening, SOMAXCONN) != 0)
		return err_set(
			err, ERR_OUTPUT, "%s: %s", path, strerror(errno));
	return true;
}

static bool first_line(struct recorder *recorder, const char *const *folders,
	size_t count, struct err *err)
{
	struct buf text = BUF_EMPTY;
	bool ok;

	buf_format(&text, "release %s (%s)", version_release, version_build_id);
	for (size_t i = 0; i < count; i++)
		buf_format(&text, ", %s", folders[i]);
	ok = ledger_line(&recorder->ledger, "start", buf_string(&text), err);
	buf_free(&text);
	return ok;
}

static bool begin(struct recorder *recorder, const char *const *folders,
	size_t count, struct err *err)
{
	if (!ledger_new(&recorder->ledger, err) ||
		!first_line(recorder, folders, count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!replica_new(folders[i], recorder->ledger.spool,
			    &recorder->replicas[recorder->folders], err))
			return false;
		recorder->folders++;
	}
	recorder->devices = device_open();
	if (recorder->devices < 0)
		line(recorder, "note", "devices are not recorded");
	recorder->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	terminals_forget();
	return last_write(spool_folder(recorder->ledger.spool), folders, count,
		       err) &&
	       listen_on_socket(recorder, err);
}

/* A start that failed leaves no journal in any folder. */
static void take_back(struct recorder *recorder)
{
	replica_end(recorder->replicas, recorder->folders);
	for (size_t i = 0; i < recorder->folders; i++)
		replica_undo(recorder->replicas[i]);
}

static void recorder_free(struct recorder *recorder)
{
	for (size_t i = 0; i < recorder->count; i++)
		client_free(recorder->clients[i]);
	for (size_t i = 0; i < recorder->folders; i++)
		replica_free(recorder->replicas[i]);
	close_door(recorder);
	if (recorder->devices >= 0)
		close(recorder->devices);
	if (recorder->spare >= 0)
		close(recorder->spare);
	free(recorder->clients);
	free(recorder->polled);
	watch_free(&recorder->watch);
	buf_free(&recorder->socket_path);
	ledger_free(&recorder->ledger);
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
	recorder->listening = recorder->devices = recorder->spare = -1;
	feed_socket_path(&recorder->socket_path);
	signal(SIGPIPE, SIG_IGN);
	stop_catch();
	raise_limits();
	ok = begin(recorder, folders, count, err);
	if (ok) {
		ready(argument);
		serve(recorder);
		if (!recorder->finished)
			finish(recorder, &discarded);
		say_goodbye(recorder);
	} else {
		take_back(recorder);
	}
	buf_free(&discarded);
	recorder_free(recorder);
	return ok;
}
