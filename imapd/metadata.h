/* What GETMETADATA and SETMETADATA share (RFC 5464): whose annotations, and names of entries; and how others
 * are told of a change. */
#ifndef IMAPD_METADATA_H
#define IMAPD_METADATA_H

#include "imapd/cmd.h"
#include "store/annotation.h"

struct metadata_target {
	bool is_mailbox;  /* "": not a folder's, the mailbox's own */
	const char *name; /* the folder's; NULL: it can't be one's */
};

bool metadata_parse_target(struct parse *p, struct metadata_target *target_r);
/* An entry's name, for reading: below what can be set, /private and /shared themselves can be asked. */
bool metadata_parse_entry(struct parse *p, const char **name_r);
WARN_UNUSED int metadata_folder(struct client *client, const struct metadata_target *target,
    struct folder_id *folder_r, struct err *e);
/* "* METADATA name " */
void metadata_put_head(struct client *client, const struct metadata_target *target);

/* Tells of entries that others changed after `since` up to `until`, by name (RFC 5464 4.4.2); wants: NULL for
 * all folders and the server. */
WARN_UNUSED int metadata_tell(struct client *client, struct store_modseq since,
    struct store_modseq until, bool (*wants)(const struct client *client, struct folder_id folder),
    struct err *e);
/* The same for who asked by ENABLE METADATA alone: NOTIFY, once it is used, decides.  ask: though no bell rang. */
WARN_UNUSED int metadata_tell_news(struct client *client, bool ask, struct err *e);

#endif
