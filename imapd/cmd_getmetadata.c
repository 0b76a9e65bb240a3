/* imapd/cmd_getmetadata.c - RFC 5464 4.2.  Options are taken before the name, as its grammar has them,
 * and behind it, as its examples do. */
#include "imapd/metadata.h"
#include "imapd/own_sessions.h"
#include "imapd/reply.h"

#include <string.h>
#include <strings.h>

struct getmetadata {
	struct metadata_target target;
	struct annotation_query query;
	bool has_options;
};

static bool take_depth(struct parse *p, uint32_t *depth_r)
{
	if (parse_try_word(p, "infinity"))
		*depth_r = UINT32_MAX;
	else if (parse_try_word(p, "1"))
		*depth_r = 1;
	else if (parse_try_word(p, "0"))
		*depth_r = 0;
	else
		return parse_bad(p, "DEPTH is 0, 1 or infinity");
	return true;
}

/* Behind the opening parenthesis. */
static bool take_options(struct parse *p, struct getmetadata *get)
{
	get->has_options = true;
	do {
		uint32_t n;

		if (parse_try_word(p, "MAXSIZE")) {
			if (!parse_space(p) || !parse_number(p, &n))
				return false;
			get->query.octets_max = n;
		} else if (parse_try_word(p, "DEPTH")) {
			if (!parse_space(p) || !take_depth(p, &get->query.depth))
				return false;
		} else {
			return parse_bad(p, "There is no such option of GETMETADATA");
		}
	} while (parse_try(p, ' '));
	return parse_char(p, ')');
}

static bool take_entries(struct parse *p, struct getmetadata *get, bool is_list)
{
	const char **names = ARENA_ARRAY(p->arena, const char *, p->limits->list_max);
	size_t n = 0;

	do {
		if (n == p->limits->list_max)
			return parse_bad(p, "The list is too long");
		if (!metadata_parse_entry(p, &names[n++]))
			return false;
	} while (is_list && parse_try(p, ' '));
	get->query.names = names;
	get->query.names_n = n;
	return !is_list || parse_char(p, ')');
}

static bool getmetadata_check(struct imap_req *req)
{
	struct getmetadata *get = req->data = ARENA_NEW(&req->client->arena, struct getmetadata);
	struct parse *p = &req->args;
	bool is_list;

	get->query.octets_max = UINT64_MAX;
	if (parse_try(p, '(') && (!take_options(p, get) || !parse_space(p)))
		return false;
	if (!metadata_parse_target(p, &get->target) || !parse_space(p))
		return false;
	is_list = parse_try(p, '(');
	/* No entry begins like an option. */
	if (is_list && !get->has_options && parse_peek(p) != '/' && parse_peek(p) != '"' &&
	    parse_peek(p) != '{') {
		if (!take_options(p, get) || !parse_space(p))
			return false;
		is_list = parse_try(p, '(');
	}
	return take_entries(p, get, is_list);
}

static bool is_among(const char *name, const struct annotation *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(list[i].name, name) == 0)
			return true;
	return false;
}

static void put_value(struct str_buf *out, struct str_view value)
{
	if (!memchr(value.p, '\0', value.n)) {
		reply_put_string(out, value);
		return;
	}
	str_buf_printf(out, "~{%zu}\r\n", value.n); /* literal8 (RFC 3516) */
	str_buf_put(out, value.p, value.n);
}

/* The answer, if there is one; the octets of the longest value that was too long, else 0. */
static uint64_t put_answer(struct client *client, const struct getmetadata *get,
    const struct annotation *list, size_t n)
{
	struct str_buf *out = conn_out(client->conn);
	const char *before = NULL;
	uint64_t longest = 0;

	for (size_t i = 0; i < n + get->query.names_n; i++) {
		const struct annotation *a = i < n ? &list[i] : NULL;
		const char *name = a ? a->name : get->query.names[i - n];

		if (a && !a->value.p) {
			longest = a->octets > longest ? a->octets : longest;
			continue;
		}
		/* What was asked for by its name alone, and is not there, is NIL. */
		if (!a && (get->query.depth > 0 || is_among(name, list, n)))
			continue;
		if (before)
			str_buf_puts(out, before);
		else
			metadata_put_head(client, &get->target);
		if (!before)
			str_buf_putc(out, '(');
		before = " ";
		reply_put_astring(out, str_view(name, strlen(name)));
		str_buf_putc(out, ' ');
		if (a)
			put_value(out, a->value);
		else
			str_buf_puts(out, "NIL");
	}
	if (before)
		str_buf_puts(out, ")\r\n");
	return longest;
}

static enum imap_next getmetadata_run(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	const struct getmetadata *get = req->data;
	struct annotation *list;
	struct folder_id folder;
	uint64_t longest;
	size_t n;

	if (metadata_folder(client, &get->target, &folder, e) < 0 ||
	    annotation_list(client->store, folder, &get->query, &client->arena, &list, &n, e) < 0 ||
	    (get->target.is_mailbox && own_sessions_add(client, &get->query, &list, &n, e) < 0))
		return IMAP_FAIL;
	longest = put_answer(client, get, list, n);
	return req_ok(req, longest ? arena_printf(&client->arena, "METADATA LONGENTRIES %llu",
	    (unsigned long long)longest) : NULL, "That is all");
}

const struct imap_cmd imap_cmd_getmetadata = {
	.name = "GETMETADATA", .rfc = "5464 4.2", .capability = "METADATA", .states = IMAP_LOGGED_IN,
	.args = "[(option...)] mailbox entry|(entry...)", .check = getmetadata_check,
	.run = getmetadata_run,
};
