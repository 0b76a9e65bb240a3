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

/* One event as a line, without its end.  count_width 0: as narrow as it is. */
void event_line_print(const struct event *event, uint64_t user, int count_width,
    struct str_buf *out);
/* false: no record of ours (a line cut off by a crash, or somebody's own). */
bool event_line_parse(struct str_view line, struct arena *arena, struct event *event_r,
    uint64_t *user_r);
/* Where in a line the count stands; -1: nowhere. */
off_t event_line_count_at(struct str_view line);

/* Lines from the first whose record_id, or time, is over that; stops when each returns false. */
enum event_order { EVENT_BY_ID, EVENT_BY_TIME };
WARN_UNUSED int event_file_lines(int fd, enum event_order order, int64_t over,
    bool (*each)(void *arg, struct str_view line, off_t at), void *arg, struct err *e);
/* The last whole record's id, 0 if there is none; a rest without line end is cut off. */
WARN_UNUSED int event_file_mend(int fd, off_t *size_r, uint64_t *last_id_r, struct err *e);
/* Writes a count where one stands now, and nowhere else. */
void event_file_put_count(int fd, off_t at, uint64_t count);

#endif
