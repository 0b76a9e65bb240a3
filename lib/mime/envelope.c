/*
 * mime/envelope.c - ENVELOPE.  Several fields of addresses count as one list (RFC 5322 4.5.3
 * says so of recipients; hiding a second From would be worse than showing it); of other fields
 * the first counts.
 */
#include "mime/envelope_priv.h"
#include "mime/address_priv.h"
#include "mime/decode.h"
#include "mime/imaptext_priv.h"

#include <string.h>

static const struct {
	const char *name;
	bool addresses;
	enum envelope_slot
	    if_missing; /* RFC 9051 7.5.2: sender and reply-to are from's, if need be */
} slots[ENVELOPE_SLOTS] = {
    [ENVELOPE_DATE] = {"date", false, ENVELOPE_NO_SLOT},
    [ENVELOPE_SUBJECT] = {"subject", false, ENVELOPE_NO_SLOT},
    [ENVELOPE_FROM] = {"from", true, ENVELOPE_NO_SLOT},
    [ENVELOPE_SENDER] = {"sender", true, ENVELOPE_FROM},
    [ENVELOPE_REPLY_TO] = {"reply-to", true, ENVELOPE_FROM},
    [ENVELOPE_TO] = {"to", true, ENVELOPE_NO_SLOT},
    [ENVELOPE_CC] = {"cc", true, ENVELOPE_NO_SLOT},
    [ENVELOPE_BCC] = {"bcc", true, ENVELOPE_NO_SLOT},
    [ENVELOPE_IN_REPLY_TO] = {"in-reply-to", false, ENVELOPE_NO_SLOT},
    [ENVELOPE_MESSAGE_ID] = {"message-id", false, ENVELOPE_NO_SLOT},
};

void envelope_collect(
    struct envelope_fields *fields, const struct header_field *field, struct arena *arena)
{
	for (size_t i = 0; i < ENVELOPE_SLOTS; i++) {
		if (!str_equal_nocase(
			field->name, str_view(slots[i].name, strlen(slots[i].name))))
			continue;
		struct envelope_field *f = ARENA_NEW(arena, struct envelope_field);

		f->value = field->value;
		if (!fields->end[i])
			fields->end[i] = &fields->first[i];
		*fields->end[i] = f;
		fields->end[i] = &f->next;
		return;
	}
}

static void put_or_nil(struct str_buf *out, const struct str_buf *b)
{
	if (b->n)
		imaptext_string(out, str_buf_view(b));
	else
		str_buf_puts(out, "NIL");
}

/* (name adl mailbox host).  A NIL host would make it a group (RFC 9051 7.5.2), so none is "".
 */
static void put_address(struct str_buf *out, const struct address_parser *a)
{
	if (a->kind == ADDRESS_GROUP_END) {
		str_buf_puts(out, "(NIL NIL NIL NIL)");
		return;
	}
	if (a->kind == ADDRESS_GROUP) {
		str_buf_puts(out, "(NIL NIL ");
		imaptext_string(out, str_buf_view(&a->name));
		str_buf_puts(out, " NIL)");
		return;
	}
	str_buf_putc(out, '(');
	put_or_nil(out, &a->name);
	str_buf_putc(out, ' ');
	put_or_nil(out, &a->route);
	str_buf_putc(out, ' ');
	imaptext_string(out, str_buf_view(&a->mailbox));
	str_buf_putc(out, ' ');
	imaptext_string(out, str_buf_view(&a->host));
	str_buf_putc(out, ')');
}

/* The addresses of all fields of a slot in parentheses; false, and nothing put, if there are
 * none. */
static bool put_addresses(
    struct str_buf *out, const struct envelope_field *f, size_t bound, bool *cut)
{
	struct address_parser a = {0};
	size_t before = out->n;

	str_buf_putc(out, '(');
	for (; f && !*cut; f = f->next) {
		a.l = lex_of(f->value);
		a.in_group = false;
		a.no_route_before = NULL;
		while (!*cut && address_next(&a)) {
			put_address(out, &a);
			*cut = out->n > bound;
		}
		if (*cut && a.in_group)
			str_buf_puts(out, "(NIL NIL NIL NIL)");
	}
	address_parser_fini(&a);
	if (out->n == before + 1) {
		out->n = before;
		return false;
	}
	str_buf_putc(out, ')');
	return true;
}

static void put_text(struct str_buf *out, const struct envelope_field *f)
{
	struct str_buf unfolded = {0};

	if (!f) {
		str_buf_puts(out, "NIL");
		return;
	}
	if (memchr(f->value.p, '\n', f->value.n)) {
		mime_header_unfold(f->value, &unfolded);
		imaptext_string(out, str_buf_view(&unfolded));
		str_buf_fini(&unfolded);
	} else {
		imaptext_string(out, f->value);
	}
}

bool envelope_put(struct str_buf *out, const struct envelope_fields *fields, size_t bound)
{
	bool cut = false;

	for (size_t i = 0; i < ENVELOPE_SLOTS; i++) {
		enum envelope_slot other = slots[i].if_missing;

		str_buf_putc(out, i ? ' ' : '(');
		if (!slots[i].addresses)
			put_text(out, fields->first[i]);
		else if (!put_addresses(out, fields->first[i], bound, &cut) &&
			 (other == ENVELOPE_NO_SLOT ||
			     !put_addresses(out, fields->first[other], bound, &cut)))
			str_buf_puts(out, "NIL");
	}
	str_buf_putc(out, ')');
	return cut;
}
