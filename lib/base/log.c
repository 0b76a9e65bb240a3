/* base/log.c - one line per event, written with one write(2). */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *program = "postern";
static enum log_level least = LOG_LEVEL_INFO;
static const char *const names[] = {"debug", "info", "warn", "error"};

void log_init(const char *name, enum log_level level)
{
	program = name;
	least = level;
}

int log_level_parse(const char *name)
{
	for (int i = 0; i < 4; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

void log_write(enum log_level level, const char *event, const char *fmt, ...)
{
	char line[2048];
	struct timespec now;
	struct tm tm;
	va_list ap;
	size_t n;

	if (level < least)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(line + n, sizeof line - n, ".%03ldZ %s %s[%d] %s ",
	    now.tv_nsec / 1000000, names[level], program, (int)getpid(), event);
	va_start(ap, fmt);
	int m = vsnprintf(line + n, sizeof line - n - 1, fmt, ap);
	va_end(ap);
	if (m > 0)
		n += (size_t)m < sizeof line - n - 1 ? (size_t)m : sizeof line - n - 2;
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nowhere left to say it */
}

static char *ring(void)
{
	static __thread char buf[4][320];
	static __thread unsigned next;

	return buf[next++ % 4];
}

const char *log_err(const struct err *e)
{
	char *out = ring();

	snprintf(out, 320, "error=%s text=\"%s\"", err_name(e->code), e->what);
	return out;
}

const char *log_q(const char *text)
{
	char *out = ring();
	size_t n = 0;

	for (; *text && n < 64; text++)
		out[n++] = *text > ' ' && *text < 127 && *text != '"' ? *text : '?';
	out[n] = '\0';
	return out;
}
