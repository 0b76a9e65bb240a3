/* imapd/dispatch.c - state, UID forms, read-only folders, what is told at a command's end, and how an
 * error sounds: decided here from the row, so that no command can forget it. */
#include "imapd/dispatch.h"

#include "base/log.h"
#include "imapd/err_map.h"
#include "imapd/metadata.h"
#include "imapd/notify.h"
#include "imapd/reply.h"
#include "imapd/sync.h"
#include "imapd/tell.h"
#include "limits/registry.h"

#include <inttypes.h>
#include <string.h>

#define TAG_OCTETS_MAX 200

enum imap_next req_ok(struct imap_req *req, const char *code, const char *text)
{
	req->status = "OK";
	req->code = code;
	req->text = text;
	return IMAP_DONE;
}

enum imap_next req_no(struct imap_req *req, const char *code, const char *text)
{
	req->status = "NO";
	req->code = code;
	req->text = text;
	return IMAP_DONE;
}

enum imap_next req_bad(struct imap_req *req, const char *text)
{
	req->status = "BAD";
	req->code = NULL;
	req->text = text;
	return IMAP_DONE;
}

static unsigned req_flags(const struct imap_req *req)
{
	return req->uid ? req->cmd->uid_flags : req->cmd->flags;
}

/* tag = 1*<any ASTRING-CHAR except "+"> */
static bool take_tag(struct parse *p, struct str_view *tag_r)
{
	struct str_view rest = str_view(p->p, (size_t)(p->end - p->p));
	const char *from = p->p;

	while (p->p < p->end && *p->p > 0x20 && *p->p < 0x7f && !strchr("(){%*\"\\+", *p->p))
		p->p++;
	*tag_r = str_view(from, (size_t)(p->p - from));
	if (tag_r->n == 0 || tag_r->n > TAG_OCTETS_MAX || (p->p < p->end && *p->p != ' ')) {
		*tag_r = SV("*");
		return parse_bad(p, rest.n ? "A command begins with a tag" : "The line is empty");
	}
	return true;
}

static bool take_name(struct imap_req *req)
{
	struct parse *p = &req->args;
	struct str_view name;

	if (!parse_space(p) || !parse_atom(p, &name))
		return false;
	if (str_equal_nocase(name, SV("UID"))) {
		req->uid = true;
		if (!parse_space(p) || !parse_atom(p, &name))
			return false;
	}
	req->cmd = cmd_find(name);
	if (!req->cmd || (req->uid && !(req->cmd->uid_flags & IMAP_UID)))
		return parse_bad(p, "Unknown command");
	return true;
}

static bool is_in_state(struct imap_req *req)
{
	unsigned state = req->client->state, wanted = req->cmd->states;

	if (state & wanted)
		return true;
	if (state == IMAP_NOT_AUTHENTICATED)
		return parse_bad(&req->args, "Please log in first");
	if (wanted & IMAP_SELECTED)
		return parse_bad(&req->args, "Please select a folder first");
	return parse_bad(&req->args, wanted & IMAP_AUTHENTICATED ? "Not while a folder is open" :
	        "You are logged in already");
}

/* Tag, name and state; the parser then stands behind the name. */
static bool take_head(struct client *client, struct imap_req *req)
{
	const struct str_buf *text = &client->command;

	*req = (struct imap_req){.client = client, .args = {text->p, text->p + text->n,
	    &client->arena, &client->parse_limits, NULL, client_has_utf8(client)}};
	return take_tag(&req->args, &req->tag) && take_name(req) && is_in_state(req);
}

/* UIDONLY: no message numbers (RFC 9586 3.1). */
static bool is_numbered(const struct imap_req *req)
{
	return (req->client->enabled & ENABLED_UIDONLY) && !req->uid &&
	    (req->cmd->uid_flags & IMAP_UID) && !(req->cmd->flags & IMAP_NO_NUMBERS);
}

/* Asks with a copy of the request, and what the parser takes meanwhile is given back: a command of many
 * literals asks many times. */
static bool streams_now(struct imap_req req)
{
	const struct str_buf *text = &req.client->command;
	struct arena arena = {0};
	bool streams;

	req.args = (struct parse){req.client->req ? text->p : req.args.p, text->p + text->n, &arena,
	    &req.client->parse_limits, NULL, client_has_utf8(req.client)};
	streams = req.cmd->streams_now(&req);
	arena_fini(&arena);
	return streams;
}

const char *dispatch_judge(struct client *client, bool *streams_r)
{
	struct imap_req req;

	*streams_r = false;
	if (client->req) {
		*streams_r = streams_now(*client->req);
		return NULL;
	}
	if (!take_head(client, &req))
		return req.args.bad;
	if (is_numbered(&req))
		return parse_uid_required;
	if (req_flags(&req) & IMAP_STREAMS)
		*streams_r = streams_now(req);
	return NULL;
}

static bool check_args(struct imap_req *req)
{
	if (!req->cmd->check)
		return parse_end(&req->args);
	if (!(req_flags(req) & IMAP_ARGS_OPTIONAL) && !parse_space(&req->args))
		return false;
	return req->cmd->check(req) && parse_end(&req->args);
}

static void count_bad(struct client *client, const struct imap_req *req)
{
	if (strcmp(req->status, "BAD") != 0)
		client->bad_n = 0;
	else if (++client->bad_n >= setting_get(client->site, SETTING_IMAP_BAD_COMMANDS_MAX))
		client_bye(client, NULL, "Too many commands that make no sense");
}

/* What the store could not do, in our words; a fault of the world is logged, once, here. */
static void map_error(struct imap_req *req, const struct err *e)
{
	struct err_words words = err_map(e->code);
	const struct session *s = req->client->session;

	log_write(words.is_fault ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, "command-failed", "command=%s user=%s peer=%s %s",
	    req->cmd->name, LOG_Q(s ? session_actor_name(s) : "-"), conn_peer(req->client->conn),
	    log_err(e));
	req_no(req, words.code, words.text);
}

static void tell_changes(struct imap_req *req)
{
	struct client *client = req->client;
	unsigned flags = req->cmd ? req_flags(req) : IMAP_NO_SYNC, how = 0;
	struct err e;

	if (!client->selected || (flags & IMAP_NO_SYNC))
		return;
	how |= flags & IMAP_KEEPS_SEQS ? 0 : SYNC_EXPUNGE;
	how |= flags & IMAP_SYNC_ASKS ? SYNC_ASK : 0;
	how |= req->uid ? SYNC_UID : 0;
	/* What a command itself expunged is told in any case, with all before it. */
	if (!notify_limits(client, &how) && !(flags & IMAP_EXPUNGES))
		return;
	if (sync_run(client, how, &e) != 0)
		log_warn("sync-failed", "user=%s %s", LOG_Q(session_actor_name(client->session)),
		    log_err(&e));
}

static void tell_metadata(struct client *client)
{
	struct err e;

	if (metadata_tell_news(client, false, &e) != 0)
		log_warn("metadata-news-failed", "user=%s %s",
		    LOG_Q(session_actor_name(client->session)), log_err(&e));
}

/*
 * Where expunges were told, a client that resynchronises hears how far it now is (RFC 7162 3.2.7, 3.2.9):
 * in the tagged OK, or before it where that has another code.
 */
static void tell_position(struct imap_req *req)
{
	struct client *client = req->client;
	struct selected *s = client->selected;

	if (!s || !s->told_gone)
		return;
	s->told_gone = false;
	if (!(client->enabled & ENABLED_QRESYNC))
		return;
	if (req->code || strcmp(req->status, "OK") != 0)
		tell_highestmodseq(client);
	else
		req->code = arena_printf(&client->arena, "HIGHESTMODSEQ %" PRIu64, s->told.n);
}

static void finish(struct client *client, struct imap_req *req)
{
	if (req->cleanup)
		req->cleanup(req);
	if (!client->in_response) {
		tell_changes(req);
		tell_metadata(client);
		tell_position(req);
		reply_tagged(client, req->tag, req->status, req->code, req->text);
		count_bad(client, req);
	}
	client->req = NULL;
	client->complaint = client->complaint_code = NULL;
	client->discarded_octets = 0;
	client->reading = READ_LINE;
	arena_fini(&client->arena);
	/* Ten thousand clients that idle should cost little. */
	if (client->command.size > 1024)
		str_buf_fini(&client->command);
	str_buf_clear(&client->command);
}

static enum imap_next settle(struct imap_req *req, enum imap_next next, const struct err *e)
{
	if (next == IMAP_FAIL)
		map_error(req, e);
	if (next == IMAP_FAIL || next == IMAP_DONE) {
		finish(req->client, req);
		return IMAP_DONE;
	}
	return next;
}

enum imap_next dispatch_start(struct client *client)
{
	struct imap_req *req = ARENA_NEW(&client->arena, struct imap_req);
	const char *complaint = client->complaint;
	struct err e = {ERR_BUG, 0, ""};
	bool good = take_head(client, req);

	client->req = req;
	if (complaint && client->complaint_code)
		return settle(req, req_no(req, client->complaint_code, complaint), NULL);
	if (!complaint && good && is_numbered(req))
		return settle(req, req_bad(req, parse_uid_required), NULL);
	if (complaint || !good || !check_args(req))
		return settle(req, req_bad(req, complaint ? complaint : req->args.bad), NULL);
	if (client->selected && client->selected->readonly && (req_flags(req) & IMAP_WRITES))
		return settle(req, req_no(req, "READ-ONLY", "The folder is open read-only"), NULL);
	if (client->session)
		session_touch(client->session);
	return settle(req, req->cmd->run(req, &e), &e);
}

enum imap_next dispatch_step(struct client *client)
{
	struct err e = {ERR_BUG, 0, ""};

	return settle(client->req, client->req->step(client->req, &e), &e);
}

void dispatch_drop(struct client *client)
{
	struct imap_req *req = client->req;

	if (req && req->cleanup)
		req->cleanup(req);
	client->req = NULL;
	arena_fini(&client->arena);
}
