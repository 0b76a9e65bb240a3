/* pop3d/cmd.c - from a line to a command: the rules that rows state are applied here, once. */
#include "pop3d/cmd.h"
#include "limits/registry.h"

#include <stdio.h>
#include <string.h>

#define POP3_CMD(name) extern const struct pop3_cmd pop3_cmd_##name;
#include "pop3_cmds.tbl.h"
#undef POP3_CMD

const struct pop3_cmd *const pop3_cmds[] = {
#define POP3_CMD(name) &pop3_cmd_##name,
#include "pop3_cmds.tbl.h"
#undef POP3_CMD
    NULL,
};

static const struct pop3_cmd *find(struct str_view name)
{
	for (const struct pop3_cmd *const *cmd = pop3_cmds; *cmd; cmd++)
		if (str_equal_nocase(name, str_view((*cmd)->name, strlen((*cmd)->name))))
			return *cmd;
	return NULL;
}

/* The peer's fault; one too many ends the connection. */
static enum pop3_next bad(struct pop3_client *client, const char *words)
{
	if (++client->bad > setting_get(client->site, SETTING_POP_BAD_COMMANDS_MAX)) {
		pop3_reply(client, "-ERR %s; too many such commands", pop3_words(client->language, words));
		return POP3_QUIT;
	}
	pop3_refuse(client, words);
	return POP3_DONE;
}

/* Cuts the arguments; the number of words, or one more than fit. */
static size_t cut(const struct pop3_cmd *cmd, struct str_view rest, struct str_view *args)
{
	size_t n = 0;

	if (cmd->flags & POP3_REST_IS_ONE) {
		/* One blank ends the name; all else is the argument's (RFC 1939 7, PASS). */
		args[0] = rest.n ? str_view(rest.p + 1, rest.n - 1) : rest;
		return args[0].n ? 1 : 0;
	}
	for (struct str_view word; (word = str_word(&rest)).n; n++) {
		if (n == POP3_ARGS_MAX)
			return POP3_ARGS_MAX + 1;
		args[n] = word;
	}
	return n;
}

enum pop3_next pop3_dispatch(struct pop3_client *client, struct str_view line)
{
	struct str_view args[POP3_ARGS_MAX] = {0}, rest = line, name = str_word(&rest);
	const struct pop3_cmd *cmd;
	size_t n;

	if (memchr(line.p, '\0', line.n))
		return bad(client, "a command has no NUL in it");
	if (!(cmd = find(name)))
		return bad(client, "there is no such command");
	if (!(cmd->states & client->state))
		return bad(client, client->state == POP3_AUTHORIZATION ? "log in first"
								      : "you are logged in already");
	if (cmd->flags & POP3_PLAINTEXT && !pop3_plaintext_allowed(client)) {
		pop3_reply(client, "-ERR [SYS/PERM] no password in plain text here; use STLS first");
		return POP3_DONE;
	}
	if (cmd->offered && !cmd->offered(client))
		return bad(client, "not to be had on this connection");
	n = cut(cmd, rest, args);
	if (n < cmd->args_min || n > cmd->args_max) {
		char words[120];

		snprintf(words, sizeof words, pop3_words(client->language, "say %s%s%s"), cmd->name,
		    *cmd->usage ? " " : "", cmd->usage);
		return bad(client, words);
	}
	return cmd->run(client, args, n);
}
