/*
 * A number in the runtime folder that says whether a database moved.  A writer makes it odd before his COMMIT and
 * another, even one afterwards, under the database's writer lock: what was read at an even number holds while it is
 * so.  Killed between the two it stays odd until the next write, and nobody remembers anything: slower, never wrong.
 */
#ifndef STORE_GENERATION_H
#define STORE_GENERATION_H

#include "base/cell.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct store_site;

struct generation {
	int fd; /* of its file among the notices */
	struct cell cell;
};

WARN_UNUSED int generation_open(struct store_site *ss, const char *name, struct generation *g_r, struct err *e);
void generation_close(struct generation *g);
/* 0: nobody wrote since the host is up.  A load, once there is a number. */
uint64_t generation_read(struct generation *g);
/* Whether what is read at this one may be remembered. */
static inline bool generation_is_settled(uint64_t generation)
{
	return generation % 2 == 0;
}
/* Before a transaction that writes, and after it, however it ended. */
WARN_UNUSED int generation_begin(struct generation *g, struct err *e);
WARN_UNUSED int generation_end(struct generation *g, struct err *e);

#endif
