/* mime/envelope_read.c - RFC 9051 7.5.2, of our own making: strict, since nothing else is there. */
#include "mime/envelope_read.h"

#include <string.h>

struct reader {
	const char *p, *end;
	struct arena *arena;
	bool bad;
};

static bool take(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static void must(struct reader *r, char c)
{
	if (!take(r, c))
		r->bad = true;
}

static struct str_view take_quoted(struct reader *r)
{
	const char *from = r->p;
	struct str_view text;
	size_t escapes = 0, n = 0;
	char *plain;

	for (; r->p < r->end && *r->p != '"'; r->p++) {
		if (*r->p != '\\')
			continue;
		escapes++;
		if (++r->p == r->end)
			break;
	}
	text = str_view(from, (size_t)(r->p - from));
	must(r, '"');
	if (!escapes || r->bad)
		return text;
	plain = arena_alloc(r->arena, text.n);
	for (size_t i = 0; i < text.n; i++) {
		i += text.p[i] == '\\';
		plain[n++] = text.p[i];
	}
	return str_view(plain, n);
}

static struct str_view take_literal(struct reader *r)
{
	const char *close = memchr(r->p, '}', (size_t)(r->end - r->p));
	struct str_view text = {NULL, 0};
	uint64_t n;

	if (!close || !str_number(str_view(r->p, (size_t)(close - r->p)), SIZE_MAX, &n) ||
	    r->end - close < 3 || (uint64_t)(r->end - close - 3) < n) {
		r->bad = true;
		return text;
	}
	r->p = close + 3 + n;
	return str_view(close + 3, (size_t)n);
}

static struct str_view take_nstring(struct reader *r)
{
	if (take(r, '"'))
		return take_quoted(r);
	if (take(r, '{'))
		return take_literal(r);
	if (r->end - r->p >= 3 && memcmp(r->p, "NIL", 3) == 0)
		r->p += 3;
	else
		r->bad = true;
	return (struct str_view){NULL, 0};
}

static struct envelope_address take_address(struct reader *r)
{
	struct envelope_address a;

	must(r, '(');
	a.name = take_nstring(r);
	must(r, ' ');
	take_nstring(r); /* the route */
	must(r, ' ');
	a.mailbox = take_nstring(r);
	must(r, ' ');
	a.host = take_nstring(r);
	must(r, ')');
	return a;
}

/* The first of them; the rest is passed over. */
static struct envelope_address take_addresses(struct reader *r)
{
	struct envelope_address first = {0};

	if (!take(r, '(')) {
		take_nstring(r);
		return first;
	}
	first = take_address(r);
	while (!r->bad && !take(r, ')'))
		take_address(r);
	return first;
}

bool mime_envelope_read(struct str_view text, struct arena *arena, struct envelope_read *envelope_r)
{
	struct reader r = {text.p, text.n ? text.p + text.n : text.p, arena, false};
	struct envelope_address addresses[6]; /* from, sender, reply-to, to, cc, bcc */
	struct envelope_read e = {0};

	must(&r, '(');
	take_nstring(&r); /* the date */
	must(&r, ' ');
	e.subject = take_nstring(&r);
	for (size_t i = 0; i < 6 && !r.bad; i++) {
		must(&r, ' ');
		addresses[i] = take_addresses(&r);
	}
	must(&r, ' ');
	e.in_reply_to = take_nstring(&r);
	must(&r, ' ');
	e.message_id = take_nstring(&r);
	must(&r, ')');
	if (r.bad || r.p != r.end)
		return false;
	e.from = addresses[0];
	e.to = addresses[3];
	e.cc = addresses[4];
	*envelope_r = e;
	return true;
}
