/* Flags and keywords.  A mailbox has at most 63 keywords; names are compared without case. */
#ifndef STORE_FLAGS_H
#define STORE_FLAGS_H

#include "store/message.h"

#include <stdatomic.h>

#define KEYWORDS_MAX 63

enum flags_how { FLAGS_REPLACE, FLAGS_ADD, FLAGS_REMOVE };

/* Where a Maildir tool has put a message: the mount shows what is in cur/ there, whatever its flags. */
enum flags_place { FLAGS_ANY_PLACE, FLAGS_IN_CUR, FLAGS_IN_NEW };

struct flags_change {
	enum flags_how how;
	uint32_t flags;
	const char *const *keywords;
	size_t keywords_n;
	enum flags_place place;
	/* Messages whose modseq is higher are left alone and listed as failed; 0: none (RFC 7162 3.1.3). */
	struct store_modseq unchanged_since;
	bool has_unchanged_since;
};

/* Changes messages in the ranges in one transaction; changed_r: those that are there, as they are
 * now (MESSAGE_FLAGS; changed or not).  LIMIT: a 64th keyword. */
WARN_UNUSED int flags_store(struct store *store, struct folder_id folder,
    const struct uid_range *ranges, size_t ranges_n, const struct flags_change *change,
    struct arena *arena, struct message_info **now_r, size_t *n_r, struct store_uid **failed_r,
    size_t *failed_n_r, struct err *e);

/* The same, and where the folder stood before and after: equal where nothing changed. */
struct flags_stored {
	struct message_info *now;
	size_t n;
	struct store_uid *failed;
	size_t failed_n;
	struct store_modseq before, after;
};
WARN_UNUSED int flags_store_at(struct store *store, struct folder_id folder,
    const struct uid_range *ranges, size_t ranges_n, const struct flags_change *change,
    struct arena *arena, struct flags_stored *stored_r, struct err *e);

/* The mailbox's keywords: names_r[bit], NULL where a bit is free. */
WARN_UNUSED int flags_keywords(struct store *store, struct arena *arena,
    const char *names_r[KEYWORDS_MAX], struct err *e);
/* The same, shared by who asks while nothing in the mailbox changes. */
struct keyword_names {
	atomic_uint refs;
	struct arena arena;
	uint64_t bits; /* those that have a name */
	const char *names[KEYWORDS_MAX];
};
WARN_UNUSED int keyword_names_get(struct store *store, struct keyword_names **names_r,
    struct err *e);
void keyword_names_release(struct keyword_names **names);

#endif
