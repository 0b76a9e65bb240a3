/*
 * Names in the Maildir view.  Knows no FUSE and no store but the flags' bits.
 *
 * A message is called `<base>,U=<UID>:2,<letters>`; the base is what a tool called it, or
 * `<INTERNALDATE, seconds>.<UID>.postern`.  A folder A/B is called `.A.B` (Maildir++).
 */
#ifndef FS_MAILDIR_NAME_H
#define FS_MAILDIR_NAME_H

#include "fs/name.h"

struct maildir_name {
	char base[NAME_MAX_BYTES + 1]; /* without ",U=..." and what is behind ':' */
	uint32_t uid;                  /* 0: it names none */
	enum { MAILDIR_NO_INFO, MAILDIR_LETTERS, MAILDIR_OTHER_INFO } info;
	uint32_t flags;
	bool forwarded; /* P */
};

/* false: it can't be a message's name (hidden, too long). */
bool maildir_name_parse(const char *name, struct maildir_name *n_r);

/* The base of a message that no tool gave one. */
void maildir_own_base(int64_t idate_ms, uint32_t uid, struct str_buf *out);
/* Whether a base is of that form, and whose UID was in it. */
bool maildir_is_own_base(const char *base, uint32_t *uid_r);

/* What stands behind the base: uid 0: no ",U="; without letters ":2," stands in cur alone. */
void maildir_tail_put(uint32_t uid, bool in_cur, uint32_t flags, bool forwarded, struct str_buf *out);
/* Whether a base with that fits into a file name, whatever the letters and the UID. */
bool maildir_base_fits(const char *base);
/* The base as a name to keep; NULL where it can't be (it is not UTF-8, too long). */
const char *maildir_name_to_keep(const struct maildir_name *name);

/* A folder's name from its path in the store, and back: 0, or an errno value as of name_folder_decode. */
void maildir_folder_encode(const char *path, struct str_buf *out);
int maildir_folder_decode(const char *name, struct str_buf *out);

#endif
