/*
 * One login under way: what AUTH said, and where the mechanism's exchange stands.  A request is at one place
 * at a time, and whoever has it there may touch it (work.h):
 *
 *   resting   the peer was asked something, and is awaited (a while)
 *   queued    waits for a thread; in steps, on one
 *   held      its answer waits until it is due
 */
#ifndef AUTHD_REQUEST_H
#define AUTHD_REQUEST_H

#include "authd/guard.h"
#include "authd/protocol.h"
#include "auth/sasl.h"
#include "base/arena.h"
#include "base/str.h"

struct client;

enum request_place { REQUEST_RESTING, REQUEST_QUEUED, REQUEST_HELD };

struct request {
	struct client *client; /* a reference */
	uint32_t id;
	const char *mechanism, *service, *address; /* address NULL: not told */
	struct arena arena;
	struct account_source accounts; /* what ours stands in front of */
	struct sasl *sasl;
	struct str_buf in; /* base64, to be stepped with; wiped */
	bool has_in, wants_codes;
	bool may_hash;    /* it is on a thread of work.c */
	bool needs_hash;  /* that is what the step lacked */
	bool may_wait;    /* the same for PAM */
	int64_t began_ms; /* when it came to that; 0: it did not */
	struct protocol_line line; /* what it began with, in the arena, to begin again */
	bool is_counted; /* as a failure */

	struct guard_pass pass;
	struct str_buf answer; /* a line */
	bool is_over;          /* the answer is the last */

	/* client.c, under the client's lock */
	struct request *sibling;
	bool is_listed;
	/* work.c, under its lock */
	enum request_place place;
	struct request *next;
	int64_t due_ms;
	size_t heap_pos; /* + 1; 0: not there */
};

/* A reference to the client is taken.  UNSUPPORTED: no such mechanism. */
WARN_UNUSED int request_new(struct client *client, const struct protocol_line *line,
    struct request **request_r, struct err *e);
/* What is to be stepped with next; copied. */
void request_give(struct request *request, bool has_data, struct str_view data);
/* The first step where it takes no hash, on any thread; false: request_step is to make it. */
bool request_step_quickly(struct request *request, int64_t *delay_ms_r);
/* The step has to be made again, on a thread that may wait. */
#define REQUEST_WAITS (-1)
/* On a thread of work.c: a step of the exchange; the answer is there then.  Returns how long it is to be held
 * back.  Blocks for as long as hashing takes. */
int64_t request_step(struct request *request);
/* The answer is "FAIL, try later" in the words given, and the request is over. */
void request_fail_temporarily(struct request *request, const char *reason);
void request_free(struct request **request);

#endif
