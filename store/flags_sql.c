/*
 * store/flags_sql.c - flags and keywords.
 *
 * A change of flags is the commonest write, and the cheapest: three small pages, and no sync unless
 * FlagsDurable says so.  Which messages changed is told by a row per run of UIDs.
 */
#include "store/flags.h"

#include "store/folder_priv.h"
#include "store/folder_view_priv.h"
#include "store/message_priv.h"

#include <string.h>

#define KEYWORD_OCTETS_MAX 255
/* A run of changed UIDs may hold up to this many that did not change or are not there: who reads
 * the run looks at each message's own modseq. */
#define RUN_GAP 16

static int keyword_of_name(struct db *db, const char *name, int *bit_r, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, db, "SELECT bit FROM keyword WHERE name = ?1", e) < 0)
		return -1;
	query_text(&q, 1, name);
	r = query_step(&q, e);
	*bit_r = r > 0 ? (int)query_get_int(&q, 0) : -1;
	query_end(&q);
	return r < 0 ? -1 : 0;
}

static int keyword_make(struct txn *t, const char *name, int *bit_r, struct err *e)
{
	struct query q;
	size_t n = strlen(name);
	int r, bit;

	if (n == 0 || n > KEYWORD_OCTETS_MAX)
		return err_set(e, ERR_INVALID, "a keyword has 1 to %d octets", KEYWORD_OCTETS_MAX);
	/* Bits are given in order, and never taken back: sessions remember what they mean. */
	if (query_begin(&q, t->db, "SELECT coalesce(max(bit) + 1, 0) FROM keyword", e) < 0)
		return -1;
	r = query_step(&q, e);
	bit = r > 0 ? (int)query_get_int(&q, 0) : 0;
	query_end(&q);
	if (r < 0)
		return -1;
	if (bit >= KEYWORDS_MAX)
		return err_set(e, ERR_LIMIT, "the mailbox has %d keywords", KEYWORDS_MAX);
	if (query_begin(&q, t->db, "INSERT INTO keyword(bit, name) VALUES (?1, ?2)", e) < 0)
		return -1;
	query_int(&q, 1, bit);
	query_text(&q, 2, name);
	r = query_step(&q, e);
	query_end(&q);
	*bit_r = bit;
	return r;
}

int keyword_bits(struct txn *t, const char *const *names, size_t n, bool make, uint64_t *bits_r,
    struct err *e)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < n; i++) {
		int bit;

		if (keyword_of_name(t->db, names[i], &bit, e) < 0)
			return -1;
		if (bit < 0 && make && keyword_make(t, names[i], &bit, e) < 0)
			return -1;
		if (bit >= 0)
			bits |= (uint64_t)1 << bit;
	}
	*bits_r = bits;
	return 0;
}

int flags_keywords(struct store *store, struct arena *arena, const char *names_r[63], struct err *e)
{
	const char *names[KEYWORDS_MAX] = {0};
	struct query q;
	struct txn t;
	int r;

	if (txn_read_one(store, &t, e) < 0)
		return -1;
	r = query_begin(&q, t.db, "SELECT bit, name FROM keyword", e);
	if (r == 0) {
		while ((r = query_step(&q, e)) > 0) {
			struct str_view name = query_get_view(&q, 1);
			int64_t bit = query_get_int(&q, 0);

			if (bit >= 0 && bit < KEYWORDS_MAX)
				names[bit] = arena_strn(arena, name.p, name.n);
		}
		query_end(&q);
	}
	txn_read_end(&t);
	if (r == 0)
		memcpy(names_r, names, sizeof names);
	return r;
}

/* One call's work on one folder. */
struct flagging {
	struct txn txn;
	struct folder_id folder;
	const struct flags_change *change;
	uint64_t keywords;
	struct tally tally;
	uint32_t run_from, run_to; /* 0: no run is open */
	size_t changed_n;
};

static int run_close(struct flagging *f, struct err *e)
{
	uint32_t from = f->run_from;

	f->run_from = 0;
	if (!from)
		return 0;
	return DB_RUN(f->txn.db, e,
	    "INSERT INTO flag_change(folder, modseq, uid_from, uid_to) VALUES (?1, ?2, ?3, ?4)",
	    f->folder.n, (int64_t)f->txn.modseq.n, from, f->run_to);
}

static int run_add(struct flagging *f, uint32_t uid, struct err *e)
{
	if (f->run_from && uid - f->run_to > RUN_GAP && run_close(f, e) < 0)
		return -1;
	if (!f->run_from)
		f->run_from = uid;
	f->run_to = uid;
	return 0;
}

static uint64_t combine(enum flags_how how, uint64_t old, uint64_t given)
{
	return how == FLAGS_ADD ? old | given : how == FLAGS_REMOVE ? old & ~given : given;
}

/* 1 or 0: whether it was elsewhere. */
static int place_one(struct flagging *f, uint32_t uid, struct err *e)
{
	if (f->change->place == FLAGS_ANY_PLACE)
		return 0;
	return maildir_cur_put(&f->txn, f->folder, uid, f->change->place == FLAGS_IN_CUR, e);
}

/* Changes a row and the message it came from, if there is anything to change. */
static int flag_one(struct flagging *f, struct message_row *row, struct err *e)
{
	uint32_t flags = (uint32_t)combine(f->change->how, row->flags, f->change->flags);
	uint64_t keywords = combine(f->change->how, row->keywords, f->keywords);
	int moved = place_one(f, row->uid, e);

	if (moved < 0)
		return -1;
	if (flags == row->flags && keywords == row->keywords && !moved)
		return 0;
	tally_add(&f->tally, row->flags, 0, -1);
	tally_add(&f->tally, flags, 0, 1);
	row->flags = flags;
	row->keywords = keywords;
	row->modseq = f->txn.modseq.n;
	f->changed_n++;
	if (DB_RUN(f->txn.db, e,
		"UPDATE message SET flags = ?3, keywords = ?4, modseq = ?5, changed_ms = ?6 "
		"WHERE folder = ?1 AND uid = ?2",
		f->folder.n, row->uid, flags, (int64_t)keywords, (int64_t)row->modseq,
		f->txn.now_ms) < 0)
		return -1;
	return run_add(f, row->uid, e);
}

static int flag_rows(struct flagging *f, struct message_rows *rows, struct arena *arena,
    struct flags_stored *stored, struct err *e)
{
	stored->now = ARENA_ARRAY(arena, struct message_info, rows->n + 1);
	stored->failed = ARENA_ARRAY(arena, struct store_uid, rows->n + 1);
	for (size_t i = 0; i < rows->n; i++) {
		struct message_row *row = &rows->p[i];

		if (f->change->has_unchanged_since && row->modseq > f->change->unchanged_since.n)
			stored->failed[stored->failed_n++].n = row->uid;
		else if (flag_one(f, row, e) < 0)
			return -1;
		stored->now[stored->n++] = (struct message_info){.uid = {row->uid},
		    .modseq = {row->modseq}, .flags = row->flags, .keywords = row->keywords};
	}
	f->tally.membership = false;
	return 0;
}

static int store_in(struct flagging *f, const struct uid_range *ranges, size_t ranges_n,
    struct arena *arena, struct flags_stored *stored, struct err *e)
{
	const struct flags_change *c = f->change;
	struct message_rows rows = {0};
	struct folder_info info;
	int r;

	if (folder_counters(f->txn.db, f->folder, &info, e) < 0)
		return -1;
	stored->before = stored->after = info.highestmodseq;
	/* Removing what nobody has needs no new bit. */
	if (keyword_bits(&f->txn, c->keywords, c->keywords_n, c->how != FLAGS_REMOVE, &f->keywords, e) <
	    0)
		return -1;
	r = message_rows_read(f->txn.db, f->folder, ranges, ranges_n, &rows, e);
	if (r == 0)
		r = flag_rows(f, &rows, arena, stored, e);
	message_rows_fini(&rows);
	return r;
}

int flags_store_at(struct store *store, struct folder_id folder, const struct uid_range *ranges,
    size_t ranges_n, const struct flags_change *change, struct arena *arena,
    struct flags_stored *stored_r, struct err *e)
{
	struct flagging f = {.folder = folder, .change = change, .tally.folder = folder};
	bool durable = setting_get(store->mailbox->site->site, SETTING_FLAGS_DURABLE) != 0;
	struct flags_stored stored = {0};
	int r = -1;

	if (change->flags & ~31u)
		return err_set(e, ERR_INVALID, "unknown flags");
	if (txn_write(store, durable ? HANDLE_DURABLE : HANDLE_QUICK, &f.txn, e) < 0)
		return -1;
	if (store_in(&f, ranges, ranges_n, arena, &stored, e) < 0)
		goto out;
	/* Nothing changed: no commit, no modseq, nobody wakes. */
	if (f.changed_n == 0) {
		r = 0;
	} else if (run_close(&f, e) == 0 && tally_write(&f.txn, &f.tally, e) == 0) {
		r = txn_commit(&f.txn, e);
		stored.after = f.txn.modseq;
	}
	if (r == 0)
		*stored_r = stored;
out:
	txn_abort(&f.txn);
	if (r == 0 && f.changed_n)
		folder_view_stored(store->mailbox, folder, &stored);
	return r;
}

int flags_store(struct store *store, struct folder_id folder, const struct uid_range *ranges,
    size_t ranges_n, const struct flags_change *change, struct arena *arena,
    struct message_info **now_r, size_t *n_r, struct store_uid **failed_r, size_t *failed_n_r,
    struct err *e)
{
	struct flags_stored stored;

	if (flags_store_at(store, folder, ranges, ranges_n, change, arena, &stored, e) < 0)
		return -1;
	*now_r = stored.now;
	*n_r = stored.n;
	*failed_r = stored.failed;
	*failed_n_r = stored.failed_n;
	return 0;
}
