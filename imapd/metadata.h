/* What GETMETADATA and SETMETADATA share (RFC 5464): whose annotations, and names of entries. */
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
/* "* METADATA name (" */
void metadata_put_head(struct client *client, const struct metadata_target *target);

#endif
