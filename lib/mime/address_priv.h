/* Address lists (RFC 5322 3.4, obsolete forms of 4.4), one address at a time. */
#ifndef MIME_ADDRESS_PRIV_H
#define MIME_ADDRESS_PRIV_H

#include "mime/header_priv.h"

enum address_kind {
	ADDRESS_MAILBOX,
	ADDRESS_GROUP,
	ADDRESS_GROUP_END
};

struct address_parser {
	struct lex l;
	bool in_group;
	const char *no_route_before; /* up to here no route ends */
	/* The address at hand; valid until the next one is asked for. */
	enum address_kind kind;
	struct str_buf
	    name; /* phrase, else comment; of a group: its name.  Encoded words stay raw */
	struct str_buf route; /* "@a,@b", or empty */
	struct str_buf
	    mailbox; /* local part without quotes; what makes no sense stays here, visible */
	struct str_buf host; /* empty if there is none */
	bool has_name;
};

/* Begin with {.l = lex_of(value)}. */
bool address_next(struct address_parser *a);
void address_parser_fini(struct address_parser *a);

#endif
