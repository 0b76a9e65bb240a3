/*
 * A search as SEARCH, SORT and THREAD run it: keys resolved, the store asked a slice at a time with
 * others running between, the result gathered.  What is done with it is the command's.
 */
#ifndef IMAPD_SEARCH_H
#define IMAPD_SEARCH_H

#include "imapd/progress.h"
#include "imapd/result.h"
#include "imapd/search_parse.h"
#include "store/keys.h"
#include "store/view.h"

/* The first member of what req->data points to. */
struct search {
	struct search_args args;
	struct result_how how;
	const struct sort_program *program; /* SORT's; NULL: SEARCH */
	struct result found;
	uint64_t modseq; /* the highest of the messages that are named, where a key was MODSEQ; else 0 */
	struct seq_set modseq_left; /* of what the modseqs are still to be read */
	bool has_named;
	struct result_told told;

	/* Called once everything is found; may set req->step and go on. */
	enum imap_next (*then)(struct imap_req *req, struct err *e);
	struct store_uid next;
	struct view_cursor at;

	struct progress progress;
	bool wants_keys; /* the messages found are gone through a second time: half of the way each */

	/* Between search_keys_start and the end of search_keys. */
	struct seq_set keys_left;
	struct view_cursor keys_at;
	size_t keys_octets;
};

/* "RETURN (...) ", if it comes. */
bool search_parse_how(struct imap_req *req, struct search *search);
/* Runs it; the result is found when `then` is called.  A cleanup of the caller's own calls search_cleanup. */
enum imap_next search_start(struct imap_req *req, struct err *e);
void search_cleanup(struct imap_req *req);
/* IMAP_FAIL, with what a failure means to "$". */
enum imap_next search_fail(struct imap_req *req);
/* Tells the result and ends the command; a step.  name: "SEARCH" or "SORT". */
enum imap_next search_tell(struct imap_req *req, const char *name, struct err *e);

/* Before the first search_keys. */
void search_keys_start(struct imap_req *req);
/* Keys of the next slice of what was found, with their numbers, ascending; n 0: that was all.  What was
 * expunged meanwhile has none.  LIMIT past the setting SortMax of octets in all; keeps: what the caller
 * keeps of a message beside its texts. */
WARN_UNUSED int search_keys(struct imap_req *req, enum keys_what what, size_t keeps,
    struct arena *arena, struct message_keys **list_r, uint32_t **seqs_r, size_t *n_r, struct err *e);

#endif
