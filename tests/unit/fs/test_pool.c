/* tests/unit/fs/test_pool.c - lanes keep their order; the teller tells. */
#include "fs/pool.h"
#include "fs/teller.h"

#include "base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define LANES 16
#define JOBS 2000

struct counter {
	struct lane lane;
	unsigned next;
	atomic_int running;
	bool was_wrong;
};
struct job_arg {
	struct counter *counter;
	unsigned number;
};

static void count(void *arg)
{
	struct job_arg *j = arg;

	if (atomic_fetch_add(&j->counter->running, 1) != 0 || j->counter->next != j->number)
		j->counter->was_wrong = true;
	j->counter->next++;
	atomic_fetch_sub(&j->counter->running, 1);
}

static void jobs_of_a_lane_run_in_order_and_one_at_a_time(void **state)
{
	static struct counter counters[LANES];
	static struct job_arg args[LANES][JOBS];
	struct pool *pool = pool_new(4);

	(void)state;
	for (unsigned i = 0; i < JOBS; i++)
		for (unsigned lane = 0; lane < LANES; lane++) {
			args[lane][i] = (struct job_arg){&counters[lane], i};
			pool_put(pool, &counters[lane].lane, count, &args[lane][i]);
		}
	pool_free(&pool); /* runs what was put */
	for (unsigned lane = 0; lane < LANES; lane++) {
		assert_int_equal(counters[lane].next, JOBS);
		assert_false(counters[lane].was_wrong);
	}
}

static void note_time(void *arg)
{
	*(int64_t *)arg = clock_mono_ms();
}

static void what_may_wait_does_unless_something_is_put_behind_it(void **state)
{
	static struct lane lanes[4];
	int64_t begun = clock_mono_ms(), at[6] = {0};
	struct pool *pool = pool_new(2);
	struct timespec soon = {0, 400000000};

	(void)state;
	pool_put_lazy(pool, &lanes[0], note_time, &at[0], 200);
	pool_put_lazy(pool, &lanes[1], note_time, &at[1], 60000);
	pool_put(pool, &lanes[1], note_time, &at[2]);
	pool_put_lazy(pool, &lanes[2], note_time, &at[3], 60000);
	pool_put_lazy(pool, &lanes[3], note_time, &at[5], 60000);
	pool_hurry(pool, &lanes[3]);
	pool_hurry(pool, &lanes[3]); /* it has nothing to do any more */
	nanosleep(&soon, NULL);
	pool_put_lazy(pool, &lanes[0], note_time, &at[4], 0);
	pool_free(&pool); /* what still rests is run */
	assert_true(at[0] >= begun + 200);
	assert_true(at[1] > 0 && at[1] <= at[2] && at[2] < begun + 50000);
	assert_true(at[3] >= begun + 400 && at[3] < begun + 50000);
	assert_true(at[4] >= at[0]);
	assert_true(at[5] > 0 && at[5] < at[3]);
}

struct told {
	pthread_mutex_t lock;
	pthread_cond_t more;
	char text[512];
};

static void tell(struct told *told, const char *what)
{
	pthread_mutex_lock(&told->lock);
	strncat(told->text, what, sizeof told->text - strlen(told->text) - 1);
	pthread_cond_signal(&told->more);
	pthread_mutex_unlock(&told->lock);
}

static void told_inode(void *arg, uint64_t ino, bool contents)
{
	(void)ino;
	tell(arg, contents ? "C" : "A");
}

static void told_entry(void *arg, uint64_t parent_ino, const char *name)
{
	(void)parent_ino;
	tell(arg, name);
}

static void told_end(void *arg, uint64_t handle)
{
	tell(arg, handle == 42 ? "E" : "?");
}

static void told_rang(void *arg, void *mailbox)
{
	tell(arg, mailbox ? "R" : "T");
}

static void told_readable(void *arg)
{
	tell(arg, "W");
}

static void what_is_handed_over_is_told_in_order_and_a_directory_once(void **state)
{
	struct told told = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, ""};
	struct teller_ops ops = {told_inode, told_entry, told_end, told_rang, told_readable, &told};
	struct teller *teller = teller_new(&ops);
	struct node dir = {NODE_folder, 1, 0}, message = {NODE_message, 1, 5};
	struct notices ns = {0};

	(void)state;
	for (int i = 0; i < 100; i++)
		notice_inode(&ns, dir, true);
	notice_inode(&ns, message, false);
	notice_entry(&ns, dir, "x");
	notice_entry(&ns, dir, "x");
	teller_tell(teller, &ns);
	assert_int_equal(ns.n, 0);
	teller_readable(teller);
	teller_end(teller, 42);
	teller_ring(teller, &told);
	pthread_mutex_lock(&told.lock);
	while (!strchr(told.text, 'R'))
		pthread_cond_wait(&told.more, &told.lock);
	assert_string_equal(told.text, "CAxxWER");
	pthread_mutex_unlock(&told.lock);
	teller_free(&teller);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(jobs_of_a_lane_run_in_order_and_one_at_a_time),
	    cmocka_unit_test(what_may_wait_does_unless_something_is_put_behind_it),
	    cmocka_unit_test(what_is_handed_over_is_told_in_order_and_a_directory_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
