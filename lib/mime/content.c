/* mime/content.c - the Content-* fields (RFC 2045, 2183, 1864, 3282, 2557). */
#include "mime/content_priv.h"
#include "mime/decode.h"
#include "mime/imaptext_priv.h"

#include <string.h>

/* RFC 6838 4.2 */
enum {
	TYPE_NAME_MAX = 127
};

/* Most names are among these: no copy is made of them. */
static const char *const common[] = {"text", "plain", "html", "multipart", "mixed",
    "alternative", "message", "rfc822", "application", "octet-stream", "image", "attachment",
    "inline", "pdf", "related", "signed", "jpeg", "png", "pgp-signature", "digest", "report",
    "calendar"};

static const char *lower_name(struct str_view token, struct arena *arena)
{
	for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
		if (str_equal_nocase(token, str_view(common[i], strlen(common[i]))))
			return common[i];
	char *name = arena_strn(arena, token.p, token.n);

	for (char *c = name; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
	return name;
}

static void collect_type(struct content *c, struct str_view value, struct arena *arena)
{
	struct lex l = lex_of(value);

	if (c->type)
		return;
	lex_skip(&l);
	struct str_view type = lex_token(&l);

	lex_skip(&l);
	if (type.n == 0 || type.n > TYPE_NAME_MAX || l.p == l.end || *l.p++ != '/')
		return; /* RFC 2045 5.2: what makes no sense is as if it were not there */
	lex_skip(&l);
	struct str_view subtype = lex_token(&l);

	if (subtype.n == 0 || subtype.n > TYPE_NAME_MAX)
		return;
	c->type = lower_name(type, arena);
	c->subtype = lower_name(subtype, arena);
	params_read(&l, arena, &c->type_params);
	c->cut |= c->type_params.cut;
}

static void collect_disposition(struct content *c, struct str_view value, struct arena *arena)
{
	struct lex l = lex_of(value);

	if (c->disposition)
		return;
	lex_skip(&l);
	struct str_view token = lex_token(&l);

	if (token.n == 0 && (l.p == l.end || *l.p != ';'))
		return;
	/* RFC 2183 2.8: what is not known is an attachment */
	c->disposition =
	    token.n == 0 || token.n > TYPE_NAME_MAX ? "attachment" : lower_name(token, arena);
	params_read(&l, arena, &c->disposition_params);
	c->cut |= c->disposition_params.cut;
}

static void collect_encoding(struct content *c, struct str_view value, struct arena *arena)
{
	static const char *const names[] = {[MIME_7BIT] = "7bit",
	    [MIME_8BIT] = "8bit",
	    [MIME_BINARY] = "binary",
	    [MIME_QUOTED_PRINTABLE] = "quoted-printable",
	    [MIME_BASE64] = "base64"};
	struct lex l = lex_of(value);

	(void)arena;
	lex_skip(&l);
	struct str_view token = lex_token(&l);

	if (c->encoding_name.p || token.n == 0 || token.n > TYPE_NAME_MAX)
		return;
	c->encoding_name = token;
	c->encoding = MIME_OTHER;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (str_equal_nocase(token, str_view(names[i], strlen(names[i])))) {
			c->encoding_name = str_view(names[i], strlen(names[i]));
			c->encoding = (enum mime_encoding)i;
		}
}

static void collect_id(struct content *c, struct str_view value, struct arena *arena)
{
	(void)arena;
	if (!c->id.p)
		c->id = value;
}

static void collect_description(struct content *c, struct str_view value, struct arena *arena)
{
	(void)arena;
	if (!c->description.p)
		c->description = value;
}

static void collect_md5(struct content *c, struct str_view value, struct arena *arena)
{
	(void)arena;
	if (!c->md5.p)
		c->md5 = value;
}

static void collect_language(struct content *c, struct str_view value, struct arena *arena)
{
	(void)arena;
	if (!c->language.p)
		c->language = value;
}

static void collect_location(struct content *c, struct str_view value, struct arena *arena)
{
	(void)arena;
	if (!c->location.p)
		c->location = value;
}

static const struct {
	const char *name; /* behind "Content-" */
	void (*collect)(struct content *c, struct str_view value, struct arena *arena);
} fields[] = {
    {"type", collect_type},
    {"transfer-encoding", collect_encoding},
    {"disposition", collect_disposition},
    {"id", collect_id},
    {"description", collect_description},
    {"md5", collect_md5},
    {"language", collect_language},
    {"location", collect_location},
};

void content_collect(
    struct content *content, const struct header_field *field, struct arena *arena)
{
	struct str_view rest = field->name;

	if (!str_begins_nocase(rest, SV("content-")))
		return;
	rest.p += 8;
	rest.n -= 8;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (str_equal_nocase(rest, str_view(fields[i].name, strlen(fields[i].name))))
			fields[i].collect(content, field->value, arena);
}

void content_become(struct content *content, const char *type, const char *subtype)
{
	content->type = type;
	content->subtype = subtype;
	content->type_params = (struct params){0};
}

bool content_name(const struct content *content, struct str_buf *out)
{
	return params_text(&content->disposition_params, "filename", out) ||
	       params_text(&content->type_params, "name", out);
}

static void put_unfolded(struct str_buf *out, struct str_view value)
{
	struct str_buf unfolded = {0};

	if (!value.p) {
		str_buf_puts(out, "NIL");
		return;
	}
	mime_header_unfold(value, &unfolded);
	imaptext_string(out, str_buf_view(&unfolded));
	str_buf_fini(&unfolded);
}

/* RFC 2557 4.4: folding may have put blanks into the URL; none belong there. */
static void put_location(struct str_buf *out, struct str_view value)
{
	struct str_buf solid = {0};

	if (!value.p) {
		str_buf_puts(out, "NIL");
		return;
	}
	for (size_t i = 0; i < value.n; i++)
		if (!lex_blank(value.p[i]))
			str_buf_putc(&solid, value.p[i]);
	imaptext_string(out, str_buf_view(&solid));
	str_buf_fini(&solid);
}

/* RFC 3282: one tag is a string, more are a list, none is NIL. */
static void put_language(struct str_buf *out, struct str_view value)
{
	struct lex l = lex_of(value);
	size_t before = out->n, n = 0;

	while (l.p < l.end) {
		lex_skip(&l);
		struct str_view tag = lex_token(&l);

		if (tag.n) {
			str_buf_putc(out, n++ ? ' ' : '(');
			imaptext_string(out, tag);
		} else if (l.p < l.end) {
			l.p++;
		}
	}
	if (n == 0)
		str_buf_puts(out, "NIL");
	else
		str_buf_putc(out, ')');
	if (n == 1) { /* without its parentheses */
		memmove(out->p + before, out->p + before + 1, out->n - before - 2);
		out->n -= 2;
		out->p[out->n] = '\0';
	}
}

static void put_disposition(struct str_buf *out, const struct content *c)
{
	if (!c->disposition) {
		str_buf_puts(out, "NIL");
		return;
	}
	str_buf_putc(out, '(');
	imaptext_string(out, str_view(c->disposition, strlen(c->disposition)));
	str_buf_putc(out, ' ');
	params_put(&c->disposition_params, out);
	str_buf_putc(out, ')');
}

/* A text without a charset is US-ASCII (RFC 2046 4.1.2), and IMAP says so. */
static void put_type_params(struct str_buf *out, const struct content *c)
{
	struct str_buf charset = {0};
	bool text = strcmp(c->type, "text") == 0;

	if (text && !params_text(&c->type_params, "charset", &charset)) {
		str_buf_puts(out, "(\"charset\" \"us-ascii\"");
		if (c->type_params.n == 0) {
			str_buf_putc(out, ')');
		} else {
			size_t at = out->n;

			params_put(&c->type_params, out);
			out->p[at] = ' '; /* one list */
		}
	} else {
		params_put(&c->type_params, out);
	}
	str_buf_fini(&charset);
}

void content_put_front(const struct content *c, struct str_buf *out)
{
	imaptext_string(out, str_view(c->type, strlen(c->type)));
	str_buf_putc(out, ' ');
	imaptext_string(out, str_view(c->subtype, strlen(c->subtype)));
	str_buf_putc(out, ' ');
	put_type_params(out, c);
	str_buf_putc(out, ' ');
	put_unfolded(out, c->id);
	str_buf_putc(out, ' ');
	put_unfolded(out, c->description);
	str_buf_putc(out, ' ');
	imaptext_string(out, c->encoding_name.p ? c->encoding_name : SV("7bit"));
}

void content_put_back(const struct content *c, bool multipart, struct str_buf *out)
{
	if (multipart)
		params_put(&c->type_params, out);
	else
		put_unfolded(out, c->md5);
	str_buf_putc(out, ' ');
	put_disposition(out, c);
	str_buf_putc(out, ' ');
	put_language(out, c->language);
	str_buf_putc(out, ' ');
	put_location(out, c->location);
}
