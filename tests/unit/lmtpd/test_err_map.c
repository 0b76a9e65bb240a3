/* The table of answers: what is well-formed, and which mail comes back to its sender. */
#include "lmtpd/err_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void every_answer_is_well_formed_and_of_one_class(void **state)
{
	(void)state;
	for (int code = ERR_NONE; code <= ERR_BUG; code++)
		for (int defers = 0; defers <= 1; defers++) {
			struct lmtp_answer answer = lmtp_err_answer((enum err_code)code, defers);

			assert_in_range(answer.code, 400, 599);
			assert_int_equal(answer.enhanced[0], '0' + (int)(answer.code / 100));
			assert_int_equal(answer.enhanced[1], '.');
			assert_int_equal(answer.enhanced[3], '.');
			assert_true(answer.words[0] != '\0');
		}
}

static void only_what_will_not_mend_goes_back_to_the_sender(void **state)
{
	static const enum err_code final[] = {ERR_INVALID, ERR_NOTFOUND, ERR_PERM, ERR_TOOBIG};
	bool is_final[ERR_BUG + 1] = {false};

	(void)state;
	for (size_t i = 0; i < sizeof final / sizeof *final; i++)
		is_final[final[i]] = true;
	for (int code = ERR_NONE; code <= ERR_BUG; code++)
		assert_int_equal(lmtp_err_answer((enum err_code)code, true).code / 100, is_final[code] ? 5 : 4);
	assert_int_equal(lmtp_err_answer(ERR_QUOTA, false).code, 552);
	assert_int_equal(lmtp_err_answer(ERR_QUOTA, true).code, 452);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_answer_is_well_formed_and_of_one_class),
	    cmocka_unit_test(only_what_will_not_mend_goes_back_to_the_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
