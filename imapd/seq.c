/* imapd/seq.c - sequence-set of RFC 3501 9.  Its length is bounded by the command's. */
#include "imapd/seq.h"

#include <stdlib.h>

static bool seq_number(const char **p, const char *end, uint32_t *n_r)
{
	uint64_t n = 0;
	const char *s = *p;

	if (s < end && *s == '*') {
		*p = s + 1;
		*n_r = SEQ_STAR;
		return true;
	}
	if (s == end || *s < '1' || *s > '9') /* nz-number */
		return false;
	for (; s < end && *s >= '0' && *s <= '9'; s++) {
		n = n * 10 + (unsigned)(*s - '0');
		if (n > UINT32_MAX)
			return false;
	}
	*p = s;
	*n_r = (uint32_t)n;
	return true;
}

static size_t count_ranges(struct str_view text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.n && text.p[i] != ' '; i++)
		n += text.p[i] == ',';
	return n;
}

size_t seq_parse(struct str_view text, struct arena *arena, struct seq_set *set_r)
{
	const char *p = text.p, *end = text.p + text.n;
	struct seq_set set = {0};

	/* seq-last-command stands alone (RFC 9051 9). */
	if (p < end && *p == '$') {
		*set_r = (struct seq_set){.is_saved = true};
		return 1;
	}
	set.ranges = ARENA_ARRAY(arena, struct uid_range, count_ranges(text));
	for (;;) {
		struct uid_range *r = &set.ranges[set.n];

		if (!seq_number(&p, end, &r->from))
			return 0;
		r->to = r->from;
		if (p < end && *p == ':') {
			p++;
			if (!seq_number(&p, end, &r->to))
				return 0;
		}
		set.n++;
		if (p == end || *p != ',')
			break;
		p++;
	}
	*set_r = set;
	return (size_t)(p - text.p);
}

static int by_from(const void *a, const void *b)
{
	uint32_t x = ((const struct uid_range *)a)->from, y = ((const struct uid_range *)b)->from;

	return (x > y) - (x < y);
}

void seq_resolve(struct seq_set *set, uint32_t star)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		struct uid_range *r = &set->ranges[i];
		uint32_t from = r->from == SEQ_STAR ? star : r->from;
		uint32_t to = r->to == SEQ_STAR ? star : r->to;

		*r = from <= to ? (struct uid_range){from, to} : (struct uid_range){to, from};
	}
	qsort(set->ranges, set->n, sizeof *set->ranges, by_from);
	for (size_t i = 0; i < set->n; i++) {
		struct uid_range r = set->ranges[i];
		struct uid_range *last = n ? &set->ranges[n - 1] : NULL;

		if (last && (r.from <= last->to || r.from - 1 == last->to)) {
			if (r.to > last->to)
				last->to = r.to;
		} else {
			set->ranges[n++] = r;
		}
	}
	set->n = n;
}

static void write_run(struct seq_writer *w)
{
	if (w->any)
		str_buf_putc(w->out, ',');
	w->any = true;
	str_buf_put_number(w->out, w->from);
	if (w->to != w->from) {
		str_buf_putc(w->out, ':');
		str_buf_put_number(w->out, w->to);
	}
}

void seq_write(struct seq_writer *w, uint32_t n)
{
	if (w->from && n == w->to + 1) {
		w->to = n;
		return;
	}
	if (w->from)
		write_run(w);
	w->from = w->to = n;
}

void seq_write_end(struct seq_writer *w)
{
	if (w->from)
		write_run(w);
	w->from = w->to = 0;
}
