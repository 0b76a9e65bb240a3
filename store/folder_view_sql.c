/* store/folder_view_sql.c - reads a folder's view, or what changed since it was read. */
#include "store/change_priv.h"
#include "store/folder_priv.h"
#include "store/folder_view_priv.h"
#include "store/message_priv.h"

/* All of it: UIDs, and their flags in the same order. */
static int load(struct db *db, struct folder_id folder, struct view *uids, struct flag_column *flags,
    struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, db,
		"SELECT uid, flags, keywords FROM message WHERE folder = ?1 ORDER BY uid", e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	while ((r = query_step(&q, e)) > 0) {
		view_append(uids, (uint32_t)query_get_int(&q, 0));
		flag_column_append(flags, (struct flag_state){(uint64_t)query_get_int(&q, 2),
		    (uint8_t)query_get_int(&q, 1)});
	}
	query_end(&q);
	return r;
}

/* What changed for the one who asks.  What went it sees by the UIDs; so a reset costs it nothing. */
static int read_wish(struct db *db, const struct folder_info *info,
    const struct folder_view_wish *wish, struct err *e)
{
	const struct uid_range all = {1, UINT32_MAX};
	struct folder_changes *c = wish->changes;

	if (changes_read(db, info, wish->since, MESSAGE_FLAGS, wish->arena, c, e) < 0)
		return -1;
	return !c->reset ? 0 : messages_list(db, info->id, &all, 1, wish->since, MESSAGE_FLAGS, SIZE_MAX,
	    wish->arena, &c->changed, &c->changed_n, e);
}

/* What was read of an instant, before any of it is taken over. */
struct reading {
	struct folder_info info;
	bool is_whole;
	struct view uids; /* where it is */
	struct flag_column flags;
	struct folder_changes since; /* where it is not: since the view's modseq */
};

static int read_instant(struct folder_view *fv, struct db *db, const struct folder_view_wish *wish,
    struct arena *arena, struct reading *now, struct err *e)
{
	const struct store_modseq at = fv->modseq;
	bool is_the_same = wish->changes && wish->since.n == at.n;

	if (folder_counters(db, fv->id, &now->info, e) < 0)
		return -1;
	now->is_whole = at.n == 0 || at.n < now->info.floormodseq.n || (wish->flags && !fv->has_flags);
	if (now->is_whole ? load(db, fv->id, &now->uids, &now->flags, e) < 0 :
	                    changes_read(db, &now->info, at, MESSAGE_FLAGS,
	                        is_the_same ? wish->arena : arena, &now->since, e) < 0)
		return -1;
	if (wish->changes && is_the_same && !now->is_whole)
		*wish->changes = now->since;
	else if (wish->changes && read_wish(db, &now->info, wish, e) < 0)
		return -1;
	return 0;
}

static void take_over(struct folder_view *fv, struct reading *now, uint64_t bell)
{
	if (now->is_whole) {
		view_fini(&fv->uids);
		flag_column_fini(&fv->flags);
		fv->uids = now->uids;
		fv->flags = now->flags;
		fv->has_flags = true;
	} else {
		folder_view_apply(fv, &now->since);
	}
	fv->modseq = now->info.highestmodseq;
	fv->bell = bell;
}

int folder_view_read(struct folder_view *fv, struct store *store,
    const struct folder_view_wish *wish, struct folder_info *info_r, struct err *e)
{
	/* The bell first: what happens while the store is read rings again. */
	uint64_t bell = notice_read(fv->mailbox);
	struct reading now = {0};
	struct arena arena = {0};
	struct txn t;
	int r;

	if (txn_read(store, &t, e) < 0)
		return -1;
	r = read_instant(fv, t.db, wish, &arena, &now, e);
	txn_read_end(&t);
	if (r == 0) {
		take_over(fv, &now, bell);
		*info_r = now.info;
	} else {
		view_fini(&now.uids);
		flag_column_fini(&now.flags);
	}
	arena_fini(&arena);
	return r;
}
