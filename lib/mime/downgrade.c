/*
 * mime/downgrade.c - the fields of a header in UTF-8, each by its kind (RFC 6857 3.2).
 *
 * Signatures over a header that is told otherwise than it was sent can't hold; who checks them knows UTF-8.
 */
#include "mime/downgrade.h"
#include "mime/address_priv.h"
#include "mime/decode.h"
#include "mime/encode_priv.h"
#include "mime/idn.h"
#include "mime/params_priv.h"

#include <string.h>

typedef bool downgrade_field(const struct header_field *field, struct str_buf *out);

static bool is_ascii(struct str_view s)
{
	return mime_ascii_n(s) == s.n;
}

static bool is_atext(char c)
{
	return (unsigned char)c > 0x20 && (unsigned char)c < 0x7f && !strchr("()<>[]:;@\\,.\"", c);
}

/* RFC 5322 3.2.3 */
static bool is_dot_atom(struct str_view s)
{
	bool after_dot = true;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' ? after_dot : !is_atext(s.p[i]))
			return false;
		after_dot = s.p[i] == '.';
	}
	return !after_dot;
}

/* Everything in encoded words (RFC 6857 3.1.1). */
static bool put_unstructured(const struct header_field *field, struct str_buf *out)
{
	struct str_buf text = {0};

	mime_header_value(field->value, &text);
	str_buf_put(out, field->name.p, field->name.n);
	str_buf_putc(out, ':');
	encode_text(str_buf_view(&text), out);
	str_buf_puts(out, "\r\n");
	str_buf_fini(&text);
	return true;
}

/* --- addresses (RFC 6857 3.2.1) ------------------------------------------------------------ */

/* <local@domain> in ASCII; false: it can't be. */
static bool address_in_ascii(const struct address_parser *a, struct str_buf *out)
{
	struct str_view local = str_buf_view(&a->mailbox), domain = str_buf_view(&a->host);
	bool is_good = true;

	if (!is_ascii(local))
		return false;
	str_buf_putc(out, '<');
	if (is_dot_atom(local) || (local.n == 0 && domain.n == 0))
		str_buf_put(out, local.p, local.n);
	else
		encode_quoted(local, out);
	if (domain.n) {
		str_buf_putc(out, '@');
		if (is_ascii(domain))
			str_buf_put(out, domain.p, domain.n);
		else
			is_good = idn_ascii(str_view(domain.p, domain.n - (domain.p[domain.n - 1] == '.')), out); /* not the root's dot */
	}
	str_buf_putc(out, '>');
	return is_good;
}

static void put_name(const struct str_buf *name, struct str_buf *out)
{
	struct str_buf text = {0};

	mime_header_value(str_buf_view(name), &text);
	if (text.n)
		encode_phrase(str_buf_view(&text), out);
	str_buf_fini(&text);
}

/*
 * A local part beyond ASCII: the address is told as an empty group's name, which can't be answered to (RFC 6857
 * 3.1.8).  Groups don't stand in groups; there it is the name of an address that can't be (RFC 6858 2.1).
 */
static void put_untellable(const struct address_parser *a, struct str_buf *out)
{
	static const char no_address[] = "<invalid@internationalized.invalid>";
	struct str_buf text = {0};

	mime_header_value(str_buf_view(&a->name), &text);
	str_buf_puts(&text, text.n ? " <" : "<");
	str_buf_put(&text, a->mailbox.p, a->mailbox.n);
	if (a->host.n) {
		str_buf_putc(&text, '@');
		str_buf_put(&text, a->host.p, a->host.n);
	}
	str_buf_putc(&text, '>');
	encode_phrase(str_buf_view(&text), out);
	if (a->in_group) {
		encode_blank(out, sizeof no_address - 1);
		str_buf_puts(out, no_address);
	} else {
		str_buf_puts(out, " :;");
	}
	str_buf_fini(&text);
}

static void put_mailbox(const struct address_parser *a, struct str_buf *out)
{
	struct str_buf address = {0};

	if (address_in_ascii(a, &address)) {
		put_name(&a->name, out);
		encode_blank(out, address.n);
		str_buf_put(out, address.p, address.n);
	} else {
		put_untellable(a, out);
	}
	str_buf_fini(&address);
}

static bool put_addresses(const struct header_field *field, struct str_buf *out)
{
	struct address_parser a = {.l = lex_of(field->value)};
	bool is_first = true;

	str_buf_put(out, field->name.p, field->name.n);
	str_buf_putc(out, ':');
	while (address_next(&a)) {
		if (a.kind == ADDRESS_GROUP_END) {
			str_buf_putc(out, ';');
			continue;
		}
		if (!is_first)
			str_buf_putc(out, ',');
		is_first = a.kind == ADDRESS_GROUP;
		if (a.kind == ADDRESS_MAILBOX) {
			put_mailbox(&a, out);
		} else {
			put_name(&a.name, out);
			str_buf_putc(out, ':');
		}
	}
	address_parser_fini(&a);
	str_buf_puts(out, "\r\n");
	return true;
}

/* --- the others ---------------------------------------------------------------------------- */

static void put_param(const struct param *param, struct str_buf *out)
{
	if (param->section >= 0) /* its first section is missing */
		return;
	if (param->extended) {
		encode_extended(param->name, param->value, out);
	} else if (!is_ascii(param->value)) {
		encode_parameter(param->name, param->value, out);
	} else {
		str_buf_printf(out, ";\r\n\t%s=", param->name);
		encode_quoted(param->value, out);
	}
}

/* RFC 6857 3.1.4: a value, and parameters. */
static bool put_mime_value(const struct header_field *field, struct str_buf *out)
{
	struct lex l = lex_of(field->value);
	const char *end = memchr(field->value.p, ';', field->value.n);
	struct str_view value = str_trim(str_view(l.p, end ? (size_t)(end - l.p) : field->value.n));
	struct arena arena = {0};
	struct params params;

	if (!is_ascii(value))
		return false;
	str_buf_put(out, field->name.p, field->name.n);
	str_buf_puts(out, ": ");
	mime_header_unfold(value, out);
	l.p += end ? (size_t)(end - l.p) : field->value.n;
	params_read(&l, &arena, &params);
	for (size_t i = 0; i < params.n; i++)
		if (is_ascii(str_view(params.list[i].name, strlen(params.list[i].name))))
			put_param(&params.list[i], out);
	str_buf_puts(out, "\r\n");
	arena_fini(&arena);
	return true;
}

/* The clause "for <whom>" of a Received field; n 0: there is none in ASCII around it. */
static struct str_view for_clause(struct str_view value)
{
	struct lex l = lex_of(value);
	struct str_view inside;

	while (l.p < l.end) {
		const char *begin = l.p;

		if (lex_skip(&l) || (*l.p == '"' && lex_quoted(&l, &inside)))
			continue;
		while (l.p < l.end && !lex_blank(*l.p) && *l.p != '(' && *l.p != ';')
			l.p++;
		if (l.p == begin)
			l.p++;
		if (str_equal_nocase(str_view(begin, (size_t)(l.p - begin)), SV("for"))) {
			lex_skip(&l);
			while (l.p < l.end && !lex_blank(*l.p) && *l.p != ';')
				l.p++;
			return str_view(begin, (size_t)(l.p - begin));
		}
	}
	return str_view(value.p, 0);
}

/* RFC 6857 3.2.4: for whom it was is left out. */
static bool put_received(const struct header_field *field, struct str_buf *out)
{
	struct str_view whom = for_clause(field->value), before, behind;

	before = str_view(field->value.p, (size_t)(whom.p - field->value.p));
	behind = str_view(whom.p + whom.n, field->value.n - before.n - whom.n);
	if (whom.n == 0 || !is_ascii(before) || !is_ascii(behind))
		return false;
	before = str_trim(before);
	behind = str_trim(behind);
	str_buf_put(out, field->name.p, field->name.n);
	str_buf_puts(out, ": ");
	str_buf_put(out, before.p, before.n);
	if (behind.n && *behind.p != ';')
		str_buf_putc(out, ' ');
	str_buf_put(out, behind.p, behind.n);
	str_buf_puts(out, "\r\n");
	return true;
}

/* RFC 6857 3.1.10: nothing of its own kind is left of it. */
static bool put_encapsulated(const struct header_field *field, struct str_buf *out)
{
	str_buf_puts(out, "Downgraded-");
	return put_unstructured(field, out);
}

static const struct {
	const char *name;
	downgrade_field *downgrade;
} kinds[] = {
    {"From", put_addresses}, {"Sender", put_addresses}, {"Reply-To", put_addresses},
    {"To", put_addresses}, {"Cc", put_addresses}, {"Bcc", put_addresses},
    {"Resent-From", put_addresses}, {"Resent-Sender", put_addresses}, {"Resent-Reply-To", put_addresses},
    {"Resent-To", put_addresses}, {"Resent-Cc", put_addresses}, {"Resent-Bcc", put_addresses},
    {"Disposition-Notification-To", put_addresses},
    {"Content-Type", put_mime_value}, {"Content-Disposition", put_mime_value},
    {"Received", put_received},
    {"Return-Path", put_encapsulated}, {"Message-ID", put_encapsulated},
    {"Resent-Message-ID", put_encapsulated}, {"In-Reply-To", put_encapsulated},
    {"References", put_encapsulated}, {"Content-ID", put_encapsulated}, {"Date", put_encapsulated},
    {"Content-Transfer-Encoding", put_encapsulated}, {"MIME-Version", put_encapsulated},
    {"Original-Recipient", put_encapsulated}, {"Final-Recipient", put_encapsulated},
};

static void put_field(const struct header_field *field, struct str_buf *out)
{
	downgrade_field *downgrade = put_unstructured;
	size_t before = out->n;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (str_equal_nocase(field->name, str_view(kinds[i].name, strlen(kinds[i].name))))
			downgrade = kinds[i].downgrade;
	if (!downgrade(field, out)) {
		out->n = before;
		put_encapsulated(field, out);
	}
}

/* A field in UTF-8.  A line that is none stays as it is, as in any header. */
static bool utf8_field(struct str_view line, struct header_field *field)
{
	return !is_ascii(line) && mime_utf8_valid(line) && header_next(&line, field);
}

bool mime_header_is_utf8(struct str_view header)
{
	struct str_view line;
	struct header_field field;

	if (is_ascii(header))
		return false;
	while (header_line_next(&header, &line))
		if (utf8_field(line, &field))
			return true;
	return false;
}

void mime_header_downgrade(struct str_view header, struct str_buf *out)
{
	struct str_view line;
	struct header_field field;

	while (header_line_next(&header, &line))
		if (utf8_field(line, &field))
			put_field(&field, out);
		else
			str_buf_put(out, line.p, line.n);
}
