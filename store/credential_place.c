/*
 * store/credential_place.c - see credential_place.h.  Many may come at once: who makes the link last uses the first
 * one's, and a folder beside that somebody filled for another store is left alone.
 */
#include "store/credential_place.h"

#include "base/arena.h"
#include "base/io.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINK "auth"
#define BESIDE "-auth" /* behind the name of the store's folder */

static atomic_bool is_permitted;

void credential_permit(void)
{
	is_permitted = true;
}

/* ---- the owner ---- */

static int find_owner(struct site *site, uid_t *uid_r, struct err *e)
{
	const char *own = site_conf(site, "auth", "account", NULL), *name = own ? own : site_conf(site, "security", "account", NULL);
	const struct passwd *account = name ? getpwnam(name) : NULL;
	struct stat st;

	if (name && !account)
		return err_set(e, ERR_INVALID, "store.conf: [%s] there is no account %s", own ? "auth" : "security", name);
	if (fstat(site_dir_fd(site), &st) < 0)
		return err_sys(e, ERR_IO, errno, "the store folder");
	*uid_r = account ? account->pw_uid : st.st_uid;
	return 0;
}

static int give(int fd, uid_t owner)
{
	struct stat st;

	if (geteuid() != 0 || fstat(fd, &st) < 0 || st.st_uid == owner)
		return 0;
	return fchown(fd, owner, (gid_t)-1);
}

static int give_files(int folder_fd, uid_t owner, struct err *e)
{
	static const char *const names[] = {"auth.db", "auth.db-wal", "auth.db-shm", "auth.lock"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct stat st;

		if (fstatat(folder_fd, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_uid == owner)
			continue;
		if (fchownat(folder_fd, names[i], owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
			return err_sys(e, ERR_IO, errno, "give %s to its owner", names[i]);
	}
	return 0;
}

/* ---- making it ---- */

static bool is_empty(int folder_fd)
{
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool is = dir != NULL;

	while (is && (entry = readdir(dir)))
		is = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	return is;
}

/* A folder of ours that has nothing in it, in a parent where others may have made one of that name. */
static bool take_folder(int parent_fd, const char *name, uid_t owner)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	bool is_ours = fd >= 0 && fstat(fd, &st) == 0 && (st.st_uid == geteuid() || st.st_uid == owner) &&
		       is_empty(fd) && fchmod(fd, 0700) == 0 && give(fd, owner) == 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return is_ours;
}

/* The name of the store's folder, as it is now; NULL: it has none. */
static const char *store_name(struct site *site, struct arena *arena)
{
	char path[PATH_MAX];
	const char *name = io_path_of(site_dir_fd(site), path) > 0 ? strrchr(path, '/') : NULL;

	return name && name[1] ? arena_str(arena, name + 1) : NULL;
}

static bool make_beside(struct site *site, uid_t owner)
{
	struct arena arena = {0};
	const char *name = store_name(site, &arena);
	int parent_fd = openat(site_dir_fd(site), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool made = false;

	if (name && parent_fd >= 0) {
		name = arena_printf(&arena, "%s" BESIDE, name);
		made = (mkdirat(parent_fd, name, 0700) == 0 || errno == EEXIST) && take_folder(parent_fd, name, owner) &&
		       fsync(parent_fd) == 0 &&
		       symlinkat(arena_printf(&arena, "../%s", name), site_dir_fd(site), LINK) == 0;
	}
	if (parent_fd >= 0)
		close(parent_fd);
	arena_fini(&arena);
	return made;
}

static int open_there(struct site *site)
{
	return openat(site_dir_fd(site), LINK, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A link that leads nowhere as well. */
static bool is_there(struct site *site)
{
	struct stat st;

	return fstatat(site_dir_fd(site), LINK, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int make(struct site *site, uid_t owner, struct err *e)
{
	int store_fd = site_dir_fd(site);

	if (geteuid() != 0 && geteuid() != owner)
		return err_set(e, ERR_UNAVAILABLE, "only root and the account that checks passwords may make the folder of what "
		    "they are checked against");
	if (!make_beside(site, owner) && !is_there(site)) {
		if (mkdirat(store_fd, LINK, 0700) < 0 && errno != EEXIST)
			return err_sys(e, ERR_UNAVAILABLE, errno, "make " LINK "/");
		log_warn("auth-inside", "store=%s no folder could be made beside it: mode alone keeps the doors out of " LINK "/",
		    LOG_Q(site_dir(site)));
	}
	return fsync(store_fd) < 0 ? err_sys(e, ERR_IO, errno, "fsync the store folder") : 0;
}

static int cannot_open(int sys, struct err *e)
{
	if (sys == ENOENT) /* and yet it was there: a link */
		return err_set(e, ERR_UNAVAILABLE, "STORE/" LINK " leads nowhere: bring the folder that passwords are checked "
		    "against, or remove the link");
	return err_sys(e, ERR_UNAVAILABLE, sys, LINK "/");
}

int credential_folder(struct site *site, int *folder_fd_r, struct err *e)
{
	uid_t owner = 0;
	int fd;

	if (!is_permitted)
		return err_set(e, ERR_UNAVAILABLE, "%s reads nothing that passwords are checked against", site_program(site));
	if (find_owner(site, &owner, e) < 0)
		return -1;
	fd = open_there(site);
	if (fd < 0 && errno == ENOENT && !is_there(site)) {
		if (make(site, owner, e) < 0)
			return -1;
		fd = open_there(site);
	}
	if (fd < 0)
		return cannot_open(errno, e);
	if (give(fd, owner) < 0) {
		err_sys(e, ERR_IO, errno, "give " LINK "/ to its owner");
	} else if ((geteuid() != 0 || give_files(fd, owner, e) == 0) && credential_move_in(site, fd, e) == 0) {
		*folder_fd_r = fd;
		return 0;
	}
	close(fd);
	return -1;
}

int credential_place_make(struct site *site, int folder_fd, const char *name, struct err *e)
{
	int fd = openat(folder_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), r = 0;
	uid_t owner = 0;

	if (fd < 0)
		return errno == EEXIST ? 0 : err_sys(e, ERR_UNAVAILABLE, errno, "create %s", name);
	if (fchmod(fd, 0600) < 0)
		r = err_sys(e, ERR_IO, errno, "%s", name);
	if (r == 0 && geteuid() == 0 && (r = find_owner(site, &owner, e)) == 0 && give(fd, owner) < 0)
		r = err_sys(e, ERR_IO, errno, "give %s to its owner", name);
	close(fd);
	return r;
}
