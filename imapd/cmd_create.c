/* imapd/cmd_create.c - RFC 9051 6.3.4, with a special use (RFC 6154 3). */
#include "imapd/list.h"
#include "imapd/reply.h"
#include "imapd/special_use.h"
#include "store/folder.h"

#include <string.h>

struct create {
	const char *name;
	struct str_view given; /* as it was written */
	enum folder_use use;
	uint32_t uses_n;
	bool bad_use; /* to be answered NO [USEATTR] */
};

/* "(\Drafts)": an attribute that we have no folder for is no mistake of syntax. */
static bool use_attributes(struct imap_req *req, struct create *create)
{
	struct parse *p = &req->args;

	if (!parse_char(p, '('))
		return false;
	while (!parse_try(p, ')')) {
		const char *from;
		struct str_view name;

		if (create->uses_n++ > 0 && !parse_space(p))
			return false;
		from = p->p;
		if (!parse_try(p, '\\') || !parse_atom(p, &name))
			return parse_bad(p, "An attribute must stand here");
		if (!special_use_from(str_view(from, (size_t)(p->p - from)), &create->use))
			create->bad_use = true;
	}
	/* A folder of ours has one use. */
	create->bad_use = create->bad_use || create->uses_n > 1;
	return true;
}

/* create-param (RFC 4466 2.2): there is USE, and nothing else. */
static bool create_check(struct imap_req *req)
{
	struct create *create = req->data = ARENA_NEW(&req->client->arena, struct create);
	struct parse *p = &req->args, again = *p;

	if (!parse_mailbox(p, &create->name) || !parse_astring(&again, &create->given))
		return false;
	if (!parse_try(p, ' '))
		return true;
	if (!parse_char(p, '('))
		return false;
	if (!parse_try_word(p, "USE"))
		return parse_bad(p, "There is no such parameter of CREATE");
	return parse_space(p) && use_attributes(req, create) && parse_char(p, ')');
}

/* RFC 9051 6.3.4: a name that was put into NFC is told.  A '/' at its end is no part of it. */
static void tell_name(struct client *client, const struct create *create)
{
	struct str_view given = create->given;

	if (given.n > 1 && given.p[given.n - 1] == '/')
		given.n--;
	if ((client->enabled & ENABLED_REV2) &&
	    !str_equal(given, str_view(create->name, strlen(create->name))))
		list_put_name(client, "\\HasNoChildren", create->name, given);
}

static enum imap_next create_run(struct imap_req *req, struct err *e)
{
	const struct create *create = req->data;
	struct str_buf code = {0};
	struct folder_id id;
	const char *kept;

	if (!create->name)
		return req_no(req, "CANNOT", "That can't be a folder's name");
	if (create->bad_use)
		return req_no(req, "USEATTR", "No folder can have that use");
	if (folder_create(req->client->store, create->name, create->use, &id, e) != 0) {
		/* The name was judged above, so what is invalid is the use. */
		if (e->code == ERR_INVALID && create->use != FOLDER_NO_USE)
			return req_no(req, "USEATTR", "Another folder has that use");
		return IMAP_FAIL;
	}
	tell_name(req->client, create);
	reply_put_mailboxid(&code, id);
	kept = arena_strn(&req->client->arena, code.p, code.n);
	str_buf_fini(&code);
	return req_ok(req, kept, "The folder is there");
}

const struct imap_cmd imap_cmd_create = {
	.name = "CREATE", .rfc = "9051 6.3.4", .capability = "CREATE-SPECIAL-USE",
	.states = IMAP_LOGGED_IN, .args = "mailbox [(USE (attribute))]", .check = create_check,
	.run = create_run,
};
