/* imapd/resync.c - clients that were away, and say up to where they know. */
#include "imapd/resync.h"

#include "imapd/set.h"
#include "imapd/sync.h"
#include "imapd/tell.h"
#include "store/change.h"

/* Rows that are read and told at a time. */
#define RESYNC_SLICE 1000

static uint32_t lower(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t higher(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

struct seq_set resync_intersect(const struct seq_set *a, const struct seq_set *b,
    struct arena *arena)
{
	struct seq_set both = {.ranges = ARENA_ARRAY(arena, struct uid_range, a->n + b->n)};

	for (size_t i = 0, k = 0; i < a->n && k < b->n;) {
		struct uid_range r = {higher(a->ranges[i].from, b->ranges[k].from),
		    lower(a->ranges[i].to, b->ranges[k].to)};

		if (r.from <= r.to)
			both.ranges[both.n++] = r;
		if (a->ranges[i].to < b->ranges[k].to)
			i++;
		else
			k++;
	}
	return both;
}

/* The UIDs from..to (to < 4294967295 or the last) that are in no run, appended to out. */
static void put_missing(const struct view *view, uint32_t from, uint32_t to, struct seq_set *out)
{
	uint32_t seq;

	for (uint32_t i = view_run_of(view, from); i < view->n; i++) {
		struct uid_range run = view_run(view, i, &seq);

		if (run.from > to)
			break;
		if (from < run.from)
			out->ranges[out->n++] = (struct uid_range){from, run.from - 1};
		if (to <= run.to)
			return;
		from = run.to + 1;
	}
	out->ranges[out->n++] = (struct uid_range){from, to};
}

struct seq_set resync_missing(const struct seq_set *a, const struct view *view, uint32_t from,
    uint32_t to, struct arena *arena)
{
	struct seq_set out = {.ranges = ARENA_ARRAY(arena, struct uid_range, a->n + view->n + 1)};

	for (size_t i = 0; i < a->n; i++) {
		uint32_t low = higher(a->ranges[i].from, from + 1), high = lower(a->ranges[i].to, to);

		if (from < UINT32_MAX && low <= high)
			put_missing(view, low, high, &out);
	}
	return out;
}

/*
 * The highest of n numbers seq, seq+1... whose UIDs in the view are uid, uid+1...: UIDs grow at least as
 * fast as numbers, so the last number that is not ahead is the only one to look at.  0: none.
 */
static uint32_t match_run(const struct view *view, uint32_t seq, uint32_t uid, uint32_t n)
{
	uint32_t low = 0, high = seq > view->exists ? 0 : lower(n, view->exists - seq + 1);

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (view_uid(view, seq + mid) <= uid + mid)
			low = mid + 1;
		else
			high = mid;
	}
	return low && view_uid(view, seq + low - 1) == uid + low - 1 ? uid + low - 1 : 0;
}

uint32_t resync_match(const struct view *view, const struct seq_set *seqs,
    const struct seq_set *uids)
{
	uint32_t best = 0, seq_done = 0, uid_done = 0;

	for (size_t i = 0, k = 0; i < seqs->n && k < uids->n;) {
		const struct uid_range *s = &seqs->ranges[i], *u = &uids->ranges[k];
		uint32_t n = lower(s->to - s->from - seq_done, u->to - u->from - uid_done);
		uint32_t match = match_run(view, s->from + seq_done, u->from + uid_done, n + 1);

		best = match ? match : best;
		seq_done += n + 1;
		uid_done += n + 1;
		if (seq_done > s->to - s->from) {
			seq_done = 0;
			i++;
		}
		if (uid_done > u->to - u->from) {
			uid_done = 0;
			k++;
		}
	}
	return best;
}

/* What went of the UIDs asked for.  What the client still counts is told when it may be (sync.c). */
static void tell_earlier(struct client *client, const struct change_where *where,
    const struct seq_set *asked, uint32_t matched)
{
	const struct selected *s = client->selected;
	struct seq_set gone = {.ranges = where->gone, .n = where->gone_n}, of = *asked;

	/* History was pruned: all that is not there (RFC 7162 3.2.6). */
	if (!where->pruned)
		of = resync_intersect(asked, &gone, &client->arena);
	gone = resync_missing(&of, &s->view, matched, s->uidnext - 1, &client->arena);
	tell_vanished(client, true, gone.ranges, gone.n);
}

int resync_narrow(struct client *client, struct store_modseq since, struct seq_set *set,
    const struct seq_set *asked, uint32_t matched, struct err *e)
{
	struct change_where where;
	struct seq_set changed;

	if (change_where(client->store, client->selected->id, since, &client->arena, &where, e) != 0)
		return -1;
	if (asked)
		tell_earlier(client, &where, asked, matched);
	changed = (struct seq_set){.ranges = where.changed, .n = where.changed_n};
	*set = resync_intersect(set, &changed, &client->arena);
	return 0;
}

/* --- SELECT (QRESYNC (...)) ----------------------------------------------------------------- */

/* A set without '*'; n_r: how many numbers, 0 where they are not ascending. */
static bool fixed_set(struct parse *p, struct seq_set *set_r, uint64_t *n_r)
{
	uint32_t before = 0;
	uint64_t n = 0;
	bool ascends = true;

	if (!parse_set(p, set_r))
		return false;
	if (set_r->is_saved)
		return parse_bad(p, "$ can't stand for this set");
	for (size_t i = 0; i < set_r->n; i++) {
		const struct uid_range *r = &set_r->ranges[i];

		if (r->from == SEQ_STAR || r->to == SEQ_STAR)
			return parse_bad(p, "* can't stand in this set");
		ascends = ascends && r->from > before && r->from <= r->to;
		n += (uint64_t)r->to - r->from + 1;
		before = r->to;
	}
	*n_r = ascends ? n : 0;
	return true;
}

/* Behind "(": known-sequence-set SP known-uid-set ")" */
static bool match_data(struct parse *p, struct resync_select *select)
{
	uint64_t seqs_n, uids_n;

	if (!fixed_set(p, &select->match_seqs, &seqs_n) || !parse_space(p) ||
	    !fixed_set(p, &select->match_uids, &uids_n) || !parse_char(p, ')'))
		return false;
	if (!seqs_n || seqs_n != uids_n)
		return parse_bad(p, "The two sets must ascend, and be of one length");
	return true;
}

bool resync_parse(struct parse *p, struct resync_select *select_r)
{
	struct resync_select select = {0};
	uint64_t n;

	if (!parse_char(p, '(') || !parse_number(p, &select.uidvalidity) || !parse_space(p) ||
	    !parse_modseq(p, false, &select.since))
		return false;
	if (select.uidvalidity == 0)
		return parse_bad(p, "A UIDVALIDITY is not 0");
	if (parse_try(p, ' ') && parse_peek(p) != '(') {
		if (!fixed_set(p, &select.known, &n))
			return false;
		seq_resolve(&select.known, 0);
		if (!parse_try(p, ' ') && parse_peek(p) != ')')
			return parse_bad(p, "A closing parenthesis is missing");
	}
	if (parse_try(p, '(') && !match_data(p, &select))
		return false;
	if (!parse_char(p, ')'))
		return false;
	*select_r = select;
	return true;
}

struct resync_job {
	struct seq_set left;
	struct store_modseq since;
	struct view_cursor at;
	enum imap_next (*done)(struct imap_req *req);
};

static int tell_rows(struct client *client, struct resync_job *job, const struct message_info *rows,
    size_t n, struct err *e)
{
	struct selected *s = client->selected;

	for (size_t i = 0; i < n; i++) {
		uint32_t seq = rows[i].modseq.n <= job->since.n ? 0 :
		    view_cursor_seq(&s->view, &job->at, rows[i].uid.n);

		if (!seq)
			continue;
		if (sync_keywords(client, rows[i].keywords, e) != 0)
			return -1;
		sync_know(s, rows[i].uid.n, rows[i].modseq);
		tell_message(client, seq, &rows[i], TELL_FLAGS | TELL_UID);
	}
	return 0;
}

/*
 * What is expunged after the view was read has no row to tell any more, though EXISTS counted it: that it went
 * is told before the folder is said to be open, so that the client knows of all that it counts (RFC 7162 3.2.5.1).
 */
static enum imap_next told_all(struct imap_req *req, struct err *e)
{
	struct resync_job *job = req->data;

	if (sync_run(req->client, SYNC_EXPUNGE | SYNC_ASK, e) == 0)
		return job->done(req);
	client_unselect(req->client, "resync failed");
	return IMAP_FAIL;
}

static enum imap_next resync_step(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct resync_job *job = req->data;
	struct arena arena = {0};
	struct message_info *rows;
	size_t n = 0;
	int result = 0;

	if (job->left.n)
		result = message_list(client->store, client->selected->id, job->left.ranges,
		    job->left.n, MESSAGE_FLAGS, RESYNC_SLICE, &arena, &rows, &n, e);
	if (n)
		set_advance(&job->left, rows[n - 1].uid.n);
	if (result == 0 && n)
		result = tell_rows(client, job, rows, n, e);
	arena_fini(&arena);
	if (result != 0) {
		client_unselect(client, "resync failed");
		return IMAP_FAIL;
	}
	return n == RESYNC_SLICE ? IMAP_YIELD : told_all(req, e);
}

enum imap_next resync_run(struct imap_req *req, const struct resync_select *select,
    enum imap_next (*done)(struct imap_req *req), struct err *e)
{
	static struct uid_range all = {1, UINT32_MAX};
	struct client *client = req->client;
	struct selected *s = client->selected;
	struct resync_job *job = ARENA_NEW(&client->arena, struct resync_job);
	struct seq_set asked = select->known.n ? select->known : (struct seq_set){.ranges = &all, .n = 1};

	if (select->uidvalidity != s->uidvalidity)
		return done(req);
	*job = (struct resync_job){.left = asked, .since = select->since, .done = done};
	if (resync_narrow(client, select->since, &job->left, &asked,
	        resync_match(&s->view, &select->match_seqs, &select->match_uids), e) != 0) {
		client_unselect(client, "resync failed");
		return IMAP_FAIL;
	}
	req->data = job;
	req->step = resync_step;
	return resync_step(req, e);
}
