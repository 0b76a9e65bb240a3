/* Reads one command, its literals included, within the settings' bounds. */
#ifndef IMAPD_READ_H
#define IMAPD_READ_H

#include "imapd/client.h"

enum read_result {
	READ_MORE,  /* the rest is not there yet */
	READ_READY, /* client->command is whole, or ends with a literal's head that its command takes,
	             * or client->complaint says why it is refused */
};
enum read_result read_command(struct client *client);

/* The literal that stands at the end of a line: "{12}" or "{12+}"; false if there is none. */
struct literal_head {
	uint64_t octets;
	bool waits; /* synchronising: the client waits for "+" */
	size_t n;   /* of the head itself */
};
bool read_literal_head(struct str_view line, struct literal_head *head_r);

#endif
