/* imapd/search.c - see the header.  A search that is to be saved and fails leaves "$" empty; one that was
 * BAD never came here and leaves it as it was (RFC 5182 2.1). */
#include "imapd/search.h"

#include "imapd/context.h"
#include "imapd/set.h"
#include "imapd/sync.h"
#include "limits/registry.h"

#define SEARCH_SLICE 500
#define MODSEQ_SLICE 2000

bool search_parse_how(struct imap_req *req, struct search *search)
{
	if (!result_parse_how(&req->args, &search->how))
		return false;
	/* RFC 5267 4.3: the tag is the context's name as long as that lives. */
	return !(search->how.options & RESULT_UPDATE) || !context_exists(req->client, req->tag) ||
	    parse_bad(&req->args, "A live context has this tag");
}

void search_cleanup(struct imap_req *req)
{
	struct search *search = req->data;

	result_fini(&search->found);
}

enum imap_next search_fail(struct imap_req *req)
{
	const struct search *search = req->data;

	if (search->how.options & RESULT_SAVE)
		result_forget(req->client);
	return IMAP_FAIL;
}

/* Up to the UID, in the first of the two passes or in the second. */
static void tell_progress(struct imap_req *req, uint32_t uid, unsigned pass)
{
	struct search *search = req->data;
	struct uid_range before = {1, uid};
	struct seq_set set = {.ranges = &before, .n = 1};
	uint64_t exists = req->client->selected->view.exists, done = set_count(req, &set);

	if (search->wants_keys)
		done = pass * exists + done;
	progress_tell(req, &search->progress, done, search->wants_keys ? 2 * exists : exists);
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
		return search_fail(req);
	if (!search->next.n || (!search->wants_keys && search->found.n >= result_enough(&search->how)))
		return search->then(req, e);
	tell_progress(req, search->next.n, 0);
	return IMAP_YIELD;
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
	if (search->args.has_modseq)
		sync_enable(req->client, ENABLED_CONDSTORE);
	search->next.n = 1;
	if (!req->cleanup)
		req->cleanup = search_cleanup;
	req->step = search_step;
	return search_step(req, e);
}

/* RFC 7162 3.1.5, 3.1.10.  Read behind the search: an answer that is later than what was found is true, and
 * what changed in between is told at the end of the command. */
static int read_modseqs(struct imap_req *req, struct search *search, struct err *e)
{
	struct client *client = req->client;
	struct arena arena = {0};
	struct message_info *list;
	size_t n = 0;
	int result = message_list(client->store, client->selected->id, search->modseq_left.ranges,
	    search->modseq_left.n, MESSAGE_FLAGS, MODSEQ_SLICE, &arena, &list, &n, e);

	for (size_t i = 0; result == 0 && i < n; i++)
		if (list[i].modseq.n > search->modseq)
			search->modseq = list[i].modseq.n;
	if (result == 0 && n)
		set_advance(&search->modseq_left, list[n - 1].uid.n);
	if (n < MODSEQ_SLICE)
		search->modseq_left.n = 0;
	arena_fini(&arena);
	return result;
}

static void begin_modseqs(struct imap_req *req, struct search *search)
{
	struct result named = {0};

	search->has_named = true;
	if (!search->args.has_modseq)
		return;
	result_named(&search->found, &search->how, &named);
	search->modseq_left = result_uids(req, &named);
	result_fini(&named);
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

void search_keys_start(struct imap_req *req)
{
	struct search *search = req->data;

	search->keys_left = result_uids(req, &search->found);
	search->keys_at = (struct view_cursor){0};
	search->keys_octets = 0;
}

static size_t octets_of(const struct message_keys *keys)
{
	return keys->subject.n + keys->from.n + keys->to.n + keys->cc.n + keys->display_from.n +
	    keys->display_to.n;
}

int search_keys(struct imap_req *req, enum keys_what what, size_t keeps, struct arena *arena,
    struct message_keys **list_r, uint32_t **seqs_r, size_t *n_r, struct err *e)
{
	struct client *client = req->client;
	struct search *search = req->data;
	struct message_keys *list;
	size_t n;

	if (message_keys_list(client->store, client->selected->id, search->keys_left.ranges,
	        search->keys_left.n, what, SEARCH_SLICE, arena, &list, &n, e) != 0)
		return -1;
	*seqs_r = ARENA_ARRAY(arena, uint32_t, n);
	for (size_t i = 0; i < n; i++) {
		(*seqs_r)[i] = view_cursor_seq(&client->selected->view, &search->keys_at, list[i].uid.n);
		search->keys_octets += keeps + octets_of(&list[i]);
	}
	if (n)
		set_advance(&search->keys_left, list[n - 1].uid.n);
	if (search->keys_octets > setting_get(client->site, SETTING_IMAP_SORT_MAX))
		return err_set(e, ERR_LIMIT, "more is to be sorted than SortMax allows");
	if (n)
		tell_progress(req, list[n - 1].uid.n, 1);
	*list_r = list;
	*n_r = n;
	return 0;
}

enum imap_next search_tell(struct imap_req *req, const char *name, struct err *e)
{
	struct search *search = req->data;

	if (!search->has_named)
		begin_modseqs(req, search);
	if (search->modseq_left.n) {
		if (read_modseqs(req, search, e) != 0)
			return search_fail(req);
		if (search->modseq_left.n)
			return IMAP_YIELD;
	}
	if (result_tell(req, name, &search->found, &search->how, search->modseq, &search->told) ==
	    IMAP_YIELD)
		return IMAP_YIELD;
	if (search->how.options & RESULT_UPDATE)
		context_begin(req, search->args.key, &search->found, search->program);
	return search->how.options & RESULT_SAVE ? save(req, search) :
	                                           req_ok(req, NULL, "That is all");
}
