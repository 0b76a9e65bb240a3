/* tests/unit/metrics/test_text.c - OpenMetrics text. */
#include "metrics/text.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

static void expect_quoted(const char *value, const char *quoted)
{
	struct str_buf out = {0}, expected = {0};

	metric_sample(&out, "a", "", METRIC_LABELS({"user", value}), 1);
	str_buf_printf(&expected, "a{user=\"%s\"} 1\n", quoted);
	assert_string_equal(out.p, expected.p);
	str_buf_fini(&out);
	str_buf_fini(&expected);
}

static void label_values_are_quoted_and_utf8(void **state)
{
	(void)state;
	expect_quoted("alice", "alice");
	expect_quoted("", "");
	expect_quoted("a\"b\\c\nd", "a\\\"b\\\\c\\nd");
	expect_quoted("J\xc3\xbcrgen \xf0\x9f\x93\xac", "J\xc3\xbcrgen \xf0\x9f\x93\xac");
	expect_quoted("\xff", "\xef\xbf\xbd");
	expect_quoted("a\xc3", "a\xef\xbf\xbd");                          /* cut off */
	expect_quoted("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");              /* overlong */
	expect_quoted("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* half of a pair */
	expect_quoted("\xe2\x82z", "\xef\xbf\xbd\xef\xbf\xbdz");
}

static void a_family_is_declared_and_its_samples_follow(void **state)
{
	struct str_buf out = {0};

	(void)state;
	metric_family(&out, "x_seconds", METRIC_HISTOGRAM, "seconds", "How long.");
	metric_sample(&out, "x_seconds", "_bucket", METRIC_LABELS({"le", "+Inf"}), 18446744073709551615u);
	metric_seconds(&out, "x_seconds", "_sum", NULL, 1000000001);
	metric_sample(&out, "y", "_total", METRIC_LABELS({"a", "1"}, {"b", "2"}), 3);
	metric_end(&out);
	assert_string_equal(out.p,
	    "# TYPE x_seconds histogram\n# UNIT x_seconds seconds\n# HELP x_seconds How long.\n"
	    "x_seconds_bucket{le=\"+Inf\"} 18446744073709551615\nx_seconds_sum 1.000000001\n"
	    "y_total{a=\"1\",b=\"2\"} 3\n# EOF\n");
	str_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(label_values_are_quoted_and_utf8),
	    cmocka_unit_test(a_family_is_declared_and_its_samples_follow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
