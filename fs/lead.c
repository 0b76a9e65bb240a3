/* fs/lead.c - which thread receives. */
#include "fs/lead.h"

#include <stddef.h>

static __thread pthread_mutex_t *held;

void lead_take(pthread_mutex_t *lead)
{
	if (held)
		return;
	pthread_mutex_lock(lead);
	held = lead;
}

void lead_let_go(void)
{
	if (!held)
		return;
	pthread_mutex_unlock(held);
	held = NULL;
}

void lead_lock(pthread_mutex_t *lock)
{
	if (pthread_mutex_trylock(lock) == 0)
		return;
	lead_let_go();
	pthread_mutex_lock(lock);
}
