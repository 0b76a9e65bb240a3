/* tests/unit/ctl/test_mail_form.c - what a file is by its first octets, dates, flags. */
#include "cmocka_all.h"

#include "ctl/mail_form.h"
#include "store/message.h"

#include <string.h>

static struct str_view sv(const char *s)
{
	return str_view(s, strlen(s));
}

static void a_header_line_is_a_printable_name_and_a_colon(void **state)
{
	static const struct {
		const char *text;
		bool is;
	} cases[] = {
	    {"Subject: hello\n", true},
	    {"Subject : obsolete blank\n", true},
	    {"X-Odd!Name:\n", true},
	    {"Received:from x\r\n", true},
	    {"# Real mail\n", false},
	    {"Dear all, here: is text\n", false},
	    {": no name\n", false},
	    {"", false},
	    {"\nSubject: too late\n", false},
	    {" Subject: folded\n", false},
	    {"S\303\274bject: 8-bit\n", false},
	    {"Subject", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(mail_begins_with_header(sv(cases[i].text)), cases[i].is);
}

static void a_from_line_needs_a_date_in_any_of_the_usual_forms(void **state)
{
	static const struct {
		const char *line;
		int64_t ms;
		int zone_min;
	} good[] = {
	    {"From alice@example.org Mon Nov 23 04:25:51 2026\n", 1795407951000, 0},
	    {"From alice@example.org Mon Nov 23 04:25:51 2026\r\n", 1795407951000, 0},
	    {"From - Mon Nov  3 04:25:00 2003\n", 1067833500000, 0},
	    {"From a b  Mon Nov  3 04:25 2003\n", 1067833500000, 0},
	    {"From a Mon Nov  3 05:25:00 2003 +0100\n", 1067833500000, 60},
	    {"From a Mon Nov  3 05:25:00 +0100 2003\n", 1067833500000, 60},
	    {"From a Sun Nov  2 23:25:00 EST 2003 -0500\n", 1067833500000, -300},
	    {"From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n", 0, 0},
	};
	static const char *const bad[] = {
	    "From the beginning it was clear\n", "From \n", "From", ">From a Mon Nov  3 04:25:00 2003\n",
	    "From a Mon Nov  3 2003\n",          "From a Mon Nov  3 25:25:00 2003\n",
	    "from a Mon Nov  3 04:25:00 2003\n", "From a Mon  3 04:25:00 2003\n",
	    "From a Mon Nov 32 04:25:00 2003\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		int64_t ms = -1;
		int zone_min = -1;

		assert_true(mail_from_line(sv(good[i].line), &ms, &zone_min));
		assert_int_equal(ms, good[i].ms);
		assert_int_equal(zone_min, good[i].zone_min);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		int64_t ms;
		int zone_min;

		assert_false(mail_from_line(sv(bad[i]), &ms, &zone_min));
	}
}

static void the_date_field_is_found_in_the_header_alone(void **state)
{
	static const char *const with[] = {
	    "Date: Mon, 3 Nov 2003 04:25:00 +0000\n\nbody\n",
	    "Subject: x\r\nDATE : Mon, 3 Nov 2003\r\n 05:25:00 +0100\r\n\r\nbody\r\n",
	    "Date: 3 Nov 2003 04:25 GMT\n",
	};
	static const char *const without[] = {
	    "Subject: x\n\nDate: Mon, 3 Nov 2003 04:25:00 +0000\n",
	    "Dated: Mon, 3 Nov 2003 04:25:00 +0000\n\n",
	    "Date: yesterday\n\n",
	    "",
	};
	int64_t ms;
	int zone_min;

	(void)state;
	for (size_t i = 0; i < sizeof with / sizeof *with; i++) {
		assert_true(mail_header_date(sv(with[i]), &ms, &zone_min));
		assert_int_equal(ms, 1067833500000);
	}
	for (size_t i = 0; i < sizeof without / sizeof *without; i++)
		assert_false(mail_header_date(sv(without[i]), &ms, &zone_min));
}

static void flags_of_a_maildir_name_are_read_and_written(void **state)
{
	struct mail_about about = {0};
	struct str_buf info = {0};

	(void)state;
	mail_maildir_flags("/1258486574.M1.host:2,FPRS", &about);
	assert_int_equal(about.flags, STORE_FLAG_FLAGGED | STORE_FLAG_ANSWERED | STORE_FLAG_SEEN);
	assert_true(about.forwarded);
	mail_maildir_info(about.flags, about.forwarded, &info);
	assert_string_equal(info.p, ":2,FPRS");
	about = (struct mail_about){0};
	mail_maildir_flags("/12,34S.host", &about); /* "2," in the name is not the information */
	assert_int_equal(about.flags, 0);
	mail_maildir_flags("/1.2,x!2,DT", &about);
	assert_int_equal(about.flags, STORE_FLAG_DRAFT | STORE_FLAG_DELETED);
	str_buf_fini(&info);
}

static void status_lines_of_an_mbox_give_flags(void **state)
{
	uint32_t flags = 0;

	(void)state;
	mail_status_line(sv("Status: RO\n"), &flags);
	assert_int_equal(flags, STORE_FLAG_SEEN);
	mail_status_line(sv("x-status: AF\r\n"), &flags);
	assert_int_equal(flags, STORE_FLAG_SEEN | STORE_FLAG_ANSWERED | STORE_FLAG_FLAGGED);
	mail_status_line(sv("X-Status-Report: D\n"), &flags);
	mail_status_line(sv("Subject: DT\n"), &flags);
	assert_int_equal(flags, STORE_FLAG_SEEN | STORE_FLAG_ANSWERED | STORE_FLAG_FLAGGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_header_line_is_a_printable_name_and_a_colon),
	    cmocka_unit_test(a_from_line_needs_a_date_in_any_of_the_usual_forms),
	    cmocka_unit_test(the_date_field_is_found_in_the_header_alone),
	    cmocka_unit_test(flags_of_a_maildir_name_are_read_and_written),
	    cmocka_unit_test(status_lines_of_an_mbox_give_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
