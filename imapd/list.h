/* What LIST and LSUB share: names, patterns, and the parents between. */
#ifndef IMAPD_LIST_H
#define IMAPD_LIST_H

#include "imapd/cmd.h"
#include "store/folder.h"

struct list_entry {
	const char *name;
	const struct folder_info *folder; /* NULL: there is none of the name */
	bool is_subscribed;
	bool is_chosen;        /* by what was asked for */
	bool has_children;     /* folders */
	bool has_chosen_below; /* CHILDINFO (RFC 5258 3.5): entries that are chosen */
};

/* What is told of names that match and are not chosen. */
enum list_parents {
	LIST_NO_PARENTS,
	LIST_MISSING_PARENTS, /* that no entry is, of chosen ones that do not match (RFC 3501 6.3.8) */
	LIST_ALL_PARENTS,     /* of chosen ones, entries or not (RECURSIVEMATCH, RFC 5258 3.1) */
};

struct list_patterns {
	struct str_view reference, *at;
	size_t n;
	bool is_list; /* in parentheses: RFC 5258 3 */
};

/* A pattern behind the reference; a list of them too where that is allowed. */
bool list_parse_patterns(struct imap_req *req, bool many_too, struct list_patterns *patterns_r);
/* The pattern `""`, which asks for the separator only. */
bool list_is_root(const struct list_patterns *patterns);
/*
 * The entries that are chosen and match any of the patterns, and parents, by name without doubles;
 * all is by name.  In the arena.
 */
void list_match(const struct list_patterns *patterns, enum list_parents parents,
    const struct list_entry *all, size_t all_n, struct arena *arena, struct list_entry **found_r,
    size_t *n_r);

/* An untagged LIST of one name, with OLDNAME where it was called otherwise before, or was written
 * otherwise (RFC 9051 6.3.9.7).  attribute: with its backslash. */
void list_put_name(struct client *client, const char *attribute, const char *name,
    struct str_view old);
/* The same for a folder that is there. */
void list_put_folder(struct client *client, const struct folder_info *folder, struct str_view old);

#endif
