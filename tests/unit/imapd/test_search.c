/* imapd/search_parse: the client's words as the store's tree, written down in prefix form. */
#include "imapd/search_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *const kind_names[] = {
	[SEARCH_ALL] = "all", [SEARCH_AND] = "and", [SEARCH_OR] = "or", [SEARCH_NOT] = "not",
	[SEARCH_UIDS] = "uids", [SEARCH_FLAG] = "flag", [SEARCH_KEYWORD] = "keyword",
	[SEARCH_HEADER] = "header", [SEARCH_ADDRESS] = "address", [SEARCH_BODY] = "body",
	[SEARCH_TEXT] = "text", [SEARCH_LARGER] = "larger", [SEARCH_SMALLER] = "smaller",
	[SEARCH_BEFORE] = "before", [SEARCH_ON] = "on", [SEARCH_SINCE] = "since",
	[SEARCH_SENT_BEFORE] = "sentbefore", [SEARCH_SENT_ON] = "senton",
	[SEARCH_SENT_SINCE] = "sentsince", [SEARCH_MODSEQ] = "modseq",
	[SEARCH_SAVED_BEFORE] = "savedbefore", [SEARCH_SAVED_ON] = "savedon",
	[SEARCH_SAVED_SINCE] = "savedsince", [SEARCH_OLDER] = "older", [SEARCH_YOUNGER] = "younger",
	[SEARCH_EMAILID] = "emailid",
};

static void put_key(struct str_buf *out, const struct search_key *key)
{
	str_buf_puts(out, kind_names[key->kind]);
	if (key->flags)
		str_buf_printf(out, " %u", key->flags);
	if (key->name)
		str_buf_printf(out, " %s", key->name);
	if (key->text.p)
		str_buf_printf(out, " '%.*s'", (int)key->text.n, key->text.p);
	if (key->number)
		str_buf_printf(out, " %lu", (unsigned long)key->number);
	if (key->day)
		str_buf_printf(out, " %d", key->day);
	if (!key->children)
		return;
	str_buf_putc(out, '(');
	for (const struct search_key *child = key->children; child; child = child->next) {
		put_key(out, child);
		str_buf_puts(out, child->next ? ", " : ")");
	}
}

/* The tree, or the words of the BAD. */
static const char *parsed(const char *text, struct str_buf *out)
{
	static const struct parse_limits limits = {.nesting_max = 3, .list_max = 12, .keyword_max = 8};
	struct client client = {0};
	struct imap_req req = {.client = &client,
	    .args = {.p = text, .end = text + strlen(text), .arena = &client.arena, .limits = &limits}};
	struct search_args args = {0};

	str_buf_clear(out);
	if (search_parse_charset(&req, &args) && search_parse(&req, &args) &&
	    parse_end(&req.args))
		put_key(out, args.key);
	else
		str_buf_puts(out, req.args.bad);
	arena_fini(&client.arena);
	return out->p;
}

static void keys_become_the_stores_tree(void **state)
{
	static const struct {
		const char *text, *is;
	} cases[] = {
		{"ALL", "and(all)"},
		{"UNSEEN deleted", "and(not(flag 1), flag 8)"},
		{"OR SEEN (DRAFT FLAGGED) ALL", "and(or(flag 1, and(flag 16, flag 4)), all)"},
		{"NOT FROM x", "and(not(address from 'x'))"},
		{"SUBJECT \"a b\"", "and(header subject 'a b')"},
		{"HEADER X-Y \"\"", "and(header X-Y '')"},
		{"KEYWORD a UNKEYWORD b", "and(keyword 'a', not(keyword 'b'))"},
		{"LARGER 10 SMALLER 20", "and(larger 10, smaller 20)"},
		{"SINCE 3-Mar-2025 SENTON \"1-Jan-1971\"", "and(since 20150, senton 365)"},
		{"MODSEQ 7 MODSEQ \"/flags/\\\\Seen\" PRIV 8", "and(modseq 7, modseq 8)"},
		{"SAVEDATESUPPORTED SAVEDON 2-Jan-1970", "and(all, savedon 1)"},
		{"EMAILID M12 EMAILID m12 THREADID M12", "and(emailid 12, emailid, emailid)"},
		{"NEW OLD RECENT", "and(and(uids, not(flag 1)), not(uids), uids)"},
		{"1:3 UID 5,7", "and(uids, uids)"},
		{"$ UID $ NOT $", "and(uids, uids, not(uids))"},
		{"CHARSET utf-8 TEXT {2}\r\n\xc3\xa9", "and(text '\xc3\xa9')"},
		{"CHARSET ISO-8859-1 TEXT {1}\r\n\xe9", "and(text '\xc3\xa9')"},
	};
	struct str_buf out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(parsed(cases[i].text, &out), cases[i].is);
	str_buf_fini(&out);
}

static void bad_keys_are_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", "There is no such search key"},
		{"FOO", "There is no such search key"},
		{"ALL ", "There is no such search key"},
		{"()", "There is no such search key"},
		{"(ALL", "A closing parenthesis is missing"},
		{"NOT", "An argument is missing"},
		{"OR ALL", "An argument is missing"},
		{"FROM", "An argument is missing"},
		{"LARGER x", "A number of 32 bits must stand here"},
		{"ON 30-Feb-2025", "That is no date"},
		{"0", "A set of numbers must stand here"},
		{"NOT NOT NOT NOT ALL", "Search keys are nested too deeply"},
		{"((((ALL))))", "Search keys are nested too deeply"},
		{"ALL ALL ALL ALL ALL ALL ALL ALL ALL ALL ALL ALL ALL", "There are too many search keys"},
		{"CHARSET utf-8", "An argument is missing"},
		{"$5", "Unexpected text behind the last argument"},
	};
	struct str_buf out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(parsed(cases[i].text, &out), cases[i].words);
	str_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_become_the_stores_tree),
		cmocka_unit_test(bad_keys_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
