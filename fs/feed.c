/* fs/feed.c - a ring of lines. */
#include "fs/feed.h"

#include "base/mem.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

struct line {
	uint64_t user;
	char *text;
};

struct feed {
	pthread_mutex_t lock;
	struct line *lines;
	unsigned kept;
	uint64_t end; /* lines ever put; the last `kept` of them are there */
};

struct feed *feed_new(unsigned kept)
{
	struct feed *f = mem_alloc(sizeof *f);

	f->kept = kept;
	f->lines = mem_alloc(kept * sizeof *f->lines);
	pthread_mutex_init(&f->lock, NULL);
	return f;
}

void feed_free(struct feed **fp)
{
	struct feed *f = *fp;

	if (!f)
		return;
	for (unsigned i = 0; i < f->kept; i++)
		free(f->lines[i].text);
	free(f->lines);
	pthread_mutex_destroy(&f->lock);
	mem_free(fp);
}

void feed_put(struct feed *f, uint64_t user, struct str_view line)
{
	struct line *at;

	pthread_mutex_lock(&f->lock);
	at = &f->lines[f->end++ % f->kept];
	free(at->text);
	*at = (struct line){user, mem_strn(line.p, line.n)};
	pthread_mutex_unlock(&f->lock);
}

struct feed_reader feed_follow(struct feed *f, uint64_t user)
{
	struct feed_reader reader = {.user = user};

	pthread_mutex_lock(&f->lock);
	reader.at = f->end;
	pthread_mutex_unlock(&f->lock);
	return reader;
}

static uint64_t first(const struct feed *f)
{
	return f->end > f->kept ? f->end - f->kept : 0;
}

/* The reader's next line.  NULL at the end.  Lines that are gone are passed over, and counted. */
static const struct line *next(const struct feed *f, struct feed_reader *reader, uint64_t *missed_r)
{
	*missed_r = 0;
	if (reader->at < first(f)) {
		*missed_r = first(f) - reader->at;
		reader->at = first(f);
	}
	for (; reader->at < f->end; reader->at++) {
		const struct line *line = &f->lines[reader->at % f->kept];

		if (reader->user == 0 || reader->user == line->user)
			return line;
	}
	return NULL;
}

bool feed_has(struct feed *f, struct feed_reader *reader)
{
	struct feed_reader ahead = *reader;
	uint64_t missed;
	bool has;

	pthread_mutex_lock(&f->lock);
	has = next(f, &ahead, &missed) || missed > 0;
	if (missed == 0)
		*reader = ahead;
	pthread_mutex_unlock(&f->lock);
	return has;
}

void feed_take(struct feed *f, struct feed_reader *reader, struct str_buf *out, size_t enough)
{
	const struct line *line;
	uint64_t missed;

	pthread_mutex_lock(&f->lock);
	while (out->n < enough) {
		line = next(f, reader, &missed);
		if (missed > 0)
			str_buf_printf(out, "missed %" PRIu64 "\n", missed);
		if (!line)
			break;
		str_buf_printf(out, "%s\n", line->text);
		reader->at++;
	}
	pthread_mutex_unlock(&f->lock);
}
