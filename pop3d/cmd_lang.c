/* pop3d/cmd_lang.c - LANG (RFC 6856 3): the languages there are, or another one from now on. */
#include "pop3d/cmd.h"

static enum pop3_next list(struct pop3_client *client)
{
	pop3_reply(client, "+OK languages follow");
	for (size_t i = 0; i < POP3_LANGUAGES_N; i++)
		pop3_reply(client, "%s %s", pop3_language_rows[i].tag, pop3_language_rows[i].name);
	pop3_reply(client, ".");
	return POP3_DONE;
}

static enum pop3_next run(struct pop3_client *client, const struct str_view *args, size_t n)
{
	const struct pop3_language_row *row;

	if (n == 0)
		return list(client);
	if (!pop3_language_find(args[0], &client->language)) {
		pop3_reply(client, "-ERR there is no such language");
		return POP3_DONE;
	}
	row = &pop3_language_rows[client->language];
	pop3_reply(client, "+OK %s %s", row->tag, row->changed);
	return POP3_DONE;
}

const struct pop3_cmd pop3_cmd_lang = {
    .name = "LANG",
    .rfc = "RFC 6856 3",
    .states = POP3_AUTHORIZATION | POP3_TRANSACTION,
    .args_max = 1,
    .usage = "[language]",
    .capability = "LANG",
    .run = run,
};
