/*
 * The user's own view of his sessions and limits: as annotations of the server (RFC 5464), which nobody sets, and
 * as fields of ID (RFC 2971).  What is told is his; of others there is nothing.
 *
 *     /private/vendor/vendor.postern/sessions             "alice holds 3 of 32 sessions, 2 of 16 service sessions"
 *     /private/vendor/vendor.postern/sessions/ID          service=IMAP4 class=service peer=... opened=... open="INBOX" ...
 *     /private/vendor/vendor.postern/limits/DOOR          "granted", or which limit refuses one more open and what lifts it
 *     /private/vendor/vendor.postern/limits/DOOR/LIMIT    "store: Maximum Allowed Sessions Per User is 32, held 3"
 */
#ifndef IMAPD_OWN_SESSIONS_H
#define IMAPD_OWN_SESSIONS_H

#include "imapd/client.h"
#include "store/annotation.h"

#define OWN_SESSIONS_ENTRY "/private/vendor/vendor.postern"

/* Whether that is one of them, or would be below them. */
bool own_sessions_is_entry(const char *name);
/* Puts those that were asked for behind the list; sessions are told one by one up to AnnotationsMax.  All is in the
 * command's arena. */
WARN_UNUSED int own_sessions_add(struct client *client, const struct annotation_query *query,
    struct annotation **list, size_t *n, struct err *e);
/* ` "sessions" "3" "sessions-limit" "32" "service-sessions" "2" "service-sessions-limit" "16"`; nothing before login, or
 * where they can't be counted. */
void own_sessions_put_id(const struct client *client, struct str_buf *out);

#endif
