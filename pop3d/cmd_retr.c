/* pop3d/cmd_retr.c - RETR (RFC 1939 5) and the stream of a message, which TOP shares. */
#include "pop3d/cmd.h"
#include "base/log.h"
#include "limits/registry.h"
#include "mime/decode.h"

static enum pop3_next step(struct pop3_client *client)
{
	bool more = true;
	struct err e;

	while (more && !conn_should_yield(client->conn)) {
		if (pop3_stream_slice(&client->stream, client->store, conn_out(client->conn), &more, &e) == 0)
			continue;
		/* Half a message is out: only the missing end can tell the peer. */
		log_error("message-cut-short", "user=%s peer=%s %s",
		    session_actor_name(client->session), conn_peer(client->conn), log_err(&e));
		return POP3_QUIT;
	}
	return more ? POP3_YIELD : POP3_DONE;
}

static bool is_ascii(struct str_view s)
{
	unsigned char bits = 0;

	for (size_t i = 0; i < s.n; i++)
		bits |= (unsigned char)s.p[i];
	return bits < 0x80;
}

/* Whether the header is UTF-8 that a client has to have asked for (RFC 6856 5).  8-bit that is no UTF-8
 * is a mistake of long ago, not internationalised mail. */
static int has_utf8_header(struct pop3_client *client, const struct maildrop_message *message,
    bool *has_r, struct err *e)
{
	struct str_buf header = {0};
	size_t n;
	int result = content_read(client->store, message->content, 0,
	    str_buf_room(&header, message->header_n), message->header_n, &n, e);

	if (result == 0)
		*has_r = !is_ascii(str_view(header.p, n)) && mime_utf8_valid(str_view(header.p, n));
	str_buf_fini(&header);
	return result;
}

/* Answered already where not. */
static bool may_be_sent(struct pop3_client *client, const struct maildrop_message *message)
{
	bool has_utf8 = false;
	struct err e;

	if (client->utf8 || setting_get(client->site, SETTING_POP_UTF8_HEADERS) == 0)
		return true;
	if (has_utf8_header(client, message, &has_utf8, &e) < 0)
		pop3_reply_err(client, "retr", &e);
	else if (has_utf8)
		pop3_refuse(client,
		    "[UTF8] the message has UTF-8 in its header; say UTF8 before the login");
	else
		return true;
	return false;
}

enum pop3_next pop3_send_message(struct pop3_client *client, struct maildrop_message *message,
    uint64_t lines)
{
	struct str_buf *out = conn_out(client->conn);
	size_t before = out->n;
	bool more;
	struct err e;

	if (!may_be_sent(client, message))
		return POP3_DONE;
	client->stream = (struct pop3_stream){
	    .content = message->content,
	    .end = message->size,
	    .header_n = message->header_n,
	    .lines_left = lines,
	};
	pop3_reply(client, "+OK %llu octets", (unsigned long long)message->size);
	if (pop3_stream_slice(&client->stream, client->store, out, &more, &e) < 0) {
		out->n = before; /* the answer is another one */
		pop3_reply_err(client, "retr", &e);
		return POP3_DONE;
	}
	message->retrieved |= lines == UINT64_MAX;
	client->step = step;
	return more ? step(client) : POP3_DONE;
}

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	struct maildrop_message *message = pop3_message(client, args[0]);

	(void)n;
	return message ? pop3_send_message(client, message, UINT64_MAX) : POP3_DONE;
}

const struct pop3_cmd pop3_cmd_retr = {
    .name = "RETR",
    .rfc = "RFC 1939 5",
    .states = POP3_TRANSACTION,
    .args_min = 1,
    .args_max = 1,
    .usage = "number",
    .run = run,
};
