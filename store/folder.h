/*
 * Folders of a mailbox.  Names are UTF-8 in NFC, at most 1000 bytes, components separated by '/',
 * none empty; INBOX is compared without case and always there.  A folder's parent need not exist.
 */
#ifndef STORE_FOLDER_H
#define STORE_FOLDER_H

#include "store/store.h"

#define FOLDER_NAME_OCTETS 1000

enum folder_use { FOLDER_NO_USE, FOLDER_SENT, FOLDER_DRAFTS, FOLDER_TRASH, FOLDER_JUNK, FOLDER_ARCHIVE, FOLDER_FLAGGED, FOLDER_ALL };

struct folder_info {
	struct folder_id id;
	const char *name;
	uint32_t uidvalidity, uidnext; /* uidnext 0: 4294967296, full */
	struct store_modseq highestmodseq;
	struct store_modseq floormodseq; /* what changed up to this is forgotten in part (change.h, reset) */
	uint32_t exists, unseen, deleted;
	struct store_uid recent_from; /* UIDs from here on are \Recent */
	uint64_t bytes;
	enum folder_use use;
	bool subscribed;
	bool has_children;
	int64_t changed_ms; /* wall: the last change of its membership */
	/* Where they were asked for (enum folder_count), else 0: */
	uint32_t recent;
	uint64_t deleted_bytes;
};

/* What no counter holds, and is counted on demand at the cost of the messages counted; bits. */
enum folder_count {
	FOLDER_COUNT_RECENT = 1,  /* messages from recent_from on */
	FOLDER_COUNT_DELETED = 2, /* octets of messages with \Deleted */
};

/* All folders by name.  Strings live in the arena. */
WARN_UNUSED int folder_list(struct store *store, struct arena *arena, struct folder_info **list_r,
    size_t *n_r, struct err *e);
/* The same with what is counted on demand, in one query and at one instant. */
WARN_UNUSED int folder_list_counted(struct store *store, unsigned counts, struct arena *arena,
    struct folder_info **list_r, size_t *n_r, struct err *e);
WARN_UNUSED int folder_by_name_counted(struct store *store, const char *name, unsigned counts,
    struct arena *arena, struct folder_info *info_r, struct err *e);
/* NOTFOUND. */
WARN_UNUSED int folder_by_name(struct store *store, const char *name, struct arena *arena,
    struct folder_info *info_r, struct err *e);
WARN_UNUSED int folder_by_id(struct store *store, struct folder_id id, struct arena *arena,
    struct folder_info *info_r, struct err *e);

/* Errors: EXISTS, INVALID (the name, or a use that another folder has), NOSPACE.  Missing parents are made too (RFC 9051 6.3.4). */
WARN_UNUSED int folder_create(struct store *store, const char *name, enum folder_use use,
    struct folder_id *id_r, struct err *e);
/* With its children (RFC 9051 6.3.6).  Renaming INBOX moves its messages and leaves it empty. */
WARN_UNUSED int folder_rename(struct store *store, const char *from, const char *to,
    struct err *e);
/* With its messages, not with its children.  PERM for INBOX. */
WARN_UNUSED int folder_delete(struct store *store, const char *name, struct err *e);
/* Only when no message and no folder is in it, judged in the same transaction; else EXISTS. */
WARN_UNUSED int folder_delete_empty(struct store *store, const char *name, struct err *e);

/* Subscriptions may name folders that are gone. */
WARN_UNUSED int folder_subscribe(struct store *store, const char *name, bool on, struct err *e);
WARN_UNUSED int folder_subscriptions(struct store *store, struct arena *arena,
    const char ***names_r, size_t *n_r, struct err *e);

/* Claims \Recent: messages from the old recent_from on are recent to this caller, and to nobody
 * after it (RFC 3501 2.3.2).  Returns the UID from which they are. */
WARN_UNUSED int folder_claim_recent(struct store *store, struct folder_id id,
    struct store_uid *recent_from_r, struct err *e);

/* Whether a name can be a folder's: NFC put into out; INVALID. */
WARN_UNUSED int folder_name_check(struct str_view name, struct str_buf *out, struct err *e);

#endif
