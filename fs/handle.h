/*
 * An open file or directory.  Inside a mailbox it is a session, from OPEN to the RELEASE, or until
 * somebody ends it: then it is dead, its place is given back at once, and what it is asked is ESTALE.
 */
#ifndef FS_HANDLE_H
#define FS_HANDLE_H

#include "fs/feed.h"
#include "fs/node.h"
#include "fs/shown.h"
#include "mime/eol.h"
#include "store/store.h"

#include <pthread.h>
#include <stdbool.h>

struct tree;
struct draft;
struct body;
struct partread;
struct viewset;

struct handle {
	uint64_t id; /* the kernel's fh */
	struct node node;
	uid_t uid;
	bool is_sys; /* counted by uid under sys/ */
	bool may_write;
	bool is_keeper; /* of .uidvalidity (fs/maildir.h) */
	struct draft *draft;   /* of a file that is no message yet */
	struct {               /* of a message, as it was at the open; it never changes */
		uint64_t content, size_crlf;
		enum eol_kind serve;
		struct stat st;
	} msg;
	bool is_following;     /* a file of changes (fs/changes.h) */
	struct shown *shown;   /* of a directory: the listing it reads, and fills in, in the kernel's cache */
	unsigned refs;         /* under the table's lock */

	pthread_mutex_t lock;  /* what follows */
	bool is_dead;
	struct session *session;
	struct store *store;   /* opened at the first READ */
	struct body *body;
	struct viewset *view;  /* of a directory under view/: what was there at the open */
	struct partread *part; /* of a file under parts/ */
	struct str_buf text;   /* of sys/: what was to be said at the open */
	struct feed_reader feed;
};

/* One reference, the kernel's. NULL: too many. */
struct handle *handle_new(struct tree *t, struct node n, uid_t uid);
/* Borrowed while the kernel holds the handle open. */
struct handle *handle_of(struct tree *t, uint64_t id);
/* For others than the kernel: NULL if it is closed; handle_put afterwards. */
struct handle *handle_get(struct tree *t, uint64_t id);
void handle_put(struct tree *t, struct handle *h);
/* What a message was when one of its open handles was opened, for fstat when it is gone; false: nobody has it
 * open. */
bool handle_stat_gone(struct tree *t, struct node n, struct stat *st);
/* Gives the session back.  dead: at somebody's wish, and the handle says ESTALE from now on. */
void handle_end_session(struct handle *h, bool dead);

#endif
