/* SPDX-License-Identifier: ISC */
/*
 * One connection to the process that keeps the log.  Nobody who does not
 * send, or does not read, holds up anybody else.
 */
#ifndef TOOLS_EVIDENCE_CLIENT_H
#define TOOLS_EVIDENCE_CLIENT_H

#include "tools/evidence/ledger.h"

#include "lib/base/buf.h"

#include <sys/types.h>

enum client_state {
	CLIENT_ASKS,    /* the request is not whole yet */
	CLIENT_STREAMS, /* what it sends belongs to a recording */
	CLIENT_WAITS,   /* for its line to be on the drives */
	CLIENT_LEAVES,  /* has been answered, and may read that */
	CLIENT_GONE,
};

struct client {
	int fd;
	pid_t process; /* that connected */
	enum client_state state;
	int64_t until; /* seconds of the monotonic clock: not longer */
	struct ledger_stream stream;
	uint64_t length; /* of the journal, with its line */
	struct buf in, out;
};

/* Seconds of the monotonic clock. */
int64_t client_clock(void);

/* fd is owned then.  NULL: memory. */
struct client *client_new(int fd);
void client_free(struct client *client);

/* What poll() is to wait for. */
short client_events(const struct client *client);

/*
 * Read once: up to size bytes into data.  0: nothing now.  -1: the other side
 * has ended, or is gone.
 */
ssize_t client_read(struct client *client, uint8_t *data, size_t size);

/*
 * More of a request.  True where it is whole: in is then the request without
 * its newline, and what followed is in *rest.  A request that is too long or
 * has zero bytes is answered here.
 */
bool client_hear(struct client *client, const uint8_t *data, size_t len,
	struct buf *rest);

/* Send what waits, as much as the other side takes now. */
void client_send(struct client *client);

/* "ok", and text behind it where it is not NULL; a line. */
void client_accept(struct client *client, const char *text);

/* It is answered once the journal on the drives is as long as it is now. */
void client_wait(struct client *client, uint64_t length);

/* "no REASON", and it leaves. */
void client_refuse(struct client *client, const char *reason);

/* Nothing more will be said. */
void client_leave(struct client *client);

/* A client that says nothing, or reads nothing, for too long goes. */
void client_check_time(struct client *client);

#endif
