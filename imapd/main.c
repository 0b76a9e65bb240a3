/* imapd/main.c - postern-imapd: mailboxes over IMAP4rev1 (RFC 3501). */
#include "auth/ask.h"
#include "auth/service.h"
#include "imapd/client.h"
#include "imapd/cmd.h"

#include <stdio.h>
#include <string.h>

/* For `postern imap-commands`: the rows, one a line. */
static int commands_print(void)
{
	for (size_t i = 0; i < cmd_rows_n; i++) {
		const struct imap_cmd *cmd = cmd_rows[i];

		printf("%-14s %-14s %-20s %s\n", cmd->name, cmd->rfc, cmd->capability ? cmd->capability : "-",
		    cmd->args ? cmd->args : "");
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

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
	    .takes_sessions = true,
	    .begin = asking_begin,
	    .end = asking_end,
	};

	if (argc == 2 && strcmp(argv[1], "--commands") == 0)
		return commands_print();
	return service_main(argc, argv, &service);
}
