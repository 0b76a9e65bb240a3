/* What LIST and LSUB share: names, patterns, and the parents between. */
#ifndef IMAPD_LIST_H
#define IMAPD_LIST_H

#include "imapd/cmd.h"
#include "store/folder.h"

struct list_entry {
	const char *name;
	const struct folder_info *folder; /* NULL: no folder, only the parent of one */
	bool has_children;
};

/* "reference pattern" into req->data. */
bool list_check(struct imap_req *req);
/* The two arguments put together; false: `LIST "" ""`, which asks for the separator only. */
bool list_pattern(struct imap_req *req, struct str_view *pattern_r);
/*
 * Those of the entries that match, and for what does not match a parent that does and is not among
 * them, by name, without doubles.  In the arena.
 */
void list_match(struct str_view pattern, const struct list_entry *all, size_t all_n,
    struct arena *arena, struct list_entry **found_r, size_t *n_r);

#endif
