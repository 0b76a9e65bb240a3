/* SASL between its files: the frame (sasl.c), and what speaks in it. */
#ifndef AUTH_SASL_PRIV_H
#define AUTH_SASL_PRIV_H

#include "auth/sasl.h"

/* What a mechanism can't do without; bits. */
enum sasl_needs {
	SASL_NEEDS_PASSWORD = 1, /* enum account_able, shifted not at all */
	SASL_NEEDS_SCRAM = 2,
	SASL_NEEDS_TOKEN = 4,
	SASL_NEEDS_ABLE = 7,
	SASL_NEEDS_PRIVACY = 8, /* the secret itself goes over the wire */
	SASL_NEEDS_BINDING = 16,
	SASL_NEEDS_EXTERNAL = 32,
};

struct sasl_mechanism {
	const char *name;
	unsigned needs;
	bool server_first; /* the server asks before it hears anything */
	bool is_one_message;
	/* UNSUPPORTED; NULL: nothing has to begin. */
	int (*begin)(struct sasl *sasl, struct err *e);
	/* What the peer said, in base64; what is to be said, in base64, is put to out, which is empty. */
	enum sasl_result (*step)(struct sasl *sasl, const char *in_base64, struct str_buf *out_base64);
};

struct Gsasl_session;
struct sasl {
	const struct sasl_mechanism *mechanism;
	struct account_source source;
	struct sasl_peer peer;
	struct Gsasl_session *session;
	char binding[SASL_BINDING_MAX], *external; /* the peer's */
	char *claimed;
	struct account who;
	struct credential_scram keys;
	struct err error;
	unsigned steps;
	bool has_asked;    /* for the keys */
	bool is_proven;    /* who is known */
	bool is_last_said; /* the last words are out: nothing is to come but an empty answer */
	bool is_lost;      /* the error is out: nothing is to come but the peer's word that it heard */
};

/* Who the peer says he is. */
void sasl_claim(struct sasl *sasl, const char *name);
/* r: how the source answered with who it is; authzid, NULL or "": as whom the peer wants to act.  Whether he may. */
bool sasl_prove(struct sasl *sasl, int r, const char *authzid);
/* SASL_FAILED, with this code where no error says more. */
enum sasl_result sasl_fail(struct sasl *sasl, enum err_code code);

/* Mechanisms of libgsasl. */
int sasl_gsasl_begin(struct sasl *sasl, struct err *e);
enum sasl_result sasl_gsasl_step(struct sasl *sasl, const char *in_base64, struct str_buf *out_base64);
void sasl_gsasl_end(struct sasl *sasl);
/* Octets out of base64, with a NUL behind, for free(); NULL: that is none. */
char *sasl_base64_decode(const char *base64, size_t *n_r);
void sasl_base64_put(struct str_buf *out, struct str_view octets);

/* A password in plain. */
enum sasl_result sasl_plain_step(struct sasl *sasl, const char *in_base64, struct str_buf *out_base64);
enum sasl_result sasl_login_step(struct sasl *sasl, const char *in_base64, struct str_buf *out_base64);

/* Bearer tokens. */
enum sasl_result sasl_oauthbearer_step(struct sasl *sasl, const char *in_base64, struct str_buf *out_base64);
enum sasl_result sasl_xoauth2_step(struct sasl *sasl, const char *in_base64, struct str_buf *out_base64);

#endif
