/* tests/unit/ctl/test_json.c */
#include "cmocka_all.h"

#include "ctl/json.h"

static void commas_stand_between_and_only_between(void **state)
{
	struct str_buf out = {0};
	struct json j = {.out = &out};

	(void)state;
	json_open(&j, '[');
	json_open(&j, '{');
	json_close(&j, '}');
	json_open(&j, '{');
	json_key(&j, "a");
	json_number(&j, -1);
	json_key(&j, "b");
	json_open(&j, '[');
	json_bool(&j, true);
	json_text(&j, NULL);
	json_close(&j, ']');
	json_close(&j, '}');
	json_close(&j, ']');
	assert_string_equal(out.p, "[{},{\"a\":-1,\"b\":[true,null]}]");
	str_buf_fini(&out);
}

static void text_is_always_json_whatever_the_octets(void **state)
{
	struct str_buf out = {0};
	struct json j = {.out = &out};

	(void)state;
	json_text(&j, "q\" b\\ n\n \x01 \x7f \xc3\xa9 \xff");
	assert_string_equal(out.p, "\"q\\\" b\\\\ n\\u000a \\u0001 \\u007f \xc3\xa9 \xef\xbf\xbd\"");
	str_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(commas_stand_between_and_only_between),
	    cmocka_unit_test(text_is_always_json_whatever_the_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
