/*
 * store/copy_sql.c - copy, move, expunge: whole messages between and out of folders.
 *
 * Bodies are shared: a copy is a row of the narrow message table.  A message that goes leaves a
 * tombstone; if it was the last of its content, the content is dead from then on, and reclaimed
 * after KeepDeleted (sweep_sql.c).
 */
#include "store/folder_priv.h"
#include "store/message_priv.h"

#include "base/check.h"

/* How a message leaves a folder. */
enum leaving { LEAVE_EXPUNGED, LEAVE_MOVED };

/* Moved content lives on elsewhere: that tombstone remembers nothing to undelete. */
static int tombstone_put(struct txn *t, struct folder_id folder, const struct message_row *row,
    enum leaving how, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, t->db,
		"INSERT INTO expunged(folder, modseq, uid, born, gone_ms, content, size, flags, "
		"keywords, idate_ms, zone_min) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
		e) < 0)
		return -1;
	query_int(&q, 1, folder.n);
	query_int(&q, 2, (int64_t)t->modseq.n);
	query_int(&q, 3, row->uid);
	query_int(&q, 4, (int64_t)row->born);
	query_int(&q, 5, t->now_ms);
	if (how == LEAVE_EXPUNGED)
		query_int(&q, 6, (int64_t)row->content);
	query_int(&q, 7, (int64_t)row->size);
	query_int(&q, 8, row->flags);
	query_int(&q, 9, (int64_t)row->keywords);
	query_int(&q, 10, row->idate_ms);
	query_int(&q, 11, row->zone_min);
	r = query_step(&q, e);
	query_end(&q);
	return r;
}

static int message_remove(struct txn *t, struct folder_id folder, const struct message_row *row,
    enum leaving how, struct err *e)
{
	if (DB_RUN(t->db, e, "DELETE FROM message WHERE folder = ?1 AND uid = ?2", folder.n,
		row->uid) < 0 ||
	    DB_RUN(t->db, e, "DELETE FROM message_name WHERE folder = ?1 AND uid = ?2", folder.n,
		row->uid) < 0 ||
	    maildir_cur_put(t, folder, row->uid, false, e) < 0 ||
	    tombstone_put(t, folder, row, how, e) < 0)
		return -1;
	return how == LEAVE_EXPUNGED ? content_unshare(t, row->content, e) : 0;
}

int messages_expunge(struct txn *t, struct folder_id folder, const struct uid_range *ranges,
    size_t ranges_n, bool only_deleted, struct arena *arena, struct store_uid **gone_r, size_t *n_r,
    struct err *e)
{
	struct tally tally = {.folder = folder};
	struct message_rows rows = {0};
	struct store_uid *gone;
	size_t n = 0;
	int r = -1;

	if (message_rows_read(t->db, folder, ranges, ranges_n, &rows, e) < 0)
		goto out;
	gone = ARENA_ARRAY(arena, struct store_uid, rows.n + 1);
	for (size_t i = 0; i < rows.n; i++) {
		const struct message_row *row = &rows.p[i];

		if (only_deleted && !(row->flags & STORE_FLAG_DELETED))
			continue;
		if (message_remove(t, folder, row, LEAVE_EXPUNGED, e) < 0)
			goto out;
		tally_add(&tally, row->flags, row->size, -1);
		gone[n++].n = row->uid;
	}
	r = n ? tally_write(t, &tally, e) : 0;
	if (r == 0) {
		*gone_r = gone;
		*n_r = n;
	}
out:
	message_rows_fini(&rows);
	return r;
}

int message_expunge(struct store *store, struct folder_id folder, const struct uid_range *ranges,
    size_t ranges_n, bool only_deleted, struct arena *arena, struct store_uid **gone_r, size_t *n_r,
    struct err *e)
{
	struct store_uid *gone;
	struct txn t;
	size_t n;
	int r = -1;

	if (txn_write(store, HANDLE_DURABLE, &t, e) < 0)
		return -1;
	if (folder_exists(t.db, folder, e) == 0 &&
	    messages_expunge(&t, folder, ranges, ranges_n, only_deleted, arena, &gone, &n, e) == 0)
		r = n ? txn_commit(&t, e) : 0;
	txn_abort(&t);
	if (r == 0) {
		*gone_r = gone;
		*n_r = n;
	}
	return r;
}

/*
 * A name given through the mount goes along where the new folder has room for it: where no message was given it, nor is
 * called so anyway in the mount (fs/name.h; with names=uid, without the slug).
 */
static int name_follow(struct txn *t, struct folder_id from, uint32_t old, struct folder_id to,
    uint32_t new, struct err *e)
{
	return DB_RUN(t->db, e,
	    "INSERT INTO message_name(folder, uid, name) SELECT ?3, ?4, n.name FROM message_name n "
	    "WHERE n.folder = ?1 AND n.uid = ?2 AND NOT EXISTS ("
	    "SELECT 1 FROM message m JOIN content c ON c.id = m.content "
	    "WHERE m.folder = ?3 AND m.uid = CAST(substr(n.name, 17) AS INTEGER) AND m.uid <> ?4 "
	    "AND n.name IN (strftime('%Y%m%d-%H%M%S', m.idate_ms / 1000, 'unixepoch') || printf('.%08d.eml', m.uid), "
	    "strftime('%Y%m%d-%H%M%S', m.idate_ms / 1000, 'unixepoch') || printf('.%08d.%s.eml', m.uid, c.slug))) "
	    "ON CONFLICT DO NOTHING",
	    from.n, old, to.n, new);
}

static int transfer_one(struct txn *t, struct folder_id from, const struct message_row *row,
    struct folder_id to, uint32_t uid, bool move, struct err *e)
{
	struct message_row copy = *row;

	copy.uid = uid;
	if (message_insert(t, to, &copy, e) < 0)
		return -1;
	if (!move)
		return content_share(t, row->content, e);
	if (from.n != to.n && name_follow(t, from, row->uid, to, uid, e) < 0)
		return -1;
	return message_remove(t, from, row, LEAVE_MOVED, e);
}

static int transfer_rows(struct txn *t, struct folder_id from, const struct message_rows *rows,
    struct folder_id to, bool move, struct message_copied *copied, struct err *e)
{
	struct tally in = {.folder = to}, out = {.folder = from};
	struct folder_next next;

	if (folder_next_uid(t, to, &next, e) < 0)
		return -1;
	copied->uidvalidity = next.uidvalidity;
	for (size_t i = 0; i < rows->n; i++) {
		const struct message_row *row = &rows->p[i];

		if (next.uid > UINT32_MAX)
			return err_set(e, ERR_LIMIT, "the folder has given all its UIDs");
		copied->from[i].n = row->uid;
		copied->to[i].n = (uint32_t)next.uid++;
		if (transfer_one(t, from, row, to, copied->to[i].n, move, e) < 0)
			return -1;
		tally_add(&in, row->flags, row->size, 1);
		tally_add(&out, row->flags, row->size, -1);
		in.uids++;
	}
	copied->n = rows->n;
	if (rows->n == 0)
		return 0;
	if (!move && quota_check(t, rows->n, (uint64_t)in.bytes, e) < 0)
		return -1;
	/* First in, then out: no sum may pass below zero. */
	if (tally_write(t, &in, e) < 0)
		return -1;
	return move ? tally_write(t, &out, e) : 0;
}

static int transfer(struct txn *t, struct folder_id from, const struct uid_range *ranges,
    size_t ranges_n, struct folder_id to, bool move, struct arena *arena,
    struct message_copied *copied_r, struct err *e)
{
	struct message_rows rows = {0};
	struct message_copied copied = {0};
	int r = message_rows_read(t->db, from, ranges, ranges_n, &rows, e);

	if (r == 0) {
		copied.from = ARENA_ARRAY(arena, struct store_uid, rows.n + 1);
		copied.to = ARENA_ARRAY(arena, struct store_uid, rows.n + 1);
		r = transfer_rows(t, from, &rows, to, move, &copied, e);
	}
	if (r == 0)
		*copied_r = copied;
	message_rows_fini(&rows);
	return r;
}

int messages_move(struct txn *t, struct folder_id from, const struct uid_range *ranges,
    size_t ranges_n, struct folder_id to, struct arena *arena, struct message_copied *moved_r,
    struct err *e)
{
	return transfer(t, from, ranges, ranges_n, to, true, arena, moved_r, e);
}

static int transfer_call(struct store *store, struct folder_id from, const struct uid_range *ranges,
    size_t ranges_n, struct folder_id to, bool move, struct arena *arena,
    struct message_copied *copied_r, struct err *e)
{
	struct message_copied copied;
	struct txn t;
	int r = -1;

	if (txn_write(store, HANDLE_DURABLE, &t, e) < 0)
		return -1;
	if (folder_exists(t.db, from, e) == 0 &&
	    transfer(&t, from, ranges, ranges_n, to, move, arena, &copied, e) == 0)
		r = copied.n ? txn_commit(&t, e) : 0;
	txn_abort(&t);
	if (r == 0)
		*copied_r = copied;
	return r;
}

int message_copy(struct store *store, struct folder_id from, const struct uid_range *ranges,
    size_t ranges_n, struct folder_id to, struct arena *arena, struct message_copied *copied_r,
    struct err *e)
{
	return transfer_call(store, from, ranges, ranges_n, to, false, arena, copied_r, e);
}

int message_move(struct store *store, struct folder_id from, const struct uid_range *ranges,
    size_t ranges_n, struct folder_id to, struct arena *arena, struct message_copied *moved_r,
    struct err *e)
{
	return transfer_call(store, from, ranges, ranges_n, to, true, arena, moved_r, e);
}

/* ---- the same message with another date ---- */

static int follow_in_folder(struct txn *t, struct folder_id folder, uint32_t old, uint32_t new,
    struct err *e)
{
	if (DB_RUN(t->db, e, "UPDATE message_name SET uid = ?3 WHERE folder = ?1 AND uid = ?2", folder.n, old,
		new) < 0)
		return -1;
	return DB_RUN(t->db, e, "UPDATE maildir_cur SET uid = ?3 WHERE folder = ?1 AND uid = ?2", folder.n, old,
	    new);
}

static int redate_in(struct txn *t, struct folder_id folder, const struct message_row *row,
    int64_t idate_ms, struct store_uid *uid_r, struct err *e)
{
	struct tally in = {.folder = folder, .uids = 1}, out = {.folder = folder};
	struct message_row new = *row;
	struct folder_next next;

	if (folder_next_uid(t, folder, &next, e) < 0)
		return -1;
	if (next.uid > UINT32_MAX)
		return err_set(e, ERR_LIMIT, "the folder has given all its UIDs");
	new.uid = (uint32_t)next.uid;
	new.idate_ms = idate_ms;
	tally_add(&in, row->flags, row->size, 1);
	tally_add(&out, row->flags, row->size, -1);
	if (message_insert(t, folder, &new, e) < 0 || follow_in_folder(t, folder, row->uid, new.uid, e) < 0 ||
	    message_remove(t, folder, row, LEAVE_MOVED, e) < 0 || tally_write(t, &in, e) < 0 ||
	    tally_write(t, &out, e) < 0)
		return -1;
	uid_r->n = new.uid;
	return 0;
}

int message_redate(struct store *store, struct folder_id folder, struct store_uid uid, int64_t idate_ms,
    struct store_uid *uid_r, struct err *e)
{
	const struct uid_range range = {uid.n, uid.n};
	struct message_rows rows = {0};
	struct store_uid new = {0};
	struct txn t;
	int r;

	if (txn_write(store, HANDLE_DURABLE, &t, e) < 0)
		return -1;
	r = message_rows_read(t.db, folder, &range, 1, &rows, e);
	if (r == 0)
		r = rows.n ? redate_in(&t, folder, &rows.p[0], idate_ms, &new, e)
			   : err_set(e, ERR_EXPUNGED, "message %u", uid.n);
	if (r == 0)
		r = txn_commit(&t, e);
	txn_abort(&t);
	message_rows_fini(&rows);
	if (r == 0)
		*uid_r = new;
	return r;
}
