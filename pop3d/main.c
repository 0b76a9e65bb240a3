/* pop3d/main.c - postern-pop3d: mailboxes over POP3 (RFC 1939). */
#include "auth/ask.h"
#include "auth/service.h"
#include "pop3d/client.h"

int main(int argc, char **argv)
{
	const struct service service = {
	    .program = "postern-pop3d",
	    .summary = "serves the mailboxes of a postern store over POP3",
	    .section = "pop3",
	    .listen = "127.0.0.1:110",
	    .listen_tls = "127.0.0.1:995",
	    .door = pop3_door,
	    .max_connections = SETTING_POP_MAX_CONNECTIONS,
	    .max_from_address = SETTING_POP_MAX_CONNECTIONS_FROM_IP,
	    .say_max_connections = "-ERR [SYS/TEMP] MaxConnections is reached; try again later\r\n",
	    .say_max_from_address =
		"-ERR [SYS/TEMP] MaxConnectionFromSingleIP is reached; try again later\r\n",
	    .takes_sessions = true,
	    .begin = asking_begin,
	    .end = asking_end,
	};

	return service_main(argc, argv, &service);
}
