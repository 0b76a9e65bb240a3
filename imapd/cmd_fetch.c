/*
 * imapd/cmd_fetch.c - RFC 3501 6.4.5.  Messages come from the store in slices; each is told as it is
 * read, octets of a body straight from the store into the output, and the command yields whenever
 * enough waits to be sent.  Nothing of the store is held while it does.
 */
#include "base/check.h"
#include "base/log.h"
#include "imapd/date.h"
#include "imapd/fetch.h"
#include "imapd/fetch_binary.h"
#include "imapd/objectid.h"
#include "imapd/preview.h"
#include "imapd/reply.h"
#include "imapd/resync.h"
#include "imapd/set.h"
#include "imapd/sync.h"
#include "imapd/tell.h"
#include "store/flags.h"

#include <string.h>

/* Rows asked for at once.  Where texts come with them it begins small and grows while they are. */
#define SLICE_MAX 500
#define SLICE_TEXTS_MIN 50
#define SLICE_TEXT_OCTETS 262144
/* Octets of a body read at once. */
#define READ_OCTETS 262144

struct fetch {
	struct fetch_args args;
	struct arena arena; /* of the slice */
	struct message_info *rows;
	size_t rows_n, row, slice_n;
	unsigned seen_items; /* told of a message that became \Seen, beside what was asked for */
	bool *made_seen;    /* by row: \Seen was set by this command; NULL: none was */
	struct view_cursor at;
	uint32_t left;      /* messages of a sequence set that did not come by yet */
	bool missing;
	/* Within a row: */
	bool has_item;   /* the next one needs a blank before it */
	bool in_section;
	const struct fetch_section *section;
	struct str_buf made;
	struct fetch_span span; /* what is still to be sent of the section */
	struct fetch_binary binary; /* where it is told decoded; span.n is then what is left of that */
	bool unknown_encoding;  /* a part could not be decoded */
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
	str_buf_fini(&f->made);
	fetch_binary_fini(&f->binary);
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
	f->row = f->rows_n = 0;
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

/* --- a message ----------------------------------------------------------------------------- */

static void put_item(struct fetch *f, struct str_buf *out, const char *name)
{
	if (f->has_item)
		str_buf_putc(out, ' ');
	f->has_item = true;
	str_buf_puts(out, name);
	str_buf_putc(out, ' ');
}

static void put_texts(struct fetch *f, struct str_buf *out, const struct message_info *m,
    unsigned items)
{
	if (items & FETCH_ENVELOPE) {
		put_item(f, out, "ENVELOPE");
		str_buf_put(out, m->envelope.p, m->envelope.n);
	}
	if (items & FETCH_BODY) {
		put_item(f, out, "BODY");
		mime_body_from_bodystructure(m->bodystructure, out);
	}
	if (items & FETCH_BODYSTRUCTURE) {
		put_item(f, out, "BODYSTRUCTURE");
		str_buf_put(out, m->bodystructure.p, m->bodystructure.n);
	}
}

/* The text of a message that is gone is nobody's preview. */
static void put_preview(struct imap_req *req, const struct message_info *m)
{
	struct fetch *f = req->data;
	struct str_buf *out = conn_out(req->client->conn);
	struct err e;

	str_buf_clear(&f->made);
	if (preview_make(req->client->store, m, &f->arena, &f->made, &e) != 0) {
		log_warn("fetch-preview", "user=%s uid=%u %s",
		    LOG_Q(session_actor_name(req->client->session)), m->uid.n, log_err(&e));
		str_buf_puts(out, "NIL");
		f->missing = true;
		return;
	}
	reply_put_string(out, str_buf_view(&f->made));
}

/* What few clients ask for. */
static void put_extras(struct imap_req *req, const struct message_info *m, unsigned items)
{
	struct fetch *f = req->data;
	struct str_buf *out = conn_out(req->client->conn);

	if (items & FETCH_SAVEDATE) {
		put_item(f, out, "SAVEDATE");
		date_put_time(out, m->saved_ms, 0);
	}
	if (items & FETCH_EMAILID) {
		put_item(f, out, "EMAILID");
		str_buf_putc(out, '(');
		objectid_put_email(out, m->content);
		str_buf_putc(out, ')');
	}
	if (items & FETCH_THREADID) {
		put_item(f, out, "THREADID");
		str_buf_puts(out, "NIL");
	}
	if (items & FETCH_PREVIEW) {
		put_item(f, out, "PREVIEW");
		put_preview(req, m);
	}
}

/* Everything but the sections. */
static void begin_row(struct imap_req *req, const struct message_info *m, uint32_t seq)
{
	struct fetch *f = req->data;
	struct str_buf *out = conn_out(req->client->conn);
	unsigned items = f->args.items;

	f->has_item = false;
	if (f->made_seen && f->made_seen[f->row])
		items |= f->seen_items;
	tell_begin(req->client, seq, m->uid.n);
	if (items & FETCH_FLAGS) {
		put_item(f, out, "FLAGS");
		tell_put_flags(req->client, m);
	}
	if (items & FETCH_UID) {
		put_item(f, out, "UID");
		str_buf_put_number(out, m->uid.n);
	}
	if (items & FETCH_INTERNALDATE) {
		put_item(f, out, "INTERNALDATE");
		date_put_time(out, m->idate_ms, m->zone_min);
	}
	if (items & FETCH_SIZE) {
		put_item(f, out, "RFC822.SIZE");
		str_buf_put_number(out, m->size);
	}
	if (items & FETCH_MODSEQ) {
		if (f->has_item)
			str_buf_putc(out, ' ');
		f->has_item = true;
		tell_put_modseq(out, m->modseq);
	}
	put_texts(f, out, m, items);
	put_extras(req, m, items);
	f->section = f->args.sections;
}

/* The next octets of f->span; false where they can't be read. */
static int put_octets(struct imap_req *req, const struct message_info *m, struct err *e)
{
	struct fetch *f = req->data;
	struct str_buf *out = conn_out(req->client->conn);
	size_t n = f->span.n < READ_OCTETS ? (size_t)f->span.n : READ_OCTETS, got = n;
	char *to;

	if (f->section->form == FETCH_BINARY) {
		if (fetch_binary_put(&f->binary, req->client->store, m->content, out, e) != 0)
			return -1;
		f->span.n = f->binary.left;
		return 0;
	}
	to = str_buf_room(out, n);
	if (f->span.is_made)
		memcpy(to, f->made.p + f->span.at, n);
	else if (content_read(req->client->store, m->content, f->span.at, to, n, &got, e) != 0)
		return -1;
	if (got == 0)
		return err_set(e, ERR_CORRUPT, "content %lu ends early", (unsigned long)m->content);
	out->n += got;
	f->span.at += got;
	f->span.n -= got;
	return 0;
}

/* The same of BINARY: a binary literal where NUL is told (RFC 3516 4.3).  What can't be decoded is NIL, and
 * the command will be answered NO [UNKNOWN-CTE]. */
static int begin_binary(struct imap_req *req, const struct message_info *m, struct err *e)
{
	struct fetch *f = req->data;
	struct fetch_binary *b = &f->binary;
	struct str_buf *out = conn_out(req->client->conn);

	f->span = (struct fetch_span){0};
	if (fetch_binary_begin(b, req->client->store, m, f->section, &f->arena, e) != 0)
		return -1;
	f->unknown_encoding = f->unknown_encoding || b->found == FETCH_BINARY_UNKNOWN;
	if (f->section->form == FETCH_BINARY_SIZE) {
		str_buf_putc(out, ' ');
		str_buf_put_number(out, b->found == FETCH_BINARY_PART ? b->size : 0);
		return 0;
	}
	if (b->found != FETCH_BINARY_PART) {
		str_buf_put(out, " NIL", 4);
		return 0;
	}
	f->span = (struct fetch_span){true, false, 0, b->left};
	str_buf_puts(out, b->has_nul ? " ~{" : " {");
	str_buf_put_number(out, b->left);
	str_buf_put(out, "}\r\n", 3);
	return f->span.n ? put_octets(req, m, e) : 0;
}

/* A section's name, its literal's head and first octets; f->span is then what is left. */
static int begin_section(struct imap_req *req, const struct message_info *m, struct err *e)
{
	struct fetch *f = req->data;
	struct str_buf *out = conn_out(req->client->conn);

	if (f->section->form != FETCH_ENCODED)
		return begin_binary(req, m, e);
	if (fetch_section_find(req->client->store, m, f->section, &f->arena, &f->made, &f->span,
	        e) != 0)
		return -1;
	if (!f->span.exists) {
		str_buf_put(out, " NIL", 4);
		return 0;
	}
	str_buf_put(out, " {", 2);
	str_buf_put_number(out, f->span.n);
	str_buf_put(out, "}\r\n", 3);
	return f->span.n ? put_octets(req, m, e) : 0;
}

/* Begins a section; where its octets can't be had (they were reclaimed, say) it is NIL. */
static void put_section_head(struct imap_req *req, const struct message_info *m)
{
	struct fetch *f = req->data;
	struct str_buf *out = conn_out(req->client->conn);
	struct err e;

	/* What stands before may be sent already. */
	if (f->has_item)
		str_buf_putc(out, ' ');
	f->has_item = true;
	str_buf_put(out, f->section->label.p, f->section->label.n);
	size_t mark = out->n;

	if (begin_section(req, m, &e) == 0)
		return;
	log_warn("fetch-section", "user=%s uid=%u %s",
	    LOG_Q(session_actor_name(req->client->session)), m->uid.n, log_err(&e));
	out->n = mark;
	str_buf_put(out, " NIL", 4);
	f->span = (struct fetch_span){0};
	f->missing = true;
}

/* The sections that are left of a row. */
static enum imap_next put_sections(struct imap_req *req, const struct message_info *m,
    struct err *e)
{
	struct client *client = req->client;
	struct fetch *f = req->data;

	for (; f->section; f->section = f->section->next) {
		if (!f->in_section)
			put_section_head(req, m);
		f->in_section = true;
		while (f->span.n) {
			if (conn_should_yield(client->conn))
				return IMAP_YIELD;
			if (put_octets(req, m, e) != 0)
				return IMAP_FAIL;
		}
		f->in_section = false;
	}
	return IMAP_DONE;
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
	const struct message_info *m = &f->rows[f->row];
	enum imap_next next;

	if (!client->in_response) {
		uint32_t seq = view_cursor_seq(&client->selected->view, &f->at, m->uid.n);

		if (!seq)
			return IMAP_DONE;
		begin_row(req, m, seq);
	}
	client->in_response = true;
	next = put_sections(req, m, e);
	if (next != IMAP_DONE)
		return next;
	str_buf_put(conn_out(client->conn), ")\r\n", 3);
	client->in_response = false;
	return IMAP_DONE;
}

static enum imap_next finish(struct imap_req *req)
{
	const struct fetch *f = req->data;

	return f->unknown_encoding ?
	    req_no(req, "UNKNOWN-CTE", "A part has an encoding that is not known here") :
	    fetch_end(req, f->left || f->missing);
}

enum imap_next fetch_end(struct imap_req *req, bool missing)
{
	if (missing)
		return req_no(req, "EXPUNGEISSUED", "Some of the messages are gone");
	return req_ok(req, NULL, "That is all");
}

static enum imap_next fetch_step(struct imap_req *req, struct err *e)
{
	struct fetch *f = req->data;

	for (;;) {
		if (f->row == f->rows_n) {
			if (next_slice(req, e) != 0)
				return IMAP_FAIL;
			if (f->rows_n == 0)
				return f->args.set.n ? IMAP_YIELD :
				                       finish(req);
		}
		switch (put_row(req, e)) {
		case IMAP_YIELD:
			return IMAP_YIELD;
		case IMAP_FAIL:
			return break_off(req, e);
		case IMAP_DONE:
		case IMAP_WAIT:
			break;
		}
		f->row++;
		if (conn_should_yield(req->client->conn))
			return IMAP_YIELD;
	}
}

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

/* PARTIAL counts the messages that would be told: those that CHANGEDSINCE leaves (RFC 9394 3.4). */
static int take_partial(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct fetch *f = req->data;
	struct seq_set left = f->args.set, changed = {0};
	struct message_info *rows;
	size_t n = SLICE_MAX;

	if (f->args.changed_since.n)
		changed.ranges = ARENA_ARRAY(&client->arena, struct uid_range,
		    set_count(req, &left) + 1);
	while (f->args.changed_since.n && left.n && n == SLICE_MAX) {
		arena_fini(&f->arena);
		if (message_list(client->store, client->selected->id, left.ranges, left.n,
		        MESSAGE_FLAGS, SLICE_MAX, &f->arena, &rows, &n, e) != 0)
			return -1;
		for (size_t i = 0; i < n; i++)
			if (rows[i].modseq.n > f->args.changed_since.n)
				changed.ranges[changed.n++] =
				    (struct uid_range){rows[i].uid.n, rows[i].uid.n};
		if (n)
			set_advance(&left, rows[n - 1].uid.n);
	}
	if (f->args.changed_since.n)
		f->args.set = changed;
	set_take_partial(req, &f->args.set, &f->args.partial);
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
	f->slice_n = f->args.what & ~(unsigned)MESSAGE_BASIC ? SLICE_TEXTS_MIN : SLICE_MAX;
	req->cleanup = fetch_cleanup;
	req->step = fetch_step;
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
	return fetch_flags_do(&f->args) ? fetch_flags_run(req, &f->args, e) : fetch_step(req, e);
}

const struct imap_cmd imap_cmd_fetch = {
	.name = "FETCH", .rfc = "3501 6.4.5, 3516, 8514, 8970",
	.capability = "BINARY SAVEDATE PREVIEW", .states = IMAP_SELECTED, .flags = IMAP_KEEPS_SEQS,
	.uid_flags = IMAP_UID, .args = "set items [(CHANGEDSINCE modseq [VANISHED] PARTIAL n:m)]",
	.check = fetch_check, .run = fetch_run,
};
