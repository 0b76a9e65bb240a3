/* fs/draft.c - files that are no messages yet. */
#include "fs/draft.h"

#include "fs/lead.h"
#include "fs/name.h"
#include "fs/prepared.h"
#include "fs/tree.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "limits/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY_MAX 131072u
#define COUNT_BYTES 65536u
#define ATTR_S 1.0

static _Atomic uint32_t generation;

struct draft *draft_new(struct tree *t, struct fs_folder *f, enum fs_place place, const char *name,
    uid_t uid)
{
	struct draft *d = mem_alloc(sizeof *d);

	d->tree = t;
	d->uid = uid;
	d->fd = -1;
	d->room = UINT64_MAX;
	d->mtime_ms = INT64_MIN;
	d->touched_ms = clock_wall_ms();
	d->generation = atomic_fetch_add(&generation, 1);
	atomic_store(&d->refs, 1);
	pthread_mutex_init(&d->lock, NULL);
	if ((d->slot = slots_add(&t->drafts, d)) == 0) {
		pthread_mutex_destroy(&d->lock);
		free(d);
		return NULL;
	}
	draft_move(d, f, place, name);
	return d;
}

void draft_ref(struct draft *d)
{
	atomic_fetch_add(&d->refs, 1);
}

void draft_put(struct draft **dp)
{
	struct draft *d = *dp;

	*dp = NULL;
	if (atomic_fetch_sub(&d->refs, 1) == 1)
		draft_free(&d);
}

void draft_free(struct draft **dp)
{
	struct draft *d = *dp;

	*dp = NULL;
	slots_drop(&d->tree->drafts, d->slot);
	str_buf_fini(&d->memory);
	if (d->fd >= 0)
		close(d->fd);
	pthread_mutex_destroy(&d->lock);
	free(d->flags);
	free(d->name);
	free(d);
}

/* The kernel may remember the number for long; the octets go when nobody can ask for them any more. */
static void shed(struct draft *d)
{
	if (atomic_load(&d->is_linked) || atomic_load(&d->handles) > 0)
		return;
	pthread_mutex_lock(&d->lock);
	str_buf_fini(&d->memory);
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	d->size = 0;
	pthread_mutex_unlock(&d->lock);
}

void draft_open(struct draft *d)
{
	atomic_fetch_add(&d->handles, 1);
}

void draft_close(struct draft **d)
{
	atomic_fetch_sub(&(*d)->handles, 1);
	shed(*d);
	draft_put(d);
}

struct draft *draft_by_name(struct fs_folder *f, enum fs_place place, const char *name)
{
	for (struct draft *d = f->drafts; d; d = d->next)
		if (d->place == place && strcmp(d->name, name) == 0)
			return d;
	return NULL;
}

struct draft *draft_next(struct fs_folder *f, enum fs_place place, uint32_t after)
{
	struct draft *next = NULL;

	for (struct draft *d = f->drafts; d; d = d->next)
		if (d->place == place && d->slot > after && (!next || d->slot < next->slot))
			next = d;
	return next;
}

bool draft_is_mail(const struct draft *d)
{
	/* What is written right into cur or new is mail, but for the hidden files of rsync and its like. */
	if (d->place == PLACE_CUR || d->place == PLACE_NEW)
		return d->name[0] != '.';
	return d->place == PLACE_MAIL && name_use(d->name) == NAME_MAIL;
}

bool draft_may_be_mail(const struct draft *d)
{
	return d->place == PLACE_TMP || draft_is_mail(d);
}

bool draft_is_scratch(const struct draft *d)
{
	return d->place != PLACE_SIDE && !draft_is_mail(d);
}

bool draft_scratch_is_full(struct mailbox *mb)
{
	unsigned n = 0, max = setting_get(mb->tree->site, SETTING_FS_SCRATCH);

	for (size_t i = 0; i < mb->n; i++)
		for (const struct draft *d = mb->folders[i]->drafts; d; d = d->next)
			n += draft_is_scratch(d);
	return n >= max;
}

struct node draft_node(const struct draft *d)
{
	return (struct node){NODE_draft, d->slot, d->generation};
}

struct draft *draft_of_node(struct tree *t, struct node n)
{
	struct draft *d = slots_get(&t->drafts, n.slot);

	return d && d->generation == n.item ? d : NULL;
}

static void listing_changed(const struct draft *d)
{
	struct fs_listing *listing = &d->folder->listings[d->place];

	listing->version++;
	listing->changed_ms = clock_wall_ms();
}

static void detach(struct draft *d)
{
	struct draft **at;

	if (!d->is_linked)
		return;
	at = &d->folder->drafts;
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	d->is_linked = false;
	listing_changed(d);
	draft_put(&d);
}

/* It is something else now than what was kept. Locked. */
static void changed(struct draft *d)
{
	prepared_drop(d->tree->prepared, d);
	d->is_kept = false;
	d->touched_ms = clock_wall_ms();
}

void draft_unlink(struct draft *d)
{
	pthread_mutex_lock(&d->lock);
	prepared_drop(d->tree->prepared, d);
	pthread_mutex_unlock(&d->lock);
	draft_ref(d); /* the folder's reference may be the last */
	detach(d);
	shed(d);
	draft_put(&d);
}

int draft_prepare(struct draft *d)
{
	struct prepared *p = d->tree->prepared;
	struct preplog_at at;
	bool was_kept;
	int err = 0;

	lead_lock(&d->lock);
	if (d->size == 0) {
		pthread_mutex_unlock(&d->lock);
		return 0;
	}
	was_kept = d->is_prepared;
	if (was_kept)
		prepared_wait(p, &d->kept_at);
	else
		err = prepared_keep(p, d);
	at = d->kept_at;
	pthread_mutex_unlock(&d->lock);
	/* Others go on meanwhile; who writes to it now has to flush it anew. */
	if (err || (err = prepared_sync(p, &at)) == 0)
		return err;
	pthread_mutex_lock(&d->lock);
	if (memcmp(&d->kept_at, &at, sizeof at) == 0)
		prepared_drop(p, d);
	pthread_mutex_unlock(&d->lock);
	return err;
}

void draft_move(struct draft *d, struct fs_folder *to, enum fs_place place, const char *name)
{
	draft_ref(d);
	detach(d);
	free(d->name);
	d->name = mem_str(name);
	d->folder = to;
	d->place = place;
	d->next = to->drafts;
	to->drafts = d;
	listing_changed(d);
	d->is_linked = true; /* with the reference taken above */
}

/* Puts what is in memory into a file that has no name: it goes when we do. */
static int spill(struct draft *d)
{
	int fd = openat(site_dir_fd(d->tree->site), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), err;

	if (fd < 0)
		return errno;
	if (d->size > 0 && io_pwrite_all(fd, d->memory.p, d->size, 0) < 0) {
		err = errno;
		close(fd);
		return err;
	}
	d->fd = fd;
	str_buf_fini(&d->memory);
	return 0;
}

/* Room for size octets in memory, with zeros where nothing was written. */
static void stretch(struct draft *d, uint64_t size)
{
	if (size > d->memory.n) {
		memset(str_buf_room(&d->memory, size - d->memory.n), 0, size - d->memory.n);
		d->memory.n = size;
	}
}

static uint64_t size_max(const struct draft *d)
{
	return setting_get(d->tree->site,
	    d->place == PLACE_SIDE ? SETTING_FS_SIDECAR_OCTETS : SETTING_MESSAGE_SIZE_MAX);
}

static int write_locked(struct draft *d, uint64_t at, const char *octets, size_t n)
{
	int err;

	if (at + n > size_max(d))
		return EFBIG;
	/* Shells and scripts do not look at what close(2) says. */
	if (at + n > d->room)
		return EDQUOT;
	if (d->fd < 0 && at + n > MEMORY_MAX && (err = spill(d)))
		return err;
	if (d->fd >= 0)
		return io_pwrite_all(d->fd, octets, n, (off_t)at) < 0 ? errno : 0;
	stretch(d, at + n);
	memcpy(d->memory.p + at, octets, n);
	return 0;
}

int draft_write(struct draft *d, uint64_t at, const char *octets, size_t n)
{
	int err;

	if (d->became)
		return EPERM; /* messages are immutable */
	pthread_mutex_lock(&d->lock);
	changed(d);
	err = write_locked(d, at, octets, n);
	if (err)
		d->write_err = err;
	else if (at + n > d->size)
		d->size = at + n;
	pthread_mutex_unlock(&d->lock);
	return err;
}

int draft_write_err(struct draft *d)
{
	int err;

	pthread_mutex_lock(&d->lock);
	err = d->write_err;
	pthread_mutex_unlock(&d->lock);
	return err;
}

int draft_read(struct draft *d, uint64_t at, char *octets, size_t n, size_t *n_r)
{
	ssize_t got = 0;

	pthread_mutex_lock(&d->lock);
	if (at < d->size) {
		if (n > d->size - at)
			n = (size_t)(d->size - at);
		if (d->fd >= 0)
			got = io_pread_all(d->fd, octets, n, (off_t)at);
		else
			memcpy(octets, d->memory.p + at, n), got = (ssize_t)n;
	}
	pthread_mutex_unlock(&d->lock);
	if (got < 0)
		return EIO;
	*n_r = (size_t)got;
	return 0;
}

int draft_truncate(struct draft *d, uint64_t size)
{
	int err = 0;

	if (size > size_max(d))
		return EFBIG;
	if (size > d->room)
		return EDQUOT;
	if (d->became)
		return EPERM;
	pthread_mutex_lock(&d->lock);
	changed(d);
	if (d->fd < 0 && size > MEMORY_MAX)
		err = spill(d);
	if (!err && d->fd >= 0) {
		if (ftruncate(d->fd, (off_t)size) < 0)
			err = errno;
	} else if (!err) {
		stretch(d, size);
		d->memory.n = size;
	}
	if (!err)
		d->size = size;
	if (!err && size == 0)
		d->write_err = 0;
	pthread_mutex_unlock(&d->lock);
	return err;
}

int draft_fsync(struct draft *d)
{
	int err = 0;

	pthread_mutex_lock(&d->lock);
	if (d->fd >= 0 && fdatasync(d->fd) < 0)
		err = EIO;
	pthread_mutex_unlock(&d->lock);
	return err;
}

uint64_t draft_size(const struct draft *d)
{
	return atomic_load(&d->size);
}

int draft_size_crlf(struct draft *d, uint64_t *size_r)
{
	char *octets = mem_alloc(COUNT_BYTES), last = '\0';
	uint64_t at = 0, extra = 0;
	size_t n;
	int err;

	while ((err = draft_read(d, at, octets, COUNT_BYTES, &n)) == 0 && n > 0) {
		for (size_t i = 0; i < n; i++) {
			extra += octets[i] == '\n' && last != '\r';
			last = octets[i];
		}
		at += n;
	}
	free(octets);
	*size_r = at + extra;
	return err;
}

void draft_stat(const struct draft *d, struct stat *st)
{
	struct mailbox *mb = d->folder->mailbox;
	uint64_t size = draft_size(d);
	int64_t mtime_ms = atomic_load(&d->mtime_ms);

	tree_stat(d->tree, st, S_IFREG | 0600, mb->uid, mb->gid,
	    mtime_ms != INT64_MIN ? mtime_ms : atomic_load(&d->touched_ms));
	st->st_size = (off_t)size;
	st->st_blocks = (blkcnt_t)((size + 511) / 512);
	st->st_ino = tree_st_ino(d->tree, mb->user.n, NODE_draft, d->slot, d->generation);
}

double draft_attr_s(const struct draft *d)
{
	return d->place == PLACE_SIDE ? 0 : ATTR_S;
}
