/* The fields on top of a delivered message: Return-Path (RFC 5321 4.4), Delivered-To, Received. */
#ifndef DELIVER_TRACE_H
#define DELIVER_TRACE_H

#include "base/str.h"

#include <stdint.h>

/* Where a message comes from. */
struct letter_from {
	const char *return_path; /* "": <> */
	const char *protocol;    /* "LMTP", "UTF8LMTP" (RFC 6531 3.7.3), "local" */
	const char *helo;        /* as the client named itself; NULL: there was none */
	const char *peer;        /* conn_peer; NULL: none */
	const char *id;          /* of the transaction, for the log too */
};

/* received_host: this host, where a Received field is wanted; else NULL. */
void trace_put(const struct letter_from *from, const char *recipient, const char *received_host,
    int64_t now_ms, struct str_buf *out);

#endif
