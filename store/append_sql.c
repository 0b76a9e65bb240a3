/*
 * store/append_sql.c - committing appends: n messages, one transaction, one sync.
 */
#include "store/append_batch_priv.h"
#include "store/content_cache_priv.h"
#include "store/listing_priv.h"
#include "store/message_priv.h"

#include "base/check.h"

#include <string.h>

/* A UID that was wished for may be so much over the next. */
#define UIDS_SKIPPED_MAX 10000u

static int content_insert(struct txn *t, const struct append *a, struct err *e)
{
	const struct eol_in *eol = &a->eol;
	const struct mime_message *m = &a->mime;
	struct query q;
	int r;

	if (query_begin(&q, t->db,
		"INSERT INTO content(id, size, size_lf, size_in, hdr, lineends, sent_ms, "
		"sent_zone_min, slug, envelope, bodystructure, parts, hdr_8bit) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
		e) < 0)
		return -1;
	query_int(&q, 1, (int64_t)t->nextcontent);
	query_int(&q, 2, (int64_t)eol->at);
	query_int(&q, 3, (int64_t)eol_in_size_lf(eol));
	query_int(&q, 4, (int64_t)eol_in_size_back(eol));
	query_int(&q, 5, (int64_t)m->header_n);
	query_int(&q, 6, eol_in_kind(eol));
	if (m->sent_ms != INT64_MIN) {
		query_int(&q, 7, m->sent_ms);
		query_int(&q, 8, m->sent_zone_min);
	}
	query_text(&q, 9, m->slug);
	query_blob(&q, 10, m->envelope);
	query_blob(&q, 11, m->bodystructure);
	query_blob(&q, 12, str_buf_view(&a->parts));
	query_int(&q, 13, m->header_8bit);
	r = query_step(&q, e);
	query_end(&q);
	return r;
}

static int ends_insert(struct txn *t, const struct append *a, struct err *e)
{
	struct query q;
	int r;

	if (eol_in_kind(&a->eol) != EOL_MIXED)
		return 0;
	if (query_begin(&q, t->db, "INSERT INTO content_ends(id, exceptions) VALUES (?1, ?2)", e) < 0)
		return -1;
	query_int(&q, 1, (int64_t)t->nextcontent);
	query_blob(&q, 2, str_buf_view(&a->eol.exceptions));
	r = query_step(&q, e);
	query_end(&q);
	return r;
}

/* At least one row, so that an empty message can be told from one that was reclaimed. */
static int data_insert(struct append_batch *b, struct append *a, struct err *e)
{
	uint64_t size = a->eol.at, at = 0, chunk = 0;
	struct query q;
	int r;

	if (query_begin(&q, b->txn.db, "INSERT INTO content_data(id, data) VALUES (?1, ?2)", e) < 0)
		return -1;
	do {
		size_t n = size - at < CHUNK_OCTETS ? (size_t)(size - at) : CHUNK_OCTETS;
		struct str_view octets;

		r = spool_peek(&a->spool, at, n, &b->room, &octets, e);
		if (r < 0)
			break;
		query_int(&q, 1, chunk_id(b->txn.nextcontent, chunk));
		query_blob(&q, 2, octets);
		r = query_step(&q, e);
		query_again(&q);
		at += n;
		chunk++;
	} while (r == 0 && at < size);
	query_end(&q);
	return r;
}

int append_batch_count(struct append_batch *b, struct err *e)
{
	struct tally done = b->tally;

	b->tally = (struct tally){0};
	return done.folder.n ? tally_write(&b->txn, &done, e) : 0;
}

int append_batch_enter(struct append_batch *b, const struct append_how *how, struct err *e)
{
	struct folder_id folder = how->folder;

	if (b->tally.folder.n &&
	    (folder.n ? folder.n == b->tally.folder.n : how->folder_name == b->name))
		return 0;
	b->name = folder.n ? NULL : how->folder_name;
	if (!folder.n && folder_find(b->txn.db, how->folder_name, &folder, e) < 0)
		return -1;
	if (append_batch_count(b, e) < 0 || folder_next_uid(&b->txn, folder, &b->next, e) < 0)
		return -1;
	b->tally.folder = folder;
	return 0;
}

/* A program that numbers messages itself goes on from the highest UID that it was told. */
static void skip_uids(struct append_batch *b, uint32_t wish)
{
	if (wish > b->next.uid && wish - b->next.uid <= UIDS_SKIPPED_MAX) {
		b->tally.uids += (int64_t)(wish - b->next.uid);
		b->next.uid = wish;
	}
}

int append_batch_one(struct append_batch *b, struct append *a, const struct append_how *how,
    struct append_done *done, struct err *e)
{
	struct txn *t = &b->txn;
	struct message_row row = {
	    .flags = how->flags,
	    .content = t->nextcontent,
	    .size = a->eol.at,
	    .idate_ms = how->idate_ms == INT64_MIN ? t->now_ms : how->idate_ms,
	    .zone_min = how->zone_min,
	};

	if (append_batch_enter(b, how, e) < 0 ||
	    keyword_bits(t, how->keywords, how->keywords_n, true, &row.keywords, e) < 0)
		return -1;
	skip_uids(b, how->uid);
	if (b->next.uid > UINT32_MAX)
		return err_set(e, ERR_LIMIT, "the folder has given all its UIDs");
	row.uid = (uint32_t)b->next.uid++;
	if (content_insert(t, a, e) < 0 || ends_insert(t, a, e) < 0 || data_insert(b, a, e) < 0 ||
	    message_insert(t, b->tally.folder, &row, e) < 0)
		return -1;
	if (how->name && message_name_put(t, b->tally.folder, row.uid, how->name, e) < 0)
		return -1;
	if (how->is_cur && maildir_cur_put(t, b->tally.folder, row.uid, true, e) < 0)
		return -1;
	tally_add(&b->tally, row.flags, row.size, 1);
	b->tally.uids++;
	b->tally.contents++;
	t->nextcontent++;
	*done = (struct append_done){{row.uid}, t->modseq, b->next.uidvalidity};
	return 0;
}

static int check_quota(struct txn *t, struct append **appends, size_t n, struct err *e)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += appends[i]->eol.at;
	return quota_check(t, n, bytes, e);
}

int append_may(struct store *store, size_t n, uint64_t octets, struct err *e)
{
	struct txn t;
	int r;

	if (txn_read(store, &t, e) < 0)
		return -1;
	r = quota_check(&t, n, octets, e);
	txn_read_end(&t);
	return r;
}

int append_how_check(const struct append_how *how, struct err *e)
{
	if (how->flags & ~31u)
		return err_set(e, ERR_INVALID, "unknown flags");
	if (!how->folder.n && !how->folder_name)
		return err_set(e, ERR_NOTFOUND, "no folder");
	if (how->zone_min < -1439 || how->zone_min > 1439)
		return err_set(e, ERR_INVALID, "a zone of %d minutes", how->zone_min);
	if (how->name && !*how->name)
		return err_set(e, ERR_INVALID, "an empty name");
	return 0;
}

/* What goes where something comes in its place: none or one. */
struct replaced {
	struct folder_id folder;
	struct store_uid uid;
};

static int expunge_replaced(struct txn *t, const struct replaced *old, struct err *e)
{
	const struct uid_range range = {old->uid.n, old->uid.n};
	struct arena arena = {0};
	struct store_uid *gone;
	size_t n = 0;
	int r = folder_exists(t->db, old->folder, e);

	if (r == 0)
		r = messages_expunge(t, old->folder, &range, 1, false, &arena, &gone, &n, e);
	arena_fini(&arena);
	if (r == 0 && n == 0)
		r = err_set(e, ERR_EXPUNGED, "message %u", old->uid.n);
	return r;
}

/* Those whose first content has this number, which are committed. */
static void remember(struct append **appends, const struct append_how *how, size_t n, uint64_t content)
{
	struct mailbox *mb = appends[0]->store->mailbox;
	struct content_cache *cache = NULL;
	struct str_buf record = {0};

	for (size_t i = 0; i < n; i++) {
		if (!how[i].is_awaited)
			continue;
		if (!cache)
			cache = content_cache_borrow(mb);
		if (listing_make(appends[i], &record))
			content_cache_keep(cache, CONTENT_LISTING, content + i, str_buf_view(&record));
	}
	content_cache_return(mb, cache);
	str_buf_fini(&record);
}

static int commit(struct append **appends, const struct append_how *how, size_t n,
    const struct replaced *old, struct append_done *done_r, struct err *e)
{
	struct append_batch b = {0};
	int r = -1;

	for (size_t i = 0; i < n; i++) {
		CHECK(appends[i]->store->mailbox == appends[0]->store->mailbox);
		if (append_how_check(&how[i], e) < 0 || append_finish(appends[i], e) < 0)
			goto out;
	}
	if (n == 0) {
		r = 0;
		goto out;
	}
	/* The folder before the room: who names none that is there hears that. */
	if (txn_write(appends[0]->store, HANDLE_DURABLE, &b.txn, e) < 0 ||
	    (old && expunge_replaced(&b.txn, old, e) < 0) || append_batch_enter(&b, &how[0], e) < 0 || check_quota(&b.txn, appends, n, e) < 0)
		goto out;
	for (size_t i = 0; i < n; i++)
		if (append_batch_one(&b, appends[i], &how[i], &done_r[i], e) < 0)
			goto out;
	if (append_batch_count(&b, e) == 0)
		r = txn_commit(&b.txn, e);
	if (r == 0)
		remember(appends, how, n, b.txn.nextcontent - n);
out:
	txn_abort(&b.txn);
	str_buf_fini(&b.room);
	for (size_t i = 0; i < n; i++)
		append_abort(&appends[i]);
	return r;
}

int append_commit(struct append **appends, const struct append_how *how, size_t n,
    struct append_done *done_r, struct err *e)
{
	return commit(appends, how, n, NULL, done_r, e);
}

int append_replace(struct append **append, const struct append_how *how, struct folder_id folder,
    struct store_uid replaced, struct append_done *done_r, struct err *e)
{
	const struct replaced old = {folder, replaced};

	return commit(append, how, 1, &old, done_r, e);
}
