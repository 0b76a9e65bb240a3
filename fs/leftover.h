/* Files that a dead mount left prepared (fs/prepared.h) become messages. */
#ifndef FS_LEFTOVER_H
#define FS_LEFTOVER_H

struct tree;

/* All in this folder, which nobody else has to do with any more.  What can't be appended now stays there. */
void leftover_take_over(struct tree *t, int dir_fd);

#endif
