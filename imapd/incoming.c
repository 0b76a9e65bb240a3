/* imapd/incoming.c - messages as they come in.  Between two steps nothing of the store is held but what
 * is spooled of the messages. */
#include "imapd/incoming.h"

#include "base/log.h"
#include "imapd/catenate.h"
#include "imapd/err_map.h"
#include "imapd/seq.h"
#include "limits/registry.h"

#include <string.h>

static const char no_folder[] = "There is no such folder; it can be created";

static enum imap_next acts_step(struct imap_req *req, struct err *e);
static enum imap_next text_step(struct imap_req *req, struct err *e);

static uint32_t setting(const struct imap_req *req, enum setting id)
{
	return setting_get(req->client->site, id);
}

bool incoming_check(struct imap_req *req, struct incoming *in)
{
	in->text.may_utf8 = client_has_utf8(req->client);
	if (!incoming_parse(&req->args, &in->text))
		return false;
	in->act = in->text.acts;
	return true;
}

bool incoming_streams_on(struct imap_req *req, const struct incoming *in)
{
	struct incoming_text text = in->text;

	return incoming_parse(&req->args, &text) && incoming_streams(&text);
}

static void incoming_cleanup(struct imap_req *req)
{
	struct incoming *in = req->data;

	append_abort(&in->append);
	for (size_t i = 0; i < in->n; i++)
		append_abort(&in->appends[i]);
	catenate_close(&in->source);
}

void incoming_refuse(struct incoming *in, const char *code, const char *text)
{
	if (in->refusal)
		return;
	in->refusal_code = code;
	in->refusal = text;
}

static void refuse_by_error(struct imap_req *req, struct incoming *in, const struct err *e)
{
	struct err_words words = err_map(e->code);

	if (words.is_fault)
		log_warn("append-failed", "user=%s %s",
		    LOG_Q(session_actor_name(req->client->session)), log_err(e));
	if (e->code == ERR_NOTFOUND)
		words = (struct err_words){"TRYCREATE", no_folder, false};
	incoming_refuse(in, words.code, words.text);
}

/* --- the acts ------------------------------------------------------------------------------- */

static void make_room(struct imap_req *req, struct incoming *in)
{
	struct arena *arena = &req->client->arena;
	size_t size = in->size ? in->size * 2 : 1;
	struct append **appends = ARENA_ARRAY(arena, struct append *, size);
	struct append_how *how = ARENA_ARRAY(arena, struct append_how, size);

	if (in->n) {
		memcpy(appends, in->appends, in->n * sizeof *appends);
		memcpy(how, in->how, in->n * sizeof *how);
	}
	in->appends = appends;
	in->how = how;
	in->size = size;
}

static void begin_message(struct imap_req *req, struct incoming *in, const struct incoming_act *act)
{
	struct err e;

	if (in->n == in->messages_max) {
		incoming_refuse(in, "LIMIT", "That is more messages than one command may bring");
		return;
	}
	if (append_begin(req->client->store, &in->append, &e) != 0) {
		refuse_by_error(req, in, &e);
		return;
	}
	if (in->n == in->size)
		make_room(req, in);
	in->how[in->n] = (struct append_how){.flags = act->list.flags,
	    .keywords = act->list.keywords, .keywords_n = act->list.keywords_n,
	    .idate_ms = act->idate_ms, .zone_min = act->zone_min, .is_awaited = true};
}

static void end_message(struct imap_req *req, struct incoming *in)
{
	struct append_how *how = &in->how[in->n];
	struct err e;

	how->folder = in->folder;
	how->folder_name = in->folder.n ? NULL : in->folder_name;
	if (append_finish(in->append, &e) != 0) {
		refuse_by_error(req, in, &e);
		return;
	}
	in->octets += append_size(in->append);
	in->appends[in->n++] = in->append;
	in->append = NULL;
}

/* A message that is here already is not spared by a look at its folder: the commit looks for it by its
 * name, and saves a transaction.  Others are told in time. */
static void judge_folder(struct imap_req *req, struct incoming *in, uint64_t octets)
{
	struct client *client = req->client;
	struct folder_info folder;
	struct err e;

	if (!in->folder.n) {
		if (folder_by_name(client->store, in->folder_name, &client->arena, &folder, &e) != 0) {
			refuse_by_error(req, in, &e);
			return;
		}
		in->folder = folder.id;
	}
	octets += in->octets + append_size(in->append);
	if (!in->makes_room && append_may(client->store, in->n + 1, octets, &e) != 0)
		refuse_by_error(req, in, &e);
}

/* What can be judged before a literal comes: size, folder, room. */
static void judge(struct imap_req *req, struct incoming *in, const struct incoming_act *act)
{
	uint64_t octets = act->literal.octets, before = append_size(in->append);
	uint32_t message_max = setting(req, SETTING_MESSAGE_SIZE_MAX);

	if (act->is_whole && octets == 0)
		incoming_refuse(in, NULL, "A message of no octets calls the command off");
	else if (before > message_max || octets > message_max - before)
		incoming_refuse(in, "TOOBIG", "The message is larger than the server takes");
	else if (in->octets + before + octets > setting(req, SETTING_IMAP_APPEND_OCTETS))
		incoming_refuse(in, "LIMIT", "That is more than one command may bring");
	else if (act->literal.waits || conn_input(req->client->conn).n < octets)
		judge_folder(req, in, octets);
}

/* Nothing more is wanted.  What does not wait is on its way already, with the rest of the command. */
static enum imap_next turn_down(struct imap_req *req, struct incoming *in, bool waits,
    uint64_t octets, struct err *e)
{
	struct client *client = req->client;

	if (waits)
		return req_no(req, in->refusal_code, in->refusal);
	client->complaint = in->refusal;
	client->complaint_code = in->refusal_code;
	if (!read_discard(client, octets))
		return IMAP_WAIT;
	str_buf_clear(&client->command);
	req->step = text_step;
	return text_step(req, e);
}

static void put_octets(struct imap_req *req, struct incoming *in, struct str_view octets)
{
	struct err e;

	if (!memchr(octets.p, '\0', octets.n)) {
		if (append_write(in->append, octets.p, octets.n, &e) != 0)
			refuse_by_error(req, in, &e);
	} else if (!in->act->literal.is_binary) {
		incoming_refuse(in, NULL, "NUL can stand in binary literals only");
	} else {
		/* BODY[] has no way to tell a NUL (RFC 3516 4.4). */
		incoming_refuse(in, "UNKNOWN-CTE", "NUL can't be stored; base64 can hold it");
	}
}

static enum imap_next octets_step(struct imap_req *req, struct err *e)
{
	struct incoming *in = req->data;
	struct client *client = req->client;

	while (in->left) {
		struct str_view octets = conn_input(client->conn);

		octets.n = octets.n < in->left ? octets.n : (size_t)in->left;
		if (octets.n == 0)
			return IMAP_WAIT;
		if (!in->refusal)
			put_octets(req, in, octets);
		conn_take(client->conn, octets.n);
		in->left -= octets.n;
	}
	if (in->refusal)
		return turn_down(req, in, false, 0, e);
	str_buf_clear(&client->command);
	req->step = text_step;
	return text_step(req, e);
}

static enum imap_next begin_literal(struct imap_req *req, struct incoming *in, struct err *e)
{
	const struct literal_head *head = &in->act->literal;

	if (!in->refusal)
		judge(req, in, in->act);
	if (in->refusal)
		return turn_down(req, in, head->waits, head->octets, e);
	if (head->waits)
		conn_puts(req->client->conn, "+ Send it\r\n");
	in->left = head->octets;
	req->step = octets_step;
	return octets_step(req, e);
}

/* A slice of what a URL names; IMAP_YIELD: there is more of it. */
static enum imap_next copy_url(struct imap_req *req, struct incoming *in)
{
	struct str_view url = in->act->url;
	struct err e;
	int r = 1;

	if (!in->source && !catenate_open(req->client, url, &in->source)) {
		incoming_refuse(in, catenate_badurl(&req->client->arena, url), "There is no such text");
		return IMAP_DONE;
	}
	if (in->octets + append_size(in->append) > setting(req, SETTING_IMAP_APPEND_OCTETS))
		incoming_refuse(in, "LIMIT", "That is more than one command may bring");
	else if ((r = catenate_copy(req->client->store, in->source, in->append, &e)) < 0)
		refuse_by_error(req, in, &e);
	if (!in->refusal && r > 0)
		return IMAP_YIELD;
	catenate_close(&in->source);
	return IMAP_DONE;
}

static enum imap_next acts_step(struct imap_req *req, struct err *e)
{
	struct incoming *in = req->data;

	for (; in->act; in->act = in->act->next) {
		if (in->act->kind == INCOMING_LITERAL)
			return begin_literal(req, in, e);
		if (in->refusal)
			continue;
		if (in->act->kind == INCOMING_BEGIN)
			begin_message(req, in, in->act);
		else if (in->act->kind == INCOMING_END)
			end_message(req, in);
		else if (copy_url(req, in) == IMAP_YIELD)
			return IMAP_YIELD;
	}
	if (in->refusal)
		return req_no(req, in->refusal_code, in->refusal);
	if (in->commit(req, in, e) == IMAP_DONE)
		return IMAP_DONE;
	if (e->code != ERR_NOTFOUND)
		return IMAP_FAIL;
	return req_no(req, "TRYCREATE", in->folder.n ? "The folder was deleted meanwhile" : no_folder);
}

/* What follows a literal: the command's end, or its text up to the next one. */
static enum imap_next text_step(struct imap_req *req, struct err *e)
{
	struct incoming *in = req->data;
	struct client *client = req->client;

	if (read_command(client) == READ_MORE || client->closing)
		return IMAP_WAIT;
	if (client->complaint)
		return client->complaint_code || in->refusal ?
		    req_no(req, client->complaint_code, client->complaint) :
		    req_bad(req, client->complaint);
	in->text_octets += client->command.n;
	req->args = (struct parse){client->command.p, client->command.p + client->command.n,
	    &client->arena, &client->parse_limits, NULL, client_has_utf8(client)};
	if (!incoming_parse(&req->args, &in->text))
		return req_bad(req, req->args.bad);
	if (in->text_octets > setting(req, SETTING_IMAP_COMMAND_MAX))
		incoming_refuse(in, "TOOBIG", "The command is too long");
	in->act = in->text.acts;
	req->step = acts_step;
	return acts_step(req, e);
}

enum imap_next incoming_run(struct imap_req *req, struct incoming *in, struct err *e)
{
	struct client *client = req->client;

	req->cleanup = incoming_cleanup;
	req->step = acts_step;
	/* The command's text goes once its literal begins. */
	req->tag = str_view(arena_strn(&client->arena, req->tag.p, req->tag.n), req->tag.n);
	in->text_octets = client->command.n;
	if (!in->folder_name)
		incoming_refuse(in, "CANNOT", "That can't be a folder's name");
	return acts_step(req, e);
}

const char *incoming_appenduid(struct arena *arena, const struct append_done *done, size_t n)
{
	struct str_buf text = {0};
	struct seq_writer writer = {.out = &text};
	const char *code;

	str_buf_printf(&text, "APPENDUID %u ", done[0].uidvalidity);
	for (size_t i = 0; i < n; i++)
		seq_write(&writer, done[i].uid.n);
	seq_write_end(&writer);
	code = arena_strn(arena, text.p, text.n);
	str_buf_fini(&text);
	return code;
}
