/* imapd/cmd_thread.c - RFC 5256 3; the algorithms are in thread.c and thread_build.c. */
#include "imapd/search.h"
#include "imapd/sync.h"
#include "imapd/thread.h"
#include "limits/registry.h"

struct thread_cmd {
	struct search search; /* first: search.c finds it in req->data */
	struct thread thread;
	struct thread_walk walk;
	bool has_begun;
};

static const struct {
	const char *name;
	enum thread_how how;
} algorithms[] = {
	{"ORDEREDSUBJECT", THREAD_ORDEREDSUBJECT},
	{"REFERENCES", THREAD_REFERENCES},
	{"REFS", THREAD_REFS},
};

static bool take_algorithm(struct imap_req *req, enum thread_how *how_r)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
		if (!parse_try_word(&req->args, algorithms[i].name))
			continue;
		*how_r = algorithms[i].how;
		return true;
	}
	return parse_bad(&req->args, "There is no such threading algorithm");
}

static bool thread_check(struct imap_req *req)
{
	struct thread_cmd *cmd = req->data = ARENA_NEW(&req->client->arena, struct thread_cmd);

	return take_algorithm(req, &cmd->thread.how) && parse_space(&req->args) &&
	    search_parse_charset_name(req, &cmd->search.args) &&
	    search_parse(req, &cmd->search.args);
}

static void thread_cleanup(struct imap_req *req)
{
	struct thread_cmd *cmd = req->data;

	thread_fini(&cmd->thread);
	search_cleanup(req);
}

static uint32_t number_of(void *arg, uint32_t seq)
{
	const struct imap_req *req = arg;

	return req->uid ? view_uid(&req->client->selected->view, seq) : seq;
}

static enum imap_next tell(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct thread_cmd *cmd = req->data;
	struct str_buf *out = conn_out(client->conn);
	uint32_t n = 0;

	(void)e;
	client->in_response = true;
	if (!cmd->has_begun)
		str_buf_puts(out, cmd->thread.roots_n ? "* THREAD " : "* THREAD");
	cmd->has_begun = true;
	while (thread_put(&cmd->thread, &cmd->walk, out, number_of, req))
		if ((++n & 1023) == 0 && conn_should_yield(client->conn))
			return IMAP_YIELD;
	str_buf_put(out, "\r\n", 2);
	client->in_response = false;
	return req_ok(req, NULL, "That is all");
}

static enum imap_next gather(struct imap_req *req, struct err *e)
{
	struct thread_cmd *cmd = req->data;
	enum keys_what what = cmd->thread.how == THREAD_ORDEREDSUBJECT ? KEYS_SORT : KEYS_THREAD;
	struct arena arena = {0};
	struct message_keys *list;
	uint32_t *seqs;
	size_t n;
	int result = search_keys(req, what, 0, &arena, &list, &seqs, &n, e);

	for (size_t i = 0; result == 0 && i < n; i++)
		thread_add(&cmd->thread, &list[i], seqs[i]);
	arena_fini(&arena);
	if (result == 0 &&
	    thread_octets(&cmd->thread) > setting_get(req->client->site, SETTING_IMAP_SORT_MAX))
		result = err_set(e, ERR_LIMIT, "more is to be threaded than SortMax allows");
	if (result != 0)
		return IMAP_FAIL;
	if (n)
		return IMAP_YIELD;
	thread_build(&cmd->thread);
	req->step = tell;
	return tell(req, e);
}

static enum imap_next found(struct imap_req *req, struct err *e)
{
	search_keys_start(req);
	req->step = gather;
	return gather(req, e);
}

static enum imap_next thread_run_cmd(struct imap_req *req, struct err *e)
{
	struct thread_cmd *cmd = req->data;

	cmd->search.then = found;
	cmd->search.wants_keys = true;
	req->cleanup = thread_cleanup;
	return search_start(req, e);
}

const struct imap_cmd imap_cmd_thread = {
	.name = "THREAD", .rfc = "5256 3",
	.capability = "THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS",
	.states = IMAP_SELECTED, .flags = IMAP_KEEPS_SEQS, .uid_flags = IMAP_UID,
	.args = "algorithm charset key...", .check = thread_check, .run = thread_run_cmd,
};
