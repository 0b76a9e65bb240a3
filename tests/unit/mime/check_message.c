/* tests/unit/mime/check_message.c - invariants of any scan, and a strict reader of what it wrote. */
#include "check_message.h"

#include "mime/decode.h"
#include "mime/eol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void scan_octets(struct str_view octets, size_t slice_n, const struct mime_caps *caps,
    struct arena *arena, struct mime_message *m)
{
	struct mime_scan *scan = mime_scan_new(caps);

	if (slice_n == 0)
		slice_n = octets.n ? octets.n : 1;
	for (size_t at = 0; at < octets.n; at += slice_n) {
		size_t n = octets.n - at < slice_n ? octets.n - at : slice_n;
		char *exact = malloc(n); /* so that a sanitizer sees a read past the slice */

		memcpy(exact, octets.p + at, n);
		mime_scan_feed(scan, exact, n);
		free(exact);
	}
	mime_scan_finish(&scan, arena, m);
}

/* A reader of IMAP text: each function moves at, and says false where the grammar is broken. */
struct reader {
	const char *p, *end;
	const char *why;
};

static bool bad(struct reader *r, const char *why)
{
	if (!r->why)
		r->why = why;
	return false;
}

static bool octet(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return bad(r, c == ' ' ? "blank expected" : c == '(' ? "( expected" : ") expected");
	r->p++;
	return true;
}

static bool number(struct reader *r)
{
	const char *from = r->p;

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	return r->p > from || bad(r, "number expected");
}

static bool quoted(struct reader *r, struct str_view *s)
{
	const char *from = r->p + 1;

	for (r->p++; r->p < r->end && *r->p != '"'; r->p++) {
		if (*r->p == '\\' && (++r->p == r->end || (*r->p != '"' && *r->p != '\\')))
			return bad(r, "bad escape");
		if (*r->p == '\0' || *r->p == '\r' || *r->p == '\n' || (*r->p & 0x80))
			return bad(r, "octet that can't be quoted");
	}
	if (r->p == r->end)
		return bad(r, "quote not closed");
	*s = str_view(from, (size_t)(r->p++ - from));
	return true;
}

static bool string(struct reader *r, struct str_view *s)
{
	if (r->p < r->end && *r->p == '"')
		return quoted(r, s);
	if (r->p == r->end || *r->p != '{')
		return bad(r, "string expected");
	size_t n = strtoul(r->p + 1, NULL, 10);

	r->p++;
	if (!number(r) || r->end - r->p < 3 || memcmp(r->p, "}\r\n", 3) != 0)
		return bad(r, "bad literal");
	r->p += 3;
	if (n > (size_t)(r->end - r->p) || memchr(r->p, '\0', n))
		return bad(r, "literal too long, or with NUL");
	*s = str_view(r->p, n);
	r->p += n;
	return true;
}

static bool nil(struct reader *r)
{
	if (r->end - r->p < 3 || memcmp(r->p, "NIL", 3) != 0)
		return false;
	r->p += 3;
	return true;
}

static bool nstring(struct reader *r)
{
	struct str_view s;

	return nil(r) || string(r, &s);
}

static bool sp_nstring(struct reader *r)
{
	return octet(r, ' ') && nstring(r);
}

static bool addresses(struct reader *r)
{
	if (nil(r))
		return true;
	if (!octet(r, '('))
		return false;
	do {
		if (!octet(r, '(') || !nstring(r) || !sp_nstring(r) || !sp_nstring(r) ||
		    !sp_nstring(r) || !octet(r, ')'))
			return false;
	} while (r->p < r->end && *r->p == '(');
	return octet(r, ')');
}

static bool envelope(struct reader *r)
{
	if (!octet(r, '(') || !nstring(r) || !sp_nstring(r))
		return false;
	for (int i = 0; i < 6; i++)
		if (!octet(r, ' ') || !addresses(r))
			return false;
	return sp_nstring(r) && sp_nstring(r) && octet(r, ')');
}

static bool parameters(struct reader *r)
{
	struct str_view s;
	bool name = true;

	if (nil(r))
		return true;
	if (!octet(r, '('))
		return false;
	while (true) {
		if (!string(r, &s))
			return false;
		name = !name;
		if (r->p < r->end && *r->p == ')')
			return (name && octet(r, ')')) || bad(r, "name without value");
		if (!octet(r, ' '))
			return false;
	}
}

static bool disposition(struct reader *r)
{
	struct str_view s;

	return nil(r) ||
	       (octet(r, '(') && string(r, &s) && octet(r, ' ') && parameters(r) && octet(r, ')'));
}

static bool language(struct reader *r)
{
	struct str_view s;

	if (r->p == r->end || *r->p != '(')
		return nstring(r);
	for (r->p++; string(r, &s);) {
		if (r->p < r->end && *r->p == ')')
			return octet(r, ')');
		if (!octet(r, ' '))
			return false;
	}
	return false;
}

static bool extension(struct reader *r)
{
	return octet(r, ' ') && disposition(r) && octet(r, ' ') && language(r) && sp_nstring(r);
}

static bool body(struct reader *r, bool extended)
{
	struct str_view type, subtype;

	if (!octet(r, '('))
		return false;
	if (r->p < r->end && *r->p == '(') {
		while (r->p < r->end && *r->p == '(')
			if (!body(r, extended))
				return false;
		if (!octet(r, ' ') || !string(r, &subtype))
			return false;
		if (extended && !(octet(r, ' ') && parameters(r) && extension(r)))
			return false;
		return octet(r, ')');
	}
	if (!string(r, &type) || !octet(r, ' ') || !string(r, &subtype) || !octet(r, ' ') ||
	    !parameters(r) || !sp_nstring(r) || !sp_nstring(r) || !octet(r, ' ') ||
	    !string(r, &(struct str_view){0}) || !octet(r, ' ') || !number(r))
		return false;
	if (str_equal(type, SV("multipart")))
		return bad(r, "multipart without children");
	if (str_equal(type, SV("message")) && str_equal(subtype, SV("rfc822")) &&
	    !(octet(r, ' ') && envelope(r) && octet(r, ' ') && body(r, extended) && octet(r, ' ') &&
		number(r)))
		return false;
	if (str_equal(type, SV("text")) && !(octet(r, ' ') && number(r)))
		return false;
	return (!extended || (sp_nstring(r) && extension(r))) && octet(r, ')');
}

static const char *verdict(struct reader *r, bool good)
{
	if (good && r->p != r->end)
		return "text behind the end";
	return good ? NULL : r->why ? r->why : "bad";
}

const char *check_envelope(struct str_view text)
{
	struct reader r = {text.p, text.p + text.n, NULL};

	return verdict(&r, envelope(&r));
}

const char *check_body(struct str_view text, bool extended)
{
	struct reader r = {text.p, text.p + text.n, NULL};

	return verdict(&r, body(&r, extended));
}

static const char *check_part(const struct mime_message *m, size_t i)
{
	const struct mime_part *p = &m->parts[i], *parent = &m->parts[p->parent];
	uint64_t end = p->body_at + p->body_n;

	if (p->body_at != p->header_at + p->header_n || end > m->size)
		return "a part's offsets lie";
	if (p->lines > p->body_n)
		return "more lines than octets";
	if (!mime_utf8_valid(str_view(p->name ? p->name : "", p->name ? strlen(p->name) : 0)))
		return "a name is no UTF-8";
	if (i == 0)
		return p->parent || p->header_at ? "part 0 is not the message" : NULL;
	if (p->parent >= i || p->depth != parent->depth + 1)
		return "the tree is no tree";
	if (p->header_at < parent->body_at || p->header_at < m->parts[i - 1].header_at)
		return "a part before its parent or its elder sister";
	if (p->body_n && end > parent->body_at + parent->body_n)
		return "a part ends behind its parent";
	return NULL;
}

static const char *check_numbers(const struct mime_message *m)
{
	struct str_buf number = {0};
	const char *why = NULL;

	for (size_t i = 1; i < m->parts_n && !why; i++) {
		size_t found = 0, expect = i;

		str_buf_clear(&number);
		mime_part_number(m->parts, i, &number);
		if (m->parts[i].kind == MIME_MULTIPART &&
		    m->parts[m->parts[i].parent].kind == MIME_MESSAGE)
			expect = m->parts[i].parent; /* it has no number of its own */
		if (!mime_part_find(m->parts, m->parts_n, str_buf_view(&number), &found) ||
		    found != expect)
			why = "a part's number does not find it";
		if (i > 300)
			break; /* finding is linear */
	}
	str_buf_fini(&number);
	return why;
}

static bool same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_part(const struct mime_part *a, const struct mime_part *b)
{
	return a->parent == b->parent && a->ordinal == b->ordinal && a->depth == b->depth &&
	       a->header_at == b->header_at && a->header_n == b->header_n &&
	       a->body_at == b->body_at && a->body_n == b->body_n && a->lines == b->lines &&
	       a->kind == b->kind && a->encoding == b->encoding &&
	       same_string(a->type, b->type) && same_string(a->subtype, b->subtype) &&
	       same_string(a->charset, b->charset) && same_string(a->name, b->name) &&
	       same_string(a->disposition, b->disposition);
}

static const char *check_packing(const struct mime_message *m)
{
	struct str_buf blob = {0};
	struct arena arena = {0};
	struct mime_part *parts;
	struct err e = {0};
	size_t n;
	const char *why = NULL;

	mime_parts_pack(m, &blob);
	if (mime_parts_unpack(str_buf_view(&blob), &arena, &parts, &n, &e) < 0)
		why = "packed parts can't be unpacked";
	else if (n != m->parts_n)
		why = "packing loses parts";
	for (size_t i = 0; !why && i < n; i++)
		if (!same_part(&parts[i], &m->parts[i]))
			why = "packing changes a part";
	arena_fini(&arena);
	str_buf_fini(&blob);
	return why;
}

static const char *check_slug(const char *slug)
{
	size_t n = strlen(slug);

	if (n == 0 || n > 120 || slug[0] == '.' || slug[0] == '-')
		return "a slug of no length, or that begins wrong";
	if (!mime_utf8_valid(str_view(slug, n)) || strpbrk(slug, " /\\\"'\r\n\t<>|&;*?") ||
	    strstr(slug, "__"))
		return "a slug that is not safe";
	return NULL;
}

const char *check_message(const struct mime_message *m)
{
	const char *why = check_envelope(m->envelope);
	struct str_buf short_body = {0};

	if (!why)
		why = check_body(m->bodystructure, true);
	if (!why) {
		mime_body_from_bodystructure(m->bodystructure, &short_body);
		why = check_body(str_buf_view(&short_body), false);
	}
	str_buf_fini(&short_body);
	for (size_t i = 0; !why && i < m->parts_n; i++)
		why = check_part(m, i);
	if (!why)
		why = check_slug(m->slug);
	if (!why && (!mime_utf8_valid(str_view(m->subject, strlen(m->subject))) ||
			!mime_utf8_valid(str_view(m->from, strlen(m->from)))))
		why = "subject or from is no UTF-8";
	if (!why)
		why = check_packing(m);
	return why ? why : check_numbers(m);
}

const char *check_same(const struct mime_message *a, const struct mime_message *b)
{
	if (a->size != b->size || a->header_n != b->header_n || a->parts_n != b->parts_n ||
	    a->capped != b->capped)
		return "sizes differ";
	for (size_t i = 0; i < a->parts_n; i++)
		if (!same_part(&a->parts[i], &b->parts[i]))
			return "a part differs";
	if (!str_equal(a->envelope, b->envelope))
		return "ENVELOPE differs";
	if (!str_equal(a->bodystructure, b->bodystructure))
		return "BODYSTRUCTURE differs";
	if (a->sent_ms != b->sent_ms || a->sent_zone_min != b->sent_zone_min ||
	    !same_string(a->slug, b->slug) || !same_string(a->subject, b->subject) ||
	    !same_string(a->from, b->from) || !same_string(a->message_id, b->message_id))
		return "what is for people differs";
	return NULL;
}

/* Slices of 1 to 16 octets mostly, now and then a long one. */
static size_t next_slice(unsigned *seed, size_t left)
{
	*seed = *seed * 1103515245u + 12345u;
	size_t n = 1 + (*seed >> 16) % 16;

	if ((*seed >> 8) % 8 == 0)
		n *= 100;
	return n < left ? n : left;
}

static bool is_crlf_form(struct str_view s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			return false;
	return true;
}

const char *check_eol(struct str_view octets, unsigned seed)
{
	struct str_buf crlf = {0}, back = {0};
	struct eol_in in = {0};
	const char *why = NULL;

	for (size_t at = 0, n; at < octets.n; at += n) {
		n = next_slice(&seed, octets.n - at);
		eol_in_feed(&in, octets.p + at, n, &crlf);
	}
	eol_in_finish(&in, &crlf);
	struct eol_out out = {.to = eol_in_kind(&in), .exceptions = str_buf_view(&in.exceptions)};

	for (size_t at = 0, n; at < crlf.n; at += n) {
		n = next_slice(&seed, crlf.n - at);
		eol_out_feed(&out, crlf.p + at, n, &back);
	}
	eol_out_finish(&out, &back);
	if (!is_crlf_form(str_buf_view(&crlf)))
		why = "not in CRLF form";
	else if (in.at != crlf.n || in.size_in != octets.n || in.at != in.size_in + in.lf_n)
		why = "the normaliser counts wrong";
	else if (!in.exceptions_full && !str_equal(str_buf_view(&back), octets))
		why = "line ends do not come back";
	else if (eol_in_size_back(&in) != back.n)
		why = "the size on the way back is wrong";
	eol_in_fini(&in);
	str_buf_fini(&crlf);
	str_buf_fini(&back);
	return why;
}

const char *check_decoders(struct str_view octets)
{
	const char *why = NULL;

	for (int encoding = MIME_7BIT; encoding <= MIME_OTHER && !why; encoding++) {
		struct str_buf whole = {0}, sliced = {0};
		struct mime_decoder *d = mime_decoder_new((enum mime_encoding)encoding);

		mime_decoder_feed(d, octets.p, octets.n, &whole);
		mime_decoder_finish(&d, &whole);
		d = mime_decoder_new((enum mime_encoding)encoding);
		for (size_t i = 0; i < octets.n; i++)
			mime_decoder_feed(d, octets.p + i, 1, &sliced);
		mime_decoder_finish(&d, &sliced);
		if (!str_equal(str_buf_view(&whole), str_buf_view(&sliced)))
			why = "a decoder depends on slices";
		str_buf_fini(&whole);
		str_buf_fini(&sliced);
	}
	return why;
}
