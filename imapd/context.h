/*
 * Live contexts (RFC 5267 4.3): a SEARCH or SORT with UPDATE whose result the client is kept told of, with
 * ADDTO and REMOVEFROM, at the points where it is told of changes at all (sync.h).  They belong to the
 * selected folder, and each is an objtNotify of the session.
 */
#ifndef IMAPD_CONTEXT_H
#define IMAPD_CONTEXT_H

#include "imapd/cmd.h"
#include "imapd/result.h"
#include "imapd/sort.h"
#include "store/change.h"
#include "store/search.h"

struct context;

bool context_exists(const struct client *client, struct str_view tag);
/* From now on; program NULL: it is a SEARCH.  Where there can't be one more, the client is told so with
 * NOUPDATE, and that is all. */
void context_begin(struct imap_req *req, const struct search_key *key, const struct result *result,
    const struct sort_program *program);
/* False: there is no such context. */
bool context_end(struct client *client, struct str_view tag);
void context_end_all(struct context **list);

/* Before the client is told that these are gone: UIDs that the view still has, ascending. */
void context_expunged(struct client *client, const struct uid_range *gone, size_t n);
/* After the client was told of these changes. */
void context_changed(struct client *client, const struct folder_changes *changes);

#endif
