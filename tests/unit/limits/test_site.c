/* Store folders and runtime folders: made, opened, emptied after a boot, refused when they do not fit. */
#include "temp_site.h"

#include "limits/registry.h"
#include "base/io.h"

#include <fcntl.h>
#include <sys/stat.h>

static char dir[64];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/postern-site-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

static const char *below(const char *name)
{
	static char path[4][256];
	static int next;
	char *out = path[next++ % 4];

	snprintf(out, sizeof path[0], "%s/%s", dir, name);
	return out;
}

static void create(const char *store, const char *runtime)
{
	struct err e;

	if (site_create(store, runtime, &e) < 0)
		fail_msg("%s", e.what);
}

static struct site *open_ok(const char *store)
{
	struct site *site;
	struct err e;

	if (site_open(store, "test", &site, &e) < 0)
		fail_msg("%s", e.what);
	return site;
}

static void expect_refused(const char *store, enum err_code code, const char *words)
{
	struct site *site;
	struct err e;

	assert_int_equal(site_open(store, "test", &site, &e), -1);
	assert_int_equal(e.code, code);
	if (!strstr(e.what, words))
		fail_msg("%s", e.what);
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void created_store_has_its_modes_and_opens(void **state)
{
	struct site *site;
	struct stat st;

	(void)state;
	create(below("a/store"), "run");
	assert_int_equal(stat(below("a/store"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 02770);
	assert_int_equal(stat(below("a/store/mail"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 02770);
	assert_int_equal(stat(below("a/store/store.conf"), &st), 0);
	assert_int_equal(st.st_mode & 07117, 0);
	site = open_ok(below("a/store"));
	assert_int_equal(stat(below("a/store/run"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 02770);
	assert_string_equal(site_conf(site, "imap", "listen", "127.0.0.1:143"), "127.0.0.1:143");
	assert_string_equal(site_dir(site), below("a/store"));
	site_close(&site);
	assert_null(site);
}

static void store_is_not_made_twice(void **state)
{
	struct err e;

	(void)state;
	create(below("store"), "run");
	assert_int_equal(site_create(below("store"), "run", &e), -1);
	assert_int_equal(e.code, ERR_EXISTS);
}

static void runtime_path_that_would_break_the_file_is_refused(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(site_create(below("store"), "run\n[tls]", &e), -1);
	assert_int_equal(e.code, ERR_INVALID);
}

static void folder_without_a_store_says_how_to_make_one(void **state)
{
	(void)state;
	expect_refused(dir, ERR_NOTFOUND, "make one with `postern init");
	expect_refused(below("nothing"), ERR_NOTFOUND, "make one with `postern init");
}

static void store_conf_without_id_is_refused(void **state)
{
	(void)state;
	put(below("store.conf"), "[store]\nruntime = run\n");
	expect_refused(dir, ERR_CORRUPT, "id and token");
	put(below("store.conf"), "nonsense\n");
	expect_refused(dir, ERR_CORRUPT, "line 1");
}

static void two_stores_can_not_share_a_runtime_folder(void **state)
{
	struct site *site;

	(void)state;
	create(below("one"), below("run"));
	create(below("two"), below("run"));
	site = open_ok(below("one"));
	expect_refused(below("two"), ERR_CORRUPT, "belongs to another store");
	site_close(&site);
	expect_refused(below("two"), ERR_CORRUPT, "belongs to another store");
}

static void runtime_folder_of_another_boot_is_emptied(void **state)
{
	struct str_buf boot = {0};
	struct site *site;
	struct stat st;
	struct err e;

	(void)state;
	create(below("store"), "run");
	site = open_ok(below("store"));
	assert_int_equal(mkdir(below("store/run/notify"), 0770), 0);
	put(below("store/run/notify/x"), "old");
	assert_int_equal(io_read_file(AT_FDCWD, below("store/run/boot"), 200, &boot, &e), 0);
	site_close(&site);
	site = open_ok(below("store"));
	assert_int_equal(stat(below("store/run/notify/x"), &st), 0);
	site_close(&site);
	boot.p[0] = boot.p[0] == '0' ? '1' : '0';
	put(below("store/run/boot"), boot.p);
	site = open_ok(below("store"));
	assert_int_equal(stat(below("store/run/notify/x"), &st), -1);
	assert_int_equal(stat(below("store/run/user"), &st), 0);
	site_close(&site);
	str_buf_fini(&boot);
}

static void folder_that_holds_something_else_is_not_emptied(void **state)
{
	struct stat st;

	(void)state;
	create(below("store"), below("home"));
	assert_int_equal(mkdir(below("home"), 0700), 0);
	put(below("home/thesis.txt"), "years of work");
	expect_refused(below("store"), ERR_CORRUPT, "thesis.txt");
	assert_int_equal(stat(below("home/thesis.txt"), &st), 0);
}

/* Somebody removed some of it: the rest is not trusted, and made anew once nobody counts there. */
static void runtime_folder_without_its_table_is_made_anew(void **state)
{
	struct site *site;

	(void)state;
	create(below("store"), "run");
	site = open_ok(below("store"));
	assert_int_equal(unlink(below("store/run/born")), 0);
	put(below("store/run/user/x"), "");
	expect_refused(below("store"), ERR_UNAVAILABLE, "stop them all");
	site_close(&site);
	site = open_ok(below("store"));
	assert_int_equal(access(below("store/run/born"), F_OK), 0);
	assert_int_equal(access(below("store/run/user/x"), F_OK), -1);
	site_close(&site);
}

/* Somebody removed the runtime folder, or changed its path, under running programs: a new one
 * would count from nothing beside the old one. */
static void second_runtime_folder_beside_a_used_one_is_refused(void **state)
{
	struct site *site;

	(void)state;
	create(below("store"), "run");
	site = open_ok(below("store"));
	assert_int_equal(rename(below("store/run"), below("gone")), 0);
	expect_refused(below("store"), ERR_UNAVAILABLE, "stop them all");
	site_close(&site);
	site = open_ok(below("store"));
	site_close(&site);
}

static void processes_that_start_together_all_open(void **state)
{
	enum { N = 8 };
	pid_t pids[N];

	(void)state;
	create(below("store"), "run");
	for (int i = 0; i < N; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct site *site;
			struct err e;

			_exit(site_open(below("store"), "child", &site, &e) < 0);
		}
	}
	for (int i = 0; i < N; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

static void host_name_comes_from_store_conf_or_the_machine(void **state)
{
	struct str_buf text = {0};
	struct site *site;
	struct err e;
	char host[256];

	(void)state;
	create(below("store"), "run");
	site = open_ok(below("store"));
	assert_int_equal(gethostname(host, sizeof host), 0);
	assert_string_equal(site_host_name(site), host);
	site_close(&site);
	assert_int_equal(io_read_file(AT_FDCWD, below("store/store.conf"), 65536, &text, &e), 0);
	str_buf_puts(&text, "[server]\nhost = mail.example.org\n");
	put(below("store/store.conf"), text.p);
	site = open_ok(below("store"));
	assert_string_equal(site_host_name(site), "mail.example.org");
	site_close(&site);
	str_buf_fini(&text);
}

static void default_dir_is_what_is_given_then_the_environment(void **state)
{
	(void)state;
	setenv("POSTERN_STORE", "/srv/x", 1);
	assert_string_equal(site_default_dir("/given"), "/given");
	assert_string_equal(site_default_dir(NULL), "/srv/x");
	unsetenv("POSTERN_STORE");
	assert_string_equal(site_default_dir(NULL), "/var/lib/postern");
}

#define DIR_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    DIR_TEST(created_store_has_its_modes_and_opens),
	    DIR_TEST(store_is_not_made_twice),
	    DIR_TEST(runtime_path_that_would_break_the_file_is_refused),
	    DIR_TEST(folder_without_a_store_says_how_to_make_one),
	    DIR_TEST(store_conf_without_id_is_refused),
	    DIR_TEST(two_stores_can_not_share_a_runtime_folder),
	    DIR_TEST(runtime_folder_of_another_boot_is_emptied),
	    DIR_TEST(folder_that_holds_something_else_is_not_emptied),
	    DIR_TEST(runtime_folder_without_its_table_is_made_anew),
	    DIR_TEST(second_runtime_folder_beside_a_used_one_is_refused),
	    DIR_TEST(processes_that_start_together_all_open),
	    DIR_TEST(host_name_comes_from_store_conf_or_the_machine),
	    DIR_TEST(default_dir_is_what_is_given_then_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
