/*
 * A folder as this process knows it: its view (store/view.h) and the flags of its messages, shared by
 * all that have it open, and brought up to date by what changed since it was read.  Flags that nobody
 * asked for a while (FolderViewIdle), or that are too many (FolderViewOctets), are forgotten and read
 * again when they are wanted; the view, a few octets, stays while somebody has the folder open.
 */
#ifndef STORE_FOLDER_VIEW_H
#define STORE_FOLDER_VIEW_H

#include "store/change.h"
#include "store/flag_column.h"
#include "store/view.h"

struct folder_view;

/* A folder at one instant.  info has no name; uids is the caller's (view_fini). */
struct folder_moment {
	struct folder_info info;
	struct view uids;
	uint32_t first_unseen; /* sequence number; 0: there is none */
	uint64_t bell;         /* change_counter: while it is so, nothing changed since */
};
/* NOTFOUND.  Closed before the store is. */
WARN_UNUSED int folder_view_open(struct store *store, const char *name, struct folder_view **fv_r,
    struct folder_moment *moment_r, struct err *e);
void folder_view_close(struct folder_view **fv);

/*
 * What changed since a modseq, as change_folder, and which messages there are then; expunged is not
 * filled: it is what the caller's view has and uids_r (the caller's) has not.  After a reset, too, all that changed is told.
 * bell: the change_counter that was seen.  What another session asked since the same modseq, and since that rang, is
 * told without the store; 0: the store is asked.
 */
WARN_UNUSED int folder_view_changes(struct folder_view *fv, struct store *store,
    struct store_modseq since, uint64_t bell, struct arena *arena, struct folder_changes *changes_r,
    struct view *uids_r, struct err *e);

/* folder_claim_recent of all below uidnext; a claim that another session of this process makes is not waited
 * for: what is there is his. */
WARN_UNUSED int folder_view_claim_recent(struct folder_view *fv, struct store *store, uint32_t uidnext,
    struct store_uid *recent_from_r, struct err *e);
/* Whether that would be nothing but a look. */
bool folder_view_is_claimed(struct folder_view *fv, uint32_t uidnext);

#define FLAG_STATE_GONE 0x80 /* in flags: the message was expunged */
/* Flags of n messages from a number of the caller's own view on, as of the last commit that rang. */
WARN_UNUSED int folder_view_flags(struct folder_view *fv, struct store *store,
    const struct view *known, uint32_t seq, uint32_t n, struct flag_state *states, struct err *e);

#endif
