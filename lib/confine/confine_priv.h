/* The parts of a confinement. */
#ifndef CONFINE_CONFINE_PRIV_H
#define CONFINE_CONFINE_PRIV_H

#include "confine/confine.h"

#include <stdint.h>

/* AddressSanitizer and ThreadSanitizer read /proc, call ptrace for the leak check, and change with each
 * compiler: under them system calls and capabilities are left alone, and files are not. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CONFINE_SANITIZED 1
#else
#define CONFINE_SANITIZED 0
#endif

/* The ABI that is in force; 0: the kernel has none; -1 with errno. */
int confine_landlock(const struct confine *c);
/* 0, or -1 with errno. */
int confine_seccomp(enum confine_role role);
/* Keeps these, by bits, of the capabilities that there are, and can't get others; -1 with errno. */
int confine_capabilities(uint64_t keep);

#endif
