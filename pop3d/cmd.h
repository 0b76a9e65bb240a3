/*
 * The table of commands.  A command is a file, cmd_<name>.c, and its name in pop3d/meson.build, from
 * which the table is generated; CAPA is made of the rows.
 */
#ifndef POP3D_CMD_H
#define POP3D_CMD_H

#include "pop3d/client.h"

#define POP3_ARGS_MAX 2

enum pop3_cmd_flag {
	POP3_REST_IS_ONE = 1, /* what follows the name is one argument, blanks and all (PASS) */
	POP3_PLAINTEXT = 2,   /* sends a password: only where plain text is allowed */
};

struct pop3_cmd {
	const char *name;
	const char *rfc;
	unsigned states; /* enum pop3_state */
	unsigned flags;  /* enum pop3_cmd_flag */
	unsigned args_min, args_max;
	const char *usage;      /* the arguments, for a peer that got them wrong */
	const char *capability; /* its line in CAPA, NULL: none */
	/* Whether it is to be had on this connection now; NULL: always. */
	bool (*offered)(const struct pop3_client *client);
	enum pop3_next (*run)(struct pop3_client *client, const struct str_view *args, size_t n);
};

/* A line of the peer's, without its line end. */
enum pop3_next pop3_dispatch(struct pop3_client *client, struct str_view line);
/* Rows, one after the other; NULL behind the last. */
extern const struct pop3_cmd *const pop3_cmds[];

#endif
