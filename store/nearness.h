/*
 * How near a user is to his limits, for who watches.  An administrator has another limit, which the directory knows; it is asked
 * only about those who are near the others' limit, so that a look at ten thousand users is none at their rows.
 */
#ifndef STORE_NEARNESS_H
#define STORE_NEARNESS_H

#include "limits/holder.h"

struct nearness {
	uint32_t of_all, of_service;                 /* the limits */
	uint64_t percent_of_all, percent_of_service; /* of each that is held; 0 where nothing is */
};

struct nearness nearness_of(struct site *site, const struct holder *holder);
/* Of the limit that is nearest. */
uint64_t nearness_percent(const struct nearness *to);
/* The limit of all of a user's sessions: exact, by a look at his row. */
uint32_t nearness_limit_of_all(struct site *site, struct user_id user);

#endif
