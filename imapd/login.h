/* What LOGIN and AUTHENTICATE share: from a name and a password to a session, or a refusal's words. */
#ifndef IMAPD_LOGIN_H
#define IMAPD_LOGIN_H

#include "imapd/cmd.h"

enum imap_next login_run(struct imap_req *req, const char *user, const char *password,
    struct err *e);

#endif
