/* What is said to a client: tagged and untagged lines, strings, names, flags. */
#ifndef IMAPD_REPLY_H
#define IMAPD_REPLY_H

#include "base/str.h"
#include "imapd/client.h"
#include "store/store.h"

#include <stdint.h>

/* "tag OK [CODE] text"; code NULL: none. */
void reply_tagged(struct client *client, struct str_view tag, const char *status, const char *code,
    const char *text);
/* "* STATUS [CODE] text" */
void reply_untagged(struct client *client, const char *status, const char *code, const char *text);

/* A string: quoted where it can be, else a literal. */
void reply_put_string(struct str_buf *out, struct str_view text);
/* An atom where it can be one, else a string. */
void reply_put_astring(struct str_buf *out, struct str_view text);
/* A folder's name as this client reads it: UTF-8 or modified UTF-7, as an atom or quoted. */
void reply_put_mailbox(struct str_buf *out, const struct client *client, const char *name);
/* "MAILBOXID (F12)": what a folder is whatever its name (RFC 8474 4); never given again. */
void reply_put_mailboxid(struct str_buf *out, struct folder_id id);
/* "(\Seen \Recent work)"; names: the mailbox's keywords by bit. */
void reply_put_flags(struct str_buf *out, uint32_t flags, uint64_t keywords, bool recent,
    const char *const names[63]);
/* CAPABILITY's words for this client now, from the rows of the command table. */
void reply_put_capabilities(struct str_buf *out, const struct client *client);

#endif
