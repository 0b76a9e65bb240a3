/*
 * The lead: the right to receive the next request.  Whoever has received one keeps it as long as what he does
 * is quick, for to wake a colleague costs more than most requests do; before anything that may wait he
 * lets it go, and another receives meanwhile.
 */
#ifndef FS_LEAD_H
#define FS_LEAD_H

#include <pthread.h>

/* Waits for the lead unless this thread has it. */
void lead_take(pthread_mutex_t *lead);
/* Before a wait (for the store, for a lock under which it is asked); nothing in a thread without the lead. */
void lead_let_go(void);
/* Takes a lock under which others may wait for the disk: where one of them has it, the lead is let go first. */
void lead_lock(pthread_mutex_t *lock);

#endif
