/* base/check.c - the end of a process that found itself wrong. */
#include "base/check.h"
#include "base/log.h"

#include <stdlib.h>

void check_failed(const char *condition, const char *file, int line, const char *func)
{
	log_error("check-failed", "condition=\"%s\" at=%s:%d in=%s", condition, file, line, func);
	abort();
}
