/*
 * SASL at a server's side: the exchange by libgsasl, what it decides with by an account source.  A step may
 * take as long as a check of a password.
 */
#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include "auth/account.h"
#include "base/str.h"

struct sasl;
enum sasl_result { SASL_MORE, SASL_DONE, SASL_FAILED };

#define SASL_BINDING_MAX 64
enum sasl_binding { SASL_BINDING_NONE, SASL_BINDING_EXPORTER, SASL_BINDING_UNIQUE };
/* Who is at the other end, as far as his transport tells. */
struct sasl_peer {
	unsigned door;   /* enum account_door, one of them */
	bool is_private; /* what is a secret may be said in plain: TLS, or auth_plaintext_allowed */
	/* What this very TLS connection is known by (RFC 9266, RFC 5929 3), where nobody stands between. */
	enum sasl_binding binding;
	struct str_view binding_octets;
	const char *external; /* whom the transport itself vouches for (a certificate, a Unix socket); NULL: nobody */
	/* The last words of a mechanism go with the protocol's own "done" (out beside SASL_DONE); otherwise they are
	 * one more challenge, which the peer answers with nothing (RFC 4422 3.6). */
	bool ends_with_words;
};

/* Of a connection served here (net/conn.h): fills binding and external; buffers last as long as peer does. */
struct conn;
struct sasl_conn {
	struct sasl_peer peer;
	char binding[SASL_BINDING_MAX], external[256];
};
void sasl_conn_init(struct sasl_conn *of, struct site *site, const struct conn *conn, unsigned door, bool is_private);

/* The mechanisms that can be used where this (enum account_able) is able, each with a blank in front of all but the
 * first; appended. */
void sasl_put_mechanisms(unsigned able, const struct sasl_peer *peer, struct str_buf *out);
bool sasl_is_usable(unsigned able, const struct sasl_peer *peer, struct str_view mechanism);
/* What has to be able to do this mechanism; 0: nothing has, or it isn't known. */
unsigned sasl_able_of(struct str_view mechanism);
/* UNSUPPORTED: no such mechanism, or not here.  What the source points to is borrowed until sasl_free. */
WARN_UNUSED int sasl_begin(const struct account_source *source, const struct sasl_peer *peer,
    struct str_view mechanism, struct sasl **sasl_r, struct err *e);
/* One step, both ways in base64, without a terminating line end; "=" stands for an initial response
 * that is empty.  in of n = 0 with p = NULL: no initial response was given.  out is replaced. */
enum sasl_result sasl_step(struct sasl *sasl, struct str_view in_base64, struct str_buf *out_base64);
/* Forgets that the last step could not be judged: it is to be made again, with the same words. */
void sasl_again(struct sasl *sasl);
/* After SASL_DONE; borrowed until sasl_free. */
const struct account *sasl_account(const struct sasl *sasl);
/* After SASL_FAILED: INVALID (that was no answer of this mechanism), AUTH (it proved nothing), UNSUPPORTED, or
 * what kept the source from saying.  AUTH after SASL_MORE: it is lost, and the peer has only to say that he heard it. */
const struct err *sasl_error(const struct sasl *sasl);
/* Who the peer said he is, for the log and for those who count; "" until he did.  Not proven. */
const char *sasl_claimed(const struct sasl *sasl);
void sasl_free(struct sasl **sasl);

#endif
