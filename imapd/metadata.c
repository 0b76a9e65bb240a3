/* imapd/metadata.c - targets and entries of RFC 5464. */
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
	str_buf_puts(out, " (");
}
