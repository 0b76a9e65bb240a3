/*
 * A search as SEARCH, SORT and THREAD run it: keys resolved, the store asked a slice at a time with
 * others running between, the result gathered.  What is done with it is the command's.
 */
#ifndef IMAPD_SEARCH_H
#define IMAPD_SEARCH_H

#include "imapd/result.h"
#include "imapd/search_parse.h"
#include "imapd/view.h"

/* The first member of what req->data points to. */
struct search {
	struct search_args args;
	struct result_how how;
	struct result found;
	uint64_t modseq; /* of the messages that are named, where a key was MODSEQ; else 0 */
	struct result_told told;

	/* Called once everything is found; may set req->step and go on. */
	enum imap_next (*then)(struct imap_req *req, struct err *e);
	struct store_uid next;
	struct view_cursor at;
};

enum imap_next search_start(struct imap_req *req, struct err *e);
/* Tells the result and ends the command; a step.  name: "SEARCH" or "SORT". */
enum imap_next search_tell(struct imap_req *req, const char *name);

#endif
