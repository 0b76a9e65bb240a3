/*
 * tests/mount/powercut.c - what a disk would hold if the power were cut now; preloaded into the programs of a test.
 *
 * POWERCUT_STORE is a folder, POWERCUT_DISK where is kept what of it was synced, and nothing else: `file-INODE` is a
 * file's octets at its last sync, `folder-INODE` a folder's names at its last, a line for each: inode, mode, name.  So a
 * name is lost whose folder was not synced, and a removal too; no file system forgets more.  On a tmpfs, which gives
 * no inode's number twice.  Who has put it together again is tests/mount/power.py.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(FILE *to, int fd)
{
	static char octets[65536];
	char path[64];
	ssize_t n;
	int from;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	from = open(path, O_RDONLY | O_CLOEXEC);
	while (from >= 0 && (n = read(from, octets, sizeof octets)) > 0)
		fwrite(octets, 1, (size_t)n, to);
	if (from >= 0)
		close(from);
}

static void put_names(FILE *to, int fd)
{
	char path[64];
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			fprintf(to, "%lu %o %s\n", (unsigned long)st.st_ino, (unsigned)st.st_mode, entry->d_name);
	if (dir)
		closedir(dir);
}

/* A new file that takes the old one's place, one at a time: whoever is killed meanwhile has told nobody yet. */
static int keep(int fd, const struct stat *st)
{
	const char *disk = getenv("POWERCUT_DISK");
	char name[4096], coming[4096];
	int lock, rc = -1;
	FILE *to;

	snprintf(coming, sizeof coming, "%s/coming", disk);
	snprintf(name, sizeof name, "%s/%s-%lu", disk, S_ISDIR(st->st_mode) ? "folder" : "file", (unsigned long)st->st_ino);
	lock = open(disk, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || flock(lock, LOCK_EX) < 0 || !(to = fopen(coming, "we")))
		abort();
	if (S_ISDIR(st->st_mode))
		put_names(to, fd);
	else
		put(to, fd);
	if (fclose(to) == 0)
		rc = rename(coming, name);
	close(lock);
	return rc;
}

static int sync_it(int fd)
{
	const char *store = getenv("POWERCUT_STORE");
	char link[64], path[4096];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -1;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	return store && strncmp(path, store, strlen(store)) == 0 ? keep(fd, &st) : 0;
}

int fsync(int fd)
{
	return sync_it(fd);
}

int fdatasync(int fd)
{
	return sync_it(fd);
}
