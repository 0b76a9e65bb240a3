/* imapd/quota.c - RFC 9208 4.2.1, with the resources STORAGE and MESSAGE (5.1, 5.2). */
#include "imapd/quota.h"

#include <inttypes.h>

bool quota_is_limited(const struct quota *quota)
{
	return quota->octets.most || quota->messages.most;
}

void quota_put(struct client *client, const struct quota *quota)
{
	const char *before = "";

	conn_puts(client->conn, "* QUOTA \"\" (");
	if (quota->octets.most) {
		conn_printf(client->conn, "STORAGE %" PRIu64 " %" PRIu64,
		    (quota->octets_used + QUOTA_UNIT_OCTETS - 1) / QUOTA_UNIT_OCTETS,
		    quota->octets.most / QUOTA_UNIT_OCTETS);
		before = " ";
	}
	if (quota->messages.most)
		conn_printf(client->conn, "%sMESSAGE %" PRIu64 " %" PRIu64, before,
		    quota->messages_used, quota->messages.most);
	conn_puts(client->conn, ")\r\n");
}
