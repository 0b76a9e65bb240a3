/*
 * imapd/read.c - commands as they come in.  A command is a line; where it ends with a literal's head,
 * the literal and a further line follow (RFC 3501 4.3, LITERAL+ RFC 7888, binary ones RFC 3516 4.4).
 * What is refused is still read to its end, since a peer that pipelines has sent it already; what waits for our "+" is not sent
 * at all.
 */
#include "imapd/read.h"

#include "imapd/cmd.h"
#include "imapd/dispatch.h"
#include "limits/registry.h"
#include "mime/decode.h"

#include <string.h>

/* What is kept of an over-long line's end: enough for a literal's head. */
#define TAIL_OCTETS 32

static uint32_t setting(const struct client *client, enum setting id)
{
	return setting_get(client->site, id);
}

bool read_literal_head(struct str_view line, struct literal_head *head_r)
{
	size_t open = line.n, close = line.n - 1;
	bool waits = true, is_binary;
	uint64_t octets;

	if (line.n < 3 || line.p[close] != '}')
		return false;
	if (line.p[close - 1] == '+') {
		waits = false;
		close--;
	}
	open = close;
	while (open > 0 && line.p[open - 1] >= '0' && line.p[open - 1] <= '9')
		open--;
	if (open == 0 || open == close || line.p[open - 1] != '{')
		return false;
	if (!str_number(str_view(line.p + open, close - open), UINT64_MAX, &octets))
		octets = UINT64_MAX; /* refused as too large by whoever asks */
	is_binary = open >= 2 && line.p[open - 2] == '~';
	*head_r = (struct literal_head){octets, waits, is_binary, line.n - open + 1 + is_binary};
	return true;
}

static void complain(struct client *client, const char *words)
{
	if (!client->complaint)
		client->complaint = words;
}

/* Outside literals a command is without NUL and 7-bit (RFC 3501 9); quoted strings may hold UTF-8 once
 * that is enabled (RFC 9755 3, RFC 9051 4.3): the parser sees to it that nothing else does. */
static const char *line_bad(const struct client *client, struct str_view line)
{
	unsigned char all = 0;
	size_t i = 0;

	for (; i < line.n && line.p[i]; i++)
		all |= (unsigned char)line.p[i];
	if (i == line.n && all < 0x80)
		return NULL;
	if (!client_has_utf8(client))
		return "NUL and 8-bit octets can stand in literals only";
	if (i < line.n)
		return "NUL can stand in binary literals only";
	return mime_utf8_valid(line) ? NULL : "That is not valid UTF-8";
}

/* Throws the front of an over-long line away; its tag stays, to answer with. */
static void shorten(struct client *client)
{
	struct str_view in = conn_input(client->conn);
	const char *end = memchr(in.p, '\n', in.n);
	size_t n = end ? (size_t)(end - in.p) : in.n;

	if (client->command.n == 0)
		str_buf_put(&client->command, in.p, n < 200 ? n : 200);
	complain(client, "The line is too long");
	conn_take(client->conn, n > TAIL_OCTETS ? n - TAIL_OCTETS : 0);
}

static void begin_response(struct client *client, const struct literal_head *head)
{
	str_buf_put(&client->command, "\r\n", 2);
	client->literal_left = head->octets;
	client->literal_is_binary = head->is_binary;
	client->reading = READ_LITERAL;
	if (head->waits)
		conn_puts(client->conn, "+ OK\r\n");
}

/* Too large to be taken into memory? */
static bool too_large(const struct client *client, uint64_t octets)
{
	uint32_t one_max = setting(client, client->state == IMAP_NOT_AUTHENTICATED ?
	        SETTING_IMAP_PREAUTH_LITERAL_MAX : SETTING_IMAP_LITERAL_MAX);

	return octets > one_max ||
	    octets + client->command.n > setting(client, SETTING_IMAP_COMMAND_MAX);
}

/* A line of the command ended with a literal's head. */
static enum read_result at_literal(struct client *client, const struct literal_head *head)
{
	bool streams = false;

	if (!client->complaint)
		complain(client, dispatch_judge(client, &streams));
	if (!client->complaint && streams)
		return READ_READY;
	if (!client->complaint && too_large(client, head->octets)) {
		client->complaint_code = "TOOBIG";
		complain(client, "The literal is too large");
	}
	if (!client->complaint) {
		begin_response(client, head);
		return READ_MORE;
	}
	return head->waits || !read_discard(client, head->octets) ? READ_READY : READ_MORE;
}

bool read_discard(struct client *client, uint64_t octets)
{
	uint32_t max = setting(client, SETTING_IMAP_DISCARD_MAX), before = client->discarded_octets;

	if (before > max || octets > max - before) {
		client_bye(client, "TOOBIG", "That is more than this server throws away");
		return false;
	}
	client->discarded_octets += (uint32_t)octets;
	client->literal_left = octets;
	client->reading = octets ? READ_DISCARD : READ_LINE;
	return true;
}

static bool read_line(struct client *client, enum read_result *result_r)
{
	struct literal_head head;
	struct str_view line;
	const char *bad;

	switch (conn_line(client->conn, setting(client, SETTING_IMAP_LINE_MAX), &line)) {
	case CONN_LINE_PART:
		return false;
	case CONN_LINE_TOO_LONG:
		shorten(client);
		return true;
	case CONN_LINE:
		break;
	}
	if (client->complaint == NULL && (bad = line_bad(client, line)))
		complain(client, bad);
	if (client->command.n + line.n > setting(client, SETTING_IMAP_COMMAND_MAX))
		complain(client, "The command is too long");
	else
		str_buf_put(&client->command, line.p, line.n);
	/* head is worked out before the line's memory goes. */
	*result_r = read_literal_head(line, &head) ? at_literal(client, &head) : READ_READY;
	return true;
}

static bool read_literal(struct client *client)
{
	struct str_view in = conn_input(client->conn);
	size_t n = in.n < client->literal_left ? in.n : (size_t)client->literal_left;

	if (client->reading == READ_LITERAL) {
		if (!client->literal_is_binary && memchr(in.p, '\0', n))
			complain(client, "NUL can stand in binary literals only");
		str_buf_put(&client->command, in.p, n);
	}
	conn_take(client->conn, n);
	client->literal_left -= n;
	if (client->literal_left == 0)
		client->reading = READ_LINE;
	return client->literal_left == 0;
}

enum read_result read_command(struct client *client)
{
	enum read_result result = READ_MORE;

	while (result == READ_MORE && !client->closing) {
		if (client->reading == READ_LINE ? !read_line(client, &result) :
		                                   !read_literal(client))
			return READ_MORE;
	}
	return result;
}
