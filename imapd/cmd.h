/*
 * Commands: one file `cmd_<name>.c` and one row each (its name in imapd/meson.build).  CAPABILITY,
 * the dispatcher's rules and the list of transcripts that must exist come from the rows.
 *
 * check parses and judges and changes nothing; the dispatcher (dispatch.c) has applied state, TLS and
 * limits when run acts.  A command never reads the connection but through the steps it names.
 */
#ifndef IMAPD_CMD_H
#define IMAPD_CMD_H

#include "base/err.h"
#include "imapd/client.h"
#include "imapd/parse.h"

#include <stdbool.h>

/* States of a client (RFC 3501 3); bits, so that a row can name several. */
enum imap_state {
	IMAP_NOT_AUTHENTICATED = 1,
	IMAP_AUTHENTICATED = 2,
	IMAP_SELECTED = 4,
	IMAP_LOGGED_IN = IMAP_AUTHENTICATED | IMAP_SELECTED,
	IMAP_ANY = 7,
};

enum imap_cmd_flag {
	IMAP_UID = 1,          /* in uid_flags: "UID NAME" exists */
	IMAP_KEEPS_SEQS = 2,   /* no EXPUNGE may be told while it runs (RFC 3501 7.4.1) */
	IMAP_NO_SYNC = 4,      /* changes are not told at its end */
	IMAP_SYNC_ASKS = 8,    /* ask the store even where no bell rang */
	IMAP_WRITES = 16,      /* refused in a folder that was opened with EXAMINE */
	IMAP_ARGS_OPTIONAL = 64, /* check takes the blank before the first argument itself */
	IMAP_EXPUNGES = 256,   /* messages may go by it */
	IMAP_NO_NUMBERS = 128, /* the form without UID takes and tells no message numbers */
	IMAP_STREAMS = 32,     /* its last literal is taken by run as it arrives (streams_now) */
};

enum imap_next {
	IMAP_DONE,  /* the reply is set: req_ok, req_no, req_bad */
	IMAP_YIELD, /* send what was put, then call req->step; others run meanwhile */
	IMAP_WAIT,  /* call req->step when there is input, or somebody wakes the connection */
	IMAP_HOLD,  /* call req->step when somebody wakes the connection; its input waits */
	IMAP_FAIL,  /* *e says why; err_map.c says how it sounds */
};

struct imap_req {
	struct client *client;
	const struct imap_cmd *cmd;
	struct str_view tag;
	bool uid;           /* "UID FETCH": sets hold UIDs */
	struct parse args;
	void *data;         /* the command's own, in the arena: from check to run */
	enum imap_next (*step)(struct imap_req *req, struct err *e);
	/* Ends what the steps hold beside the arena, however the command ends. */
	void (*cleanup)(struct imap_req *req);
	/* The tagged answer. */
	const char *status, *code, *text;
};

struct imap_cmd {
	const char *name;       /* upper case */
	const char *rfc;
	const char *capability; /* words for CAPABILITY, or NULL */
	unsigned states, flags, uid_flags;
	const char *args;       /* for people */
	/* True, or args->bad says why not. NULL: no arguments. */
	bool (*check)(struct imap_req *req);
	enum imap_next (*run)(struct imap_req *req, struct err *e);
	/* IMAP_STREAMS: what was read so far ends with the head of a literal; is it the one that run
	 * takes?  Parses like check. */
	bool (*streams_now)(struct imap_req *req);
};

/* Rows by name, in any case; NULL. */
const struct imap_cmd *cmd_find(struct str_view name);
/* All rows, in the order of the meson list. */
extern const struct imap_cmd *const cmd_rows[];
extern const size_t cmd_rows_n;

/* Set the tagged answer; code without brackets or NULL.  Both must live as long as the command.
 * Always IMAP_DONE. */
enum imap_next req_ok(struct imap_req *req, const char *code, const char *text);
enum imap_next req_no(struct imap_req *req, const char *code, const char *text);
enum imap_next req_bad(struct imap_req *req, const char *text);

#endif
