/*
 * Fuzz target for the arguments of every imapd command: each row's check (and streams_now), and so parse.c
 * seq.c name.c date.c, the parsers of FETCH, SEARCH and so on.  No store and no connection are touched, so it
 * does in a second what fuzz_imap does in minutes.
 *
 * An input is an octet of enum client_enabled bits and a command without its tag, as read.c hands it over:
 * "UID FETCH 1:* (FLAGS)".  What read.c would not hand over is passed over.
 */
#include "fuzz_door.h"

#include "base/check.h"
#include "base/mem.h"
#include "imapd/cmd.h"
#include "imapd/read.h"
#include "imapd/sync.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static bool is_clean(struct str_view line, bool utf8)
{
	for (size_t i = 0; i < line.n; i++)
		if (!line.p[i] || line.p[i] == '\r' || line.p[i] == '\n' || (!utf8 && (line.p[i] & 0x80)))
			return false;
	return true;
}

/* Lines without control characters; what ends with a literal's head goes on behind the literal, or ends there:
 * *streams_r, where the literal is still to come. */
static bool is_readable(struct str_view text, bool utf8, bool *streams_r)
{
	struct literal_head head;

	for (;;) {
		const char *end = memchr(text.p, '\r', text.n);
		struct str_view line = str_view(text.p, end ? (size_t)(end - text.p) : text.n);

		if (!is_clean(line, utf8))
			return false;
		*streams_r = read_literal_head(line, &head);
		if (!end)
			return true;
		if (!*streams_r || text.n - line.n < 2 || end[1] != '\n' || text.n - line.n - 2 < head.octets)
			return false;
		text.p += line.n + 2 + head.octets;
		text.n -= line.n + 2 + head.octets;
	}
}

static bool take_name(struct imap_req *req)
{
	struct str_view name;

	if (!parse_atom(&req->args, &name))
		return false;
	if (str_equal_nocase(name, SV("UID"))) {
		req->uid = true;
		if (!parse_space(&req->args) || !parse_atom(&req->args, &name))
			return false;
	}
	req->cmd = cmd_find(name);
	return req->cmd && (!req->uid || req->cmd->uid_flags & IMAP_UID);
}

/* Words for the peer: there, one line, and without what IMAP has no text for (RFC 3501 9). */
static void look_at_complaint(const char *bad)
{
	CHECK(bad && *bad);
	for (; *bad; bad++)
		CHECK(*bad >= 0x20 && *bad < 0x7f);
}

static void check_args(struct imap_req *req)
{
	unsigned flags = req->uid ? req->cmd->uid_flags : req->cmd->flags;
	struct parse *args = &req->args;
	bool good;

	if (!req->cmd->check)
		return;
	good = (flags & IMAP_ARGS_OPTIONAL || parse_space(args)) && req->cmd->check(req) && parse_end(args);
	CHECK(args->p <= args->end);
	CHECK(good == !args->bad);
	if (!good)
		look_at_complaint(args->bad);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	static struct selected selected; /* of an empty folder */
	struct client client = {.site = fuzz_site("fuzz_imap_args"), .state = IMAP_SELECTED, .selected = &selected,
	    .parse_limits = {.nesting_max = 50, .list_max = 1000, .keyword_max = 100}};
	struct imap_req req = {.client = &client, .tag = SV("a")};
	const char *text = (const char *)octets + 1;
	bool streams;

	if (n < 2)
		return 0;
	client.enabled = octets[0] & 31;
	if (!is_readable(str_view(text, n - 1), client.enabled & ENABLED_UTF8, &streams))
		return 0;
	req.args = (struct parse){text, text + n - 1, &client.arena, &client.parse_limits, NULL,
	    client_has_utf8(&client)};
	if (take_name(&req)) {
		if (streams && (req.uid ? req.cmd->uid_flags : req.cmd->flags) & IMAP_STREAMS)
			req.cmd->streams_now(&req);
		else
			check_args(&req);
		if (req.cleanup)
			req.cleanup(&req);
	}
	arena_fini(&client.arena);
	return 0;
}
