/*
 * What the mount has to say to people: refusals, above all, since many programs swallow them
 * (mount.md, "EUSERS seen by people").  The last lines stand in sys/log; all go to the program log.
 */
#ifndef FS_JOURNAL_H
#define FS_JOURNAL_H

#include "base/str.h"

struct journal;
struct journal *journal_new(void);
void journal_free(struct journal **journal);
/* One line, key=value as in the program log. */
void journal_say(struct journal *journal, const char *event, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The last lines, oldest first. */
void journal_text(struct journal *journal, struct str_buf *out);

#endif
