/* lmtpd/main.c - postern-lmtpd: mail into mailboxes, over LMTP (RFC 2033). */
#include "auth/service.h"
#include "lmtpd/client.h"

int main(int argc, char **argv)
{
	const struct service service = {
	    .program = "postern-lmtpd",
	    .summary = "takes mail for the mailboxes of a postern store over LMTP",
	    .section = "lmtp",
	    .listen = "127.0.0.1:24",
	    .listen_tls = "",
	    .door = lmtp_door,
	    .max_connections = SETTING_LMTP_MAX_CONNECTIONS,
	    .max_from_address = SETTING_LMTP_MAX_CONNECTIONS_FROM_IP,
	    .say_max_connections = "421 4.3.2 MaxConnections is reached; try again later\r\n",
	    .say_max_from_address = "421 4.3.2 MaxConnectionFromSingleIP is reached; try again later\r\n",
	};

	return service_main(argc, argv, &service);
}
