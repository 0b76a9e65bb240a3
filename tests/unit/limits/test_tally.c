/* tests/unit/limits/test_tally.c - what is counted for who watches, and who holds what. */
#include "limits/holder.h"
#include "limits/tally.h"
#include "base/arena.h"

#include "temp_site.h"

#include <pthread.h>

#define THREADS_N 8
#define EACH_N 20000

static const struct session_request imap = {
    .service = SESSION_IMAP4, .actor = {7}, .mailbox = {7}, .actor_name = "alice", .mailbox_name = "alice"};

static size_t limit_row(const char *name)
{
	for (size_t i = 0; i < tally_limits_n; i++)
		if (strcmp(tally_limits[i].limit, name) == 0)
			return i;
	fail_msg("no row %s", name);
	return 0;
}

static void grants_and_refusals_are_counted_by_service_and_limit(void **state)
{
	struct site *site = ((struct temp_site *)*state)->site;
	struct session *held[3] = {0}, *one_more = NULL;
	struct session_refusal why;
	struct tally_sums sums;
	uint64_t took = 0;
	struct err e;

	assert_int_equal(registry_set_dword(site, REGISTRY_PARAMETERS_SYSTEM, "Maximum Allowed Service Sessions Per User", 3, &e), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(session_acquire(site, &imap, &held[i], &why, &e), 0);
	assert_int_equal(session_acquire(site, &imap, &one_more, &why, &e), -1);
	assert_int_equal(session_charge(held[0], OBJT_FOLDER, 501, &e), -1);
	sums = tally_of(site);
	assert_int_equal(sums.granted[SESSION_IMAP4], 3);
	assert_int_equal(sums.granted[SESSION_POP3], 0);
	assert_int_equal(sums.refused[SESSION_IMAP4][limit_row("Maximum Allowed Service Sessions Per User")], 1);
	assert_int_equal(sums.refused[SESSION_IMAP4][limit_row("objtFolder")], 1);
	assert_int_equal(sums.recorded, 2);
	for (int i = 0; i < TALLY_BUCKETS_N; i++)
		took += sums.took[i];
	assert_int_equal(took, 3);
	assert_true(sums.took_ns > 0);
	for (int i = 0; i < 3; i++)
		session_release(&held[i]);
}

static void a_share_of_the_grants_took_as_long_as_its_bucket_at_most(void **state)
{
	struct tally_sums before = {0}, now = {0}, between;

	(void)state;
	assert_int_equal(tally_took_ns(&now, 50), 0);
	before.took[0] = 1000;
	before.granted[SESSION_FS] = 1000;
	now = before;
	now.granted[SESSION_FS] += 100;
	now.took[2] = 50;
	now.took[3] = 49;
	now.took[TALLY_BUCKETS_N - 1] = 1;
	between = tally_between(&before, &now);
	assert_int_equal(between.granted[SESSION_FS], 100);
	assert_int_equal(tally_took_ns(&between, 50), 4 * TALLY_LEAST_NS);
	assert_int_equal(tally_took_ns(&between, 51), 8 * TALLY_LEAST_NS);
	assert_int_equal(tally_took_ns(&between, 99), 8 * TALLY_LEAST_NS);
	assert_true(tally_took_ns(&between, 100) == INT64_MAX);
	assert_int_equal(tally_took_ns(&now, 50), TALLY_LEAST_NS);
}

static void every_limit_that_can_refuse_has_a_row(void **state)
{
	static const enum setting can[] = {SETTING_SESSIONS_PER_USER, SETTING_SERVICE_SESSIONS_PER_USER,
	    SETTING_SESSIONS_PER_ADMINISTRATOR, SETTING_SESSIONS_PER_SERVICE, SETTING_IMAP_MAX_CONNECTIONS_PER_USER,
	    SETTING_POP_MAX_CONNECTIONS_PER_USER, SETTING_POLICY_POP, SETTING_POLICY_IMAP, SETTING_POLICY_OWA,
	    SETTING_POLICY_EWS, SETTING_POLICY_EAS, SETTING_POLICY_RCA, SETTING_OBJT_MESSAGE, SETTING_OBJT_FOLDER,
	    SETTING_OBJT_ATTACHMENT, SETTING_OBJT_STREAM, SETTING_OBJT_NOTIFY};

	(void)state;
	for (size_t i = 0; i < sizeof can / sizeof *can; i++)
		assert_true(limit_row(setting_rows[can[i]].name) < tally_limits_n - 1);
}

static void *count_grants(void *tally)
{
	for (int i = 0; i < EACH_N; i++)
		tally_granted(tally, SESSION_POP3, i);
	return NULL;
}

static void no_count_of_many_threads_is_lost(void **state)
{
	struct temp_site *t = *state;
	struct tally *tally = tally_open(site_runtime_fd(t->site));
	uint64_t before = tally_read(tally).granted[SESSION_POP3];
	pthread_t threads[THREADS_N];

	for (int i = 0; i < THREADS_N; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_grants, tally), 0);
	for (int i = 0; i < THREADS_N; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(tally_read(tally).granted[SESSION_POP3] - before, THREADS_N * EACH_N);
	assert_int_equal(tally_of(t->site).granted[SESSION_POP3], THREADS_N * EACH_N); /* the site's sees another's */
	tally_close(&tally);
	assert_null(tally);
}

static void a_time_is_in_the_first_bucket_that_holds_it(void **state)
{
	struct temp_site *t = *state;
	struct tally *tally = tally_open(site_runtime_fd(t->site));
	struct tally_sums sums;

	tally_granted(tally, SESSION_FS, 0);
	tally_granted(tally, SESSION_FS, TALLY_LEAST_NS);
	tally_granted(tally, SESSION_FS, TALLY_LEAST_NS + 1);
	tally_granted(tally, SESSION_FS, 4 * TALLY_LEAST_NS);
	tally_granted(tally, SESSION_FS, INT64_MAX);
	tally_granted(tally, SESSION_FS, -5); /* a clock that was set back */
	sums = tally_read(tally);
	assert_int_equal(sums.took[0], 3);
	assert_int_equal(sums.took[1], 1);
	assert_int_equal(sums.took[2], 1);
	assert_int_equal(sums.took[TALLY_BUCKETS_N - 1], 1);
	tally_close(&tally);
}

static void without_a_file_nothing_is_counted_and_nothing_fails(void **state)
{
	struct tally *none = NULL;

	(void)state;
	tally_granted(none, SESSION_FS, 1);
	tally_refused(none, SESSION_FS, "none");
	tally_reaped(none, TALLY_KILLED, 1);
	tally_recorded(none);
	tally_close(&none);
	assert_int_equal(tally_read(none).granted[SESSION_FS], 0);
}

static void what_a_killed_process_held_is_counted_when_another_takes_its_place(void **state)
{
	struct temp_site *t = *state;
	struct session *held = NULL;
	struct session_refusal why;
	struct err e;
	int status, ready[2];
	pid_t child;

	assert_int_equal(registry_set_dword(t->site, REGISTRY_PARAMETERS_SYSTEM, "Maximum Allowed Service Sessions Per User", 3, &e), 0);
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		struct site *site;
		struct session *its;

		if (site_open(t->dir, "test", &site, &e) < 0)
			_exit(1);
		for (int i = 0; i < 3; i++)
			if (session_acquire(site, &imap, &its, &why, &e) < 0)
				_exit(1);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &(char){0}, 1), 1);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	assert_int_equal(tally_of(t->site).reaped[TALLY_KILLED], 0);
	assert_int_equal(session_acquire(t->site, &imap, &held, &why, &e), 0);
	assert_int_equal(tally_of(t->site).reaped[TALLY_KILLED], 3);
	session_release(&held);
	close(ready[0]);
	close(ready[1]);
}

static void holders_are_by_name_with_what_counts_for_them(void **state)
{
	struct session_info list[] = {
	    {.actor_name = "bob", .actor = {2}, .service = SESSION_POP3, .active_ms = 5},
	    {.actor_name = "alice", .actor = {9}, .service = SESSION_FS, .active_ms = 1},
	    {.actor_name = "bob", .actor = {2}, .service = SESSION_FS, .active_ms = 3},
	    {.actor_name = "carol", .actor = {1}, .service = SESSION_TRANSPORT},
	    {.actor_name = "alice", .actor = {9}, .service = SESSION_ADMIN},
	};
	struct arena arena = {0};
	struct holder *holders;
	size_t n;

	(void)state;
	holders_find(list, sizeof list / sizeof *list, &arena, &holders, &n);
	assert_int_equal(n, 2);
	assert_string_equal(holders[0].name, "alice");
	assert_int_equal(holders[0].counts.all, 1);
	assert_int_equal(holders[0].counts.service, 0);
	assert_string_equal(holders[1].name, "bob");
	assert_int_equal(holders[1].counts.all, 2);
	assert_int_equal(holders[1].counts.service, 1);
	assert_int_equal(holders[1].counts.by_service[SESSION_POP3], 1);
	assert_int_equal(holders[1].active_ms, 5);
	holders_find(list, 0, &arena, &holders, &n);
	assert_int_equal(n, 0);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SITE_TEST(grants_and_refusals_are_counted_by_service_and_limit),
	    cmocka_unit_test(a_share_of_the_grants_took_as_long_as_its_bucket_at_most),
	    cmocka_unit_test(every_limit_that_can_refuse_has_a_row),
	    SITE_TEST(no_count_of_many_threads_is_lost),
	    SITE_TEST(a_time_is_in_the_first_bucket_that_holds_it),
	    cmocka_unit_test(without_a_file_nothing_is_counted_and_nothing_fails),
	    SITE_TEST(what_a_killed_process_held_is_counted_when_another_takes_its_place),
	    cmocka_unit_test(holders_are_by_name_with_what_counts_for_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
