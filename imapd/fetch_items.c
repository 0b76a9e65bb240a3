/*
 * imapd/fetch_items.c - a message of a FETCH: everything but its sections.  All but PREVIEW stands in the row,
 * so nothing here asks the store, and a row may be told while it is borrowed (message_each).
 */
#include "base/log.h"
#include "imapd/date.h"
#include "imapd/fetch_row.h"
#include "imapd/objectid.h"
#include "imapd/preview.h"
#include "imapd/reply.h"
#include "imapd/tell.h"

static void put_item(struct fetch_row *row, struct str_buf *out, const char *name)
{
	if (row->has_item)
		str_buf_putc(out, ' ');
	row->has_item = true;
	str_buf_puts(out, name);
	str_buf_putc(out, ' ');
}

static void put_texts(struct fetch_row *row, const struct message_info *m, unsigned items)
{
	struct str_buf *out = conn_out(row->client->conn);

	if (items & FETCH_ENVELOPE) {
		put_item(row, out, "ENVELOPE");
		str_buf_put(out, m->envelope.p, m->envelope.n);
	}
	if (items & FETCH_BODY) {
		put_item(row, out, "BODY");
		mime_body_from_bodystructure(m->bodystructure, out);
	}
	if (items & FETCH_BODYSTRUCTURE) {
		put_item(row, out, "BODYSTRUCTURE");
		str_buf_put(out, m->bodystructure.p, m->bodystructure.n);
	}
}

/* The text of a message that is gone is nobody's preview. */
static void put_preview(struct fetch_row *row, const struct message_info *m)
{
	struct str_buf *out = conn_out(row->client->conn);
	struct err e;

	str_buf_clear(&row->made);
	if (preview_make(row->client->store, m, row->arena, &row->made, &e) != 0) {
		log_warn("fetch-preview", "user=%s uid=%u %s",
		    LOG_Q(session_actor_name(row->client->session)), m->uid.n, log_err(&e));
		str_buf_puts(out, "NIL");
		row->missing = true;
		return;
	}
	reply_put_string(out, str_buf_view(&row->made));
}

/* What few clients ask for. */
static void put_extras(struct fetch_row *row, const struct message_info *m, unsigned items)
{
	struct str_buf *out = conn_out(row->client->conn);

	if (items & FETCH_SAVEDATE) {
		put_item(row, out, "SAVEDATE");
		date_put_time(out, m->saved_ms, 0);
	}
	if (items & FETCH_EMAILID) {
		put_item(row, out, "EMAILID");
		str_buf_putc(out, '(');
		objectid_put_email(out, m->content);
		str_buf_putc(out, ')');
	}
	if (items & FETCH_THREADID) {
		put_item(row, out, "THREADID");
		str_buf_puts(out, "NIL");
	}
	if (items & FETCH_PREVIEW) {
		put_item(row, out, "PREVIEW");
		put_preview(row, m);
	}
}

void fetch_row_begin(struct fetch_row *row, const struct message_info *m, uint32_t seq, unsigned items)
{
	struct str_buf *out = conn_out(row->client->conn);

	row->has_item = false;
	tell_begin(row->client, seq, m->uid.n);
	if (items & FETCH_FLAGS) {
		put_item(row, out, "FLAGS");
		tell_put_flags(row->client, m);
	}
	if (items & FETCH_UID) {
		put_item(row, out, "UID");
		str_buf_put_number(out, m->uid.n);
	}
	if (items & FETCH_INTERNALDATE) {
		put_item(row, out, "INTERNALDATE");
		date_put_time(out, m->idate_ms, m->zone_min);
	}
	if (items & FETCH_SIZE) {
		put_item(row, out, "RFC822.SIZE");
		str_buf_put_number(out, m->size);
	}
	if (items & FETCH_MODSEQ) {
		if (row->has_item)
			str_buf_putc(out, ' ');
		row->has_item = true;
		tell_put_modseq(out, m->modseq);
	}
	put_texts(row, m, items);
	put_extras(row, m, items);
	row->section = row->args->sections;
}
