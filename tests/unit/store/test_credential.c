/* What users prove themselves with: auth.db, and how verifiers came there. */
#include "support.h"

#include "store/credential.h"

#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

static struct credential get(struct support *s, struct user_id user)
{
	struct credential c;

	OK(credential_get(s->site, user, &s->arena, &c, &s->e));
	return c;
}

static const struct credential_scram keys = {.salt = "salt", .salt_n = 4, .iterations = 4096, .stored_key = "s", .server_key = "k"};

static void what_was_set_is_read_again(void **state)
{
	struct support *s = *state;
	struct credential c = get(s, s->alice);

	assert_null(c.verifier);
	assert_int_equal(c.scram.iterations, 0);
	OK(credential_set(s->site, s->alice, "$y$1", &keys, &s->e));
	support_reopen(s);
	c = get(s, s->alice);
	assert_string_equal(c.verifier, "$y$1");
	assert_int_equal(c.scram.salt_n, 4);
	assert_memory_equal(&c.scram, &keys, sizeof keys);
	assert_null(get(s, s->bob).verifier);
	OK(credential_set(s->site, s->alice, "$y$2", NULL, &s->e));
	c = get(s, s->alice);
	assert_string_equal(c.verifier, "$y$2");
	assert_int_equal(c.scram.iterations, 0);
}

static void only_its_owner_may_read_it(void **state)
{
	static const char *const names[] = {"auth.db", "auth.db-wal", "auth.lock"};
	struct support *s = *state;
	struct stat st;
	char path[300];

	OK(credential_set(s->site, s->alice, "$y$1", &keys, &s->e));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/auth/%s", s->dir, names[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	snprintf(path, sizeof path, "%s/auth/.", s->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

/* ---- the folder ---- */

static char *path_of(struct support *s, const char *name, char path[300])
{
	snprintf(path, 300, "%s%s", s->dir, name);
	return path;
}

static bool is_there(struct support *s, const char *name)
{
	char path[300];
	struct stat st;

	return lstat(path_of(s, name, path), &st) == 0;
}

static void the_folder_lies_beside_the_stores(void **state)
{
	struct support *s = *state;
	char path[300], link[64] = "";

	OK(credential_set(s->site, s->alice, "$y$1", NULL, &s->e));
	assert_int_equal(readlink(path_of(s, "/auth", path), link, sizeof link - 1), 9);
	assert_string_equal(link, "../s-auth");
	assert_true(is_there(s, "-auth/auth.db"));
	assert_false(is_there(s, "/auth.db"));
}

/* Another store's, or a stranger's. */
static void a_folder_with_something_in_it_is_left_alone(void **state)
{
	struct support *s = *state;
	struct stat st;
	char path[300];

	assert_int_equal(mkdir(path_of(s, "-auth", path), 0755), 0);
	assert_int_equal(mkdir(path_of(s, "-auth/mine", path), 0755), 0);
	OK(credential_set(s->site, s->alice, "$y$1", NULL, &s->e));
	assert_int_equal(lstat(path_of(s, "/auth", path), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_false(is_there(s, "-auth/auth.db"));
	assert_string_equal(get(s, s->alice).verifier, "$y$1");
}

static void one_that_was_only_just_made_is_used(void **state)
{
	struct support *s = *state;
	char path[300];

	assert_int_equal(mkdir(path_of(s, "-auth", path), 0777), 0);
	OK(credential_set(s->site, s->alice, "$y$1", NULL, &s->e));
	assert_true(is_there(s, "-auth/auth.db"));
}

static void a_link_that_leads_nowhere_makes_no_empty_accounts(void **state)
{
	struct support *s = *state;
	struct credential c;
	char path[300], away[300];

	OK(credential_set(s->site, s->alice, "$y$1", NULL, &s->e));
	site_close(&s->site);
	assert_int_equal(rename(path_of(s, "-auth", path), path_of(s, "-away", away)), 0);
	OK(site_open(s->dir, "test", &s->site, &s->e));
	FAILS(ERR_UNAVAILABLE, credential_get(s->site, s->alice, &s->arena, &c, &s->e));
	assert_non_null(strstr(s->e.what, "leads nowhere"));
	assert_int_equal(rename(away, path), 0);
	assert_string_equal(get(s, s->alice).verifier, "$y$1");
}

/* As an older version left it: beside the directory, what came last only in its WAL. */
static void make_old(struct support *s)
{
	static const char *const files[] = {"auth.db", "auth.db-wal"};
	struct credential_app app = {.name = "phone", .doors = 1, .added_ms = 5};
	char from[300], to[300], name[32];

	OK(credential_set(s->site, s->alice, "$y$1", &keys, &s->e));
	OK(credential_app_add(s->site, s->bob, &app, &s->e));
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char command[700];

		snprintf(name, sizeof name, "/%s", files[i]);
		path_of(s, name, to);
		snprintf(name, sizeof name, "-auth/%s", files[i]);
		snprintf(command, sizeof command, "cp -p %s %s", path_of(s, name, from), to);
		assert_int_equal(system(command), 0);
	}
	assert_true(is_there(s, "/auth.db-wal"));
	site_close(&s->site);
	snprintf(from, sizeof from, "rm -r %s-auth %s/auth", s->dir, s->dir);
	assert_int_equal(system(from), 0);
	OK(site_open(s->dir, "test", &s->site, &s->e));
}

static void assert_moved(struct support *s)
{
	struct credential c = get(s, s->alice);

	assert_string_equal(c.verifier, "$y$1");
	assert_memory_equal(&c.scram, &keys, sizeof keys);
	assert_int_equal(get(s, s->bob).apps_n, 1);
	assert_true(is_there(s, "-auth/auth.db"));
	assert_false(is_there(s, "/auth.db") || is_there(s, "/auth.db-wal") || is_there(s, "/auth.lock"));
	assert_false(is_there(s, "-auth/auth.db.new"));
}

static void what_an_older_store_has_moves_into_the_folder(void **state)
{
	struct support *s = *state;
	unsigned char before[CREDENTIAL_KEY_OCTETS], after[CREDENTIAL_KEY_OCTETS];
	struct stat st;
	char path[300];

	OK(credential_secret(s->site, before, &s->e));
	make_old(s);
	assert_moved(s);
	OK(credential_secret(s->site, after, &s->e));
	assert_memory_equal(before, after, sizeof before);
	assert_int_equal(stat(path_of(s, "-auth/auth.db", path), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static int move_in_child(struct support *s)
{
	struct err e;
	int fd;

	if (site_open(s->dir, "child", &s->site, &e) < 0 || credential_folder(s->site, &fd, &e) < 0)
		return 1;
	return 0;
}

static void many_move_it_at_once(void **state)
{
	struct support *s = *state;

	make_old(s);
	site_close(&s->site);
	for (int i = 0; i < 8; i++)
		if (fork() == 0)
			_exit(move_in_child(s));
	for (int i = 0, status; i < 8; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	OK(site_open(s->dir, "test", &s->site, &s->e));
	assert_moved(s);
}

static void whoever_is_killed_moving_it_loses_nothing(void **state)
{
	struct support *s = *state;

	for (unsigned us = 0; us < 6000; us += 150) {
		pid_t child;
		char command[300];

		make_old(s);
		site_close(&s->site);
		child = fork();
		if (child == 0)
			_exit(move_in_child(s));
		usleep(us);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		OK(site_open(s->dir, "test", &s->site, &s->e));
		assert_moved(s);
		site_close(&s->site);
		snprintf(command, sizeof command, "rm -r %s-auth %s/auth", s->dir, s->dir);
		assert_int_equal(system(command), 0);
		OK(site_open(s->dir, "test", &s->site, &s->e));
	}
}

/* The copy had its name, and the old one was to go. */
static void what_is_in_both_places_is_finished(void **state)
{
	struct support *s = *state;
	char command[700];

	make_old(s);
	snprintf(command, sizeof command, "cp -p %s/auth.db %s/kept && cp -p %s/auth.db-wal %s/kept-wal", s->dir, s->dir, s->dir, s->dir);
	assert_int_equal(system(command), 0);
	assert_moved(s);
	support_reopen(s);
	snprintf(command, sizeof command, "mv %s/kept %s/auth.db && mv %s/kept-wal %s/auth.db-wal", s->dir, s->dir, s->dir, s->dir);
	assert_int_equal(system(command), 0);
	support_reopen(s);
	assert_moved(s);
}

static void a_new_file_of_an_older_program_is_no_reason_to_forget(void **state)
{
	struct support *s = *state;
	struct credential c;
	char command[700], path[300];

	make_old(s);
	site_close(&s->site);
	snprintf(command, sizeof command, "mv %s/auth.db %s/other && mv %s/auth.db-wal %s/other-wal", s->dir, s->dir, s->dir, s->dir);
	assert_int_equal(system(command), 0);
	OK(site_open(s->dir, "test", &s->site, &s->e));
	OK(credential_set(s->site, s->alice, "$y$new", NULL, &s->e));
	support_reopen(s);
	snprintf(command, sizeof command, "mv %s/other %s/auth.db && mv %s/other-wal %s/auth.db-wal", s->dir, s->dir, s->dir, s->dir);
	assert_int_equal(system(command), 0);
	FAILS(ERR_CORRUPT, credential_get(s->site, s->alice, &s->arena, &c, &s->e));
	assert_int_equal(unlink(path_of(s, "/auth.db", path)), 0);
	assert_string_equal(get(s, s->alice).verifier, "$y$new");
}

/* A password that was changed meanwhile is not put back. */
static void a_renewal_is_of_the_verifier_that_was_checked(void **state)
{
	struct support *s = *state;

	OK(credential_set(s->site, s->alice, "$6$old", NULL, &s->e));
	OK(credential_renew(s->site, s->alice, "$6$other", "$y$new", &keys, &s->e));
	assert_string_equal(get(s, s->alice).verifier, "$6$old");
	OK(credential_renew(s->site, s->alice, "$6$old", "$y$new", &keys, &s->e));
	assert_string_equal(get(s, s->alice).verifier, "$y$new");
	assert_int_equal(get(s, s->alice).scram.iterations, 4096);
}

static void application_passwords_come_and_go(void **state)
{
	struct support *s = *state;
	struct credential_app phone = {.name = "phone", .doors = 5, .digest = "p", .added_ms = 7}, desk = {.name = "desk", .doors = 1};
	struct credential c;

	OK(credential_app_add(s->site, s->alice, &phone, &s->e));
	FAILS(ERR_EXISTS, credential_app_add(s->site, s->alice, &phone, &s->e));
	OK(credential_app_add(s->site, s->alice, &desk, &s->e));
	OK(credential_app_used(s->site, s->alice, "phone", 9, &s->e));
	c = get(s, s->alice);
	assert_int_equal(c.apps_n, 2);
	assert_string_equal(c.apps[0].name, "desk");
	assert_int_equal(c.apps[0].used_ms, 0);
	assert_int_equal(c.apps[1].doors, 5);
	assert_int_equal(c.apps[1].used_ms, 9);
	assert_memory_equal(c.apps[1].digest, phone.digest, sizeof phone.digest);
	OK(credential_app_remove(s->site, s->alice, "desk", &s->e));
	FAILS(ERR_NOTFOUND, credential_app_remove(s->site, s->alice, "desk", &s->e));
	assert_int_equal(get(s, s->alice).apps_n, 1);
	OK(directory_user_delete(s->site, "alice", true, &s->e));
	assert_int_equal(get(s, s->alice).apps_n, 0);
}

static bool complete(struct support *s)
{
	struct credential_scram_state state;

	OK(credential_scram_state(s->site, &state, &s->e));
	return state.is_complete;
}

static void scram_is_complete_when_every_enabled_password_has_keys(void **state)
{
	struct credential_app phone = {.name = "phone", .doors = 1};
	struct support *s = *state;
	struct site *other;

	assert_true(complete(s)); /* nobody has a password at all */
	OK(credential_set(s->site, s->alice, "$y$1", NULL, &s->e));
	assert_false(complete(s));
	OK(directory_set_disabled(s->site, "alice", true, &s->e));
	assert_true(complete(s));
	OK(directory_set_disabled(s->site, "alice", false, &s->e));
	assert_false(complete(s));
	OK(site_open(s->dir, "other", &other, &s->e)); /* what another process does is seen as well */
	OK(credential_set(other, s->alice, "$y$1", &keys, &s->e));
	assert_true(complete(s));
	OK(credential_app_add(other, s->bob, &phone, &s->e)); /* has nothing to do with it */
	assert_true(complete(s));
	site_close(&other);
}

static void keys_are_counted_by_iterations(void **state)
{
	struct credential_scram more = keys;
	struct credential_scram_state scram;
	struct support *s = *state;

	OK(credential_scram_state(s->site, &scram, &s->e));
	assert_int_equal(scram.counts_n, 0);
	more.iterations = keys.iterations + 1;
	OK(credential_set(s->site, s->alice, "$y$1", &more, &s->e));
	OK(credential_set(s->site, s->bob, "$y$1", &keys, &s->e));
	OK(credential_scram_state(s->site, &scram, &s->e));
	assert_int_equal(scram.counts_n, 2);
	assert_int_equal(scram.counts[0].iterations, keys.iterations);
	assert_int_equal(scram.counts[1].iterations, more.iterations);
	assert_int_equal(scram.counts[0].keys_n, 1);
	OK(credential_set(s->site, s->alice, "$y$1", &keys, &s->e));
	OK(credential_scram_state(s->site, &scram, &s->e));
	assert_int_equal(scram.counts_n, 1);
	assert_int_equal(scram.counts[0].keys_n, 2);
	OK(directory_set_disabled(s->site, "bob", true, &s->e)); /* gets in nowhere, and counts for nothing */
	OK(credential_scram_state(s->site, &scram, &s->e));
	assert_int_equal(scram.counts[0].keys_n, 1);
}

static void what_others_write_is_not_remembered_otherwise(void **state)
{
	struct support *s = *state;
	struct site *others;
	struct credential c;

	OK(site_open(s->dir, "others", &others, &s->e));
	OK(credential_set(s->site, s->alice, "$y$1", &keys, &s->e));
	for (int round = 0; round < 3; round++) {
		assert_string_equal(get(s, s->alice).verifier, "$y$1");
		assert_string_equal(get(s, s->alice).verifier, "$y$1");
		assert_null(get(s, s->bob).verifier);
		OK(credential_set(others, s->alice, "$y$2", NULL, &s->e));
		c = get(s, s->alice);
		assert_string_equal(c.verifier, "$y$2");
		assert_int_equal(c.scram.iterations, 0);
		OK(credential_renew(others, s->alice, "$y$2", "$y$1", &keys, &s->e));
		OK(credential_set(others, s->bob, "$y$b", NULL, &s->e));
		assert_string_equal(get(s, s->bob).verifier, "$y$b");
		OK(credential_forget(others, s->bob, &s->e));
	}
	site_close(&others);
}

static void the_secret_stays(void **state)
{
	unsigned char one[CREDENTIAL_KEY_OCTETS], two[CREDENTIAL_KEY_OCTETS], zeros[CREDENTIAL_KEY_OCTETS] = {0};
	struct support *s = *state;

	OK(credential_secret(s->site, one, &s->e));
	support_reopen(s);
	OK(credential_secret(s->site, two, &s->e));
	assert_memory_equal(one, two, sizeof one);
	assert_memory_not_equal(one, zeros, sizeof one);
}

/* A store of before auth.db: what its directory says of passwords is in auth.db after any use; and names are found as
 * they are compared now. */
static void verifiers_move_out_of_an_old_directory(void **state)
{
	static const char old[] = "DROP TABLE domain; DROP INDEX user_domain; DROP INDEX alias_domain; ALTER TABLE user DROP COLUMN domain;"
				  "ALTER TABLE alias DROP COLUMN domain; ALTER TABLE user ADD COLUMN verifier TEXT; PRAGMA user_version = 1;"
				  "UPDATE user SET name = 'Stra\xc3\x9f" "e', folded = 'strasse' WHERE folded = 'bob';"
				  "UPDATE user SET verifier = '$y$secret' WHERE folded = 'alice'";
	struct support *s = *state;
	struct directory_user u;
	struct str_buf octets = {0};
	sqlite3 *db;
	char path[256];
	FILE *file;

	site_close(&s->site);
	snprintf(path, sizeof path, "%s/directory.db", s->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, old, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	OK(site_open(s->dir, "test", &s->site, &s->e));
	OK(directory_user_find(s->site, "alice", &s->arena, &u, &s->e));
	assert_string_equal(get(s, s->alice).verifier, "$y$secret");
	assert_null(get(s, s->bob).verifier);
	OK(directory_user_find(s->site, "STRA\xe1\xba\x9e" "E", &s->arena, &u, &s->e));
	assert_true(u.id.n == s->bob.n);
	FAILS(ERR_NOTFOUND, directory_user_find(s->site, "strasse", &s->arena, &u, &s->e));
	support_reopen(s);
	file = fopen(path, "rb");
	octets.n = fread(str_buf_room(&octets, 1 << 20), 1, 1 << 20, file);
	fclose(file);
	assert_null(memmem(octets.p, octets.n, "$y$secret", 9));
	str_buf_fini(&octets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_was_set_is_read_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(only_its_owner_may_read_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_folder_lies_beside_the_stores, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_folder_with_something_in_it_is_left_alone, setup, teardown),
	    cmocka_unit_test_setup_teardown(one_that_was_only_just_made_is_used, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_link_that_leads_nowhere_makes_no_empty_accounts, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_an_older_store_has_moves_into_the_folder, setup, teardown),
	    cmocka_unit_test_setup_teardown(many_move_it_at_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(whoever_is_killed_moving_it_loses_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_is_in_both_places_is_finished, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_new_file_of_an_older_program_is_no_reason_to_forget, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_renewal_is_of_the_verifier_that_was_checked, setup, teardown),
	    cmocka_unit_test_setup_teardown(application_passwords_come_and_go, setup, teardown),
	    cmocka_unit_test_setup_teardown(scram_is_complete_when_every_enabled_password_has_keys, setup, teardown),
	    cmocka_unit_test_setup_teardown(keys_are_counted_by_iterations, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_others_write_is_not_remembered_otherwise, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_secret_stays, setup, teardown),
	    cmocka_unit_test_setup_teardown(verifiers_move_out_of_an_old_directory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
