/* imapd/incoming_parse.c - append-message of RFC 3502, RFC 4466, RFC 4469 and RFC 6855. */
#include "imapd/incoming.h"

#include "imapd/date.h"

static struct incoming_act *add(struct parse *p, struct incoming_text *text,
    enum incoming_kind kind)
{
	struct incoming_act *act = ARENA_NEW(p->arena, struct incoming_act);

	act->kind = kind;
	*text->acts_end = act;
	text->acts_end = &act->next;
	return act;
}

/* The head of the literal that is still to come, at the end of the text; `at`: what is behind it. */
static bool literal_to_come(struct parse *p, struct incoming_text *text, enum incoming_at at)
{
	struct str_view rest = str_view(p->p, (size_t)(p->end - p->p));
	bool is_utf8 = at == INCOMING_AT_UTF8 || at == INCOMING_AT_LIST_UTF8;
	struct literal_head head;

	if (!read_literal_head(rest, &head) || head.n != rest.n || (is_utf8 && !head.is_binary))
		return parse_bad(p, is_utf8 ? "A binary literal must stand here" :
		        at == INCOMING_AT_BEHIND ? "The message must be a literal" :
		                                   "A literal must stand here");
	p->p = p->end;
	text->at = at;
	struct incoming_act *act = add(p, text, INCOMING_LITERAL);

	act->literal = head;
	act->is_whole = at == INCOMING_AT_BEHIND || at == INCOMING_AT_UTF8;
	return true;
}

static bool utf8_to_come(struct parse *p, struct incoming_text *text, enum incoming_at at)
{
	if (!text->may_utf8)
		return parse_bad(p, "UTF8=ACCEPT is not enabled");
	return parse_space(p) && parse_char(p, '(') && literal_to_come(p, text, at);
}

static bool url(struct parse *p, struct incoming_text *text)
{
	struct str_view url;

	if (!parse_space(p) || !parse_astring(p, &url))
		return false;
	add(p, text, INCOMING_URL)->url = url;
	return true;
}

static bool list_part(struct parse *p, struct incoming_text *text)
{
	if (++text->parts_n > p->limits->list_max)
		return parse_bad(p, "The list is too long");
	if (parse_try_word(p, "TEXT"))
		return parse_space(p) && literal_to_come(p, text, INCOMING_AT_LIST);
	if (parse_try_word(p, "UTF8"))
		return utf8_to_come(p, text, INCOMING_AT_LIST_UTF8);
	if (parse_try_word(p, "URL"))
		return url(p, text);
	return parse_bad(p, "TEXT or URL must stand here");
}

/* Whether a literal ends the text. */
bool incoming_streams(const struct incoming_text *text)
{
	return text->at != INCOMING_AT_MESSAGE;
}

/* The list of CATENATE from one of its parts on, to its ')' or to a literal. */
static bool list_parts(struct parse *p, struct incoming_text *text)
{
	do {
		if (!list_part(p, text))
			return false;
		if (incoming_streams(text))
			return true;
	} while (parse_try(p, ' '));
	add(p, text, INCOMING_END);
	return parse_char(p, ')');
}

static bool catenate(struct parse *p, struct incoming_text *text)
{
	text->parts_n = 0;
	return parse_space(p) && parse_char(p, '(') && list_parts(p, text);
}

static bool date(struct parse *p, struct incoming_act *begin)
{
	struct str_view text;

	return parse_string(p, &text) &&
	    (date_parse_time(text, &begin->idate_ms, &begin->zone_min) ||
	        parse_bad(p, "That is no date and time"));
}

static bool message(struct parse *p, struct incoming_text *text)
{
	struct incoming_act *begin = add(p, text, INCOMING_BEGIN);

	begin->idate_ms = INT64_MIN;
	if (parse_peek(p) == '(' && (!parse_flags(p, false, &begin->list) || !parse_space(p)))
		return false;
	if (parse_peek(p) == '"' && (!date(p, begin) || !parse_space(p)))
		return false;
	if (parse_try_word(p, "CATENATE"))
		return catenate(p, text);
	if (parse_try_word(p, "UTF8"))
		return utf8_to_come(p, text, INCOMING_AT_UTF8);
	return literal_to_come(p, text, INCOMING_AT_BEHIND);
}

/* What belongs to the literal before the text. */
static bool behind_literal(struct parse *p, struct incoming_text *text, enum incoming_at at)
{
	if ((at == INCOMING_AT_UTF8 || at == INCOMING_AT_LIST_UTF8) && !parse_char(p, ')'))
		return false;
	if (at == INCOMING_AT_LIST || at == INCOMING_AT_LIST_UTF8) {
		if (parse_try(p, ' '))
			return list_parts(p, text);
		if (!parse_char(p, ')'))
			return false;
	}
	add(p, text, INCOMING_END);
	return true;
}

bool incoming_parse(struct parse *p, struct incoming_text *text)
{
	enum incoming_at at = text->at;

	text->at = INCOMING_AT_MESSAGE;
	text->acts = NULL;
	text->acts_end = &text->acts;
	if (at == INCOMING_AT_MESSAGE ? !message(p, text) : !behind_literal(p, text, at))
		return false;
	while (!incoming_streams(text) && !parse_at_end(p))
		if (!parse_space(p) || !message(p, text))
			return false;
	return true;
}
