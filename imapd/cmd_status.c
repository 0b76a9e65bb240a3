/* imapd/cmd_status.c - RFC 3501 6.3.10: from the folder's counters, without looking at messages. */
#include "imapd/cmd.h"
#include "imapd/reply.h"
#include "store/message.h"

struct status {
	const char *name;
	unsigned items; /* bits: index into status_items */
};

struct status_now {
	struct folder_info info;
	uint32_t recent;
};

static uint64_t messages(const struct status_now *now)
{
	return now->info.exists;
}

static uint64_t recent(const struct status_now *now)
{
	return now->recent;
}

static uint64_t uidnext(const struct status_now *now)
{
	return now->info.uidnext ? now->info.uidnext : UINT32_MAX;
}

static uint64_t uidvalidity(const struct status_now *now)
{
	return now->info.uidvalidity;
}

static uint64_t unseen(const struct status_now *now)
{
	return now->info.unseen;
}

static const struct {
	const char *name;
	uint64_t (*value)(const struct status_now *now);
} status_items[] = {
	{"MESSAGES", messages},
	{"RECENT", recent},
	{"UIDNEXT", uidnext},
	{"UIDVALIDITY", uidvalidity},
	{"UNSEEN", unseen},
};
#define ITEMS_N (sizeof status_items / sizeof *status_items)

static bool take_item(struct imap_req *req, struct status *status)
{
	for (size_t i = 0; i < ITEMS_N; i++) {
		if (!parse_try_word(&req->args, status_items[i].name))
			continue;
		status->items |= 1u << i;
		return true;
	}
	return parse_bad(&req->args, "There is no such status item");
}

static bool status_check(struct imap_req *req)
{
	struct status *status = req->data = ARENA_NEW(&req->client->arena, struct status);

	if (!parse_mailbox(&req->args, &status->name) || !parse_space(&req->args) ||
	    !parse_char(&req->args, '('))
		return false;
	do {
		if (!take_item(req, status))
			return false;
	} while (parse_try(&req->args, ' '));
	return parse_char(&req->args, ')');
}

/* Counted, but there are few: those that came since somebody last opened the folder. */
static int count_recent(struct client *client, const struct folder_info *info, uint32_t *n_r,
    struct err *e)
{
	struct uid_range range = {info->recent_from.n, info->uidnext - 1};
	struct message_info *list;
	uint32_t total = 0;
	size_t n = 1;

	while (n && range.from && range.from <= range.to) {
		struct arena arena = {0};
		int result = message_list(client->store, info->id, &range, 1, MESSAGE_FLAGS, 2000,
		    &arena, &list, &n, e);

		if (result == 0 && n)
			range.from = list[n - 1].uid.n + 1;
		arena_fini(&arena);
		if (result != 0)
			return -1;
		total += (uint32_t)n;
	}
	*n_r = total;
	return 0;
}

static enum imap_next status_run(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	const struct status *status = req->data;
	struct str_buf *out = conn_out(client->conn);
	struct status_now now = {0};
	const char *before = "";

	if (!status->name)
		return req_no(req, "NONEXISTENT", "There is no such folder");
	if (folder_by_name(client->store, status->name, &client->arena, &now.info, e) != 0 ||
	    count_recent(client, &now.info, &now.recent, e) != 0)
		return IMAP_FAIL;
	str_buf_puts(out, "* STATUS ");
	reply_put_mailbox(out, client, now.info.name);
	str_buf_puts(out, " (");
	for (size_t i = 0; i < ITEMS_N; i++) {
		if (!(status->items >> i & 1))
			continue;
		str_buf_printf(out, "%s%s ", before, status_items[i].name);
		str_buf_put_number(out, status_items[i].value(&now));
		before = " ";
	}
	str_buf_puts(out, ")\r\n");
	return req_ok(req, NULL, "That is all");
}

const struct imap_cmd imap_cmd_status = {
	.name = "STATUS", .rfc = "3501 6.3.10", .states = IMAP_LOGGED_IN, .args = "mailbox (item...)",
	.check = status_check, .run = status_run,
};
