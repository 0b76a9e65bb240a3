/* What is set aside for a process and counted in its lane: it costs no lock, and nobody misses it. */
#include "holding.h"

#include "limits/lane.h"
#include "limits/ledger.h"
#include "limits/registry.h"
#include "base/clock.h"

#include <fcntl.h>
#include <signal.h>

/* ---- the words ---- */

static void lane_is_stepped_while_it_is_open_and_shut_by_others(void **state)
{
	struct temp_site *t = *state;
	struct lanes *mine = lanes_new(site_runtime_fd(t->site)), *theirs = lanes_new(site_runtime_fd(t->site));
	struct lane lane;
	bool is_open;
	uint32_t n;

	assert_true(lane_claim(mine, 3, &lane));
	assert_false(lane_step(&lane, 3, 4, true));
	assert_true(lane_set(&lane, 3, 4, true));
	assert_true(lane_step(&lane, 4, 5, true));
	assert_true(lanes_look(theirs, lane.ref, &n, &is_open));
	assert_int_equal(n, 5);
	assert_true(is_open);
	assert_true(lanes_shut(theirs, lane.ref));
	assert_true(lanes_shut(theirs, lane.ref));
	assert_false(lane_step(&lane, 5, 6, true));
	assert_true(lane_step(&lane, 5, 4, false));
	assert_true(lanes_look(theirs, lane.ref, &n, &is_open));
	assert_int_equal(n, 4);
	assert_false(is_open);
	lane_drop(mine, &lane);
	lanes_free(&mine);
	lanes_free(&theirs);
}

static void lane_that_was_given_up_is_not_taken_for_the_next_one(void **state)
{
	struct temp_site *t = *state;
	struct lanes *mine = lanes_new(site_runtime_fd(t->site)), *theirs = lanes_new(site_runtime_fd(t->site));
	struct lane lane, next, others;
	struct lane_ref before;
	bool is_open;
	uint32_t n;

	assert_true(lane_claim(mine, 1, &lane));
	before = lane.ref;
	lane_drop(mine, &lane);
	assert_false(lanes_look(theirs, before, &n, &is_open));
	assert_true(lane_claim(mine, 2, &next));
	assert_int_equal(next.ref.place, before.place);
	assert_false(lanes_look(theirs, before, &n, &is_open));
	assert_false(lanes_shut(theirs, before));
	assert_true(lane_claim(theirs, 1, &others));
	assert_int_not_equal(others.ref.place, next.ref.place);
	assert_false(lanes_look(theirs, (struct lane_ref){0}, &n, &is_open));
	assert_false(lanes_look(theirs, (struct lane_ref){UINT32_MAX, 1}, &n, &is_open));
	lane_drop(theirs, &others);
	lane_drop(mine, &next);
	lanes_free(&mine);
	lanes_free(&theirs);
}

static void lanes_run_out_and_come_back(void **state)
{
	enum { N = 512 };
	struct temp_site *t = *state;
	struct lanes *lanes = lanes_new(site_runtime_fd(t->site));
	struct lane list[N], one;

	for (int i = 0; i < N; i++)
		assert_true(lane_claim(lanes, 0, &list[i]));
	assert_false(lane_claim(lanes, 0, &one));
	lane_drop(lanes, &list[7]);
	assert_true(lane_claim(lanes, 0, &list[7]));
	for (int i = 0; i < N; i++)
		lane_drop(lanes, &list[i]);
	lanes_free(&lanes);
}

/* ---- sessions by them ---- */

/* Whoever asks twice in a second has some set aside. */
static void session_that_was_set_aside_needs_no_lock(void **state)
{
	struct temp_site *t = *state;
	struct ledger *holder = ledger_new(site_runtime_fd(t->site), -1);
	struct session_request request = ask_for(SESSION_FS, ALICE);
	struct session_refusal why;
	struct session *held[2], *session;
	struct ledger_file *file;
	int64_t begun_ms;
	struct err e;
	int r;

	request.no_wait = true;
	assert_int_equal(ledger_get(holder, (struct ledger_key){LEDGER_USER, ALICE}, &file, &e), 0);
	do { /* again where the machine stood still for that second */
		begun_ms = clock_mono_ms();
		hold(t->site, SESSION_FS, 2, held);
		assert_int_equal(ledger_lock(file, 1000, &e), 0);
		r = session_acquire(t->site, &request, &session, &why, &e);
		if (r == 0) {
			assert_int_equal(count(t->site), 3);
			session_release(&session);
			assert_int_equal(count(t->site), 2);
		}
		/* Others take it back under the lock, and then it takes the lock. */
		assert_int_equal(ledger_settle(file, &e), 0);
		assert_int_equal(ledger_total(file)->n[SESSION_FS], 2);
		assert_int_equal(session_acquire(t->site, &request, &session, &why, &e), -1);
		assert_int_equal(e.code, ERR_BUSY);
		ledger_unlock(file);
		let_go(held, 2);
	} while (r < 0 && clock_mono_ms() - begun_ms > 500);
	assert_int_equal(r, 0);
	assert_int_equal(try_one(t->site), ERR_NONE);
	ledger_put(file);
	ledger_free(&holder);
}

static void other_processes_get_all_that_is_not_held(void **state)
{
	struct temp_site *t = *state;
	struct site *other = open_again(t->dir);
	struct session *mine[32], *others[32];

	for (int n = 1; n < 32; n++) {
		hold(t->site, SESSION_FS, n, mine);
		hold(other, SESSION_FS, 32 - n, others);
		assert_int_equal(try_one(t->site), ERR_LIMIT);
		assert_int_equal(try_one(other), ERR_LIMIT);
		let_go(mine, 1);
		assert_int_equal(try_one(other), ERR_NONE);
		hold(t->site, SESSION_FS, 1, mine);
		assert_int_equal(try_one(other), ERR_LIMIT);
		let_go(mine, n);
		let_go(others, 32 - n);
		assert_int_equal(count(other), 0);
	}
	site_close(&other);
}

static void stopped_process_keeps_nothing_that_it_does_not_hold(void **state)
{
	struct temp_site *t = *state;
	struct session *mine[31];
	enum err_code code;
	int ready[2], go[2];
	char c;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	pid_t pid = fork();

	if (pid == 0) {
		struct session *held[1];
		struct site *site = open_again(t->dir);

		if (try_one(site) != ERR_NONE)
			_exit(1);
		hold(site, SESSION_FS, 1, held);
		code = write(ready[1], "r", 1) == 1 && read(go[0], &c, 1) == 1 ? try_one(site) : ERR_BUG;
		_exit(write(ready[1], &code, sizeof code) != sizeof code);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
	hold(t->site, SESSION_FS, 31, mine);
	assert_int_equal(try_one(t->site), ERR_LIMIT);
	assert_int_equal(count(t->site), 32);
	kill(pid, SIGCONT);
	assert_int_equal(write(go[1], "g", 1), 1);
	assert_int_equal(read(ready[0], &code, sizeof code), sizeof code);
	assert_int_equal(code, ERR_LIMIT);
	waitpid(pid, NULL, 0);
	assert_int_equal(count(t->site), 31);
	assert_int_equal(try_one(t->site), ERR_NONE);
	let_go(mine, 31);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(go[i]);
	}
}

static void set_limit(struct site *site, uint32_t value)
{
	struct err e;

	if (registry_set_dword(site, REGISTRY_PARAMETERS_SYSTEM, "Maximum Allowed Sessions Per User", value, &e) < 0)
		fail_msg("%s", e.what);
}

static void limit_that_was_lowered_counts_at_the_next_open(void **state)
{
	struct temp_site *t = *state;
	struct site *other = open_again(t->dir);
	struct session *held[3];

	hold(t->site, SESSION_FS, 3, held);
	set_limit(other, 3);
	assert_int_equal(try_one(t->site), ERR_LIMIT);
	set_limit(other, 4);
	assert_int_equal(try_one(t->site), ERR_NONE);
	let_go(held, 3);
	site_close(&other);
}

static void what_was_set_aside_for_an_administrator_is_not_for_others(void **state)
{
	struct temp_site *t = *state;
	struct session_request request = ask_for(SESSION_FS, ALICE);
	struct session_refusal why;
	struct session *held[40];
	struct err e;

	request.administrator = true;
	for (int i = 0; i < 40; i++)
		assert_int_equal(session_acquire(t->site, &request, &held[i], &why, &e), 0);
	assert_int_equal(try_one(t->site), ERR_LIMIT);
	let_go(held, 8);
	assert_int_equal(try_one(t->site), ERR_LIMIT);
	let_go(held + 8, 1);
	assert_int_equal(try_one(t->site), ERR_NONE);
	let_go(held + 9, 31);
}

static void more_users_than_lanes_are_counted_as_well(void **state)
{
	enum { N = 600 };
	struct temp_site *t = *state;
	struct session *held[N];
	struct session_counts counts;
	struct err e;

	for (int round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < N; i++) {
			struct session_request request = ask_for(SESSION_FS, i + 1);
			struct session_refusal why;

			assert_int_equal(session_acquire(t->site, &request, &held[i], &why, &e), 0);
			session_release(&held[i]);
			assert_int_equal(session_acquire(t->site, &request, &held[i], &why, &e), 0);
		}
		for (uint64_t i = 0; i < N; i++) {
			assert_int_equal(session_count(t->site, (struct user_id){i + 1}, &counts, &e), 0);
			assert_int_equal(counts.all, 1);
		}
		let_go(held, N);
	}
}

/* ---- damage ---- */

static void expect_exact(struct site *site)
{
	struct session *held[27];

	hold(site, SESSION_FS, 27, held);
	assert_int_equal(try_one(site), ERR_LIMIT);
	assert_int_equal(count(site), 32);
	let_go(held, 27);
	assert_int_equal(count(site), 5);
}

/* 3 + 2 are held by others. */
static void spoil_and_expect_exact(struct temp_site *t, int byte, bool by_newcomer)
{
	struct site *other = open_again(t->dir), *third = open_again(t->dir);
	struct session *mine[3], *others[2];
	int fd;

	hold(t->site, SESSION_FS, 3, mine);
	hold(other, SESSION_FS, 2, others);
	fd = openat(site_runtime_fd(t->site), "lanes", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	if (byte < 0)
		assert_int_equal(unlinkat(site_runtime_fd(t->site), "lanes", 0), 0);
	else
		for (off_t at = 0; at < 3 * 4096; at += 4096)
			fill_with(fd, at, 4096, (unsigned char)byte);
	close(fd);
	assert_int_equal(count(by_newcomer ? third : other), 5);
	expect_exact(by_newcomer ? third : other);
	expect_exact(t->site);
	let_go(mine, 3);
	let_go(others, 2);
	assert_int_equal(count(t->site), 0);
	site_close(&other);
	site_close(&third);
}

static void spoilt_lanes_are_given_up_and_nothing_is_miscounted(void **state)
{
	static const int bytes[] = {0, 0xa5, 0xff, -1};

	for (size_t i = 0; i < 2 * sizeof bytes / sizeof *bytes; i++)
		spoil_and_expect_exact(*state, bytes[i / 2], i % 2);
}

static void lane_that_only_a_stopped_process_could_vouch_for_refuses(void **state)
{
	struct temp_site *t = *state;
	struct session *mine[32];
	int ready[2], fd;
	char c;

	hold(t->site, SESSION_FS, 1, mine);
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();

	if (pid == 0) {
		struct session *held[4];

		hold(open_again(t->dir), SESSION_FS, 4, held);
		if (write(ready[1], "r", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
	fd = openat(site_runtime_fd(t->site), "lanes", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	fill_with(fd, 0, 4096, 0);
	close(fd);
	/* 4 are held there, and 12 set aside: how many, matters to who would be the 17th here. */
	hold(t->site, SESSION_FS, 15, mine + 1);
	assert_int_equal(try_one(t->site), ERR_UNAVAILABLE);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	hold(t->site, SESSION_FS, 16, mine + 16);
	assert_int_equal(try_one(t->site), ERR_LIMIT);
	assert_int_equal(count(t->site), 32);
	let_go(mine, 32);
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SITE_TEST(lane_is_stepped_while_it_is_open_and_shut_by_others),
	    SITE_TEST(lane_that_was_given_up_is_not_taken_for_the_next_one),
	    SITE_TEST(lanes_run_out_and_come_back),
	    SITE_TEST(session_that_was_set_aside_needs_no_lock),
	    SITE_TEST(other_processes_get_all_that_is_not_held),
	    SITE_TEST(stopped_process_keeps_nothing_that_it_does_not_hold),
	    SITE_TEST(limit_that_was_lowered_counts_at_the_next_open),
	    SITE_TEST(what_was_set_aside_for_an_administrator_is_not_for_others),
	    SITE_TEST(more_users_than_lanes_are_counted_as_well),
	    SITE_TEST(spoilt_lanes_are_given_up_and_nothing_is_miscounted),
	    SITE_TEST(lane_that_only_a_stopped_process_could_vouch_for_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
