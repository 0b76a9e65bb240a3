/* SASL at a server's side (libgsasl): PLAIN and LOGIN over TLS or where plain text is allowed. */
#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include "auth/login.h"
#include "base/str.h"

struct sasl;
enum sasl_result { SASL_MORE, SASL_DONE, SASL_FAILED };

/* Space separated, for CAPABILITY and CAPA; "" where plain text is not allowed (auth/login.h). */
const char *sasl_mechanisms(bool plaintext_allowed);
/* UNSUPPORTED: no such mechanism. */
WARN_UNUSED int sasl_begin(struct str_view mechanism, struct sasl **sasl_r, struct err *e);
/* One step, both ways in base64, without a terminating line end; "=" stands for an initial response
 * that is empty.  in of n = 0 with p = NULL: no initial response was given.  out is replaced. */
enum sasl_result sasl_step(struct sasl *sasl, struct str_view in_base64, struct str_buf *out_base64);
/* After SASL_DONE: what the peer gave; borrowed until sasl_free, which wipes it. */
const char *sasl_user(const struct sasl *sasl);
const char *sasl_password(const struct sasl *sasl);
void sasl_free(struct sasl **sasl);

#endif
