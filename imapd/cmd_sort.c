/* imapd/cmd_sort.c - RFC 5256 3, with RETURN (RFC 5267 3). */
#include "imapd/search.h"
#include "imapd/sort.h"

struct sort_cmd {
	struct search search; /* first: search.c finds it in req->data */
	struct sort_program program;
	struct sort sort;
	struct result kept; /* of what was found, what has not gone since */
};

static bool sort_check(struct imap_req *req)
{
	struct sort_cmd *cmd = req->data = ARENA_NEW(&req->client->arena, struct sort_cmd);

	return search_parse_how(req, &cmd->search) &&
	    sort_parse(&req->args, &cmd->program) && parse_space(&req->args) &&
	    search_parse_charset_name(req, &cmd->search.args) &&
	    search_parse(req, &cmd->search.args);
}

static void sort_cleanup(struct imap_req *req)
{
	struct sort_cmd *cmd = req->data;

	sort_fini(&cmd->sort);
	result_fini(&cmd->kept);
	search_cleanup(req);
}

static enum imap_next tell(struct imap_req *req, struct err *e)
{
	return search_tell(req, "SORT", e);
}

static enum imap_next all_known(struct imap_req *req, struct err *e)
{
	struct sort_cmd *cmd = req->data;
	struct result *found = &cmd->search.found;

	result_fini(found);
	*found = cmd->kept;
	cmd->kept = (struct result){0};
	found->order = ARENA_ARRAY(&req->client->arena, uint32_t, found->n + 1);
	sort_run(&cmd->sort, found->order);
	sort_fini(&cmd->sort);
	req->step = tell;
	return tell(req, e);
}

static enum imap_next gather(struct imap_req *req, struct err *e)
{
	struct sort_cmd *cmd = req->data;
	struct arena arena = {0};
	struct message_keys *list;
	uint32_t *seqs;
	size_t n;
	int result = search_keys(req, sort_what(&cmd->program), sort_item_octets(&cmd->program),
	    &arena, &list, &seqs, &n, e);

	for (size_t i = 0; result == 0 && i < n; i++) {
		sort_add(&cmd->sort, &list[i], seqs[i]);
		result_add(&cmd->kept, seqs[i]);
	}
	arena_fini(&arena);
	if (result != 0)
		return search_fail(req);
	return n ? IMAP_YIELD : all_known(req, e);
}

static enum imap_next found(struct imap_req *req, struct err *e)
{
	search_keys_start(req);
	req->step = gather;
	return gather(req, e);
}

static enum imap_next sort_run_cmd(struct imap_req *req, struct err *e)
{
	struct sort_cmd *cmd = req->data;

	cmd->sort.program = &cmd->program;
	cmd->search.program = &cmd->program;
	cmd->search.then = found;
	cmd->search.wants_keys = true;
	req->cleanup = sort_cleanup;
	return search_start(req, e);
}

const struct imap_cmd imap_cmd_sort = {
	.name = "SORT", .rfc = "5256 3", .capability = "SORT SORT=DISPLAY ESORT",
	.states = IMAP_SELECTED, .flags = IMAP_KEEPS_SEQS, .uid_flags = IMAP_UID,
	.args = "[RETURN (option...)] ([REVERSE] sort-key...) charset key...", .check = sort_check,
	.run = sort_run_cmd,
};
