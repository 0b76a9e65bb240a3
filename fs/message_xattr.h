/* Extended attributes of a message: rows' getxattr and listxattr for a node of folder and UID. */
#ifndef FS_MESSAGE_XATTR_H
#define FS_MESSAGE_XATTR_H

#include "fs/tree.h"

int message_xattr_get(struct tree *t, struct node n, const char *name, struct str_buf *out);
/* From memory: ls -l and cp -a ask this of every file. */
void message_xattr_list(struct tree *t, struct node n, struct str_buf *out);
/* Whether messages have one of this name. */
bool message_xattr_is(const char *name);

/* What was read of the header last: who asks for one attribute of it asks for the others next. */
struct message_texts;
struct message_texts *message_texts_new(void);
void message_texts_free(struct message_texts **texts);

#endif
