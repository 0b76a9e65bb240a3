/*
 * A daemon that serves mailboxes over the network, but for its protocol: options, the site, the
 * certificate, listening addresses, limits, signals.  A daemon's main is a struct service and
 *
 *     return service_main(argc, argv, &imap_service);
 */
#ifndef AUTH_SERVICE_H
#define AUTH_SERVICE_H

#include "limits/registry.h"
#include "limits/site.h"
#include "net/conn.h"

/* Sockets of a door of its own beside the daemon's: [section] NAME_listen, NAME_socket_mode and so on. */
struct service_sockets {
	const char *name; /* NULL: no more */
	const struct net_door *door;
};

struct service {
	const char *program;    /* "postern-imapd" */
	const char *summary;    /* for --help */
	const char *section;    /* of store.conf: "imap" */
	const char *listen;     /* where the section says nothing: "127.0.0.1:143" */
	const char *listen_tls; /* the same, used only where there is a certificate */
	struct net_door door;   /* its callbacks get the site as door_arg; admit may be NULL: then, */
	/* at accept, these two are judged, and refusals told with these words. */
	enum setting max_connections, max_from_address;
	const char *say_max_connections, *say_max_from_address;

	/* What few have (NULL): a Unix socket of this name in the runtime folder, instead of listen; more
	 * sockets; what is begun before the first connection, and ended after the last. */
	const char *runtime_socket;
	const struct service_sockets *sockets;
	int (*folder)(struct site *site, int *folder_fd_r, struct err *e); /* of its own beside the site's; as whoever started it */
	int (*prepare)(struct site *site, struct err *e); /* before anything is given up */
	bool takes_sessions;    /* for users, who may be at a limit: dead holders are looked for */
	int (*begin)(struct site *site, struct err *e);
	/* Who speaks its protocol by a library, not by a door: serves what comes to these sockets, which are its own to close,
	 * until SIGTERM or SIGINT.  Then door and words are nobody's, and there is no TLS. */
	int (*serve)(struct site *site, const int *listening, size_t n, struct err *e);
	void (*end)(void);
};

/* The admit that the service's own door gets where it has none; for those of its further sockets. */
bool service_admit(void *door_arg, uint32_t total, uint32_t from_address, const char **say_r);

/* Serves until SIGTERM or SIGINT; the process's exit status. */
int service_main(int argc, char **argv, const struct service *service);

#endif
