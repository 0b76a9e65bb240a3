/* imapd/tell.c - responses about messages, in the forms that the client enabled. */
#include "imapd/tell.h"

#include "imapd/reply.h"
#include "imapd/sync.h"

void tell_begin(struct client *client, uint32_t seq, uint32_t uid)
{
	struct str_buf *out = conn_out(client->conn);
	bool uidonly = client->enabled & ENABLED_UIDONLY;

	str_buf_put(out, "* ", 2);
	str_buf_put_number(out, uidonly ? uid : seq);
	str_buf_puts(out, uidonly ? " UIDFETCH (" : " FETCH (");
}

void tell_put_flags(struct client *client, const struct message_info *m)
{
	const struct selected *s = client->selected;

	reply_put_flags(conn_out(client->conn), m->flags, m->keywords,
	    !(client->enabled & ENABLED_REV2) && sync_is_recent(s, m->uid.n), s->keywords->names);
}

void tell_put_modseq(struct str_buf *out, struct store_modseq modseq)
{
	str_buf_put(out, "MODSEQ (", 8);
	str_buf_put_number(out, modseq.n);
	str_buf_putc(out, ')');
}

void tell_message(struct client *client, uint32_t seq, const struct message_info *m, unsigned items)
{
	struct str_buf *out = conn_out(client->conn);
	bool modseq = client->enabled & ENABLED_CONDSTORE;
	const char *blank = "";

	tell_begin(client, seq, m->uid.n);
	if (items & TELL_FLAGS) {
		str_buf_put(out, "FLAGS ", 6);
		tell_put_flags(client, m);
		blank = " ";
	}
	if (((items & TELL_UID) || (client->enabled & (ENABLED_CONDSTORE | ENABLED_REV2))) &&
	    !(client->enabled & ENABLED_UIDONLY)) {
		str_buf_puts(out, blank);
		str_buf_put(out, "UID ", 4);
		str_buf_put_number(out, m->uid.n);
		blank = " ";
	}
	if (modseq) {
		str_buf_puts(out, blank);
		tell_put_modseq(out, m->modseq);
	}
	str_buf_put(out, ")\r\n", 3);
}

void tell_vanished(struct client *client, bool earlier, const struct uid_range *ranges, size_t n)
{
	struct str_buf *out = conn_out(client->conn);

	if (n == 0)
		return;
	str_buf_puts(out, earlier ? "* VANISHED (EARLIER) " : "* VANISHED ");
	for (size_t i = 0; i < n; i++) {
		if (i)
			str_buf_putc(out, ',');
		str_buf_put_number(out, ranges[i].from);
		if (ranges[i].to == ranges[i].from)
			continue;
		str_buf_putc(out, ':');
		str_buf_put_number(out, ranges[i].to);
	}
	str_buf_put(out, "\r\n", 2);
}

void tell_gone(struct client *client, const struct uid_range *ranges, size_t n)
{
	struct str_buf *out = conn_out(client->conn);

	if (client->enabled & (ENABLED_QRESYNC | ENABLED_UIDONLY)) {
		tell_vanished(client, false, ranges, n);
		return;
	}
	/* Highest number first, so that each is right when the client reads it (RFC 3501 7.4.1). */
	while (n-- > 0) {
		uint32_t seq = view_seq(&client->selected->view, ranges[n].to);

		for (uint32_t left = ranges[n].to - ranges[n].from + 1; left > 0; left--) {
			str_buf_put(out, "* ", 2);
			str_buf_put_number(out, seq--);
			str_buf_put(out, " EXPUNGE\r\n", 10);
		}
	}
}

void tell_highestmodseq(struct client *client)
{
	struct str_buf *out = conn_out(client->conn);

	str_buf_puts(out, "* OK [HIGHESTMODSEQ ");
	str_buf_put_number(out, client->selected->told.n);
	str_buf_puts(out, "] The state that was told\r\n");
}
