/*
 * mime/slug.c - names for files.  What stays is letters with their marks, digits and "-_@+.";
 * all else is '_', one for any number: so no blank, slash, quote, control or bidi character is
 * ever in one.
 */
#include "mime/slug_priv.h"
#include "mime/address_priv.h"
#include "mime/decode.h"

#include <string.h>
#include <unictype.h>
#include <unistr.h>

static bool keep(ucs4_t uc)
{
	if (uc < 0x80)
		return (uc >= '0' && uc <= '9') || ((uc | 0x20) >= 'a' && (uc | 0x20) <= 'z') ||
		       (uc && strchr("-_@+.", (int)uc));
	if (uc_is_property_default_ignorable_code_point(uc))
		return false; /* zero-width fillers and selectors count as letters or marks */
	return uc_is_general_category_withtable(
	    uc, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_N);
}

static bool edge(char c)
{
	return c == '.' || c == '-' || c == '_';
}

/* Appends at most max bytes of text (UTF-8). */
static void put_safe(struct str_buf *out, struct str_view text, size_t max)
{
	size_t begin = out->n;
	const uint8_t *p = (const uint8_t *)text.p, *end = p + text.n;

	while (p < end) {
		ucs4_t uc;
		int n = u8_mbtouc(&uc, p, (size_t)(end - p));
		bool kept = keep(uc) && uc != '_';

		if (out->n - begin + (kept ? (size_t)n : 1) > max)
			break;
		if (kept && !(out->n == begin && uc < 0x80 && edge((char)uc)))
			str_buf_put(out, p, (size_t)n);
		else if (!kept && out->n > begin && out->p[out->n - 1] != '_')
			str_buf_putc(out, '_');
		p += n;
	}
	while (out->n > begin && edge(out->p[out->n - 1]))
		out->n--;
	if (out->p)
		out->p[out->n] = '\0';
}

/* As NFC; what is cut off before needs no normalising. */
static void put_text(struct str_buf *out, struct str_view utf8, size_t max)
{
	struct str_buf nfc = {0};
	size_t n = utf8.n < 4 * SLUG_MAX ? utf8.n : 4 * SLUG_MAX;

	while (n < utf8.n && n > 0 && ((unsigned char)utf8.p[n] & 0xc0) == 0x80)
		n--;
	if (mime_nfc(str_view(utf8.p, n), &nfc))
		put_safe(out, str_buf_view(&nfc), max);
	str_buf_fini(&nfc);
}

void mime_slug(struct str_view utf8, size_t max, struct str_buf *out)
{
	put_text(out, utf8, max);
}

static void put_local_part(struct str_buf *out, struct str_view from)
{
	struct address_parser a = {.l = lex_of(from)};
	struct str_buf utf8 = {0};

	while (address_next(&a) && a.kind != ADDRESS_MAILBOX)
		continue;
	if (a.kind == ADDRESS_MAILBOX) {
		mime_to_utf8("", str_buf_view(&a.mailbox), &utf8);
		put_text(out, str_buf_view(&utf8), SLUG_FROM_MAX);
	}
	str_buf_fini(&utf8);
	address_parser_fini(&a);
}

const char *slug_make(struct str_view from, struct str_view subject, struct arena *arena)
{
	struct str_buf slug = {0}, decoded = {0};
	const char *result;

	if (from.p)
		put_local_part(&slug, from);
	if (subject.p) {
		size_t before = slug.n;

		/* no more octets than could ever show */
		mime_header_decode(
		    str_view(subject.p, subject.n < 8000 ? subject.n : 8000), &decoded);
		if (before)
			str_buf_putc(&slug, '.');
		put_text(&slug, str_buf_view(&decoded), SLUG_MAX - slug.n);
		if (slug.n == before + 1 && before)
			slug.n = before;
	}
	result = slug.n ? arena_strn(arena, slug.p, slug.n) : "message";
	str_buf_fini(&decoded);
	str_buf_fini(&slug);
	return result;
}

const char *slug_line(struct str_buf *text, size_t max_bytes, struct arena *arena)
{
	size_t n = 0;

	for (size_t i = 0; i < text->n; i++) {
		char c = text->p[i];

		if (c != '\0')
			text->p[n++] = (unsigned char)c < 32 || c == 127 ? ' ' : c;
	}
	if (n > max_bytes)
		for (n = max_bytes; n > 0 && ((unsigned char)text->p[n] & 0xc0) == 0x80;)
			n--;
	return arena_strn(arena, text->p ? text->p : "", n);
}

const char *slug_text(struct str_view value, size_t max_bytes, struct arena *arena)
{
	struct str_buf unfolded = {0}, text = {0};

	/* no more octets than could ever show */
	mime_header_unfold(
	    str_view(value.p, value.n < 8 * max_bytes ? value.n : 8 * max_bytes), &unfolded);
	mime_header_decode(str_buf_view(&unfolded), &text);
	const char *line = slug_line(&text, max_bytes, arena);

	str_buf_fini(&text);
	str_buf_fini(&unfolded);
	return line;
}
