/*
 * imapd/cmd_fetch.c - RFC 3501 6.4.5.  Where all that is asked for stands in the row, messages are told as
 * they are read; where more of the store is needed for one (octets, \Seen), they come in slices.  Either
 * way the command yields whenever enough waits to be sent, and holds nothing of the store while it does.
 */
#include "base/check.h"
#include "base/log.h"
#include "imapd/fetch_row.h"
#include "imapd/reply.h"
#include "imapd/resync.h"
#include "imapd/set.h"
#include "imapd/sync.h"
#include "store/flags.h"

/* Rows of a slice.  Where texts come with them it begins small and grows while they are. */
#define SLICE_MAX 500
#define SLICE_TEXTS_MIN 50
#define SLICE_TEXT_OCTETS 262144
/* What is told at once of rows that are not kept: the first pages of a buffer are the dearest, so it stays small. */
#define STREAM_OCTETS ((size_t)64 * 1024)
#define STREAM_ROWS 1000

struct fetch {
	struct fetch_args args; /* the set: what is left of it, as UIDs */
	struct fetch_row row;   /* the one at hand */
	struct view_cursor at;
	uint32_t left; /* messages of a sequence set that did not come by yet */
	/* A slice: */
	struct arena arena;
	struct message_info *rows;
	size_t rows_n, told_n, slice_n;
	unsigned seen_items; /* told of a message that became \Seen, beside what was asked for */
	bool *made_seen;     /* by row: \Seen was set by this command; NULL: none was */
	/* A stream: */
	uint32_t last; /* UID that was told last, of read_n */
	size_t read_n;
	bool stopped;   /* there may be more */
	uint64_t asked; /* keywords that came by and were not known: names are told before flags that have them */
};

static bool fetch_check(struct imap_req *req)
{
	struct fetch *f = req->data = ARENA_NEW(&req->client->arena, struct fetch);

	if (!parse_set(&req->args, &f->args.set) || !parse_space(&req->args) ||
	    !fetch_parse(&req->args, &f->args) || !fetch_parse_modifiers(&req->args, &f->args))
		return false;
	if (f->args.vanished && !(req->uid && f->args.changed_since.n &&
	        (req->client->enabled & ENABLED_QRESYNC)))
		return parse_bad(&req->args,
		    "VANISHED is for UID FETCH with CHANGEDSINCE, once QRESYNC is enabled");
	/* RFC 9394 3.3. */
	if (f->args.partial.from && !req->uid)
		return parse_bad(&req->args, "PARTIAL is for UID FETCH");
	return true;
}

static void fetch_cleanup(struct imap_req *req)
{
	struct fetch *f = req->data;

	arena_fini(&f->arena);
	str_buf_fini(&f->row.made);
	fetch_binary_fini(&f->row.binary);
}

/* --- a slice ------------------------------------------------------------------------------ */

/* \Seen for those of the slice that are not: one transaction; the rows then say what they are now. */
static int mark_seen(struct imap_req *req, struct err *e)
{
	static const struct flags_change seen = {.how = FLAGS_ADD, .flags = STORE_FLAG_SEEN};
	struct client *client = req->client;
	struct fetch *f = req->data;
	struct uid_range *ranges = ARENA_ARRAY(&f->arena, struct uid_range, f->rows_n);
	struct flags_stored stored;
	size_t n = 0;

	for (size_t i = 0; i < f->rows_n; i++)
		if (!(f->rows[i].flags & STORE_FLAG_SEEN))
			ranges[n++] = (struct uid_range){f->rows[i].uid.n, f->rows[i].uid.n};
	if (n == 0)
		return 0;
	if (flags_store_at(client->store, client->selected->id, ranges, n, &seen, &f->arena, &stored,
	        e) != 0)
		return -1;
	sync_stored(client->selected, &stored);
	f->made_seen = ARENA_ARRAY(&f->arena, bool, f->rows_n);
	for (size_t i = 0, k = 0; i < f->rows_n && k < stored.n; i++) {
		if (f->rows[i].uid.n != stored.now[k].uid.n)
			continue;
		f->made_seen[i] = true;
		f->rows[i].flags = stored.now[k].flags;
		f->rows[i].keywords = stored.now[k].keywords;
		f->rows[i].modseq = stored.now[k].modseq;
		sync_know(client->selected, stored.now[k].uid.n, stored.now[k].modseq);
		k++;
	}
	return 0;
}

static void size_next_slice(struct fetch *f)
{
	size_t octets = 0;

	for (size_t i = 0; i < f->rows_n; i++)
		octets += f->rows[i].envelope.n + f->rows[i].bodystructure.n + f->rows[i].parts.n;
	if (octets > SLICE_TEXT_OCTETS)
		f->slice_n = f->slice_n / 2 + 1;
	else
		f->slice_n = f->slice_n * 2 < SLICE_MAX ? f->slice_n * 2 : SLICE_MAX;
}

/* Leaves those in the slice that changed since. */
static void drop_unchanged(struct fetch *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->rows_n; i++)
		if (f->rows[i].modseq.n > f->args.changed_since.n)
			f->rows[n++] = f->rows[i];
	f->rows_n = n;
}

/* A slice may come to have no rows; f->args.set.n = 0 then: that was all. */
static int next_slice(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct fetch *f = req->data;
	struct selected *s = client->selected;
	uint64_t keywords = 0;

	arena_fini(&f->arena);
	f->told_n = f->rows_n = 0;
	f->made_seen = NULL;
	if (f->args.set.n == 0)
		return 0;
	if (message_list(client->store, s->id, f->args.set.ranges, f->args.set.n, f->args.what,
	        f->slice_n, &f->arena, &f->rows, &f->rows_n, e) != 0)
		return -1;
	if (f->rows_n)
		set_advance(&f->args.set, f->rows[f->rows_n - 1].uid.n);
	else
		f->args.set.n = 0;
	f->left -= f->rows_n < f->left ? (uint32_t)f->rows_n : f->left;
	if (f->args.changed_since.n)
		drop_unchanged(f);
	if (f->args.marks_seen && !s->readonly && mark_seen(req, e) != 0)
		return -1;
	for (size_t i = 0; i < f->rows_n; i++)
		keywords |= f->rows[i].keywords;
	size_next_slice(f);
	return sync_keywords(client, keywords, e);
}

/* The literal's length is out, its octets can't be had: nothing that is true can follow. */
static enum imap_next break_off(struct imap_req *req, const struct err *e)
{
	struct client *client = req->client;

	log_warn("fetch-broken-off", "user=%s peer=%s %s", LOG_Q(session_actor_name(client->session)),
	    conn_peer(client->conn), log_err(e));
	client->in_response = true;
	client->closing = true;
	return req_no(req, NULL, "");
}

/* One row, or the rest of one.  IMAP_DONE: it is told. */
static enum imap_next put_row(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct fetch *f = req->data;
	const struct message_info *m = &f->rows[f->told_n];
	enum imap_next next;

	if (!client->in_response) {
		uint32_t seq = view_cursor_seq(&client->selected->view, &f->at, m->uid.n);
		bool made_seen = f->made_seen && f->made_seen[f->told_n];

		if (!seq)
			return IMAP_DONE;
		fetch_row_begin(&f->row, m, seq, f->args.items | (made_seen ? f->seen_items : 0));
	}
	client->in_response = true;
	next = fetch_row_sections(&f->row, m, e);
	if (next != IMAP_DONE)
		return next;
	str_buf_put(conn_out(client->conn), ")\r\n", 3);
	client->in_response = false;
	return IMAP_DONE;
}

enum imap_next fetch_end(struct imap_req *req, bool missing)
{
	if (missing)
		return req_no(req, "EXPUNGEISSUED", "Some of the messages are gone");
	return req_ok(req, NULL, "That is all");
}

static enum imap_next finish(struct imap_req *req)
{
	const struct fetch *f = req->data;

	return f->row.unknown_encoding ?
	    req_no(req, "UNKNOWN-CTE", "A part has an encoding that is not known here") :
	    fetch_end(req, f->left || f->row.missing);
}

static enum imap_next slice_step(struct imap_req *req, struct err *e)
{
	struct fetch *f = req->data;

	for (;;) {
		if (f->told_n == f->rows_n) {
			if (next_slice(req, e) != 0)
				return IMAP_FAIL;
			if (f->rows_n == 0)
				return f->args.set.n ? IMAP_YIELD : finish(req);
		}
		switch (put_row(req, e)) {
		case IMAP_YIELD:
			return IMAP_YIELD;
		case IMAP_FAIL:
			return break_off(req, e);
		case IMAP_DONE:
		case IMAP_WAIT:
		case IMAP_HOLD:
			break;
		}
		f->told_n++;
		if (conn_should_yield(req->client->conn))
			return IMAP_YIELD;
	}
}

/* --- a stream ----------------------------------------------------------------------------- */

/* Nothing but what stands in the row is asked for, and nothing is to be changed. */
static bool may_stream(const struct imap_req *req)
{
	const struct fetch *f = req->data;

	return !f->args.sections && !(f->args.items & FETCH_PREVIEW) &&
	    (!f->args.marks_seen || req->client->selected->readonly);
}

static bool tell_read(void *arg, const struct message_info *m)
{
	struct imap_req *req = arg;
	const struct selected *s = req->client->selected;
	struct str_buf *out = conn_out(req->client->conn);
	struct fetch *f = req->data;
	uint64_t unnamed = m->keywords & ~s->keywords->bits & ~f->asked;
	uint32_t seq;

	f->asked |= unnamed;
	f->stopped = unnamed != 0;
	if (f->stopped)
		return false;
	seq = view_cursor_seq(&s->view, &f->at, m->uid.n);
	if (seq && m->modseq.n > f->args.changed_since.n) {
		fetch_row_begin(&f->row, m, seq, f->args.items);
		str_buf_put(out, ")\r\n", 3);
	}
	f->last = m->uid.n;
	f->read_n++;
	f->stopped = out->n >= STREAM_OCTETS || f->read_n == STREAM_ROWS;
	return !f->stopped;
}

static enum imap_next stream_step(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct fetch *f = req->data;
	uint64_t asked;

	do {
		asked = f->asked;
		f->read_n = 0;
		f->stopped = false;
		if (message_each(client->store, client->selected->id, f->args.set.ranges,
		        f->args.set.n, f->args.what, tell_read, req, e) != 0 ||
		    sync_keywords(client, f->asked & ~asked, e) != 0)
			return IMAP_FAIL;
		if (f->read_n)
			set_advance(&f->args.set, f->last);
		f->left -= f->read_n < f->left ? (uint32_t)f->read_n : f->left;
		if (!f->stopped)
			return finish(req);
	} while (f->asked != asked);
	return IMAP_YIELD;
}

/* --- the command -------------------------------------------------------------------------- */

/* CHANGEDSINCE: cuts the set down.  For VANISHED '*' is whatever came last: it may have gone. */
static int narrow(struct imap_req *req, struct seq_set *asked, struct err *e)
{
	struct fetch *f = req->data;

	if (!f->args.changed_since.n)
		return 0;
	/* A message that went is not missing: it did not change either. */
	f->left = 0;
	if (asked->is_saved)
		*asked = f->args.set;
	else
		seq_resolve(asked, UINT32_MAX);
	return resync_narrow(req->client, f->args.changed_since, &f->args.set,
	    f->args.vanished ? asked : NULL, 0, e);
}

struct changed {
	struct store_modseq since;
	struct seq_set set;
};

static bool add_changed(void *arg, const struct message_info *m)
{
	struct changed *changed = arg;

	if (m->modseq.n > changed->since.n)
		changed->set.ranges[changed->set.n++] = (struct uid_range){m->uid.n, m->uid.n};
	return true;
}

/* PARTIAL counts the messages that would be told: those that CHANGEDSINCE leaves (RFC 9394 3.4). */
static int take_partial(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct fetch *f = req->data;
	struct seq_set *set = &f->args.set;

	if (f->args.changed_since.n) {
		struct changed changed = {.since = f->args.changed_since};

		changed.set.ranges = ARENA_ARRAY(&client->arena, struct uid_range,
		    set_count(req, set) + 1);
		if (message_each(client->store, client->selected->id, set->ranges, set->n,
		        MESSAGE_FLAGS, add_changed, &changed, e) != 0)
			return -1;
		*set = changed.set;
	}
	set_take_partial(req, set, &f->args.partial);
	return 0;
}

/* The UID stands in front of every UIDFETCH already. */
static void add_uid(struct imap_req *req)
{
	struct fetch *f = req->data;

	f->args.items |= req->uid && !(req->client->enabled & ENABLED_UIDONLY) ? FETCH_UID : 0;
}

/* What is told beside what was asked for, and how the first slice is read. */
static void begin(struct imap_req *req)
{
	struct fetch *f = req->data;
	unsigned enabled = req->client->enabled;

	f->seen_items = FETCH_FLAGS | (enabled & ENABLED_CONDSTORE ? FETCH_MODSEQ : 0) |
	    (enabled & (ENABLED_CONDSTORE | ENABLED_REV2) ? FETCH_UID : 0);
	if (enabled & ENABLED_UIDONLY)
		f->seen_items &= ~(unsigned)FETCH_UID;
	f->slice_n = f->args.what & ~(unsigned)(MESSAGE_ROW | MESSAGE_BASIC) ? SLICE_TEXTS_MIN : SLICE_MAX;
	f->row = (struct fetch_row){.client = req->client, .args = &f->args, .arena = &f->arena};
	req->cleanup = fetch_cleanup;
	req->step = may_stream(req) ? stream_step : slice_step;
}

struct imap_req *fetch_begin(struct client *client, struct str_view items, struct uid_range uids,
    struct arena *arena)
{
	struct imap_req *req = ARENA_NEW(arena, struct imap_req);
	struct fetch *f = ARENA_NEW(arena, struct fetch);

	*req = (struct imap_req){.client = client, .uid = true, .data = f};
	req->args = (struct parse){.p = items.p, .end = items.p + items.n, .arena = arena,
	    .limits = &client->parse_limits, .utf8 = client_has_utf8(client)};
	CHECK(fetch_parse(&req->args, &f->args));
	f->args.set = (struct seq_set){.ranges = arena_copy(arena, &uids, sizeof uids), .n = 1};
	f->args.marks_seen = false;
	if (client->enabled & ENABLED_CONDSTORE)
		f->args.items |= FETCH_MODSEQ;
	add_uid(req);
	begin(req);
	return req;
}

static enum imap_next fetch_run(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct fetch *f = req->data;
	struct seq_set asked = f->args.set;

	asked.ranges = arena_copy(&client->arena, asked.ranges, asked.n * sizeof *asked.ranges);

	if (!set_resolve(req, &f->args.set))
		return req_bad(req, set_bad);
	if (f->args.items & FETCH_MODSEQ)
		sync_enable(client, ENABLED_CONDSTORE);
	/* A UID that is not there is no error (RFC 3501 6.4.8). */
	f->left = req->uid ? 0 : set_count(req, &f->args.set);
	add_uid(req);
	begin(req);
	if (narrow(req, &asked, e) != 0 || (f->args.partial.from && take_partial(req, e) != 0))
		return IMAP_FAIL;
	return fetch_flags_do(&f->args) ? fetch_flags_run(req, &f->args, e) : req->step(req, e);
}

const struct imap_cmd imap_cmd_fetch = {
	.name = "FETCH", .rfc = "3501 6.4.5, 3516, 8514, 8970",
	.capability = "BINARY SAVEDATE PREVIEW", .states = IMAP_SELECTED, .flags = IMAP_KEEPS_SEQS,
	.uid_flags = IMAP_UID, .args = "set items [(CHANGEDSINCE modseq [VANISHED] PARTIAL n:m)]",
	.check = fetch_check, .run = fetch_run,
};
