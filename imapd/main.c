/* imapd/main.c - postern-imapd: mailboxes over IMAP4rev1 (RFC 3501). */
#include "auth/service.h"
#include "imapd/client.h"

int main(int argc, char **argv)
{
	const struct service service = {
	    .program = "postern-imapd",
	    .summary = "serves the mailboxes of a postern store over IMAP4",
	    .section = "imap",
	    .listen = "127.0.0.1:143",
	    .listen_tls = "127.0.0.1:993",
	    .door = client_door,
	    .max_connections = SETTING_IMAP_MAX_CONNECTIONS,
	    .max_from_address = SETTING_IMAP_MAX_CONNECTIONS_FROM_IP,
	    .say_max_connections =
		"* BYE [UNAVAILABLE] MaxConnections is reached; try again later\r\n",
	    .say_max_from_address =
		"* BYE [UNAVAILABLE] MaxConnectionFromSingleIP is reached; try again later\r\n",
	};

	return service_main(argc, argv, &service);
}
