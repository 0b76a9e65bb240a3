/*
 * Transactions of a mailbox: borrow a handle, begin, and give all back at the end.
 *
 * A transaction that writes has one modseq, which everything it changes gets.  Nothing may wait for
 * a peer between begin and end.
 */
#ifndef STORE_TXN_PRIV_H
#define STORE_TXN_PRIV_H

#include "store/db_priv.h"
#include "store/mailbox_priv.h"
#include "store/store.h"

struct txn {
	struct mailbox *mailbox;
	struct db *db;
	/* of one that writes: */
	bool is_write;
	enum handle_kind kind;
	struct store_modseq modseq; /* of this transaction */
	bool has_changed;           /* modseq was written: the doorbell rings */
	uint64_t store;             /* whose: store.number */
	uint64_t nextcontent;
	int64_t reserves; /* modseqs up to this are reserved by its commit; 0: it reserves none */
	int64_t now_ms; /* wall */
};

/* Errors of the begins: BUSY, CORRUPT, UNAVAILABLE, NOTFOUND, IO, NOSPACE.  After an error nothing
 * is held. */
WARN_UNUSED int txn_read(struct store *store, struct txn *t, struct err *e);
/* The same for one statement, which is a transaction by itself. */
WARN_UNUSED int txn_read_one(struct store *store, struct txn *t, struct err *e);
void txn_read_end(struct txn *t);
WARN_UNUSED int txn_write(struct store *store, enum handle_kind kind, struct txn *t, struct err *e);
/* Ends it in either case; rings the doorbell after success. */
WARN_UNUSED int txn_commit(struct txn *t, struct err *e);
/* Ends it, changing nothing.  After txn_commit or txn_abort another call does nothing. */
void txn_abort(struct txn *t);

/* What a transaction did to one folder; the mailbox's sums follow. */
struct tally {
	struct folder_id folder;
	int64_t exists, unseen, deleted, bytes;
	int64_t uids, contents; /* taken */
	bool membership;        /* messages came or went: the folder's mtime */
};
void tally_add(struct tally *tally, uint32_t flags, uint64_t size, int64_t sign);
WARN_UNUSED int tally_write(struct txn *t, const struct tally *tally, struct err *e);

/* Whether more messages of so many octets fit under the mailbox's quota: QUOTA (quota_sql.c). */
WARN_UNUSED int quota_check(struct txn *t, uint64_t messages, uint64_t octets, struct err *e);

/* A message went out of a folder or came into one as a copy: who shares its content. */
WARN_UNUSED int content_share(struct txn *t, uint64_t content, struct err *e);
WARN_UNUSED int content_unshare(struct txn *t, uint64_t content, struct err *e);

/* A new mailbox's first rows; nothing where they are there.  1 or 0: whether they are; -1. */
WARN_UNUSED int txn_found(struct mailbox *mb, struct db *db, struct err *e);
WARN_UNUSED int txn_is_founded(struct db *db, struct err *e);

/* Reclaims a slice of what is dead past its grace; true: there is more.  Writer lock held. */
bool sweep_slice(struct mailbox *mb, struct db *db);

#endif
