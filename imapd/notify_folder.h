/* The folders that a client watches with NOTIFY: as it knows them, and how a change of one is told. */
#ifndef IMAPD_NOTIFY_FOLDER_H
#define IMAPD_NOTIFY_FOLDER_H

#include "imapd/notify.h"

/* As the client was told. */
struct notify_folder {
	struct folder_id id;
	unsigned events; /* enum notify_event; 0: not watched */
	char *name;      /* heap */
	bool subscribed;
	enum folder_use use;
	uint32_t uidvalidity, uidnext, exists, unseen;
	struct store_modseq highestmodseq;
};

struct notify_folders {
	struct notify_folder *at; /* by id */
	size_t n, size;
	uint32_t watched_n;
};

void notify_folders_fini(struct notify_folders *folders);
/* Remembers folders as they are, or that one is gone; nothing is told. */
void notify_folders_put(struct notify_folders *folders, const struct notify_set *set,
    const struct folder_info *list, size_t n);
void notify_folders_forget(struct notify_folders *folders, struct folder_id id);

/* What a folder is watched for. */
unsigned notify_folders_events(const struct notify_folders *folders, struct folder_id id);

/* Tells what is not as it was told before, and remembers it. */
void notify_folders_tell(struct client *client, struct notify_folders *folders,
    const struct notify_set *set, const struct folder_info *list, size_t n);
void notify_folders_tell_gone(struct client *client, struct notify_folders *folders,
    struct folder_id id);
/* The same for all that are not in the list. */
void notify_folders_tell_unlisted(struct client *client, struct notify_folders *folders,
    const struct folder_info *list, size_t n);

/* The STATUS of each that NOTIFY SET STATUS tells first (RFC 5465 3.1). */
void notify_folders_tell_status(struct client *client, const struct notify_folders *folders);

#endif
