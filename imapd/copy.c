/* imapd/copy.c - COPY (RFC 3501 6.4.7) and MOVE (RFC 6851) with COPYUID (RFC 4315 3). */
#include "imapd/copy.h"

#include "imapd/set.h"
#include "imapd/sync.h"

struct copy_args {
	struct seq_set set;
	const char *to;
};

bool copy_check(struct imap_req *req)
{
	struct copy_args *args = req->data = ARENA_NEW(&req->client->arena, struct copy_args);

	return parse_set(&req->args, &args->set) && parse_space(&req->args) &&
	    parse_mailbox(&req->args, &args->to);
}

static const char *copyuid(struct arena *arena, const struct message_copied *copied)
{
	struct str_buf text = {0};
	struct seq_writer from = {.out = &text}, to = {.out = &text};
	const char *code;

	str_buf_printf(&text, "COPYUID %u ", copied->uidvalidity);
	for (size_t i = 0; i < copied->n; i++)
		seq_write(&from, copied->from[i].n);
	seq_write_end(&from);
	str_buf_putc(&text, ' ');
	for (size_t i = 0; i < copied->n; i++)
		seq_write(&to, copied->to[i].n);
	seq_write_end(&to);
	code = arena_strn(arena, text.p, text.n);
	str_buf_fini(&text);
	return code;
}

enum imap_next copy_run(struct imap_req *req, copy_function *copy, const char **code_r,
    struct err *e)
{
	struct client *client = req->client;
	struct copy_args *args = req->data;
	struct folder_info to;
	struct message_copied copied = {0};

	if (!set_resolve(req, &args->set))
		return req_bad(req, set_bad);
	if (!args->to)
		return req_no(req, "CANNOT", "That can't be a folder's name");
	if (folder_by_name(client->store, args->to, &client->arena, &to, e) != 0)
		return e->code == ERR_NOTFOUND ?
		    req_no(req, "TRYCREATE", "There is no such folder; it can be created") :
		    IMAP_FAIL;
	if (args->set.n && copy(client->store, client->selected->id, args->set.ranges, args->set.n,
	        to.id, &client->arena, &copied, e) != 0)
		return IMAP_FAIL;
	*code_r = copied.n ? copyuid(&client->arena, &copied) : NULL;
	return IMAP_WAIT;
}
