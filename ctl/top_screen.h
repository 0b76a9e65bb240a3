/*
 * A terminal as postern top needs it: whole frames shown, keys read, and the terminal as it was before once it ends, whatever
 * ends it.  The sequences are those that every terminal of today has (ECMA-48, and xterm's other screen).
 */
#ifndef CTL_TOP_SCREEN_H
#define CTL_TOP_SCREEN_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

struct screen {
	struct termios before;
	size_t lines, columns;
};

/* A key is its character, or one of these. */
enum screen_key {
	SCREEN_UP = 256,
	SCREEN_DOWN,
	SCREEN_PAGE_UP,
	SCREEN_PAGE_DOWN,
	SCREEN_FIRST,
	SCREEN_LAST,
	SCREEN_ESCAPE,
	SCREEN_OTHER,   /* one that means nothing here */
	SCREEN_TIME_UP,
	SCREEN_CHANGED, /* another size, or it was away */
	SCREEN_END,     /* SIGINT, SIGTERM, SIGHUP, or the terminal is gone */
};

/* Whether standard input and output are a terminal that obeys; else what to say. */
bool screen_is_possible(const char **why_not_r);
/* One at a time in a process. */
WARN_UNUSED int screen_open(struct screen *screen, struct err *e);
void screen_close(struct screen *screen);

/* The next key, or what happened before until_ms (monotonic). */
int screen_key(struct screen *screen, int64_t until_ms);

/* Lines of text from the top, the one with that number (from 0) in reverse; `last` on the last line of the screen. */
void screen_show(const struct screen *screen, struct str_view text, size_t chosen, const char *last);

#endif
