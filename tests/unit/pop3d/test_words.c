/* The languages: which one a range asks for, and that a row says the same thing in each. */
#include "pop3d/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void language_is_found_by_its_range(void **state)
{
	static const struct {
		const char *range;
		int language; /* -1: none */
	} cases[] = {
	    {"de", POP3_GERMAN},
	    {"DE-at", POP3_GERMAN},
	    {"de-Latn-1996-x-home", POP3_GERMAN},
	    {"en-GB", POP3_ENGLISH},
	    {"i-default", POP3_I_DEFAULT},
	    {"*", POP3_I_DEFAULT},
	    {"i", -1},
	    {"fr", -1},
	    {"x-de", -1},
	    {"d", -1},
	    {"deu", -1},
	    {"-", -1},
	    {"--", -1},
	    {"de-", POP3_GERMAN},
	    {"", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum pop3_language language = POP3_ENGLISH;
		bool found = pop3_language_find(
		    str_view(cases[i].range, strlen(cases[i].range)), &language);

		assert_int_equal(found ? (int)language : -1, cases[i].language);
	}
}

static void words_begin_behind_status_and_code(void **state)
{
	static const struct {
		const char *reply;
		size_t at;
	} cases[] = {
	    {"+OK hello", 4},
	    {"-ERR [AUTH] no", 12},
	    {"-ERR [AUTH no", 5},
	    {"-ERR", 0},
	    {"+OK", 0},
	    {"+ Zm9v", 2},
	    {".", 0},
	    {"CAPABILITY", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(pop3_words_at(cases[i].reply), cases[i].at);
	assert_int_equal(pop3_code_size("[SYS/TEMP] later"), 11);
	assert_int_equal(pop3_code_size("later [AUTH] "), 0);
}

/* The conversions of a format, one behind the other. */
static void conversions(const char *format, char *out, size_t size)
{
	size_t n = 0;

	for (const char *p = format; (p = strchr(p, '%')); p++)
		for (size_t k = strcspn(p, "sudx%") + 1; k && n + 1 < size; k--)
			out[n++] = *p++;
	out[n] = '\0';
}

static void row_has_the_same_conversions_in_each_language(void **state)
{
	static const char *const rows[][2] = {
#define WORDS(english, german) {english, german},
#include "pop3d/words.tbl.h"
#undef WORDS
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char english[64], german[64];

		conversions(rows[i][0], english, sizeof english);
		conversions(rows[i][1], german, sizeof german);
		assert_string_equal(german, english);
		assert_string_equal(pop3_words(POP3_GERMAN, rows[i][0]), rows[i][1]);
		assert_string_equal(pop3_words(POP3_I_DEFAULT, rows[i][0]), rows[i][0]);
	}
	assert_string_equal(pop3_words(POP3_GERMAN, "no row has this"), "no row has this");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(language_is_found_by_its_range),
	    cmocka_unit_test(words_begin_behind_status_and_code),
	    cmocka_unit_test(row_has_the_same_conversions_in_each_language),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
