/* From a command's text to its answer: the rules that hold for every command. */
#ifndef IMAPD_DISPATCH_H
#define IMAPD_DISPATCH_H

#include "imapd/cmd.h"

/*
 * Judges what is there of a command (of the rest that is read for the one that runs) before a literal
 * of it is taken: the words of a BAD, or NULL.  *streams_r: the command takes the literal itself as it
 * arrives.
 */
const char *dispatch_judge(struct client *client, bool *streams_r);
/* Runs client->command, which read_command has made whole. */
enum imap_next dispatch_start(struct client *client);
/* Goes on with the step of the command that runs. */
enum imap_next dispatch_step(struct client *client);
/* Drops a command that runs: the connection is over. */
void dispatch_drop(struct client *client);

#endif
