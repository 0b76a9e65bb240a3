/* fs/viewdir.c - directories of views, by number. */
#include "fs/viewdir.h"

#include "fs/lead.h"
#include "fs/mailop.h"
#include "fs/name.h"

#include "base/clock.h"
#include "base/mem.h"
#include "limits/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024u
/* What was found is kept so long after somebody used it last. */
#define KEEP_MS 60000
/* Names are answered from what was found before, though the mailbox changed, until so many times longer than
 * finding it took: so a mailbox that changes all the time does not search all the time. */
#define PATIENCE 20

struct viewdir {
	struct viewdir_about about;
	char *text;
	uint32_t slot, generation;
	uint64_t lookups; /* of the kernel */
	struct viewset *set; /* NULL: to be made */
	int64_t used_ms;
	struct viewdir *next; /* in its bucket */
};

struct viewdirs {
	struct slots slots;
	pthread_mutex_t lock; /* what follows, and what stands in each */
	struct viewdir *buckets[BUCKETS];
	size_t n;
	uint32_t generation;
};

struct viewdirs *viewdirs_new(void)
{
	struct viewdirs *d = mem_alloc(sizeof *d);

	slots_init(&d->slots);
	pthread_mutex_init(&d->lock, NULL);
	return d;
}

static void free_dir(struct viewdir *p)
{
	viewset_put(&p->set);
	free(p->text);
	free(p);
}

void viewdirs_free(struct viewdirs **dp)
{
	struct viewdirs *d = *dp;

	if (!d)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct viewdir *p = d->buckets[i], *next; p; p = next) {
			next = p->next;
			free_dir(p);
		}
	slots_fini(&d->slots);
	pthread_mutex_destroy(&d->lock);
	mem_free(dp);
}

static uint64_t text_hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3u;
	return h;
}

static struct viewdir **bucket(struct viewdirs *d, const struct viewdir_about *about)
{
	uint64_t h = text_hash(about->text) ^ about->mb->user.n * 0x9e3779b97f4a7c15u ^ about->kind;

	return &d->buckets[(h ^ h >> 32) % BUCKETS];
}

uint64_t viewdir_st_ino(struct mailbox *mb, enum viewdir_kind kind, const char *text)
{
	return tree_st_ino(mb->tree, mb->user.n, NODE_query, text_hash(text), kind);
}

/* ---- with the lock held ---- */

static void drop_if_unused(struct viewdirs *d, struct viewdir *p)
{
	struct viewdir **at = bucket(d, &p->about);

	if (p->lookups > 0 || p->set)
		return;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	slots_drop(&d->slots, p->slot);
	d->n--;
	free_dir(p);
}

static struct viewdir *find(struct viewdirs *d, const struct viewdir_about *about)
{
	struct viewdir *p = *bucket(d, about);

	while (p && (p->about.mb != about->mb || p->about.kind != about->kind ||
	                strcmp(p->text, about->text) != 0))
		p = p->next;
	return p;
}

static struct viewdir *add(struct viewdirs *d, const struct viewdir_about *about)
{
	struct viewdir *p = mem_alloc(sizeof *p), **at;

	if (!(p->slot = slots_add(&d->slots, p))) {
		free(p);
		return NULL;
	}
	p->about = *about;
	p->about.text = p->text = mem_str(about->text);
	p->generation = d->generation++;
	at = bucket(d, about);
	p->next = *at;
	*at = p;
	d->n++;
	return p;
}

static struct viewdir *of_node(struct viewdirs *d, struct node n)
{
	struct viewdir *p = slots_get(&d->slots, n.slot);

	return p && p->generation == n.item ? p : NULL;
}

static void tell_name(const struct viewdir *p, struct notices *ns)
{
	struct node parent = {NODE_viewuser, p->about.mb->top->slot,
	    p->about.kind == VIEWDIR_SEARCH ? VIEWUSER_SEARCH : VIEWUSER_THREAD};
	struct str_buf name = {0};

	name_text_encode(str_view(p->text, strlen(p->text)), &name);
	notice_entry(ns, parent, name.p);
	str_buf_fini(&name);
}

/* Asks the kernel to forget those that nobody uses; it may remember names for as long as it has memory. */
static void ask_to_forget(struct viewdirs *d, struct notices *ns)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct viewdir *p = d->buckets[i]; p; p = p->next)
			if (!p->set && p->about.kind >= VIEWDIR_SEARCH)
				tell_name(p, ns);
}

/* ---- by text, and by number ---- */

bool viewdir_node(struct mailbox *mb, enum viewdir_kind kind, const char *text, struct node *node_r)
{
	struct tree *t = mb->tree;
	struct viewdirs *d = t->viewdirs;
	struct viewdir_about about = {mb, kind, text};
	struct notices ns = {0};
	struct viewdir *p;

	pthread_mutex_lock(&d->lock);
	p = find(d, &about);
	if (!p && d->n < setting_get(t->site, SETTING_FS_VIEWS))
		p = add(d, &about);
	if (p)
		*node_r = (struct node){NODE_query, p->slot, p->generation};
	else
		ask_to_forget(d, &ns);
	pthread_mutex_unlock(&d->lock);
	teller_tell(t->teller, &ns);
	return p != NULL;
}

bool viewdir_of(struct tree *t, struct node n, struct viewdir_about *about_r)
{
	struct viewdir *p;

	pthread_mutex_lock(&t->viewdirs->lock);
	if ((p = of_node(t->viewdirs, n)))
		*about_r = p->about;
	pthread_mutex_unlock(&t->viewdirs->lock);
	return p != NULL;
}

void viewdir_remember(struct tree *t, struct node n)
{
	struct viewdir *p;

	pthread_mutex_lock(&t->viewdirs->lock);
	if ((p = of_node(t->viewdirs, n)))
		p->lookups++;
	pthread_mutex_unlock(&t->viewdirs->lock);
}

void viewdir_forget(struct tree *t, struct node n, uint64_t lookups)
{
	struct viewdir *p;

	pthread_mutex_lock(&t->viewdirs->lock);
	if ((p = of_node(t->viewdirs, n))) {
		p->lookups -= lookups < p->lookups ? lookups : p->lookups;
		drop_if_unused(t->viewdirs, p);
	}
	pthread_mutex_unlock(&t->viewdirs->lock);
}

/* ---- what is in one ---- */

static bool is_current(const struct viewdir *p, bool is_exact)
{
	const struct viewset *s = p->set;

	if (!s)
		return false;
	if (s->counter == change_watch_counter(p->about.mb->watch) && (!s->is_of_now || !is_exact))
		return true;
	return !is_exact && clock_mono_ms() - s->made_ms < PATIENCE * (s->took_ms + 1);
}

static int search(struct mailbox *mb, enum viewdir_kind kind, const char *text, struct viewset **set_r)
{
	static const char *const fixed[] = {[VIEWDIR_UNREAD] = "is:unread", [VIEWDIR_FLAGGED] = "is:flagged"};

	if (kind < VIEWDIR_SEARCH)
		text = fixed[kind];
	return kind == VIEWDIR_THREAD ? viewset_of_thread(mb, str_view(text, strlen(text)), set_r)
				      : viewset_of_query(mb, str_view(text, strlen(text)), set_r);
}

int viewdir_set(struct tree *t, struct node n, bool is_exact, struct viewset **set_r)
{
	struct viewdirs *d = t->viewdirs;
	struct viewset *made = NULL;
	enum viewdir_kind kind = VIEWDIR_UNREAD;
	struct mailbox *mb = NULL;
	struct viewdir *p;
	bool is_there = false;
	char *text = NULL;
	int err;

	pthread_mutex_lock(&d->lock);
	if ((p = of_node(d, n))) {
		mb = p->about.mb;
		kind = p->about.kind;
		p->used_ms = clock_mono_ms();
		if ((is_there = is_current(p, is_exact)))
			*set_r = viewset_ref(p->set);
		else
			text = mem_str(p->text);
	}
	pthread_mutex_unlock(&d->lock);
	if (!p || is_there)
		return p ? 0 : ESTALE;
	lead_let_go();
	err = search(mb, kind, text, &made);
	free(text);
	if (err)
		return err;
	pthread_mutex_lock(&d->lock);
	if ((p = of_node(d, n))) {
		viewset_put(&p->set);
		p->set = viewset_ref(made);
	}
	pthread_mutex_unlock(&d->lock);
	*set_r = made;
	return 0;
}

/* Something that was closed is not a message yet: it is waited for, in the lane it is in. */
static bool is_pending(struct mailbox *mb)
{
	bool yes = false;

	pthread_mutex_lock(&mb->lock);
	for (size_t i = 0; i < mb->n && !yes; i++)
		yes = mailop_is_pending(mb->folders[i]);
	pthread_mutex_unlock(&mb->lock);
	return yes;
}

bool viewdir_is_stale(struct tree *t, struct node n)
{
	struct mailbox *mb = NULL;
	struct viewdir *p;
	bool is_stale;

	pthread_mutex_lock(&t->viewdirs->lock);
	if ((p = of_node(t->viewdirs, n)))
		mb = p->about.mb;
	is_stale = p && !is_current(p, true);
	pthread_mutex_unlock(&t->viewdirs->lock);
	return is_stale || (mb && is_pending(mb));
}

void viewdirs_tick(struct tree *t)
{
	struct viewdirs *d = t->viewdirs;
	int64_t now = clock_mono_ms();
	struct notices ns = {0};

	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct viewdir *p = d->buckets[i], *next; p; p = next) {
			next = p->next;
			if (p->set && now - p->used_ms > KEEP_MS)
				viewset_put(&p->set);
			drop_if_unused(d, p);
		}
	if (d->n > setting_get(t->site, SETTING_FS_VIEWS) / 2)
		ask_to_forget(d, &ns);
	pthread_mutex_unlock(&d->lock);
	teller_tell(t->teller, &ns);
}
