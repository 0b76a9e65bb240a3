/* imapd/fetch_parse and fetch_section: items and their labels, header fields picked. */
#include "imapd/fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct parse_limits limits = {.nesting_max = 10, .list_max = 5, .keyword_max = 8};

static bool parsed(struct arena *arena, const char *text, struct fetch_args *args)
{
	struct parse p = {.p = text, .end = text + strlen(text), .arena = arena, .limits = &limits};

	*args = (struct fetch_args){0};
	return fetch_parse(&p, args) && parse_end(&p);
}

static void sections_are_told_by_their_label(void **state)
{
	static const struct {
		const char *text, *label;
		bool marks_seen;
	} cases[] = {
		{"BODY[]", "BODY[]", true},
		{"body.peek[]<3.5>", "BODY[]<3>", false},
		{"BODY[1.2.header]", "BODY[1.2.HEADER]", true},
		{"BODY.PEEK[3.MIME]", "BODY[3.MIME]", false},
		{"BODY.PEEK[1]", "BODY[1]", false},
		{"BODY.PEEK[HEADER.FIELDS (To \"From\")]", "BODY[HEADER.FIELDS (To From)]", false},
		{"BODY.PEEK[header.fields.not ({2}\r\nTo)]<0.1>", "BODY[HEADER.FIELDS.NOT (To)]<0>", false},
		{"BODY.PEEK[HEADER.FIELDS (\"a b\")]", "BODY[HEADER.FIELDS (\"a b\")]", false},
		{"RFC822", "RFC822", true},
		{"(RFC822.HEADER)", "RFC822.HEADER", false},
		{"RFC822.TEXT", "RFC822.TEXT", true},
	};
	struct arena arena = {0};
	struct fetch_args args;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(parsed(&arena, cases[i].text, &args));
		assert_true(str_equal(args.sections->label,
		    str_view(cases[i].label, strlen(cases[i].label))));
		assert_int_equal(args.marks_seen, cases[i].marks_seen);
		assert_null(args.sections->next);
	}
	arena_fini(&arena);
}

static void items_are_bits(void **state)
{
	struct arena arena = {0};
	struct fetch_args args;

	(void)state;
	assert_true(parsed(&arena, "ALL", &args));
	assert_int_equal(args.items, FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE | FETCH_ENVELOPE);
	assert_int_equal(args.what, MESSAGE_ROW | MESSAGE_ENVELOPE);
	assert_true(parsed(&arena, "(UID flags BODY BODYSTRUCTURE)", &args));
	assert_int_equal(args.items, FETCH_UID | FETCH_FLAGS | FETCH_BODY | FETCH_BODYSTRUCTURE);
	assert_int_equal(args.what, MESSAGE_BODYSTRUCTURE);
	assert_true(parsed(&arena, "FLAGS", &args));
	assert_int_equal(args.what, MESSAGE_FLAGS);
	assert_true(parsed(&arena, "BODY.PEEK[1]", &args));
	assert_int_equal(args.what, MESSAGE_BASIC | MESSAGE_PARTS);
	arena_fini(&arena);
}

static void bad_items_are_refused(void **state)
{
	static const char *const bad[] = {"", "()", "(ALL)", "FLAGS UID", "(FLAGS  UID)", "(FLAGS",
	    "BODY[", "BODY[]]", "BODY[x]", "BODY[1", "BODY[1.]", "BODY[0]", "BODY[1.0]", "BODY[MIME]",
	    "BODY[HEADER.FIELDS]", "BODY[HEADER.FIELDS ()]", "BODY[HEADER.FIELDS (a]", "BODY[]<>",
	    "BODY[]<1>", "BODY[]<1.0>", "BODY[]<1.2", "BODY[4294967296]", "BODY[1HEADER]",
	    "BODY[1.TEXTS]", "(FLAGS FLAGS FLAGS FLAGS FLAGS FLAGS)",
	    "BODY[HEADER.FIELDS (a b c d e f)]", "RFC822.SIZES", "ENVELOPES"};
	struct arena arena = {0};
	struct fetch_args args;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(parsed(&arena, bad[i], &args));
	arena_fini(&arena);
}

static void header_fields_are_picked_with_their_folded_lines(void **state)
{
	static const struct {
		const char *header;
		bool not;
		const char *out;
	} cases[] = {
		{"To: a\r\nCc: b\r\n\r\n", false, "To: a\r\n\r\n"},
		{"To: a\r\nCc: b\r\n\r\n", true, "Cc: b\r\n\r\n"},
		{"to : a\r\n\tb\r\n c\r\nX: d\r\n\r\n", false, "to : a\r\n\tb\r\n c\r\n\r\n"},
		{"To: a\r\nTo: b\r\n", false, "To: a\r\nTo: b\r\n\r\n"},
		{"nonsense\r\nTo: a\r\n\r\nTo: body\r\n", false, "To: a\r\n\r\n"},
		{"nonsense\r\nTo: a\r\n\r\n", true, "nonsense\r\n\r\n"},
		{"To: a", false, "To: a\r\n"},
		{"", false, "\r\n"},
		{"\r\n", true, "\r\n"},
	};
	const struct str_view fields[] = {SV("TO")};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str_buf out = {0};

		fetch_filter_fields(str_view(cases[i].header, strlen(cases[i].header)), fields, 1,
		    cases[i].not, &out);
		assert_string_equal(out.p, cases[i].out);
		str_buf_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_are_told_by_their_label),
		cmocka_unit_test(items_are_bits),
		cmocka_unit_test(bad_items_are_refused),
		cmocka_unit_test(header_fields_are_picked_with_their_folded_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
