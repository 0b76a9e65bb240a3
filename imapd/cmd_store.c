/* imapd/cmd_store.c - RFC 3501 6.4.6, and UNCHANGEDSINCE (RFC 7162 3.1.3).  Large sets go slice by slice: a transaction each, and others
 * run between. */
#include "imapd/set.h"
#include "imapd/sync.h"
#include "imapd/tell.h"
#include "store/flags.h"

#define STORE_SLICE 2000

struct store_args {
	struct seq_set set;
	struct flag_list list;
	struct flags_change change;
	bool silent;
	struct str_buf modified; /* the set of those that failed UNCHANGEDSINCE */
	struct seq_writer modified_writer;
	uint32_t left; /* messages of a sequence set that did not come by yet */
};

static const struct {
	const char *name;
	enum flags_how how;
	bool silent;
} store_forms[] = {
	{"FLAGS", FLAGS_REPLACE, false},
	{"FLAGS.SILENT", FLAGS_REPLACE, true},
	{"+FLAGS", FLAGS_ADD, false},
	{"+FLAGS.SILENT", FLAGS_ADD, true},
	{"-FLAGS", FLAGS_REMOVE, false},
	{"-FLAGS.SILENT", FLAGS_REMOVE, true},
};

static bool take_form(struct imap_req *req, struct store_args *args)
{
	for (size_t i = 0; i < sizeof store_forms / sizeof *store_forms; i++) {
		if (!parse_try_word(&req->args, store_forms[i].name))
			continue;
		args->change.how = store_forms[i].how;
		args->silent = store_forms[i].silent;
		return true;
	}
	return parse_bad(&req->args, "FLAGS, +FLAGS or -FLAGS must stand here");
}

/* "(UNCHANGEDSINCE n) ", which may be there (RFC 4466 2.5). */
static bool take_modifiers(struct imap_req *req, struct store_args *args)
{
	struct parse *p = &req->args;

	if (!parse_try(p, '('))
		return true;
	if (!parse_try_word(p, "UNCHANGEDSINCE"))
		return parse_bad(p, "There is no such store modifier");
	args->change.has_unchanged_since = true;
	return parse_space(p) && parse_modseq(p, true, &args->change.unchanged_since) &&
	    parse_char(p, ')') && parse_space(p);
}

static bool store_cmd_check(struct imap_req *req)
{
	struct store_args *args = req->data = ARENA_NEW(&req->client->arena, struct store_args);

	if (!parse_set(&req->args, &args->set) || !parse_space(&req->args) ||
	    !take_modifiers(req, args) || !take_form(req, args) ||
	    !parse_space(&req->args) || !parse_flags(&req->args, true, &args->list))
		return false;
	args->change.flags = args->list.flags;
	args->change.keywords = args->list.keywords;
	args->change.keywords_n = args->list.keywords_n;
	return true;
}

/*
 * A message after the command: what .SILENT changed is told by its MODSEQ alone, where the client follows
 * them, else not at all, unless somebody else changed it too (RFC 3501 6.4.6): that has another
 * modseq.  One that failed UNCHANGEDSINCE is told as it is, so that nobody need ask (RFC 7162 3.1.3).
 */
static void tell_one(struct imap_req *req, const struct message_info *m, uint32_t seq, bool failed)
{
	struct client *client = req->client;
	const struct store_args *args = req->data;
	bool flags = !args->silent || failed;

	sync_know(client->selected, m->uid.n, m->modseq);
	if (flags || (client->enabled & ENABLED_CONDSTORE))
		tell_message(client, seq, m, (flags ? TELL_FLAGS : 0) | (req->uid ? TELL_UID : 0));
}

static int tell(struct imap_req *req, const struct flags_stored *stored, struct err *e)
{
	const struct message_info *now = stored->now;
	const struct store_uid *failed = stored->failed;
	size_t n = stored->n, failed_n = stored->failed_n;
	struct client *client = req->client;
	struct store_args *args = req->data;
	struct view_cursor at = {0};
	uint64_t keywords = 0;

	sync_stored(client->selected, stored);
	for (size_t i = 0; i < n; i++)
		keywords |= now[i].keywords;
	if ((!args->silent || failed_n) && sync_keywords(client, keywords, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		uint32_t seq = view_cursor_seq(&client->selected->view, &at, now[i].uid.n);
		bool has = failed_n && failed->n == now[i].uid.n;

		if (seq)
			tell_one(req, &now[i], seq, has);
		if (seq && has)
			seq_write(&args->modified_writer, req->uid ? now[i].uid.n : seq);
		failed += has;
		failed_n -= has;
	}
	return 0;
}

static enum imap_next finish(struct imap_req *req)
{
	struct store_args *args = req->data;
	const char *code = NULL;

	seq_write_end(&args->modified_writer);
	if (args->modified.n)
		code = arena_printf(&req->client->arena, "MODIFIED %s", args->modified.p);
	if (args->left)
		return req_no(req, code ? code : "EXPUNGEISSUED", "Some of the messages are gone");
	return req_ok(req, code, code ? "Stored, but where it was changed since" : "Stored");
}

static void store_cleanup(struct imap_req *req)
{
	struct store_args *args = req->data;

	str_buf_fini(&args->modified);
}

static enum imap_next store_step(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct store_args *args = req->data;
	struct arena arena = {0};
	struct seq_set front = set_front(req, &args->set, STORE_SLICE, &arena);
	struct flags_stored stored;
	int result = 0;

	if (front.n) {
		result = flags_store_at(client->store, client->selected->id, front.ranges, front.n,
		    &args->change, &arena, &stored, e);
		args->left -= result == 0 && stored.n < args->left ? (uint32_t)stored.n : args->left;
		if (result == 0)
			result = tell(req, &stored, e);
	}
	arena_fini(&arena);
	if (result != 0)
		return IMAP_FAIL;
	if (args->set.n)
		return IMAP_YIELD;
	return finish(req);
}

static enum imap_next store_run(struct imap_req *req, struct err *e)
{
	struct store_args *args = req->data;

	if (!set_resolve(req, &args->set))
		return req_bad(req, set_bad);
	/* A UID that is not there is no error (RFC 3501 6.4.8). */
	args->left = req->uid ? 0 : set_count(req, &args->set);
	args->modified_writer.out = &args->modified;
	if (args->change.has_unchanged_since)
		sync_enable(req->client, ENABLED_CONDSTORE);
	req->cleanup = store_cleanup;
	req->step = store_step;
	return store_step(req, e);
}

const struct imap_cmd imap_cmd_store = {
	.name = "STORE", .rfc = "3501 6.4.6", .states = IMAP_SELECTED,
	.flags = IMAP_WRITES | IMAP_KEEPS_SEQS, .uid_flags = IMAP_UID | IMAP_WRITES,
	.args = "set [(UNCHANGEDSINCE modseq)] [+-]FLAGS[.SILENT] flags", .check = store_cmd_check, .run = store_run,
};
