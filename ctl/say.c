/* ctl/say.c - messages for the person at the keyboard: on stderr, and with what to do next. */
#include "ctl/verb.h"
#include "store/limit_note.h"

#include <stdarg.h>
#include <stdio.h>

PRINTF_LIKE(1, 0) static void say(const char *fmt, va_list ap)
{
	fflush(stdout); /* so that both streams read in order on a terminal */
	fputs("postern: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void ctl_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

static void say_line(void *arg, const char *line)
{
	(void)arg;
	ctl_say("%s", line);
}

void ctl_note(struct ctl *ctl, const char *changed)
{
	note_store_limit(ctl->site, changed, say_line, NULL);
}

int ctl_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	return CTL_FAILED;
}

int ctl_no_user(const char *name)
{
	return ctl_fail("there is no user `%s`: `postern user list` lists them", name);
}

int ctl_usage(const struct ctl *ctl, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	ctl_say("`postern %s --help` says how", ctl->verb->name);
	return CTL_USAGE;
}

/* What a person can do about a fault of the world; NULL: the message says it all. */
static const char *advice(const struct err *e)
{
	switch (e->code) {
	case ERR_BUSY:
	case ERR_TEMP:
		return "try again in a moment";
	case ERR_PERM:
		/* Without the system's word it is a rule of ours, which root can't break either. */
		return e->sys ? "run it as root, or as a member of the store's group" : NULL;
	case ERR_CORRUPT:
		return "`postern check NAME` says what is damaged in a mailbox";
	case ERR_NOSPACE:
		return "make room on the disk, then run it again";
	case ERR_LIMIT:
		return "`postern sessions list` says who holds the sessions";
	case ERR_BUG:
		return "this is a defect of postern: please report it with the lines above";
	case ERR_NONE:
	case ERR_INVALID:
	case ERR_NOTFOUND:
	case ERR_EXISTS:
	case ERR_AUTH:
	case ERR_QUOTA:
	case ERR_TOOBIG:
	case ERR_EXPUNGED:
	case ERR_UNSUPPORTED:
	case ERR_UNAVAILABLE:
	case ERR_IO:
		return NULL;
	}
	return NULL;
}

int ctl_fail_err(const struct err *e)
{
	const char *what_next = advice(e);

	ctl_say("%s", *e->what ? e->what : err_text(e->code));
	if (what_next)
		ctl_say("%s", what_next);
	return CTL_FAILED;
}
