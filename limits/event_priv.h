/* The writing side of the event log. */
#ifndef LIMITS_EVENT_PRIV_H
#define LIMITS_EVENT_PRIV_H

#include "limits/event.h"

struct event_log;

struct event_log *event_log_new(int store_fd, int runtime_fd);
void event_log_free(struct event_log **log, bool is_forked);
struct event_refusal {
	uint64_t user;
	const char *user_name;
	const char *setting, *object;
	uint32_t limit, held;
	const char *explain; /* of a minute's refusals the first one's is kept */
};
/* Records event 9646, or counts it in the record of this minute.  What goes wrong goes to the
 * program log: a refusal stands whether it could be recorded or not. */
void event_log_refusal(struct site *site, const struct event_refusal *refusal);
/* How often now, where the record's own count still lags. */
uint64_t event_log_count(struct site *site, uint64_t user, const struct event *event);

#endif
