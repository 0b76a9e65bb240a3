/*
 * pop3d/cmd_quit.c - QUIT (RFC 1939 6): the UPDATE state, in which what was marked is expunged, as one
 * change.  A connection that ends in any other way removes nothing.
 */
#include "pop3d/cmd.h"
#include "base/log.h"

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	struct maildrop *drop = &client->maildrop;
	size_t gone_n;
	struct err e;

	(void)args, (void)n;
	if (client->state == POP3_AUTHORIZATION) {
		pop3_reply(client, "+OK goodbye");
		return POP3_QUIT;
	}
	if (client->expire_days == 0)
		maildrop_delete_retrieved(drop);
	if (maildrop_commit(client->store, drop, &gone_n, &e) < 0) {
		pop3_reply_err(client, "quit", &e);
		return POP3_QUIT;
	}
	log_info("quit", "user=%s peer=%s deleted=%zu", session_actor_name(client->session),
	    conn_peer(client->conn), gone_n);
	pop3_reply(client, "+OK goodbye, %zu messages left", drop->left_n);
	return POP3_QUIT;
}

const struct pop3_cmd pop3_cmd_quit = {
    .name = "QUIT",
    .rfc = "RFC 1939 5, 6",
    .states = POP3_AUTHORIZATION | POP3_TRANSACTION,
    .usage = "",
    .run = run,
};
