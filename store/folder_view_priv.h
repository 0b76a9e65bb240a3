/* The shared views of a mailbox's folders, for those who keep them. */
#ifndef STORE_FOLDER_VIEW_PRIV_H
#define STORE_FOLDER_VIEW_PRIV_H

#include "store/flags.h"
#include "store/folder_view.h"
#include "store/mailbox_priv.h"

/* How the view came to stand where it does: sessions that idle all ask the same at once. */
struct folder_step {
	struct store_modseq since, modseq; /* from, to; 0: is not known */
	struct folder_info info;
	struct message_info *changed;
	size_t changed_n;
	struct arena arena;
};

struct folder_view {
	struct mailbox *mailbox;
	struct folder_id id;
	/* Under mailbox->lock: */
	struct folder_view *next;
	unsigned refs;

	/* What follows.  Taken before every other lock; who holds another one only tries. */
	pthread_mutex_t lock;
	struct store_modseq modseq; /* 0: nothing was read yet */
	uint64_t bell; /* the doorbell before that: while it is so, all is as it stands here */
	struct view uids;
	struct flag_column flags;
	bool has_flags;
	size_t octets;   /* as counted in store_site.view_octets */
	int64_t used_ms; /* monotonic: of the flags */
	struct folder_step step;
	uint32_t claimed; /* up to this UID \Recent was claimed by a session of this process */
};

/* What is to be read beside what changed since the view was read. */
struct folder_view_wish {
	bool flags;
	/* What changed since a modseq, into the arena; changes NULL: nothing. */
	struct store_modseq since;
	struct arena *arena;
	struct folder_changes *changes;
};
/* One instant of the store: the view, its counters, and what was wished.  fv->lock is held. */
WARN_UNUSED int folder_view_read(struct folder_view *fv, struct store *store,
    const struct folder_view_wish *wish, struct folder_info *info_r, struct err *e);
/* Takes changes in that began where the view stands. */
void folder_view_apply(struct folder_view *fv, const struct folder_changes *changes);

/* After a commit that changed flags and nothing else: where the view stood before it, it takes them. */
void folder_view_stored(struct mailbox *mb, struct folder_id id, const struct flags_stored *stored);

/* Forgets flags that nobody uses, and views that nobody has open.  For the janitor, under site->lock. */
void folder_views_trim(struct store_site *ss);
/* Of a mailbox that nobody has open. */
void folder_views_free(struct mailbox *mb);

#endif
