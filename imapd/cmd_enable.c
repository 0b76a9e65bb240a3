/* imapd/cmd_enable.c - RFC 5161. */
#include "imapd/cmd.h"
#include "limits/registry.h"

#include <string.h>

/* A row per extension that can be enabled; bits: its own and those that it brings with it. */
static const struct {
	const char *name;
	unsigned bits;
} extensions[] = {
	{"CONDSTORE", ENABLED_CONDSTORE},
	{"QRESYNC", ENABLED_QRESYNC | ENABLED_CONDSTORE},
	{"IMAP4rev2", ENABLED_REV2},
	{"METADATA", ENABLED_METADATA},
	{"UIDONLY", ENABLED_UIDONLY},
	{"UTF8=ACCEPT", ENABLED_UTF8},
	{NULL, 0},
};

static unsigned row_of(struct str_view word)
{
	for (size_t i = 0; extensions[i].name; i++)
		if (str_equal_nocase(word, str_view(extensions[i].name, strlen(extensions[i].name))))
			return 1u << i;
	return 0;
}

/* req->data: the rows that were asked for, as bits. */
static bool enable_check(struct imap_req *req)
{
	unsigned *rows = req->data = ARENA_NEW(&req->client->arena, unsigned);
	struct str_view word;

	do {
		if (!parse_atom(&req->args, &word))
			return false;
		*rows |= row_of(word);
	} while (parse_try(&req->args, ' '));
	return true;
}

/* UIDONLY is experimental (RFC 9586): only where the administrator wants it. */
static bool is_served(const struct client *client, unsigned bits)
{
	return !(bits & ENABLED_UIDONLY) || setting_get(client->site, SETTING_IMAP_UIDONLY);
}

/* What was enabled before is not listed again (RFC 5161 3.2). */
static enum imap_next enable_run(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	const unsigned *rows = req->data;

	(void)e;
	conn_puts(client->conn, "* ENABLED");
	for (size_t i = 0; extensions[i].name; i++) {
		unsigned bits = extensions[i].bits;

		if (!(*rows >> i & 1) || (client->enabled & bits) == bits || !is_served(client, bits))
			continue;
		client->enabled |= bits;
		conn_printf(client->conn, " %s", extensions[i].name);
	}
	conn_puts(client->conn, "\r\n");
	return req_ok(req, NULL, "Those that were listed are enabled");
}

const struct imap_cmd imap_cmd_enable = {
	.name = "ENABLE", .rfc = "5161 3.1", .capability = "ENABLE UTF8=ACCEPT", .states = IMAP_AUTHENTICATED,
	.args = "capability...", .check = enable_check, .run = enable_run,
};
