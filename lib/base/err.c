/* base/err.c - errors of the world: a meaning, an errno, a line for the log. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	e->code = code;
	e->sys = 0;
	va_start(ap, fmt);
	vsnprintf(e->what, sizeof e->what, fmt, ap);
	va_end(ap);
	return -1;
}

int err_sys(struct err *e, enum err_code code, int sys, const char *fmt, ...)
{
	char text[96];
	va_list ap;
	size_t n;

	if (sys == ENOSPC || sys == EDQUOT)
		code = ERR_NOSPACE;
	else if (sys == ENOENT && code == ERR_IO)
		code = ERR_NOTFOUND;
	e->code = code;
	e->sys = sys;
	va_start(ap, fmt);
	vsnprintf(e->what, sizeof e->what, fmt, ap);
	va_end(ap);
	n = strlen(e->what);
	snprintf(e->what + n, sizeof e->what - n, ": %s", strerror_r(sys, text, sizeof text));
	return -1;
}

int err_context(struct err *e, const char *fmt, ...)
{
	char was[sizeof e->what];
	va_list ap;
	size_t n;

	memcpy(was, e->what, sizeof was);
	va_start(ap, fmt);
	vsnprintf(e->what, sizeof e->what, fmt, ap);
	va_end(ap);
	n = strlen(e->what);
	snprintf(e->what + n, sizeof e->what - n, ": %s", was);
	return -1;
}

static const struct {
	const char *name, *text;
} rows[] = {
    [ERR_NONE] = {"NONE", "no error"},
#define ERR(name, text) [ERR_##name] = {#name, text},
#include "base/err.tbl.h"
#undef ERR
};

const char *err_name(enum err_code code)
{
	return rows[code].name;
}

const char *err_text(enum err_code code)
{
	return rows[code].text;
}
