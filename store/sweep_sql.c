/*
 * store/sweep_sql.c - reclaiming, a slice at a time: contents dead longer than KeepDeleted, what their
 * tombstones remember, superseded rows of the change feed, free pages.
 *
 * Runs on the janitor's thread, under the writer lock; a slice is short enough (about 15 ms) that
 * nobody minds waiting for it.
 */
#include "store/message_priv.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>

#define SLICE_CONTENTS 200
#define SLICE_PAGES 500 /* a PRAGMA takes no parameters: give_back_pages repeats it */
/* Tombstones of a folder are kept for clients that resynchronise; past this age they read anew. */
#define TOMBSTONES_MS (INT64_C(90) * 86400000)
/* Rows of flag_change a folder may have before the superseded ones are looked for. */
#define FEED_ROWS 10000

static int64_t grace_ms(struct mailbox *mb)
{
	int64_t days = setting_get(mb->site->site, SETTING_KEEP_DELETED);

	/* An hour at least: a handle, a POP3 snapshot, a slow FETCH may still read it. */
	return days ? days * 86400000 : 3600000;
}

static int count(struct db *db, const char *sql, int64_t a, int64_t b, int64_t *n_r, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, db, sql, e) < 0)
		return -1;
	query_int(&q, 1, a);
	query_int(&q, 2, b);
	r = query_step(&q, e);
	*n_r = r > 0 ? query_get_int(&q, 0) : 0;
	query_end(&q);
	return r < 0 ? -1 : 0;
}

/* Contents of the slice: rows of content_dead up to the last one's (since_ms, id). */
static int sweep_contents(struct db *db, int64_t before, struct err *e)
{
	if (DB_RUN(db, e,
		"DELETE FROM content_data WHERE id IN (SELECT d.id FROM content_data d JOIN "
		"(SELECT id FROM content_dead WHERE since_ms < ?1 ORDER BY since_ms, id LIMIT ?2) g "
		"ON d.id BETWEEN g.id * 4096 AND g.id * 4096 + 4095)",
		before, SLICE_CONTENTS) < 0 ||
	    DB_RUN(db, e,
		"DELETE FROM content WHERE id IN "
		"(SELECT id FROM content_dead WHERE since_ms < ?1 ORDER BY since_ms, id LIMIT ?2)",
		before, SLICE_CONTENTS) < 0)
		return -1;
	return DB_RUN(db, e,
	    "DELETE FROM content_dead WHERE (since_ms, id) IN (SELECT since_ms, id FROM content_dead "
	    "WHERE since_ms < ?1 ORDER BY since_ms, id LIMIT ?2)",
	    before, SLICE_CONTENTS);
}

/* Tombstones first forget what could be undeleted, and go much later, raising the floor below which
 * the feed of their folder can't answer. */
static int sweep_tombstones(struct db *db, int64_t before, int64_t now, struct err *e)
{
	int64_t old = now - TOMBSTONES_MS;

	if (DB_RUN(db, e,
		"UPDATE expunged SET content = NULL WHERE content IS NOT NULL AND gone_ms < ?1", before) <
	    0)
		return -1;
	if (DB_RUN(db, e,
		"UPDATE counter SET floormodseq = max(floormodseq, (SELECT max(x.modseq) FROM expunged x "
		"WHERE x.folder = counter.folder AND x.gone_ms < ?1)) "
		"WHERE folder IN (SELECT folder FROM expunged WHERE gone_ms < ?1)",
		old) < 0 ||
	    DB_RUN(db, e, "DELETE FROM expunged WHERE gone_ms < ?1", old) < 0)
		return -1;
	if (DB_RUN(db, e,
		"UPDATE store SET floormodseq = max(floormodseq, "
		"coalesce((SELECT max(modseq) FROM folder_gone WHERE gone_ms < ?1), 0))",
		old) < 0)
		return -1;
	return DB_RUN(db, e, "DELETE FROM folder_gone WHERE gone_ms < ?1", old);
}

/* A row of the feed says something as long as a message in its run still has its modseq. */
static int sweep_feed(struct db *db, struct err *e)
{
	return DB_RUN(db, e,
	    "DELETE FROM flag_change WHERE folder IN (SELECT folder FROM flag_change GROUP BY folder "
	    "HAVING count(*) > ?1) AND NOT EXISTS (SELECT 1 FROM message m WHERE m.folder = "
	    "flag_change.folder AND m.uid BETWEEN uid_from AND uid_to AND m.modseq = "
	    "flag_change.modseq)",
	    FEED_ROWS);
}

/* Retries that come later are deliveries anew. */
static int64_t delivered_before(struct mailbox *mb, int64_t now)
{
	return now - (int64_t)setting_get(mb->site->site, SETTING_DELIVERED_KEEP) * 86400000;
}

/* What there is to do; the feed alone is no reason to come again. */
struct due {
	int64_t contents, tombstones, feed, delivered, pages;
};

static int look(struct mailbox *mb, struct db *db, int64_t before, int64_t now, struct due *due, struct err *e)
{
	if (count(db,
		"SELECT count(*) FROM (SELECT 1 FROM content_dead WHERE since_ms < ?1 LIMIT ?2)", before,
		SLICE_CONTENTS + 1, &due->contents, e) < 0 ||
	    count(db,
		"SELECT EXISTS (SELECT 1 FROM expunged WHERE (content IS NOT NULL AND gone_ms < ?1) "
		"OR gone_ms < ?2) OR EXISTS (SELECT 1 FROM folder_gone WHERE gone_ms < ?2)",
		before, now - TOMBSTONES_MS, &due->tombstones, e) < 0)
		return -1;
	/* A count of the feed is a scan of it; the mailbox's modseq bounds it from above. */
	if (count(db,
		"SELECT count(*) > ?1 FROM flag_change "
		"WHERE (SELECT highestmodseq FROM counter WHERE folder = 0) > ?2",
		FEED_ROWS, FEED_ROWS, &due->feed, e) < 0)
		return -1;
	if (count(db, "SELECT EXISTS (SELECT 1 FROM delivered WHERE at_ms < ?1) AND ?2", delivered_before(mb, now),
		1, &due->delivered, e) < 0)
		return -1;
	return count(db, "SELECT freelist_count FROM pragma_freelist_count WHERE ?1 = ?2", 0, 0,
	    &due->pages, e);
}

static int sweep_in(struct mailbox *mb, struct db *db, int64_t before, int64_t now, const struct due *due, struct err *e)
{
	if (due->contents && sweep_contents(db, before, e) < 0)
		return -1;
	if (due->tombstones && sweep_tombstones(db, before, now, e) < 0)
		return -1;
	if (due->delivered &&
	    DB_RUN(db, e, "DELETE FROM delivered WHERE at_ms < ?1", delivered_before(mb, now)) < 0)
		return -1;
	return due->feed ? sweep_feed(db, e) : 0;
}

/* incremental_vacuum is a commit of its own and frees a page a step. */
static int give_back_pages(struct db *db, struct err *e)
{
	return DB_RUN0(db, e, "PRAGMA incremental_vacuum(500)");
}

bool sweep_slice(struct mailbox *mb, struct db *db)
{
	int64_t now = clock_wall_ms(), before = now - grace_ms(mb);
	struct due due = {0};
	struct err e;
	int r = look(mb, db, before, now, &due, &e);

	if (r == 0 && (due.contents || due.tombstones || due.feed || due.delivered)) {
		r = db_write_begin(db, &e);
		if (r == 0)
			r = sweep_in(mb, db, before, now, &due, &e);
		if (r == 0)
			r = db_write_commit(db, &e);
		if (r < 0)
			db_write_abort(db);
	}
	/* Some free pages are room for the next message; giving each back would be work for nothing. */
	if (r == 0 && due.pages > SLICE_PAGES)
		r = give_back_pages(db, &e);
	if (r < 0) {
		log_warn("sweep-failed", "user=%016" PRIx64 " %s", mb->user.n, log_err(&e));
		return false;
	}
	return due.contents > SLICE_CONTENTS || due.pages > 2 * SLICE_PAGES;
}
