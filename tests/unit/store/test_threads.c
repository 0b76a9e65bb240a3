/*
 * Eight threads of one process on three mailboxes, with few handles allowed and all of them closed
 * while the threads work: nothing is lost, nothing waits for ever.  (The build with the thread
 * sanitizer is what this is for.)
 */
#include "support.h"

#include "base/check.h"
#include "base/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS 8
#define OPERATIONS 150
#define USERS 3

static atomic_uint rings, appended[USERS];

struct worker {
	struct support s;
	struct user_id users[USERS];
	unsigned n;
};

static void rang(void *arg)
{
	atomic_fetch_add((atomic_uint *)arg, 1);
}

static void one_operation(struct worker *w, unsigned i)
{
	struct support *s = &w->s;
	unsigned user = (w->n + i) % USERS;
	struct store *store = support_open(s, w->users[user]);
	struct folder_id inbox = support_folder(s, store, "INBOX");
	const struct flags_change change = {.how = FLAGS_REPLACE, .flags = i % 32};
	struct change_watch *watch = NULL;
	struct folder_changes changes;
	struct message_info *list;
	struct store_uid *failed;
	size_t n, failed_n;

	switch (i % 5) {
	case 0:
		support_append(s, store, inbox, "Subject: x\r\n\r\nx\r\n", 0);
		atomic_fetch_add(&appended[user], 1);
		break;
	case 1:
		OK(flags_store(store, inbox, &support_all, 1, &change, &s->arena, &list, &n, &failed,
		    &failed_n, &s->e));
		break;
	case 2:
		OK(message_list(store, inbox, &support_all, 1, MESSAGE_BASIC, 100, &s->arena, &list, &n,
		    &s->e));
		break;
	case 3:
		OK(change_folder(store, inbox, (struct store_modseq){i}, 0, &s->arena, &changes, &s->e));
		break;
	default:
		OK(change_watch(s->site, w->users[user], rang, &rings, &watch, &s->e));
		support_append(s, store, support_folder(s, store, "Sent"), "x\r\n", 0);
		change_unwatch(&watch);
		clock_advance(1000);
	}
	support_close(&store);
	arena_fini(&s->arena);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	for (unsigned i = 0; i < OPERATIONS; i++)
		one_operation(w, i);
	return NULL;
}

static void threads_share_mailboxes(void **state)
{
	static struct worker workers[THREADS];
	struct support support, *s = &support;
	struct user_id carol;
	pthread_t threads[THREADS];

	(void)state;
	support_begin(s);
	OK(directory_user_add(s->site, "carol", NULL, &carol, &s->e));
	OK(registry_set_dword(s->site, REGISTRY_STORE, "HandlesMax", 4, &s->e));
	OK(registry_set_dword(s->site, REGISTRY_STORE, "HandleIdle", 1, &s->e));
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.s = *s, .users = {s->alice, s->bob, carol}, .n = i};
		CHECK(pthread_create(&threads[i], NULL, worker_main, &workers[i]) == 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned user = 0; user < USERS; user++) {
		struct store *store = support_open(s, workers[0].users[user]);
		struct folder_info inbox;

		OK(folder_by_name(store, "INBOX", &s->arena, &inbox, &s->e));
		assert_int_equal(inbox.exists, atomic_load(&appended[user]));
		support_check(s, store);
		support_close(&store);
	}
	support_end(s);
}

/* Descriptors of this process on databases below the store folder. */
static size_t open_databases(struct support *s)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char link[300], path[512] = "";

		snprintf(link, sizeof link, "/proc/self/fd/%s", entry->d_name);
		if (readlink(link, path, sizeof path - 1) > 0 && strncmp(path, s->dir, strlen(s->dir)) == 0 &&
		    strstr(path, "/mail.db"))
			n++;
	}
	closedir(dir);
	return n;
}

static bool databases_become(struct support *s, size_t n)
{
	for (int i = 0; i < 200; i++) {
		if (open_databases(s) <= n)
			return true;
		usleep(50000);
	}
	return false;
}

static void handles_are_closed_when_idle_or_too_many(void **state)
{
	struct support support, *s = &support;
	struct store *stores[8];

	(void)state;
	support_begin(s);
	OK(registry_set_dword(s->site, REGISTRY_STORE, "HandlesMax", 4, &s->e));
	for (unsigned i = 0; i < 8; i++) {
		char name[16];
		struct user_id user;

		snprintf(name, sizeof name, "user%u", i);
		OK(directory_user_add(s->site, name, NULL, &user, &s->e));
		stores[i] = support_open(s, user);
		support_append(s, stores[i], support_folder(s, stores[i], "INBOX"), "x\r\n", 0);
	}
	assert_true(databases_become(s, 4 * 3)); /* a handle is the database, its WAL and its index */
	clock_advance(11000);
	assert_true(databases_become(s, 0));
	/* A mailbox that is open needs no handle until it is asked something. */
	for (unsigned i = 0; i < 8; i++) {
		support_check(s, stores[i]);
		support_close(&stores[i]);
	}
	support_end(s);
}

/* A lock of a description of its own, as another process would hold it. */
static int hold(struct support *s, const char *name)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
	char path[400];
	int fd;

	snprintf(path, sizeof path, "%s/%s", s->dir, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &l), 0);
	return fd;
}

static void a_site_closes_its_handles_while_others_write(void **state)
{
	struct support support, *s = &support;
	char name[64];
	struct store *store;
	int mail, directory;

	(void)state;
	support_begin(s);
	store = support_open(s, s->alice);
	support_append(s, store, support_folder(s, store, "INBOX"), "x\r\n", 0);
	support_close(&store);
	assert_true(open_databases(s) > 0);
	snprintf(name, sizeof name, "mail/%02x/%016" PRIx64 "/mail.lock", (unsigned)(s->alice.n >> 56),
	    s->alice.n);
	mail = hold(s, name);
	directory = hold(s, "directory.lock");
	site_close(&s->site);
	assert_int_equal(open_databases(s), 0);
	close(mail);
	close(directory);
	OK(site_open(s->dir, "test", &s->site, &s->e));
	store = support_open(s, s->alice);
	support_check(s, store);
	support_close(&store);
	support_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(threads_share_mailboxes),
	    cmocka_unit_test(handles_are_closed_when_idle_or_too_many),
	    cmocka_unit_test(a_site_closes_its_handles_while_others_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
