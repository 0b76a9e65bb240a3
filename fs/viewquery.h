/*
 * What people ask for in a path, view/USER/search/<query>/, as a tree of keys that the store searches by:
 * words and KEY:VALUE beside each other (all hold), OR, NOT or a dash, quotes, parentheses; postern-fs(8) has
 * the whole of it.  Knows no tree and no mailbox.
 */
#ifndef FS_VIEWQUERY_H
#define FS_VIEWQUERY_H

#include "store/search.h"

#include "base/arena.h"

/* in:FOLDER, or -in:FOLDER: the folder and what is below; "*" is every folder. */
struct viewquery_in {
	const char *folder;
	bool is_not;
};

struct viewquery {
	const struct search_key *key;
	const struct viewquery_in *in;
	size_t in_n;
	bool is_of_now; /* says newer: or older:, so that it finds something else as time goes by */
};

/* Why it is no query: a text of ours, and the octet where it was found. */
struct viewquery_fault {
	const char *text;
	size_t at;
};

/* Strings live in the arena.  now_s: the wall, for newer: and older:. */
bool viewquery_parse(struct str_view text, int64_t now_s, struct arena *arena,
    struct viewquery *query_r, struct viewquery_fault *fault_r);

/* Whether a folder is searched.  Trash and Junk, and what is below, only where in: names them: is_aside says
 * that it is one of these. */
bool viewquery_covers(const struct viewquery *query, const char *folder, bool is_aside);

#endif
