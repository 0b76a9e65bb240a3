/*
 * What a view shows: the messages that a query finds, or that belong to a thread, with names that are unique
 * in it.  Made whole at one moment and never changed, so that who lists it sees one state.
 */
#ifndef FS_VIEWSET_H
#define FS_VIEWSET_H

#include "fs/viewquery.h"
#include "fs/tree.h"

#include <stdatomic.h>

struct viewset_entry {
	uint32_t folder, uid; /* the folder's slot */
	uint32_t name;        /* where it begins in names */
	uint32_t next;        /* of the same hash: an index and 1 */
};

struct viewset {
	atomic_uint refs;
	struct viewset_entry *list;
	size_t n, size;
	struct str_buf names;
	uint32_t *buckets; /* by name: an index and 1 */
	size_t buckets_n;
	uint64_t counter;  /* the mailbox's change counter before it was made */
	int64_t made_ms, took_ms; /* monotonic */
	bool is_of_now;
	bool is_cut;       /* there is more than a view may show */
};

void viewset_put(struct viewset **set);
struct viewset *viewset_ref(struct viewset *set);

const char *viewset_name(const struct viewset *set, const struct viewset_entry *entry);
/* NULL: it is not in it. */
const struct viewset_entry *viewset_find(const struct viewset *set, const char *name);

/* Finds it all now, under an administration session that lives as long as the search.  0 or an errno value;
 * EINVAL for a query that is none. */
int viewset_of_query(struct mailbox *mb, struct str_view text, struct viewset **set_r);
/* message_id: of any message of the thread. */
int viewset_of_thread(struct mailbox *mb, struct str_view message_id, struct viewset **set_r);

#endif
