/* Flags as words: the attribute `user.flags`, "seen flagged $label". */
#ifndef FS_FLAG_H
#define FS_FLAG_H

#include "fs/mailbox.h"

struct flag_words {
	uint32_t flags;
	const char *keywords[63];
	size_t keywords_n;
};

/* 0 or EINVAL. A word is a flag, a label ("$..."), or a keyword the mailbox has; any other word only where
 * any_word is set.  Keywords live in the arena. */
int flag_parse(struct mailbox *mb, struct str_view value, bool any_word, struct arena *arena,
    struct flag_words *words_r);
/* Mailbox locked. */
void flag_put(const struct mailbox *mb, const struct fs_msg *m, struct str_buf *out);

#endif
