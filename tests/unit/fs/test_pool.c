/* tests/unit/fs/test_pool.c - lanes keep their order; the teller tells. */
#include "fs/pool.h"
#include "fs/teller.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

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
	    cmocka_unit_test(what_is_handed_over_is_told_in_order_and_a_directory_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
