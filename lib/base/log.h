/*
 * The program log: one line per event on stderr,
 *
 *     2026-11-23T04:00:16.123Z info postern-imapd[4711] login user=alice peer=127.0.0.1:50123
 *
 * or, where that is the journal, as fields of it (log_journal.h).
 * An event is a word with hyphens; the rest is key=value.  Values that a peer chose go through
 * LOG_Q, so that a line stays a line.  No secrets and no message contents, ever.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARN,
	LOG_LEVEL_ERROR,
};

/* The program's name for every line, kept by reference; the least level written. */
void log_init(const char *program, enum log_level least);

/* Level by name ("debug" "info" "warn" "error"); -1 if there is none of that name. */
int log_level_parse(const char *name);

void log_write(enum log_level level, const char *event, const char *fmt, ...) PRINTF_LIKE(3, 4);

#define log_debug(event, ...) log_write(LOG_LEVEL_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_write(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_write(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_write(LOG_LEVEL_ERROR, event, __VA_ARGS__)

/* A struct err as key=value text, in a buffer of the thread that the next four calls spare. */
const char *log_err(const struct err *e);

/* Any bytes as one printable word ("?" for what is not printable ASCII, at most 64 characters),
 * in a buffer of the thread that the next four calls spare. */
const char *log_q(const char *text);
#define LOG_Q(text) log_q(text)

#endif
