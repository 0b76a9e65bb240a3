/* fs/viewset.c - the messages of a view. */
#include "fs/viewset.h"

#include "fs/err_map.h"
#include "fs/name.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "limits/registry.h"
#include "store/keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICE 2000u
/* Rounds in which a thread may grow: each takes in what refers to, or is referred to by, what was there. */
#define ROUNDS 32u

void viewset_put(struct viewset **sp)
{
	struct viewset *s = *sp;

	*sp = NULL;
	if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	str_buf_fini(&s->names);
	free(s->list);
	free(s->buckets);
	free(s);
}

struct viewset *viewset_ref(struct viewset *set)
{
	atomic_fetch_add(&set->refs, 1);
	return set;
}

/* ---- names ---- */

const char *viewset_name(const struct viewset *set, const struct viewset_entry *entry)
{
	return set->names.p + entry->name;
}

static size_t hash_of(const char *name)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3u;
	return (size_t)(h ^ h >> 32);
}

const struct viewset_entry *viewset_find(const struct viewset *set, const char *name)
{
	uint32_t i = set->buckets_n ? set->buckets[hash_of(name) & (set->buckets_n - 1)] : 0;

	for (; i; i = set->list[i - 1].next)
		if (strcmp(viewset_name(set, &set->list[i - 1]), name) == 0)
			return &set->list[i - 1];
	return NULL;
}

static void link_name(struct viewset *s, size_t i)
{
	uint32_t *at = &s->buckets[hash_of(viewset_name(s, &s->list[i])) & (s->buckets_n - 1)];

	s->list[i].next = *at;
	*at = (uint32_t)i + 1;
}

static void grow(struct viewset *s)
{
	s->size = s->size ? s->size * 2 : 64;
	s->list = mem_realloc(s->list, s->size * sizeof *s->list);
	free(s->buckets);
	s->buckets_n = s->size;
	s->buckets = mem_alloc(s->buckets_n * sizeof *s->buckets);
	for (size_t i = 0; i < s->n; i++)
		link_name(s, i);
}

/* A message's own name; where another folder's has it already, with ~2, ~3 before its end. */
static void put_name(struct viewset *s, const char *name, struct str_buf *out)
{
	size_t n = strlen(name), stem = n > 4 ? n - 4 : n; /* .eml */

	str_buf_puts(out, name);
	for (unsigned i = 2; viewset_find(s, out->p); i++) {
		char suffix[16];
		size_t k = (size_t)snprintf(suffix, sizeof suffix, "~%u", i), cut = stem;

		/* Still within what a name may be; never half a character. */
		while (cut > 0 && (cut + k + 4 > NAME_MAX_BYTES || ((unsigned char)name[cut] & 0xc0) == 0x80))
			cut--;
		str_buf_clear(out);
		str_buf_put(out, name, cut);
		str_buf_puts(out, suffix);
		str_buf_puts(out, name + stem);
	}
}

static void add(struct viewset *s, const struct fs_folder *f, const struct fs_msg *m)
{
	struct str_buf name = {0};

	if (s->n == s->size)
		grow(s);
	put_name(s, m->name, &name);
	s->list[s->n] = (struct viewset_entry){f->slot, m->uid.n, (uint32_t)s->names.n, 0};
	str_buf_put(&s->names, name.p, name.n + 1);
	link_name(s, s->n++);
	str_buf_fini(&name);
}

/* ---- making one ---- */

struct making {
	struct mailbox *mb;
	struct store *store;
	struct viewset *set;
	size_t max;
};

/* A folder to look into, as it was when they were counted. */
struct place {
	struct fs_folder *folder;
	struct folder_id id;
};

static bool is_aside(const struct fs_folder *f)
{
	for (; f; f = f->parent)
		if (f->use == FOLDER_TRASH || f->use == FOLDER_JUNK)
			return true;
	return false;
}

static struct place *places_of(struct making *k, const struct viewquery *query, struct arena *arena,
    size_t *n_r)
{
	struct mailbox *mb = k->mb;
	struct place *list;
	size_t n = 0;

	pthread_mutex_lock(&mb->lock);
	list = ARENA_ARRAY(arena, struct place, mb->n + 1);
	for (size_t i = 0; i < mb->n; i++) {
		struct fs_folder *f = mb->folders[i];

		if (f->id && !f->is_gone && viewquery_covers(query, f->path, is_aside(f)))
			list[n++] = (struct place){f, {f->id}};
	}
	pthread_mutex_unlock(&mb->lock);
	*n_r = n;
	return list;
}

/* What was found in a folder; messages that went meanwhile are left out. */
static int take(struct making *k, struct fs_folder *f, const struct store_uid *uids, size_t n,
    struct err *e)
{
	struct fs_msg *m;

	if (n == 0)
		return 0;
	if (mailbox_sync_folder(k->mb, f, e) < 0)
		return -1;
	pthread_mutex_lock(&k->mb->lock);
	for (size_t i = 0; i < n && !k->set->is_cut; i++) {
		if (k->set->n >= k->max)
			k->set->is_cut = true;
		else if (!f->is_gone && (m = fs_folder_by_uid(f, uids[i].n)))
			add(k->set, f, m);
	}
	pthread_mutex_unlock(&k->mb->lock);
	return 0;
}

static int search_place(struct making *k, const struct place *p, const struct search_key *key,
    struct err *e)
{
	struct store_uid from = {1}, *found;
	struct arena arena = {0};
	int rc = 0;
	size_t n;

	while (rc == 0 && from.n && !k->set->is_cut) {
		rc = search_run(k->store, p->id, key, from, SLICE, &arena, &found, &n, &from, e);
		if (rc < 0 && e->code == ERR_NOTFOUND) { /* it went meanwhile */
			rc = 0;
			break;
		}
		if (rc == 0)
			rc = take(k, p->folder, found, n, e);
		arena_fini(&arena);
	}
	return rc;
}

/* Opens the store, and knows from when on what is found holds. */
static int begin(struct making *k, struct mailbox *mb, struct mailbox_access *access, struct err *e)
{
	*k = (struct making){.mb = mb, .max = setting_get(mb->tree->site, SETTING_FS_VIEW_ENTRIES)};
	*access = (struct mailbox_access){0};
	k->set = mem_alloc(sizeof *k->set);
	atomic_init(&k->set->refs, 1);
	k->set->counter = change_watch_counter(mb->watch);
	k->set->made_ms = clock_mono_ms();
	if (mailbox_sync(mb, e) < 0 || mailbox_access(mb, access, e) < 0)
		return -1;
	k->store = access->store;
	return 0;
}

static int end(struct making *k, struct mailbox_access *access, int rc, const char *what,
    struct viewset **set_r, const struct err *e)
{
	struct viewset *s = k->set;

	mailbox_access_end(access);
	if (rc < 0) {
		log_warn("view-failed", "user=%s %s", LOG_Q(k->mb->name), log_err(e));
		viewset_put(&k->set);
		return fs_errno(e);
	}
	s->took_ms = clock_mono_ms() - s->made_ms;
	if (s->is_cut)
		journal_say(k->mb->tree->journal, "view-cut", "user=%s view=%s shown=%zu text=\"there are more: ViewEntriesMax\"",
		    LOG_Q(k->mb->name), what, s->n);
	*set_r = s;
	return 0;
}

int viewset_of_query(struct mailbox *mb, struct str_view text, struct viewset **set_r)
{
	struct mailbox_access access;
	struct viewquery_fault fault;
	struct viewquery query;
	struct arena arena = {0};
	struct place *places;
	struct making k;
	struct err e;
	size_t n;
	int err = EINVAL, rc;

	if (!viewquery_parse(text, clock_wall_ms() / 1000, &arena, &query, &fault))
		goto out;
	if ((rc = begin(&k, mb, &access, &e)) == 0) {
		k.set->is_of_now = query.is_of_now;
		places = places_of(&k, &query, &arena, &n);
		for (size_t i = 0; i < n && rc == 0; i++)
			rc = search_place(&k, &places[i], query.key, &e);
	}
	err = end(&k, &access, rc, "search", set_r, &e);
out:
	arena_fini(&arena);
	return err;
}

/* ---- threads ---- */

/* Ids of messages: those of the thread so far. */
struct ids {
	uint64_t *list; /* open addressing; 0: free */
	size_t n, size;
};

static bool ids_has(const struct ids *ids, uint64_t id)
{
	for (size_t i = (size_t)id; ids->size && ids->list[i & (ids->size - 1)]; i++)
		if (ids->list[i & (ids->size - 1)] == id)
			return true;
	return false;
}

static void ids_put(struct ids *ids, uint64_t id)
{
	struct ids more = {0};
	size_t at = (size_t)id;

	if (id == 0 || ids_has(ids, id))
		return;
	if (ids->n * 2 >= ids->size) {
		more.size = ids->size ? ids->size * 2 : 64;
		more.list = mem_alloc(more.size * sizeof *more.list);
		for (size_t i = 0; i < ids->size; i++)
			ids_put(&more, ids->list[i]);
		free(ids->list);
		*ids = more;
	}
	while (ids->list[at & (ids->size - 1)])
		at++;
	ids->list[at & (ids->size - 1)] = id;
	ids->n++;
}

static bool belongs(const struct ids *ids, const struct message_keys *m)
{
	if (m->id && ids_has(ids, m->id))
		return true;
	for (size_t i = 0; i < m->refs_n; i++)
		if (ids_has(ids, m->refs[i]))
			return true;
	return false;
}

/* One look at a folder's messages: those that belong bring their own ids in, or are taken. */
static int look(struct making *k, const struct place *p, struct ids *ids, bool is_last, struct err *e)
{
	struct uid_range range = {1, UINT32_MAX};
	struct arena arena = {0};
	struct message_keys *list;
	struct store_uid *found;
	size_t n = SLICE, found_n;
	int rc = 0;

	while (rc == 0 && n == SLICE) {
		rc = message_keys_list(k->store, p->id, &range, 1, KEYS_THREAD, SLICE, &arena, &list, &n, e);
		if (rc < 0 && e->code == ERR_NOTFOUND) {
			rc = 0;
			break;
		}
		found_n = 0;
		found = rc == 0 ? ARENA_ARRAY(&arena, struct store_uid, n + 1) : NULL;
		for (size_t i = 0; rc == 0 && i < n; i++) {
			if (!belongs(ids, &list[i]))
				continue;
			found[found_n++] = list[i].uid;
			/* A thread as long as a view may be is long enough. */
			for (size_t r = 0; r < list[i].refs_n && ids->n < k->max; r++)
				ids_put(ids, list[i].refs[r]);
			if (ids->n < k->max)
				ids_put(ids, list[i].id);
		}
		if (rc == 0 && is_last)
			rc = take(k, p->folder, found, found_n, e);
		if (rc == 0 && n > 0 && list[n - 1].uid.n < UINT32_MAX)
			range.from = list[n - 1].uid.n + 1;
		else
			n = 0;
		arena_fini(&arena);
	}
	return rc;
}

static int look_everywhere(struct making *k, const struct place *places, size_t n, struct ids *ids,
    bool is_last, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = look(k, &places[i], ids, is_last, e);
	return rc;
}

int viewset_of_thread(struct mailbox *mb, struct str_view message_id, struct viewset **set_r)
{
	struct viewquery everywhere = {0};
	struct mailbox_access access;
	struct arena arena = {0};
	struct ids ids = {0};
	struct place *places;
	struct making k;
	struct err e;
	size_t n, before = 0;
	int rc, err;

	if ((rc = begin(&k, mb, &access, &e)) == 0) {
		places = places_of(&k, &everywhere, &arena, &n);
		ids_put(&ids, message_keys_id(message_id));
		for (unsigned i = 0; i < ROUNDS && rc == 0 && ids.n != before; i++) {
			before = ids.n;
			rc = look_everywhere(&k, places, n, &ids, false, &e);
		}
		if (rc == 0)
			rc = look_everywhere(&k, places, n, &ids, true, &e);
	}
	err = end(&k, &access, rc, "thread", set_r, &e);
	free(ids.list);
	arena_fini(&arena);
	return err;
}
