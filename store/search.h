/*
 * Search as IMAP means it: substrings of decoded text, without case over Unicode.  The caller builds
 * a tree of keys (from an arena); the store answers with UIDs.
 */
#ifndef STORE_SEARCH_H
#define STORE_SEARCH_H

#include "store/message.h"

enum search_kind {
	SEARCH_ALL,
	SEARCH_AND, SEARCH_OR, SEARCH_NOT, /* of children */
	SEARCH_UIDS,                       /* ranges */
	SEARCH_FLAG,                       /* has every bit of flags */
	SEARCH_KEYWORD,                    /* text: keyword name */
	SEARCH_HEADER,                     /* field name in name; text may be empty: the field is there */
	SEARCH_ADDRESS,                    /* name: "from" "to" "cc" "bcc": text in the decoded field */
	SEARCH_BODY, SEARCH_TEXT,
	SEARCH_LARGER, SEARCH_SMALLER,     /* number: octets */
	SEARCH_BEFORE, SEARCH_ON, SEARCH_SINCE,             /* day: INTERNALDATE in its own zone */
	SEARCH_SENT_BEFORE, SEARCH_SENT_ON, SEARCH_SENT_SINCE, /* day: Date: field in its own zone */
	SEARCH_SAVED_BEFORE, SEARCH_SAVED_ON, SEARCH_SAVED_SINCE, /* day: SAVEDATE (RFC 8514), in UTC */
	SEARCH_OLDER, SEARCH_YOUNGER,      /* at_s: INTERNALDATE at most, at least that (RFC 5032) */
	SEARCH_MODSEQ,                     /* number: at least */
	SEARCH_EMAILID,                    /* number: the content's */
};

struct search_key {
	enum search_kind kind;
	struct search_key *children, *next; /* children: the first of a list linked by next */
	const struct uid_range *ranges;
	size_t ranges_n;
	uint32_t flags;
	const char *name;
	struct str_view text; /* UTF-8 */
	uint64_t number;
	int32_t day; /* days since 1970-01-01 */
	/* Seconds since 1970-01-01; who asks takes the interval off its clock once, so that all slices of a
	 * search mean the same instant.  RFC 5032 3: compared to the second, both ends included. */
	int64_t at_s;
};

/*
 * UIDs that match, ascending, among those from `from` on; at most slice_n messages are looked at:
 * *next_r is where to go on, 0 when all were seen.  So a long search yields to others between slices.
 */
WARN_UNUSED int search_run(struct store *store, struct folder_id folder,
    const struct search_key *key, struct store_uid from, size_t slice_n, struct arena *arena,
    struct store_uid **found_r, size_t *n_r, struct store_uid *next_r, struct err *e);

#endif
