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

/*
 * Takes the octets of a literal that nobody wants from the wire, up to the setting DiscardMax for one
 * command; past it the connection ends, and it is false (RFC 7888 4).  The next read_command does it;
 * client->complaint stands already.
 */
bool read_discard(struct client *client, uint64_t octets);

/* The literal that stands at the end of a line: "{12}" or "{12+}", or a binary one: "~{12}" (RFC 3516),
 * in which alone NUL may stand; false if there is none. */
struct literal_head {
	uint64_t octets;
	bool waits; /* synchronising: the client waits for "+" */
	bool is_binary;
	size_t n;   /* of the head itself */
};
bool read_literal_head(struct str_view line, struct literal_head *head_r);

#endif
