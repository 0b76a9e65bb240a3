/*
 * What a process remembers of contents, by mailbox: records that were dear to make.  A content never changes and
 * its number is never given again, so there is nothing to keep in step.  What is not used for ContentCacheIdle
 * goes, and the longest unused where the process would keep more than ContentCacheMax.  Threads may share it.
 */
#ifndef STORE_CONTENT_CACHE_PRIV_H
#define STORE_CONTENT_CACHE_PRIV_H

#include "base/str.h"
#include "store/mailbox_priv.h"

enum content_kind {
	CONTENT_FIELDS,  /* header fields that are searched: struct search_fields */
	CONTENT_SORT,    /* keys (keys.c) */
	CONTENT_THREAD,
	CONTENT_LISTING, /* what is told of a message that has just come: struct listing */
	CONTENT_KINDS,
};

struct content_cache;
/* The mailbox's, which is made where there is none yet. */
struct content_cache *content_cache_borrow(struct mailbox *mb);
/* The same, but NULL where there is none. */
struct content_cache *content_cache_borrow_made(struct mailbox *mb);
/* NULL: nothing. */
void content_cache_return(struct mailbox *mb, struct content_cache *cache);

/* What is found begins where a pointer may stand, and stays until it is given back.  False: it is not there. */
bool content_cache_find(struct content_cache *cache, enum content_kind kind, uint64_t content,
    struct str_view *record_r);
/* Keeps a copy, where there is room. */
void content_cache_keep(struct content_cache *cache, enum content_kind kind, uint64_t content,
    struct str_view record);
/* The lowest content that has such a record; UINT64_MAX: none has. */
uint64_t content_cache_first(struct content_cache *cache, enum content_kind kind);

#endif
