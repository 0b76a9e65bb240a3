/* fs/journal.c - the last lines of sys/log, in a ring. */
#include "fs/journal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LINES 1000u

struct journal {
	pthread_mutex_t lock;
	char *lines[LINES];
	unsigned next;
};

struct journal *journal_new(void)
{
	struct journal *j = mem_alloc(sizeof *j);

	pthread_mutex_init(&j->lock, NULL);
	return j;
}

void journal_free(struct journal **jp)
{
	struct journal *j = *jp;

	if (!j)
		return;
	for (unsigned i = 0; i < LINES; i++)
		free(j->lines[i]);
	pthread_mutex_destroy(&j->lock);
	mem_free(jp);
}

void journal_say(struct journal *j, const char *event, const char *fmt, ...)
{
	char text[1024], line[1200], when[CLOCK_RFC3339_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	log_warn(event, "%s", text);
	snprintf(line, sizeof line, "%s %s %s\n", clock_rfc3339(clock_wall_ms(), when), event, text);
	pthread_mutex_lock(&j->lock);
	free(j->lines[j->next % LINES]);
	j->lines[j->next++ % LINES] = mem_str(line);
	pthread_mutex_unlock(&j->lock);
}

void journal_text(struct journal *j, struct str_buf *out)
{
	pthread_mutex_lock(&j->lock);
	for (unsigned i = 0; i < LINES; i++) {
		const char *line = j->lines[(j->next + i) % LINES];

		if (line)
			str_buf_puts(out, line);
	}
	pthread_mutex_unlock(&j->lock);
}
