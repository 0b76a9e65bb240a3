/*
 * The teller: the one thread that tells the kernel what it caches is out of date, and ends sessions
 * that somebody asked to end.  It holds no lock while it tells: the kernel takes a directory's lock for
 * an entry, which a request that waits for us may hold (mount.md, "Caching").
 */
#ifndef FS_TELLER_H
#define FS_TELLER_H

#include "fs/node.h"

#include <stdbool.h>
#include <stddef.h>

/* Things to tell, gathered under whatever lock, handed over as one. */
struct notices {
	struct notice *list;
	size_t n, size;
};
/* Attributes only, or the contents too (a directory's listing). */
void notice_inode(struct notices *ns, struct node n, bool contents);
void notice_entry(struct notices *ns, struct node parent, const char *name);
void notices_fini(struct notices *ns);

/* What the teller does things with; called on its thread. */
struct teller_ops {
	void (*inode)(void *arg, uint64_t ino, bool contents);
	void (*entry)(void *arg, uint64_t parent_ino, const char *name);
	/* A handle whose session is to end. */
	void (*end)(void *arg, uint64_t handle);
	/* A mailbox that rang, or NULL: about once a minute. */
	void (*rang)(void *arg, void *mailbox);
	/* Files whose reads wait may have something to say. */
	void (*readable)(void *arg);
	void *arg;
};

struct teller;
struct teller *teller_new(const struct teller_ops *ops);
/*
 * Stops the thread; what is not told yet, or comes later, is dropped.  To be called while requests are
 * still answered: the kernel may hold the teller until one is.
 */
void teller_stop(struct teller *teller);
void teller_free(struct teller **teller);

/* From any thread, with any lock held.  teller_tell empties ns. */
void teller_tell(struct teller *teller, struct notices *ns);
void teller_end(struct teller *teller, uint64_t handle);
void teller_readable(struct teller *teller);
/* ring counts the caller's own flag: it must call once per ring. */
void teller_ring(struct teller *teller, void *mailbox);

#endif
