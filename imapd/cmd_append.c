/* imapd/cmd_append.c - RFC 3501 6.3.11, with APPENDUID (RFC 4315 3).  The message is the command's last
 * literal: it goes to the store as it arrives, and the store is locked only once it is there. */
#include "imapd/cmd.h"

#include "base/log.h"
#include "imapd/date.h"
#include "imapd/err_map.h"
#include "imapd/read.h"
#include "limits/registry.h"
#include "store/message.h"

struct append_args {
	const char *name;
	struct flag_list list;
	int64_t idate_ms;
	int zone_min;
	struct literal_head literal;
	struct append *append;
	struct append_how how;
	uint64_t left;
	/* Set: the message is not wanted, and thrown away as it comes. */
	const char *refusal_code, *refusal;
};

static const char no_folder[] = "There is no such folder; it can be created";

/* The head of the literal that is still to come. */
static bool take_head(struct imap_req *req, struct append_args *args)
{
	struct parse *p = &req->args;
	struct str_view rest = str_view(p->p, (size_t)(p->end - p->p));

	if (!read_literal_head(rest, &args->literal) || args->literal.n != rest.n)
		return parse_bad(p, "The message must be a literal");
	p->p = p->end;
	return true;
}

static bool take_date(struct imap_req *req, struct append_args *args)
{
	struct str_view text;

	return parse_string(&req->args, &text) &&
	    (date_parse_time(text, &args->idate_ms, &args->zone_min) ||
	        parse_bad(&req->args, "That is no date and time"));
}

static bool append_check(struct imap_req *req)
{
	struct append_args *args = req->data = ARENA_NEW(&req->client->arena, struct append_args);
	struct parse *p = &req->args;

	args->idate_ms = INT64_MIN;
	if (!parse_mailbox(p, &args->name) || !parse_space(p))
		return false;
	if (parse_peek(p) == '(' && (!parse_flags(p, false, &args->list) || !parse_space(p)))
		return false;
	if (parse_peek(p) == '"' && (!take_date(req, args) || !parse_space(p)))
		return false;
	return take_head(req, args);
}

/* The folder's name may be a literal too, which is not the message. */
static bool append_streams_now(struct imap_req *req)
{
	return parse_space(&req->args) && append_check(req);
}

static void append_cleanup(struct imap_req *req)
{
	struct append_args *args = req->data;

	if (args->append)
		append_abort(&args->append);
}

static void refuse(struct append_args *args, const char *code, const char *text)
{
	args->refusal_code = code;
	args->refusal = text;
}

static void refuse_by_error(struct imap_req *req, const struct err *e)
{
	struct err_words words = err_map(e->code);

	if (words.is_fault)
		log_warn("append-failed", "user=%s %s",
		    LOG_Q(session_actor_name(req->client->session)), log_err(e));
	if (e->code == ERR_NOTFOUND)
		words = (struct err_words){"TRYCREATE", no_folder, false};
	refuse(req->data, words.code, words.text);
}

static enum imap_next commit(struct imap_req *req, struct err *e)
{
	struct append_args *args = req->data;
	struct append_done done;

	if (args->refusal)
		return req_no(req, args->refusal_code, args->refusal);
	if (append_commit(&args->append, &args->how, 1, &done, e) != 0)
		return e->code == ERR_NOTFOUND ?
		    req_no(req, "TRYCREATE", args->how.folder_name ? no_folder :
		        "The folder was deleted meanwhile") : IMAP_FAIL;
	return req_ok(req, arena_printf(&req->client->arena, "APPENDUID %u %u", done.uidvalidity,
	    done.uid.n), "Stored");
}

/* Behind the message nothing may follow but the line's end.  What does follow is read as the rest of
 * a bad command, so that no octet of it is taken for the next one. */
static enum imap_next end_step(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct str_view in = conn_input(client->conn);

	if (!client->complaint && (in.n == 0 || (in.n == 1 && in.p[0] == '\r')))
		return IMAP_WAIT;
	if (!client->complaint && (in.p[0] == '\n' || (in.p[0] == '\r' && in.p[1] == '\n'))) {
		conn_take(client->conn, in.p[0] == '\n' ? 1 : 2);
		return commit(req, e);
	}
	client->complaint = "One message at a time can be appended";
	if (read_command(client) == READ_MORE)
		return IMAP_WAIT;
	return req_bad(req, client->complaint);
}

static enum imap_next octets_step(struct imap_req *req, struct err *e)
{
	struct append_args *args = req->data;
	struct conn *conn = req->client->conn;

	while (args->left) {
		struct str_view in = conn_input(conn);
		size_t n = in.n < args->left ? in.n : (size_t)args->left;

		if (n == 0)
			return IMAP_WAIT;
		if (!args->refusal && append_write(args->append, in.p, n, e) != 0)
			refuse_by_error(req, e);
		conn_take(conn, n);
		args->left -= n;
	}
	req->step = end_step;
	return end_step(req, e);
}

/* A message that is here already is not spared by a look at its folder: the commit looks for it by
 * its name, and saves a transaction.  Others are told in time. */
static int find_folder(struct imap_req *req, struct err *e)
{
	struct append_args *args = req->data;
	struct client *client = req->client;
	struct folder_info folder;

	if (!args->literal.waits && conn_input(client->conn).n >= args->left) {
		args->how.folder_name = args->name;
		return 0;
	}
	if (folder_by_name(client->store, args->name, &client->arena, &folder, e) != 0)
		return -1;
	args->how.folder = folder.id;
	return 0;
}

/* What can be judged before the message comes: size, folder, room. */
static void judge(struct imap_req *req)
{
	struct append_args *args = req->data;
	struct client *client = req->client;
	struct err e;

	args->how = (struct append_how){.flags = args->list.flags, .keywords = args->list.keywords,
	    .keywords_n = args->list.keywords_n, .idate_ms = args->idate_ms, .zone_min = args->zone_min};
	if (args->literal.octets > setting_get(client->site, SETTING_MESSAGE_SIZE_MAX))
		refuse(args, "TOOBIG", "The message is larger than the server takes");
	else if (!args->name)
		refuse(args, "CANNOT", "That can't be a folder's name");
	else if (find_folder(req, &e) != 0 || append_begin(client->store, &args->append, &e) != 0)
		refuse_by_error(req, &e);
}

static enum imap_next append_run(struct imap_req *req, struct err *e)
{
	struct append_args *args = req->data;
	struct client *client = req->client;

	req->cleanup = append_cleanup;
	req->step = octets_step;
	args->left = args->literal.octets;
	judge(req);
	if (args->refusal && args->literal.waits)
		return req_no(req, args->refusal_code, args->refusal);
	/* What does not wait is on its way already: thrown away up to a bound. */
	if (args->refusal &&
	    args->left > setting_get(client->site, SETTING_IMAP_DISCARD_MAX)) {
		client_bye(client, args->refusal_code, args->refusal);
		return req_no(req, args->refusal_code, args->refusal);
	}
	if (args->literal.waits)
		conn_puts(client->conn, "+ Send it\r\n");
	return octets_step(req, e);
}

const struct imap_cmd imap_cmd_append = {
	.name = "APPEND", .rfc = "3501 6.3.11", .states = IMAP_LOGGED_IN, .flags = IMAP_STREAMS,
	.args = "mailbox [(flags)] [date-time] {literal}", .check = append_check, .run = append_run,
	.streams_now = append_streams_now,
};
