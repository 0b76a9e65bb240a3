/* imapd/preview.c - text to a line of at most 200 characters (RFC 8970 3.3).  Computed when it is asked
 * for: it costs one read of one part's beginning. */
#include "imapd/preview.h"

#include "mime/decode.h"

#include <string.h>

#define CHARACTERS_MAX 200
#define RAW_OCTETS_MAX 32768

/* A line that grows: blanks are drawn together, and it ends with its 200th character. */
struct line {
	struct str_buf *out;
	size_t characters;
	bool blank; /* one is due before the next character */
};

static bool is_full(const struct line *line)
{
	return line->characters >= CHARACTERS_MAX;
}

static void put_character(struct line *line, struct str_view c)
{
	if (c.n == 1 && (unsigned char)*c.p <= 0x20) {
		line->blank = line->characters > 0;
		return;
	}
	if (line->blank && line->characters + 1 < CHARACTERS_MAX) {
		str_buf_putc(line->out, ' ');
		line->characters++;
	}
	line->blank = false;
	str_buf_put(line->out, c.p, c.n);
	line->characters++;
}

/* The next character; a no-break space counts as a blank, what is invisible as nothing. */
static void take_character(struct line *line, struct str_view *rest)
{
	const char *from = rest->p;
	enum mime_char kind = mime_char_next(rest);
	struct str_view c = str_view(from, (size_t)(rest->p - from));

	if (kind == MIME_CHAR_BAD || str_equal(c, SV("\xc2\xad")) || str_equal(c, SV("\xe2\x80\x8b")) ||
	    str_equal(c, SV("\xe2\x80\x8c")) || str_equal(c, SV("\xef\xbb\xbf")) || str_equal(c, SV("\x7f")))
		return;
	put_character(line, str_equal(c, SV("\xc2\xa0")) ? SV(" ") : c);
}

static const struct {
	struct str_view name, text;
} entities[] = {
	{SV("&nbsp;"), SV(" ")},
	{SV("&amp;"), SV("&")},
	{SV("&lt;"), SV("<")},
	{SV("&gt;"), SV(">")},
	{SV("&quot;"), SV("\"")},
	{SV("&apos;"), SV("'")},
	{SV("&mdash;"), SV("\xe2\x80\x94")},
	{SV("&ndash;"), SV("\xe2\x80\x93")},
	{SV("&hellip;"), SV("\xe2\x80\xa6")},
	{SV("&rsquo;"), SV("\xe2\x80\x99")},
	{SV("&lsquo;"), SV("\xe2\x80\x98")},
	{SV("&rdquo;"), SV("\xe2\x80\x9d")},
	{SV("&ldquo;"), SV("\xe2\x80\x9c")},
	{SV("&copy;"), SV("\xc2\xa9")},
	{SV("&shy;"), SV("")},
	{SV("&zwnj;"), SV("")},
	{SV("&auml;"), SV("\xc3\xa4")},
	{SV("&ouml;"), SV("\xc3\xb6")},
	{SV("&uuml;"), SV("\xc3\xbc")},
	{SV("&szlig;"), SV("\xc3\x9f")},
	{SV("&eacute;"), SV("\xc3\xa9")},
	{SV("&egrave;"), SV("\xc3\xa8")},
};

static size_t utf8_put(uint32_t c, char to[4])
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 63));
		to[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 63));
	to[2] = (char)(0x80 | (c >> 6 & 63));
	to[3] = (char)(0x80 | (c & 63));
	return 4;
}

/* "&#8217;" or "&#x2019;"; its octets, 0 where it is none. */
static size_t numbered_entity(struct str_view rest, char to[4], size_t *to_n)
{
	bool is_hex = rest.n > 3 && (rest.p[2] | 32) == 'x';
	uint32_t c = 0;
	size_t i = is_hex ? 3 : 2, from = i;

	if (rest.n < 4 || rest.p[1] != '#')
		return 0;
	for (; i < rest.n && i < from + 8 && rest.p[i] != ';'; i++) {
		char digit = rest.p[i] >= 'A' && rest.p[i] <= 'F' ? (char)(rest.p[i] | 32) : rest.p[i];

		if (digit >= '0' && digit <= '9')
			c = c * (is_hex ? 16 : 10) + (uint32_t)(digit - '0');
		else if (is_hex && digit >= 'a' && digit <= 'f')
			c = c * 16 + (uint32_t)(digit - 'a' + 10);
		else
			return 0;
	}
	if (i == from || i == rest.n || rest.p[i] != ';')
		return 0;
	if (c < 0x20 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = 0x20;
	*to_n = utf8_put(c, to);
	return i + 1;
}

static void take_entity(struct line *line, struct str_view *rest)
{
	char made[4];
	size_t made_n, n = numbered_entity(*rest, made, &made_n);
	struct str_view text = str_view(made, n ? made_n : 0);

	for (size_t i = 0; n == 0 && i < sizeof entities / sizeof *entities; i++) {
		if (!str_begins_nocase(*rest, entities[i].name))
			continue;
		text = entities[i].text;
		n = entities[i].name.n;
	}
	if (n == 0) {
		take_character(line, rest);
		return;
	}
	*rest = str_view(rest->p + n, rest->n - n);
	while (text.n && !is_full(line))
		take_character(line, &text);
}

/* Behind the end of an element whose content is not for people, or of all. */
static struct str_view behind_element(struct str_view rest, struct str_view end_tag)
{
	while (rest.n && !str_begins_nocase(rest, end_tag))
		rest = str_view(rest.p + 1, rest.n - 1);
	return rest;
}

/* At '<': a tag, a comment, or what is none after all.  Tags within a line part no words, others do. */
static void take_tag(struct line *line, struct str_view *rest)
{
	static const struct {
		struct str_view begin, end;
	} hidden[] = {
		{SV("<!--"), SV("-->")},
		{SV("<style"), SV("</style")},
		{SV("<script"), SV("</script")},
		{SV("<title"), SV("</title")},
	};
	static const struct str_view in_line[] = {SV("<b>"), SV("<i>"), SV("<u>"), SV("<a "), SV("<em"),
	    SV("<strong"), SV("<span"), SV("<font"), SV("</b>"), SV("</i>"), SV("</u>"), SV("</a>"),
	    SV("</em"), SV("</strong"), SV("</span"), SV("</font")};
	char next = rest->n > 1 ? (char)(rest->p[1] | 32) : ' ';
	bool parts = true;
	const char *end;

	if (!(next >= 'a' && next <= 'z') && next != '/' && next != ('!' | 32) && next != ('?' | 32)) {
		take_character(line, rest);
		return;
	}
	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
		if (str_begins_nocase(*rest, hidden[i].begin))
			*rest = behind_element(*rest, hidden[i].end);
	for (size_t i = 0; i < sizeof in_line / sizeof *in_line; i++)
		parts = parts && !str_begins_nocase(*rest, in_line[i]);
	end = memchr(rest->p, '>', rest->n);
	*rest = end ? str_view(end + 1, (size_t)(rest->p + rest->n - end - 1)) : str_view("", 0);
	if (parts)
		put_character(line, SV(" "));
}

void preview_text(struct str_view utf8, bool is_html, struct str_buf *out)
{
	struct line line = {.out = out};

	while (utf8.n && !is_full(&line)) {
		if (is_html && *utf8.p == '<')
			take_tag(&line, &utf8);
		else if (is_html && *utf8.p == '&')
			take_entity(&line, &utf8);
		else
			take_character(&line, &utf8);
	}
}

/* The first part that is text and no attachment; text/plain before another that stands behind it. */
static const struct mime_part *text_part(const struct mime_part *parts, size_t n)
{
	const struct mime_part *first = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct mime_part *p = &parts[i];

		if (p->kind != MIME_TEXT || p->encoding == MIME_OTHER ||
		    (p->disposition && strcmp(p->disposition, "attachment") == 0))
			continue;
		if (!first || (p->parent == first->parent && strcmp(p->subtype, "plain") == 0 &&
		        strcmp(first->subtype, "plain") != 0))
			first = p;
	}
	return first;
}

int preview_make(struct store *store, const struct message_info *m, struct arena *arena,
    struct str_buf *out, struct err *e)
{
	struct str_buf raw = {0}, plain = {0}, utf8 = {0};
	struct mime_decoder *decoder;
	struct mime_part *parts;
	const struct mime_part *part;
	size_t parts_n, n;
	int r;

	if (mime_parts_unpack(m->parts, arena, &parts, &parts_n, e) != 0)
		return -1;
	part = text_part(parts, parts_n);
	if (!part || part->body_n == 0)
		return 0;
	n = part->body_n < RAW_OCTETS_MAX ? (size_t)part->body_n : RAW_OCTETS_MAX;
	r = content_read(store, m->content, part->body_at, str_buf_room(&raw, n), n, &n, e);
	if (r == 0) {
		decoder = mime_decoder_new(part->encoding);
		mime_decoder_feed(decoder, raw.p, n, &plain);
		mime_decoder_finish(&decoder, &plain);
		mime_to_utf8(part->charset, str_buf_view(&plain), &utf8);
		preview_text(str_buf_view(&utf8), strcmp(part->subtype, "html") == 0, out);
	}
	str_buf_fini(&raw);
	str_buf_fini(&plain);
	str_buf_fini(&utf8);
	return r;
}
