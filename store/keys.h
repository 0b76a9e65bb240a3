/*
 * What SORT and THREAD compare (RFC 5256, RFC 5957): of each message, its subject without "Re:", its first
 * addresses, when it was sent, what it refers to.  A content never changes, so what is made of it once is
 * remembered (store/content_cache_priv.h) for whoever asks next.
 */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include "store/message.h"

/* Texts are cut behind so many octets, before they are compared. */
#define KEYS_TEXT_OCTETS_MAX 1000u
/* References beyond so many are left out, the oldest first. */
#define KEYS_REFS_MAX 1000u

/* What is to be filled beside uid, arrival and size. */
enum keys_what {
	KEYS_ROW,    /* nothing more */
	KEYS_SORT,   /* sent_ms, subject, addresses */
	KEYS_THREAD, /* sent_ms, subject, id, refs */
};

/* Texts are in the comparator's form (mime/decode.h), "" where there is none; in the arena. */
struct message_keys {
	struct store_uid uid;
	int64_t arrival_ms; /* INTERNALDATE */
	uint64_t size;
	int64_t sent_ms;    /* Date:, and where none can be read INTERNALDATE (RFC 5256 2.2) */
	struct str_view subject;
	bool is_reply;      /* or a forward */
	struct str_view from, to, cc;                  /* mailboxes of the first addresses */
	struct str_view display_from, display_to;      /* RFC 5957 3 */
	uint64_t id;        /* stands for the Message-ID, in this process; 0: none */
	const uint64_t *refs; /* the same, of References, else the first of In-Reply-To */
	size_t refs_n;
};

/* Keys of a folder's messages in the ranges (ascending), ascending, at most max_n.  NOTFOUND: the folder
 * is gone. */
WARN_UNUSED int message_keys_list(struct store *store, struct folder_id folder,
    const struct uid_range *ranges, size_t ranges_n, enum keys_what what, size_t max_n,
    struct arena *arena, struct message_keys **list_r, size_t *n_r, struct err *e);

/* What stands for a Message-ID in message_keys.id and refs, in this process. */
uint64_t message_keys_id(struct str_view message_id);

#endif
