/* imapd/metadata.c - targets and entries of RFC 5464, and news of them. */
#include "imapd/metadata.h"

#include "imapd/reply.h"

#include <string.h>

bool metadata_parse_target(struct parse *p, struct metadata_target *target_r)
{
	struct parse again = *p;
	struct str_view text;

	*target_r = (struct metadata_target){0};
	if (parse_astring(&again, &text) && text.n == 0) {
		*p = again;
		target_r->is_mailbox = true;
		return true;
	}
	return parse_mailbox(p, &target_r->name);
}

bool metadata_parse_entry(struct parse *p, const char **name_r)
{
	struct str_view name;
	struct err e;

	if (!parse_astring(p, &name))
		return false;
	if (!str_equal_nocase(name, SV("/private")) && !str_equal_nocase(name, SV("/shared")) &&
	    annotation_name_check(name, &e) < 0)
		return parse_bad(p, "An entry's name begins with /private or /shared, and ends with no /");
	*name_r = arena_strn(p->arena, name.p, name.n);
	return true;
}

int metadata_folder(struct client *client, const struct metadata_target *target,
    struct folder_id *folder_r, struct err *e)
{
	struct folder_info info;

	if (target->is_mailbox) {
		*folder_r = ANNOTATION_MAILBOX;
		return 0;
	}
	if (!target->name)
		return err_set(e, ERR_NOTFOUND, "that can't be a folder's name");
	if (folder_by_name(client->store, target->name, &client->arena, &info, e) < 0)
		return -1;
	*folder_r = info.id;
	return 0;
}

void metadata_put_head(struct client *client, const struct metadata_target *target)
{
	struct str_buf *out = conn_out(client->conn);

	str_buf_puts(out, "* METADATA ");
	if (target->is_mailbox)
		str_buf_puts(out, "\"\"");
	else
		reply_put_mailbox(out, client, target->name);
	str_buf_putc(out, ' ');
}

/* --- news ------------------------------------------------------------------------------------------ */

static bool is_own(const struct client *client, const struct annotation_change *change)
{
	return change_is_own(client->store, (struct store_modseq){change->modseq.n - 1}, change->modseq);
}

/* The changes of one folder, where it is still there. */
static int tell_folder(struct client *client, const struct annotation_change *list, size_t n,
    struct arena *arena, struct err *e)
{
	struct metadata_target target = {.is_mailbox = list->folder.n == ANNOTATION_MAILBOX.n};
	struct str_buf *out = conn_out(client->conn);
	struct folder_info info;

	if (!target.is_mailbox && folder_by_id(client->store, list->folder, arena, &info, e) < 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	if (!target.is_mailbox)
		target.name = info.name;
	metadata_put_head(client, &target);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			str_buf_putc(out, ' ');
		reply_put_astring(out, str_view(list[i].name, strlen(list[i].name)));
	}
	str_buf_put(out, "\r\n", 2);
	return 0;
}

int metadata_tell(struct client *client, struct store_modseq since, struct store_modseq until,
    bool (*wants)(const struct client *client, struct folder_id folder), struct err *e)
{
	struct annotation_change *list;
	struct arena arena = {0};
	size_t n = 0, told_n = 0, next;
	int r = annotation_changes(client->store, since, until, &arena, &list, &n, e);

	for (size_t i = 0; r == 0 && i < n; i++)
		if ((!wants || wants(client, list[i].folder)) && !is_own(client, &list[i]))
			list[told_n++] = list[i];
	for (size_t at = 0; r == 0 && at < told_n; at = next) {
		for (next = at + 1; next < told_n && list[next].folder.n == list[at].folder.n; next++)
			;
		r = tell_folder(client, &list[at], next - at, &arena, e);
	}
	arena_fini(&arena);
	return r;
}

int metadata_tell_news(struct client *client, bool ask, struct err *e)
{
	struct store_status status;
	uint64_t bell;

	if (!(client->enabled & ENABLED_METADATA) || client->notify)
		return 0;
	bell = change_counter(client->store);
	if (bell == client->metadata_bell && !ask)
		return 0;
	if (store_status(client->store, &status, e) < 0)
		return -1;
	/* From when it was enabled on: ENABLE itself comes here first. */
	if (client->metadata_told.n &&
	    metadata_tell(client, client->metadata_told, status.modseq, NULL, e) < 0)
		return -1;
	client->metadata_told = status.modseq;
	client->metadata_bell = bell;
	return 0;
}
