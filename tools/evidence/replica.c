/* SPDX-License-Identifier: ISC */
#include "tools/evidence/replica.h"

#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "tools/evidence/copy.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 500    /* at the drive, without being woken */
#define REST_MS 10     /* so that many small writes become one */
#define SLOW_S 10      /* without a line taken */
#define PATIENCE_S 120 /* at the end, without anything taken */
#define LINE_MAX_LEN 1024

struct replica {
	char *path;
	const struct spool *spool;
	struct copy *copy; /* the process's, once it has begun */
	pid_t process;
	int fd; /* to the process; -1: it has ended */
	enum replica_state state;
	uint64_t length; /* of the journal on the drive */
	int64_t since;   /* when it had everything last */
	struct buf heard, reason;
};

static int64_t now(void)
{
	return time_steady() / 1000;
}

/* "at N", "busy 0", "lost REASON", "back N", from the process. */
static void say(int fd, const char *what, uint64_t number, const char *reason)
{
	char line[LINE_MAX_LEN];
	int len = reason != NULL ? snprintf(line, sizeof(line), "%s %s\n", what,
					   reason)
				 : snprintf(line, sizeof(line),
					   "%s %" PRIu64 "\n", what, number);

	/* Nobody there any more: the drive still gets everything. */
	if (len > 0 && (size_t)len < sizeof(line) &&
		send(fd, line, (size_t)len, MSG_NOSIGNAL) < 0)
		errno = 0;
}

static const char *reason(int error)
{
	switch (error) {
	case ESTALE:
		return "a file there was changed";
	case ENOENT:
		return "the folder, or a file in it, is gone";
	case ENODEV:
		return "the drive is gone, or another one is there";
	case ENOSPC:
	case EDQUOT:
		return REPLICA_FULL;
	default:
		return strerror(error);
	}
}

/* Something has reached the drive; said once a second at most. */
struct pulse {
	int fd;
	int64_t last;
};

static void beat(void *argument)
{
	struct pulse *pulse = argument;

	if (now() == pulse->last)
		return;
	pulse->last = now();
	say(pulse->fd, "busy", 0, NULL);
}

/* What is new goes to the drive; false while it is lost. */
static bool keep_up(struct copy *copy, int fd, bool lost)
{
	uint64_t length = 0;
	bool wrote;

	if (lost) {
		if (!copy_resume(copy, &length))
			return false;
		say(fd, "back", length, NULL);
		return true;
	}
	if (!copy_more(copy, &length, &wrote)) {
		say(fd, "lost", 0, reason(errno));
		return false;
	}
	if (wrote)
		say(fd, "at", length, NULL);
	return true;
}

/* Until woken, or for a while; false: no more will come. */
static bool wait_for_more(int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	char woken[64];
	ssize_t got = 1;

	if (poll(&polled, 1, LOOK_MS) <= 0)
		return true;
	poll(NULL, 0, REST_MS);
	while (got > 0)
		got = recv(fd, woken, sizeof(woken), MSG_DONTWAIT);
	return got < 0;
}

/* The process: it sees the drive, the spool and its master, nothing else. */
static _Noreturn void run(struct copy *copy, int fd, bool lost)
{
	struct pulse pulse = {.fd = fd};
	bool ok;

	copy_tick(copy, beat, &pulse);
	ok = keep_up(copy, fd, lost);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	while (wait_for_more(fd))
		ok = keep_up(copy, fd, !ok);
	ok = keep_up(copy, fd, !ok);
	_exit(ok ? 0 : 1);
}

/* Nothing of what the recorder has open must stay open because of a drive. */
static void close_others(int keep, int also)
{
	int low = keep < also ? keep : also, high = keep < also ? also : keep;

	if (low > 3)
		close_range(3, (unsigned)low - 1, 0);
	if (high > low + 1)
		close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	close_range((unsigned)high + 1, ~0U, 0);
}

static bool start_process(struct replica *replica, bool lost, struct err *err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return err_set(
			err, ERR_OUTPUT, "cannot start: %s", strerror(errno));
	replica->process = fork();
	if (replica->process == 0) {
		close_others(ends[1], copy_spool(replica->copy));
		run(replica->copy, ends[1], lost);
	}
	close(ends[1]);
	if (replica->process > 0) {
		replica->fd = ends[0];
		return true;
	}
	close(ends[0]);
	return err_set(err, ERR_OUTPUT, "cannot start: %s", strerror(errno));
}

static bool begin(struct replica *replica, struct err *err)
{
	bool wrote;

	if (!copy_find(replica->copy))
		return err_set(
			err, ERR_OUTPUT, "%s: no such folder", replica->path);
	if (copy_more(replica->copy, &replica->length, &wrote))
		return start_process(replica, false, err);
	if (errno == EEXIST)
		return err_set(err, ERR_OUTPUT, "%s: holds a log already (%s)",
			replica->path, spool_name(replica->spool, 0));
	err_set(err, ERR_OUTPUT, "%s: cannot write: %s", replica->path,
		strerror(errno));
	copy_undo(replica->copy);
	return false;
}

bool replica_new(const char *path, const struct spool *spool,
	struct replica **out, struct err *err)
{
	struct replica *replica = calloc(1, sizeof(*replica));

	if (replica == NULL)
		return err_nomem(err);
	replica->fd = -1;
	replica->spool = spool;
	replica->since = now();
	replica->path = text_copy(path, err);
	if (replica->path == NULL ||
		!copy_new(path, spool_folder(spool), spool_name(spool, 0),
			&replica->copy, err) ||
		!begin(replica, err)) {
		replica_free(replica);
		return false;
	}
	*out = replica;
	return true;
}

const char *replica_path(const struct replica *replica)
{
	return replica->path;
}

enum replica_state replica_state(const struct replica *replica)
{
	return replica->state;
}

uint64_t replica_length(const struct replica *replica)
{
	return replica->length;
}

const char *replica_reason(const struct replica *replica)
{
	return replica->reason.data != NULL ? (char *)replica->reason.data : "";
}

int replica_fd(const struct replica *replica)
{
	return replica->fd;
}

void replica_wake(struct replica *replica)
{
	/* A process that does not read has been woken often enough. */
	if (replica->fd >= 0 &&
		send(replica->fd, ".", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		errno = 0;
}

static void be_lost(struct replica *replica, const char *reason)
{
	replica->state = REPLICA_LOST;
	buf_clear(&replica->reason);
	buf_text(&replica->reason, reason);
	buf_string(&replica->reason);
}

static void hear_line(struct replica *replica, const char *line)
{
	if (strncmp(line, "busy ", 5) == 0) {
		replica->since = now();
		return;
	}
	if (strncmp(line, "lost ", 5) == 0)
		be_lost(replica, line + 5);
	else if (replica->state == REPLICA_LOST && line[0] == 'b')
		replica->state = REPLICA_WRITTEN;
	if (line[0] == 'a' || line[0] == 'b') {
		replica->length = strtoull(line + strcspn(line, " "), NULL, 10);
		replica->since = now();
	}
}

static void hear_lines(struct replica *replica)
{
	struct buf *heard = &replica->heard;
	const char *text = buf_string(heard), *end;
	size_t done = 0;

	while ((end = strchr(text + done, '\n')) != NULL) {
		heard->data[end - text] = '\0';
		hear_line(replica, text + done);
		done = (size_t)(end - text) + 1;
	}
	if (done > 0)
		memmove(heard->data, heard->data + done, heard->len - done);
	heard->len -= done;
}

/* Its process is gone, and was not told to go: another one takes over. */
static void replace_process(struct replica *replica)
{
	struct err discarded = ERR_EMPTY;

	close(replica->fd);
	replica->fd = -1;
	waitpid(replica->process, NULL, WNOHANG);
	be_lost(replica, "the process that wrote there has died");
	start_process(replica, true, &discarded);
}

/* True while its process is there. */
static bool hear(struct replica *replica)
{
	uint8_t chunk[4096];
	ssize_t got;

	while ((got = recv(replica->fd, chunk, sizeof(chunk), MSG_DONTWAIT)) >
		0)
		buf_bytes(&replica->heard, chunk, (size_t)got);
	hear_lines(replica);
	return got < 0 && (errno == EAGAIN || errno == EINTR);
}

bool replica_listen(struct replica *replica)
{
	enum replica_state before = replica->state;

	if (replica->fd >= 0 && !hear(replica))
		replace_process(replica);
	if (replica->length >= spool_size(replica->spool, 0))
		replica->since = now();
	if (replica->state != REPLICA_LOST)
		replica->state = now() - replica->since >= SLOW_S
					 ? REPLICA_SLOW
					 : REPLICA_WRITTEN;
	return replica->state != before;
}

/* Its process has ended, or is not waited for any longer. */
static void end_process(struct replica *replica, bool patient)
{
	int status = 0;

	close(replica->fd);
	replica->fd = -1;
	if (!patient) {
		kill(replica->process, SIGKILL);
		be_lost(replica, "the drive takes nothing any more");
		waitpid(replica->process, NULL, WNOHANG);
	} else if (waitpid(replica->process, &status, 0) < 0 || status != 0) {
		if (replica->state != REPLICA_LOST)
			be_lost(replica,
				"the process that wrote there has died");
	} else {
		replica->state = REPLICA_WRITTEN;
	}
}

void replica_end(struct replica *const *replicas, size_t count)
{
	struct pollfd polled[64];
	size_t open = count < 64 ? count : 64;

	for (size_t i = 0; i < count; i++) {
		if (replicas[i]->fd >= 0)
			shutdown(replicas[i]->fd, SHUT_WR);
		replicas[i]->since = now();
	}
	while (open > 0) {
		open = 0;
		for (size_t i = 0; i < count; i++) {
			polled[i] = (struct pollfd){
				.fd = replicas[i]->fd, .events = POLLIN};
			open += replicas[i]->fd >= 0;
		}
		if (open > 0)
			poll(polled, (nfds_t)count, LOOK_MS);
		for (size_t i = 0; i < count; i++)
			if (replicas[i]->fd < 0)
				continue;
			else if (!hear(replicas[i]))
				end_process(replicas[i], true);
			else if (now() - replicas[i]->since > PATIENCE_S)
				end_process(replicas[i], false);
	}
}

void replica_undo(struct replica *replica)
{
	copy_undo(replica->copy);
}

void replica_free(struct replica *replica)
{
	if (replica == NULL)
		return;
	if (replica->fd >= 0)
		replica_end(&replica, 1);
	copy_free(replica->copy);
	buf_free(&replica->heard);
	buf_free(&replica->reason);
	free(replica->path);
	free(replica);
}

bool replica_complete(const char *path, const char *spool, struct err *err)
{
	struct copy *copy = NULL;
	uint64_t length;
	bool ok;

	if (!copy_new(path, spool, "journal", &copy, err))
		return false;
	ok = copy_find(copy) && copy_resume(copy, &length);
	if (!ok)
		err_set(err, ERR_OUTPUT, "%s", reason(errno));
	copy_free(copy);
	return ok;
}
