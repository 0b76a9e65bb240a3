/* imapd/cmd_search.c - RFC 3501 6.4.4.  The store searches a slice at a time; others run between. */
#include "imapd/search_parse.h"
#include "imapd/set.h"
#include "imapd/sync.h"

#define SEARCH_SLICE 500

struct search {
	struct search_args args;
	struct store_uid next;
	struct view_cursor at;
	struct str_buf found; /* " 2 5 7" */
};

static bool search_check(struct imap_req *req)
{
	struct search *search = req->data = ARENA_NEW(&req->client->arena, struct search);

	return search_parse(req, &search->args);
}

static void search_cleanup(struct imap_req *req)
{
	struct search *search = req->data;

	str_buf_fini(&search->found);
}

static enum imap_next finish(struct imap_req *req)
{
	const struct search *search = req->data;
	struct str_buf *out = conn_out(req->client->conn);

	str_buf_puts(out, "* SEARCH");
	str_buf_put(out, search->found.p, search->found.n);
	str_buf_puts(out, "\r\n");
	return req_ok(req, NULL, "That is all");
}

static enum imap_next search_step(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct search *search = req->data;
	struct arena arena = {0};
	struct store_uid *found;
	size_t n;
	int result = search_run(client->store, client->selected->id, search->args.key, search->next,
	    SEARCH_SLICE, &arena, &found, &n, &search->next, e);

	for (size_t i = 0; result == 0 && i < n; i++) {
		/* What the client does not know of yet has no number. */
		uint32_t seq = view_cursor_seq(&client->selected->view, &search->at, found[i].n);

		if (!seq)
			continue;
		str_buf_putc(&search->found, ' ');
		str_buf_put_number(&search->found, req->uid ? found[i].n : seq);
	}
	arena_fini(&arena);
	if (result != 0)
		return IMAP_FAIL;
	return search->next.n ? IMAP_YIELD : finish(req);
}

static enum imap_next search_run_cmd(struct imap_req *req, struct err *e)
{
	struct search *search = req->data;

	if (search->args.bad_charset)
		return req_no(req, "BADCHARSET (US-ASCII UTF-8)", "That charset is not known here");
	if (!search_resolve(req, &search->args))
		return req_bad(req, set_bad);
	search->next.n = 1;
	req->cleanup = search_cleanup;
	req->step = search_step;
	return search_step(req, e);
}

const struct imap_cmd imap_cmd_search = {
	.name = "SEARCH", .rfc = "3501 6.4.4", .states = IMAP_SELECTED, .flags = IMAP_KEEPS_SEQS,
	.uid_flags = IMAP_UID, .args = "[CHARSET charset] key...", .check = search_check,
	.run = search_run_cmd,
};
