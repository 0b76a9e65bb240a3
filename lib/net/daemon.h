/*
 * What every daemon that serves connections does alike, and that needs no store: its options,
 * signals, and telling that it is ready.
 */
#ifndef NET_DAEMON_H
#define NET_DAEMON_H

#include "base/log.h"
#include "net/conn.h"

struct daemon_options {
	const char *store;        /* --store, or NULL */
	int log_level;            /* --log-level, or -1 */
};

/* Reads the options.  --help and --version are answered, and a wrong option complained about, and
 * the process ends. */
void daemon_options(const char *program, const char *summary, int argc, char **argv,
    struct daemon_options *options_r);

/* What a process that serves thousands asks of the system: before it makes threads. */
void daemon_prepare(void);
/* Serves until SIGTERM or SIGINT; READY=1 when it begins.  SIGHUP: the certificate is read again.  One server per process. */
void daemon_serve(struct net_server *server);

#endif
