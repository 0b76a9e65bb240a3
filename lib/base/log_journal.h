/*
 * The program log as systemd's journal has it: a line's parts as fields, so that `journalctl POSTERN_USER=alice
 * POSTERN_EVENT=login-refused` finds what a search in text would have to guess.
 *
 *     MESSAGE            login-refused user=alice peer=127.0.0.1:50123 limit="..." value=16 held=16 why="..."
 *     PRIORITY           7, 6, 4, 3: debug, info, warn, error
 *     SYSLOG_IDENTIFIER  postern-imapd        SYSLOG_FACILITY  2 (mail)
 *     POSTERN_EVENT      login-refused
 *     POSTERN_USER, POSTERN_LIMIT, ...: each key=value of the line
 */
#ifndef BASE_LOG_JOURNAL_H
#define BASE_LOG_JOURNAL_H

#include "base/err.h"
#include "base/log.h"

#include <stdbool.h>

/*
 * Where lines go from now on: "auto" (to the journal where standard error is connected to it: $JOURNAL_STREAM), "yes",
 * "no", or the path of a journal's socket.  Before threads, and before the process is confined: the socket stays.
 * INVALID: none of these.  Where there is no journal, that is said, and lines go to standard error.
 */
WARN_UNUSED int log_journal_choose(const char *how, struct err *e);

/* Whether systemd connected standard error to the journal: systemd.exec(5), $JOURNAL_STREAM is its "device:inode". */
bool log_journal_is_stderr(void);

/*
 * For log.c.  false: it goes to standard error instead, since no journal is in use, or it is gone.  Never waits: what a
 * journal that stands still has no room for is thrown away, counted, and the number told once there is room again.
 */
bool log_journal_write(enum log_level level, const char *program, const char *event, const char *text);

#endif
