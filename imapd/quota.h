/* The QUOTA response, for GETQUOTA and GETQUOTAROOT (RFC 9208). */
#ifndef IMAPD_QUOTA_H
#define IMAPD_QUOTA_H

#include "imapd/client.h"
#include "store/quota.h"

/* A mailbox has one quota root, "", and that only while something is limited. */
bool quota_is_limited(const struct quota *quota);
/* `* QUOTA "" (STORAGE 10 512)` */
void quota_put(struct client *client, const struct quota *quota);

#endif
