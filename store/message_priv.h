/* What files of store/ share about messages, inside a transaction. */
#ifndef STORE_MESSAGE_PRIV_H
#define STORE_MESSAGE_PRIV_H

#include "store/message.h"
#include "store/txn_priv.h"

/* Bodies are kept in rows of this many octets; a content has up to CHUNKS_MAX of them. */
#define CHUNK_OCTETS 262144u
#define CHUNKS_MAX 4096u
static inline int64_t chunk_id(uint64_t content, uint64_t chunk)
{
	return (int64_t)(content * CHUNKS_MAX + chunk);
}

/* A row of the message table, for those who change it. */
struct message_row {
	uint32_t uid, flags;
	uint64_t modseq, keywords, content, size, born;
	int64_t idate_ms, zone_min;
};
struct message_rows {
	struct message_row *p; /* heap */
	size_t n, room;
};
/* The rows in the ranges, ascending; the caller frees with message_rows_fini, also after an error. */
WARN_UNUSED int message_rows_read(struct db *db, struct folder_id folder,
    const struct uid_range *ranges, size_t ranges_n, struct message_rows *rows, struct err *e);
void message_rows_fini(struct message_rows *rows);

WARN_UNUSED int message_insert(struct txn *t, struct folder_id folder, const struct message_row *row,
    struct err *e);

/* 1 or 0: whether that changed anything. */
WARN_UNUSED int maildir_cur_put(struct txn *t, struct folder_id folder, uint32_t uid, bool is_cur,
    struct err *e);
WARN_UNUSED int message_name_put(struct txn *t, struct folder_id folder, uint32_t uid,
    const char *name, struct err *e); /* EXISTS */

/* message_list, of messages changed after `since`, in a transaction that is open. */
WARN_UNUSED int messages_list(struct db *db, struct folder_id folder,
    const struct uid_range *ranges, size_t ranges_n, struct store_modseq since, unsigned what,
    size_t max_n, struct arena *arena, struct message_info **list_r, size_t *n_r, struct err *e);

WARN_UNUSED int messages_move(struct txn *t, struct folder_id from, const struct uid_range *ranges,
    size_t ranges_n, struct folder_id to, struct arena *arena, struct message_copied *moved_r,
    struct err *e);
WARN_UNUSED int messages_expunge(struct txn *t, struct folder_id folder,
    const struct uid_range *ranges, size_t ranges_n, bool only_deleted, struct arena *arena,
    struct store_uid **gone_r, size_t *n_r, struct err *e);

/* The bits of keywords by name; new names get bits where make.  LIMIT: all 63 are given;
 * a name that is unknown and not made adds no bit. */
WARN_UNUSED int keyword_bits(struct txn *t, const char *const *names, size_t n, bool make,
    uint64_t *bits_r, struct err *e);

/* Octets of a content in an open transaction; as content_read. */
WARN_UNUSED int content_read_in(struct db *db, uint64_t content, uint64_t at, void *octets, size_t n,
    size_t *n_r, struct err *e);

#endif
