/* Sessions of one process: the rule of KB 980049, lists, ends, objects. */
#include "temp_site.h"

#include "limits/registry.h"
#include "base/clock.h"

#include <pthread.h>
#include <signal.h>

#define ALICE 0xa11ce
#define BOB 0xb0b

static int acquire(struct site *site, struct session_request request, struct session **session_r,
    struct session_refusal *why)
{
	struct err e;
	int r = session_acquire(site, &request, session_r, why, &e);

	if (r < 0)
		assert_int_equal(e.code, ERR_LIMIT);
	return r;
}

static void acquire_many(struct site *site, enum session_service service, uint64_t user, int n,
    struct session **list)
{
	struct session_refusal why;

	for (int i = 0; i < n; i++)
		assert_int_equal(acquire(site, ask_for(service, user), &list[i], &why), 0);
}

static void release_many(struct session **list, int n)
{
	for (int i = 0; i < n; i++)
		session_release(&list[i]);
}

static void seventeenth_service_session_is_refused_and_says_why(void **state)
{
	struct temp_site *t = *state;
	struct session *held[16], *one;
	struct session_refusal why;

	acquire_many(t->site, SESSION_IMAP4, ALICE, 8, held);
	acquire_many(t->site, SESSION_POP3, ALICE, 8, held + 8);
	assert_int_equal(acquire(t->site, ask_for(SESSION_IMAP4, ALICE), &one, &why), -1);
	assert_int_equal(why.layer, SESSION_LAYER_STORE_SERVICE);
	assert_string_equal(why.limit, "Maximum Allowed Service Sessions Per User");
	assert_int_equal(why.value, 16);
	assert_int_equal(why.held, 16);
	assert_string_equal(why.explain,
	    "store: Maximum Allowed Service Sessions Per User is 16, held 16; close one of them, or an administrator "
	    "raises it in HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeIS\\ParametersSystem: postern reg add -v 'Maximum Allowed Service Sessions Per User' -d N");
	session_release(&held[3]);
	assert_int_equal(acquire(t->site, ask_for(SESSION_POP3, ALICE), &held[3], &why), 0);
	release_many(held, 16);
}

static void sixteen_of_one_protocol_are_refused_by_the_store_and_name_the_protocol_too(void **state)
{
	struct temp_site *t = *state;
	struct session *held[16], *one;
	struct session_refusal why;

	acquire_many(t->site, SESSION_IMAP4, ALICE, 16, held);
	assert_int_equal(acquire(t->site, ask_for(SESSION_IMAP4, ALICE), &one, &why), -1);
	assert_int_equal(why.layer, SESSION_LAYER_STORE_SERVICE);
	assert_string_equal(why.explain,
	    "store: Maximum Allowed Service Sessions Per User is 16, held 16; "
	    "refused too by IMAP4: MaxConnectionsPerUser is 16, held 16; close one of them, or an administrator "
	    "raises it in HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeIS\\ParametersSystem: postern reg add -v 'Maximum Allowed Service Sessions Per User' -d N");
	release_many(held, 16);
}

static void direct_and_service_sessions_share_the_32(void **state)
{
	struct temp_site *t = *state;
	struct session *service[16], *direct[32], *one;
	struct session_refusal why;

	acquire_many(t->site, SESSION_IMAP4, ALICE, 16, service);
	acquire_many(t->site, SESSION_FS, ALICE, 16, direct);
	assert_int_equal(acquire(t->site, ask_for(SESSION_FS, ALICE), &one, &why), -1);
	assert_int_equal(why.layer, SESSION_LAYER_STORE_USER);
	assert_int_equal(why.value, 32);
	release_many(service, 16);
	acquire_many(t->site, SESSION_FS, ALICE, 16, direct + 16);
	assert_int_equal(acquire(t->site, ask_for(SESSION_POP3, ALICE), &one, &why), -1);
	assert_int_equal(why.layer, SESSION_LAYER_STORE_USER);
	release_many(direct, 32);
}

static void another_user_is_unaffected(void **state)
{
	struct temp_site *t = *state;
	struct session *held[16], *one;
	struct session_refusal why;

	acquire_many(t->site, SESSION_IMAP4, ALICE, 16, held);
	assert_int_equal(acquire(t->site, ask_for(SESSION_IMAP4, BOB), &one, &why), 0);
	session_release(&one);
	release_many(held, 16);
}

static void administrator_has_his_own_limit_and_the_service_limit(void **state)
{
	struct temp_site *t = *state;
	struct session_request request = ask_for(SESSION_FS, ALICE);
	struct session *held[40], *service[16], *one;
	struct session_refusal why;

	request.administrator = true;
	for (int i = 0; i < 40; i++)
		assert_int_equal(acquire(t->site, request, &held[i], &why), 0);
	request.service = SESSION_POP3;
	for (int i = 0; i < 16; i++)
		assert_int_equal(acquire(t->site, request, &service[i], &why), 0);
	assert_int_equal(acquire(t->site, request, &one, &why), -1);
	assert_int_equal(why.layer, SESSION_LAYER_STORE_SERVICE);
	release_many(service, 16);
	release_many(held, 40);
}

static void transport_and_administration_are_not_charged_to_the_user(void **state)
{
	struct temp_site *t = *state;
	struct session *transport[40], *admin[40];
	struct session_counts counts;
	struct err e;

	acquire_many(t->site, SESSION_TRANSPORT, ALICE, 40, transport);
	acquire_many(t->site, SESSION_ADMIN, ALICE, 40, admin);
	assert_int_equal(session_count(t->site, (struct user_id){ALICE}, &counts, &e), 0);
	assert_int_equal(counts.all, 0);
	release_many(transport, 40);
	release_many(admin, 40);
}

static void would_refuse_says_what_acquire_would_and_takes_nothing(void **state)
{
	struct temp_site *t = *state;
	struct session_request request = ask_for(SESSION_IMAP4, ALICE);
	struct session_refusal why;
	struct session *held[16];

	assert_false(session_would_refuse(t->site, &request, &why));
	acquire_many(t->site, SESSION_POP3, ALICE, 15, held);
	assert_false(session_would_refuse(t->site, &request, &why));
	assert_false(session_would_refuse(t->site, &request, &why));
	acquire_many(t->site, SESSION_IMAP4, ALICE, 1, held + 15);
	assert_true(session_would_refuse(t->site, &request, &why));
	assert_int_equal(why.layer, SESSION_LAYER_STORE_SERVICE);
	release_many(held, 16);
}

static void list_and_count_tell_who_holds_what(void **state)
{
	struct temp_site *t = *state;
	struct session_request imap = ask_for(SESSION_IMAP4, ALICE), fs = ask_for(SESSION_FS, BOB);
	struct session *one, *two;
	struct session_refusal why;
	struct session_info *list;
	struct session_counts counts;
	struct arena arena = {0};
	struct err e;
	size_t n;

	imap.peer = "127.0.0.1:50123";
	fs.actor_name = "bob";
	fs.pid = 4711;
	fs.command = "grep";
	assert_int_equal(acquire(t->site, imap, &one, &why), 0);
	clock_advance(5);
	assert_int_equal(acquire(t->site, fs, &two, &why), 0);
	assert_int_equal(session_list(t->site, (struct user_id){0}, &arena, &list, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].id, session_id(one));
	assert_string_equal(list[0].actor_name, "alice");
	assert_string_equal(list[0].peer, "127.0.0.1:50123");
	assert_null(list[0].command);
	assert_int_equal(list[0].pid, getpid());
	assert_int_equal(list[0].service, SESSION_IMAP4);
	assert_string_equal(list[1].actor_name, "bob");
	assert_string_equal(list[1].mailbox_name, "alice");
	assert_null(list[1].peer);
	assert_string_equal(list[1].command, "grep");
	assert_int_equal(list[1].pid, 4711);
	assert_int_equal(list[1].holder, getpid());
	assert_false(list[1].holder_stuck);
	assert_int_equal(session_list(t->site, (struct user_id){BOB}, &arena, &list, &n, &e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(session_count(t->site, (struct user_id){ALICE}, &counts, &e), 0);
	assert_int_equal(counts.all, 1);
	assert_int_equal(counts.service, 1);
	assert_int_equal(counts.by_service[SESSION_IMAP4], 1);
	session_release(&one);
	session_release(&two);
	assert_int_equal(session_list(t->site, (struct user_id){0}, &arena, &list, &n, &e), 0);
	assert_int_equal(n, 0);
	arena_fini(&arena);
}

static void touch_moves_the_time_of_last_activity(void **state)
{
	struct temp_site *t = *state;
	struct session_info *list;
	struct session_refusal why;
	struct arena arena = {0};
	struct session *one;
	struct err e;
	size_t n;

	assert_int_equal(acquire(t->site, ask_for(SESSION_IMAP4, ALICE), &one, &why), 0);
	clock_advance(90000);
	session_touch(one);
	assert_int_equal(session_list(t->site, (struct user_id){0}, &arena, &list, &n, &e), 0);
	assert_int_equal(n, 1);
	assert_true(list[0].active_ms >= list[0].opened_ms + 90000);
	session_release(&one);
	arena_fini(&arena);
}

/* Who is idle is ended by an administrator: not everybody, because the clock was set. */
static void clock_that_is_set_makes_nobody_idle(void **state)
{
	static const int64_t jumps_ms[] = {86400000, -2 * 86400000, 86400000};
	struct temp_site *t = *state;
	struct session_info *list;
	struct session_refusal why;
	struct arena arena = {0};
	struct session *one;
	struct err e;
	size_t n;

	assert_int_equal(acquire(t->site, ask_for(SESSION_IMAP4, ALICE), &one, &why), 0);
	for (size_t i = 0; i < sizeof jumps_ms / sizeof *jumps_ms; i++) {
		clock_jump(jumps_ms[i]);
		assert_int_equal(session_list(t->site, (struct user_id){0}, &arena, &list, &n, &e), 0);
		assert_int_equal(n, 1);
		assert_in_range(list[0].idle_ms, 0, 3600000);
		assert_in_range(clock_wall_ms() - list[0].opened_ms + 1000, 0, 3600000);
	}
	clock_suspend(2 * 3600000); /* time that the machine slept is time */
	assert_int_equal(session_list(t->site, (struct user_id){0}, &arena, &list, &n, &e), 0);
	assert_in_range(list[0].idle_ms, 2 * 3600000, 3 * 3600000);
	session_release(&one);
	arena_fini(&arena);
}

/* What is set aside for a process is so for a second of the clock that nobody sets. */
static void clock_that_is_set_changes_no_count(void **state)
{
	static const int64_t jumps_ms[] = {86400000, -30 * 86400000LL, 3000, -1, 29 * 86400000LL};
	struct temp_site *t = *state;
	struct session *held[16], *one;
	struct session_refusal why;

	for (int i = 0; i < 16; i++) {
		clock_jump(jumps_ms[i % 5]);
		if (i % 4 == 3)
			clock_suspend(3600000);
		assert_int_equal(acquire(t->site, ask_for(SESSION_IMAP4, ALICE), &held[i], &why), 0);
	}
	for (int i = 0; i < 5; i++) {
		clock_jump(jumps_ms[i]);
		assert_int_equal(acquire(t->site, ask_for(SESSION_IMAP4, ALICE), &one, &why), -1);
		assert_int_equal(why.held, 16);
		session_release(&held[i]);
		assert_int_equal(acquire(t->site, ask_for(SESSION_IMAP4, ALICE), &held[i], &why), 0);
	}
	for (int i = 0; i < 16; i++)
		session_release(&held[i]);
}

struct holder {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool asked;
};

static void asked_to_end(void *arg)
{
	struct holder *holder = arg;

	pthread_mutex_lock(&holder->lock);
	holder->asked = true;
	pthread_cond_signal(&holder->changed);
	pthread_mutex_unlock(&holder->lock);
}

static void *end_it(void *arg)
{
	struct temp_site *t = ((void **)arg)[0];
	struct err e;

	return (void *)(intptr_t)(session_end(t->site, ((void **)arg)[1], 5000, &e) < 0 ? (int)e.code : 0);
}

static void ending_a_session_asks_its_holder_and_waits_for_the_release(void **state)
{
	struct holder holder = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
	struct temp_site *t = *state;
	struct session_request request = ask_for(SESSION_IMAP4, ALICE);
	struct session_refusal why;
	struct session *one;
	char id[32];
	pthread_t thread;
	struct err e;
	void *result;

	request.ended = asked_to_end;
	request.ended_arg = &holder;
	assert_int_equal(acquire(t->site, request, &one, &why), 0);
	snprintf(id, sizeof id, "%s", session_id(one));
	assert_int_equal(pthread_create(&thread, NULL, end_it, (void *[]){t, id}), 0);
	pthread_mutex_lock(&holder.lock);
	while (!holder.asked)
		pthread_cond_wait(&holder.changed, &holder.lock);
	pthread_mutex_unlock(&holder.lock);
	assert_true(session_is_ended(one));
	session_release(&one);
	pthread_join(thread, &result);
	assert_int_equal((int)(intptr_t)result, 0);
	assert_int_equal(session_end(t->site, id, 1000, &e), -1);
	assert_int_equal(e.code, ERR_NOTFOUND);
	assert_int_equal(session_end(t->site, "nonsense", 1000, &e), -1);
	assert_int_equal(e.code, ERR_NOTFOUND);
}

static void ending_reports_a_holder_that_keeps_the_session(void **state)
{
	struct holder holder = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
	struct temp_site *t = *state;
	struct session_request request = ask_for(SESSION_IMAP4, ALICE);
	struct session_refusal why;
	struct session *one, *two;
	struct err e;

	request.ended = asked_to_end;
	request.ended_arg = &holder;
	assert_int_equal(acquire(t->site, request, &one, &why), 0);
	assert_int_equal(session_end(t->site, session_id(one), 50, &e), -1);
	assert_int_equal(e.code, ERR_TEMP);
	assert_true(holder.asked);
	request.ended = NULL;
	assert_int_equal(acquire(t->site, request, &two, &why), 0);
	assert_int_equal(session_end(t->site, session_id(two), 50, &e), -1);
	assert_int_equal(e.code, ERR_UNSUPPORTED);
	assert_false(session_is_ended(two));
	session_release(&one);
	session_release(&two);
}

/* A process that holds one session, and lets it go when it is asked to; 'd' when it has. */
static void hold_until_asked(const char *dir, int told)
{
	struct holder holder = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
	struct session_request request = ask_for(SESSION_POP3, ALICE);
	struct session_refusal why;
	struct session *one;
	struct site *site;
	struct err e;

	request.ended = asked_to_end;
	request.ended_arg = &holder;
	if (site_open(dir, "holder", &site, &e) < 0 ||
	    session_acquire(site, &request, &one, &why, &e) < 0 || write(told, "h", 1) != 1)
		_exit(1);
	pthread_mutex_lock(&holder.lock);
	while (!holder.asked)
		pthread_cond_wait(&holder.changed, &holder.lock);
	pthread_mutex_unlock(&holder.lock);
	session_release(&one);
	_exit(write(told, "d", 1) != 1);
}

static pid_t start_holder(struct temp_site *t, int told[2])
{
	char c;

	assert_int_equal(pipe(told), 0);
	pid_t pid = fork();

	if (pid == 0)
		hold_until_asked(t->dir, told[1]);
	assert_int_equal(read(told[0], &c, 1), 1);
	return pid;
}

static struct session_info only_session(struct temp_site *t, struct arena *arena)
{
	struct session_info *list;
	struct err e;
	size_t n;

	assert_int_equal(session_list(t->site, (struct user_id){ALICE}, arena, &list, &n, &e), 0);
	assert_int_equal(n, 1);
	return list[0];
}

static void session_of_another_process_is_ended(void **state)
{
	struct temp_site *t = *state;
	struct session_info info;
	struct arena arena = {0};
	struct err e;
	int told[2], status;
	char c;
	pid_t pid = start_holder(t, told);

	info = only_session(t, &arena);
	assert_int_equal(info.holder, pid);
	assert_int_equal(info.pid, pid);
	if (session_end(t->site, info.id, 5000, &e) < 0)
		fail_msg("%s", e.what);
	assert_int_equal(read(told[0], &c, 1), 1);
	assert_int_equal(c, 'd');
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(told[0]);
	close(told[1]);
	arena_fini(&arena);
}

static void stopped_holder_is_marked_and_does_not_answer(void **state)
{
	struct temp_site *t = *state;
	struct session_info info;
	struct arena arena = {0};
	struct err e;
	int told[2];
	pid_t pid = start_holder(t, told);

	assert_false(only_session(t, &arena).holder_stuck);
	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
	info = only_session(t, &arena);
	assert_true(info.holder_stuck);
	assert_int_equal(session_end(t->site, info.id, 100, &e), -1);
	assert_int_equal(e.code, ERR_TEMP);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(session_end(t->site, info.id, 100, &e), -1);
	assert_int_equal(e.code, ERR_NOTFOUND);
	close(told[0]);
	close(told[1]);
	arena_fini(&arena);
}

static void long_lists_are_whole(void **state)
{
	enum { N = 300 };
	struct temp_site *t = *state;
	struct session *held[N];
	struct session_info *list;
	struct arena arena = {0};
	struct err e;
	size_t n;

	acquire_many(t->site, SESSION_TRANSPORT, ALICE, N, held);
	for (int i = 0; i < N; i += 3)
		session_release(&held[i]);
	assert_int_equal(session_list(t->site, (struct user_id){0}, &arena, &list, &n, &e), 0);
	assert_int_equal(n, N - N / 3);
	for (size_t i = 1; i < n; i++)
		assert_string_not_equal(list[i].id, list[i - 1].id);
	release_many(held, N);
	arena_fini(&arena);
}

static void objects_of_a_session_have_limits(void **state)
{
	struct temp_site *t = *state;
	struct session_refusal why;
	struct session *one;
	struct err e;

	assert_int_equal(acquire(t->site, ask_for(SESSION_IMAP4, ALICE), &one, &why), 0);
	assert_int_equal(session_charge(one, OBJT_MESSAGE, 249, &e), 0);
	assert_int_equal(session_charge(one, OBJT_MESSAGE, 2, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_int_equal(session_charge(one, OBJT_MESSAGE, 1, &e), 0);
	assert_int_equal(session_charge(one, OBJT_MESSAGE, 1, &e), -1);
	assert_int_equal(session_charge(one, OBJT_FOLDER, 500, &e), 0);
	session_uncharge(one, OBJT_MESSAGE, 250);
	assert_int_equal(session_charge(one, OBJT_MESSAGE, 250, &e), 0);
	session_release(&one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SITE_TEST(seventeenth_service_session_is_refused_and_says_why),
	    SITE_TEST(sixteen_of_one_protocol_are_refused_by_the_store_and_name_the_protocol_too),
	    SITE_TEST(direct_and_service_sessions_share_the_32),
	    SITE_TEST(another_user_is_unaffected),
	    SITE_TEST(administrator_has_his_own_limit_and_the_service_limit),
	    SITE_TEST(transport_and_administration_are_not_charged_to_the_user),
	    SITE_TEST(would_refuse_says_what_acquire_would_and_takes_nothing),
	    SITE_TEST(list_and_count_tell_who_holds_what),
	    SITE_TEST(touch_moves_the_time_of_last_activity),
	    SITE_TEST(clock_that_is_set_makes_nobody_idle),
	    SITE_TEST(clock_that_is_set_changes_no_count),
	    SITE_TEST(ending_a_session_asks_its_holder_and_waits_for_the_release),
	    SITE_TEST(ending_reports_a_holder_that_keeps_the_session),
	    SITE_TEST(session_of_another_process_is_ended),
	    SITE_TEST(stopped_holder_is_marked_and_does_not_answer),
	    SITE_TEST(long_lists_are_whole),
	    SITE_TEST(objects_of_a_session_have_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
