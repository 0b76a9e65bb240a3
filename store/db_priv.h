/*
 * One SQLite handle, and its prepared statements.  Only files of store/ named *_sql.c include this.
 *
 * A handle commits (and checkpoints) only between db_allow_commit(true) and (false), that is, while
 * its thread holds the writer lock of its database: see db_sql.c for why that is a CHECK.
 */
#ifndef STORE_DB_PRIV_H
#define STORE_DB_PRIV_H

#include "base/err.h"
#include "base/str.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

extern const char schema_001_mailbox[], schema_002_annotation_search[],
    schema_001_directory[], schema_002_directory[], schema_003_directory[], schema_001_credential[];

struct db;
struct db_schema {
	int32_t application_id;
	const char *const *steps; /* steps[n] leads from user_version n to n + 1; NULL ends */
};
extern const struct db_schema db_schema_mailbox, db_schema_directory, db_schema_credential;
/* The directory as it was while verifiers stood in it. */
extern const struct db_schema db_schema_directory_1;

/*
 * Opens a database; with create it may be made (the caller holds its writer lock then, and has
 * allowed nothing yet).  durable: every commit is on the disk when it returns.
 * Errors: NOTFOUND, UNSUPPORTED (newer, or not ours), CORRUPT, NOSPACE, BUSY, IO.
 */
WARN_UNUSED int db_open(const char *path, const struct db_schema *schema, bool durable, bool create,
    struct db **db_r, struct err *e);
/* The caller holds the writer lock: the last close of a database checkpoints. */
void db_close(struct db **db);
/* The same without the lock: nothing is checkpointed, and the next to open it finds the WAL. */
void db_abandon(struct db **db);
void db_allow_commit(struct db *db, bool allowed);
/* An error that leaves doubt about the handle was seen: close it rather than use it again. */
bool db_is_suspect(const struct db *db);

/* Statements of this handle may call name_key(name), which is directory_name_key. */
WARN_UNUSED int db_know_names(struct db *db, struct err *e);

/* One use of a statement.  sql must be a literal: handles keep statements by its address. */
struct query {
	struct db *db;
	sqlite3_stmt *stmt;
};
WARN_UNUSED int query_begin(struct query *q, struct db *db, const char *sql, struct err *e);
/* Bind values: 1, 2, ...  Text and blobs are borrowed until query_end. */
void query_int(struct query *q, int at, int64_t value);
void query_text(struct query *q, int at, const char *text); /* NULL: NULL */
void query_blob(struct query *q, int at, struct str_view bytes);
/* 1: a row; 0: no more; -1. */
WARN_UNUSED int query_step(struct query *q, struct err *e);
/* Runs again with other values: resets, keeps what is bound. */
void query_again(struct query *q);
void query_end(struct query *q);

static inline int64_t query_get_int(struct query *q, int column)
{
	return sqlite3_column_int64(q->stmt, column);
}
static inline bool query_get_null(struct query *q, int column)
{
	return sqlite3_column_type(q->stmt, column) == SQLITE_NULL;
}
/* Borrowed until the next step. */
struct str_view query_get_view(struct query *q, int column);
static inline const char *query_get_text(struct query *q, int column) /* NULL: NULL */
{
	return (const char *)sqlite3_column_text(q->stmt, column);
}

/* A statement that returns no rows, with integers only: DB_RUN(db, e, "...?1...?2", a, b). */
WARN_UNUSED int db_run(struct db *db, struct err *e, const char *sql, const int64_t *values,
    size_t n);
#define DB_RUN(db, e, sql, ...)                                                                    \
	db_run((db), (e), (sql), (const int64_t[]){__VA_ARGS__},                                   \
	    sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
#define DB_RUN0(db, e, sql) db_run((db), (e), (sql), NULL, 0)
/* Rows changed by the last statement. */
int64_t db_changes(struct db *db);

/* A transaction for reading: all its queries see one instant. */
WARN_UNUSED int db_read_begin(struct db *db, struct err *e);
void db_read_end(struct db *db);
/* A transaction for writing; the writer lock is held. */
WARN_UNUSED int db_write_begin(struct db *db, struct err *e);
WARN_UNUSED int db_write_commit(struct db *db, struct err *e);
void db_write_abort(struct db *db);

/* Fills e from the handle's last error. */
int db_fail(struct db *db, struct err *e);
sqlite3 *db_sqlite(struct db *db);

/* Before SQLite is asked for anything else: its memory is a heap of its own (db_memory.c). */
void db_memory_apart(void);

/* ---- wal_sql.c ---- */

/* The file system layer that handles are opened with. */
const char *wal_vfs_name(void);
/* What this thread writes into a WAL between begin and end, that is, while it commits, is gathered and written at once. */
struct wal_gather {
	struct str_buf octets;
	sqlite3_int64 at; /* in the file */
	bool is_commit;   /* the frame that came last ends the commit */
	bool is_page_next, is_last, has_written;
};
void wal_gather_begin(struct wal_gather *g);
void wal_gather_end(struct wal_gather *g);
void wal_gather_fini(struct wal_gather *g);

#endif
