/* The feed of changes, the doorbell, who is woken. */
#include "support.h"

#include "base/clock.h"
#include "base/io.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct store *store;

static int setup(void **state)
{
	return support_setup(state, &store);
}

static int teardown(void **state)
{
	return support_teardown(state, &store);
}

static struct folder_changes changes(struct support *s, struct folder_id f, struct store_modseq since)
{
	struct folder_changes c;

	OK(change_folder(store, f, since, MESSAGE_FLAGS, &s->arena, &c, &s->e));
	return c;
}

static void flag(struct support *s, struct folder_id f, uint32_t from, uint32_t to, uint32_t flags)
{
	const struct uid_range range = {from, to};
	const struct flags_change change = {.how = FLAGS_ADD, .flags = flags};
	struct message_info *now;
	struct store_uid *failed;
	size_t n, failed_n;

	OK(flags_store(store, f, &range, 1, &change, &s->arena, &now, &n, &failed, &failed_n, &s->e));
}

static void the_feed_tells_what_is_new_changed_and_gone(void **state)
{
	struct support *s = *state;
	struct folder_id inbox = support_folder(s, store, "INBOX");
	const struct uid_range two = {2, 2}, four = {4, 4};
	struct folder_changes c;
	struct store_modseq at;
	struct store_uid *gone;
	size_t n;

	for (int i = 0; i < 3; i++)
		support_append(s, store, inbox, "x\r\n", 0);
	c = changes(s, inbox, (struct store_modseq){0});
	assert_int_equal(c.changed_n, 3);
	at = c.highestmodseq;
	c = changes(s, inbox, at);
	assert_int_equal(c.changed_n + c.expunged_n, 0);

	flag(s, inbox, 1, 1, STORE_FLAG_SEEN);
	OK(message_expunge(store, inbox, &two, 1, false, &s->arena, &gone, &n, &s->e));
	support_append(s, store, inbox, "came and went\r\n", 0);
	OK(message_expunge(store, inbox, &four, 1, false, &s->arena, &gone, &n, &s->e));
	support_append(s, store, inbox, "new\r\n", 0);
	c = changes(s, inbox, at);
	assert_false(c.reset);
	assert_int_equal(c.changed_n, 2);
	assert_int_equal(c.changed[0].uid.n, 1);
	assert_int_equal(c.changed[0].flags, STORE_FLAG_SEEN);
	assert_int_equal(c.changed[1].uid.n, 5);
	assert_int_equal(c.expunged_n, 1);
	assert_int_equal(c.expunged[0].n, 2);
	assert_int_equal(c.info.exists, 3);
	assert_int_equal(c.info.unseen, 2);
	FAILS(ERR_NOTFOUND,
	    change_folder(store, (struct folder_id){99}, at, 0, &s->arena, &c, &s->e));
}

static bool holds(const struct uid_range *ranges, size_t n, uint32_t uid)
{
	for (size_t i = 0; i < n; i++)
		if (ranges[i].from <= uid && uid <= ranges[i].to)
			return true;
	return false;
}

static void where_changes_lie_is_told_however_long_ago(void **state)
{
	struct support *s = *state;
	struct folder_id inbox = support_folder(s, store, "INBOX");
	const struct uid_range two = {50, 51}, came = {101, 101};
	struct change_where w;
	struct store_modseq at;
	struct store_uid *gone;
	size_t n;

	for (int i = 0; i < 100; i++)
		support_append(s, store, inbox, "x\r\n", 0);
	at = changes(s, inbox, (struct store_modseq){0}).highestmodseq;
	OK(change_where(store, inbox, at, &s->arena, &w, &s->e));
	assert_int_equal(w.changed_n + w.gone_n, 0);
	flag(s, inbox, 10, 12, STORE_FLAG_SEEN);
	OK(message_expunge(store, inbox, &two, 1, false, &s->arena, &gone, &n, &s->e));
	support_append(s, store, inbox, "came and went\r\n", 0);
	OK(message_expunge(store, inbox, &came, 1, false, &s->arena, &gone, &n, &s->e));
	support_append(s, store, inbox, "new\r\n", 0);
	OK(change_where(store, inbox, at, &s->arena, &w, &s->e));
	assert_false(w.pruned);
	assert_true(holds(w.changed, w.changed_n, 10) && holds(w.changed, w.changed_n, 12));
	assert_true(holds(w.changed, w.changed_n, 102));
	assert_false(holds(w.changed, w.changed_n, 9) || holds(w.changed, w.changed_n, 50));
	/* Who asks from further back than it knows may know of what came and went. */
	assert_int_equal(w.gone_n, 2);
	assert_int_equal(w.gone[0].from, 50);
	assert_int_equal(w.gone[0].to, 51);
	assert_int_equal(w.gone[1].from, 101);
	assert_int_equal(w.gone[1].to, 101);
	FAILS(ERR_NOTFOUND, change_where(store, (struct folder_id){99}, at, &s->arena, &w, &s->e));
}

static void a_change_that_changes_nothing_is_none(void **state)
{
	struct support *s = *state;
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct store_status before, after;
	uint64_t bell;

	support_append(s, store, inbox, "x\r\n", STORE_FLAG_SEEN);
	OK(store_status(store, &before, &s->e));
	bell = change_counter(store);
	assert_int_equal(bell, before.modseq.n);
	flag(s, inbox, 1, 1, STORE_FLAG_SEEN);
	OK(store_status(store, &after, &s->e));
	assert_int_equal(after.modseq.n, before.modseq.n);
	assert_int_equal(change_counter(store), bell);
	/* Claiming \Recent commits, but is nobody else's business. */
	struct store_uid from;

	OK(folder_claim_recent(store, inbox, &from, &s->e));
	assert_int_equal(change_counter(store), bell);
}

static void the_store_s_feed_names_folders(void **state)
{
	struct support *s = *state;
	struct store_changes c;
	struct folder_id a, b;
	struct store_modseq at;

	OK(folder_create(store, "a", FOLDER_NO_USE, &a, &s->e));
	OK(folder_create(store, "b", FOLDER_NO_USE, &b, &s->e));
	OK(change_store(store, (struct store_modseq){0}, &s->arena, &c, &s->e));
	assert_int_equal(c.changed_n, 8);
	at = c.modseq;
	OK(change_store(store, at, &s->arena, &c, &s->e));
	assert_int_equal(c.changed_n + c.gone_n, 0);
	OK(folder_rename(store, "a", "c", &s->e));
	OK(folder_delete(store, "b", &s->e));
	OK(change_store(store, at, &s->arena, &c, &s->e));
	assert_int_equal(c.changed_n, 1);
	assert_int_equal(c.changed[0].n, a.n);
	assert_int_equal(c.gone_n, 1);
	assert_int_equal(c.gone[0].n, b.n);
}

static struct store_modseq position(struct support *s, struct store *of)
{
	struct store_status status;

	OK(store_status(of, &status, &s->e));
	return status.modseq;
}

static void who_committed_is_known_of_late(void **state)
{
	struct support *s = *state;
	struct store *other = support_open(s, s->alice);
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct store_modseq at[4];

	at[0] = position(s, store);
	assert_false(change_is_own(store, (struct store_modseq){at[0].n - 1}, at[0]));
	support_append(s, store, inbox, "A: b\r\n\r\n", 0);
	support_append(s, store, inbox, "A: b\r\n\r\n", 0);
	at[1] = position(s, store);
	support_append(s, other, inbox, "A: b\r\n\r\n", 0);
	at[2] = position(s, store);
	flag(s, inbox, 1, 1, STORE_FLAG_SEEN);
	at[3] = position(s, store);
	assert_true(change_is_own(store, at[0], at[1]) && !change_is_own(other, at[0], at[1]));
	assert_true(change_is_own(store, (struct store_modseq){at[1].n - 1}, at[1]));
	assert_true(change_is_own(other, at[1], at[2]) && !change_is_own(store, at[1], at[2]));
	assert_true(change_is_own(store, at[2], at[3]));
	assert_false(change_is_own(store, at[0], at[3]));
	/* What was long ago is anybody's. */
	for (int i = 0; i < 20; i++)
		support_append(s, i % 2 ? store : other, inbox, "A: b\r\n\r\n", 0);
	assert_false(change_is_own(store, at[0], at[1]));
	support_close(&other);
}

static void flags_of_a_stale_client_fail(void **state)
{
	struct support *s = *state;
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct flags_change change = {.how = FLAGS_ADD, .flags = STORE_FLAG_FLAGGED,
	    .has_unchanged_since = true};
	struct message_info *now;
	struct store_uid *failed;
	size_t n, failed_n;

	support_append(s, store, inbox, "x\r\n", 0);
	support_append(s, store, inbox, "y\r\n", 0);
	change.unchanged_since = changes(s, inbox, (struct store_modseq){0}).highestmodseq;
	flag(s, inbox, 2, 2, STORE_FLAG_SEEN);
	OK(flags_store(store, inbox, &support_all, 1, &change, &s->arena, &now, &n, &failed, &failed_n,
	    &s->e));
	assert_int_equal(failed_n, 1);
	assert_int_equal(failed[0].n, 2);
	assert_int_equal(n, 2);
	assert_int_equal(now[0].flags, STORE_FLAG_FLAGGED);
	assert_int_equal(now[1].flags, STORE_FLAG_SEEN);
}

static void a_64th_keyword_is_refused(void **state)
{
	struct support *s = *state;
	struct folder_id inbox = support_folder(s, store, "INBOX");
	const char *names[63], *name;
	char text[16];
	struct flags_change change = {.how = FLAGS_ADD, .keywords = &name, .keywords_n = 1};
	struct message_info *now;
	struct store_uid *failed;
	size_t n, failed_n;

	name = text;
	support_append(s, store, inbox, "x\r\n", 0);
	for (int i = 0; i < 63; i++) {
		snprintf(text, sizeof text, "key%d", i);
		OK(flags_store(store, inbox, &support_all, 1, &change, &s->arena, &now, &n, &failed,
		    &failed_n, &s->e));
	}
	assert_true(now[0].keywords == UINT64_MAX >> 1);
	name = "KEY5"; /* known, in any case */
	OK(flags_store(store, inbox, &support_all, 1, &change, &s->arena, &now, &n, &failed, &failed_n,
	    &s->e));
	name = "one-more";
	FAILS(ERR_LIMIT, flags_store(store, inbox, &support_all, 1, &change, &s->arena, &now, &n,
			     &failed, &failed_n, &s->e));
	OK(flags_keywords(store, &s->arena, names, &s->e));
	assert_string_equal(names[62], "key62");
}

/* A counter that a watch raises, and a thread waits for. */
struct bell {
	pthread_mutex_t lock;
	pthread_cond_t rang;
	unsigned n;
};

static void ring(void *arg)
{
	struct bell *bell = arg;

	pthread_mutex_lock(&bell->lock);
	bell->n++;
	pthread_cond_broadcast(&bell->rang);
	pthread_mutex_unlock(&bell->lock);
}

/* Whether it has rung at least n times, within 10 s. */
static bool bell_wait(struct bell *bell, unsigned n)
{
	struct timespec until;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 10;
	pthread_mutex_lock(&bell->lock);
	while (bell->n < n && r == 0)
		r = pthread_cond_clockwait(&bell->rang, &bell->lock, CLOCK_MONOTONIC, &until);
	pthread_mutex_unlock(&bell->lock);
	return r == 0;
}

static void a_commit_rings_who_watches_that_user(void **state)
{
	struct support *s = *state, other = *s;
	struct bell alice = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0}, again = alice,
		    bob = alice;
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct change_watch *watches[3];
	struct store *elsewhere;

	OK(change_watch(s->site, s->alice, ring, &alice, &watches[0], &s->e));
	OK(change_watch(s->site, s->alice, ring, &again, &watches[1], &s->e));
	OK(change_watch(s->site, s->bob, ring, &bob, &watches[2], &s->e));
	/* Another site has handles and locks of its own, as another process has. */
	OK(site_open(s->dir, "other", &other.site, &s->e));
	elsewhere = support_open(&other, s->alice);
	support_append(&other, elsewhere, inbox, "x\r\n", 0);
	assert_true(bell_wait(&alice, 1));
	assert_true(bell_wait(&again, 1));
	change_unwatch(&watches[0]);
	unsigned before = alice.n;

	support_append(&other, elsewhere, inbox, "y\r\n", 0);
	assert_true(bell_wait(&again, 2));
	assert_int_equal(alice.n, before);
	assert_int_equal(bob.n, 0);
	change_unwatch(&watches[1]);
	change_unwatch(&watches[2]);
	support_close(&elsewhere);
	site_close(&other.site);
}

/* Whether the doorbell's counter reaches n within 10 s; each try rings bob's, so the thread wakes. */
static bool counter_reaches(struct support *s, struct store *bobs, uint64_t n)
{
	for (int i = 0; i < 200; i++) {
		support_append(s, bobs, support_folder(s, bobs, "INBOX"), "x\r\n", 0);
		if (change_counter(store) == n)
			return true;
		usleep(50000);
	}
	return false;
}

/* As if the last writer had died between COMMIT and bell. */
static void silence_alices_bell(struct support *s)
{
	uint64_t silent = 1;
	char path[256];
	int fd;

	snprintf(path, sizeof path, "%s/run/notice/%016llx", s->dir, (unsigned long long)s->alice.n);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, &silent, sizeof silent, 0), sizeof silent);
	close(fd);
}

static void a_bell_that_a_killed_writer_left_silent_is_made_up_for(void **state)
{
	struct support *s = *state;
	struct bell alice = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0}, bob = alice;
	struct change_watch *watches[2];
	struct store *bobs = support_open(s, s->bob);
	struct store_status status;

	OK(change_watch(s->site, s->alice, ring, &alice, &watches[0], &s->e));
	OK(change_watch(s->site, s->bob, ring, &bob, &watches[1], &s->e));
	support_append(s, store, support_folder(s, store, "INBOX"), "x\r\n", 0);
	OK(store_status(store, &status, &s->e));
	assert_int_equal(change_counter(store), status.modseq.n);
	silence_alices_bell(s);
	clock_advance(31000);
	assert_true(counter_reaches(s, bobs, status.modseq.n));
	change_unwatch(&watches[0]);
	change_unwatch(&watches[1]);
	support_close(&bobs);
}

static void who_closes_the_database_makes_up_for_a_silent_bell(void **state)
{
	struct support *s = *state, other = *s;
	struct bell alice = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
	struct store_status status;
	struct change_watch *watch;
	struct store *elsewhere;

	support_append(s, store, support_folder(s, store, "INBOX"), "x\r\n", 0);
	OK(store_status(store, &status, &s->e));
	OK(site_open(s->dir, "other", &other.site, &s->e));
	elsewhere = support_open(&other, s->alice);
	OK(store_status(elsewhere, &status, &s->e));
	support_close(&elsewhere);
	silence_alices_bell(s);
	OK(change_watch(s->site, s->alice, ring, &alice, &watch, &s->e));
	site_close(&other.site);
	assert_true(bell_wait(&alice, 1));
	assert_int_equal(change_counter(store), status.modseq.n);
	change_unwatch(&watch);
}

/* A mailbox at rest has no WAL; a look at it would open the database, and make one. */
static void a_mailbox_at_rest_is_not_opened_for_the_slow_poll(void **state)
{
	struct support *s = *state;
	struct bell alice = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
	struct site *watching;
	struct change_watch *watch;
	struct stat st;
	char path[256];

	support_close(&store);
	site_close(&s->site);
	OK(site_open(s->dir, "test", &watching, &s->e));
	silence_alices_bell(s);
	OK(change_watch(watching, s->alice, ring, &alice, &watch, &s->e));
	snprintf(path, sizeof path, "%s/mail/%02x/%016llx/mail.db-shm", s->dir,
	    (unsigned)(s->alice.n >> 56), (unsigned long long)s->alice.n);
	assert_int_equal(stat(path, &st), -1);
	clock_advance(31000);
	silence_alices_bell(s); /* wakes the thread */
	assert_true(bell_wait(&alice, 1));
	usleep(50000);
	assert_int_equal(stat(path, &st), -1);
	change_unwatch(&watch);
	site_close(&watching);
	OK(site_open(s->dir, "test", &s->site, &s->e));
	store = support_open(s, s->alice);
}

/* The file of alice's database, with the boot it was last used in changed to another. */
static void pretend_a_reboot(struct support *s)
{
	char path[256], boot[64] = "";
	struct str_buf db = {0};
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY);

	assert_int_equal(read(fd, boot, 36), 36);
	close(fd);
	snprintf(path, sizeof path, "%s/mail/%02x/%016llx/mail.db", s->dir,
	    (unsigned)(s->alice.n >> 56), (unsigned long long)s->alice.n);
	OK(io_read_file(AT_FDCWD, path, 1 << 24, &db, &s->e));
	char *at = memmem(db.p, db.n, boot, 36);

	assert_non_null(at);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "z", 1, at - db.p), 1);
	close(fd);
	str_buf_fini(&db);
}

static void after_a_reboot_no_modseq_is_given_twice(void **state)
{
	struct support *s = *state;
	struct store_status before, after;

	support_append(s, store, support_folder(s, store, "INBOX"), "x\r\n", 0);
	OK(store_status(store, &before, &s->e));
	assert_true(before.modseq.n < 1000);
	support_close(&store);
	site_close(&s->site); /* the last close puts all into the file itself */
	pretend_a_reboot(s);
	OK(site_open(s->dir, "test", &s->site, &s->e));
	store = support_open(s, s->alice);
	flag(s, support_folder(s, store, "INBOX"), 1, 1, STORE_FLAG_SEEN);
	OK(store_status(store, &after, &s->e));
	assert_true(after.modseq.n > before.modseq.n + 60000);
	flag(s, support_folder(s, store, "INBOX"), 1, 1, STORE_FLAG_FLAGGED);
	OK(store_status(store, &before, &s->e));
	assert_int_equal(before.modseq.n, after.modseq.n + 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(the_feed_tells_what_is_new_changed_and_gone),
	    T(where_changes_lie_is_told_however_long_ago),
	    T(a_change_that_changes_nothing_is_none),
	    T(the_store_s_feed_names_folders),
	    T(who_committed_is_known_of_late),
	    T(flags_of_a_stale_client_fail),
	    T(a_64th_keyword_is_refused),
	    T(a_commit_rings_who_watches_that_user),
	    T(a_bell_that_a_killed_writer_left_silent_is_made_up_for),
	    T(who_closes_the_database_makes_up_for_a_silent_bell),
	    T(a_mailbox_at_rest_is_not_opened_for_the_slow_poll),
	    T(after_a_reboot_no_modseq_is_given_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
