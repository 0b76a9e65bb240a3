/* imapd/reply.c - lines and tokens that go out. */
#include "imapd/reply.h"

#include "imapd/cmd.h"
#include "imapd/login.h"
#include "imapd/name.h"
#include "limits/registry.h"
#include "store/message.h"

#include <pthread.h>
#include <string.h>

static void put_line(struct str_buf *out, const char *status, const char *code, const char *text)
{
	str_buf_puts(out, status);
	if (code) {
		str_buf_puts(out, " [");
		str_buf_puts(out, code);
		str_buf_putc(out, ']');
	}
	str_buf_putc(out, ' ');
	str_buf_puts(out, text);
	str_buf_put(out, "\r\n", 2);
}

void reply_tagged(struct client *client, struct str_view tag, const char *status, const char *code,
    const char *text)
{
	struct str_buf *out = conn_out(client->conn);

	str_buf_put(out, tag.p, tag.n);
	str_buf_putc(out, ' ');
	put_line(out, status, code, text);
}

void reply_untagged(struct client *client, const char *status, const char *code, const char *text)
{
	struct str_buf *out = conn_out(client->conn);

	str_buf_put(out, "* ", 2);
	put_line(out, status, code, text);
}

static void put_quoted(struct str_buf *out, struct str_view text)
{
	char *to = str_buf_room(out, 2 * text.n + 2);

	*to++ = '"';
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			*to++ = '\\';
		*to++ = text.p[i];
	}
	*to++ = '"';
	*to = '\0';
	out->n = (size_t)(to - out->p);
}

void reply_put_string(struct str_buf *out, struct str_view text)
{
	bool can_quote = text.n < 1000;

	for (size_t i = 0; can_quote && i < text.n; i++)
		can_quote = text.p[i] >= 0x20 && text.p[i] < 0x7f;
	if (can_quote) {
		put_quoted(out, text);
		return;
	}
	str_buf_putc(out, '{');
	str_buf_put_number(out, text.n);
	str_buf_put(out, "}\r\n", 3);
	str_buf_put(out, text.p, text.n);
}

static bool is_atom(struct str_view text)
{
	bool atom = text.n > 0 && !str_equal_nocase(text, SV("NIL"));

	for (size_t i = 0; atom && i < text.n; i++)
		atom = text.p[i] > 0x20 && text.p[i] < 0x7f && !strchr("(){%*\"\\]", text.p[i]);
	return atom;
}

void reply_put_astring(struct str_buf *out, struct str_view text)
{
	if (is_atom(text))
		str_buf_put(out, text.p, text.n);
	else
		reply_put_string(out, text);
}

/* A name holds no control characters (store/folder.h), so UTF-8 can always be quoted. */
static void put_mailbox_utf8(struct str_buf *out, struct str_view name)
{
	if (is_atom(name))
		str_buf_put(out, name.p, name.n);
	else
		put_quoted(out, name);
}

void reply_put_mailbox(struct str_buf *out, const struct client *client, const char *name)
{
	struct str_view utf8 = str_view(name, strlen(name));
	struct str_buf wire = {0};

	if (client_has_utf8(client)) {
		put_mailbox_utf8(out, utf8);
		return;
	}
	name_encode(utf8, &wire);
	reply_put_astring(out, str_buf_view(&wire));
	str_buf_fini(&wire);
}

void reply_put_mailboxid(struct str_buf *out, struct folder_id id)
{
	str_buf_puts(out, "MAILBOXID (F");
	str_buf_put_number(out, id.n);
	str_buf_putc(out, ')');
}

static const struct {
	uint32_t flag;
	const char *name;
} flag_names[] = {
	{STORE_FLAG_ANSWERED, "\\Answered "},
	{STORE_FLAG_FLAGGED, "\\Flagged "},
	{STORE_FLAG_DELETED, "\\Deleted "},
	{STORE_FLAG_SEEN, "\\Seen "},
	{STORE_FLAG_DRAFT, "\\Draft "},
};

void reply_put_flags(struct str_buf *out, uint32_t flags, uint64_t keywords, bool recent,
    const char *const names[63])
{
	str_buf_putc(out, '(');
	for (size_t i = 0; flags && i < sizeof flag_names / sizeof *flag_names; i++)
		if (flags & flag_names[i].flag)
			str_buf_puts(out, flag_names[i].name);
	if (recent)
		str_buf_puts(out, "\\Recent ");
	for (unsigned bit = 0; keywords && bit < 63; bit++) {
		if (!(keywords >> bit & 1) || !names[bit])
			continue;
		str_buf_puts(out, names[bit]);
		str_buf_putc(out, ' ');
	}
	if (out->p[out->n - 1] == ' ')
		out->n--;
	str_buf_putc(out, ')');
}

static void put_mechanisms(struct str_buf *out, const struct client *client)
{
	struct str_view rest, word;
	struct str_buf all = {0};
	struct sasl_conn peer;

	login_peer(client, &peer);
	sasl_put_mechanisms(ask_able(), &peer.peer, &all);
	for (rest = str_buf_view(&all); (word = str_word(&rest)).n;) {
		str_buf_puts(out, " AUTH=");
		str_buf_put(out, word.p, word.n);
	}
	str_buf_fini(&all);
}

static struct str_buf words_of_rows;

static void collect_row_words(void)
{
	for (size_t i = 0; i < cmd_rows_n; i++) {
		if (!cmd_rows[i]->capability)
			continue;
		str_buf_putc(&words_of_rows, ' ');
		str_buf_puts(&words_of_rows, cmd_rows[i]->capability);
	}
}

/* What the rows say never changes; it is put together once, and lives as long as the process. */
static struct str_view row_words(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, collect_row_words);
	return str_buf_view(&words_of_rows);
}

void reply_put_capabilities(struct str_buf *out, const struct client *client)
{
	struct str_view words = row_words();

	/* LITERAL+ (RFC 7888) is the reader's own; every other word stands in a command's row. */
	str_buf_puts(out, "IMAP4rev1 IMAP4rev2 LITERAL+");
	if (client->state == IMAP_NOT_AUTHENTICATED) {
		if (conn_tls_available(client->conn) && !conn_is_tls(client->conn))
			str_buf_puts(out, " STARTTLS");
		put_mechanisms(out, client);
		if (!client_may_log_in(client))
			str_buf_puts(out, " LOGINDISABLED");
	} else if (!conn_is_compressed(client->conn)) {
		str_buf_puts(out, " COMPRESS=DEFLATE");
	}
	if (setting_get(client->site, SETTING_IMAP_UIDONLY))
		str_buf_puts(out, " UIDONLY");
	str_buf_printf(out, " APPENDLIMIT=%u", setting_get(client->site, SETTING_MESSAGE_SIZE_MAX));
	str_buf_put(out, words.p, words.n);
}
