/* base/log.c - one line per event, written with one write(2), or the journal's. */
#include "base/log.h"
#include "base/log_journal.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 1900

static const char *program = "postern";
static enum log_level least = LOG_LEVEL_INFO;
static const char *const names[] = {"debug", "info", "warn", "error"};

/* Asked for once: a system call less a line. */
static _Atomic int pid;

static void forget_pid(void)
{
	pid = 0;
}

static void hear_of_forks(void)
{
	pthread_atfork(NULL, NULL, forget_pid);
}

static int own_pid(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int known = pid;

	pthread_once(&once, hear_of_forks);
	if (!known)
		pid = known = getpid();
	return known;
}

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

/* Lines of one second share the text of it, which costs more than the rest of a line. */
static const char *text_of_second(time_t second)
{
	static __thread time_t known = -1;
	static __thread char text[32];
	struct tm tm;

	if (second != known) {
		gmtime_r(&second, &tm);
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
		known = second;
	}
	return text;
}

static void write_line(enum log_level level, const char *event, const char *text)
{
	char line[LINE_MAX_OCTETS + 128];
	struct timespec now;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	n = (size_t)snprintf(line, sizeof line - 1, "%s.%03ldZ %s %s[%d] %s %s", text_of_second(now.tv_sec),
	    now.tv_nsec / 1000000, names[level], program, own_pid(), event, text);
	if (n > sizeof line - 2)
		n = sizeof line - 2;
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nowhere left to say it */
}

void log_write(enum log_level level, const char *event, const char *fmt, ...)
{
	char text[LINE_MAX_OCTETS];
	va_list ap;

	if (level < least)
		return;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof text, fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	if (!log_journal_write(level, program, event, text))
		write_line(level, event, text);
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
