/*
 * Telling a supervisor (systemd's Type=notify, or `postern serve`) how a program is: one datagram
 * to the socket that $NOTIFY_SOCKET names, as sd_notify(3) sends it.  Without one, nothing.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* The program serves now. */
void notify_ready(void);
/* It was told to end, and is about to. */
void notify_stopping(void);

/*
 * The supervisor's side: a socket whose address it gives to the programs it starts.  Who wrote is what
 * the kernel says, not what the message says.
 */
struct notify_listener {
	int fd; /* poll it for input; -1: not listening */
	char address[16];
};
WARN_UNUSED int notify_listen(struct notify_listener *l, struct err *e);
/* Takes a waiting message, if there is one: from whom, and whether it said READY=1. */
bool notify_take(struct notify_listener *l, pid_t *from_r, bool *ready_r);
void notify_listen_fini(struct notify_listener *l);

#endif
