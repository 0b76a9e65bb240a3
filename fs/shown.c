/* fs/shown.c - who may use the kernel's cache of a listing. */
#include "fs/shown.h"

#include "fs/tree.h"

#include <pthread.h>

/* Held for a few instructions. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void shown_open(struct shown *s, uint64_t version, struct handle *h, struct node_open *how)
{
	pthread_mutex_lock(&lock);
	how->keep_cache = true;
	if (s->version != version && s->openers == 0) {
		s->version = version;
		s->is_dropped = how->keep_cache = false;
		h->shown = s;
	} else if (s->version == version && s->is_dropped) {
		h->shown = s;
	} else {
		how->past_cache = true;
	}
	s->openers += h->shown != NULL;
	pthread_mutex_unlock(&lock);
}

void shown_read(struct handle *h)
{
	if (!h->shown)
		return;
	pthread_mutex_lock(&lock);
	h->shown->is_dropped = true;
	pthread_mutex_unlock(&lock);
}

void shown_close(struct handle *h)
{
	struct shown *s = h->shown;

	if (!s)
		return;
	pthread_mutex_lock(&lock);
	s->openers--;
	/* The first went without a look, if it ever had the answer: the next is the first. */
	if (!s->is_dropped)
		s->version = 0;
	h->shown = NULL;
	pthread_mutex_unlock(&lock);
}
