/*
 * The authentication protocol, major version 1, as mail servers speak it to a Dovecot server: lines that end
 * with LF, words with tabs between them (auth/wire.h).  Ours and the peer's words, in the order they come:
 *
 *   ours      VERSION 1 2; MECH name property...; SPID; CUID; COOKIE; DONE - at once
 *   the peer  VERSION 1 n; CPID pid
 *   the peer  AUTH id mechanism service=NAME [rip= lip= rport= lport= secured valid-client-cert cert_username=
 *             final-resp-ok tls-exporter=HEX tls-unique=HEX ... resp=BASE64]
 *             CONT id BASE64; CANCEL id; MECHS id
 *   ours      CONT id BASE64; OK id user=NAME [resp=BASE64]; FAIL id [user=NAME] [temp] [reason=] [code=]; MECHS id name...
 *
 * Parameters that are not known are passed over: they carry what other servers log.  tls-exporter and tls-unique
 * are ours: what the peer's own TLS connection is known by (RFC 9266, RFC 5929), for mechanisms that bind to it.  So is
 * MECHS, which asks again what there is now, and so is what stands in auth/wire.h, which who says "codes" gets.
 */
#ifndef AUTHD_PROTOCOL_H
#define AUTHD_PROTOCOL_H

#include "auth/sasl.h"
#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum protocol_verb { PROTOCOL_VERSION, PROTOCOL_CPID, PROTOCOL_AUTH, PROTOCOL_CONT, PROTOCOL_CANCEL, PROTOCOL_MECHS, PROTOCOL_UNKNOWN };

struct protocol_line {
	enum protocol_verb verb;
	uint32_t id; /* of AUTH, CONT, CANCEL, MECHS; VERSION: the major one */
	const char *mechanism, *service;
	const char *address; /* rip; NULL: not told */
	const char *external; /* cert_username, of a certificate that was verified; NULL: none */
	enum sasl_binding binding;
	struct str_view binding_octets; /* in the arena */
	bool is_secured;     /* the peer's own connection is: a password may cross it */
	bool wants_codes;    /* FAIL may carry those of auth/wire.h */
	bool is_final_ok;    /* OK may carry the mechanism's last word */
	bool has_data;       /* AUTH: an initial response was given */
	struct str_view data; /* base64, of AUTH's resp or CONT; borrowed from the line */
};

/* Texts in the arena.  False: the line is none of the protocol; *why_r then says so in words for the log. */
bool protocol_parse(struct str_view line, struct arena *arena, struct protocol_line *line_r,
    const char **why_r);

#endif
