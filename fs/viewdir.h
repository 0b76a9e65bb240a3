/*
 * Directories of view/ that show messages: unread, flagged, what a query finds, a thread.  A query may be any
 * text, so such directories have slots, counted by what the kernel remembers of them; what one shows is made
 * when somebody opens it, and kept a while for who follows a name in it.
 */
#ifndef FS_VIEWDIR_H
#define FS_VIEWDIR_H

#include "fs/viewset.h"

/* Directories above them, items of the kind viewuser: a user's, and the two in which any name is one. */
enum { VIEWUSER_TOP, VIEWUSER_SEARCH, VIEWUSER_THREAD };

enum viewdir_kind { VIEWDIR_UNREAD, VIEWDIR_FLAGGED, VIEWDIR_SEARCH, VIEWDIR_THREAD };

struct viewdirs;
struct viewdirs *viewdirs_new(void);
void viewdirs_free(struct viewdirs **dirs);

/* The directory of a text; false: there are as many as may be. */
bool viewdir_node(struct mailbox *mb, enum viewdir_kind kind, const char *text, struct node *node_r);
/* What a directory's inode number is, at every mount. */
uint64_t viewdir_st_ino(struct mailbox *mb, enum viewdir_kind kind, const char *text);

struct viewdir_about {
	struct mailbox *mb;
	enum viewdir_kind kind;
	const char *text; /* lives as long as the kernel remembers the directory */
};
/* false: its slot is another's meanwhile. */
bool viewdir_of(struct tree *t, struct node n, struct viewdir_about *about_r);
void viewdir_remember(struct tree *t, struct node n);
void viewdir_forget(struct tree *t, struct node n, uint64_t lookups);

/* What is in it, one reference.  is_exact: as the store is now; otherwise as it was not long ago, which is for
 * a name that was read there.  0 or an errno value. */
int viewdir_set(struct tree *t, struct node n, bool is_exact, struct viewset **set_r);
/* Whether that would search. */
bool viewdir_is_stale(struct tree *t, struct node n);
/* About once a minute: what nobody looks at is forgotten. */
void viewdirs_tick(struct tree *t);

/* Keeps a search (node_viewuser.c).  0 or an errno value, EEXIST where it is kept. */
int viewuser_keep(struct mailbox *mb, const char *text);

#endif
