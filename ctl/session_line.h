/* One session as a line for people: of `postern sessions list`, and of `postern top`. */
#ifndef CTL_SESSION_LINE_H
#define CTL_SESSION_LINE_H

#include "base/str.h"
#include "limits/session.h"

void session_put_heading(struct str_buf *out);
void session_put_line(const struct session_info *s, int64_t now_ms, struct str_buf *out);

/* "17s", "5m", "3h": how long ago. */
#define SESSION_AGO_SIZE 32
const char *session_ago(int64_t then_ms, int64_t now_ms, char out[SESSION_AGO_SIZE]);

#endif
