/*
 * One user's mailbox in the mount: its folders and messages in memory, kept current.  The store is
 * asked only when its change counter moved (mailbox_sync); LOOKUP, GETATTR and READDIR are answered
 * from here.  What the store is asked, or told, on behalf of no open handle is done under an
 * administration session that lives as long as the call: stat, rename and rm take no slot.
 */
#ifndef FS_MAILBOX_H
#define FS_MAILBOX_H

#include "fs/folder.h"
#include "fs/pool.h"
#include "fs/teller.h"
#include "store/change.h"
#include "store/quota.h"

#include <pthread.h>

struct tree;

struct mailbox {
	struct tree *tree;
	struct user_id user;
	const char *_Atomic name; /* interned, for the directory may call him otherwise */
	uid_t uid; /* of the user's Unix account, else the daemon's; changes under lock */
	gid_t gid;
	_Atomic uint64_t owner_at; /* the directory's generation at that */
	struct fs_folder *top;
	struct lane lane; /* whatever writes in this mailbox */

	pthread_mutex_t lock; /* folders, messages, drafts' names: short, nothing is asked under it */
	struct fs_folder **folders;
	size_t n, size;
	struct draft *closed, *last_closed; /* files that are to become messages, in the order they were closed */
	size_t closed_n;
	uint64_t closed_octets;
	bool is_commit_due; /* a job of the lane will see to them */
	int64_t committed_ms; /* monotonic: when it last did */
	bool is_unheard;      /* as it was then: nobody waits to be told of new mail */
	struct quota quota;   /* as it was at quota_at */
	uint64_t quota_at;    /* the change counter before it was asked */
	bool has_quota;

	pthread_cond_t arrived; /* with lock: of a folder that is being loaded, a slice or the end */

	pthread_mutex_t sync; /* one asks the store at a time; taken before lock */
	bool is_listed;
	uint64_t modseq;      /* folders are as of here */
	char *keywords[63];
	uint64_t forwarded;   /* the bit of $Forwarded; 0: there is none */
	_Atomic uint64_t seen; /* the change counter at that */
	struct change_watch *watch;
	atomic_bool has_rung;
};

/* The user's mailbox, made on first use; it stays.  NOTFOUND: no such user (by exact name). */
WARN_UNUSED int mailbox_find(struct tree *t, const char *name, struct mailbox **mb_r,
    struct err *e);
void mailbox_free(struct mailbox **mb);

/* The store, for something no handle stands for. */
struct mailbox_access {
	struct session *session;
	struct store *store;
};
WARN_UNUSED int mailbox_access(struct mailbox *mb, struct mailbox_access *a, struct err *e);
void mailbox_access_end(struct mailbox_access *a);

/* Catches up with the store: a comparison when nothing changed. */
WARN_UNUSED int mailbox_sync(struct mailbox *mb, struct err *e);
/* The same, and the folder's messages are in memory afterwards. */
WARN_UNUSED int mailbox_sync_folder(struct mailbox *mb, struct fs_folder *f, struct err *e);

/* The same, where is_loading was set: it ends, whatever becomes of it. */
void mailbox_load_folder(struct mailbox *mb, struct fs_folder *f);
/* Under lock: waits until there is a message after that UID, or all are there.  NULL: all are, or nobody loads it. */
struct fs_msg *mailbox_next_arrived(struct mailbox *mb, struct fs_folder *f, uint32_t after);

/* Gives the memory of a folder's messages back; whoever asks for them loads them again. */
void mailbox_forget(struct mailbox *mb, struct fs_folder *f);

/* Under lock: the folder of a use (Trash), NULL if there is none. */
struct fs_folder *mailbox_folder_of_use(struct mailbox *mb, enum folder_use use, const char *name);
struct node fs_folder_node(const struct fs_folder *f);
struct node fs_msg_node(const struct fs_folder *f, uint32_t uid);

#endif
