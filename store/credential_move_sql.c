/*
 * store/credential_move_sql.c - what an older store has beside its directory, STORE/auth.db, becomes STORE/auth/auth.db.
 *
 * It is copied (that may be another file system), is on the disk before it has its name, and the old one goes last.
 * So as long as there is an old one, nothing was written to the new: everybody comes through here first.  Who is killed
 * in between leaves both, the same secret in them, and the next one removes what is left.  Another secret: an older
 * program made a new file, and a person has to say which of both counts.
 */
#include "store/credential_place.h"

#include "base/io.h"
#include "base/log.h"
#include "limits/registry.h"
#include "store/db_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLD "auth.db"
#define OLD_LOCK "auth.lock"
#define NEW "auth.db"
#define COPY "auth.db.new"
#define SECRET_MAX 64

struct secret {
	unsigned char octets[SECRET_MAX];
	size_t n;
};

static bool is_there(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int path_in(int folder_fd, const char *name, char path[PATH_MAX], struct err *e)
{
	ssize_t n = io_path_of(folder_fd, path);

	if (n < 0)
		return err_sys(e, ERR_IO, errno, "path of a folder");
	if ((size_t)n + strlen(name) + 8 > PATH_MAX)
		return err_set(e, ERR_UNAVAILABLE, "the path of %s is too long", name);
	snprintf(path + n, PATH_MAX - (size_t)n, "/%s", name);
	return 0;
}

static int open_in(int folder_fd, const char *name, struct db **db_r, struct err *e)
{
	char path[PATH_MAX];

	return path_in(folder_fd, name, path, e) < 0 ? -1 : db_open(path, &db_schema_credential, true, false, db_r, e);
}

/* n 0: whoever made the file was killed before it had one. */
static int read_secret(struct db *db, struct secret *secret, struct err *e)
{
	struct query q;
	int r;

	if (query_begin(&q, db, "SELECT octets FROM secret", e) < 0)
		return -1;
	r = query_step(&q, e);
	if (r > 0) {
		struct str_view v = query_get_view(&q, 0);

		secret->n = v.n < SECRET_MAX ? v.n : SECRET_MAX;
		memcpy(secret->octets, v.p, secret->n);
	}
	query_end(&q);
	return r < 0 ? -1 : 0;
}

static int copy_to(struct site *site, struct db *old, int folder_fd, struct err *e)
{
	char path[PATH_MAX];
	struct query q;
	int fd, r;

	if (unlinkat(folder_fd, COPY, 0) < 0 && errno != ENOENT)
		return err_sys(e, ERR_UNAVAILABLE, errno, COPY);
	if (path_in(folder_fd, COPY, path, e) < 0 || credential_place_make(site, folder_fd, COPY, e) < 0)
		return -1;
	r = query_begin(&q, old, "VACUUM INTO ?1", e);
	if (r == 0) {
		query_text(&q, 1, path);
		r = query_step(&q, e);
		query_end(&q);
	}
	if (r < 0)
		return -1;
	fd = openat(folder_fd, COPY, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		r = err_sys(e, ERR_IO, errno, COPY);
	if (fd >= 0)
		close(fd);
	if (r == 0 && (renameat(folder_fd, COPY, folder_fd, NEW) < 0 || fsync(folder_fd) < 0))
		r = err_sys(e, ERR_IO, errno, NEW);
	return r;
}

/* The new one is there: is it the old one's? */
static int compare(struct db *old, int folder_fd, struct err *e)
{
	struct secret theirs = {0}, ours = {0};
	struct db *db;
	int r;

	if (open_in(folder_fd, NEW, &db, e) < 0)
		return -1;
	r = read_secret(db, &ours, e);
	db_abandon(&db);
	if (r == 0)
		r = read_secret(old, &theirs, e);
	if (r == 0 && (ours.n != theirs.n || memcmp(ours.octets, theirs.octets, ours.n) != 0))
		r = err_set(e, ERR_CORRUPT, "STORE/auth.db is not what STORE/auth/auth.db was made of, but an older program's: "
		    "end that, and move the one that does not count away");
	explicit_bzero(&ours, sizeof ours);
	explicit_bzero(&theirs, sizeof theirs);
	return r;
}

static int remove_old(int store_fd, struct err *e)
{
	static const char *const names[] = {OLD "-wal", OLD "-shm", OLD, OLD_LOCK};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (unlinkat(store_fd, names[i], 0) < 0 && errno != ENOENT)
			return err_sys(e, ERR_UNAVAILABLE, errno, "remove %s", names[i]);
	return fsync(store_fd) < 0 ? err_sys(e, ERR_IO, errno, "fsync the store folder") : 0;
}

/* Under the old one's lock. */
static int move(struct site *site, int folder_fd, struct err *e)
{
	struct db *old;
	int r;

	/* Who waited here while another moved it may have made the lock's file again. */
	if (!is_there(site_dir_fd(site), OLD))
		return remove_old(site_dir_fd(site), e);
	if (open_in(site_dir_fd(site), OLD, &old, e) < 0) {
		/* Killed before its tables were made, it holds nothing. */
		if (e->code != ERR_NOTFOUND)
			return -1;
		return remove_old(site_dir_fd(site), e);
	}
	db_allow_commit(old, true);
	r = is_there(folder_fd, NEW) ? compare(old, folder_fd, e) : copy_to(site, old, folder_fd, e);
	db_close(&old);
	if (r == 0)
		r = remove_old(site_dir_fd(site), e);
	if (r == 0)
		log_info("auth-moved", "from=auth.db to=auth/auth.db");
	return r;
}

int credential_move_in(struct site *site, int folder_fd, struct err *e)
{
	int lock_fd, r;

	if (!is_there(site_dir_fd(site), OLD))
		return 0;
	lock_fd = openat(site_dir_fd(site), OLD_LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock_fd < 0)
		return err_sys(e, ERR_UNAVAILABLE, errno, OLD_LOCK);
	if (io_lock_until(lock_fd, 0, 1, setting_get(site, SETTING_WRITE_WAIT_MS)) == 0)
		r = move(site, folder_fd, e);
	else
		r = errno == ETIMEDOUT ? err_set(e, ERR_BUSY, "another process writes STORE/auth.db")
				       : err_sys(e, ERR_IO, errno, OLD_LOCK);
	close(lock_fd);
	return r < 0 ? err_context(e, "move auth.db into its folder") : 0;
}
