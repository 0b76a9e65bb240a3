/* Messages: append, list, read, flags, copy, move, expunge. */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char mail[] = "From: Anna <anna@example.org>\r\nSubject: Hello\r\n"
			   "Date: Mon, 23 Nov 2026 04:00:00 +0100\r\n\r\nHi.\r\n";

static int setup(void **state)
{
	static struct support s;

	support_begin(&s);
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	support_end(*state);
	return 0;
}

static void append_is_listed_and_read_back(void **state)
{
	struct support *s = *state;
	struct store *store = support_open(s, s->alice);
	struct folder_id inbox = support_folder(s, store, "INBOX");
	uint32_t uid = support_append(s, store, inbox, mail, STORE_FLAG_FLAGGED);
	struct message_info m = support_message(s, store, inbox, uid);
	struct str_view octets = support_read(s, store, m.content);
	struct folder_info f;

	assert_int_equal(uid, 1);
	assert_int_equal(m.flags, STORE_FLAG_FLAGGED);
	assert_int_equal(m.size, sizeof mail - 1);
	assert_int_equal(m.size_lf, sizeof mail - 1 - 5);
	assert_int_equal(m.lineends, EOL_CRLF);
	assert_int_equal(m.sent_ms, INT64_C(1795402800000));
	assert_int_equal(octets.n, sizeof mail - 1);
	assert_memory_equal(octets.p, mail, octets.n);
	assert_non_null(memmem(m.envelope.p, m.envelope.n, "\"Hello\"", 7));
	OK(folder_by_id(store, inbox, &s->arena, &f, &s->e));
	assert_int_equal(f.exists, 1);
	assert_int_equal(f.unseen, 1);
	assert_int_equal(f.uidnext, 2);
	assert_int_equal(f.bytes, sizeof mail - 1);
	support_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(append_is_listed_and_read_back, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
