/*
 * Which ledger files there have been since the runtime folder was made: a table in it that all processes map.
 *
 * Who finds no file makes one, and must not where there was one before: somebody removed it while others may count in
 * it, and the new one would be another place to count.
 *
 * Callers of this header: limits/.
 */
#ifndef LIMITS_BORN_H
#define LIMITS_BORN_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Its name in the runtime folder.  Made with the folder, and never later: a second one would know nothing. */
#define BORN_FILE "born"
WARN_UNUSED int born_make(int runtime_fd, struct err *e);
/* Nobody has it open, so that nobody counts anywhere. */
WARN_UNUSED int born_forget(int runtime_fd, struct err *e);

struct born;
/* NULL: there is none; it has none then. */
struct born *born_open(int runtime_fd);
void born_close(struct born **born);

/* Keys are not 0.  Beyond a number of files they are not remembered. */
bool born_has(struct born *born, uint64_t key);
void born_add(struct born *born, uint64_t key);

#endif
