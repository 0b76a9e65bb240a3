/* What LOGIN and AUTHENTICATE share: from who somebody is to a session, or a refusal's words. */
#ifndef IMAPD_LOGIN_H
#define IMAPD_LOGIN_H

#include "auth/sasl.h"
#include "imapd/cmd.h"

enum imap_next login_run(struct imap_req *req, const char *user, const char *password,
    struct err *e);
/* The same once it is known who it is, or that it can't be (e: why). */
enum imap_next login_admit(struct imap_req *req, const char *user, struct err *e);
enum imap_next login_failed(struct imap_req *req, const char *user, const struct err *e);
/* Who the client is to SASL. */
void login_peer(const struct client *client, struct sasl_conn *peer);

#endif
