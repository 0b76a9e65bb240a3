/* fs/handle.c - open files by number. */
#include "fs/handle.h"

#include "fs/body.h"
#include "fs/draft.h"
#include "fs/partread.h"
#include "fs/tree.h"
#include "fs/viewset.h"

#include "base/mem.h"

#include <stdlib.h>

/* The number a slot had before is another handle's: a generation tells them apart. */
static _Atomic uint32_t generation;

struct handle *handle_new(struct tree *t, struct node n, uid_t uid)
{
	struct handle *h = mem_alloc(sizeof *h);
	uint32_t slot;

	h->node = n;
	h->uid = uid;
	h->refs = 1;
	pthread_mutex_init(&h->lock, NULL);
	/* handle_get must not find it by the last owner's number: the number comes first. */
	pthread_mutex_lock(&t->lock);
	slot = slots_add(&t->handles, h);
	h->id = (uint64_t)atomic_fetch_add(&generation, 1) << 32 | slot;
	pthread_mutex_unlock(&t->lock);
	if (slot == 0) {
		pthread_mutex_destroy(&h->lock);
		free(h);
		return NULL;
	}
	return h;
}

struct handle *handle_of(struct tree *t, uint64_t id)
{
	return slots_get(&t->handles, (uint32_t)id);
}

struct handle *handle_get(struct tree *t, uint64_t id)
{
	struct handle *h;

	pthread_mutex_lock(&t->lock);
	h = slots_get(&t->handles, (uint32_t)id);
	if (h && h->id == id)
		h->refs++;
	else
		h = NULL;
	pthread_mutex_unlock(&t->lock);
	return h;
}

void handle_put(struct tree *t, struct handle *h)
{
	bool is_last;

	pthread_mutex_lock(&t->lock);
	is_last = --h->refs == 0;
	if (is_last)
		slots_drop(&t->handles, (uint32_t)h->id);
	pthread_mutex_unlock(&t->lock);
	if (!is_last)
		return;
	handle_end_session(h, false);
	body_free(&h->body);
	partread_free(&h->part);
	viewset_put(&h->view);
	if (h->draft)
		draft_close(&h->draft);
	str_buf_fini(&h->text);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

bool handle_stat_gone(struct tree *t, struct node n, struct stat *st)
{
	bool found = false;

	pthread_mutex_lock(&t->lock);
	for (uint32_t slot = 1, end = slots_end(&t->handles); slot < end && !found; slot++) {
		const struct handle *h = slots_get(&t->handles, slot);

		found = h && h->node.kind == n.kind && h->node.slot == n.slot && h->node.item == n.item &&
		    h->msg.st.st_ino != 0;
		if (found)
			*st = h->msg.st;
	}
	pthread_mutex_unlock(&t->lock);
	st->st_nlink = 0;
	return found;
}

void handle_end_session(struct handle *h, bool dead)
{
	pthread_mutex_lock(&h->lock);
	if (dead)
		h->is_dead = true;
	if (h->store)
		store_close(&h->store);
	if (h->session)
		session_release(&h->session);
	pthread_mutex_unlock(&h->lock);
}
