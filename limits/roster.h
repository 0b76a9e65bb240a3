/*
 * The roster: who the sessions are, for people.  One file per process in the runtime folder, with a
 * row per session; the ledger counts, the roster only tells.  A process's file is claimed at its first
 * session (LIVE byte, OFD lock) and used again by another process after its death, never removed.
 * With it comes the process's control socket, through which its sessions are ended.
 *
 * Rows carry a checksum: a reader that comes in the middle of a write reads again.  Rows of a process
 * before are told by their incarnation.
 */
#ifndef LIMITS_ROSTER_H
#define LIMITS_ROSTER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "limits/session.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define ROSTER_ID_SIZE 32
#define ROSTER_TEXTS_SIZE 256

/* ROSTER_MAILBOX is empty where it is the actor's own, the others where nothing is known. */
enum roster_text { ROSTER_ACTOR, ROSTER_MAILBOX, ROSTER_CLIENT, ROSTER_OPEN, ROSTER_APPLICATION, ROSTER_TEXTS_N };

struct roster_row {
	uint64_t check; /* of all that follows, the file and the place */
	uint32_t incarnation, nonce; /* nonce 0: a free row */
	uint64_t actor, mailbox;
	int64_t opened_ms, active_ms; /* boot */
	int32_t pid;
	uint16_t service;
	uint16_t is_tls;
	char peer[56];
	char command[16];
	char texts[ROSTER_TEXTS_SIZE]; /* enum roster_text, each with its NUL */
};

struct roster;

struct roster *roster_new(int runtime_fd, const char *program);
void roster_free(struct roster **roster);
bool roster_is_empty(struct roster *roster);

/*
 * What the control socket answers to "end ROW NONCE" and to "rewrite KIND KEY".  end is called with
 * the holder given to roster_add and returns false if it can't be ended; while it runs,
 * roster_remove of that row waits.
 */
void roster_set_handlers(struct roster *roster, bool (*end)(void *holder),
    void (*rewrite)(void *arg, unsigned kind, uint64_t key), void *arg);

/* Told, when a process takes the place of one that was killed, how many sessions that one had. */
void roster_set_left(struct roster *roster, void (*left)(void *arg, uint64_t n), void *arg);
/* What it answers to "probe USER..."; NULL: nothing is asked. */
void roster_set_probe(struct roster *roster,
    void (*probe)(void *arg, struct user_id user, struct session_probe *found_r), void *arg);

/* Claims this process's file and opens its control socket, if that is not done yet: before its
 * first count, so that it can be asked about it. */
WARN_UNUSED int roster_join(struct roster *roster, struct err *e);
/* After roster_join.  Puts the row on the list; nonce, incarnation and check are the roster's to fill.  id_r names it. */
WARN_UNUSED int roster_add(struct roster *roster, struct roster_row *row, void *holder,
    uint32_t *at_r, char id_r[ROSTER_ID_SIZE], struct err *e);
/* The row again, filled in as for roster_add, with another active_ms.  Not at the same time as another call for this row. */
void roster_update(struct roster *roster, uint32_t at, struct roster_row *row);
void roster_remove(struct roster *roster, uint32_t at);

struct roster_entry {
	char id[ROSTER_ID_SIZE];
	struct roster_row row;
	pid_t holder;
	bool holder_stuck;
};
/* Rows of all living processes, of one actor or of all (0). */
WARN_UNUSED int roster_list(struct roster *roster, uint64_t actor, struct arena *arena,
    struct roster_entry **list_r, size_t *n_r, struct err *e);

/* Asks the holder to end a session, and waits until its row is gone.  NOTFOUND, UNSUPPORTED, TEMP. */
WARN_UNUSED int roster_end(struct roster *roster, const char *id, int64_t wait_ms, struct err *e);
/* Asks all other living processes to rewrite their record of a ledger file; waits for each. */
void roster_ask_rewrite(struct roster *roster, unsigned kind, uint64_t key);

/* As session_probe. */
void roster_ask_probe(struct roster *roster, const struct user_id *users, size_t n, struct session_probe *found_r);

void roster_before_fork(struct roster *roster);
void roster_after_fork(struct roster *roster, bool in_child);

#endif
