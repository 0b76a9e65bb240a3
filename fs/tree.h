/*
 * The tree: everything the mount shows, and what each operation on it means.  Knows no FUSE; op*.c
 * translates.  Each kind of node is one file node_<kind>.c and one row of the node table.
 *
 * Operations return 0 or an errno value: here is the door, and what the file says is an errno
 * (fs_errno translates the errors of the layers below).
 */
#ifndef FS_TREE_H
#define FS_TREE_H

#include "fs/folder.h"
#include "fs/handle.h"
#include "fs/journal.h"
#include "fs/mailbox.h"
#include "fs/node.h"
#include "fs/pool.h"
#include "fs/slots.h"
#include "fs/teller.h"

#include <sys/statvfs.h>

/*
 * The mount of one user, made by himself (`postern mount --user`).  What the kernel checks there, and whose uid a
 * request names, is what the user made the mount for: so every request counts as his, and it is this program that
 * refuses what is not his.
 */
struct tree_only {
	bool is_on;
	uid_t uid;
	gid_t gid;
	struct user_id user;
	char *name;
	_Atomic uint64_t generation; /* of the directory, of which is_his is */
	atomic_bool is_his;
};

struct tree {
	struct site *site;
	struct tree_only only;
	struct fs_show show;
	bool rm_expunges; /* option rm=expunge */
	uid_t uid;        /* the daemon's */
	gid_t gid;
	int64_t started_ms;
	uint64_t ino_key[2];
	struct teller *teller;
	struct bell *bell; /* NULL: none */
	struct pool *pool;
	struct lane sys_lane; /* writes under sys/ */
	struct journal *journal; /* sys/log */
	struct feed *feed;       /* of sys/changes and its like, while somebody follows */
	atomic_uint followers, followers_of_all;
	struct prepared *prepared;
	struct message_texts *texts;
	struct partdirs *partdirs;
	struct viewdirs *viewdirs;
	struct slots folders, drafts, handles, names;

	pthread_mutex_t lock; /* what follows */
	struct mailbox **mailboxes;
	size_t mailboxes_n, mailboxes_size;
	struct sys_uid *sys_uids; /* handles open under sys/, by uid */
	size_t sys_uids_n;
	struct name_entry **interned; /* fs/intern.c */
	size_t interned_size, interned_n;
};

/* Seconds the kernel may keep names and attributes; what changes is told to it. */
#define TREE_TIMEOUT_S 3600.0

struct caller {
	uid_t uid;
	gid_t gid;
	pid_t tid; /* 0: from another pid namespace */
};

/* Gives an entry to whoever lists; false: no room, ask again with after = the last cookie. */
typedef bool node_emit(void *arg, const char *name, const struct node_entry *entry,
    uint64_t cookie);

/* How an open file is to be treated. */
struct node_open {
	bool direct_io, keep_cache, noflush, is_stream;
	bool past_cache; /* a listing that is neither taken from the kernel's cache nor put there */
	bool then_load;  /* opened() is called when it was answered */
};

enum node_fate { NODE_STAYS, NODE_BECOMES, NODE_BECAME };

/* One kind of node.  What a kind does not do is NULL, and answered with the errno in op_*.c. */
struct node_row {
	const char *name;
	bool is_dir;
	bool is_session;  /* an open of it is a session of the mailbox's user */
	bool is_cached;   /* the kernel may keep attributes for TREE_TIMEOUT_S: it is told of changes */
	bool is_quick;    /* an open is answered from memory, or lets the lead go (fs/lead.h) */
	bool has_quick_names; /* of a directory: and so are a look at it or at a name in it, and a new file */
	bool slow_writes; /* write(2) is answered from the second pool: the lane of its folder, else that of sys/ */
	bool has_settled_names; /* who asks for a name does not wait for closed files on their way to become messages */
	bool is_read_only; /* a directory in which nothing is made, named or removed: EROFS */
	bool slow_times;  /* and so are times that are set */
	int (*attr)(struct tree *t, struct node n, struct stat *st);
	int (*lookup)(struct tree *t, struct node dir, const char *name, struct node_entry *entry_r);
	/* The same where it matters what the caller is about to do. */
	int (*lookup_for)(struct tree *t, struct node dir, const char *name, const struct caller *who,
	    struct node_entry *entry_r);
	int (*list)(struct tree *t, struct node dir, uint64_t after, node_emit *emit, void *arg);
	/* The same of what was there when the directory was opened. */
	int (*list_open)(struct tree *t, struct handle *h, uint64_t after, node_emit *emit, void *arg);
	/* Whether a lookup, or a listing, now would take so long that it is done in the mailbox's lane. */
	bool (*is_slow)(struct tree *t, struct node dir);
	/* The mailbox's folder this stands in; NULL outside mailboxes. */
	struct fs_folder *(*folder)(struct tree *t, struct node n);
	int (*open)(struct tree *t, struct handle *h, int flags, struct node_open *how);
	void (*opened)(struct tree *t, struct node n);
	int (*read)(struct tree *t, struct handle *h, uint64_t at, char *octets, size_t n, size_t *n_r);
	/* Of files whose reads wait: whether there is something to say. */
	bool (*readable)(struct tree *t, struct handle *h);
	int (*write)(struct tree *t, struct handle *h, uint64_t at, const char *octets, size_t n);
	int (*flush)(struct tree *t, struct handle *h);
	int (*fsync)(struct tree *t, struct handle *h);
	/* As soon as RELEASE is seen, before its slot is free for the next. */
	void (*closing)(struct tree *t, struct handle *h);
	/* Of what becomes something else: who asks more than attributes of it waits, and asks that by its name. */
	enum node_fate (*fate)(struct tree *t, struct node n);
	int (*set)(struct tree *t, struct node n, const struct stat *st, unsigned what,
	    const struct caller *who);
	int (*create)(struct tree *t, struct handle *h, struct node dir, const char *name,
	    const struct caller *who, struct node_entry *entry_r);
	int (*unlink)(struct tree *t, struct node dir, const char *name);
	int (*mkdir)(struct tree *t, struct node dir, const char *name, struct node_entry *entry_r);
	int (*rmdir)(struct tree *t, struct node dir, const char *name);
	int (*rename)(struct tree *t, struct node from, const char *name, struct node to,
	    const char *to_name, bool noreplace);
	/* A second name for n, in this directory. */
	int (*link)(struct tree *t, struct node dir, const char *name, struct node n,
	    struct node_entry *entry_r);
	int (*readlink)(struct tree *t, struct node n, struct str_buf *out);
	int (*statfs)(struct tree *t, struct node n, struct statvfs *st);
	int (*getxattr)(struct tree *t, struct node n, const char *name, struct str_buf *out);
	void (*listxattr)(struct tree *t, struct node n, struct str_buf *out);
	int (*setxattr)(struct tree *t, struct node n, const char *name, struct str_view value);
	/* The kernel holds the node's number once more; and n times less. */
	void (*remember)(struct tree *t, struct node n);
	void (*forget)(struct tree *t, struct node n, uint64_t lookups);
	/*
	 * Of kinds that show folders' messages, what the kernel has to be told when one came (old is NULL),
	 * changed, or went (now is NULL); and when a folder went from its place (it is as it was) or
	 * came to it (it is as it will be); to be renamed is both.  Mailbox locked.
	 */
	void (*message_changed)(struct fs_folder *f, const struct fs_msg *old, const struct fs_msg *now,
	    struct notices *ns);
	void (*folder_went)(struct fs_folder *f, struct notices *ns);
	void (*folder_came)(struct fs_folder *f, struct notices *ns);
	/* Of a message that is not in memory, and changed or went: the kernel may hold what it was. */
	void (*message_touched)(struct fs_folder *f, uint32_t uid, struct notices *ns);
	/* The names that the kernel may hold of a folder's messages are not known any more, or may be old. */
	void (*folder_forgotten)(struct fs_folder *f, struct notices *ns);
};

/* what of node_row.set */
enum { NODE_SET_MODE = 1, NODE_SET_UID = 2, NODE_SET_GID = 4, NODE_SET_SIZE = 8, NODE_SET_MTIME = 16, NODE_SET_ATIME = 32 };

extern const struct node_row *const node_rows[NODE_KINDS_N];

/* tree_fini also after an error. */
WARN_UNUSED int tree_init(struct tree *t, struct site *site, const struct teller_ops *kernel,
    struct err *e);
/* The first half stops the threads, so that nothing is asked any more; a second call does nothing. */
void tree_stop(struct tree *t);
void tree_fini(struct tree *t);

/* About once a minute: what was closed and not committed is tried again, old scratch goes. */
void tree_tick(struct tree *t);

/* The stable inode number of a node; tools compare them between mounts. */
uint64_t tree_st_ino(const struct tree *t, uint64_t user, unsigned kind, uint64_t a, uint64_t b);
/* A stat with everything but kind's own. */
void tree_stat(const struct tree *t, struct stat *st, mode_t mode, uid_t uid, gid_t gid,
    int64_t mtime_ms);
void tree_stat_ctime(struct stat *st, int64_t ms);

/* The folder, locked, with the message of a node (slot, item: folder and UID); NULL when it is gone. */
struct fs_msg *fs_message_hold(struct tree *t, struct node n, struct fs_folder **f_r);
void fs_message_let_go(struct fs_folder *f);
/* A message's stat; and that of its directory under parts/.  Mailbox locked. */
void fs_message_stat(const struct fs_folder *f, const struct fs_msg *m, struct stat *st);
void fs_partmsg_stat(const struct fs_folder *f, const struct fs_msg *m, struct stat *st);
/* The attributes of a symbolic link to a message, and where it leads from so many directories down.
 * 0 or an errno value. */
int fs_link_attr(struct tree *t, struct node n, struct stat *st);
int fs_link_read(struct tree *t, struct node n, struct str_buf *out);
/* A row's read, of an open message, or a part of one. */
int fs_message_read(struct tree *t, struct handle *h, uint64_t at, char *octets, size_t n, size_t *n_r);
/* Whether somebody may be watching the directory (fs/bell.h), and telling him of a message that came. */
bool fs_folder_is_watched(const struct fs_folder *f);
void fs_folder_ring(struct fs_folder *f, const struct fs_msg *m);

struct fs_folder *tree_folder(struct tree *t, struct node n);
/* A folder's place from the top of the mount: "mail/alice/INBOX/Sub". */
void tree_put_path(const struct fs_folder *f, struct str_buf *out);

/* Asks every kind that shows messages, or folders. */
void tree_message_changed(struct fs_folder *f, const struct fs_msg *old, const struct fs_msg *now,
    struct notices *ns);
void tree_message_touched(struct fs_folder *f, uint32_t uid, struct notices *ns);
void tree_folder_went(struct fs_folder *f, struct notices *ns);
void tree_folder_came(struct fs_folder *f, struct notices *ns);
void tree_folder_forgotten(struct fs_folder *f, struct notices *ns);

#endif
