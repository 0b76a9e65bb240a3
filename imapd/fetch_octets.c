/*
 * imapd/fetch_octets.c - the sections of a message of a FETCH: octets come straight from the store into the
 * output, a piece at a time, and between pieces the command may yield.
 */
#include "base/log.h"
#include "imapd/fetch_row.h"

#include <string.h>

/* Octets of a body read at once. */
#define READ_OCTETS 262144

/* The next octets of row->span. */
static int put_octets(struct fetch_row *row, const struct message_info *m, struct err *e)
{
	struct str_buf *out = conn_out(row->client->conn);
	size_t n = row->span.n < READ_OCTETS ? (size_t)row->span.n : READ_OCTETS, got = n;
	char *to;

	if (row->section->form == FETCH_BINARY) {
		if (fetch_binary_put(&row->binary, row->client->store, m->content, out, e) != 0)
			return -1;
		row->span.n = row->binary.left;
		return 0;
	}
	to = str_buf_room(out, n);
	if (row->span.is_made)
		memcpy(to, row->made.p + row->span.at, n);
	else if (content_read(row->client->store, m->content, row->span.at, to, n, &got, e) != 0)
		return -1;
	if (got == 0)
		return err_set(e, ERR_CORRUPT, "content %lu ends early", (unsigned long)m->content);
	out->n += got;
	row->span.at += got;
	row->span.n -= got;
	return 0;
}

/* The same of BINARY: a binary literal where NUL is told (RFC 3516 4.3).  What can't be decoded is NIL, and
 * the command will be answered NO [UNKNOWN-CTE]. */
static int begin_binary(struct fetch_row *row, const struct message_info *m, struct err *e)
{
	struct fetch_binary *b = &row->binary;
	struct str_buf *out = conn_out(row->client->conn);

	row->span = (struct fetch_span){0};
	if (fetch_binary_begin(b, row->client->store, m, row->section, row->arena, e) != 0)
		return -1;
	row->unknown_encoding = row->unknown_encoding || b->found == FETCH_BINARY_UNKNOWN;
	if (row->section->form == FETCH_BINARY_SIZE) {
		str_buf_putc(out, ' ');
		str_buf_put_number(out, b->found == FETCH_BINARY_PART ? b->size : 0);
		return 0;
	}
	if (b->found != FETCH_BINARY_PART) {
		str_buf_put(out, " NIL", 4);
		return 0;
	}
	row->span = (struct fetch_span){true, false, 0, b->left};
	str_buf_puts(out, b->has_nul ? " ~{" : " {");
	str_buf_put_number(out, b->left);
	str_buf_put(out, "}\r\n", 3);
	return row->span.n ? put_octets(row, m, e) : 0;
}

/* A section's name, its literal's head and first octets; row->span is then what is left. */
static int begin_section(struct fetch_row *row, const struct message_info *m, struct err *e)
{
	struct str_buf *out = conn_out(row->client->conn);

	if (row->section->form != FETCH_ENCODED)
		return begin_binary(row, m, e);
	if (fetch_section_find(row->client->store, m, row->section, row->arena, &row->made, &row->span,
	        e) != 0)
		return -1;
	if (!row->span.exists) {
		str_buf_put(out, " NIL", 4);
		return 0;
	}
	str_buf_put(out, " {", 2);
	str_buf_put_number(out, row->span.n);
	str_buf_put(out, "}\r\n", 3);
	return row->span.n ? put_octets(row, m, e) : 0;
}

/* Begins a section; where its octets can't be had (they were reclaimed, say) it is NIL. */
static void put_section_head(struct fetch_row *row, const struct message_info *m)
{
	struct str_buf *out = conn_out(row->client->conn);
	struct err e;

	/* What stands before may be sent already. */
	if (row->has_item)
		str_buf_putc(out, ' ');
	row->has_item = true;
	str_buf_put(out, row->section->label.p, row->section->label.n);
	size_t mark = out->n;

	if (begin_section(row, m, &e) == 0)
		return;
	log_warn("fetch-section", "user=%s uid=%u %s",
	    LOG_Q(session_actor_name(row->client->session)), m->uid.n, log_err(&e));
	out->n = mark;
	str_buf_put(out, " NIL", 4);
	row->span = (struct fetch_span){0};
	row->missing = true;
}

enum imap_next fetch_row_sections(struct fetch_row *row, const struct message_info *m, struct err *e)
{
	for (; row->section; row->section = row->section->next) {
		if (!row->in_section)
			put_section_head(row, m);
		row->in_section = true;
		while (row->span.n) {
			if (conn_should_yield(row->client->conn))
				return IMAP_YIELD;
			if (put_octets(row, m, e) != 0)
				return IMAP_FAIL;
		}
		row->in_section = false;
	}
	return IMAP_DONE;
}
