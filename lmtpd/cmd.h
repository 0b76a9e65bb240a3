/*
 * The table of commands.  A command is a file, cmd_<name>.c, and its name in lmtpd/meson.build, from
 * which the table is generated; LHLO's answer and HELP are made of the rows.
 */
#ifndef LMTPD_CMD_H
#define LMTPD_CMD_H

#include "lmtpd/client.h"

struct lmtp_cmd {
	const char *name;
	const char *rfc;
	unsigned states;        /* enum lmtp_state: where it may come */
	const char *usage;      /* what stands behind the name; NULL: nothing may */
	const char *capability; /* its line of LHLO's answer, NULL: none */
	/* Whether it is to be had on this connection now; NULL: always. */
	bool (*offered)(const struct lmtp_client *client);
	/* args: what stands behind the name and a blank. */
	enum lmtp_next (*run)(struct lmtp_client *client, struct str_view args);
};

/* A line of the peer's, without its line end. */
enum lmtp_next lmtp_dispatch(struct lmtp_client *client, struct str_view line);
/* Rows, one after the other; NULL behind the last. */
extern const struct lmtp_cmd *const lmtp_cmds[];
/* Arguments that are not what the row's usage says. */
#define LMTP_CMD(name) extern const struct lmtp_cmd lmtp_cmd_##name;
#include "lmtp_cmds.tbl.h"
#undef LMTP_CMD
enum lmtp_next lmtp_bad_usage(struct lmtp_client *client, const struct lmtp_cmd *cmd);
/* "FROM:" or "TO:", in any case, with blanks behind it, cut off. */
bool lmtp_cut_keyword(struct str_view *args, struct str_view keyword);

#endif
