/* The directory: users by name, id and account; what is cached is never behind a commit. */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
	static struct support s;

	support_begin(&s);
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	support_end(*state);
	return 0;
}

static void names_are_judged(void **state)
{
	static const struct {
		const char *name;
		bool ok;
	} cases[] = {
	    {"alice", true}, {"Alice.B-c_d+e@host", true}, {"j\xc3\xbcrgen", true},
	    {"\xe3\x81\x82", true}, {"1", true}, {"", false}, {".a", false}, {"a b", false},
	    {"a/b", false}, {"a\nb", false}, {"\xff", false}, {"a\xe2\x80\x8b", false},
	    {"a\xe2\x80\xae", false}, {"..", false},
	    {"0123456789012345678901234567890123456789012345678901234567890123", true},
	    {"01234567890123456789012345678901234567890123456789012345678901234", false},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if ((directory_name_check(cases[i].name, &e) == 0) != cases[i].ok)
			fail_msg("%s", cases[i].name);
}

static void a_user_is_found_by_any_spelling_of_his_name(void **state)
{
	struct support *s = *state;
	char at_host[300];
	const char *spellings[] = {"alice", "ALICE", "Alice", at_host};
	struct directory_user u;

	snprintf(at_host, sizeof at_host, "Alice@%s", site_host_name(s->site));
	for (int twice = 0; twice < 2; twice++)
		for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
			OK(directory_user_find(s->site, spellings[i], &s->arena, &u, &s->e));
			assert_true(u.id.n == s->alice.n);
			assert_string_equal(u.name, "alice");
		}
	FAILS(ERR_NOTFOUND, directory_user_find(s->site, "mallory", &s->arena, &u, &s->e));
	FAILS(ERR_NOTFOUND, directory_user_find(s->site, "", &s->arena, &u, &s->e));
	FAILS(ERR_NOTFOUND, directory_user_find(s->site, "\xff\xfe", &s->arena, &u, &s->e));
	FAILS(ERR_NOTFOUND, directory_user_find(s->site, "alice@elsewhere.invalid", &s->arena, &u, &s->e));
	OK(directory_user_by_id(s->site, s->bob, &s->arena, &u, &s->e));
	assert_string_equal(u.name, "bob");
	FAILS(ERR_NOTFOUND,
	    directory_user_by_id(s->site, (struct user_id){12345}, &s->arena, &u, &s->e));
}

static void a_name_or_account_is_given_once(void **state)
{
	struct support *s = *state;
	struct directory_user u;
	struct user_id id;

	FAILS(ERR_EXISTS, directory_user_add(s->site, "ALICE", NULL, &id, &s->e));
	OK(directory_user_add(s->site, "carol", "carol-unix", &id, &s->e));
	FAILS(ERR_EXISTS, directory_user_add(s->site, "dave", "carol-unix", &id, &s->e));
	FAILS(ERR_EXISTS, directory_set_account(s->site, "alice", "carol-unix", &s->e));
	OK(directory_set_account(s->site, "carol", "carol-unix", &s->e));
	OK(directory_user_by_account(s->site, "carol-unix", &s->arena, &u, &s->e));
	assert_true(u.id.n == id.n);
	OK(directory_set_account(s->site, "carol", NULL, &s->e));
	FAILS(ERR_NOTFOUND, directory_user_by_account(s->site, "carol-unix", &s->arena, &u, &s->e));
}

static void another_process_s_change_is_seen_at_once(void **state)
{
	struct support *s = *state;
	struct directory_user u;
	uint64_t before = directory_generation(s->site);
	struct site *other;

	OK(site_open(s->dir, "other", &other, &s->e));
	for (int i = 0; i < 50; i++) {
		char policy[32];

		snprintf(policy, sizeof policy, "policy%d", i);
		OK(directory_user_find(s->site, "alice", &s->arena, &u, &s->e));
		OK(directory_set_policy(other, "alice", policy, &s->e));
		OK(directory_user_find(s->site, "alice", &s->arena, &u, &s->e));
		assert_string_equal(u.policy, policy);
	}
	assert_true(directory_generation(s->site) > before);
	OK(directory_set_permission(other, "alice", PERMISSION_ADMINISTRATOR, true, &s->e));
	OK(directory_set_permission(other, "alice", PERMISSION_VIEW_INFORMATION_STORE_STATUS, true, &s->e));
	OK(directory_set_permission(other, "alice", PERMISSION_ADMINISTRATOR, false, &s->e));
	OK(directory_set_disabled(other, "alice", true, &s->e));
	OK(directory_user_find(s->site, "alice", &s->arena, &u, &s->e));
	assert_int_equal(u.permissions, PERMISSION_VIEW_INFORMATION_STORE_STATUS);
	assert_true(u.disabled);
	OK(directory_set_disabled(other, "alice", false, &s->e));
	OK(directory_user_find(s->site, "alice", &s->arena, &u, &s->e));
	assert_false(u.disabled);
	FAILS(ERR_NOTFOUND, directory_set_policy(other, "nobody", "x", &s->e));
	site_close(&other);
}

static void a_deleted_user_is_gone_with_his_mail(void **state)
{
	struct support *s = *state;
	struct directory_user *list, u;
	struct user_id again;
	char path[256];
	size_t n;

	snprintf(path, sizeof path, "%s/mail/%02x/%016llx/mail.db", s->dir, (unsigned)(s->bob.n >> 56),
	    (unsigned long long)s->bob.n);
	assert_int_equal(access(path, F_OK), 0);
	OK(directory_user_delete(s->site, "Bob", true, &s->e));
	assert_int_equal(access(path, F_OK), -1);
	FAILS(ERR_NOTFOUND, directory_user_find(s->site, "bob", &s->arena, &u, &s->e));
	FAILS(ERR_NOTFOUND, directory_user_delete(s->site, "bob", true, &s->e));
	OK(directory_users(s->site, &s->arena, &list, &n, &s->e));
	assert_int_equal(n, 1);
	OK(directory_user_add(s->site, "bob", NULL, &again, &s->e));
	assert_true(again.n != s->bob.n);
}

static unsigned mode_of(struct support *s, const char *name)
{
	char path[400];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", s->dir, name);
	if (stat(path, &st) < 0)
		fail_msg("no %s", path);
	return st.st_mode & 07777;
}

/* Daemons under accounts of their own share the store by its group. */
static void files_are_the_groups_whatever_the_umask(void **state)
{
	mode_t before = umask(0077);
	struct support support, *s = &support;
	struct store *store;
	char path[64], file[96];

	(void)state;
	support_begin(s);
	store = support_open(s, s->alice);
	support_append(s, store, support_folder(s, store, "INBOX"), "x\r\n", 0);
	snprintf(path, sizeof path, "mail/%02x/%016llx", (unsigned)(s->alice.n >> 56),
	    (unsigned long long)s->alice.n);
	assert_int_equal(mode_of(s, path), 02770);
	path[7] = '\0';
	assert_int_equal(mode_of(s, path), 02770);
	path[7] = '/';
	for (size_t i = 0; i < 4; i++) {
		static const char *const names[] = {"mail.db", "mail.db-wal", "mail.db-shm", "mail.lock"};

		snprintf(file, sizeof file, "%s/%s", path, names[i]);
		assert_int_equal(mode_of(s, file), 0660);
	}
	assert_int_equal(mode_of(s, "directory.db"), 0660);
	assert_int_equal(mode_of(s, "directory.lock"), 0660);
	assert_int_equal(mode_of(s, "run/notice"), 02770);
	assert_int_equal(mode_of(s, "run/notice/directory"), 0660);
	support_close(&store);
	support_end(s);
	umask(before);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Names of nobody are remembered, and no longer than they are. */
static void who_was_nobody_is_found_once_he_is_added(void **state)
{
	struct support *s = *state;
	struct directory_user u;
	struct user_id id;

	for (int i = 0; i < 3; i++)
		FAILS(ERR_NOTFOUND, directory_user_find(s->site, "carol", &s->arena, &u, &s->e));
	OK(directory_user_add(s->site, "carol", NULL, &id, &s->e));
	OK(directory_user_find(s->site, "carol", &s->arena, &u, &s->e));
	assert_true(u.id.n == id.n);
	FAILS(ERR_NOTFOUND, directory_user_find(s->site, "sales", &s->arena, &u, &s->e));
	FAILS(ERR_NOTFOUND, directory_user_find(s->site, "sales", &s->arena, &u, &s->e));
	OK(directory_alias_add(s->site, "sales", "carol", &s->e));
	OK(directory_user_find(s->site, "sales", &s->arena, &u, &s->e));
	OK(directory_user_delete(s->site, "carol", true, &s->e));
	FAILS(ERR_NOTFOUND, directory_user_find(s->site, "carol", &s->arena, &u, &s->e));
}

/* And whoever asks for thousands of them finds all who are somebody still. */
static void a_flood_of_names_of_nobody_hides_nobody(void **state)
{
	struct support *s = *state;
	struct directory_user u;
	char name[32];

	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof name, "nobody%d", i);
		FAILS(ERR_NOTFOUND, directory_user_find(s->site, name, &s->arena, &u, &s->e));
		if (i % 1000 == 0)
			OK(directory_user_find(s->site, i % 2000 ? "alice" : "bob", &s->arena, &u, &s->e));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_judged),
	    T(a_user_is_found_by_any_spelling_of_his_name),
	    T(a_name_or_account_is_given_once),
	    T(another_process_s_change_is_seen_at_once),
	    T(a_deleted_user_is_gone_with_his_mail),
	    cmocka_unit_test(files_are_the_groups_whatever_the_umask),
	    cmocka_unit_test_setup_teardown(who_was_nobody_is_found_once_he_is_added, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_flood_of_names_of_nobody_hides_nobody, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
