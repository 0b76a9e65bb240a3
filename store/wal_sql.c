/*
 * store/wal_sql.c - SQLite's own file system layer, but for what becomes of a WAL, and how it is written.
 *
 * SQLite removes the WAL when the last handle closes.  The first commit afterwards has to sync the folder's
 * entry for the new file and the WAL's header by itself, beside the frames: three syncs for one message, where
 * most messages come to a mailbox that nobody used in the last seconds.  So here the WAL stays, empty: its
 * entry is on the disk already, and a header alone in a file needs no sync of its own.
 *
 * And paths are taken as they are: they begin with the store's, and mail.db is never a link, so that SQLite need not look
 * at each folder on the way to find that out at every open.
 *
 * SQLite writes a commit by two calls for each page, a frame's header and the page.  They are gathered here, and the
 * frame that ends the commit lets all of them go: before SQLite syncs them or shows them to others in its index.
 */
#include "store/db_priv.h"

#include "base/check.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAL_HEADER_OCTETS 32
#define FRAME_HEADER_OCTETS 24
/* Written as soon as there is so much; a usual commit is 3 to 10 pages.  SQLite's own xWrite takes no 128 KB at once. */
#define GATHER_OCTETS 98304

static sqlite3_vfs *system_vfs; /* SQLite's for this system */
static sqlite3_vfs wal_vfs;     /* the same, but for what is set below */
static sqlite3_io_methods wal_methods;
static const sqlite3_io_methods *system_methods;

/* Of the commit that this thread is at; NULL: none. */
static _Thread_local struct wal_gather *gathering;

/* ---- frames, gathered ---- */

void wal_gather_begin(struct wal_gather *g)
{
	CHECK(!gathering && !g->octets.n);
	g->is_page_next = g->is_last = g->has_written = false;
	gathering = g;
}

/* What is left is of a commit that failed: nobody will ask for it. */
void wal_gather_end(struct wal_gather *g)
{
	str_buf_clear(&g->octets);
	gathering = NULL;
}

void wal_gather_fini(struct wal_gather *g)
{
	str_buf_fini(&g->octets);
}

static int let_go(sqlite3_file *file)
{
	struct wal_gather *g = gathering;
	int rc;

	if (!g || !g->octets.n)
		return SQLITE_OK;
	rc = system_methods->xWrite(file, g->octets.p, (int)g->octets.n, g->at);
	str_buf_clear(&g->octets);
	g->has_written = true;
	return rc;
}

static bool is_commit(const char *frame_header)
{
	return memcmp(frame_header + 4, "\0\0\0\0", 4) != 0; /* pages of the database after it; 0: more follow */
}

/* Anything but a frame's header, and the page behind it, goes by: the WAL's header, and pages and headers of
 * frames that a large transaction wrote before its commit and writes again. */
static int wal_write(sqlite3_file *file, const void *octets, int n, sqlite3_int64 at)
{
	struct wal_gather *g = gathering;
	bool is_next = g && g->octets.n && at == g->at + (sqlite3_int64)g->octets.n;
	bool is_header = n == FRAME_HEADER_OCTETS;
	int rc = SQLITE_OK;

	if (!g || g->is_last || !(is_header || (is_next && g->is_page_next))) {
		rc = let_go(file);
		return rc != SQLITE_OK ? rc : system_methods->xWrite(file, octets, n, at);
	}
	if (!is_next)
		rc = let_go(file);
	if (rc != SQLITE_OK)
		return rc;
	if (!g->octets.n)
		g->at = at;
	str_buf_put(&g->octets, octets, (size_t)n);
	g->is_page_next = is_header;
	if (is_header) {
		g->is_commit = is_commit(octets);
		return SQLITE_OK;
	}
	g->is_last = g->is_commit;
	return g->is_last || g->octets.n >= GATHER_OCTETS ? let_go(file) : SQLITE_OK;
}

static int wal_read(sqlite3_file *file, void *octets, int n, sqlite3_int64 at)
{
	int rc = let_go(file);

	return rc != SQLITE_OK ? rc : system_methods->xRead(file, octets, n, at);
}

/*
 * SQLite syncs a new header before any frame follows it, so that frames of the WAL's earlier use, where they
 * are still on the disk, cannot follow the new header, nor new ones the old.  In a file that was empty before
 * there are none, and the commit's sync takes all to the disk at once.
 */
static int wal_sync(sqlite3_file *file, int flags)
{
	sqlite3_int64 size;
	int rc = let_go(file);

	if (rc != SQLITE_OK)
		return rc;
	if (!(gathering && gathering->has_written) &&
	    system_methods->xFileSize(file, &size) == SQLITE_OK && size == WAL_HEADER_OCTETS)
		return SQLITE_OK;
	return system_methods->xSync(file, flags);
}

/* ---- files ---- */

/* SQLite's methods for a WAL are the same for all WALs: files that are not locked. */
static pthread_mutex_t methods_lock = PTHREAD_MUTEX_INITIALIZER;

static void take_methods(sqlite3_file *file)
{
	pthread_mutex_lock(&methods_lock);
	if (!system_methods) {
		wal_methods = *file->pMethods;
		wal_methods.xRead = wal_read;
		wal_methods.xWrite = wal_write;
		wal_methods.xSync = wal_sync;
		system_methods = file->pMethods;
	}
	CHECK(file->pMethods == system_methods);
	pthread_mutex_unlock(&methods_lock);
	file->pMethods = &wal_methods;
}

/* The folder's entry of a file that was made now. */
static int sync_folder(const char *path)
{
	char folder[4400];
	const char *slash = strrchr(path, '/');
	int fd, r;

	if (!slash || (size_t)(slash - path) >= sizeof folder)
		return -1;
	snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	r = fsync(fd);
	close(fd);
	return r;
}

/* A file that is opened to be made is one whose folder SQLite syncs at its first commit: so only where it has
 * to be made. */
static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *flags_r)
{
	int rc;

	if (!(flags & SQLITE_OPEN_WAL))
		return system_vfs->xOpen(vfs, path, file, flags, flags_r);
	rc = system_vfs->xOpen(vfs, path, file, flags & ~SQLITE_OPEN_CREATE, flags_r);
	if (rc != SQLITE_OK) {
		rc = system_vfs->xOpen(vfs, path, file, flags, flags_r);
		/* Not at the first commit but now: another handle may commit before this one does. */
		if (rc == SQLITE_OK && sync_folder(path) < 0) {
			file->pMethods->xClose(file);
			file->pMethods = NULL;
			rc = SQLITE_IOERR_DIR_FSYNC;
		}
	}
	if (rc == SQLITE_OK)
		take_methods(file);
	return rc;
}

/*
 * Empty instead of gone.  All that was in it is in the database and synced, and whoever calls this keeps others
 * from opening it.  Synced before anybody uses it again, for the sake of wal_sync; a kill between the two leaves
 * that to the file system, which gives the blocks out again only once the truncation is on the disk.
 */
static int delete_file(sqlite3_vfs *vfs, const char *path, int sync_dir)
{
	size_t n = strlen(path);
	struct stat st;
	int fd, rc = SQLITE_OK;

	if (n < 4 || strcmp(path + n - 4, "-wal") != 0)
		return system_vfs->xDelete(vfs, path, sync_dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return system_vfs->xDelete(vfs, path, sync_dir);
	/* Who only read leaves its times alone: watch.c takes a WAL that moved for news. */
	if (fstat(fd, &st) < 0 || (st.st_size > 0 && (ftruncate(fd, 0) < 0 || fdatasync(fd) < 0)))
		rc = SQLITE_IOERR_TRUNCATE;
	close(fd);
	return rc;
}

static int full_path(sqlite3_vfs *vfs, const char *path, int n, char *out)
{
	if (path[0] != '/')
		return system_vfs->xFullPathname(vfs, path, n, out);
	return snprintf(out, (size_t)n, "%s", path) < n ? SQLITE_OK : SQLITE_CANTOPEN;
}

static void register_vfs(void)
{
	db_memory_apart();
	system_vfs = sqlite3_vfs_find(NULL);
	CHECK(system_vfs);
	wal_vfs = *system_vfs;
	wal_vfs.zName = "postern";
	wal_vfs.xOpen = open_file;
	wal_vfs.xDelete = delete_file;
	wal_vfs.xFullPathname = full_path;
	CHECK(sqlite3_vfs_register(&wal_vfs, 0) == SQLITE_OK);
}

const char *wal_vfs_name(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, register_vfs);
	return wal_vfs.zName;
}
