/* Between keys.c, which makes keys, and keys_sql.c, which reads what they are made of. */
#ifndef STORE_KEYS_PRIV_H
#define STORE_KEYS_PRIV_H

#include "store/keys.h"
#include "store/txn_priv.h"

/* A message of which the content's keys are still to come. */
struct keys_row {
	struct message_keys keys;
	uint64_t content;
};
/* Rows in the ranges, at most max_n, in the arena. */
WARN_UNUSED int keys_rows(struct db *db, struct folder_id folder, const struct uid_range *ranges,
    size_t ranges_n, size_t max_n, struct arena *arena, struct keys_row **rows_r, size_t *n_r,
    struct err *e);

/* What a content has; the envelope is borrowed from the query until the next call or keys_content_end. */
struct keys_content {
	struct query q;
	bool is_open;
	int64_t sent_ms; /* INT64_MIN: none */
	uint64_t header_n;
	struct str_view envelope;
};
/* 1, or 0 where there is no such content; -1. */
WARN_UNUSED int keys_content_read(struct keys_content *c, struct db *db, uint64_t content,
    struct err *e);
void keys_content_end(struct keys_content *c);

#endif
