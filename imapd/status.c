/* imapd/status.c - what a folder's counters say, item by item (RFC 9051 6.3.11), without a look at its
 * messages but for the two that are counted on demand. */
#include "imapd/status.h"

#include "imapd/reply.h"
#include "imapd/sync.h"
#include "limits/registry.h"

enum status_item {
	STATUS_MESSAGES,
	STATUS_RECENT,
	STATUS_UIDNEXT,
	STATUS_UIDVALIDITY,
	STATUS_UNSEEN,
	STATUS_SIZE,
	STATUS_DELETED,
	STATUS_DELETED_STORAGE,
	STATUS_HIGHESTMODSEQ,
	STATUS_MAILBOXID,
	STATUS_APPENDLIMIT,
	STATUS_ITEMS_N,
};

static const char *const names[STATUS_ITEMS_N] = {
	[STATUS_MESSAGES] = "MESSAGES",
	[STATUS_RECENT] = "RECENT",
	[STATUS_UIDNEXT] = "UIDNEXT",
	[STATUS_UIDVALIDITY] = "UIDVALIDITY",
	[STATUS_UNSEEN] = "UNSEEN",
	[STATUS_SIZE] = "SIZE",                       /* RFC 8438 */
	[STATUS_DELETED] = "DELETED",                 /* RFC 9051 6.3.11 */
	[STATUS_DELETED_STORAGE] = "DELETED-STORAGE", /* RFC 9208 */
	[STATUS_HIGHESTMODSEQ] = "HIGHESTMODSEQ",     /* RFC 7162 */
	[STATUS_MAILBOXID] = "MAILBOXID",             /* RFC 8474 */
	[STATUS_APPENDLIMIT] = "APPENDLIMIT",         /* RFC 7889 */
};

#define BIT(item) (1u << (item))

static bool take_item(struct imap_req *req, unsigned *items)
{
	for (unsigned item = 0; item < STATUS_ITEMS_N; item++) {
		if (!parse_try_word(&req->args, names[item]))
			continue;
		/* RFC 9051, appendix E: rev2 knows no \Recent. */
		if (item == STATUS_RECENT && (req->client->enabled & ENABLED_REV2))
			return parse_bad(&req->args, "IMAP4rev2 has no RECENT");
		*items |= BIT(item);
		return true;
	}
	return parse_bad(&req->args, "There is no such status item");
}

bool status_parse(struct imap_req *req, unsigned *items_r)
{
	unsigned items = 0;

	if (!parse_char(&req->args, '('))
		return false;
	do {
		if (!take_item(req, &items))
			return false;
	} while (parse_try(&req->args, ' '));
	*items_r = items;
	return parse_char(&req->args, ')');
}

unsigned status_counts(unsigned items)
{
	return (items & BIT(STATUS_RECENT) ? FOLDER_COUNT_RECENT : 0) |
	    (items & BIT(STATUS_DELETED_STORAGE) ? FOLDER_COUNT_DELETED : 0);
}

void status_enable(struct client *client, unsigned items)
{
	if (items & BIT(STATUS_HIGHESTMODSEQ))
		sync_enable(client, ENABLED_CONDSTORE);
}

static uint64_t number_of(const struct client *client, const struct folder_info *folder,
    enum status_item item)
{
	switch (item) {
	case STATUS_MESSAGES:
		return folder->exists;
	case STATUS_RECENT:
		return folder->recent;
	case STATUS_UIDNEXT:
		return folder->uidnext ? folder->uidnext : UINT32_MAX;
	case STATUS_UIDVALIDITY:
		return folder->uidvalidity;
	case STATUS_UNSEEN:
		return folder->unseen;
	case STATUS_SIZE:
		return folder->bytes;
	case STATUS_DELETED:
		return folder->deleted;
	case STATUS_DELETED_STORAGE: /* in the units of quotas (RFC 9208 5.1) */
		return (folder->deleted_bytes + 1023) / 1024;
	case STATUS_HIGHESTMODSEQ:
		return folder->highestmodseq.n;
	case STATUS_APPENDLIMIT:
		return setting_get(client->site, SETTING_MESSAGE_SIZE_MAX);
	case STATUS_MAILBOXID:
	case STATUS_ITEMS_N:
		break;
	}
	return 0;
}

void status_put(struct client *client, const struct folder_info *folder, unsigned items)
{
	struct str_buf *out = conn_out(client->conn);
	const char *before = " (";

	str_buf_puts(out, "* STATUS ");
	reply_put_mailbox(out, client, folder->name);
	for (unsigned item = 0; item < STATUS_ITEMS_N; item++) {
		if (!(items & BIT(item)))
			continue;
		str_buf_puts(out, before);
		before = " ";
		if (item == STATUS_MAILBOXID) {
			reply_put_mailboxid(out, folder->id);
			continue;
		}
		str_buf_puts(out, names[item]);
		str_buf_putc(out, ' ');
		str_buf_put_number(out, number_of(client, folder, item));
	}
	str_buf_puts(out, ")\r\n");
}
