/* lib/confine: each test confines a child, which tries what must fail and what must not. */
#include "confine/confine.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

static char folder[64], store[80], secret[80];

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/postern-confine-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(store, sizeof store, "%s/store", folder);
	snprintf(secret, sizeof secret, "%s/secret", folder);
	return mkdir(store, 0770) == 0 && creat(secret, 0666) >= 0 ? 0 : -1;
}

static int teardown(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command); /* NOLINT: fixed words */
}

static struct confine_got confine_child(enum confine_role role)
{
	const char *write[] = {store, NULL};
	const struct confine c = {.role = role, .write = write};

	return confine(&c);
}

/* Runs in a child; what waitpid says.  77: this kernel can't. */
static int in_child(int (*what)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(what());
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void expect_exit(int (*what)(void))
{
	int status = in_child(what);

	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define TRY(fact) do { if (!(fact)) { fprintf(stderr, "line %d: errno %d\n", __LINE__, errno); return 1; } } while (0)

static int files_outside(void)
{
	char path[100], other[100];
	int fd;

	if (confine_child(CONFINE_DOOR).landlock_abi <= 0)
		return 77;
	TRY(open(secret, O_RDONLY) < 0 && errno == EACCES);
	TRY(open(secret, O_WRONLY) < 0 && errno == EACCES);
	TRY(open("/etc/shadow", O_RDONLY) < 0 && errno == EACCES);
	TRY(open("/root", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES);
	snprintf(path, sizeof path, "%s/new", folder);
	TRY(open(path, O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
	TRY(mkdir(path, 0700) < 0 && errno == EACCES);
	TRY(unlink(secret) < 0 && errno == EACCES);
	snprintf(path, sizeof path, "%s/../secret", store);
	TRY(open(path, O_RDONLY) < 0 && errno == EACCES);
	/* Inside, everything the store does: folders, files, renames between folders. */
	snprintf(path, sizeof path, "%s/a", store);
	TRY(mkdir(path, 0700) == 0);
	snprintf(path, sizeof path, "%s/a/f", store);
	snprintf(other, sizeof other, "%s/g", store);
	TRY((fd = open(path, O_RDWR | O_CREAT, 0600)) >= 0 && ftruncate(fd, 5) == 0);
	TRY(rename(path, other) == 0 && unlink(other) == 0);
	return 0;
}

static void no_file_outside_the_store_is_opened(void **state)
{
	(void)state;
	expect_exit(files_outside);
}

static int libraries_work(void)
{
	char in[] = "\xa4\xa2", out[8], *from = in, *to = out;
	size_t in_n = 2, out_n = sizeof out;
	time_t now = 0;
	struct tm tm;
	iconv_t cd;

	confine_child(CONFINE_DOOR);
	cd = iconv_open("UTF-8", "EUC-JP"); /* a module that is loaded now */
	TRY(cd != (iconv_t)-1);
	TRY(iconv(cd, &from, &in_n, &to, &out_n) == 0 && memcmp(out, "\xe3\x81\x82", 3) == 0);
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	TRY(localtime_r(&now, &tm) && (access("/usr/share/zoneinfo/Asia/Tokyo", R_OK) != 0 || tm.tm_hour == 9));
	TRY(open("/etc/passwd", O_RDONLY) >= 0 && open("/dev/null", O_RDONLY) >= 0);
	return 0;
}

static void charsets_and_time_zones_are_still_found(void **state)
{
	(void)state;
	expect_exit(libraries_work);
}

static void *nothing(void *arg)
{
	return arg;
}

static int calls(void)
{
	pthread_t thread;

	if (!confine_child(CONFINE_DOOR).seccomp)
		return 77;
	TRY(pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0);
	TRY(fork() < 0 && errno == EPERM);
	TRY(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM);
	TRY(socket(AF_NETLINK, SOCK_RAW, 0) < 0 && errno == EPERM);
	TRY(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	TRY(kill(getppid(), 0) < 0 && errno == EPERM);
	TRY(chown(store, 0, 0) < 0 && errno == EPERM);
	TRY(syscall(SYS_memfd_create, "x", 0) < 0 && errno == EPERM);
	return 0;
}

static void calls_that_are_not_on_the_list_fail(void **state)
{
	(void)state;
	expect_exit(calls);
}

static int exec(void)
{
	char *argv[] = {(char *)"true", NULL};

	if (!confine_child(CONFINE_DOOR).seccomp)
		return 77;
	execv("/bin/true", argv);
	return 1;
}

static int trace(void)
{
	if (!confine_child(CONFINE_DOOR).seccomp)
		return 77;
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	return 1;
}

static int mount_something(void)
{
	if (!confine_child(CONFINE_DOOR).seccomp)
		return 77;
	mount("none", store, "tmpfs", 0, NULL);
	return 1;
}

static void what_only_an_intruder_calls_ends_the_process(void **state)
{
	int (*const what[])(void) = {exec, trace, mount_something};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		int status = in_child(what[i]);

		if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
			skip();
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
}

/* "CapEff:\t0000000000000000" and its like, as /proc has them. */
static bool status_has(const char *line)
{
	FILE *f = fopen("/proc/self/status", "re");
	char text[256];
	bool has = false;

	while (f && fgets(text, sizeof text, f))
		has |= strncmp(text, line, strlen(line)) == 0;
	if (f)
		fclose(f);
	return has;
}

static int what_is_left(void)
{
	struct confine_got got = confine_child(CONFINE_DOOR);

	TRY(got.no_new_privs && status_has("NoNewPrivs:\t1"));
	if (SANITIZED)
		return 77;
	TRY(got.no_capabilities && status_has("CapEff:\t0000000000000000") &&
	    status_has("CapPrm:\t0000000000000000"));
	TRY(!got.seccomp || status_has("Seccomp:\t2"));
	TRY(geteuid() != 0 || prctl(PR_CAPBSET_READ, 21, 0, 0, 0) == -1 || status_has("CapBnd:\t0000000000000000"));
	return 0;
}

static void no_capability_is_left_and_none_can_be_had(void **state)
{
	(void)state;
	expect_exit(what_is_left);
}

static int mount_role(void)
{
	char *argv[] = {(char *)"true", NULL};

	if (!confine_child(CONFINE_MOUNT).seccomp)
		return 77;
	TRY(status_has("NoNewPrivs:\t1"));
	TRY(open(secret, O_RDONLY) >= 0);
	execv("/bin/true", argv); /* it starts users' mounts */
	return 1;
}

static void mount_may_start_programs(void **state)
{
	(void)state;
	expect_exit(mount_role);
}

/* The folder is given to an account that every Debian has: root becomes it. */
static int become_owner(void)
{
	int fd = open(store, O_RDONLY | O_DIRECTORY);
	struct err e;

	if (geteuid() != 0)
		return 77;
	TRY(fchown(fd, 1, 2) == 0);
	TRY(confine_account(NULL, fd, &e) == 0);
	TRY(getuid() == 1 && geteuid() == 1 && getegid() == 2);
	TRY(setuid(0) < 0 && open("/etc/shadow", O_RDONLY) < 0);
	return 0;
}

static void root_becomes_the_owner_of_the_folder(void **state)
{
	(void)state;
	expect_exit(become_owner);
}

static int become_nobody_known(void)
{
	int fd = open(store, O_RDONLY | O_DIRECTORY);
	struct err e = {0};

	if (geteuid() != 0)
		return 77;
	TRY(confine_account("no-such-account", fd, &e) < 0 && e.code == ERR_NOTFOUND);
	TRY(confine_account("daemon", fd, &e) == 0 && geteuid() != 0);
	return 0;
}

static void account_that_is_named_must_exist(void **state)
{
	(void)state;
	expect_exit(become_nobody_known);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(no_file_outside_the_store_is_opened),
	    IN_FOLDER(charsets_and_time_zones_are_still_found),
	    IN_FOLDER(calls_that_are_not_on_the_list_fail),
	    IN_FOLDER(what_only_an_intruder_calls_ends_the_process),
	    IN_FOLDER(no_capability_is_left_and_none_can_be_had),
	    IN_FOLDER(mount_may_start_programs),
	    IN_FOLDER(root_becomes_the_owner_of_the_folder),
	    IN_FOLDER(account_that_is_named_must_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
