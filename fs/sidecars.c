/* fs/sidecars.c - the files of Maildir tools. */
#include "fs/sidecars.h"

#include "fs/err_map.h"
#include "fs/tree.h"

#include "base/mem.h"
#include "store/sidecar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct draft *in_memory(struct fs_folder *f, const char *name)
{
	struct draft *d;

	pthread_mutex_lock(&f->mailbox->lock);
	d = draft_by_name(f, PLACE_SIDE, name);
	if (d)
		draft_ref(d);
	pthread_mutex_unlock(&f->mailbox->lock);
	return d;
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static int load(struct draft *d, const struct sidecar *s)
{
	int err = draft_truncate(d, 0);

	if (!err && s->data.n > 0)
		err = draft_write(d, 0, s->data.p, s->data.n);
	pthread_mutex_lock(&d->lock);
	d->mtime_ms = s->written_ms;
	d->is_kept = !err;
	pthread_mutex_unlock(&d->lock);
	return err;
}

/* Whether what is in memory is not to be read anew. */
static bool is_newest(struct draft *d, const struct sidecar *s)
{
	bool is;

	pthread_mutex_lock(&d->lock);
	is = !d->is_kept || atomic_load(&d->handles) > 0 || (d->mtime_ms == s->written_ms && d->size == s->octets);
	pthread_mutex_unlock(&d->lock);
	return is;
}

/* One at a time: `sync` of the mailbox is held. */
static int find(struct tree *t, struct fs_folder *f, struct store *store, const char *name,
    struct draft **d_r)
{
	struct draft *d = in_memory(f, name);
	struct sidecar sidecar;
	struct arena arena = {0};
	struct err e;
	int err = 0;

	if (sidecar_get(store, (struct folder_id){f->id}, name, &arena, &sidecar, &e) < 0) {
		err = fs_errno(&e);
		if (err == ENOENT && d && (!d->is_kept || atomic_load(&d->handles) > 0))
			err = 0; /* it is being written */
		goto out;
	}
	if (!d) {
		pthread_mutex_lock(&f->mailbox->lock);
		d = draft_new(t, f, PLACE_SIDE, name, f->mailbox->uid);
		if (d) {
			draft_ref(d);
			d->is_kept = true;
			d->mtime_ms = sidecar.written_ms - 1; /* what it has is to be read */
		}
		pthread_mutex_unlock(&f->mailbox->lock);
	}
	if (!d)
		err = ENOSPC;
	else if (!is_newest(d, &sidecar))
		err = load(d, &sidecar);
out:
	arena_fini(&arena);
	if (err && d)
		draft_put(&d);
	*d_r = d;
	return err;
}

int sidecars_find(struct tree *t, struct fs_folder *f, const char *name, struct draft **d_r)
{
	struct mailbox *mb = f->mailbox;
	struct mailbox_access access;
	struct err e;
	int err;

	if (f->id == 0)
		return ENOENT;
	pthread_mutex_lock(&mb->sync);
	if (mailbox_access(mb, &access, &e) < 0) {
		err = fs_errno(&e);
	} else {
		err = find(t, f, access.store, name, d_r);
		mailbox_access_end(&access);
	}
	pthread_mutex_unlock(&mb->sync);
	return err;
}

static bool is_listed(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

int sidecars_list(struct tree *t, struct fs_folder *f, struct arena *arena, const char ***names_r,
    size_t *n_r)
{
	struct mailbox *mb = f->mailbox;
	size_t n = 0, files = 0, list_n = 0;
	struct mailbox_access access;
	struct sidecar *list = NULL;
	const char **names;
	struct err e;
	int err = 0;

	(void)t;
	if (mailbox_access(mb, &access, &e) < 0)
		return fs_errno(&e);
	if (sidecar_list(access.store, (struct folder_id){f->id}, arena, &list, &list_n, &e) < 0)
		err = fs_errno(&e);
	mailbox_access_end(&access);
	pthread_mutex_lock(&mb->lock);
	for (const struct draft *d = f->drafts; d; d = d->next)
		files += d->place == PLACE_SIDE;
	names = ARENA_ARRAY(arena, const char *, list_n + files + 1);
	for (size_t i = 0; i < list_n; i++)
		names[n++] = list[i].name;
	for (const struct draft *d = f->drafts; d; d = d->next)
		if (d->place == PLACE_SIDE && !d->is_kept && !is_listed(names, n, d->name))
			names[n++] = arena_str(arena, d->name);
	pthread_mutex_unlock(&mb->lock);
	*names_r = names;
	*n_r = n;
	return err;
}

/* ---- writing ------------------------------------------------------------------------------------------- */

static int take(struct draft *d, char **octets_r, size_t *n_r)
{
	uint64_t size = draft_size(d);

	*octets_r = mem_alloc(size + 1);
	return draft_read(d, 0, *octets_r, size, n_r);
}

static char *name_of(struct draft *d)
{
	char *name;

	pthread_mutex_lock(&d->folder->mailbox->lock);
	name = d->is_linked ? mem_str(d->name) : NULL;
	pthread_mutex_unlock(&d->folder->mailbox->lock);
	return name;
}

int sidecars_keep(struct tree *t, struct draft *d)
{
	struct fs_folder *f = d->folder;
	char *octets = NULL, *name = name_of(d);
	struct mailbox_access access;
	size_t n = 0;
	struct err e;
	int err = 0;

	(void)t;
	if (!name || d->is_kept)
		goto out; /* who holds an unlinked file open keeps it for himself */
	if ((err = take(d, &octets, &n)))
		goto out;
	if (mailbox_access(f->mailbox, &access, &e) < 0) {
		err = fs_errno(&e);
		goto out;
	}
	if (sidecar_put(access.store, (struct folder_id){f->id}, name, str_view(octets, n), &e) < 0)
		err = fs_errno(&e);
	mailbox_access_end(&access);
	pthread_mutex_lock(&d->lock);
	d->is_kept = !err;
	pthread_mutex_unlock(&d->lock);
out:
	free(octets);
	free(name);
	return err;
}

int sidecars_unlink(struct tree *t, struct fs_folder *f, const char *name)
{
	struct mailbox_access access;
	bool was_there = false;
	struct draft *d;
	struct err e;
	int err = 0;

	(void)t;
	if (mailbox_access(f->mailbox, &access, &e) < 0)
		return fs_errno(&e);
	pthread_mutex_lock(&f->mailbox->lock);
	if ((d = draft_by_name(f, PLACE_SIDE, name))) {
		draft_unlink(d);
		was_there = true;
	}
	pthread_mutex_unlock(&f->mailbox->lock);
	if (sidecar_remove(access.store, (struct folder_id){f->id}, name, &e) < 0 &&
	    !(was_there && e.code == ERR_NOTFOUND))
		err = fs_errno(&e);
	mailbox_access_end(&access);
	return err;
}

int sidecars_rename(struct tree *t, struct fs_folder *f, const char *name, const char *to_name,
    bool noreplace)
{
	struct draft *d, *over = NULL;
	struct mailbox_access access;
	struct err e;
	int err = sidecars_find(t, f, name, &d);

	if (err)
		return err;
	if (noreplace && sidecars_find(t, f, to_name, &over) == 0) {
		draft_put(&over);
		err = EEXIST;
		goto out;
	}
	if ((err = sidecars_keep(t, d)))
		goto out;
	if (mailbox_access(f->mailbox, &access, &e) < 0) {
		err = fs_errno(&e);
		goto out;
	}
	if (sidecar_rename(access.store, (struct folder_id){f->id}, name, to_name, &e) < 0)
		err = fs_errno(&e);
	mailbox_access_end(&access);
	if (!err) {
		pthread_mutex_lock(&f->mailbox->lock);
		over = draft_by_name(f, PLACE_SIDE, to_name);
		if (over && over != d)
			draft_unlink(over);
		draft_move(d, f, PLACE_SIDE, to_name);
		pthread_mutex_unlock(&f->mailbox->lock);
	}
out:
	draft_put(&d);
	return err;
}

void sidecars_forgotten(struct draft *d)
{
	struct mailbox *mb = d->folder->mailbox;

	pthread_mutex_lock(&mb->lock);
	if (d->is_linked && d->is_kept && atomic_load(&d->handles) == 0 && d->lookups == 0)
		draft_unlink(d);
	pthread_mutex_unlock(&mb->lock);
}
