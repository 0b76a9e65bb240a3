/*
 * The quota of a mailbox: how many octets and messages it may hold.  A value of its own stands in
 * mail.db; without one the settings QuotaStorage and QuotaMessages hold.
 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include "store/store.h"

/* The units of storage that quotas are told in (RFC 9208 5.1). */
#define QUOTA_UNIT_OCTETS 1024

struct quota_limit {
	uint64_t most; /* 0: none */
	bool is_own;   /* else the setting's */
};
struct quota {
	struct quota_limit octets, messages;
	uint64_t octets_used, messages_used;
};
WARN_UNUSED int quota_get(struct store *store, struct quota *quota_r, struct err *e);
/* A quota that is remembered until the doorbell rings (change.h): the limits that are the settings', as these are now. */
void quota_follow_settings(struct site *site, struct quota *quota);
/* Takes each limit as the mailbox's own, or gives it back to the settings. */
WARN_UNUSED int quota_set(struct store *store, struct quota_limit octets,
    struct quota_limit messages, struct err *e);

#endif
