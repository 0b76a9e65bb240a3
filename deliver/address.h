/* Paths as MAIL and RCPT have them (RFC 5321 4.1.2, RFC 6531 3.3). */
#ifndef DELIVER_ADDRESS_H
#define DELIVER_ADDRESS_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>

struct mail_path {
	const char *text;   /* as it was written, without <> and source route; "" for <> */
	const char *local;  /* unquoted */
	const char *domain; /* "" where there is none (<postmaster>) */
	bool is_null;       /* <> */
	bool has_utf8;
};

/* Cuts "<...>" off the front of *rest; texts are in the arena.  False: it is no path. */
bool mail_path_parse(struct str_view *rest, struct arena *arena, struct mail_path *path_r);
/* A bare address, as a command line has it: "ann@example.org", with <> or without; "" is <>. */
bool mail_path_take(const char *text, struct arena *arena, struct mail_path *path_r);

#endif
