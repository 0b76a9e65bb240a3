/*
 * The Application log: event 9646 of source MSExchangeIS, one record per user, limit and minute,
 * written at the first refusal, with a count that grows (STORE/events.log, one JSON record a line,
 * bounded: 64 MB and one older file).  session_acquire and session_charge write it; this header is
 * for those who read it.
 */
#ifndef LIMITS_EVENT_H
#define LIMITS_EVENT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "limits/site.h"

#include <stdint.h>

struct event {
	uint64_t record_id;  /* EventRecordID */
	int64_t time_ms;     /* wall, of the first refusal */
	uint32_t event_id;   /* 9646 */
	uint32_t limit;      /* the maximum that was exceeded */
	uint32_t held;       /* what counted against it */
	uint64_t count;      /* refusals of this user and limit in that minute */
	const char *dn;      /* legacy DN */
	const char *user;    /* the user's name */
	const char *object;  /* "session", "objtMessage", ... */
	const char *setting; /* the setting's name */
	const char *computer;
	const char *explain; /* what was told beside the original words (explain.h); "" in records of an earlier version */
};

/* Records with record_id > after, oldest first, at most max_n (0: all), the same DN only if not NULL. */
WARN_UNUSED int event_list(struct site *site, uint64_t after, size_t max_n, const char *dn,
    struct arena *arena, struct event **list_r, size_t *n_r, struct err *e);
/* All whose time is later than that (wall), oldest first. */
WARN_UNUSED int event_list_over(struct site *site, int64_t over_ms, struct arena *arena, struct event **list_r,
    size_t *n_r, struct err *e);

/* `Mapi session "<DN>" exceeded the maximum of 16 objects of type "session".` */
void event_message(const struct event *event, struct str_buf *out);
/* One <Event> element of namespace http://schemas.microsoft.com/win/2004/08/events/event.  Its Binary is
 * the count: 16 hexadecimal digits, the most significant first.  The explanation stands in RenderingInfo/Message, behind the
 * original words: the schema's place for an event's text. */
void event_xml(const struct event *event, struct str_buf *out);
/* One JSON object, without line end. */
void event_json(const struct event *event, struct str_buf *out);

/* "/o=First Organization/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=<user>" */
void event_legacy_dn(const char *user, struct str_buf *out);

#endif
