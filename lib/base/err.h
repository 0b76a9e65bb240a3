/*
 * Errors of the world: what a fallible function tells its caller.
 *
 * A struct err lies on the caller's stack and is passed last.  Functions return 0 or -1 and
 * write their results only on success.  The text is for the log: a peer gets the fixed words
 * of its door for the code, never this text.  Faults of a peer are replies, not errors; faults
 * of our own are CHECKs (base/check.h).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define WARN_UNUSED __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt_arg, first_arg) __attribute__((format(printf, fmt_arg, first_arg)))

enum err_code {
	ERR_NONE = 0,
#define ERR(name, text) ERR_##name,
#include "base/err.tbl.h"
#undef ERR
};

struct err {
	enum err_code code;
	int sys; /* errno where one was at the root, else 0 */
	char what[232];
};

/* Fills e; always returns -1, so that a caller may write `return err_set(e, ...)`. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The same, from an errno value, whose text is put behind what fmt says.  ENOSPC and EDQUOT
 * become NOSPACE whatever the code says, ENOENT with code IO becomes NOTFOUND. */
int err_sys(struct err *e, enum err_code code, int sys, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Puts "context: " in front of what an error says already.  Add it once, where the noun is known.
 * Returns -1. */
int err_context(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* "LIMIT", and the row's line of English. */
const char *err_name(enum err_code code);
const char *err_text(enum err_code code);

#endif
