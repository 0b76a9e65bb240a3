/*
 * deliver/address.c - the grammar of paths, a little wider than RFC 5321's where mail in the world is: dots
 * stand anywhere in a local part, and `_` in a domain.
 */
#include "deliver/address.h"

#include "mime/decode.h"

#include <string.h>

struct cursor {
	const char *p, *end;
};

static bool at_char(const struct cursor *c, char wanted)
{
	return c->p < c->end && *c->p == wanted;
}

static bool skip_char(struct cursor *c, char wanted)
{
	if (!at_char(c, wanted))
		return false;
	c->p++;
	return true;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 5322 3.2.3, the dot, and RFC 6531 3.3: anything beyond ASCII. */
static bool is_atext(char c)
{
	return is_alnum(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~.", c)) || (unsigned char)c >= 128;
}

static bool is_domain_char(char c)
{
	return is_alnum(c) || c == '-' || c == '.' || c == '_' || (unsigned char)c >= 128;
}

/* RFC 5321 4.1.2, Quoted-string; what it means is put into out. */
static bool quoted(struct cursor *c, struct str_buf *out)
{
	if (!skip_char(c, '"'))
		return false;
	while (c->p < c->end && *c->p != '"') {
		if (*c->p == '\\' && ++c->p == c->end)
			return false;
		if ((unsigned char)*c->p < 32 || *c->p == 127)
			return false;
		str_buf_putc(out, *c->p++);
	}
	return skip_char(c, '"') && out->n > 0;
}

static bool local_part(struct cursor *c, struct str_buf *out)
{
	if (at_char(c, '"'))
		return quoted(c, out);
	while (c->p < c->end && is_atext(*c->p))
		str_buf_putc(out, *c->p++);
	return out->n > 0;
}

/* A name, or an address literal "[...]" (RFC 5321 4.1.3). */
static bool domain(struct cursor *c, struct str_buf *out)
{
	bool is_literal = skip_char(c, '[');

	if (is_literal)
		str_buf_putc(out, '[');
	while (c->p < c->end && (is_domain_char(*c->p) || (is_literal && *c->p == ':')))
		str_buf_putc(out, *c->p++);
	if (is_literal) {
		str_buf_putc(out, ']');
		return out->n > 2 && skip_char(c, ']');
	}
	return out->n > 0 && out->p[0] != '.' && out->p[0] != '-';
}

/* "@a,@b:" in front of a mailbox, which is accepted and ignored (RFC 5321 4.1.1.3). */
static bool source_route(struct cursor *c)
{
	struct str_buf ignored = {0};
	bool good = true;

	if (!at_char(c, '@'))
		return true;
	do {
		str_buf_clear(&ignored);
		good = skip_char(c, '@') && domain(c, &ignored);
	} while (good && skip_char(c, ','));
	str_buf_fini(&ignored);
	return good && skip_char(c, ':');
}

static bool mailbox(struct cursor *c, struct arena *arena, struct mail_path *path)
{
	struct str_buf local = {0}, host = {0};
	const char *begin = c->p;
	bool good = local_part(c, &local) && (!skip_char(c, '@') || domain(c, &host));
	struct str_view text = str_view(begin, (size_t)(c->p - begin));

	good = good && mime_utf8_valid(text);
	if (good) {
		path->text = arena_strn(arena, text.p, text.n);
		path->local = arena_strn(arena, local.p, local.n);
		path->domain = arena_strn(arena, host.n ? host.p : "", host.n);
		path->has_utf8 = mime_ascii_n(text) < text.n;
	}
	str_buf_fini(&local);
	str_buf_fini(&host);
	return good;
}

bool mail_path_parse(struct str_view *rest, struct arena *arena, struct mail_path *path_r)
{
	struct cursor c = {rest->p, rest->p + rest->n};
	struct mail_path path = {.text = "", .local = "", .domain = ""};

	if (!skip_char(&c, '<'))
		return false;
	path.is_null = at_char(&c, '>');
	if (!path.is_null && (!source_route(&c) || !mailbox(&c, arena, &path)))
		return false;
	if (!skip_char(&c, '>'))
		return false;
	*rest = str_view(c.p, (size_t)(c.end - c.p));
	*path_r = path;
	return true;
}

bool mail_path_take(const char *text, struct arena *arena, struct mail_path *path_r)
{
	const char *in_brackets = *text == '<' ? text : arena_printf(arena, "<%s>", text);
	struct str_view rest = str_view(in_brackets, strlen(in_brackets));

	return mail_path_parse(&rest, arena, path_r) && rest.n == 0;
}
