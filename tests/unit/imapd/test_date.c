/* imapd/date: days, and date-times both ways. */
#include "imapd/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void days_are_counted_from_1970(void **state)
{
	static const struct {
		const char *text;
		int32_t day;
	} good[] = {
		{"1-Jan-1970", 0},
		{"01-jan-1970", 0},
		{"31-Dec-1969", -1},
		{"29-Feb-2000", 11016},
		{"1-Mar-2000", 11017},
		{"3-Mar-2025", 20150},
		{"28-Feb-1900", -25509},
		{"1-Jan-0001", -719162},
		{"31-Dec-9999", 2932896},
	};
	static const char *const bad[] = {"", "1", "1-Jan", "1-Jan-70", "0-Jan-1970", "32-Jan-1970",
	    "29-Feb-1900", "30-Feb-2000", "1-Foo-1970", "1-Jan-19700", "001-Jan-1970", " 1-Jan-1970",
	    "1 Jan 1970", "1-Jan-1970 "};
	int32_t day;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(date_parse_day(str_view(good[i].text, strlen(good[i].text)), &day));
		assert_int_equal(day, good[i].day);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(date_parse_day(str_view(bad[i], strlen(bad[i])), &day));
}

static void date_times_go_both_ways(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
		int zone;
		const char *out;
	} good[] = {
		{"17-Jul-1996 02:44:25 -0700", 837596665000, -420, "\"17-Jul-1996 02:44:25 -0700\""},
		{" 7-Jul-1996 02:44:25 +0000", 836707465000, 0, "\"07-Jul-1996 02:44:25 +0000\""},
		{"01-Jan-1970 00:00:00 +0130", -5400000, 90, "\"01-Jan-1970 00:00:00 +0130\""},
		{"31-Dec-1999 23:59:60 +0000", 946684800000, 0, "\"01-Jan-2000 00:00:00 +0000\""},
	};
	static const char *const bad[] = {"", "7-Jul-1996 02:44:25 +0000", "17-Jul-1996 24:00:00 +0000",
	    "17-Jul-1996 02:60:00 +0000", "17-Jul-1996 02:44:61 +0000", "17-Jul-1996 02:44:25 0000",
	    "17-Jul-1996 02:44:25 +2400", "17-Jul-1996 02:44:25 +000", "17-Jul-1996 02:44:25",
	    "17-Jul-1996 02:44:25 +00000", "31-Jun-1996 02:44:25 +0000"};
	struct str_buf out = {0};
	int64_t ms;
	int zone;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(date_parse_time(str_view(good[i].text, strlen(good[i].text)), &ms, &zone));
		assert_int_equal(ms, good[i].ms);
		assert_int_equal(zone, good[i].zone);
		str_buf_clear(&out);
		date_put_time(&out, ms, zone);
		assert_string_equal(out.p, good[i].out);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(date_parse_time(str_view(bad[i], strlen(bad[i])), &ms, &zone));
	str_buf_fini(&out);
}

static void a_time_before_1970_with_milliseconds_is_rounded_down(void **state)
{
	struct str_buf out = {0};

	(void)state;
	date_put_time(&out, -1, 0);
	assert_string_equal(out.p, "\"31-Dec-1969 23:59:59 +0000\"");
	str_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_are_counted_from_1970),
		cmocka_unit_test(date_times_go_both_ways),
		cmocka_unit_test(a_time_before_1970_with_milliseconds_is_rounded_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
