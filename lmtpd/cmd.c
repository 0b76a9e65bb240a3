/* lmtpd/cmd.c - from a line to a command: the rules that rows state are applied here, once. */
#include "lmtpd/cmd.h"
#include "limits/registry.h"

#include <stdio.h>
#include <string.h>

const struct lmtp_cmd *const lmtp_cmds[] = {
#define LMTP_CMD(name) &lmtp_cmd_##name,
#include "lmtp_cmds.tbl.h"
#undef LMTP_CMD
    NULL,
};

static const struct lmtp_cmd *find(struct str_view name)
{
	for (const struct lmtp_cmd *const *cmd = lmtp_cmds; *cmd; cmd++)
		if (str_equal_nocase(name, str_view((*cmd)->name, strlen((*cmd)->name))))
			return *cmd;
	return NULL;
}

enum lmtp_next lmtp_bad_usage(struct lmtp_client *client, const struct lmtp_cmd *cmd)
{
	char words[120];

	snprintf(words, sizeof words, "say %s%s%s", cmd->name, cmd->usage ? " " : "",
	    cmd->usage ? cmd->usage : "");
	return lmtp_bad(client, 501, "5.5.4", words);
}

bool lmtp_cut_keyword(struct str_view *args, struct str_view keyword)
{
	if (!str_begins_nocase(*args, keyword))
		return false;
	*args = str_view(args->p + keyword.n, args->n - keyword.n);
	while (args->n && *args->p == ' ') {
		args->p++;
		args->n--;
	}
	return true;
}

/* Why a command can't come now (RFC 5321 4.1.4, RFC 2033 4.2). */
static const char *out_of_place(const struct lmtp_client *client, const struct lmtp_cmd *cmd)
{
	switch (client->state) {
	case LMTP_FRESH:
		return "say LHLO first";
	case LMTP_IDLE:
		return "say MAIL first";
	case LMTP_SENDER:
		return "a transaction is under way; RSET ends it";
	case LMTP_CHUNKS:
		return "the message is under way; BDAT with LAST, or RSET";
	case LMTP_ANY:
		break;
	}
	return cmd->name;
}

enum lmtp_next lmtp_dispatch(struct lmtp_client *client, struct str_view line)
{
	struct str_view rest = line, name = str_word(&rest);
	const struct lmtp_cmd *cmd;

	if (memchr(line.p, '\0', line.n) || memchr(line.p, '\r', line.n))
		return lmtp_bad(client, 500, "5.5.2", "a command has no NUL and no CR in it");
	if (!(cmd = find(name)) || (cmd->offered && !cmd->offered(client)))
		return lmtp_bad(client, 500, "5.5.1", "there is no such command");
	if (!(cmd->states & client->state))
		return lmtp_out_of_place(client, out_of_place(client, cmd));
	rest = str_trim(rest);
	if (rest.n && !cmd->usage)
		return lmtp_bad_usage(client, cmd);
	return cmd->run(client, rest);
}
