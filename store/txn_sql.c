/*
 * store/txn_sql.c - transactions, the counters, and the rule about modseqs and power loss.
 *
 * A commit without fsync (flags) may be rolled back by a power loss after a client saw its modseq.
 * Given out again, that modseq would hide changes from clients that resynchronise, for ever.  So
 * such commits stay below store.modseq_reserved, which is raised in a commit with fsync; and after a
 * reboot counting goes on from there.
 */
#include "store/txn_priv.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/folder_priv.h"
#include "store/message.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MODSEQ_RESERVE 65536

int txn_read_one(struct store *store, struct txn *t, struct err *e)
{
	*t = (struct txn){.mailbox = store->mailbox};
	return mailbox_lend_reader(t->mailbox, &t->db, e);
}

int txn_read(struct store *store, struct txn *t, struct err *e)
{
	if (txn_read_one(store, t, e) < 0)
		return -1;
	if (db_read_begin(t->db, e) < 0) {
		mailbox_give_back(t->mailbox, &t->db);
		return -1;
	}
	return 0;
}

void txn_read_end(struct txn *t)
{
	if (!t->db)
		return;
	db_read_end(t->db);
	mailbox_give_back(t->mailbox, &t->db);
}

/* The host's boot: modseqs are trusted within one. */
static void boot_id_read(char out[64])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, out, 63);

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

/* Raises the reservation, and after a reboot the modseq; in a transaction whose commit syncs. */
static int reserve_in(struct db *db, int64_t *modseq_r, int64_t *reserved_r, struct err *e)
{
	char boot_id[64];
	struct query q;
	int64_t modseq, reserved;
	int r;

	boot_id_read(boot_id);
	if (query_begin(&q, db,
		"SELECT c.highestmodseq, s.modseq_reserved, s.boot_id = ?1 FROM store s, counter c "
		"WHERE s.id = 1 AND c.folder = 0",
		e) < 0)
		return -1;
	query_text(&q, 1, boot_id);
	r = query_step(&q, e);
	modseq = r > 0 ? query_get_int(&q, 0) : 0;
	reserved = r > 0 ? query_get_int(&q, 1) : 0;
	if (r > 0 && !query_get_int(&q, 2) && modseq < reserved)
		modseq = reserved;
	query_end(&q);
	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_CORRUPT, "the store's own row is missing");
	reserved = (modseq > reserved ? modseq : reserved) + MODSEQ_RESERVE;
	if (DB_RUN(db, e, "UPDATE counter SET highestmodseq = ?1 WHERE folder = 0", modseq) < 0 ||
	    query_begin(&q, db,
		"UPDATE store SET modseq_reserved = ?1, boot_id = ?2 WHERE id = 1", e) < 0)
		return -1;
	query_int(&q, 1, reserved);
	query_text(&q, 2, boot_id);
	r = query_step(&q, e);
	query_end(&q);
	*modseq_r = modseq;
	*reserved_r = reserved;
	return r;
}

static void note_reserved(struct mailbox *mb, int64_t reserved)
{
	mb->boot_checked = true;
	mb->modseq_reserved = (uint64_t)reserved;
}

/* In a commit of its own: for one that does not sync. */
static int reserve(struct mailbox *mb, struct err *e)
{
	int64_t modseq, reserved = 0;
	struct db *db;
	int r = -1;

	if (mailbox_lend_writer(mb, HANDLE_DURABLE, &db, e) < 0)
		return -1;
	if (db_write_begin(db, e) == 0) {
		r = reserve_in(db, &modseq, &reserved, e);
		if (r == 0)
			r = db_write_commit(db, e);
		if (r < 0)
			db_write_abort(db);
	}
	if (r == 0)
		note_reserved(mb, reserved);
	mailbox_give_back(mb, &db);
	return r;
}

static int begin_write(struct txn *t, struct err *e)
{
	struct query q;
	int r;

	if (mailbox_lend_writer(t->mailbox, t->kind, &t->db, e) < 0)
		return -1;
	if (db_write_begin(t->db, e) < 0 ||
	    query_begin(&q, t->db,
		"SELECT highestmodseq, next FROM counter WHERE folder = 0", e) < 0)
		goto fail;
	r = query_step(&q, e);
	if (r > 0) {
		t->modseq.n = (uint64_t)query_get_int(&q, 0) + 1;
		t->nextcontent = (uint64_t)query_get_int(&q, 1);
	}
	query_end(&q);
	if (r > 0)
		return 0;
	if (r == 0)
		err_set(e, ERR_CORRUPT, "the mailbox's counters are missing");
fail:
	db_write_abort(t->db);
	mailbox_give_back(t->mailbox, &t->db);
	return -1;
}

/* The first commit since this process opened the mailbox syncs anyway. */
static int reserve_here(struct txn *t, struct err *e)
{
	int64_t modseq;

	if (reserve_in(t->db, &modseq, &t->reserves, e) == 0) {
		t->modseq.n = (uint64_t)modseq + 1;
		return 0;
	}
	db_write_abort(t->db);
	mailbox_give_back(t->mailbox, &t->db);
	return -1;
}

int txn_write(struct store *store, enum handle_kind kind, struct txn *t, struct err *e)
{
	struct mailbox *mb = store->mailbox;

	*t = (struct txn){.mailbox = mb, .kind = kind, .store = store->number,
	    .now_ms = clock_wall_ms()};
	if (mailbox_lock_writer(mb, e) < 0)
		return -1;
	if (kind == HANDLE_QUICK && !mb->boot_checked && reserve(mb, e) < 0)
		goto fail;
	if (begin_write(t, e) < 0)
		goto fail;
	if (kind == HANDLE_DURABLE && !mb->boot_checked && reserve_here(t, e) < 0)
		goto fail;
	if (kind == HANDLE_QUICK && t->modseq.n > mb->modseq_reserved) {
		db_write_abort(t->db);
		mailbox_give_back(mb, &t->db);
		if (reserve(mb, e) < 0 || begin_write(t, e) < 0)
			goto fail;
	}
	t->is_write = true;
	return 0;
fail:
	mailbox_unlock_writer(mb);
	return -1;
}

static void end_write(struct txn *t)
{
	mailbox_give_back(t->mailbox, &t->db);
	mailbox_unlock_writer(t->mailbox);
	t->is_write = false;
}

int txn_commit(struct txn *t, struct err *e)
{
	CHECK(t->is_write);
	if (db_write_commit(t->db, e) < 0) {
		txn_abort(t);
		return -1;
	}
	if (t->reserves)
		note_reserved(t->mailbox, t->reserves);
	if (t->has_changed) {
		written_note(t->mailbox, t->store, t->modseq.n);
		notice_publish(t->mailbox, t->modseq.n);
	}
	end_write(t);
	return 0;
}

void txn_abort(struct txn *t)
{
	if (!t->is_write)
		return;
	db_write_abort(t->db);
	end_write(t);
}

/* ---- counters ---- */

void tally_add(struct tally *tally, uint32_t flags, uint64_t size, int64_t sign)
{
	tally->exists += sign;
	tally->bytes += sign * (int64_t)size;
	if (!(flags & STORE_FLAG_SEEN))
		tally->unseen += sign;
	if (flags & STORE_FLAG_DELETED)
		tally->deleted += sign;
	tally->membership = true;
}

/* One row at a time: an UPDATE that may fail after its first row has SQLite keep the pages it
 * changes in a statement journal, 64 KB that are allocated and given back each time. */
static int tally_row(struct txn *t, const struct tally *tally, uint32_t folder, int64_t taken,
    struct err *e)
{
	if (DB_RUN(t->db, e,
		"UPDATE counter SET highestmodseq = ?2, n_exists = n_exists + ?3, "
		"n_unseen = n_unseen + ?4, n_deleted = n_deleted + ?5, bytes = bytes + ?6, "
		"next = next + ?7, changed_ms = CASE WHEN ?8 THEN ?9 ELSE changed_ms END "
		"WHERE folder = ?1",
		folder, (int64_t)t->modseq.n, tally->exists, tally->unseen, tally->deleted,
		tally->bytes, taken, tally->membership, t->now_ms) < 0)
		return -1;
	if (db_changes(t->db) != 1)
		return err_set(e, ERR_NOTFOUND, "folder %u", folder);
	return 0;
}

int tally_write(struct txn *t, const struct tally *tally, struct err *e)
{
	t->has_changed = true;
	if (tally_row(t, tally, 0, tally->contents, e) < 0)
		return -1;
	return tally->folder.n ? tally_row(t, tally, tally->folder.n, tally->uids, e) : 0;
}

/* ---- who shares a content ---- */

int content_share(struct txn *t, uint64_t content, struct err *e)
{
	return DB_RUN(t->db, e,
	    "INSERT INTO content_shared(id, refs) VALUES (?1, 2) "
	    "ON CONFLICT(id) DO UPDATE SET refs = refs + 1",
	    (int64_t)content);
}

int content_unshare(struct txn *t, uint64_t content, struct err *e)
{
	int64_t id = (int64_t)content;

	/* Two become one: the row goes.  Fewer rows are the common case, so ask for the update first. */
	if (DB_RUN(t->db, e, "UPDATE content_shared SET refs = refs - 1 WHERE id = ?1 AND refs > 2",
		id) < 0)
		return -1;
	if (db_changes(t->db) > 0)
		return 0;
	if (DB_RUN(t->db, e, "DELETE FROM content_shared WHERE id = ?1", id) < 0)
		return -1;
	if (db_changes(t->db) > 0)
		return 0;
	return DB_RUN(t->db, e, "INSERT INTO content_dead(since_ms, id) VALUES (?1, ?2)", t->now_ms, id);
}

/* ---- a new mailbox ---- */

int txn_is_founded(struct db *db, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, db, "SELECT 1 FROM store WHERE id = 1", e) < 0)
		return -1;
	r = query_step(&q, e);
	query_end(&q);
	return r;
}

static int found_in(struct mailbox *mb, struct db *db, struct err *e)
{
	static const struct {
		const char *name;
		enum folder_use use;
	} folders[] = {
	    {"INBOX", FOLDER_NO_USE},
	    {"Sent", FOLDER_SENT},
	    {"Drafts", FOLDER_DRAFTS},
	    {"Trash", FOLDER_TRASH},
	    {"Junk", FOLDER_JUNK},
	    {"Archive", FOLDER_ARCHIVE},
	};
	struct txn t = {.mailbox = mb, .db = db, .modseq = {1}, .now_ms = clock_wall_ms()};

	if (DB_RUN(db, e,
		"INSERT INTO store(id, boot_id, modseq_reserved, uidvalidity) VALUES (1, '', 1, ?1)",
		t.now_ms / 1000) < 0 ||
	    DB_RUN0(db, e, "INSERT INTO counter(folder, next, highestmodseq) VALUES (0, 1, 1)") < 0)
		return -1;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		struct folder_id id;

		if (folder_insert(&t, folders[i].name, folders[i].use, &id, e) < 0 ||
		    subscription_put(&t, folders[i].name, true, e) < 0)
			return -1;
	}
	return 0;
}

int txn_found(struct mailbox *mb, struct db *db, struct err *e)
{
	int r;

	if (db_write_begin(db, e) < 0)
		return -1;
	r = txn_is_founded(db, e);
	if (r == 0)
		r = found_in(mb, db, e);
	if (r >= 0)
		r = db_write_commit(db, e);
	if (r < 0)
		db_write_abort(db);
	return r;
}
