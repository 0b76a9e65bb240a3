/*
 * The files of the event log: STORE/events.log and, older, STORE/events.log.1.  One JSON object a
 * line, record_id, time_ms and count first and in this order; ids and times rise.  The count has a fixed
 * width, so that it can grow in place.
 */
#ifndef LIMITS_EVENT_FILE_H
#define LIMITS_EVENT_FILE_H

#include "limits/event.h"

#include <sys/types.h>

#define EVENT_FILE "events.log"
#define EVENT_FILE_OLD "events.log.1"
#define EVENT_LINE_MAX 4096
#define EVENT_COUNT_WIDTH 10

/* What a line of the file says besides: whose it is, and the latest time of any line up to it, which grows even where
 * the clock was set back; so lines can be found by time. */
struct event_filed {
	uint64_t user;
	int64_t latest_ms;
};
/* One event as a line, without its end; filed NULL: for people. */
void event_line_print(const struct event *event, const struct event_filed *filed, struct str_buf *out);
/* false: no record of ours (a line cut off by a crash, or somebody's own). */
bool event_line_parse(struct str_view line, struct arena *arena, struct event *event_r,
    uint64_t *user_r);
/* Where in a line the count stands; -1: nowhere. */
off_t event_line_count_at(struct str_view line);

/* Lines whose record_id, or time, is over that; stops when each returns false. */
enum event_order { EVENT_BY_ID, EVENT_BY_TIME };
WARN_UNUSED int event_file_lines(int fd, enum event_order order, int64_t over,
    bool (*each)(void *arg, struct str_view line, off_t at), void *arg, struct err *e);
/* Where a file ends, and what its last whole record says: 0 if there is none. */
struct event_end {
	off_t size;
	uint64_t last_id;
	int64_t latest_ms;
};
/* A rest without line end is cut off. */
WARN_UNUSED int event_file_mend(int fd, struct event_end *end_r, struct err *e);
/* Writes a count where one stands now, and nowhere else. */
void event_file_put_count(int fd, off_t at, uint64_t count);

#endif
