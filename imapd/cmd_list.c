/* imapd/cmd_list.c - RFC 9051 6.3.9, which is RFC 3501's with LIST-EXTENDED (RFC 5258), CHILDREN
 * (RFC 3348), LIST-STATUS (RFC 5819) and SPECIAL-USE (RFC 6154).  The folders are read at once, with
 * what STATUS asks of them, and told as the peer takes them. */
#include "imapd/list.h"
#include "imapd/reply.h"
#include "imapd/special_use.h"
#include "imapd/status.h"

#include <string.h>

enum list_option {
	LIST_SUBSCRIBED = 1,
	LIST_REMOTE = 2, /* there are none; whoever asks for them too gets ours */
	LIST_RECURSIVE = 4,
	LIST_SPECIAL_USE = 8,
	LIST_CHILDREN = 16, /* told in any case, as the uses are */
	LIST_STATUS = 32,
};

struct list {
	unsigned select, returns; /* enum list_option */
	bool is_extended;         /* the client knows more than RFC 3501 */
	struct list_patterns patterns;
	unsigned status_items;
	struct list_entry *found;
	size_t found_n, told_n;
};

struct option {
	const char *name;
	unsigned bit;
};
static const struct option select_options[] = {
	{"SUBSCRIBED", LIST_SUBSCRIBED},
	{"REMOTE", LIST_REMOTE},
	{"RECURSIVEMATCH", LIST_RECURSIVE},
	{"SPECIAL-USE", LIST_SPECIAL_USE},
	{NULL, 0},
};
static const struct option return_options[] = {
	{"SUBSCRIBED", LIST_SUBSCRIBED},
	{"CHILDREN", LIST_CHILDREN},
	{"SPECIAL-USE", LIST_SPECIAL_USE},
	{"STATUS", LIST_STATUS},
	{NULL, 0},
};

/* What stands behind "(", up to and with ")". */
static bool take_options(struct imap_req *req, const struct option *options, unsigned *bits)
{
	struct list *list = req->data;
	struct parse *p = &req->args;

	for (bool first = true; !parse_try(p, ')'); first = false) {
		const struct option *o = options;

		if (!first && !parse_space(p))
			return false;
		while (o->name && !parse_try_word(p, o->name))
			o++;
		if (!o->name)
			return parse_bad(p, "There is no such option of LIST");
		*bits |= o->bit;
		if (o->bit == LIST_STATUS && (!parse_space(p) || !status_parse(req, &list->status_items)))
			return false;
	}
	list->is_extended = true;
	return true;
}

static bool list_check(struct imap_req *req)
{
	struct list *list = req->data = ARENA_NEW(&req->client->arena, struct list);
	struct parse *p = &req->args;

	if (parse_try(p, '(') && (!take_options(req, select_options, &list->select) || !parse_space(p)))
		return false;
	/* RFC 5258 3.1: it modifies another, and REMOTE is none of those. */
	if ((list->select & LIST_RECURSIVE) && !(list->select & (LIST_SUBSCRIBED | LIST_SPECIAL_USE)))
		return parse_bad(p, "RECURSIVEMATCH goes with SUBSCRIBED or SPECIAL-USE");
	if (!list_parse_patterns(req, true, &list->patterns))
		return false;
	list->is_extended = list->is_extended || list->patterns.is_list;
	if (!parse_try(p, ' '))
		return true;
	if (!parse_try_word(p, "RETURN"))
		return parse_bad(p, "Only RETURN can stand here");
	return parse_space(p) && parse_char(p, '(') &&
	    take_options(req, return_options, &list->returns);
}

static bool is_chosen(const struct list *list, const struct list_entry *entry)
{
	if ((list->select & LIST_SUBSCRIBED) && !entry->is_subscribed)
		return false;
	return !(list->select & LIST_SPECIAL_USE) ||
	    (entry->folder && entry->folder->use != FOLDER_NO_USE);
}

/* Folders and subscriptions, both by name, into one list by name. */
static size_t merge(const struct folder_info *folders, size_t folders_n, const char **names,
    size_t names_n, struct list_entry *all)
{
	size_t n = 0, f = 0, s = 0;

	while (f < folders_n || s < names_n) {
		int order = f == folders_n ? 1 : s == names_n ? -1 : strcmp(folders[f].name, names[s]);

		if (order > 0)
			all[n++] = (struct list_entry){.name = names[s], .is_subscribed = true};
		else
			all[n++] = (struct list_entry){.name = folders[f].name, .folder = &folders[f],
			    .is_subscribed = folders[f].subscribed,
			    .has_children = folders[f].has_children};
		f += order <= 0;
		s += order >= 0;
	}
	return n;
}

static int find(struct imap_req *req, struct err *e)
{
	struct list *list = req->data;
	struct store *store = req->client->store;
	struct arena *arena = &req->client->arena;
	enum list_parents parents = list->select & LIST_RECURSIVE ? LIST_ALL_PARENTS :
	    list->select & ~(unsigned)LIST_REMOTE            ? LIST_NO_PARENTS :
	                                                       LIST_MISSING_PARENTS;
	struct folder_info *folders;
	struct list_entry *all;
	const char **names = NULL;
	size_t folders_n, names_n = 0, n;

	if (folder_list_counted(store, status_counts(list->status_items), arena, &folders, &folders_n,
	        e) != 0)
		return -1;
	/* Names without a folder (RFC 5258 3.1, SUBSCRIBED). */
	if ((list->select & LIST_SUBSCRIBED) &&
	    folder_subscriptions(store, arena, &names, &names_n, e) != 0)
		return -1;
	all = ARENA_ARRAY(arena, struct list_entry, folders_n + names_n + 1);
	n = merge(folders, folders_n, names, names_n, all);
	for (size_t i = 0; i < n; i++)
		all[i].is_chosen = is_chosen(list, &all[i]);
	list_match(&list->patterns, parents, all, n, arena, &list->found, &list->found_n);
	return 0;
}

/* Which selection options a name below meets: all, as it is chosen by all. */
static void put_childinfo(struct str_buf *out, unsigned select)
{
	const char *before = " (\"CHILDINFO\" (";

	for (const struct option *o = select_options; o->name; o++) {
		if (!(select & o->bit & (LIST_SUBSCRIBED | LIST_SPECIAL_USE)))
			continue;
		str_buf_printf(out, "%s\"%s\"", before, o->name);
		before = " ";
	}
	str_buf_puts(out, "))");
}

static void put_entry(struct client *client, const struct list *list, const struct list_entry *entry)
{
	struct str_buf *out = conn_out(client->conn);
	const char *use = entry->folder ? special_use_name(entry->folder->use) : "";

	str_buf_puts(out, "* LIST (");
	/* RFC 9051 7.3.1: a name without a folder; RFC 3501 knows no word for it but this. */
	if (!entry->folder)
		str_buf_puts(out, list->is_extended || (client->enabled & ENABLED_REV2) ?
		        "\\NonExistent " : "\\Noselect ");
	str_buf_puts(out, entry->has_children ? "\\HasChildren" : "\\HasNoChildren");
	if (*use)
		str_buf_putc(out, ' ');
	str_buf_puts(out, use);
	if (entry->is_subscribed && ((list->select | list->returns) & LIST_SUBSCRIBED))
		str_buf_puts(out, " \\Subscribed");
	str_buf_puts(out, ") \"/\" ");
	reply_put_mailbox(out, client, entry->name);
	if (entry->has_chosen_below && (list->select & LIST_RECURSIVE))
		put_childinfo(out, list->select);
	str_buf_puts(out, "\r\n");
	if (entry->folder && (list->returns & LIST_STATUS))
		status_put(client, entry->folder, list->status_items);
}

static enum imap_next list_step(struct imap_req *req, struct err *e)
{
	struct list *list = req->data;

	(void)e;
	while (list->told_n < list->found_n) {
		put_entry(req->client, list, &list->found[list->told_n++]);
		if (conn_should_yield(req->client->conn))
			return IMAP_YIELD;
	}
	return req_ok(req, NULL, "That is all");
}

static enum imap_next list_run(struct imap_req *req, struct err *e)
{
	struct list *list = req->data;

	if (!list->is_extended && list_is_root(&list->patterns)) {
		conn_puts(req->client->conn, "* LIST (\\Noselect) \"/\" \"\"\r\n");
		return req_ok(req, NULL, "That is all");
	}
	if (find(req, e) != 0)
		return IMAP_FAIL;
	status_enable(req->client, list->status_items);
	req->step = list_step;
	return list_step(req, e);
}

const struct imap_cmd imap_cmd_list = {
	.name = "LIST", .rfc = "9051 6.3.9",
	.capability = "CHILDREN LIST-EXTENDED LIST-STATUS SPECIAL-USE", .states = IMAP_LOGGED_IN,
	.args = "[(option...)] reference pattern|(pattern...) [RETURN (option...)]",
	.check = list_check, .run = list_run,
};
