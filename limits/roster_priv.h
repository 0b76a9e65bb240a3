/* What roster.c (this process's rows) and roster_list.c (everybody's) share. */
#ifndef LIMITS_ROSTER_PRIV_H
#define LIMITS_ROSTER_PRIV_H

#include "limits/roster.h"
#include "base/control.h"

#include <pthread.h>

/* The first row's place; rows follow. */
struct roster_head {
	uint64_t check;
	uint32_t incarnation; /* 0: claimed, not in use yet */
	int32_t pid;
	char program[32];
	unsigned char spare[336];
};
_Static_assert(sizeof(struct roster_row) == 384, "rows are of one size");
_Static_assert(sizeof(struct roster_head) == sizeof(struct roster_row), "the head is a row's size");

#define ROSTER_LIVE_AT ((off_t)1 << 40)
#define ROSTERS_MAX 65536

/* Processes, by their number's rest. */
#define ROSTER_SILENT_N 64

struct roster {
	int runtime_fd;
	const char *program;
	bool (*end)(void *holder);
	void (*rewrite)(void *arg, unsigned kind, uint64_t key);
	void *arg;
	void (*left)(void *arg, uint64_t n);
	void *left_arg;
	void (*probe)(void *arg, struct user_id user, struct session_probe *found_r);
	void *probe_arg;
	pthread_mutex_t probe_lock; /* while it is called, and changed */
	_Atomic int64_t silent_until_ms[ROSTER_SILENT_N]; /* who did not answer is not asked before; by number */

	pthread_mutex_t lock;
	pthread_cond_t ended; /* a call of end came back */
	int fd; /* -1: none claimed */
	unsigned char *window; /* the first rows, mapped; NULL: they are not */
	uint32_t number, incarnation;
	uint64_t random;
	struct control_server *control;
	struct roster_place {
		void *holder; /* NULL: free */
		uint32_t nonce, next_free;
		bool is_ending;
	} *places;
	uint32_t places_n, places_room, first_free, held_n;
};

/* Rows that are written into a mapping, the head among them: a store instead of a system call.  No more, since
 * what is mapped counts as memory of every process that has many. */
#define ROSTER_WINDOW_ROWS 64u

#define ROSTER_NO_PLACE UINT32_MAX

uint64_t roster_checksum(uint32_t number, uint64_t place, const void *row);
void roster_file_name(uint32_t number, char out[32]);
void roster_control_name(uint32_t number, char out[32]);

#endif
