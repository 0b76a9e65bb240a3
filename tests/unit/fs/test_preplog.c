/* tests/unit/fs/test_preplog.c - prepared files as records, and the log of the small ones. */
#include "fs/preplog.h"
#include "fs/record.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
	char path[64];
	int dir_fd;
	struct preplog *log;
};

static int begin(void **state)
{
	static struct place place;

	snprintf(place.path, sizeof place.path, "/tmp/postern-test-XXXXXX");
	assert_non_null(mkdtemp(place.path));
	place.dir_fd = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	place.log = preplog_new(place.dir_fd);
	*state = &place;
	return 0;
}

/* The files in it, which go. */
static unsigned empty(struct place *p)
{
	DIR *dir = opendir(p->path);
	struct dirent *entry;
	unsigned n = 0;

	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.' && unlinkat(p->dir_fd, entry->d_name, 0) == 0;
	closedir(dir);
	return n;
}

static int end(void **state)
{
	struct place *p = *state;

	if (p->log)
		preplog_free(&p->log);
	empty(p);
	close(p->dir_fd);
	return rmdir(p->path);
}

static unsigned files(const struct place *p)
{
	DIR *dir = opendir(p->path);
	struct dirent *entry;
	unsigned n = 0;

	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static struct str_buf record(const char *name, const char *flags, const char *octets, size_t n)
{
	struct record r = {.user = {7}, .folder = 3, .place = 1, .mtime_ms = -5, .size = n, .name = name, .flags = flags};
	struct str_buf out = {0};
	size_t padding = (size_t)(record_round(n) - n);

	r.sum = record_sum_rest(&r, record_sum(RECORD_SUM_BEGIN, octets, n));
	record_put_header(&r, &out);
	str_buf_put(&out, octets, n);
	memset(str_buf_room(&out, padding), 0, padding);
	out.n += padding;
	return out;
}

static struct preplog_at put(struct place *p, const char *name, size_t n)
{
	char *octets = malloc(n + 1);
	struct preplog_at at;
	struct str_buf whole;

	memset(octets, 'x', n);
	whole = record(name, "", octets, n);
	assert_int_equal(preplog_put(p->log, whole.p, whole.n, &at), 0);
	str_buf_fini(&whole);
	free(octets);
	return at;
}

static struct preplog_at put_and_sync(struct place *p, const char *name, size_t n)
{
	struct preplog_at at = put(p, name, n);

	assert_int_equal(preplog_sync(p->log, &at), 0);
	return at;
}

static bool is_whole(int fd, const struct record *r)
{
	char *octets = malloc(r->size + 1);
	ssize_t n = pread(fd, octets, r->size, (off_t)r->octets_at);
	bool yes = n == (ssize_t)r->size &&
	    record_sum_rest(r, record_sum(RECORD_SUM_BEGIN, octets, (size_t)n)) == r->sum;

	free(octets);
	return yes;
}

/* "a b- ": names of the records of a file, with a hyphen behind those that need not be kept. */
static const char *names_in(const struct place *p, const char *file)
{
	static char names[4096];
	int fd = openat(p->dir_fd, file, O_RDONLY | O_CLOEXEC);
	struct arena arena = {0};
	struct record r;
	uint64_t stamp = 0;

	names[0] = '\0';
	for (uint64_t at = 0; record_read(fd, at, &arena, &r) && (at == 0 || r.stamp == stamp); at = r.next) {
		stamp = r.stamp;
		assert_true(is_whole(fd, &r));
		assert_true(strlen(names) + strlen(r.name) + 3 < sizeof names);
		strcat(strcat(strcat(names, r.name), r.is_done ? "-" : ""), " ");
	}
	arena_fini(&arena);
	close(fd);
	return names;
}

static void a_record_reads_as_it_was_put(void **state)
{
	struct place *p = *state;
	struct arena arena = {0};
	struct preplog_at at;
	struct str_buf whole;
	struct record r, none;
	char flags[3000];
	int fd;

	memset(flags, 'f', sizeof flags - 1);
	flags[sizeof flags - 1] = '\0';
	whole = record("two\nlines.eml", flags, "Subject: x\n\n", 12);
	assert_int_equal(preplog_put(p->log, whole.p, whole.n, &at), 0);
	assert_int_equal(preplog_sync(p->log, &at), 0);
	fd = openat(p->dir_fd, "log-0", O_RDWR | O_CLOEXEC);
	assert_true(record_read(fd, 0, &arena, &r));
	assert_string_equal(r.name, "two\nlines.eml");
	assert_string_equal(r.flags, flags);
	assert_int_equal(r.user.n, 7);
	assert_int_equal(r.folder, 3);
	assert_int_equal(r.place, 1);
	assert_int_equal(r.mtime_ms, -5);
	assert_int_equal(r.size, 12);
	assert_int_equal(r.next, whole.n);
	assert_false(r.is_done);
	assert_true(is_whole(fd, &r));
	/* Another octet, of the header or behind it, and it is none that was kept. */
	assert_int_equal(pwrite(fd, "S", 1, (off_t)r.octets_at + 1), 1);
	assert_false(is_whole(fd, &r));
	assert_int_equal(pwrite(fd, "u", 1, (off_t)r.octets_at + 1), 1);
	assert_true(is_whole(fd, &r));
	assert_int_equal(pwrite(fd, "g", 1, (off_t)r.octets_at - 600), 1);
	assert_true(record_read(fd, 0, &arena, &r));
	assert_false(is_whole(fd, &r));
	/* No record where none begins. */
	assert_false(record_read(fd, r.next, &arena, &none));
	assert_false(record_read(fd, 512, &arena, &none));
	assert_false(record_read(fd, 1 << 30, &arena, &none));
	close(fd);
	arena_fini(&arena);
	str_buf_fini(&whole);
}

static void what_need_not_be_kept_is_marked_and_the_rest_stays_for_the_next_mount(void **state)
{
	struct place *p = *state;
	struct preplog_at a = put_and_sync(p, "a", 4096), b = put_and_sync(p, "b", 10), c = put_and_sync(p, "c", 4096);

	assert_string_equal(names_in(p, "log-0"), "a b c ");
	preplog_drop(p->log, &b);
	assert_string_equal(names_in(p, "log-0"), "a b- c ");
	preplog_drop(p->log, &a);
	preplog_free(&p->log);
	assert_string_equal(names_in(p, "log-0"), "a- b- c ");
	(void)c;
}

static void a_file_with_nothing_in_it_is_used_from_its_beginning(void **state)
{
	struct place *p = *state;
	struct preplog_at a, b;

	for (int i = 0; i < 1000; i++) {
		a = put_and_sync(p, "a", 4096);
		preplog_drop(p->log, &a);
	}
	assert_int_equal(files(p), 1);
	a = put_and_sync(p, "a", 4096);
	b = put_and_sync(p, "b", 4096);
	preplog_drop(p->log, &a);
	preplog_drop(p->log, &b);
	a = put_and_sync(p, "c", 4096);
	/* b stands behind it still, of an earlier use. */
	assert_string_equal(names_in(p, "log-0"), "c ");
	preplog_drop(p->log, &a);
	preplog_free(&p->log);
	assert_int_equal(files(p), 0);
}

static void what_waits_for_its_sync_is_not_written_over(void **state)
{
	struct place *p = *state;
	struct preplog_at a = put(p, "a", 4096), b;

	preplog_wait(p->log, &a);
	preplog_drop(p->log, &a); /* it was written to, or removed, before it was synced */
	b = put_and_sync(p, "b", 4096);
	assert_string_equal(names_in(p, "log-0"), "a- b ");
	assert_int_equal(preplog_sync(p->log, &a), 0);
	assert_int_equal(preplog_sync(p->log, &a), 0);
	preplog_drop(p->log, &b);
}

static void more_than_fits_makes_files_that_go_again(void **state)
{
	struct place *p = *state;
	struct preplog_at at[100];

	for (int i = 0; i < 100; i++)
		at[i] = put_and_sync(p, "large", 131072);
	assert_true(files(p) > 10);
	for (int i = 0; i < 100; i++)
		preplog_drop(p->log, &at[i]);
	assert_true(files(p) <= 2);
}

#define THREADS 8
#define EACH 50

static void *put_many(void *arg)
{
	struct place *p = arg;

	for (int i = 0; i < EACH; i++) {
		struct preplog_at at = put(p, "t", 1000);

		if (preplog_sync(p->log, &at) != 0)
			return p;
		if (i % 2)
			preplog_drop(p->log, &at);
	}
	return NULL;
}

static void many_at_once_are_all_there(void **state)
{
	struct place *p = *state;
	pthread_t threads[THREADS];
	void *wrong;
	const char *names;
	unsigned kept = 0;

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, put_many, p), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
	assert_int_equal(files(p), 1);
	names = names_in(p, "log-0");
	for (; *names; names += strcspn(names, " ") + 1)
		kept += names[1] == ' ';
	assert_int_equal(kept, THREADS * EACH / 2);
}

static void no_place_for_a_file_is_told_and_leaves_nothing(void **state)
{
	struct place *p = *state;
	struct preplog *log = preplog_new(-1);
	struct preplog_at at;
	struct str_buf whole = record("a", "", "x", 1);

	assert_int_not_equal(preplog_put(log, whole.p, whole.n, &at), 0);
	assert_int_equal(files(p), 0);
	str_buf_fini(&whole);
	preplog_free(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_record_reads_as_it_was_put, begin, end),
	    cmocka_unit_test_setup_teardown(
		what_need_not_be_kept_is_marked_and_the_rest_stays_for_the_next_mount, begin, end),
	    cmocka_unit_test_setup_teardown(a_file_with_nothing_in_it_is_used_from_its_beginning, begin, end),
	    cmocka_unit_test_setup_teardown(what_waits_for_its_sync_is_not_written_over, begin, end),
	    cmocka_unit_test_setup_teardown(more_than_fits_makes_files_that_go_again, begin, end),
	    cmocka_unit_test_setup_teardown(many_at_once_are_all_there, begin, end),
	    cmocka_unit_test_setup_teardown(no_place_for_a_file_is_told_and_leaves_nothing, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
