/* Processes: what every daemon does to itself before it serves, and what the kernel tells of others. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "base/str.h"

#include <sys/types.h>

/* No core file and no tracing (secrets; and locks outlive a process while it dumps), every descriptor
 * the hard limit allows, umask 007, no SIGPIPE. */
void process_harden(void);

/* Another's words with blanks between, 256 octets at most, nothing in it that a terminal would obey; nothing where there
 * is no such process, or it may not be looked at. */
void process_put_command_line(pid_t pid, struct str_buf *out);

#endif
