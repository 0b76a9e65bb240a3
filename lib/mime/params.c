/*
 * mime/params.c - parameters.  IMAP is told sections joined, and extended values under "name*"
 * in their encoded form: RFC 9051 7.5.2 would have them decoded, but every client of RFC 3501
 * knows this form, and none the other (doc/DEPARTURES.md).
 */
#include "mime/params_priv.h"
#include "mime/decode.h"
#include "mime/hex_priv.h"
#include "mime/imaptext_priv.h"

#include <string.h>

static const char hex_digits[] = "0123456789ABCDEF";

static void set_name(struct param *p, struct str_view token, struct arena *arena)
{
	char *name = arena_strn(arena, token.p, token.n);

	for (char *c = name; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
	p->name = name;
}

/* RFC 2231: name, name*, name*0, name*0* */
static void split_name(struct param *p, struct str_view token, struct arena *arena)
{
	const char *star = memchr(token.p, '*', token.n);
	uint64_t section;

	p->section = -1;
	p->extended = star && token.p[token.n - 1] == '*';
	if (star) {
		struct str_view middle =
		    str_view(star + 1, (size_t)(token.p + token.n - star) - 1);

		if (p->extended && middle.n)
			middle.n--;
		if (str_number(middle, PARAMS_MAX, &section))
			p->section = (int)section;
		else if (middle.n)
			star = NULL; /* a star that means nothing */
	}
	if (!star)
		p->extended = false;
	set_name(p, str_view(token.p, star ? (size_t)(star - token.p) : token.n), arena);
}

/* An unquoted value.  File names with blanks come without quotes; other values end at a blank.
 */
static struct str_view bare_value(struct lex *l, bool blanks)
{
	const char *begin = l->p, *end;

	while (l->p < l->end && *l->p != ';' && *l->p != '(' && (blanks || !lex_blank(*l->p)))
		l->p++;
	for (end = l->p; end > begin && lex_blank(end[-1]);)
		end--;
	return str_view(begin, (size_t)(end - begin));
}

static void read_value(struct lex *l, struct param *p, struct arena *arena)
{
	struct str_view inside;
	struct str_buf value = {0};
	bool is_name = strcmp(p->name, "name") == 0 || strcmp(p->name, "filename") == 0;

	if (l->p < l->end && *l->p == '"' && lex_quoted(l, &inside)) {
		lex_unescape(inside, &value);
	} else {
		inside = bare_value(l, is_name);
		mime_header_unfold(inside, &value);
	}
	p->value = str_view(arena_strn(arena, value.p, value.n), value.n);
	str_buf_fini(&value);
}

/* One parameter, at its name; false if what stands there is none: passed over up to the next
 * ';'. */
static bool read_one(struct lex *l, struct param *p, struct arena *arena)
{
	struct str_view token = lex_token(l);

	lex_skip(l);
	if (token.n == 0 || l->p == l->end || *l->p != '=') {
		while (l->p < l->end && *l->p != ';')
			l->p++;
		return false;
	}
	l->p++;
	lex_skip(l);
	split_name(p, token, arena);
	read_value(l, p, arena);
	return true;
}

/* The sections of a name by their numbers, the first of each; one number has no more than one
 * value. */
static void find_sections(
    struct params *params, const char *name, struct param *sections[PARAMS_MAX + 1])
{
	memset(sections, 0, sizeof(struct param *) * (PARAMS_MAX + 1));
	for (size_t i = 0; i < params->n; i++) {
		struct param *p = &params->list[i];

		if (p->section >= 0 && !sections[p->section] && strcmp(p->name, name) == 0)
			sections[p->section] = p;
	}
}

/* A plain section within an extended value: what it holds must not look encoded. */
static void put_encoded(struct str_buf *out, struct str_view s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c > 32 && c < 127 && !strchr("*'%()<>@,;:\\\"/[]?=", c)) {
			str_buf_putc(out, (char)c);
		} else {
			str_buf_putc(out, '%');
			str_buf_putc(out, hex_digits[c >> 4]);
			str_buf_putc(out, hex_digits[c & 15]);
		}
	}
}

/* Joins sections 0, 1, ... into the parameter that has section 0; the others become section -2.
 */
static void join(struct params *params, struct param *p, struct arena *arena)
{
	struct param *sections[PARAMS_MAX + 1];
	struct str_buf value = {0};
	bool extended = false;

	find_sections(params, p->name, sections);
	for (int i = 0; i < PARAMS_MAX && sections[i]; i++)
		extended |= sections[i]->extended;
	if (extended && !p->extended)
		str_buf_puts(&value, "''"); /* no charset, no language */
	for (int i = 0; i < PARAMS_MAX && sections[i]; i++) {
		if (extended && !sections[i]->extended)
			put_encoded(&value, sections[i]->value);
		else
			str_buf_put(&value, sections[i]->value.p, sections[i]->value.n);
		sections[i]->section = -2;
	}
	p->section = -1;
	p->extended = extended;
	p->value = str_view(arena_strn(arena, value.p, value.n), value.n);
	str_buf_fini(&value);
}

static void join_sections(struct params *params, struct arena *arena)
{
	size_t n = 0;

	for (size_t i = 0; i < params->n; i++)
		if (params->list[i].section == 0)
			join(params, &params->list[i], arena);
	for (size_t i = 0; i < params->n; i++)
		if (params->list[i].section != -2)
			params->list[n++] = params->list[i];
	params->n = n;
}

void params_read(struct lex *l, struct arena *arena, struct params *params_r)
{
	struct param found[PARAMS_MAX];
	struct params params = {.list = found};
	bool sections = false;

	while (true) {
		while (lex_skip(l) || (l->p < l->end && *l->p == ';'))
			l->p += l->p < l->end && *l->p == ';';
		if (l->p == l->end || params.n == PARAMS_MAX)
			break;
		if (read_one(l, &found[params.n], arena))
			sections |= found[params.n++].section >= 0;
	}
	if (sections)
		join_sections(&params, arena);
	params_r->cut = l->p < l->end;
	params_r->n = params.n;
	params_r->list = arena_copy(arena, found, params.n * sizeof found[0]);
}

bool params_raw(const struct params *params, const char *name, struct str_view *value_r)
{
	for (size_t i = 0; i < params->n; i++) {
		const struct param *p = &params->list[i];

		if (!p->extended && p->section == -1 && strcmp(p->name, name) == 0) {
			*value_r = p->value;
			return true;
		}
	}
	return false;
}

/* charset'language'text with %XX (RFC 2231 4) */
static void put_extended(struct str_buf *out, struct str_view s)
{
	struct str_buf octets = {0};
	char charset[64] = "";
	const char *end = s.p + s.n, *quote = memchr(s.p, '\'', s.n);
	const char *second = quote ? memchr(quote + 1, '\'', (size_t)(end - quote) - 1) : NULL;

	if (second) {
		if ((size_t)(quote - s.p) < sizeof charset)
			memcpy(charset, s.p, (size_t)(quote - s.p));
		s.p = second + 1;
	}
	for (const char *p = s.p; p < end; p++) {
		if (*p == '%' && end - p > 2 && hex_value(p[1]) >= 0 && hex_value(p[2]) >= 0) {
			str_buf_putc(&octets, (char)(hex_value(p[1]) << 4 | hex_value(p[2])));
			p += 2;
		} else {
			str_buf_putc(&octets, *p);
		}
	}
	mime_to_utf8(charset, str_buf_view(&octets), out);
	str_buf_fini(&octets);
}

bool params_text(const struct params *params, const char *name, struct str_buf *out)
{
	struct str_view raw;

	for (size_t i = 0; i < params->n; i++)
		if (params->list[i].extended && strcmp(params->list[i].name, name) == 0) {
			put_extended(out, params->list[i].value);
			return true;
		}
	if (!params_raw(params, name, &raw))
		return false;
	mime_header_decode(raw, out);
	return true;
}

void params_put(const struct params *params, struct str_buf *out)
{
	struct str_buf name = {0};

	if (params->n == 0) {
		str_buf_puts(out, "NIL");
		return;
	}
	for (size_t i = 0; i < params->n; i++) {
		const struct param *p = &params->list[i];

		str_buf_putc(out, i ? ' ' : '(');
		str_buf_clear(&name);
		str_buf_puts(&name, p->name);
		if (p->section >= 0) /* one whose first section is missing */
			str_buf_printf(&name, "*%d", p->section);
		if (p->extended)
			str_buf_putc(&name, '*');
		imaptext_string(out, str_buf_view(&name));
		str_buf_putc(out, ' ');
		imaptext_string(out, p->value);
	}
	str_buf_putc(out, ')');
	str_buf_fini(&name);
}
