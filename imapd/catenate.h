/* The texts that CATENATE's URLs name (RFC 4469, RFC 5092), out of the store into a message. */
#ifndef IMAPD_CATENATE_H
#define IMAPD_CATENATE_H

#include "imapd/client.h"
#include "imapd/fetch.h"

/* A URL of one message or a section of one, on this server.  Views into the URL, or in the arena. */
struct imap_url {
	const char *mailbox; /* UTF-8; NULL: the selected folder */
	uint32_t uidvalidity; /* 0: not said */
	uint32_t uid;
	struct fetch_section section;
};
/* False: no such URL, or one that leads elsewhere. */
bool imap_url_parse(struct str_view text, struct arena *arena, const struct parse_limits *limits,
    struct imap_url *url_r);

/* Finds what a URL names; false: there is no such text. */
struct catenate;
bool catenate_open(struct client *client, struct str_view url, struct catenate **source_r);
/* The next slice of it: 1, or 0 at the end.  -1: as append_write, and EXPUNGED. */
WARN_UNUSED int catenate_copy(struct store *store, struct catenate *source, struct append *append,
    struct err *e);
void catenate_close(struct catenate **source);
/* BADURL "..." */
const char *catenate_badurl(struct arena *arena, struct str_view url);

#endif
