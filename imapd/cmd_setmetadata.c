/* imapd/cmd_setmetadata.c - RFC 5464 4.3: all of the entries are set, or none. */
#include "imapd/metadata.h"
#include "imapd/own_sessions.h"
#include "limits/registry.h"

#include <string.h>

struct setmetadata {
	struct metadata_target target;
	struct annotation *list;
	size_t n;
};

static bool take_entry(struct parse *p, struct annotation *entry)
{
	struct err e;

	if (!metadata_parse_entry(p, &entry->name) || !parse_space(p) ||
	    !parse_nstring8(p, &entry->value))
		return false;
	if (annotation_name_check(str_view(entry->name, strlen(entry->name)), &e) < 0)
		return parse_bad(p, "An entry below /private or /shared must stand here");
	return true;
}

static bool setmetadata_check(struct imap_req *req)
{
	struct setmetadata *set = req->data = ARENA_NEW(&req->client->arena, struct setmetadata);
	struct parse *p = &req->args;

	if (!metadata_parse_target(p, &set->target) || !parse_space(p) || !parse_char(p, '('))
		return false;
	set->list = ARENA_ARRAY(p->arena, struct annotation, p->limits->list_max);
	do {
		if (set->n == p->limits->list_max)
			return parse_bad(p, "The list is too long");
		if (!take_entry(p, &set->list[set->n++]))
			return false;
	} while (parse_try(p, ' '));
	return parse_char(p, ')');
}

static enum imap_next refuse(struct imap_req *req, const struct err *e)
{
	struct client *client = req->client;

	if (e->code == ERR_TOOBIG)
		return req_no(req, arena_printf(&client->arena, "METADATA MAXSIZE %u",
		    setting_get(client->site, SETTING_ANNOTATION_VALUE_MAX)), "A value is too long");
	if (e->code == ERR_LIMIT)
		return req_no(req, "METADATA TOOMANY", "There would be too many entries");
	return IMAP_FAIL;
}

static enum imap_next setmetadata_run(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	const struct setmetadata *set = req->data;
	struct folder_id folder;

	for (size_t i = 0; set->target.is_mailbox && i < set->n; i++)
		if (own_sessions_is_entry(set->list[i].name))
			return req_no(req, "NOPERM", "What is below " OWN_SESSIONS_ENTRY " tells of your sessions and can't be set");
	if (metadata_folder(client, &set->target, &folder, e) < 0)
		return IMAP_FAIL;
	if (annotation_set(client->store, folder, set->list, set->n, e) < 0)
		return refuse(req, e);
	return req_ok(req, NULL, "They are set");
}

const struct imap_cmd imap_cmd_setmetadata = {
	.name = "SETMETADATA", .rfc = "5464 4.3", .states = IMAP_LOGGED_IN,
	.args = "mailbox (entry value...)", .check = setmetadata_check, .run = setmetadata_run,
};
