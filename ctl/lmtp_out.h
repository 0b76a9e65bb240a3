/*
 * A message handed to postern-lmtpd's Unix socket, for who may not open the store.  Its octets are told as they come,
 * and nothing is delivered before its end was told.
 *
 * Each call returns an exit status of sysexits: EX_OK goes on, any other ends it, and *e says why.  What can be
 * mended is EX_TEMPFAIL, as it is where the store is opened.
 */
#ifndef CTL_LMTP_OUT_H
#define CTL_LMTP_OUT_H

#include "mime/eol.h"
#include "net/dial.h"

#include <stdbool.h>

#define LMTP_OUT_SOCKET "/run/postern-lmtp/socket"

struct lmtp_out {
	struct dial dial;
	bool is_open;
	bool takes_address; /* XADDRESS is offered */
	struct eol_in eol;
	struct str_buf line, chunk;
};

struct lmtp_envelope {
	const char *sender;  /* "": none */
	const char *mailbox; /* to whom */
	const char *address; /* as it was written, or a subaddress; NULL: as mailbox says */
};

/* Zeroed before; lmtp_out_fini in any case. */
WARN_UNUSED int lmtp_out_begin(struct lmtp_out *out, const char *socket_path,
    const struct lmtp_envelope *envelope, struct err *e);
WARN_UNUSED int lmtp_out_put(struct lmtp_out *out, const void *octets, size_t n, struct err *e);
WARN_UNUSED int lmtp_out_end(struct lmtp_out *out, struct err *e);
void lmtp_out_fini(struct lmtp_out *out);

#endif
