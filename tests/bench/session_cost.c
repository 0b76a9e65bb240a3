/*
 * tests/bench/session_cost.c - what a session costs beside its connection: memory of its process, memory that processes share,
 * descriptors, and the time of an open.  What postern simulate counts with, for a session without a connection of its own.
 */
#include "limits/session.h"
#include "limits/tally.h"

#include <dirent.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define USERS_N 500
#define EACH_N 30

static size_t descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	while (dir && readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* What the files of a folder take on the disk, or of memory on tmpfs. */
static uint64_t folder_octets(const char *path)
{
	DIR *dir = opendir(path);
	uint64_t sum = 0;

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char name[512];
		struct stat st;

		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		if (stat(name, &st) == 0 && S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_size;
	}
	closedir(dir);
	return sum;
}

static void open_all(struct site *site, struct session **held)
{
	for (int i = 0; i < USERS_N * EACH_N; i++) {
		struct user_id user = {(uint64_t)(i / EACH_N) + 1};
		struct session_request request = {.service = SESSION_FS, .actor = user, .mailbox = user,
		    .actor_name = "somebody", .mailbox_name = "somebody", .command = "grep", .pid = 1};
		struct session_refusal why;
		struct err e;

		if (session_acquire(site, &request, &held[i], &why, &e) < 0) {
			fprintf(stderr, "refused: %s\n", e.what);
			exit(1);
		}
	}
}

int main(void)
{
	struct session **held = calloc(USERS_N * EACH_N, sizeof *held);
	char dir[] = "/dev/shm/postern-bench-XXXXXX", path[64], command[64];
	struct rlimit many = {8192, 8192};
	size_t fds, heap;
	int64_t began_ns;
	struct site *site;
	struct err e;

	setrlimit(RLIMIT_NOFILE, &many);
	if (!held || !mkdtemp(dir) || site_create(dir, "run", &e) < 0 || site_open(dir, "bench", &site, &e) < 0 ||
	    registry_set_dword(site, REGISTRY_PARAMETERS_SYSTEM, "Maximum Allowed Exchange Sessions Per Service", 100000, &e) < 0)
		return 1;
	fds = descriptors();
	heap = mallinfo2().uordblks;
	began_ns = tally_clock_ns();
	open_all(site, held);
	printf("figure: session: an open, %d users with %d each | %.2f us | \n", USERS_N, EACH_N,
	    (double)(tally_clock_ns() - began_ns) / 1000 / (USERS_N * EACH_N));
	printf("figure: session: memory of its process | %zu bytes | \n", (mallinfo2().uordblks - heap) / (USERS_N * EACH_N));
	snprintf(path, sizeof path, "%s/run/roster", dir);
	printf("figure: session: its row, in memory that all share | %llu bytes | \n",
	    (unsigned long long)folder_octets(path) / (USERS_N * EACH_N));
	snprintf(path, sizeof path, "%s/run/user", dir);
	printf("figure: user who holds any: descriptors of a process; octets of his ledger file | %.2f; %llu | \n",
	    (double)(descriptors() - fds) / USERS_N, (unsigned long long)folder_octets(path) / USERS_N);
	for (int i = 0; i < USERS_N * EACH_N; i++)
		session_release(&held[i]);
	site_close(&site);
	free(held);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command) != 0;
}
