/* What every daemon does to itself before it serves. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

/* No core file and no tracing (secrets; and locks outlive a process while it dumps), every descriptor
 * the hard limit allows, umask 007, no SIGPIPE. */
void process_harden(void);

#endif
