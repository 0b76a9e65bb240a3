/* imapd/cmd_store.c - RFC 3501 6.4.6.  Large sets go slice by slice: a transaction each, and others
 * run between. */
#include "imapd/reply.h"
#include "imapd/set.h"
#include "imapd/sync.h"
#include "store/flags.h"

#define STORE_SLICE 2000

struct store_args {
	struct seq_set set;
	struct flag_list list;
	struct flags_change change;
	bool silent;
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

static bool store_cmd_check(struct imap_req *req)
{
	struct store_args *args = req->data = ARENA_NEW(&req->client->arena, struct store_args);

	if (!parse_set(&req->args, &args->set) || !parse_space(&req->args) || !take_form(req, args) ||
	    !parse_space(&req->args) || !parse_flags(&req->args, true, &args->list))
		return false;
	args->change.flags = args->list.flags;
	args->change.keywords = args->list.keywords;
	args->change.keywords_n = args->list.keywords_n;
	return true;
}

static int tell(struct imap_req *req, const struct message_info *now, size_t n, struct err *e)
{
	struct client *client = req->client;
	struct selected *s = client->selected;
	struct str_buf *out = conn_out(client->conn);
	struct view_cursor at = {0};
	uint64_t keywords = 0;

	for (size_t i = 0; i < n; i++)
		keywords |= now[i].keywords;
	if (sync_keywords(client, keywords, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct message_info *m = &now[i];
		uint32_t seq = view_cursor_seq(&s->view, &at, m->uid.n);

		if (!seq)
			continue;
		sync_know(s, m->uid.n, m->modseq);
		str_buf_put(out, "* ", 2);
		str_buf_put_number(out, seq);
		str_buf_put(out, " FETCH (FLAGS ", 14);
		reply_put_flags(out, m->flags, m->keywords, sync_is_recent(s, m->uid.n), s->keywords);
		if (req->uid) {
			str_buf_put(out, " UID ", 5);
			str_buf_put_number(out, m->uid.n);
		}
		str_buf_put(out, ")\r\n", 3);
	}
	return 0;
}

/*
 * What .SILENT changes is not told, unless somebody else changed the message too (RFC 3501 6.4.6): the
 * state after our change is known, a later one has another modseq.
 */
static void know(struct imap_req *req, const struct message_info *now, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sync_know(req->client->selected, now[i].uid.n, now[i].modseq);
}

static enum imap_next store_step(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct store_args *args = req->data;
	struct arena arena = {0};
	struct seq_set front = set_front(req, &args->set, STORE_SLICE, &arena);
	struct message_info *now;
	struct store_uid *failed;
	size_t n, failed_n;
	int result = 0;

	if (front.n) {
		result = flags_store(client->store, client->selected->id, front.ranges, front.n,
		    &args->change, &arena, &now, &n, &failed, &failed_n, e);
		args->left -= result == 0 && n < args->left ? (uint32_t)n : args->left;
		if (result == 0 && args->silent)
			know(req, now, n);
		else if (result == 0)
			result = tell(req, now, n, e);
	}
	arena_fini(&arena);
	if (result != 0)
		return IMAP_FAIL;
	if (args->set.n)
		return IMAP_YIELD;
	if (args->left)
		return req_no(req, "EXPUNGEISSUED", "Some of the messages are gone");
	return req_ok(req, NULL, "Stored");
}

static enum imap_next store_run(struct imap_req *req, struct err *e)
{
	struct store_args *args = req->data;

	if (!set_resolve(req, &args->set))
		return req_bad(req, set_bad);
	/* A UID that is not there is no error (RFC 3501 6.4.8). */
	args->left = req->uid ? 0 : set_count(req, &args->set);
	req->step = store_step;
	return store_step(req, e);
}

const struct imap_cmd imap_cmd_store = {
	.name = "STORE", .rfc = "3501 6.4.6", .states = IMAP_SELECTED,
	.flags = IMAP_WRITES | IMAP_KEEPS_SEQS, .uid_flags = IMAP_UID | IMAP_WRITES,
	.args = "set [+-]FLAGS[.SILENT] flags", .check = store_cmd_check, .run = store_run,
};
