/* Deliveries that meet: one commit for all, an answer for each, and nobody pays for another. */
#include "support.h"

#include "base/clock.h"
#include "base/io.h"
#include "store/append_priv.h"
#include "store/delivery.h"
#include "store/mailbox_priv.h"
#include "store/quota.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define MEET_N 6
#define LARGE_OCTETS 300000 /* more than a spool keeps in memory */

static struct store *store;

struct delivery_test {
	pthread_t thread;
	struct append *append;
	const char *folder;
	struct delivery_key key;
	struct delivery_done done;
	int result;
	struct err err;
};

static int setup(void **state)
{
	int r = support_setup(state, &store);
	struct support *s = *state;

	/* The lock is held until all have come, however long that takes. */
	OK(registry_set_dword(s->site, REGISTRY_STORE, "WriteWait", 600000, &s->e));
	return r;
}

static int teardown(void **state)
{
	return support_teardown(state, &store);
}

static struct append *write_letter(struct support *s, struct store *into, unsigned number, size_t octets)
{
	struct append *append;
	char head[40];
	char line[] = "0123456789abcdefghijklmnopqrstuvwxyz\r\n";

	OK(append_begin(into, &append, &s->e));
	OK(append_write(append, head, (size_t)snprintf(head, sizeof head, "Subject: %u\r\n\r\n", number), &s->e));
	for (size_t at = 0; at < octets; at += sizeof line - 1)
		OK(append_write(append, line, sizeof line - 1, &s->e));
	return append;
}

static struct delivery_test letter(struct support *s, unsigned number, size_t octets)
{
	struct delivery_test d = {.append = write_letter(s, store, number, octets), .folder = "INBOX"};

	memcpy(d.key.octets, &number, sizeof number);
	return d;
}

static void *deliver(void *arg)
{
	struct delivery_test *d = arg;
	struct append_how how = {.folder_name = d->folder, .idate_ms = INT64_MIN};

	d->result = append_deliver(&d->append, &how, &d->key, 1, &d->done, &d->err);
	return NULL;
}

static size_t waiting(void)
{
	struct mailbox *mb = store->mailbox;
	size_t n = 0;

	pthread_mutex_lock(&mb->lock);
	for (void *const *at = (void *const *)&mb->deliveries.first; *at; at = *at) /* a delivery begins with next */
		n++;
	pthread_mutex_unlock(&mb->lock);
	return n;
}

/* Somebody else writes, until this is closed. */
static int hold_writer_lock(struct support *s)
{
	char path[256];
	int fd;

	snprintf(path, sizeof path, "%s/mail/%02x/%016llx/mail.lock", s->dir,
	    (unsigned)(s->alice.n >> 56), (unsigned long long)s->alice.n);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(io_lock_wait(fd, 0, 1), 0);
	return fd;
}

/* All of them while somebody else writes: they queue up in this order. */
static void meet(struct support *s, struct delivery_test *list, size_t n)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int fd = hold_writer_lock(s);

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(pthread_create(&list[i].thread, NULL, deliver, &list[i]), 0);
		while (waiting() <= i)
			nanosleep(&pause, NULL);
	}
	close(fd);
	for (size_t i = 0; i < n; i++) {
		pthread_join(list[i].thread, NULL);
		assert_null(list[i].append);
	}
}

static void delivered(struct support *s, const struct delivery_test *d)
{
	s->e = d->err;
	OK(d->result);
}

static void failed(struct support *s, const struct delivery_test *d, enum err_code code)
{
	s->e = d->err;
	FAILS(code, d->result);
}

/* Under its UID lies what was delivered, and not a neighbour's. */
static void is_there(struct support *s, const struct delivery_test *d, unsigned number)
{
	struct message_info m = support_message(s, store, support_folder(s, store, d->folder), d->done.append.uid.n);
	struct str_view octets = support_read(s, store, m.content);
	char head[40];
	int n = snprintf(head, sizeof head, "Subject: %u\r\n", number);

	assert_false(d->done.was_there);
	assert_true(octets.n > (size_t)n);
	assert_memory_equal(octets.p, head, (size_t)n);
}

static void deliveries_that_meet_share_a_commit_in_the_order_they_came(void **state)
{
	struct support *s = *state;
	struct delivery_test list[MEET_N];

	for (unsigned i = 0; i < MEET_N; i++)
		list[i] = letter(s, i, i == 2 ? LARGE_OCTETS : 100);
	meet(s, list, MEET_N);
	for (unsigned i = 0; i < MEET_N; i++) {
		delivered(s, &list[i]);
		is_there(s, &list[i], i);
		assert_int_equal(list[i].done.append.uid.n, i + 1);
		assert_int_equal(list[i].done.append.modseq.n, list[0].done.append.modseq.n);
	}
}

static void one_that_has_no_room_takes_no_other_with_it(void **state)
{
	const struct quota_limit octets = {.most = 20000, .is_own = true}, messages = {0};
	struct support *s = *state;
	struct delivery_test list[MEET_N];

	OK(quota_set(store, octets, messages, &s->e));
	for (unsigned i = 0; i < MEET_N; i++)
		list[i] = letter(s, i, i == 1 ? 30000 : i == 4 ? 19900 : 100);
	meet(s, list, MEET_N);
	for (unsigned i = 0; i < MEET_N; i++) {
		if (i == 1 || i == 4) { /* too large by itself; and for what is left behind those before it */
			failed(s, &list[i], ERR_QUOTA);
			continue;
		}
		delivered(s, &list[i]);
		is_there(s, &list[i], i);
		assert_int_equal(list[i].done.append.modseq.n, list[0].done.append.modseq.n);
	}
	assert_int_equal(list[5].done.append.uid.n, 4);
}

static void one_that_fails_their_commit_takes_no_other_with_it(void **state)
{
	struct support *s = *state;
	struct delivery_test list[MEET_N];

	for (unsigned i = 0; i < MEET_N; i++)
		list[i] = letter(s, i, i == 2 ? LARGE_OCTETS : 100);
	OK(append_finish(list[2].append, &s->e));
	assert_int_equal(ftruncate(list[2].append->spool.fd, 0), 0); /* its octets can't be read any more */
	meet(s, list, MEET_N);
	for (unsigned i = 0; i < MEET_N; i++) {
		if (i == 2) {
			failed(s, &list[i], ERR_IO);
			continue;
		}
		delivered(s, &list[i]);
		is_there(s, &list[i], i);
		assert_int_equal(list[i].done.append.uid.n, i < 2 ? i + 1 : i);
	}
}

static void a_retry_that_meets_the_first_try_adds_nothing(void **state)
{
	struct support *s = *state;
	struct delivery_test list[3] = {letter(s, 1, 100), letter(s, 1, 100), letter(s, 2, 100)};

	meet(s, list, 3);
	for (size_t i = 0; i < 3; i++)
		delivered(s, &list[i]);
	assert_true(list[1].done.was_there);
	is_there(s, &list[0], 1);
	is_there(s, &list[2], 2);
	assert_int_equal(list[2].done.append.uid.n, 2);
}

static void a_retry_is_known_for_five_days(void **state)
{
	struct support *s = *state;
	struct delivery_test list[3];

	for (size_t i = 0; i < 3; i++) {
		list[i] = letter(s, 1, 100);
		deliver(&list[i]);
		delivered(s, &list[i]);
		clock_advance(INT64_C(86400000) * 4);
	}
	is_there(s, &list[0], 1);
	assert_true(list[1].done.was_there); /* on the fourth day */
	is_there(s, &list[2], 1);	     /* on the eighth */
}

static void each_goes_to_its_folder_and_to_inbox_where_that_is_gone(void **state)
{
	static const char *const folders[MEET_N] = {"INBOX", "gone", "Junk", "Sent", "Junk", "INBOX"};
	static const uint32_t uids[MEET_N] = {1, 2, 1, 1, 2, 3};
	struct support *s = *state;
	struct delivery_test list[MEET_N];

	for (unsigned i = 0; i < MEET_N; i++) {
		list[i] = letter(s, i, 100);
		list[i].folder = folders[i];
	}
	meet(s, list, MEET_N);
	list[1].folder = "INBOX";
	for (unsigned i = 0; i < MEET_N; i++) {
		delivered(s, &list[i]);
		is_there(s, &list[i], i);
		assert_int_equal(list[i].done.append.uid.n, uids[i]);
	}
}

static void none_gets_in_where_nobody_lets_go_of_the_mailbox(void **state)
{
	struct support *s = *state;
	struct delivery_test list[3] = {letter(s, 0, 100), letter(s, 1, 100), letter(s, 2, 100)};
	int fd = hold_writer_lock(s);

	OK(registry_set_dword(s->site, REGISTRY_STORE, "WriteWait", 10, &s->e));
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&list[i].thread, NULL, deliver, &list[i]), 0);
	for (size_t i = 0; i < 3; i++) {
		pthread_join(list[i].thread, NULL);
		failed(s, &list[i], ERR_BUSY);
	}
	close(fd);
}

/* ---- a process that is killed ---- */

#define LETTERS 240
#define KILLS 12
#define THREADS 6

struct told {
	atomic_bool delivered[LETTERS]; /* set after append_deliver returned */
	atomic_uint n;
};
static struct told *told;

/* Every THREADS-th letter that nobody heard of yet. */
struct share {
	struct support *s;
	struct store *store;
	unsigned first;
};

static void *deliver_share(void *arg)
{
	const struct share *share = arg;
	struct support s = *share->s; /* for its error */
	struct append_how how = {.folder_name = "INBOX", .idate_ms = INT64_MIN};

	for (unsigned i = share->first; i < LETTERS; i += THREADS) {
		struct append *append;
		struct delivery_key key = {{0}};
		struct delivery_done done;

		if (atomic_load(&told->delivered[i]))
			continue;
		memcpy(key.octets, &i, sizeof i);
		append = write_letter(&s, share->store, i, 100);
		if (append_deliver(&append, &how, &key, 1, &done, &s.e) < 0)
			_exit(3);
		atomic_store(&told->delivered[i], true);
		atomic_fetch_add(&told->n, 1);
	}
	return NULL;
}

static _Noreturn void deliver_what_is_left(struct support *s)
{
	struct share shares[THREADS];
	pthread_t threads[THREADS];
	struct store *own;

	if (site_open(s->dir, "child", &s->site, &s->e) < 0)
		_exit(2);
	own = support_open(s, s->alice);
	for (unsigned i = 0; i < THREADS; i++) {
		shares[i] = (struct share){s, own, i};
		pthread_create(&threads[i], NULL, deliver_share, &shares[i]);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

/* kill_after: letters, and a moment more; 0: not at all. */
static void run_child(struct support *s, unsigned kill_after)
{
	unsigned begun = atomic_load(&told->n);
	const struct timespec look = {.tv_nsec = 200000};
	struct timespec moment = {0};
	uint32_t random;
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		deliver_what_is_left(s);
	if (kill_after) {
		while (atomic_load(&told->n) < begun + kill_after && waitpid(pid, &status, WNOHANG) == 0)
			nanosleep(&look, NULL);
		io_random(&random, sizeof random);
		moment.tv_nsec = random % 5000000; /* the instant is the point, not the wait */
		nanosleep(&moment, NULL);
		kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) == pid)
		;
	if (WIFEXITED(status) ? WEXITSTATUS(status) != 0 : WTERMSIG(status) != SIGKILL)
		fail_msg("the child ended by itself: %x", (unsigned)status);
}

static void count_letters(struct support *s, unsigned found[LETTERS])
{
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct message_info *list;
	size_t n;

	memset(found, 0, LETTERS * sizeof *found);
	OK(message_list(store, inbox, &support_all, 1, MESSAGE_BASIC, SIZE_MAX, &s->arena, &list, &n, &s->e));
	for (size_t i = 0; i < n; i++) {
		struct str_view octets = support_read(s, store, list[i].content);
		unsigned number = LETTERS;

		assert_int_equal(sscanf(octets.p, "Subject: %u", &number), 1);
		assert_in_range(number, 0, LETTERS - 1);
		found[number]++;
	}
}

static void who_is_killed_between_commit_and_answer_loses_none_and_doubles_none(void **state)
{
	struct support *s = *state;
	unsigned found[LETTERS];

	told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(told != MAP_FAILED);
	support_close(&store);
	site_close(&s->site); /* children open their own */
	for (unsigned i = 0; i < KILLS; i++)
		run_child(s, 1 + i);
	OK(site_open(s->dir, "test", &s->site, &s->e));
	store = support_open(s, s->alice);
	count_letters(s, found);
	for (unsigned i = 0; i < LETTERS; i++) {
		assert_true(found[i] <= 1);
		assert_true(found[i] == 1 || !told->delivered[i]); /* who was told so finds it there */
	}
	support_close(&store);
	site_close(&s->site);
	run_child(s, 0); /* the queue tries again */
	OK(site_open(s->dir, "test", &s->site, &s->e));
	store = support_open(s, s->alice);
	count_letters(s, found);
	for (unsigned i = 0; i < LETTERS; i++)
		assert_int_equal(found[i], 1);
	munmap(told, sizeof *told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		deliveries_that_meet_share_a_commit_in_the_order_they_came, setup, teardown),
	    cmocka_unit_test_setup_teardown(one_that_has_no_room_takes_no_other_with_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(one_that_fails_their_commit_takes_no_other_with_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_retry_that_meets_the_first_try_adds_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_retry_is_known_for_five_days, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		each_goes_to_its_folder_and_to_inbox_where_that_is_gone, setup, teardown),
	    cmocka_unit_test_setup_teardown(none_gets_in_where_nobody_lets_go_of_the_mailbox, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		who_is_killed_between_commit_and_answer_loses_none_and_doubles_none, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
