/*
 * What changed since modseq N: one mechanism for IDLE, the mount's invalidation, and what clients
 * that resynchronise ask.  And the doorbell: after a commit the writer writes the new modseq into a
 * small file of the runtime folder, which watchers hear of; they then ask.
 */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "store/message.h"

struct folder_changes {
	struct store_modseq highestmodseq; /* now; ask from here next time */
	struct folder_info info;           /* the folder's counters at that instant; no name */
	struct message_info *changed;      /* new or with changed flags, by UID; MESSAGE_FLAGS, and `what` asked for */
	size_t changed_n;
	struct store_uid *expunged;        /* by UID */
	size_t expunged_n;
	bool reset; /* tombstones before `since` were pruned: read the folder anew */
};
/* NOTFOUND: the folder is gone. One consistent instant. */
WARN_UNUSED int change_folder(struct store *store, struct folder_id folder,
    struct store_modseq since, unsigned what, struct arena *arena, struct folder_changes *changes_r,
    struct err *e);

/*
 * Where changes lie since a modseq that may be long ago, for clients that resynchronise (RFC 7162):
 * ranges, so that it costs little however much changed.
 */
struct change_where {
	struct uid_range *changed; /* hold all that came or changed; some of what they hold did not */
	size_t changed_n;
	struct uid_range *gone;    /* UIDs that went, and nothing else; ascending, apart */
	size_t gone_n;
	bool pruned; /* `gone` lacks what went before the floor of the folder's history */
};
WARN_UNUSED int change_where(struct store *store, struct folder_id folder,
    struct store_modseq since, struct arena *arena, struct change_where *where_r, struct err *e);

/* Folders that changed (messages, name, subscription) or went, since a modseq of the whole store. */
struct store_changes {
	struct store_modseq modseq;
	struct folder_id *changed, *gone;
	size_t changed_n, gone_n;
	bool reset;
};
WARN_UNUSED int change_store(struct store *store, struct store_modseq since, struct arena *arena,
    struct store_changes *changes_r, struct err *e);

/* Whether all commits after `since` up to `until` were made through this store; false also where that is no
 * longer known. */
bool change_is_own(struct store *store, struct store_modseq since, struct store_modseq until);

/* The doorbell counter of a store: one pread.  When it is what it was, nothing changed (but for a
 * writer that was killed between commit and bell: the slow poll finds that). */
uint64_t change_counter(struct store *store);

/*
 * Watches a user's mailbox, without a session.  rang is called on the watcher thread of the site,
 * within about a millisecond of a commit by anybody (within 30 s where the writer was killed before
 * it rang); it must not block and may be called once more while change_unwatch runs, never after it returned.
 */
struct change_watch;
WARN_UNUSED int change_watch(struct site *site, struct user_id user, void (*rang)(void *arg),
    void *arg, struct change_watch **watch_r, struct err *e);
void change_unwatch(struct change_watch **watch);
/* change_counter of the watched mailbox, without a store: what the mount compares at each open. */
uint64_t change_watch_counter(const struct change_watch *watch);

#endif
