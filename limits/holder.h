/*
 * Who holds sessions that count for a user: a list of sessions, by user.  For people and for who watches.
 */
#ifndef LIMITS_HOLDER_H
#define LIMITS_HOLDER_H

#include "limits/session.h"

struct holder {
	const char *name; /* borrowed from the list */
	struct user_id id;
	struct session_counts counts;
	int64_t active_ms; /* wall: the latest of his sessions */
};

/* Each once, by name; the list is put into another order.  Transport and administration count for nobody. */
void holders_find(struct session_info *list, size_t n, struct arena *arena, struct holder **holders_r, size_t *holders_n_r);

#endif
