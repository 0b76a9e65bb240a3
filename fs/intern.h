/* Names by number, for nodes that are named and not numbered: registry keys and values, users. */
#ifndef FS_INTERN_H
#define FS_INTERN_H

#include <stdint.h>

struct tree;

/* The number of a name, the same for the same bytes; 0: no more numbers. */
uint32_t intern(struct tree *t, const char *name);
/* NULL: there is no such number.  Stays until the mount ends. */
const char *intern_name(struct tree *t, uint32_t number);
void intern_fini(struct tree *t);

#endif
