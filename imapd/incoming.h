/*
 * Messages that come in with a command: what APPEND (RFC 3501 6.3.11, MULTIAPPEND RFC 3502, CATENATE
 * RFC 4469) and REPLACE (RFC 8508) share.  The command's text is read up to a literal that is a
 * message or a piece of one, the literal goes to the store as it arrives, and so on to the command's
 * end.  The store is locked only for the commit, when all is there.
 */
#ifndef IMAPD_INCOMING_H
#define IMAPD_INCOMING_H

#include "imapd/cmd.h"
#include "imapd/read.h"
#include "store/message.h"

/* What a text says, in its order; a literal that is to come is always its last. */
struct incoming_act {
	struct incoming_act *next;
	enum incoming_kind { INCOMING_BEGIN, INCOMING_URL, INCOMING_LITERAL, INCOMING_END } kind;
	/* BEGIN */
	struct flag_list list;
	int64_t idate_ms; /* INT64_MIN: now */
	int zone_min;
	/* URL */
	struct str_view url;
	/* LITERAL */
	struct literal_head literal;
	bool is_whole; /* the message, not a piece of it */
};

/* Where in the grammar a text begins, and how far it came. */
struct incoming_text {
	enum incoming_at {
		INCOMING_AT_MESSAGE,   /* its flags or date, or what it is made of */
		INCOMING_AT_BEHIND,    /* behind a literal that was the message */
		INCOMING_AT_LIST,      /* behind a literal in a CATENATE's list */
		INCOMING_AT_UTF8,      /* before the ')' of UTF8 (~{n}...) */
		INCOMING_AT_LIST_UTF8, /* the same in a list */
	} at;
	bool may_utf8;    /* the client enabled UTF-8 */
	uint32_t parts_n; /* of the CATENATE at hand */
	struct incoming_act *acts, **acts_end;
};
/* The text from p->p to its end, which is the command's or behind a literal's head. */
bool incoming_parse(struct parse *p, struct incoming_text *text);

/* Zeroed, then what stands first is set; in the arena. */
struct incoming {
	const char *folder_name; /* NULL: what was named can't be a folder's name */
	uint32_t messages_max;
	bool makes_room; /* something goes in the message's place: the commit judges the quota */
	/* Makes messages of what came in: `appends` and `how`, n each. */
	enum imap_next (*commit)(struct imap_req *req, struct incoming *in, struct err *e);

	struct append **appends;
	struct append_how *how;
	size_t n, size;

	uint64_t octets;      /* of all messages so far */
	uint64_t text_octets; /* of the command without them */
	struct folder_id folder; /* 0: not looked for yet */
	struct incoming_text text;
	const struct incoming_act *act; /* the next to do */
	struct append *append;          /* the message that comes in */
	uint64_t left;                  /* of its literal */
	struct catenate *source;        /* the URL that is copied */
	/* Set: nothing is wanted any more, and what comes is thrown away. */
	const char *refusal_code, *refusal;
};

/* For a row's check and streams_now: the messages, behind the name of the folder. */
bool incoming_check(struct imap_req *req, struct incoming *in);
bool incoming_streams(const struct incoming_text *text);
/* For a row's streams_now once the command runs: whether the text that was read of the rest ends with a
 * message's literal. */
bool incoming_streams_on(struct imap_req *req, const struct incoming *in);
/* Nothing is to be stored, and the answer will be NO: the first refusal stands. */
void incoming_refuse(struct incoming *in, const char *code, const char *text);
/* Takes them in, commits, and answers. */
enum imap_next incoming_run(struct imap_req *req, struct incoming *in, struct err *e);
/* "APPENDUID 38505 3955:3957" (RFC 4315 3). */
const char *incoming_appenduid(struct arena *arena, const struct append_done *done, size_t n);

#endif
