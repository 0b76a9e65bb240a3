/* store/keyword_names.c - the names of a mailbox's keywords, read once for all its sessions while nothing
 * in the mailbox changes. */
#include "store/flags.h"

#include "base/mem.h"
#include "store/mailbox_priv.h"

#include <stdlib.h>

void keyword_names_release(struct keyword_names **namesp)
{
	struct keyword_names *names = *namesp;

	*namesp = NULL;
	if (!names || atomic_fetch_sub(&names->refs, 1) > 1)
		return;
	arena_fini(&names->arena);
	free(names);
}

static int read_names(struct store *store, struct keyword_names **names_r, struct err *e)
{
	struct keyword_names *names = mem_alloc(sizeof *names);

	atomic_init(&names->refs, 1);
	if (flags_keywords(store, &names->arena, names->names, e) < 0) {
		keyword_names_release(&names);
		return -1;
	}
	for (unsigned bit = 0; bit < KEYWORDS_MAX; bit++)
		names->bits |= (uint64_t)(names->names[bit] != NULL) << bit;
	*names_r = names;
	return 0;
}

int keyword_names_get(struct store *store, struct keyword_names **names_r, struct err *e)
{
	struct mailbox *mb = store->mailbox;
	/* The bell first: what is named while they are read rings again. */
	uint64_t bell = notice_read(mb);
	struct keyword_names *names = NULL, *old;

	pthread_mutex_lock(&mb->lock);
	if (mb->keywords && bell && bell == mb->keywords_bell) {
		names = mb->keywords;
		atomic_fetch_add(&names->refs, 1);
	}
	pthread_mutex_unlock(&mb->lock);
	if (!names) {
		if (read_names(store, &names, e) < 0)
			return -1;
		atomic_fetch_add(&names->refs, 1);
		pthread_mutex_lock(&mb->lock);
		old = mb->keywords;
		mb->keywords = names;
		mb->keywords_bell = bell;
		pthread_mutex_unlock(&mb->lock);
		keyword_names_release(&old);
	}
	*names_r = names;
	return 0;
}
