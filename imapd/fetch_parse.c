/* imapd/fetch_parse.c - fetch-att of RFC 3501 9, fetch-modifiers of RFC 4466 2.4. */
#include "imapd/fetch.h"

#include "imapd/reply.h"

#include <string.h>

#define FETCH_ALL (FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE | FETCH_ENVELOPE)

static const struct {
	const char *name;
	unsigned items;
} macros[] = {
	{"ALL", FETCH_ALL},
	{"FAST", FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE},
	{"FULL", FETCH_ALL | FETCH_BODY},
};

static const struct {
	const char *name;
	unsigned item;
	unsigned what;
} items[] = {
	{"FLAGS", FETCH_FLAGS, MESSAGE_FLAGS},
	{"UID", FETCH_UID, MESSAGE_FLAGS},
	{"INTERNALDATE", FETCH_INTERNALDATE, MESSAGE_ROW},
	{"RFC822.SIZE", FETCH_SIZE, MESSAGE_ROW},
	{"ENVELOPE", FETCH_ENVELOPE, MESSAGE_ENVELOPE},
	{"BODYSTRUCTURE", FETCH_BODYSTRUCTURE, MESSAGE_BODYSTRUCTURE},
	{"BODY", FETCH_BODY, MESSAGE_BODYSTRUCTURE},
	{"MODSEQ", FETCH_MODSEQ, MESSAGE_FLAGS},
	{"SAVEDATE", FETCH_SAVEDATE, MESSAGE_ROW},
	{"EMAILID", FETCH_EMAILID, MESSAGE_ROW},
	{"THREADID", FETCH_THREADID, MESSAGE_FLAGS},
	{"PREVIEW", FETCH_PREVIEW, MESSAGE_BASIC | MESSAGE_PARTS},
};

static const struct {
	const char *name;
	enum fetch_text text;
	bool marks_seen;
} rfc822[] = {
	{"RFC822", FETCH_WHOLE, true},
	{"RFC822.HEADER", FETCH_HEADER, false},
	{"RFC822.TEXT", FETCH_TEXT, true},
};

static const struct {
	const char *name; /* behind the number and its dot */
	enum fetch_text text;
	bool in_message; /* may stand without a number */
} texts[] = {
	{"HEADER.FIELDS.NOT", FETCH_FIELDS_NOT, true},
	{"HEADER.FIELDS", FETCH_FIELDS, true},
	{"HEADER", FETCH_HEADER, true},
	{"TEXT", FETCH_TEXT, true},
	{"MIME", FETCH_MIME, false},
};
#define N_OF(table) (sizeof(table) / sizeof *(table))

static void add_section(struct fetch_args *args, struct fetch_section *section, bool marks_seen)
{
	args->what |= MESSAGE_BASIC | (section->number.n ? MESSAGE_PARTS : 0);
	args->marks_seen = args->marks_seen || marks_seen;
	*args->sections_end = section;
	args->sections_end = &section->next;
}

/* The word in any case, whatever follows. */
static bool try_prefix(struct parse *p, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(p->end - p->p) < n || strncasecmp(p->p, word, n) != 0)
		return false;
	p->p += n;
	return true;
}

/* "1.2.3", numbers from 1; a dot behind it belongs to what follows. */
static bool section_number(struct parse *p, struct str_view *number_r, bool *dot_r)
{
	const char *from = p->p;

	*dot_r = false;
	while (parse_peek(p) >= '0' && parse_peek(p) <= '9') {
		uint32_t n;

		if (!parse_number(p, &n))
			return false;
		if (n == 0)
			return parse_bad(p, "Parts are counted from 1");
		*number_r = str_view(from, (size_t)(p->p - from));
		*dot_r = parse_try(p, '.');
		if (!*dot_r)
			return true;
	}
	return true;
}

static bool field_list(struct parse *p, struct fetch_section *section)
{
	size_t size = 0;

	if (!parse_space(p) || !parse_char(p, '('))
		return false;
	do {
		if (section->fields_n == p->limits->list_max)
			return parse_bad(p, "The list is too long");
		if (section->fields_n == size) {
			struct str_view *more = ARENA_ARRAY(p->arena, struct str_view,
			    size ? size * 2 : 8);

			if (size)
				memcpy(more, section->fields, size * sizeof *more);
			section->fields = more;
			size = size ? size * 2 : 8;
		}
		if (!parse_astring(p, &section->fields[section->fields_n++]))
			return false;
	} while (parse_try(p, ' '));
	return parse_char(p, ')');
}

bool fetch_parse_section(struct parse *p, struct fetch_section *section, const char **word_r)
{
	bool dot;

	*word_r = "";
	if (!section_number(p, &section->number, &dot))
		return false;
	if (parse_peek(p) == ']')
		return !dot || parse_bad(p, "A section can't end with a dot");
	if (section->number.n && !dot)
		return parse_bad(p, "There is no such section");
	for (size_t i = 0; i < N_OF(texts); i++) {
		if ((!texts[i].in_message && !section->number.n) || !try_prefix(p, texts[i].name))
			continue;
		section->text = texts[i].text;
		*word_r = texts[i].name;
		if (section->text == FETCH_FIELDS || section->text == FETCH_FIELDS_NOT)
			return field_list(p, section);
		return true;
	}
	return parse_bad(p, "There is no such section");
}

static bool partial(struct parse *p, struct fetch_section *section)
{
	if (!parse_try(p, '<'))
		return true;
	section->is_partial = true;
	if (!parse_number(p, &section->from) || !parse_char(p, '.') ||
	    !parse_number(p, &section->octets_max) || !parse_char(p, '>'))
		return false;
	return section->octets_max > 0 || parse_bad(p, "A part of no octets makes no sense");
}

/* "BODY[1.HEADER.FIELDS (To)]<5>" */
static void make_label(struct parse *p, struct fetch_section *section, const char *word)
{
	static const char *const begins[] = {"BODY[", "BINARY[", "BINARY.SIZE["};
	struct str_buf label = {0};

	str_buf_puts(&label, begins[section->form]);
	str_buf_put(&label, section->number.p, section->number.n);
	str_buf_puts(&label, section->number.n && *word ? "." : "");
	str_buf_puts(&label, word);
	for (size_t i = 0; i < section->fields_n; i++) {
		str_buf_puts(&label, i ? " " : " (");
		reply_put_astring(&label, section->fields[i]);
	}
	str_buf_puts(&label, section->fields_n ? ")]" : "]");
	if (section->is_partial)
		str_buf_printf(&label, "<%u>", section->from);
	section->label = str_view(arena_strn(p->arena, label.p, label.n), label.n);
	str_buf_fini(&label);
}

/* Behind "BODY[" or "BODY.PEEK[". */
static bool body_section(struct parse *p, struct fetch_args *args, bool peek)
{
	struct fetch_section *section = ARENA_NEW(p->arena, struct fetch_section);
	const char *word;

	if (!fetch_parse_section(p, section, &word) || !parse_char(p, ']') || !partial(p, section))
		return false;
	make_label(p, section, word);
	add_section(args, section, !peek);
	return true;
}

/* Behind "BINARY[" and its like: a part's number alone (RFC 3516 4.2). */
static bool binary_section(struct parse *p, struct fetch_args *args, enum fetch_form form, bool peek)
{
	struct fetch_section *section = ARENA_NEW(p->arena, struct fetch_section);
	bool dot;

	section->form = form;
	if (!section_number(p, &section->number, &dot))
		return false;
	if (dot || parse_peek(p) != ']')
		return parse_bad(p, "A part's number must stand here");
	p->p++;
	if (form == FETCH_BINARY && !partial(p, section))
		return false;
	make_label(p, section, "");
	add_section(args, section, !peek);
	return true;
}

static bool rfc822_section(struct parse *p, struct fetch_args *args)
{
	for (size_t i = 0; i < N_OF(rfc822); i++) {
		if (!parse_try_word(p, rfc822[i].name))
			continue;
		struct fetch_section *section = ARENA_NEW(p->arena, struct fetch_section);

		section->text = rfc822[i].text;
		section->label = str_view(rfc822[i].name, strlen(rfc822[i].name));
		add_section(args, section, rfc822[i].marks_seen);
		return true;
	}
	return false;
}

static bool one_item(struct parse *p, struct fetch_args *args)
{
	if (try_prefix(p, "BODY["))
		return body_section(p, args, false);
	if (try_prefix(p, "BODY.PEEK["))
		return body_section(p, args, true);
	if (try_prefix(p, "BINARY["))
		return binary_section(p, args, FETCH_BINARY, false);
	if (try_prefix(p, "BINARY.PEEK["))
		return binary_section(p, args, FETCH_BINARY, true);
	if (try_prefix(p, "BINARY.SIZE["))
		return binary_section(p, args, FETCH_BINARY_SIZE, true);
	if (try_prefix(p, "PREVIEW (LAZY)")) {
		args->items |= FETCH_PREVIEW;
		args->what |= MESSAGE_BASIC | MESSAGE_PARTS;
		return true;
	}
	for (size_t i = 0; i < N_OF(items); i++) {
		if (!parse_try_word(p, items[i].name))
			continue;
		args->items |= items[i].item;
		args->what |= items[i].what;
		return true;
	}
	return rfc822_section(p, args) || parse_bad(p, "There is no such item to fetch");
}

static bool macro(struct parse *p, struct fetch_args *args)
{
	for (size_t i = 0; i < N_OF(macros); i++) {
		if (!parse_try_word(p, macros[i].name))
			continue;
		args->items |= macros[i].items;
		for (size_t k = 0; k < N_OF(items); k++)
			args->what |= args->items & items[k].item ? items[k].what : 0;
		return true;
	}
	return false;
}

bool fetch_parse(struct parse *p, struct fetch_args *args)
{
	uint32_t n = 0;

	args->sections_end = &args->sections;
	if (macro(p, args))
		return true;
	if (!parse_try(p, '('))
		return one_item(p, args);
	do {
		if (++n > p->limits->list_max)
			return parse_bad(p, "The list is too long");
		if (!one_item(p, args))
			return false;
	} while (parse_try(p, ' '));
	return parse_char(p, ')');
}

static bool modifier(struct parse *p, struct fetch_args *args)
{
	if (parse_try_word(p, "VANISHED")) {
		args->vanished = true;
		return true;
	}
	if (parse_try_word(p, "PARTIAL")) {
		if (args->partial.from)
			return parse_bad(p, "PARTIAL can stand there once");
		return parse_space(p) && parse_partial(p, &args->partial);
	}
	if (!parse_try_word(p, "CHANGEDSINCE"))
		return parse_bad(p, "There is no such fetch modifier");
	args->items |= FETCH_MODSEQ;
	return parse_space(p) && parse_modseq(p, false, &args->changed_since);
}

bool fetch_parse_modifiers(struct parse *p, struct fetch_args *args)
{
	if (parse_at_end(p))
		return true;
	if (!parse_space(p) || !parse_char(p, '('))
		return false;
	do {
		if (!modifier(p, args))
			return false;
	} while (parse_try(p, ' '));
	return parse_char(p, ')');
}
