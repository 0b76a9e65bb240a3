/* Where an import's readers put the messages they find. */
#ifndef CTL_MAIL_SINK_H
#define CTL_MAIL_SINK_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is known of a message beside its octets. */
struct mail_about {
	uint32_t flags;    /* enum store_flag */
	bool forwarded;    /* the keyword $Forwarded (Maildir's P) */
	int64_t idate_ms;  /* INTERNALDATE */
	int zone_min;
};

/* begin, write any number of times, end.  After an error the message is the sink's to drop. */
struct mail_sink {
	int (*begin)(void *arg, struct err *e);
	int (*write)(void *arg, const void *octets, size_t n, struct err *e);
	int (*end)(void *arg, const struct mail_about *about, struct err *e);
	void *arg;
};

#endif
