/* A context, between the files that keep it: who is in it, and what the client is told of that. */
#ifndef IMAPD_CONTEXT_PRIV_H
#define IMAPD_CONTEXT_PRIV_H

#include "imapd/context.h"

struct context {
	struct context *next;
	struct session *session; /* that is charged */
	struct arena arena;
	struct str_view tag;
	bool uid;                /* it is told in UIDs */
	struct search_key *key;
	bool can_change;         /* what the key asks of a message */
	uint32_t last_uid;       /* messages up to this one have been judged */
	struct uid_range *members; /* heap; ascending */
	size_t members_n;
	const struct sort_program *program; /* NULL: SEARCH */
	uint32_t *order;         /* heap: SORT's members */
	size_t order_n, order_room;
};

/* ---- context_members.c ---- */

bool context_has(const struct context *context, uint32_t uid);
/* Without those removed, which are members; with those added, which are not. */
void context_take_out(struct context *context, const uint32_t *removed, size_t n);
void context_put_in(struct context *context, const uint32_t *added, size_t n);
/* Whether the UID is among these, ascending. */
bool uids_have(const uint32_t *uids, size_t n, uint32_t uid);

/* ---- context_tell.c: UIDs, ascending; after the members were changed ---- */

/* What: ADDTO or REMOVEFROM of a SEARCH. */
void context_tell_set(struct client *client, const struct context *context, const char *what,
    const uint32_t *uids, size_t n);
/* The same of a SORT, of which the order changes too. */
void context_remove_sorted(struct client *client, struct context *context, const uint32_t *uids,
    size_t n);
WARN_UNUSED int context_add_sorted(struct client *client, struct context *context,
    const uint32_t *uids, size_t n, struct err *e);

#endif
