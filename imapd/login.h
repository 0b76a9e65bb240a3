/* What LOGIN and AUTHENTICATE share: from who somebody is to a session, or a refusal's words. */
#ifndef IMAPD_LOGIN_H
#define IMAPD_LOGIN_H

#include "auth/ask.h"
#include "imapd/cmd.h"

/* What authd says of client->ask, or that it says nothing yet; ASK_MORE is the caller's to deal with. */
enum imap_next login_settle(struct imap_req *req, struct err *e);
/* Who the client is to SASL. */
void login_peer(const struct client *client, struct sasl_conn *peer);

#endif
