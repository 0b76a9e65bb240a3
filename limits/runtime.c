/*
 * limits/runtime.c - the runtime folder: opened, made, and emptied after a boot.
 *
 * The file `boot` in it holds "BOOT-ID TOKEN\n" and is the lock under which the folder is judged.
 * A folder with another boot id is from before, and one without `born` has been tampered with: everything else in it
 * goes, and then (last, so that a crash in between starts over) `boot` is written anew.  While the host is up and a
 * program of the store runs nothing is unlinked.
 *
 * A fresh folder beside one in use would be a second lock domain (somebody deleted or unmounted it, or
 * changed store.conf, while daemons run).  So every process holds a shared lock on STORE/store.lock, and a
 * folder is only made fresh under the exclusive one.
 */
#include "limits/runtime_priv.h"
#include "limits/born.h"
#include "base/io.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define BOOT_FILE "boot"
#define STORE_LOCK "store.lock"
#define LOCK_WAIT_MS 5000

static const struct {
	unsigned long magic;
	const char *name;
} foreign_fs[] = {
    {NFS_SUPER_MAGIC, "NFS"}, {SMB_SUPER_MAGIC, "SMB"}, {CIFS_SUPER_MAGIC, "CIFS"},
    {SMB2_SUPER_MAGIC, "SMB2"}, {FUSE_SUPER_MAGIC, "FUSE"}, {V9FS_MAGIC, "9P"},
    {CEPH_SUPER_MAGIC, "Ceph"}, {AFS_SUPER_MAGIC, "AFS"}, {AFS_FS_MAGIC, "AFS"},
    {CODA_SUPER_MAGIC, "Coda"}, {OCFS2_SUPER_MAGIC, "OCFS2"}, {NCP_SUPER_MAGIC, "NCP"},
    {0x01161970, "GFS2"}, {0x0bd00bd0, "Lustre"}, {0x47504653, "GPFS"}, {0x19830326, "BeeGFS"},
};

int runtime_check_fs(int fd, const char *what, struct err *e)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return err_sys(e, ERR_IO, errno, "statfs %s", what);
	for (size_t i = 0; i < sizeof foreign_fs / sizeof *foreign_fs; i++)
		if ((unsigned long)fs.f_type == foreign_fs[i].magic)
			return err_set(e, ERR_UNSUPPORTED,
			    "%s is on a %s file system, whose locks are not to be relied on; "
			    "put it on a local disk", what, foreign_fs[i].name);
	return 0;
}

/* mkdir's mode passes through the umask and loses the set-group-id bit, so it is set after. */
int runtime_own_dir(int fd, struct err *e)
{
	struct group *group = getgrnam("postern");

	if (group && geteuid() == 0 && fchown(fd, (uid_t)-1, group->gr_gid) < 0)
		return err_sys(e, ERR_IO, errno, "chown a folder");
	if (fchmod(fd, RUNTIME_DIR_MODE) < 0)
		return err_sys(e, ERR_IO, errno, "chmod a folder");
	return 0;
}

/* A folder that root makes for a daemon of another account is that account's, as the one it belongs to. */
static int own_like(int fd, int like_fd, struct err *e)
{
	struct stat st;

	if (geteuid() == 0 && (fstat(like_fd, &st) < 0 || fchown(fd, st.st_uid, st.st_gid) < 0))
		return err_sys(e, ERR_IO, errno, "chown a folder");
	if (fchmod(fd, RUNTIME_DIR_MODE) < 0)
		return err_sys(e, ERR_IO, errno, "chmod a folder");
	return 0;
}

static int read_boot_id(char out[40], struct err *e)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : io_read_all(fd, out, 36);
	int sys = errno;

	if (fd >= 0)
		close(fd);
	if (n != 36)
		return err_sys(e, ERR_IO, n < 0 ? sys : EIO, "read the host's boot id");
	out[36] = '\0';
	return 0;
}

static int open_folder(int store_fd, const char *path, int *fd_r, struct err *e)
{
	struct stat st;
	bool is_new = fstatat(store_fd, path, &st, 0) < 0 && errno == ENOENT;
	int fd;

	if (is_new && io_mkdir_all(store_fd, path, 0770, e) < 0)
		return err_context(e, "runtime folder");
	fd = openat(store_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno == EACCES ? ERR_PERM : ERR_IO, errno, "runtime folder %s",
		    path);
	if (runtime_check_fs(fd, "the runtime folder", e) < 0 ||
	    (is_new && own_like(fd, store_fd, e) < 0)) {
		close(fd);
		return -1;
	}
	*fd_r = fd;
	return 0;
}

static int open_lock_file(int dir_fd, const char *name, int *fd_r, struct err *e)
{
	int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, RUNTIME_FILE_MODE);

	if (fd < 0)
		return err_sys(e, errno == EACCES ? ERR_PERM : ERR_IO, errno, "open %s", name);
	*fd_r = fd;
	return 0;
}

/* The entries of a folder of which a descriptor is open, which stays as it is. */
static DIR *list_open(int dir_fd, struct err *e)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		err_sys(e, ERR_IO, errno, "list the runtime folder");
		if (fd >= 0)
			close(fd);
	}
	return dir;
}

static int remove_tree(int parent_fd, const char *name, int depth, struct err *e);

static int remove_inside(int dir_fd, const char *keep, int depth, struct err *e)
{
	DIR *dir = list_open(dir_fd, e);
	const struct dirent *d;
	int r = 0;

	if (!dir)
		return -1;
	while (r == 0 && (d = readdir(dir))) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
		    (keep && strcmp(d->d_name, keep) == 0))
			continue;
		r = remove_tree(dir_fd, d->d_name, depth, e);
	}
	closedir(dir);
	return r;
}

static int remove_tree(int parent_fd, const char *name, int depth, struct err *e)
{
	int fd, r;

	if (unlinkat(parent_fd, name, 0) == 0)
		return 0;
	if ((errno != EISDIR && errno != EPERM) || depth == 0)
		return err_sys(e, ERR_IO, errno, "empty the runtime folder: %s", name);
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "empty the runtime folder: %s", name);
	r = remove_inside(fd, NULL, depth - 1, e);
	close(fd);
	if (r == 0 && unlinkat(parent_fd, name, AT_REMOVEDIR) < 0)
		r = err_sys(e, ERR_IO, errno, "empty the runtime folder: %s", name);
	return r;
}

static int make_folder(int runtime_fd, const char *name, struct err *e)
{
	int fd, r;

	if (mkdirat(runtime_fd, name, 0770) < 0 && errno != EEXIST)
		return err_sys(e, ERR_IO, errno, "make %s in the runtime folder", name);
	fd = openat(runtime_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "open %s in the runtime folder", name);
	r = own_like(fd, runtime_fd, e);
	close(fd);
	return r;
}

static bool is_ours(const char *name)
{
	static const char *const names[] = {".", "..", "lost+found", BOOT_FILE, BORN_FILE, RUNTIME_USERS,
	    RUNTIME_SERVICES, RUNTIME_ROSTERS, RUNTIME_CONTROLS};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* A folder without a whole `boot` is new, or its making was cut short.  Anything else in it is
 * somebody's, who would lose it to a slip in store.conf. */
static int refuse_strangers(int runtime_fd, struct err *e)
{
	DIR *dir = list_open(runtime_fd, e);
	const struct dirent *d;
	int r = 0;

	if (!dir)
		return -1;
	while (r == 0 && (d = readdir(dir)))
		if (!is_ours(d->d_name))
			r = err_set(e, ERR_CORRUPT, "the runtime folder is to be a folder of its own, "
			    "and holds something else: %.100s", d->d_name);
	closedir(dir);
	return r;
}

/* `boot` is the lock that we hold, so it is rewritten in place; half of it is no boot id. */
static int make_fresh(int runtime_fd, int boot_fd, const char *line, struct err *e)
{
	static const char *const folders[] = {
	    RUNTIME_USERS, RUNTIME_SERVICES, RUNTIME_ROSTERS, RUNTIME_CONTROLS};

	if (remove_inside(runtime_fd, BOOT_FILE, 3, e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (make_folder(runtime_fd, folders[i], e) < 0)
			return -1;
	if (born_make(runtime_fd, e) < 0)
		return -1;
	if (io_pwrite_all(boot_fd, line, strlen(line), 0) < 0 ||
	    ftruncate(boot_fd, (off_t)strlen(line)) < 0)
		return err_sys(e, ERR_IO, errno, "write boot in the runtime folder");
	return 0;
}

static int hold_lock(int hold_fd, short type)
{
	struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

	return fcntl(hold_fd, F_OFD_SETLK, &l);
}

static int fresh_folder(int runtime_fd, int boot_fd, int hold_fd, const char *line, struct err *e)
{
	if (hold_lock(hold_fd, F_WRLCK) < 0)
		return err_set(e, ERR_UNAVAILABLE,
		    "the runtime folder is empty or new, or something in it was removed, but other programs use this "
		    "store with what was there; stop them all, then start again");
	if (make_fresh(runtime_fd, boot_fd, line, e) < 0)
		return -1;
	log_debug("runtime-fresh", "boot=%.36s", line);
	return 0;
}

/* Under the lock of boot_fd: what it says against what it should say. */
static int judge(int runtime_fd, int boot_fd, int hold_fd, const char *token, struct err *e)
{
	char want[160], have[160], boot_id[40];
	ssize_t n;

	if (read_boot_id(boot_id, e) < 0)
		return -1;
	snprintf(want, sizeof want, "%s %s\n", boot_id, token);
	n = io_pread_all(boot_fd, have, sizeof have - 1, 0);
	if (n < 0)
		return err_sys(e, ERR_IO, errno, "read boot in the runtime folder");
	have[n] = '\0';
	bool is_whole = n > 37 && have[n - 1] == '\n', is_complete = faccessat(runtime_fd, BORN_FILE, F_OK, 0) == 0;

	if (is_whole && strcmp(have + 37, want + 37) != 0)
		return err_set(e, ERR_CORRUPT, "the runtime folder belongs to another store (its token "
		    "differs); give each store a runtime folder of its own in store.conf");
	if (!is_whole && refuse_strangers(runtime_fd, e) < 0)
		return -1;
	if (!is_whole || !is_complete || strcmp(have, want) != 0) {
		if (fresh_folder(runtime_fd, boot_fd, hold_fd, want, e) < 0)
			return -1;
	} else if (hold_lock(hold_fd, F_WRLCK) == 0 && born_forget(runtime_fd, e) < 0) {
		return -1;
	}
	if (hold_lock(hold_fd, F_RDLCK) < 0)
		return err_set(e, ERR_BUSY, "another program is making a runtime folder for this store");
	return 0;
}

int runtime_open(int store_fd, const char *path, const char *token, int *fd_r, int *hold_fd_r,
    struct err *e)
{
	int fd = -1, boot_fd = -1, hold_fd = -1, r = -1;

	if (open_folder(store_fd, path, &fd, e) < 0 ||
	    open_lock_file(fd, BOOT_FILE, &boot_fd, e) < 0 ||
	    open_lock_file(store_fd, STORE_LOCK, &hold_fd, e) < 0)
		goto out;
	if (io_lock_until(boot_fd, 0, 1, LOCK_WAIT_MS) < 0) {
		err_sys(e, errno == ETIMEDOUT ? ERR_BUSY : ERR_IO, errno, "lock the runtime folder");
		goto out;
	}
	r = judge(fd, boot_fd, hold_fd, token, e);
out:
	if (boot_fd >= 0)
		close(boot_fd);
	if (r < 0) {
		if (fd >= 0)
			close(fd);
		if (hold_fd >= 0)
			close(hold_fd);
		return -1;
	}
	*fd_r = fd;
	*hold_fd_r = hold_fd;
	return 0;
}
