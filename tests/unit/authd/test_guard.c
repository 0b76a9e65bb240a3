/* Who waits for what: every test has a guard of its own and says what time it is. */
#include "authd/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define HOME "192.0.2.1"
#define STRANGER "198.51.100.7"

static const struct guard_rules rules = {
    .delay_ms = 500, .delay_max_ms = 15000, .forget_ms = 60000, .address_max = 4, .account_max = 3};

static int make(void **state)
{
	*state = guard_new(1024);
	return 0;
}

static int unmake(void **state)
{
	struct guard *guard = *state;

	guard_free(&guard);
	return 0;
}

/* One attempt from beginning to end; how long its answer is held back, -1: it was not let in. */
static int64_t attempt(struct guard *guard, const char *account, const char *address, const char *secret,
    enum guard_outcome outcome, int64_t now_ms)
{
	struct guard_pass pass;
	int64_t delay_ms;

	if (!guard_enter(guard, &rules, account, address, now_ms, &pass))
		return -1;
	if (secret)
		guard_offer(guard, &pass, secret);
	delay_ms = guard_judge(guard, &rules, &pass, outcome, now_ms);
	guard_leave(guard, &pass);
	return delay_ms;
}

static int64_t fails(struct guard *guard, const char *account, const char *address, int64_t now_ms)
{
	return attempt(guard, account, address, NULL, GUARD_WRONG, now_ms);
}

static int64_t succeeds(struct guard *guard, const char *account, const char *address, int64_t now_ms)
{
	return attempt(guard, account, address, NULL, GUARD_RIGHT, now_ms);
}

static void first_failure_waits_and_each_further_one_twice_as_long(void **state)
{
	static const int64_t expected[] = {500, 1000, 2000, 4000, 8000, 15000, 15000};

	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
		assert_int_equal(fails(*state, "alice", STRANGER, 0), expected[i]);
}

static void right_password_of_a_stranger_waits_where_many_failed(void **state)
{
	for (int i = 0; i < 3; i++)
		(void)fails(*state, "alice", STRANGER, 0);
	assert_int_equal(succeeds(*state, "alice", "203.0.113.1", 0), 0);
	for (int i = 0; i < 20; i++)
		(void)fails(*state, "alice", STRANGER, 0);
	assert_int_equal(succeeds(*state, "alice", "203.0.113.2", 0), rules.delay_max_ms);
	assert_int_equal(succeeds(*state, "alice", "203.0.113.2", 0), 0); /* known by now */
}

static void what_strangers_do_slows_nobody_who_is_known(void **state)
{
	assert_int_equal(succeeds(*state, "alice", HOME, 0), 0);
	for (int i = 0; i < 100; i++)
		(void)fails(*state, "alice", STRANGER, 0);
	assert_int_equal(succeeds(*state, "alice", HOME, 0), 0);
	assert_int_equal(fails(*state, "alice", HOME, 0), 500); /* he mistypes, and waits as anybody */
	assert_int_equal(succeeds(*state, "alice", HOME, 0), 0);
}

static void what_is_done_from_an_address_counts_for_each_account(void **state)
{
	assert_int_equal(fails(*state, "alice", STRANGER, 0), 500);
	assert_int_equal(fails(*state, "bob", STRANGER, 0), 1000);
	assert_int_equal(fails(*state, "carol", STRANGER, 0), 2000);
	assert_int_equal(fails(*state, "carol", HOME, 0), 1000); /* carol's second */
	assert_int_equal(fails(*state, "dave", HOME, 0), 1000);
}

static void known_address_answers_for_itself(void **state)
{
	assert_int_equal(succeeds(*state, "alice", HOME, 0), 0);
	for (int i = 0; i < 10; i++)
		(void)fails(*state, "alice", HOME, 0);
	assert_int_equal(succeeds(*state, "alice", HOME, 0), 15000);
	assert_int_equal(succeeds(*state, "alice", HOME, 0), 0);
}

static void failures_are_forgiven_one_by_one(void **state)
{
	for (int i = 0; i < 5; i++)
		(void)fails(*state, "alice", STRANGER, 0);
	assert_int_equal(fails(*state, "alice", STRANGER, 2 * rules.forget_ms), 4000);
	assert_int_equal(fails(*state, "alice", STRANGER, 100 * rules.forget_ms), 500);
}

static void same_wrong_password_counts_once(void **state)
{
	assert_int_equal(attempt(*state, "alice", HOME, "old", GUARD_WRONG, 0), 500);
	for (int i = 0; i < 20; i++)
		assert_int_equal(attempt(*state, "alice", HOME, "old", GUARD_WRONG, 0), 500);
	assert_int_equal(attempt(*state, "alice", HOME, "other", GUARD_WRONG, 0), 1000);
}

static void network_of_ipv6_is_one_address(void **state)
{
	assert_int_equal(fails(*state, "alice", "2001:db8:1:2::1", 0), 500);
	assert_int_equal(fails(*state, "bob", "2001:db8:1:2:ffff::9", 0), 1000);
	assert_int_equal(fails(*state, "carol", "2001:db8:1:3::1", 0), 500);
	assert_int_equal(fails(*state, "dave", "::ffff:192.0.2.9", 0), 500);
	assert_int_equal(fails(*state, "erin", "192.0.2.9", 0), 1000);
}

static void attempts_of_an_address_are_bounded_while_they_wait(void **state)
{
	struct guard_pass passes[4], more;

	for (int i = 0; i < 4; i++)
		assert_true(guard_enter(*state, &rules, i % 2 ? "alice" : "bob", STRANGER, 0, &passes[i]));
	assert_false(guard_enter(*state, &rules, "alice", STRANGER, 0, &more));
	assert_true(guard_enter(*state, &rules, "alice", HOME, 0, &more));
	guard_leave(*state, &more);
	guard_leave(*state, &passes[0]);
	assert_true(guard_enter(*state, &rules, "alice", STRANGER, 0, &more));
	guard_leave(*state, &more);
	for (int i = 1; i < 4; i++)
		guard_leave(*state, &passes[i]);
}

/* Many addresses, each of which failed once, may not have more than three attempts at an account; who never
 * failed, and who is known, does not wait for them. */
static void attempts_at_an_account_are_bounded_for_who_failed(void **state)
{
	struct guard_pass passes[4], more;
	char address[32];

	assert_int_equal(succeeds(*state, "alice", HOME, 0), 0);
	for (int i = 0; i < 4; i++) {
		snprintf(address, sizeof address, "203.0.113.%d", i + 1);
		(void)fails(*state, "alice", address, 0);
		assert_int_equal(guard_enter(*state, &rules, "alice", address, 0, &passes[i]), i < 3);
	}
	assert_true(guard_enter(*state, &rules, "alice", "192.0.2.77", 0, &more));
	guard_leave(*state, &more);
	assert_true(guard_enter(*state, &rules, "alice", HOME, 0, &more));
	guard_leave(*state, &more);
	for (int i = 0; i < 3; i++)
		guard_leave(*state, &passes[i]);
}

static void known_address_is_let_in_however_many_are_under_way(void **state)
{
	struct guard_pass passes[20];

	(void)succeeds(*state, "alice", HOME, 0);
	for (int i = 0; i < 20; i++)
		assert_true(guard_enter(*state, &rules, "alice", HOME, 0, &passes[i]));
	for (int i = 0; i < 20; i++)
		guard_leave(*state, &passes[i]);
}

static void without_an_address_the_account_counts(void **state)
{
	assert_int_equal(fails(*state, "alice", NULL, 0), 500);
	assert_int_equal(fails(*state, "alice", "no address", 0), 1000);
	assert_int_equal(fails(*state, "bob", NULL, 0), 500);
	assert_false(guard_is_known(*state, "bob", NULL));
}

static void what_was_not_found_out_counts_for_nothing(void **state)
{
	assert_int_equal(attempt(*state, "alice", STRANGER, NULL, GUARD_UNDECIDED, 0), 0);
	assert_int_equal(fails(*state, "alice", STRANGER, 0), 500);
}

/* A flood of new accounts and addresses pushes out what counts least, and never whom a user is known by. */
static void flood_forgets_neither_the_worst_nor_the_known(void **state)
{
	char account[32], address[32];

	(void)succeeds(*state, "alice", HOME, 0);
	for (int i = 0; i < 5; i++)
		(void)fails(*state, "bob", STRANGER, 0);
	for (int i = 0; i < 20000; i++) {
		snprintf(account, sizeof account, "user%d", i);
		snprintf(address, sizeof address, "10.%d.%d.1", i / 250, i % 250);
		assert_true(fails(*state, account, address, 0) >= 0);
	}
	assert_true(guard_is_known(*state, "alice", HOME));
	assert_int_equal(fails(*state, "bob", STRANGER, 0), 15000);
}

static void no_delay_is_none(void **state)
{
	struct guard_rules none = rules;
	struct guard_pass pass;

	none.delay_ms = 0;
	for (int i = 0; i < 5; i++) {
		assert_true(guard_enter(*state, &none, "alice", STRANGER, 0, &pass));
		assert_int_equal(guard_judge(*state, &none, &pass, GUARD_WRONG, 0), 0);
		guard_leave(*state, &pass);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(first_failure_waits_and_each_further_one_twice_as_long),
	    TEST(right_password_of_a_stranger_waits_where_many_failed),
	    TEST(what_strangers_do_slows_nobody_who_is_known),
	    TEST(what_is_done_from_an_address_counts_for_each_account),
	    TEST(known_address_answers_for_itself),
	    TEST(failures_are_forgiven_one_by_one),
	    TEST(same_wrong_password_counts_once),
	    TEST(network_of_ipv6_is_one_address),
	    TEST(attempts_of_an_address_are_bounded_while_they_wait),
	    TEST(attempts_at_an_account_are_bounded_for_who_failed),
	    TEST(known_address_is_let_in_however_many_are_under_way),
	    TEST(without_an_address_the_account_counts),
	    TEST(what_was_not_found_out_counts_for_nothing),
	    TEST(flood_forgets_neither_the_worst_nor_the_known),
	    TEST(no_delay_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
