/* imapd/search.c - see the header.  A search that is to be saved and fails leaves "$" empty; one that was
 * BAD never came here and leaves it as it was (RFC 5182 2.1). */
#include "imapd/search.h"

#include "imapd/set.h"
#include "imapd/sync.h"

#define SEARCH_SLICE 500

static void search_cleanup(struct imap_req *req)
{
	struct search *search = req->data;

	result_fini(&search->found);
}

static enum imap_next fail(struct imap_req *req)
{
	const struct search *search = req->data;

	if (search->how.options & RESULT_SAVE)
		result_forget(req->client);
	return IMAP_FAIL;
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

		if (seq)
			result_add(&search->found, seq);
	}
	arena_fini(&arena);
	if (result != 0)
		return fail(req);
	return search->next.n ? IMAP_YIELD : search->then(req, e);
}

enum imap_next search_start(struct imap_req *req, struct err *e)
{
	struct search *search = req->data;

	if (search->args.bad_charset) {
		if (search->how.options & RESULT_SAVE)
			result_forget(req->client);
		return req_no(req, "BADCHARSET (US-ASCII UTF-8)", "That charset is not known here");
	}
	if (!search_resolve(req, &search->args))
		return req_bad(req, set_bad);
	search->next.n = 1;
	req->cleanup = search_cleanup;
	req->step = search_step;
	return search_step(req, e);
}

static enum imap_next save(struct imap_req *req, const struct search *search)
{
	struct result named = {0};
	bool saved;

	result_named(&search->found, &search->how, &named);
	saved = result_save(req, &named);
	result_fini(&named);
	return saved ? req_ok(req, NULL, "That is all, and it is saved") :
	               req_no(req, "NOTSAVED", "The result is too large to be saved");
}

enum imap_next search_tell(struct imap_req *req, const char *name)
{
	struct search *search = req->data;

	if (result_tell(req, name, &search->found, &search->how, search->modseq, &search->told) ==
	    IMAP_YIELD)
		return IMAP_YIELD;
	return search->how.options & RESULT_SAVE ? save(req, search) :
	                                           req_ok(req, NULL, "That is all");
}
