/*
 * tests/mount/opener.c - opens files of a mount, many times or many at once.
 *
 *   opener race THREADS TOTAL FILE   THREADS open, read and close FILE, TOTAL times together;
 *                                    prints "opened N refused N failed N"
 *   opener most THREADS TOTAL FILE   the same, and prints how many were open at once, at most: "most N"
 *   opener hold N FILE               opens FILE N times and prints the same, holds until its standard
 *                                    input ends
 *   opener read FILE                 opens FILE, prints "open", waits for a line, then reads and prints
 *                                    the errno's name or "read N"
 *   opener write FILE TEXT           creates FILE, writes TEXT, prints "written", waits for a line, closes and
 *                                    prints the outcome
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long left, opened, refused, failed, held, most;
static const char *file;

static void note_most(long n)
{
	long was = atomic_load(&most);

	while (n > was && !atomic_compare_exchange_weak(&most, &was, n))
		continue;
}

static void *race(void *arg)
{
	char buf[8192];
	int fd;

	(void)arg;
	while (atomic_fetch_sub(&left, 1) > 0) {
		if ((fd = open(file, O_RDONLY | O_CLOEXEC)) < 0) {
			atomic_fetch_add(errno == EUSERS ? &refused : &failed, 1);
			continue;
		}
		note_most(atomic_fetch_add(&held, 1) + 1);
		if (read(fd, buf, sizeof buf) <= 0)
			atomic_fetch_add(&failed, 1);
		atomic_fetch_sub(&held, 1); /* first: from close(2) on it may be another's place */
		close(fd);
		atomic_fetch_add(&opened, 1);
	}
	return NULL;
}

static void report(void)
{
	printf("opened %ld refused %ld failed %ld\n", atomic_load(&opened), atomic_load(&refused),
	    atomic_load(&failed));
	fflush(stdout);
}

static int cmd_race(char **args)
{
	int n = (int)strtol(args[0], NULL, 10);
	pthread_t *threads = calloc((size_t)n, sizeof *threads);

	atomic_store(&left, strtol(args[1], NULL, 10));
	file = args[2];
	for (int i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, race, NULL) != 0)
			return 1;
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	report();
	return 0;
}

static int cmd_most(char **args)
{
	int status = cmd_race(args);

	printf("most %ld\n", atomic_load(&most));
	return status;
}

static void wait_line(void)
{
	char c;

	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		continue;
}

static int cmd_hold(char **args)
{
	long n = strtol(args[0], NULL, 10);
	char c;

	for (long i = 0; i < n; i++)
		if (open(args[1], O_RDONLY | O_CLOEXEC) >= 0)
			atomic_fetch_add(&opened, 1);
		else
			atomic_fetch_add(errno == EUSERS ? &refused : &failed, 1);
	report();
	while (read(STDIN_FILENO, &c, 1) == 1)
		continue;
	return 0;
}

static int cmd_read(char **args)
{
	static char buf[1 << 20];
	int fd = open(args[0], O_RDONLY | O_CLOEXEC);
	ssize_t n;

	puts(fd < 0 ? strerrorname_np(errno) : "open");
	fflush(stdout);
	wait_line();
	n = read(fd, buf, sizeof buf);
	if (n < 0)
		puts(strerrorname_np(errno));
	else
		printf("read %zd\n", n);
	return 0;
}

static int cmd_write(char **args)
{
	int fd = open(args[0], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool is_written = fd >= 0 && write(fd, args[1], strlen(args[1])) == (ssize_t)strlen(args[1]);

	puts(is_written ? "written" : strerrorname_np(errno));
	fflush(stdout);
	wait_line();
	puts(close(fd) == 0 ? "closed" : strerrorname_np(errno));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "race") == 0)
		return cmd_race(argv + 2);
	if (argc == 5 && strcmp(argv[1], "most") == 0)
		return cmd_most(argv + 2);
	if (argc == 4 && strcmp(argv[1], "hold") == 0)
		return cmd_hold(argv + 2);
	if (argc == 3 && strcmp(argv[1], "read") == 0)
		return cmd_read(argv + 2);
	if (argc == 4 && strcmp(argv[1], "write") == 0)
		return cmd_write(argv + 2);
	fputs("usage: see the head of tests/mount/opener.c\n", stderr);
	return 2;
}
