/* imapd/cmd_list.c - RFC 3501 6.3.8, with CHILDREN (RFC 3348) and SPECIAL-USE (RFC 6154). */
#include "imapd/list.h"
#include "imapd/reply.h"

static const char *use_attribute(enum folder_use use)
{
	switch (use) {
	case FOLDER_NO_USE:
		return "";
	case FOLDER_SENT:
		return " \\Sent";
	case FOLDER_DRAFTS:
		return " \\Drafts";
	case FOLDER_TRASH:
		return " \\Trash";
	case FOLDER_JUNK:
		return " \\Junk";
	case FOLDER_ARCHIVE:
		return " \\Archive";
	case FOLDER_FLAGGED:
		return " \\Flagged";
	case FOLDER_ALL:
		return " \\All";
	}
	return "";
}

static void put_entry(struct client *client, const struct list_entry *entry)
{
	struct str_buf *out = conn_out(client->conn);

	str_buf_puts(out, "* LIST (");
	/* A parent that is only part of other names can't be selected. */
	str_buf_puts(out, entry->folder ? "" : "\\Noselect ");
	str_buf_puts(out, entry->has_children ? "\\HasChildren" : "\\HasNoChildren");
	str_buf_puts(out, entry->folder ? use_attribute(entry->folder->use) : "");
	str_buf_puts(out, ") \"/\" ");
	reply_put_mailbox(out, client, entry->name);
	str_buf_puts(out, "\r\n");
}

static enum imap_next list_run(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct arena *arena = &client->arena;
	struct folder_info *folders;
	struct list_entry *all, *found;
	struct str_view pattern;
	size_t n, found_n;

	if (!list_pattern(req, &pattern)) {
		conn_puts(client->conn, "* LIST (\\Noselect) \"/\" \"\"\r\n");
		return req_ok(req, NULL, "That is all");
	}
	if (folder_list(client->store, arena, &folders, &n, e) != 0)
		return IMAP_FAIL;
	all = ARENA_ARRAY(arena, struct list_entry, n + 1);
	for (size_t i = 0; i < n; i++)
		all[i] = (struct list_entry){folders[i].name, &folders[i], folders[i].has_children};
	list_match(pattern, all, n, arena, &found, &found_n);
	for (size_t i = 0; i < found_n; i++)
		put_entry(client, &found[i]);
	return req_ok(req, NULL, "That is all");
}

const struct imap_cmd imap_cmd_list = {
	.name = "LIST", .rfc = "3501 6.3.8", .capability = "CHILDREN SPECIAL-USE",
	.states = IMAP_LOGGED_IN, .args = "reference pattern", .check = list_check, .run = list_run,
};
