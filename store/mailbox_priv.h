/*
 * The mailboxes this process has to do with, and what it shares among their sessions: the writer
 * lock, at most two SQLite handles, the doorbell.  Knows files and locks; SQL is elsewhere.
 */
#ifndef STORE_MAILBOX_PRIV_H
#define STORE_MAILBOX_PRIV_H

#include "limits/registry.h"
#include "limits/site.h"
#include "base/cell.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct content_cache;
struct db;
struct folder_view;
struct janitor;
struct watcher;

#define MAILBOX_BUCKETS 4096
#define WRITTEN_RUNS 16

/* What store/ keeps per site. */
struct store_site {
	struct site *site;
	char *root; /* the store folder's absolute path: SQLite opens by path */
	pthread_mutex_t lock; /* buckets, open list, counts; taken before a mailbox's own lock */
	struct mailbox *buckets[MAILBOX_BUCKETS];
	size_t handles_n;
	atomic_size_t view_octets; /* flags that folder views hold */
	size_t content_bytes; /* of all mailboxes' content caches */
	struct janitor *janitor;
	struct watcher *watcher;
	struct directory *directory;
	struct credentials *credentials;
	int notice_fd; /* the runtime folder's notice/ */
};

/* The durable handle syncs at each commit, the quick one does not: flags only (see txn_priv.h). */
enum handle_kind { HANDLE_QUICK, HANDLE_DURABLE, HANDLES_N };

struct mailbox {
	struct store_site *site;
	struct user_id user;
	struct mailbox *next; /* in its bucket */
	unsigned refs;        /* under site->lock; it lives while > 0 or while a handle is open */

	pthread_mutex_t lock; /* the gate and the handles */

	/* The gate in front of the OFD lock, which excludes per open file, not per thread. */
	bool is_writing;
	pthread_cond_t writer_done;
	/* The writer's own: */
	int lock_fd;       /* mail.lock */
	bool boot_checked; /* modseq was trusted or raised since the host booted */
	uint64_t modseq_reserved; /* at least this is reserved on the disk */

	pthread_cond_t given_back;
	struct handle {
		struct db *db;
		bool is_out;
		int64_t used_ms; /* monotonic */
	} handles[HANDLES_N];
	bool is_founded; /* seen in the file that the handles have open; under lock */

	struct keyword_names *keywords; /* as of keywords_bell; under lock */
	uint64_t keywords_bell;

	struct folder_view *views; /* folder_view_priv.h; the list is under lock */

	int64_t sweep_due_ms; /* the janitor's alone: monotonic */

	struct content_cache *contents; /* NULL: none; under site->lock */

	/* Deliveries that wait for a commit, which one of them makes for all (delivery_sql.c); under lock. */
	struct delivery_queue {
		struct delivery *first, **end;
		bool is_led;
		pthread_cond_t moved;
	} deliveries;

	int notice_fd; /* the doorbell file; opened at first use, under lock */

	/* Who committed what, of late: runs of modseqs, the oldest overwritten; under lock. */
	struct written {
		uint64_t from, to; /* modseqs, both included */
		uint64_t store;    /* store.number */
	} written[WRITTEN_RUNS];
	unsigned written_n; /* runs ever begun */
};

/* The site's store state, made at first use. */
WARN_UNUSED int store_site_get(struct site *site, struct store_site **ss_r, struct err *e);

/* The mailbox of a user in this process, counted; release gives it back. */
struct mailbox *mailbox_acquire(struct store_site *ss, struct user_id user);
void mailbox_release(struct mailbox **mb);
/* "STORE/mail/xx/<id>" + name ("" for the folder itself). */
#define MAILBOX_PATH_SIZE 4400
void mailbox_path(const struct mailbox *mb, const char *name, char out[MAILBOX_PATH_SIZE]);
/* Makes sure the mailbox can be opened, and makes it when there is none. */
WARN_UNUSED int mailbox_open(struct mailbox *mb, struct err *e);
/* Removes the mailbox's files; its user is gone. */
WARN_UNUSED int mailbox_delete(struct mailbox *mb, struct err *e);

/* The writer lock: in front of every commit and checkpoint.  BUSY after the setting WriteWait. */
WARN_UNUSED int mailbox_lock_writer(struct mailbox *mb, struct err *e);
/* The same without waiting; false: somebody else writes. */
bool mailbox_try_lock_writer(struct mailbox *mb);
void mailbox_unlock_writer(struct mailbox *mb);

/*
 * Lends a handle: readers get the one that is free.  Who wants to write holds the writer lock first,
 * so that at most one handle ever waits for another process, and the other is there for readers.
 */
WARN_UNUSED int mailbox_lend_reader(struct mailbox *mb, struct db **db_r, struct err *e);
WARN_UNUSED int mailbox_lend_writer(struct mailbox *mb, enum handle_kind kind, struct db **db_r,
    struct err *e);
/* Takes the writer lock and a handle where both are free now; then give_back and unlock_writer. */
bool mailbox_try_lend_writer(struct mailbox *mb, enum handle_kind kind, struct db **db_r);
void mailbox_give_back(struct mailbox *mb, struct db **db);
/* Closes handles that nobody used since (monotonic ms); writers are not waited for.  For the janitor. */
void mailbox_close_idle(struct mailbox *mb, int64_t used_before_ms);
/* Closes all handles, also where another process writes: the site is closing. */
void mailbox_close_all(struct mailbox *mb);

/* Reclaims a slice of what is dead, if it is time for that; for the janitor. */
void mailbox_sweep(struct mailbox *mb);

/* Notes that a store committed this modseq (written.c); writer lock held. */
void written_note(struct mailbox *mb, uint64_t store, uint64_t modseq);

/* Rings the doorbell: the mailbox's modseq, after COMMIT and before the writer lock is let go. */
void notice_publish(struct mailbox *mb, uint64_t modseq);
uint64_t notice_read(struct mailbox *mb);
/* The same for who reads it all the time: with a load, once there was a bell. */
uint64_t notice_read_cell(struct mailbox *mb, struct cell *cell);
/* Rings for a writer that was killed before he could: the modseq is the database's, the writer lock
 * held.  False: the bell says so already. */
bool notice_make_up(struct mailbox *mb, uint64_t modseq);
/* A file of notice/, made if it is missing: its descriptor, or -1. */
WARN_UNUSED int notice_file(struct store_site *ss, const char *name, struct err *e);

/* The mailbox's modseq, as the database has it. */
WARN_UNUSED int db_modseq(struct db *db, uint64_t *modseq_r, struct err *e);
WARN_UNUSED int mailbox_modseq(struct mailbox *mb, uint64_t *modseq_r, struct err *e);

/* What is remembered of contents (content_cache_priv.h); all under site->lock.  Drops what nobody borrowed
 * since (monotonic ms). */
void content_cache_free(struct mailbox *mb);
void content_caches_trim(struct store_site *ss, int64_t used_before_ms);

void janitor_start(struct store_site *ss);
void janitor_stop(struct store_site *ss);
void watcher_stop(struct store_site *ss);
void directory_close(struct store_site *ss);
void credentials_close(struct store_site *ss);

struct store {
	uint64_t number; /* no other of this process has it */
	struct session *session;
	struct mailbox *mailbox;
};

#endif
