/*
 * Annotations (METADATA, RFC 5464): values under names such as "/private/comment", of a folder or of
 * the mailbox itself.  Names are compared without case; they go with a folder that is renamed, and away
 * with one that is deleted.
 */
#ifndef STORE_ANNOTATION_H
#define STORE_ANNOTATION_H

#include "store/folder.h"

#define ANNOTATION_NAME_OCTETS 1000

/* The folder of the mailbox itself: what RFC 5464 calls the server's annotations. */
#define ANNOTATION_MAILBOX ((struct folder_id){0})

struct annotation {
	const char *name;
	struct str_view value; /* p = NULL: none; or longer than was asked for */
	uint64_t octets;       /* of the value */
};

/* Whether an annotation can have that name: below /private or /shared, ASCII, no part empty, no '*'
 * and no '%' (RFC 5464 3.2); INVALID. */
WARN_UNUSED int annotation_name_check(struct str_view name, struct err *e);

struct annotation_query {
	const char *const *names;
	size_t names_n;
	uint32_t depth;      /* levels below the names; UINT32_MAX: all (RFC 5464 4.2.2) */
	uint64_t octets_max; /* of a value that is to be read */
};
/* Those that are there, by name within each that was asked for.  Errors: NOTFOUND (the folder). */
WARN_UNUSED int annotation_list(struct store *store, struct folder_id folder,
    const struct annotation_query *query, struct arena *arena, struct annotation **list_r,
    size_t *n_r, struct err *e);
/* Sets all or none; a value of NULL removes.  Errors: INVALID (a name), NOTFOUND (the folder), TOOBIG
 * (a value), LIMIT (the folder would have too many), QUOTA (all of the mailbox would be too large). */
WARN_UNUSED int annotation_set(struct store *store, struct folder_id folder,
    const struct annotation *list, size_t n, struct err *e);

/* What was set to something else, or removed, after `since` and up to `until`; by folder and name.  What
 * was removed is known as long as a folder has no more of it than it may have annotations. */
struct annotation_change {
	struct folder_id folder;
	const char *name;
	struct store_modseq modseq;
};
WARN_UNUSED int annotation_changes(struct store *store, struct store_modseq since,
    struct store_modseq until, struct arena *arena, struct annotation_change **list_r, size_t *n_r,
    struct err *e);

#endif
