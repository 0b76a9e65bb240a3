/* tests/unit/imapd/test_reply.c - names of folders as they go out. */
#include "imapd/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void names_go_out_as_the_client_reads_them(void **state)
{
	static const struct {
		unsigned enabled;
		const char *name, *wire;
	} cases[] = {
		{0, "Work", "Work"},
		{0, "a b", "\"a b\""},
		{0, "a&b", "a&-b"},
		{0, "Entw\xc3\xbcrfe", "Entw&APw-rfe"},
		{ENABLED_CONDSTORE, "Entw\xc3\xbcrfe", "Entw&APw-rfe"},
		{ENABLED_UTF8, "Entw\xc3\xbcrfe", "\"Entw\xc3\xbcrfe\""},
		{ENABLED_REV2, "a\"\\\xc3\xa9", "\"a\\\"\\\\\xc3\xa9\""},
		{ENABLED_REV2, "a&b", "a&b"},
		{ENABLED_REV2, "nil", "\"nil\""},
		{ENABLED_REV2, "%", "\"%\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct client client = {.enabled = cases[i].enabled};
		struct str_buf out = {0};

		reply_put_mailbox(&out, &client, cases[i].name);
		str_buf_putc(&out, '\0');
		assert_string_equal(out.p, cases[i].wire);
		str_buf_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_go_out_as_the_client_reads_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
