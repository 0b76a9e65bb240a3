/*
 * store/db_sql.c - one SQLite handle: pragmas, schema, prepared statements, transactions.
 *
 * Debian 12's SQLite (3.40.1) can lose committed transactions when one connection resets the WAL
 * in a commit while another begins a checkpoint (fixed in 3.51.3).  So every commit and every
 * checkpoint runs under the database's writer lock, and a hook CHECKs it: the automatic checkpoint is
 * replaced by ours, which runs in the same commit.
 */
#include "store/db_priv.h"

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Statements are found by the address of their literal; a power of two well above their number. */
#define STATEMENTS 256
/* A checkpoint of 1,000 pages stalls a commit for 6-10 ms; past the second bound readers have kept
 * it from starting over, so we wait for them (doc/BENCHMARKS.md). */
#define CHECKPOINT_PAGES 1000
#define RESTART_PAGES 4096
#define BUSY_MS 5000
#define RESTART_WAIT_MS 100

struct db {
	sqlite3 *sqlite;
	const struct db_schema *schema;
	bool may_commit, is_suspect;
	struct wal_gather gather; /* memory of a commit, kept for the next */
	struct {
		const char *sql;
		sqlite3_stmt *stmt;
	} statements[STATEMENTS];
};

static const char *const mailbox_steps[] = {schema_001_mailbox, schema_002_annotation_search,
    NULL};
static const char *const directory_steps[] = {schema_001_directory, schema_002_directory, schema_003_directory, NULL};
static const char *const directory_1_steps[] = {schema_001_directory, NULL};
static const char *const credential_steps[] = {schema_001_credential, NULL};
const struct db_schema db_schema_mailbox = {0x50736d31, mailbox_steps};     /* "Psm1" */
const struct db_schema db_schema_directory = {0x50736431, directory_steps}; /* "Psd1" */
const struct db_schema db_schema_directory_1 = {0x50736431, directory_1_steps};
const struct db_schema db_schema_credential = {0x50736331, credential_steps}; /* "Psc1" */

static enum err_code code_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return ERR_NOSPACE;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT: /* what the schema forbids was about to be: counters that disagree */
		return ERR_CORRUPT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_AUTH:
		return ERR_UNAVAILABLE;
	case SQLITE_TOOBIG:
		return ERR_TOOBIG;
	default:
		return ERR_IO;
	}
}

int db_fail(struct db *db, struct err *e)
{
	int rc = sqlite3_extended_errcode(db->sqlite);
	int sys = sqlite3_system_errno(db->sqlite);
	enum err_code code = code_of(rc);

	if (code != ERR_BUSY && code != ERR_NOSPACE)
		db->is_suspect = true;
	if (code == ERR_IO && (sys == ENOSPC || sys == EDQUOT))
		code = ERR_NOSPACE;
	err_set(e, code, "%s (%d)", sqlite3_errmsg(db->sqlite), rc);
	e->sys = sys;
	return -1;
}

static int commit_hook(void *arg)
{
	struct db *db = arg;

	CHECK(db->may_commit);
	return 0;
}

/* Runs after each commit, still under the writer lock. */
static int wal_hook(void *arg, sqlite3 *sqlite, const char *name, int pages)
{
	struct db *db = arg;

	CHECK(db->may_commit);
	if (pages >= RESTART_PAGES) {
		sqlite3_busy_timeout(sqlite, RESTART_WAIT_MS);
		sqlite3_wal_checkpoint_v2(sqlite, name, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
		sqlite3_busy_timeout(sqlite, BUSY_MS);
	} else if (pages >= CHECKPOINT_PAGES) {
		sqlite3_wal_checkpoint_v2(sqlite, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	}
	return SQLITE_OK; /* what could not be checkpointed now is in the WAL, safe, until next time */
}

static int exec(struct db *db, const char *sql, struct err *e)
{
	if (sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_fail(db, e);
	return 0;
}

static int pragma_get(struct db *db, const char *sql, int64_t *value_r, struct err *e)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sqlite3_prepare_v2(db->sqlite, sql, -1, &stmt, NULL) != SQLITE_OK)
		return db_fail(db, e);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*value_r = sqlite3_column_int64(stmt, 0);
	else
		db_fail(db, e);
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? 0 : -1;
}

static int versions_get(struct db *db, int64_t *version_r, bool *ours_r, struct err *e)
{
	int64_t application = 0;

	if (pragma_get(db, "PRAGMA user_version", version_r, e) < 0 ||
	    pragma_get(db, "PRAGMA application_id", &application, e) < 0)
		return -1;
	*ours_r = application == db->schema->application_id;
	return 0;
}

/* For the directory: keys of names that are there. */
static void name_key(sqlite3_context *context, int n, sqlite3_value **values)
{
	const char *name = (const char *)sqlite3_value_text(values[0]);
	struct str_buf key = {0};

	(void)n;
	directory_name_key(name ? name : "", &key);
	sqlite3_result_text(context, key.p ? key.p : "", (int)key.n, SQLITE_TRANSIENT);
	str_buf_fini(&key);
}

int db_know_names(struct db *db, struct err *e)
{
	if (sqlite3_create_function(db->sqlite, "name_key", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY, NULL, name_key, NULL, NULL) != SQLITE_OK)
		return db_fail(db, e);
	return 0;
}

/* In one transaction, so that two processes that see an old database both end with a new one. */
static int migrate(struct db *db, int64_t newest, struct err *e)
{
	char sql[64];
	int64_t version = 0;
	bool ours;

	if (db_know_names(db, e) < 0 || db_write_begin(db, e) < 0)
		return -1;
	if (versions_get(db, &version, &ours, e) < 0)
		goto fail;
	for (; version < newest; version++) {
		if (exec(db, db->schema->steps[version], e) < 0)
			goto fail;
		sqlite3_snprintf(sizeof sql, sql, "PRAGMA user_version=%d", (int)version + 1);
		if (exec(db, sql, e) < 0)
			goto fail;
	}
	sqlite3_snprintf(sizeof sql, sql, "PRAGMA application_id=%d", db->schema->application_id);
	if (exec(db, sql, e) < 0)
		goto fail;
	return db_write_commit(db, e);
fail:
	db_write_abort(db);
	return -1;
}

static int check_schema(struct db *db, bool create, struct err *e)
{
	int64_t version = 0, newest = 0;
	bool ours;

	while (db->schema->steps[newest])
		newest++;
	/* One transaction: each takes locks of its own and lets them go. */
	if (exec(db, "BEGIN", e) < 0 || versions_get(db, &version, &ours, e) < 0 || exec(db, "COMMIT", e) < 0)
		return -1;
	if (ours && version == newest)
		return 0;
	if (version > newest || version < 0)
		return err_set(e, ERR_UNSUPPORTED, "schema %lld is newer than this program's %lld",
		    (long long)version, (long long)newest);
	if (!ours && version != 0)
		return err_set(e, ERR_UNSUPPORTED, "another program's database");
	if (!create)
		return err_set(e, ERR_NOTFOUND, "the database has to be made or migrated first");
	return migrate(db, newest, e);
}

/* page_size and auto_vacuum act on an empty file only, and have to stand before the journal mode; in another
 * the latter is a commit that changes nothing. */
static int set_pragmas(struct db *db, bool durable, bool create, bool is_empty, struct err *e)
{
	if (is_empty && exec(db, "PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL", e) < 0)
		return -1;
	if (create && exec(db, "PRAGMA journal_mode=WAL", e) < 0)
		return -1;
	if (exec(db, durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", e) < 0)
		return -1;
	return exec(db,
	    "PRAGMA foreign_keys=ON; PRAGMA secure_delete=FAST; PRAGMA journal_size_limit=4194304;"
	    "PRAGMA cache_size=-512; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF;"
	    "PRAGMA cell_size_check=ON; PRAGMA wal_autocheckpoint=0",
	    e);
}

/*
 * SQLite makes files 0644, and its WAL like the database: so the file is made here, for the group.
 * Only a new one is touched: closing any descriptor of a database drops this process's locks on it.
 */
static int make_file(const char *path, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);

	if (fd < 0)
		return errno == EEXIST ? 0 : err_sys(e, ERR_UNAVAILABLE, errno, "create %s", path);
	if (fchmod(fd, 0660) < 0) { /* whatever the umask; SQLite gives its other files the same */
		err_sys(e, ERR_UNAVAILABLE, errno, "chmod %s", path);
		close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

int db_open(const char *path, const struct db_schema *schema, bool durable, bool create,
    struct db **db_r, struct err *e)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	struct db *db;
	struct stat st;

	if (create && make_file(path, e) < 0)
		return -1;
	/* SQLite's own error for this is CANTOPEN, which says everything and nothing. */
	if (stat(path, &st) < 0)
		return err_sys(e, errno == ENOENT ? ERR_NOTFOUND : ERR_UNAVAILABLE, errno, "%s", path);
	db = mem_alloc(sizeof *db);
	db->schema = schema;
	if (sqlite3_open_v2(path, &db->sqlite, flags, wal_vfs_name()) != SQLITE_OK) {
		if (db->sqlite)
			db_fail(db, e);
		else
			err_set(e, ERR_IO, "no memory for a handle");
		goto fail;
	}
	sqlite3_busy_timeout(db->sqlite, BUSY_MS);
	db->may_commit = create; /* the journal mode and the schema are commits */
	if (set_pragmas(db, durable, create, create && st.st_size == 0, e) < 0 ||
	    check_schema(db, create, e) < 0)
		goto fail;
	sqlite3_commit_hook(db->sqlite, commit_hook, db);
	sqlite3_wal_hook(db->sqlite, wal_hook, db);
	db->may_commit = false;
	*db_r = db;
	return 0;
fail:
	db_close(&db);
	return err_context(e, "%s", path);
}

void db_close(struct db **dbp)
{
	struct db *db = *dbp;

	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(db->statements[i].stmt);
	CHECK(sqlite3_close(db->sqlite) == SQLITE_OK);
	wal_gather_fini(&db->gather);
	mem_free(dbp);
}

void db_abandon(struct db **db)
{
	sqlite3_db_config((*db)->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	db_close(db);
}

void db_allow_commit(struct db *db, bool allowed)
{
	db->may_commit = allowed;
}

bool db_is_suspect(const struct db *db)
{
	return db->is_suspect;
}

sqlite3 *db_sqlite(struct db *db)
{
	return db->sqlite;
}

int64_t db_changes(struct db *db)
{
	return sqlite3_changes64(db->sqlite);
}

int query_begin(struct query *q, struct db *db, const char *sql, struct err *e)
{
	size_t i = ((uintptr_t)sql * 0x9e3779b97f4a7c15u) >> 56;
	size_t tried = 0;

	while (db->statements[i].sql && db->statements[i].sql != sql) {
		i = (i + 1) % STATEMENTS;
		CHECK(++tried < STATEMENTS);
	}
	if (!db->statements[i].sql) {
		if (sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT,
			&db->statements[i].stmt, NULL) != SQLITE_OK)
			return db_fail(db, e);
		db->statements[i].sql = sql;
	}
	*q = (struct query){db, db->statements[i].stmt};
	return 0;
}

void query_int(struct query *q, int at, int64_t value)
{
	CHECK(sqlite3_bind_int64(q->stmt, at, value) == SQLITE_OK);
}

void query_text(struct query *q, int at, const char *text)
{
	CHECK(sqlite3_bind_text(q->stmt, at, text, -1, SQLITE_STATIC) == SQLITE_OK);
}

void query_blob(struct query *q, int at, struct str_view bytes)
{
	CHECK(bytes.n <= INT32_MAX);
	/* A NULL pointer would bind NULL; an empty blob is a value. */
	CHECK(sqlite3_bind_blob64(q->stmt, at, bytes.n ? bytes.p : "", bytes.n, SQLITE_STATIC) ==
	      SQLITE_OK);
}

int query_step(struct query *q, struct err *e)
{
	int rc = sqlite3_step(q->stmt);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	return db_fail(q->db, e);
}

void query_again(struct query *q)
{
	sqlite3_reset(q->stmt);
}

void query_end(struct query *q)
{
	if (!q->stmt)
		return;
	sqlite3_reset(q->stmt);
	sqlite3_clear_bindings(q->stmt);
	q->stmt = NULL;
}

struct str_view query_get_view(struct query *q, int column)
{
	const void *p = sqlite3_column_blob(q->stmt, column);

	return str_view(p ? p : "", (size_t)sqlite3_column_bytes(q->stmt, column));
}

int db_run(struct db *db, struct err *e, const char *sql, const int64_t *values, size_t n)
{
	struct query q;
	int r;

	if (query_begin(&q, db, sql, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		query_int(&q, (int)i + 1, values[i]);
	do
		r = query_step(&q, e);
	while (r > 0);
	query_end(&q);
	return r;
}

int db_read_begin(struct db *db, struct err *e)
{
	return DB_RUN0(db, e, "BEGIN");
}

/* A read transaction that ends has nothing to lose: an error in it is of no interest. */
void db_read_end(struct db *db)
{
	struct err ignored;

	if (!sqlite3_get_autocommit(db->sqlite) && DB_RUN0(db, &ignored, "ROLLBACK") < 0)
		db->is_suspect = true;
}

int db_write_begin(struct db *db, struct err *e)
{
	CHECK(db->may_commit);
	return DB_RUN0(db, e, "BEGIN IMMEDIATE");
}

int db_write_commit(struct db *db, struct err *e)
{
	int r;

	wal_gather_begin(&db->gather);
	r = DB_RUN0(db, e, "COMMIT");
	wal_gather_end(&db->gather);
	return r;
}

void db_write_abort(struct db *db)
{
	db_read_end(db);
}
