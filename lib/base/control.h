/*
 * Control sockets: how processes of one site ask each other for something.  One Unix socket per
 * process in the runtime folder; a request is a line, an answer is a line.
 */
#ifndef BASE_CONTROL_H
#define BASE_CONTROL_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

struct control_server;

/* Serves requests on a thread of its own.  answer fills out with one line without line end. */
WARN_UNUSED int control_serve(int dir_fd, const char *name,
    void (*answer)(void *arg, struct str_view request, struct str_buf *out), void *arg,
    struct control_server **server_r, struct err *e);
void control_stop(struct control_server **server);
/* In a forked child, which has no such thread: closes the descriptors and nothing else. */
void control_forked(struct control_server *server);
/* One request, one answer.  TEMP: none within wait_ms; NOTFOUND: nobody listens there. */
WARN_UNUSED int control_ask(int dir_fd, const char *name, struct str_view request, int64_t wait_ms,
    struct str_buf *answer, struct err *e);

#endif
