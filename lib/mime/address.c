/*
 * mime/address.c - address lists.  Nothing a sender wrote is refused, dropped, or joined into
 * an address that was not there: what is no address is told as it stands, cut at its last '@'.
 */
#include "mime/address_priv.h"

#include <string.h>

static struct str_view between(const char *from, const char *to)
{
	return str_view(from, (size_t)(to - from));
}

static void trim_end(struct str_buf *b)
{
	while (b->n && b->p[b->n - 1] == ' ')
		b->n--;
	if (b->p)
		b->p[b->n] = '\0';
}

/* What the lexer reads: quotes resolved, comments left out, any blanks between words as one. */
static void put_words(struct str_buf *out, struct lex l)
{
	struct str_view inside;

	if (out->n)
		str_buf_putc(out, ' ');
	while (l.p < l.end) {
		if (lex_skip(&l)) {
			if (out->n && out->p[out->n - 1] != ' ')
				str_buf_putc(out, ' ');
		} else if (*l.p == '"' && lex_quoted(&l, &inside)) {
			lex_unescape(inside, out);
		} else {
			str_buf_putc(out, *l.p++);
		}
	}
	trim_end(out);
}

static void put_phrase(struct str_buf *out, struct str_view text)
{
	put_words(out, lex_of(text));
}

/* In a comment quotes are ordinary, and parentheses are part of it (RFC 5322 3.2.2). */
static void put_comment(struct str_buf *out, struct str_view inside)
{
	struct str_buf text = {0};

	lex_unescape(inside, &text);
	struct lex l = lex_of(str_buf_view(&text));

	l.no_quotes = l.no_comments = true;
	put_words(out, l);
	str_buf_fini(&text);
}

/* Text with its blanks and comments left out: a route. */
static void put_solid(struct str_buf *out, struct str_view text)
{
	struct lex l = lex_of(text);

	while (lex_skip(&l), l.p < l.end)
		str_buf_putc(out, *l.p++);
}

/* Moves over one piece: a quoted string, a comment, or a character. */
static void step(struct lex *l, struct str_view *comment)
{
	struct str_view inside;

	if (*l->p == '"' && lex_quoted(l, &inside))
		return;
	if (*l->p == '(' && lex_comment(l, &inside)) {
		if (comment && comment->n == 0)
			*comment = inside;
		return;
	}
	l->p++;
}

/*
 * addr-spec (RFC 5322 3.4.1): words with dots between them, '@', the same again; blanks may
 * stand around dots and '@' only.  False: it is none, or has no '@' and is more than one word.
 */
static bool put_addr_spec(struct address_parser *a, struct str_view text)
{
	struct lex l = lex_of(text);
	struct str_buf *to = &a->mailbox;
	struct str_view inside;
	bool after_word = false;

	while (true) {
		bool blank = lex_skip(&l);

		if (l.p == l.end)
			return true;
		if (*l.p == '@') {
			if (to == &a->host)
				return false;
			to = &a->host;
			l.p++;
			after_word = false;
		} else if (*l.p == '.') {
			str_buf_putc(to, *l.p++);
			after_word = false;
		} else {
			if (blank && after_word)
				return false;
			after_word = true;
			if (*l.p == '"' && lex_quoted(&l, &inside))
				lex_unescape(inside, to);
			else
				str_buf_putc(to, *l.p++);
		}
	}
}

static void put_address(struct address_parser *a, struct str_view text)
{
	const char *at = NULL;

	if (put_addr_spec(a, text))
		return;
	str_buf_clear(&a->mailbox);
	str_buf_clear(&a->host);
	for (struct lex l = lex_of(text); l.p < l.end; step(&l, NULL))
		if (*l.p == '@')
			at = l.p;
	put_phrase(&a->mailbox, at ? between(text.p, at) : text);
	if (at)
		put_phrase(&a->host, between(at + 1, text.p + text.n));
}

/* What stands between '<' and '>': a route perhaps, and an address. */
static void put_routed(struct address_parser *a, struct str_view text)
{
	struct lex l = lex_of(text);

	lex_skip(&l);
	if (l.p < l.end && *l.p == '@') {
		const char *begin = l.p;

		while (l.p < l.end && *l.p != ':')
			step(&l, NULL);
		if (l.p < l.end) {
			put_solid(&a->route, between(begin, l.p));
			text = between(l.p + 1, l.end);
		}
	}
	put_address(a, text);
}

/* At '<': the text within, and the lexer behind it.  Without a '>' it ends where the list goes
 * on. */
static struct str_view angle(struct lex *l)
{
	const char *begin = ++l->p, *comma = NULL;

	while (l->p < l->end && *l->p != '>' && *l->p != '<') {
		if ((*l->p == ',' || *l->p == ';') && !comma)
			comma = l->p;
		step(l, NULL);
	}
	if (l->p < l->end && *l->p == '>')
		return between(begin, l->p++);
	if (comma)
		l->p = comma;
	return between(begin, l->p);
}

/* The ':' behind a route that has no '<' before it, or NULL.  What a search saw is not seen
 * again: a field of nothing but '@' stays linear. */
static const char *route_end(struct address_parser *a)
{
	struct lex l = a->l;

	if (l.p < a->no_route_before)
		return NULL;
	while (l.p < l.end && *l.p != ':' && *l.p != '<' && *l.p != ';')
		step(&l, NULL);
	if (l.p < l.end && *l.p == ':')
		return l.p;
	a->no_route_before = l.p;
	return NULL;
}

static bool ends_item(const struct address_parser *a)
{
	return *a->l.p == ',' || *a->l.p == ';';
}

static void reset(struct address_parser *a)
{
	str_buf_clear(&a->name);
	str_buf_clear(&a->route);
	str_buf_clear(&a->mailbox);
	str_buf_clear(&a->host);
	a->has_name = false;
	a->kind = ADDRESS_MAILBOX;
}

/* Behind an angle: words up to the next item belong to the name. */
static void trailing_words(struct address_parser *a, struct str_view *comment)
{
	const char *begin = a->l.p;

	while (a->l.p < a->l.end && !ends_item(a) && *a->l.p != '<')
		step(&a->l, comment);
	struct lex l = lex_of(between(begin, a->l.p));

	lex_skip(&l);
	if (l.p < l.end)
		put_phrase(&a->name, between(l.p, l.end));
}

static bool is_nothing(struct str_view text)
{
	struct lex l = lex_of(text);

	lex_skip(&l);
	return l.p == l.end;
}

/* One item of the list, from its first octet; false: comments alone, which are none (RFC 5322 4.4). */
static bool item(struct address_parser *a)
{
	const char *begin = a->l.p, *colon = NULL;
	struct str_view comment = {0};
	bool at_seen = false;

	if (*begin == '@' && (colon = route_end(a)))
		a->l.p = colon + 1;
	while (a->l.p < a->l.end && !ends_item(a) && *a->l.p != '<') {
		if (*a->l.p == ':' && !a->in_group && !at_seen && !colon) {
			put_phrase(&a->name, between(begin, a->l.p++));
			a->kind = ADDRESS_GROUP;
			a->in_group = true;
			return true;
		}
		at_seen |= *a->l.p == '@';
		step(&a->l, &comment);
	}
	if (a->l.p < a->l.end && *a->l.p == '<') {
		put_phrase(&a->name, between(begin, a->l.p));
		put_routed(a, angle(&a->l));
		trailing_words(a, &comment);
	} else if (is_nothing(between(begin, a->l.p))) {
		return false;
	} else {
		put_routed(a, between(begin, a->l.p));
	}
	if (a->name.n == 0)
		put_comment(&a->name, comment);
	a->has_name = a->name.n > 0;
	return true;
}

bool address_next(struct address_parser *a)
{
	reset(a);
	while (a->l.p < a->l.end) {
		if (*a->l.p == ';' && a->in_group) {
			a->l.p++;
			break;
		}
		if (lex_blank(*a->l.p) || ends_item(a))
			a->l.p++;
		else if (item(a))
			return true;
	}
	if (!a->in_group)
		return false;
	a->in_group = false;
	a->kind = ADDRESS_GROUP_END;
	return true;
}

void address_parser_fini(struct address_parser *a)
{
	str_buf_fini(&a->name);
	str_buf_fini(&a->route);
	str_buf_fini(&a->mailbox);
	str_buf_fini(&a->host);
}
