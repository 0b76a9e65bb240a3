/* fs/partdir.c - directories of messages' parts, by number. */
#include "fs/partdir.h"

#include "fs/err_map.h"
#include "fs/lead.h"

#include "base/log.h"
#include "base/mem.h"
#include "limits/registry.h"

#include <errno.h>
#include <stdlib.h>

#define BUCKETS 4096u

/* A node's item: below, the file's number; above, which of the directories it is that had the slot. */
#define NUMBER_BITS 20
#define GENERATIONS (1u << (32 - NUMBER_BITS))

struct partdir {
	struct fs_folder *folder;
	uint32_t uid, slot, generation;
	uint64_t lookups; /* of the kernel, of its files */
	struct partlist *list; /* NULL: to be made */
	struct partdir *next;  /* in its bucket */
	/* Among those that have a list, the longest unused first. */
	struct partdir *newer, *older;
};

struct partdirs {
	struct slots slots;
	pthread_mutex_t lock; /* what follows, and what stands in each */
	struct partdir *buckets[BUCKETS];
	struct partdir *newest, *oldest;
	uint64_t files; /* in all lists */
	uint32_t generation;
};

struct partdirs *partdirs_new(void)
{
	struct partdirs *d = mem_alloc(sizeof *d);

	slots_init(&d->slots);
	pthread_mutex_init(&d->lock, NULL);
	return d;
}

void partdirs_free(struct partdirs **dp)
{
	struct partdirs *d = *dp;

	if (!d)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct partdir *p = d->buckets[i], *next; p; p = next) {
			next = p->next;
			partlist_put(&p->list);
			free(p);
		}
	slots_fini(&d->slots);
	pthread_mutex_destroy(&d->lock);
	mem_free(dp);
}

static struct partdir **bucket(struct partdirs *d, const struct fs_folder *f, uint32_t uid)
{
	return &d->buckets[(f->slot * 2654435761u ^ uid * 40503u) % BUCKETS];
}

/* ---- all with the lock held ---- */

static void unlink_used(struct partdirs *d, struct partdir *p)
{
	*(p->newer ? &p->newer->older : &d->newest) = p->older;
	*(p->older ? &p->older->newer : &d->oldest) = p->newer;
	p->newer = p->older = NULL;
}

static void link_newest(struct partdirs *d, struct partdir *p)
{
	p->older = d->newest;
	*(d->newest ? &d->newest->newer : &d->oldest) = p;
	d->newest = p;
}

static void drop_list(struct partdirs *d, struct partdir *p)
{
	unlink_used(d, p);
	d->files -= p->list->n;
	partlist_put(&p->list);
}

/* Nobody knows its number, and there is nothing in it. */
static void drop_if_unused(struct partdirs *d, struct partdir *p)
{
	struct partdir **at = bucket(d, p->folder, p->uid);

	if (p->lookups > 0 || p->list)
		return;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	slots_drop(&d->slots, p->slot);
	free(p);
}

static struct partdir *find(struct partdirs *d, const struct fs_folder *f, uint32_t uid)
{
	struct partdir *p = *bucket(d, f, uid);

	while (p && (p->folder != f || p->uid != uid))
		p = p->next;
	return p;
}

static struct partdir *find_or_add(struct partdirs *d, struct fs_folder *f, uint32_t uid)
{
	struct partdir *p = find(d, f, uid), **at;

	if (p)
		return p;
	p = mem_alloc(sizeof *p);
	p->folder = f;
	p->uid = uid;
	p->generation = d->generation++ % GENERATIONS;
	if (!(p->slot = slots_add(&d->slots, p))) {
		free(p);
		return NULL;
	}
	at = bucket(d, f, uid);
	p->next = *at;
	*at = p;
	return p;
}

/* Lists beyond what may be kept go, the longest unused first; never the newest. */
static void trim(struct tree *t, struct partdirs *d)
{
	uint64_t max = setting_get(t->site, SETTING_FS_PART_FILES_CACHED);
	struct partdir *p;

	while (d->files > max && (p = d->oldest) != d->newest) {
		drop_list(d, p);
		drop_if_unused(d, p);
	}
}

static bool take(struct partdirs *d, struct partdir *p, struct node *any_r, struct partlist **list_r)
{
	if (!p || !p->list)
		return false;
	unlink_used(d, p);
	link_newest(d, p);
	*any_r = (struct node){NODE_part, p->slot, p->generation << NUMBER_BITS};
	*list_r = partlist_ref(p->list);
	return true;
}

/* ---- a list is made ---- */

int partdir_message(struct fs_folder *f, uint32_t uid, struct part_message *m_r)
{
	struct mailbox *mb = f->mailbox;
	struct fs_msg *m;
	struct err e;

	if (!f->is_loaded && mailbox_sync_folder(mb, f, &e) < 0)
		return fs_errno(&e);
	pthread_mutex_lock(&mb->lock);
	if ((m = fs_folder_by_uid(f, uid)))
		*m_r = (struct part_message){.content = m->content, .size_crlf = m->size_crlf, .size = m->size,
		    .serve = m->is_lf ? EOL_LF : m->lineends, .idate_ms = m->idate_ms};
	pthread_mutex_unlock(&mb->lock);
	return m ? 0 : ESTALE;
}

struct content_source {
	struct store *store;
	uint64_t content;
};

static int source_read(void *arg, uint64_t at, void *octets, size_t n, size_t *n_r, struct err *e)
{
	struct content_source *s = arg;

	return content_read(s->store, s->content, at, octets, n, n_r, e);
}

static struct partlist_caps caps_of(struct tree *t)
{
	return (struct partlist_caps){.files = setting_get(t->site, SETTING_FS_PART_FILES),
	    .octets = setting_get(t->site, SETTING_FS_PART_OCTETS),
	    .text = setting_get(t->site, SETTING_FS_PART_TEXT),
	    .mime_parts = setting_get(t->site, SETTING_MIME_PARTS_MAX),
	    .mime_depth = setting_get(t->site, SETTING_MIME_DEPTH_MAX)};
}

static int make_of(struct tree *t, struct store *store, struct fs_folder *f, uint32_t uid,
    const struct part_message *pm, struct partlist **list_r, struct err *e)
{
	struct uid_range range = {uid, uid};
	struct content_source from = {store, pm->content};
	struct body_source source = {source_read, &from};
	struct partlist_message m = {.size_crlf = pm->size_crlf, .size = pm->size, .serve = pm->serve};
	struct partlist_caps caps = caps_of(t);
	struct str_buf exceptions = {0};
	struct arena arena = {0};
	struct mime_part *parts;
	struct message_info *info;
	size_t n;
	int rc = -1;

	if (message_list(store, (struct folder_id){f->id}, &range, 1, MESSAGE_BASIC | MESSAGE_PARTS, 1,
	        &arena, &info, &n, e) < 0)
		goto out;
	if (n == 0) {
		err_set(e, ERR_EXPUNGED, "the message is gone");
		goto out;
	}
	if (mime_parts_unpack(info->parts, &arena, &parts, &m.parts_n, e) < 0 ||
	    (m.serve == EOL_MIXED && content_exceptions(store, pm->content, &exceptions, e) < 0))
		goto out;
	m.parts = parts;
	m.header_n = info->header_n;
	m.exceptions = str_buf_view(&exceptions);
	if ((rc = partlist_make(&m, &caps, &source, list_r, e)) == 0)
		(*list_r)->idate_ms = pm->idate_ms;
out:
	str_buf_fini(&exceptions);
	arena_fini(&arena);
	return rc;
}

static int make(struct tree *t, struct fs_folder *f, uint32_t uid, struct partlist **list_r)
{
	struct mailbox_access access;
	struct part_message m;
	struct err e;
	int err = partdir_message(f, uid, &m);

	if (err)
		return err;
	if (mailbox_access(f->mailbox, &access, &e) < 0)
		return fs_errno(&e);
	if (make_of(t, access.store, f, uid, &m, list_r, &e) < 0) {
		err = fs_errno(&e);
		log_warn("parts-unreadable", "user=%s folder=%s uid=%u %s", LOG_Q(f->mailbox->name),
		    LOG_Q(f->path), uid, log_err(&e));
	} else if ((*list_r)->truncated) {
		journal_say(t->journal, "parts-truncated", "user=%s folder=%s uid=%u text=\"not all of it is shown: its file truncated says what\"",
		    LOG_Q(f->mailbox->name), LOG_Q(f->path), uid);
	}
	mailbox_access_end(&access);
	return err;
}

int partdir_list(struct tree *t, struct fs_folder *f, uint32_t uid, struct node *any_r,
    struct partlist **list_r)
{
	struct partdirs *d = t->partdirs;
	struct partlist *made;
	struct partdir *p;
	bool found;
	int err;

	pthread_mutex_lock(&d->lock);
	found = take(d, find(d, f, uid), any_r, list_r);
	pthread_mutex_unlock(&d->lock);
	if (found)
		return 0;
	lead_let_go();
	if ((err = make(t, f, uid, &made)))
		return err;
	pthread_mutex_lock(&d->lock);
	if (!(p = find_or_add(d, f, uid))) {
		err = ENFILE;
	} else if (!take(d, p, any_r, list_r)) { /* or another was faster */
		p->list = partlist_ref(made);
		d->files += made->n;
		link_newest(d, p);
		take(d, p, any_r, list_r);
		trim(t, d);
	}
	pthread_mutex_unlock(&d->lock);
	partlist_put(&made);
	return err;
}

bool partdir_is_slow(struct tree *t, struct fs_folder *f, uint32_t uid)
{
	struct partdirs *d = t->partdirs;
	struct partdir *p;
	struct fs_msg *m;
	bool is_there;

	pthread_mutex_lock(&d->lock);
	p = find(d, f, uid);
	is_there = p && p->list;
	pthread_mutex_unlock(&d->lock);
	if (is_there)
		return false;
	pthread_mutex_lock(&f->mailbox->lock);
	m = fs_folder_by_uid(f, uid);
	is_there = m && m->size_crlf <= BODY_WHOLE_MAX;
	pthread_mutex_unlock(&f->mailbox->lock);
	return !is_there;
}

/* ---- the kernel's numbers ---- */

struct node partdir_file_node(struct node any, const struct partfile *file)
{
	return (struct node){NODE_part, any.slot, any.item | file->number};
}

uint32_t partdir_file_number(struct node n)
{
	return n.item & ((1u << NUMBER_BITS) - 1);
}

void partdir_stat(const struct fs_folder *f, uint32_t uid, const struct partlist *list,
    const struct partfile *file, struct stat *st)
{
	const struct mailbox *mb = f->mailbox;

	tree_stat(mb->tree, st, S_IFREG | 0400, mb->uid, mb->gid, list->idate_ms);
	st->st_size = (off_t)file->size;
	st->st_blocks = (blkcnt_t)((file->size + 511) / 512);
	st->st_ino = tree_st_ino(mb->tree, mb->user.n, NODE_part, (uint64_t)f->id << 32 | uid, file->number);
}

static struct partdir *of_node(struct partdirs *d, struct node n)
{
	struct partdir *p = slots_get(&d->slots, n.slot);

	return p && p->generation == n.item >> NUMBER_BITS ? p : NULL;
}

bool partdir_of(struct tree *t, struct node n, struct fs_folder **f_r, uint32_t *uid_r)
{
	struct partdirs *d = t->partdirs;
	struct partdir *p;

	pthread_mutex_lock(&d->lock);
	if ((p = of_node(d, n))) {
		*f_r = p->folder;
		*uid_r = p->uid;
	}
	pthread_mutex_unlock(&d->lock);
	return p && !(*f_r)->is_gone;
}

void partdir_remember(struct tree *t, struct node n)
{
	struct partdir *p;

	pthread_mutex_lock(&t->partdirs->lock);
	if ((p = of_node(t->partdirs, n)))
		p->lookups++;
	pthread_mutex_unlock(&t->partdirs->lock);
}

void partdir_forget(struct tree *t, struct node n, uint64_t lookups)
{
	struct partdir *p;

	pthread_mutex_lock(&t->partdirs->lock);
	if ((p = of_node(t->partdirs, n))) {
		p->lookups -= lookups < p->lookups ? lookups : p->lookups;
		drop_if_unused(t->partdirs, p);
	}
	pthread_mutex_unlock(&t->partdirs->lock);
}
