/*
 * What SEARCH or SORT found, and how it is told: as numbers, or as the items that RETURN asked for
 * (RFC 4731, RFC 9394), and what of it is kept for "$" (RFC 5182).
 */
#ifndef IMAPD_RESULT_H
#define IMAPD_RESULT_H

#include "imapd/cmd.h"
#include "imapd/seq.h"

enum result_option {
	RESULT_MIN = 1,
	RESULT_MAX = 2,
	RESULT_COUNT = 4,
	RESULT_ALL = 8,
	RESULT_SAVE = 16,
	RESULT_PARTIAL = 32,
	RESULT_CONTEXT = 64, /* a hint (RFC 5267 4.2), and nothing more */
	RESULT_UPDATE = 128,
};

/* RETURN's options. */
struct result_how {
	bool is_extended; /* RETURN was there, or IMAP4rev2 is: an ESEARCH response */
	unsigned options; /* enum result_option */
	struct partial partial;
};

/* Zeroed: nothing found. */
struct result {
	struct uid_range *ranges; /* of sequence numbers, ascending; heap */
	size_t ranges_n, room;
	uint32_t n;
	uint32_t *order; /* SORT's: n sequence numbers, in the arena; NULL: ascending */
};

/* "RETURN (...) ", if it comes. */
bool result_parse_how(struct parse *p, struct result_how *how);

/* How many of the messages found, in ascending order, are enough to tell and save all that is asked for:
 * MIN's and a page's from the front need no more (RFC 9394 3.1); UINT32_MAX: all. */
uint32_t result_enough(const struct result_how *how);
/* Numbers come in ascending order. */
void result_add(struct result *result, uint32_t seq);
void result_fini(struct result *result);

/* The messages that the items name: all of them, or MIN's, MAX's, PARTIAL's alone (RFC 5182 2.4,
 * RFC 9394 3.2), without order. */
void result_named(const struct result *result, const struct result_how *how, struct result *named);
/* UIDs of a result, in the arena. */
struct seq_set result_uids(const struct imap_req *req, const struct result *result);
/* Keeps them for "$"; false where they are more than the setting allows: "$" is empty then. */
bool result_save(struct imap_req *req, const struct result *result);
/* "$" is nothing from now on. */
void result_forget(struct client *client);

/* How far it has been told; zeroed: nothing yet. */
struct result_told {
	bool has_begun;
	uint32_t at, end;  /* positions, from 0 */
	size_t range;      /* where `at` lies */
	uint32_t in_range;
	struct seq_writer writer;
};
/* Tells a slice: IMAP_YIELD while there is more, then IMAP_DONE.  name: "SEARCH" or "SORT"; modseq 0:
 * none is told. */
enum imap_next result_tell(struct imap_req *req, const char *name, const struct result *result,
    const struct result_how *how, uint64_t modseq, struct result_told *told);

#endif
