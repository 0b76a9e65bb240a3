/*
 * NOTIFY (RFC 5465): events that a client is told of without asking, of the folder that is open and of
 * others.  The doorbell of the mailbox wakes the connection; what changed is what differs from what
 * was told.  Every folder watched, and the open one, is an objtNotify of the session.
 */
#ifndef IMAPD_NOTIFY_H
#define IMAPD_NOTIFY_H

#include "imapd/cmd.h"
#include "store/folder.h"

enum notify_event {
	NOTIFY_NEW = 1,
	NOTIFY_EXPUNGE = 2,
	NOTIFY_FLAGS = 4,
	NOTIFY_NAME = 8,
	NOTIFY_SUBSCRIPTION = 16,
	NOTIFY_METADATA = 32,
	NOTIFY_SERVER_METADATA = 64, /* of no folder: has_server alone */
};
#define NOTIFY_OF_MESSAGES (NOTIFY_NEW | NOTIFY_EXPUNGE | NOTIFY_FLAGS)

enum notify_filter {
	NOTIFY_SELECTED,
	NOTIFY_SELECTED_DELAYED,
	NOTIFY_ALL, /* personal; inboxes too, as delivery may go anywhere (RFC 5465 6.3) */
	NOTIFY_SUBSCRIBED,
	NOTIFY_SUBTREE,
	NOTIFY_SUBTREE_ONE,
	NOTIFY_MAILBOXES,
};

struct notify_group {
	enum notify_filter filter;
	unsigned events;
	const char **names; /* of SUBTREE..., MAILBOXES */
	size_t names_n;
};

/* What NOTIFY SET says; zeroed, what NOTIFY NONE does. */
struct notify_set {
	struct notify_group *groups; /* of folders that are not open */
	size_t groups_n, names_n;
	bool status;                 /* tells first how they are */
	bool is_selected_set, is_delayed;
	unsigned selected_events;
	struct str_view items;       /* of MessageNew: "(UID ...)" as it was written; n = 0: none */
	bool has_server;             /* the server's metadata are to be told of */
	bool has_bad_event;
};

/* Behind "NOTIFY ". */
bool notify_parse(struct imap_req *req, struct notify_set *set_r);
/* The events that are served, for BADEVENT. */
extern const char notify_events[];
/* What a folder of this name is watched for. */
unsigned notify_events_of(const struct notify_set *set, const char *name, bool subscribed);

/* Takes the place of what was registered.  LIMIT: as it was. */
WARN_UNUSED int notify_register(struct client *client, const struct notify_set *set, struct err *e);
void notify_free(struct client *client);

/* How the open folder may be told of (enum sync_how), from what a command would allow; false: not at
 * all (RFC 5465 3.1). */
bool notify_limits(const struct client *client, unsigned *how);

/* Tells what happened: IMAP_WAIT, or IMAP_DONE where messages that came are still to be told. */
enum imap_next notify_look(struct client *client, bool expunges_too);
/* Messages that came are being told, in steps; nothing else may be said. */
bool notify_is_telling(const struct client *client);
enum imap_next notify_go_on(struct client *client);

#endif
