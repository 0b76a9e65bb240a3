/*
 * Names of files and folders in the mail tree.
 *
 * A message is called `<INTERNALDATE, UTC, YYYYMMDD-HHMMSS>.<UID, 8 digits>.<slug>.eml`, or what it was
 * called when it was put there through the mount.  Folder names are UTF-8; what can't be a file name
 * stands percent-encoded.  Knows no FUSE and no store.
 */
#ifndef FS_NAME_H
#define FS_NAME_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define NAME_MAX_BYTES 255

/* The name of a message that was given none; slug may be "". */
void name_of_message(int64_t idate_ms, uint32_t uid, const char *slug, struct str_buf *out);

/* Whose UID a name of that form, or an alias `123.eml`, `00000123.eml`, speaks of. */
enum name_form { NAME_OTHER, NAME_FULL, NAME_ALIAS };
enum name_form name_parse(const char *name, uint32_t *uid_r);

/* What a file of this name would be. */
enum name_use {
	NAME_MAIL,    /* *.eml: becomes a message */
	NAME_SCRATCH, /* what tools use for files that are not yet, or never, the thing itself */
	NAME_REFUSED, /* anything else: mail must not evaporate */
};
enum name_use name_use(const char *name);

/* A folder's component as a file name, and back.  name_folder_decode: 0, or an errno value: ENOENT for
 * what no folder can be shown as, EILSEQ for what is not UTF-8, ENAMETOOLONG. */
void name_folder_encode(struct str_view component, struct str_buf *out);
int name_folder_decode(const char *name, struct str_buf *out);

/* Any text as a file name, with %2F for a slash, and back (no name is wrong). */
void name_text_encode(struct str_view text, struct str_buf *out);
void name_text_decode(const char *name, struct str_buf *out);

/* Other systems send names decomposed: the composed form in out, and whether it is another. */
bool name_compose(const char *name, struct str_buf *out);

#endif
