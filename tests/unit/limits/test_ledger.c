/* The ledger against what can happen to it: damage, removal, death, fork, a full disk. */
#include "holding.h"

#include "limits/ledger.h"
#include "base/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define ALICE_FILE "user/00000000000a11ce"

static int open_file(struct temp_site *t)
{
	int fd = openat(site_runtime_fd(t->site), ALICE_FILE, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* The limit holds exactly after the file was damaged: 3 + 2 are held by others, so 27 more fit. */
static void expect_exact(struct site *site)
{
	struct session *held[27];

	hold(site, SESSION_FS, 27, held);
	assert_int_equal(try_one(site), ERR_LIMIT);
	assert_int_equal(count(site), 32);
	let_go(held, 27);
	assert_int_equal(count(site), 5);
}

static void damage_and_expect_exact(struct temp_site *t, void (*damage)(int fd), bool by_newcomer)
{
	struct site *other = open_again(t->dir), *third = open_again(t->dir);
	struct session *mine[3], *others[2];
	int fd;

	hold(t->site, SESSION_IMAP4, 3, mine);
	hold(other, SESSION_FS, 2, others);
	fd = open_file(t);
	damage(fd);
	close(fd);
	expect_exact(by_newcomer ? third : other);
	let_go(mine, 3);
	let_go(others, 2);
	assert_int_equal(count(t->site), 0);
	site_close(&other);
	site_close(&third);
}

static void cut_off(int fd)
{
	assert_int_equal(ftruncate(fd, 0), 0);
}

static void cut_in_a_record(int fd)
{
	assert_int_equal(ftruncate(fd, 70), 0);
}

static void overwrite(int fd)
{
	fill_with(fd, 0, 128, 0xa5);
}

static void overwrite_with_zeros(int fd)
{
	fill_with(fd, 0, 128, 0);
}

static void overwrite_the_first_with_zeros(int fd)
{
	fill_with(fd, 0, 64, 0);
}

static void append_garbage(int fd)
{
	fill_with(fd, 128, 1000, 0x5a);
}

static void damaged_file_is_rebuilt(void **state)
{
	static void (*const damages[])(int fd) = {cut_off, cut_in_a_record, overwrite,
	    overwrite_with_zeros, overwrite_the_first_with_zeros, append_garbage};

	for (size_t i = 0; i < 2 * sizeof damages / sizeof *damages; i++)
		damage_and_expect_exact(*state, damages[i / 2], i % 2);
}

/* Who is told to stop can't write its record again: then nobody is let in, rather than too many. */
static void damage_that_a_stopped_process_could_mend_refuses(void **state)
{
	struct temp_site *t = *state;
	struct session *mine[1];
	int fd, ready[2];
	char c;

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
	hold(t->site, SESSION_FS, 1, mine);
	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
	fd = open_file(t);
	cut_off(fd);
	assert_int_equal(try_one(t->site), ERR_UNAVAILABLE);
	kill(pid, SIGCONT);
	assert_int_equal(try_one(t->site), ERR_NONE);
	assert_int_equal(count(t->site), 5);
	cut_off(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(try_one(t->site), ERR_NONE);
	assert_int_equal(count(t->site), 1);
	close(fd);
	let_go(mine, 1);
	close(ready[0]);
	close(ready[1]);
}

static void removed_file_refuses_while_sessions_are_counted_in_it(void **state)
{
	struct temp_site *t = *state;
	struct session *mine[2];

	hold(t->site, SESSION_FS, 2, mine);
	assert_int_equal(unlinkat(site_runtime_fd(t->site), ALICE_FILE, 0), 0);
	assert_int_equal(try_one(t->site), ERR_UNAVAILABLE);
	let_go(mine, 2);
	assert_int_equal(try_one(t->site), ERR_NONE);
	assert_int_equal(count(t->site), 0);
}

/* Then nobody knows what the others hold, who may count in the file that has no name any more. */
static void removed_file_is_not_made_again_while_others_may_count_in_it(void **state)
{
	struct temp_site *t = *state;
	struct site *other = open_again(t->dir), *third = open_again(t->dir);
	struct session_request request = ask_for(SESSION_FS, ALICE);
	struct session_refusal why;
	struct session *mine[2], *one;
	struct err e;

	hold(t->site, SESSION_FS, 2, mine);
	assert_int_equal(unlinkat(site_runtime_fd(t->site), ALICE_FILE, 0), 0);
	assert_int_equal(session_acquire(other, &request, &one, &why, &e), -1);
	assert_int_equal(why.layer, SESSION_LAYER_TROUBLE);
	assert_non_null(strstr(e.what, "was removed"));
	assert_non_null(strstr(e.what, ALICE_FILE));
	let_go(mine, 2);
	site_close(&t->site);
	assert_int_equal(try_one(other), ERR_UNAVAILABLE); /* the third may hold some */
	site_close(&third);
	assert_int_equal(try_one(other), ERR_NONE);
	assert_int_equal(unlinkat(site_runtime_fd(other), ALICE_FILE, 0), 0);
	site_close(&other);
	t->site = open_again(t->dir); /* all were stopped */
	other = open_again(t->dir);
	assert_int_equal(try_one(other), ERR_NONE);
	site_close(&other);
}

static void expect_strange(struct temp_site *t, const char *what)
{
	struct session_request request = ask_for(SESSION_FS, ALICE);
	struct session_counts counts;
	struct session_refusal why;
	struct session *one;
	struct err e;

	assert_int_equal(session_acquire(t->site, &request, &one, &why, &e), -1);
	assert_int_equal(why.layer, SESSION_LAYER_TROUBLE);
	assert_int_equal(e.code, ERR_UNAVAILABLE);
	if (!strstr(e.what, what) || !strstr(e.what, t->dir) || !strstr(e.what, ALICE_FILE))
		fail_msg("%s", e.what);
	assert_int_equal(session_count(t->site, (struct user_id){ALICE}, &counts, &e), -1);
	if (!strstr(e.what, what))
		fail_msg("%s", e.what);
}

static void strange_ledger_file_is_refused_with_its_path(void **state)
{
	struct temp_site *t = *state;
	int run = site_runtime_fd(t->site), fd;

	assert_int_equal(symlinkat("../boot", run, ALICE_FILE), 0);
	expect_strange(t, "is a symbolic link; stop");
	assert_int_equal(unlinkat(run, ALICE_FILE, 0), 0);
	assert_int_equal(mkdirat(run, ALICE_FILE, 0700), 0);
	expect_strange(t, "is a folder; stop");
	assert_int_equal(unlinkat(run, ALICE_FILE, AT_REMOVEDIR), 0);
	assert_int_equal(mkfifoat(run, ALICE_FILE, 0600), 0);
	expect_strange(t, "is no regular file; stop");
	assert_int_equal(unlinkat(run, ALICE_FILE, 0), 0);
	assert_int_equal(try_one(t->site), ERR_NONE); /* nothing of it is left */

	assert_int_equal(linkat(run, ALICE_FILE, run, "user/again", 0), 0);
	site_close(&t->site);
	t->site = open_again(t->dir);
	run = site_runtime_fd(t->site);
	expect_strange(t, "has a second name");
	assert_int_equal(unlinkat(run, "user/again", 0), 0);
	fd = openat(run, ALICE_FILE, O_RDWR | O_CLOEXEC);
	assert_int_equal(fchmod(fd, 0666), 0);
	expect_strange(t, "may be opened by everybody; take that away");
	assert_int_equal(fchmod(fd, 0660), 0);
	if (geteuid() == 0) {
		assert_int_equal(fchown(fd, 54321, 54321), 0);
		expect_strange(t, "belongs to somebody else; give it");
		assert_int_equal(fchown(fd, 0, 0), 0);
	}
	assert_int_equal(try_one(t->site), ERR_NONE);
	close(fd);
}

/* Root's, and this program runs as somebody else: what it may not open it does not go around. */
static void ledger_file_that_may_not_be_opened_is_refused_with_its_path(void **state)
{
	struct temp_site *t = *state;
	int fd, status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(t->dir, 0777), 0);
	site_close(&t->site);
	pid = fork();
	if (pid == 0) {
		struct temp_site own = {.site = NULL};
		struct err e;

		if (setgid(54321) < 0 || setuid(54321) < 0)
			_exit(2);
		snprintf(own.dir, sizeof own.dir, "%.40s/own", t->dir);
		if (mkdir(own.dir, 0770) < 0 || site_create(own.dir, "run", &e) < 0 ||
		    site_open(own.dir, "test", &own.site, &e) < 0)
			_exit(3);
		fd = openat(site_runtime_fd(own.site), ALICE_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0);
		if (fd < 0)
			_exit(4);
		expect_strange(&own, "may not be opened by this program; give it");
		if (fchmod(fd, 0660) < 0 || try_one(own.site) != ERR_NONE)
			_exit(5);
		site_close(&own.site);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	t->site = open_again(t->dir);
}

static void killed_process_gives_its_sessions_back_at_once(void **state)
{
	struct temp_site *t = *state;
	struct session *held[32];
	struct session_info *list;
	struct arena arena = {0};
	struct err e;
	int ready[2];
	size_t n;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();

	if (pid == 0) {
		hold(open_again(t->dir), SESSION_FS, 32, held);
		if (write(ready[1], "r", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(try_one(t->site), ERR_LIMIT);
	assert_int_equal(count(t->site), 32);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(count(t->site), 0);
	assert_int_equal(session_list(t->site, (struct user_id){0}, &arena, &list, &n, &e), 0);
	assert_int_equal(n, 0);
	hold(t->site, SESSION_FS, 32, held);
	let_go(held, 32);
	arena_fini(&arena);
	close(ready[0]);
	close(ready[1]);
}

/* A child that was forked and never ran another program must not keep its parent's sessions. */
static void forked_child_neither_keeps_nor_takes_sessions(void **state)
{
	struct temp_site *t = *state;
	struct session *held[32];
	/* The child itself says that it runs: until then it has not closed what it inherited. */
	struct {
		pid_t pid;
		enum err_code code;
	} child;
	int ready[2], status;

	assert_int_equal(pipe(ready), 0);
	pid_t parent = fork();

	if (parent == 0) {
		struct site *site = open_again(t->dir);

		hold(site, SESSION_FS, 32, held);
		if (fork() == 0) {
			child.pid = getpid();
			child.code = try_one(site);
			session_release(&held[0]); /* its copy; the parent's count stays */
			if (write(ready[1], &child, sizeof child) != sizeof child)
				_exit(1);
		}
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &child, sizeof child), sizeof child);
	assert_int_equal(child.code, ERR_UNAVAILABLE);
	assert_int_equal(try_one(t->site), ERR_LIMIT);
	kill(parent, SIGKILL);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	assert_int_equal(kill(child.pid, 0), 0);
	hold(t->site, SESSION_FS, 32, held);
	let_go(held, 32);
	assert_int_equal(kill(child.pid, 0), 0);
	kill(child.pid, SIGKILL);
	close(ready[0]);
	close(ready[1]);
}

static void two_stores_count_apart(void **state)
{
	struct temp_site *t = *state, other = {0};
	struct session *mine[32], *others[32];

	temp_site_make(&other);
	hold(t->site, SESSION_FS, 32, mine);
	hold(other.site, SESSION_FS, 32, others);
	assert_int_equal(try_one(t->site), ERR_LIMIT);
	let_go(others, 32);
	assert_int_equal(try_one(other.site), ERR_NONE);
	assert_int_equal(try_one(t->site), ERR_LIMIT);
	let_go(mine, 32);
	temp_site_remove(&other);
}

static void busy_lock_is_told_at_once_to_who_must_not_wait_and_in_time_to_who_may(void **state)
{
	struct temp_site *t = *state;
	struct ledger *holder = ledger_new(site_runtime_fd(t->site), -1);
	struct session_request request = ask_for(SESSION_FS, ALICE);
	struct session_refusal why;
	struct ledger_file *file;
	struct session *session;
	struct err e;
	int64_t start_ms;

	assert_int_equal(ledger_get(holder, (struct ledger_key){LEDGER_USER, ALICE}, &file, &e), 0);
	assert_int_equal(ledger_lock(file, 1000, &e), 0);
	request.no_wait = true;
	start_ms = clock_mono_ms();
	assert_int_equal(session_acquire(t->site, &request, &session, &why, &e), -1);
	assert_int_equal(e.code, ERR_BUSY);
	assert_int_equal(why.layer, SESSION_LAYER_TROUBLE);
	assert_true(clock_mono_ms() - start_ms < 1500);
	request.no_wait = false;
	assert_int_equal(session_acquire(t->site, &request, &session, &why, &e), -1);
	assert_int_equal(e.code, ERR_BUSY);
	assert_string_equal(why.explain,
	    "sessions can't be counted now: somebody else holds it; try again");
	ledger_unlock(file);
	assert_int_equal(session_acquire(t->site, &request, &session, &why, &e), 0);
	session_release(&session);
	ledger_put(file);
	ledger_free(&holder);
}

static void user_at_his_limit_here_alone_is_refused_without_the_lock(void **state)
{
	struct temp_site *t = *state;
	struct site *other = open_again(t->dir);
	struct ledger *holder = ledger_new(site_runtime_fd(t->site), -1);
	struct session_request request = ask_for(SESSION_IMAP4, ALICE);
	struct session_refusal why;
	struct session *mine[16], *others[16], *session;
	struct ledger_file *file;
	struct err e;

	hold(t->site, SESSION_IMAP4, 16, mine);
	assert_int_equal(ledger_get(holder, (struct ledger_key){LEDGER_USER, ALICE}, &file, &e), 0);
	assert_int_equal(ledger_lock(file, 1000, &e), 0);
	request.no_wait = true;
	assert_int_equal(session_acquire(t->site, &request, &session, &why, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_int_equal(why.layer, SESSION_LAYER_STORE_SERVICE);
	assert_string_equal(why.explain,
	    "store: Maximum Allowed Service Sessions Per User is 16, held 16; "
	    "refused too by IMAP4: MaxConnectionsPerUser is 16, held 16; close one of them, or an administrator "
	    "raises it in HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeIS\\ParametersSystem: postern reg add -v 'Maximum Allowed Service Sessions Per User' -d N");
	ledger_unlock(file);
	/* What others hold may be the reason that is told first, so it takes the lock. */
	hold(other, SESSION_FS, 16, others);
	assert_int_equal(ledger_lock(file, 1000, &e), 0);
	assert_int_equal(session_acquire(t->site, &request, &session, &why, &e), -1);
	assert_int_equal(e.code, ERR_BUSY);
	ledger_unlock(file);
	assert_int_equal(session_acquire(t->site, &request, &session, &why, &e), -1);
	assert_int_equal(why.layer, SESSION_LAYER_STORE_USER);
	session_release(&mine[0]);
	let_go(others, 16);
	assert_int_equal(session_acquire(t->site, &request, &mine[0], &why, &e), 0);
	let_go(mine, 16);
	ledger_put(file);
	ledger_free(&holder);
	site_close(&other);
}

static void many_processes_in_one_file_add_up(void **state)
{
	enum { N = 150 };
	struct temp_site *t = *state;
	struct ledger_key key = {LEDGER_USER, ALICE};
	struct ledger *ledgers[N];
	struct ledger_file *files[N];
	struct ledger_counts counts;
	struct err e;

	for (int i = 0; i < N; i++) {
		ledgers[i] = ledger_new(site_runtime_fd(t->site), -1);
		assert_int_equal(ledger_get(ledgers[i], key, &files[i], &e), 0);
		assert_int_equal(ledger_lock(files[i], 1000, &e), 0);
		assert_int_equal(ledger_total(files[i])->n[1], i);
		assert_int_equal(ledger_add(files[i], 1, NULL, &e), 0);
		ledger_unlock(files[i]);
	}
	for (int i = 0; i < N; i += 2) {
		ledger_sub(files[i], 1);
		ledger_put(files[i]);
		ledger_free(&ledgers[i]);
	}
	assert_int_equal(ledger_peek(ledgers[1], key, &counts, &e), 0);
	assert_int_equal(counts.n[1], N / 2);
	for (int i = 1; i < N; i += 2) {
		ledger_sub(files[i], 1);
		ledger_put(files[i]);
		ledger_free(&ledgers[i]);
	}
}

static int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void users_without_sessions_keep_few_descriptors(void **state)
{
	struct temp_site *t = *state;
	int before = open_descriptors();

	for (uint64_t user = 1; user <= 2000; user++) {
		struct session_request request = ask_for(SESSION_FS, user);
		struct session_refusal why;
		struct session *session;
		struct err e;

		assert_int_equal(session_acquire(t->site, &request, &session, &why, &e), 0);
		session_release(&session);
	}
	assert_true(open_descriptors() - before < 300);
}

/* ---- a full disk, in a mount namespace of its own that goes with the child ---- */

static void expect(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "full disk: %s\n", what);
		_exit(1);
	}
}

static void use_full_tmpfs(const char *dir)
{
	struct session *held[2];
	struct session_request request = ask_for(SESSION_FS, 0xb0b);
	struct session_refusal why;
	struct site *site;
	char bytes[4096] = {0};
	struct err e;
	int fd;

	expect(site_open(dir, "test", &site, &e) == 0, e.what);
	hold(site, SESSION_FS, 2, held);
	fd = openat(site_runtime_fd(site), "ballast", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, bytes, sizeof bytes) > 0)
		;
	close(fd);
	expect(session_acquire(site, &request, &held[1], &why, &e) < 0, "granted on a full disk");
	expect(e.code == ERR_NOSPACE && why.layer == SESSION_LAYER_TROUBLE, e.what);
	expect(strcmp(why.explain, "sessions can't be counted now: no space is left on the server") == 0,
	    why.explain);
	expect(try_one(site) == ERR_NONE, "a file that is there needs no space");
	session_release(&held[0]);
	expect(count(site) == 1, "a release was lost");
	unlinkat(site_runtime_fd(site), "ballast", 0);
	expect(session_acquire(site, &request, &held[0], &why, &e) == 0, "space came back in vain");
	session_release(&held[0]);
	session_release(&held[1]);
	site_close(&site);
	_exit(0);
}

static void full_disk_refuses_clearly_and_loses_nothing(void **state)
{
	char dir[] = "/tmp/postern-full-XXXXXX", path[64], command[80];
	struct err e;
	int status;

	(void)state;
	if (geteuid() != 0) {
		print_message("needs root to mount a tmpfs\n");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	assert_int_equal(site_create(dir, "run", &e), 0);
	snprintf(path, sizeof path, "%s/run", dir);
	assert_int_equal(mkdir(path, 0770), 0);
	pid_t pid = fork();

	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("tmpfs", path, "tmpfs", 0, "size=2m") < 0)
			_exit(77);
		use_full_tmpfs(dir);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message("can't mount a tmpfs here\n");
		skip();
	}
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SITE_TEST(damaged_file_is_rebuilt),
	    SITE_TEST(damage_that_a_stopped_process_could_mend_refuses),
	    SITE_TEST(removed_file_refuses_while_sessions_are_counted_in_it),
	    SITE_TEST(removed_file_is_not_made_again_while_others_may_count_in_it),
	    SITE_TEST(strange_ledger_file_is_refused_with_its_path),
	    SITE_TEST(ledger_file_that_may_not_be_opened_is_refused_with_its_path),
	    SITE_TEST(killed_process_gives_its_sessions_back_at_once),
	    SITE_TEST(forked_child_neither_keeps_nor_takes_sessions),
	    SITE_TEST(two_stores_count_apart),
	    SITE_TEST(busy_lock_is_told_at_once_to_who_must_not_wait_and_in_time_to_who_may),
	    SITE_TEST(user_at_his_limit_here_alone_is_refused_without_the_lock),
	    SITE_TEST(many_processes_in_one_file_add_up),
	    SITE_TEST(users_without_sessions_keep_few_descriptors),
	    cmocka_unit_test(full_disk_refuses_clearly_and_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
