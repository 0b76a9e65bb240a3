/* fs/listing.c - see listing.h. */
#include "fs/listing.h"

#include "fs/draft.h"
#include "fs/err_map.h"
#include "fs/name.h"

#include "base/clock.h"

#include <errno.h>
#include <string.h>

bool listing_find_name(struct fs_folder *f, const char *name, listing_find *find, struct node_entry *entry_r)
{
	struct str_buf nfc = {0};
	bool found;

	atomic_store(&f->used_ms, clock_mono_ms());
	pthread_mutex_lock(&f->mailbox->lock);
	found = find(f, name, entry_r);
	if (!found && name_compose(name, &nfc) && (found = find(f, nfc.p, entry_r)))
		entry_r->timeout_s = 0; /* the kernel is told of real names only */
	pthread_mutex_unlock(&f->mailbox->lock);
	str_buf_fini(&nfc);
	return found;
}

int listing_lookup(struct tree *t, struct node dir, const char *name, listing_find *find,
    struct node_entry *entry_r)
{
	struct fs_folder *f = tree_folder(t, dir);
	struct err e;

	if (!f)
		return ESTALE;
	if (strlen(name) > NAME_MAX_BYTES)
		return ENAMETOOLONG;
	if (listing_find_name(f, name, find, entry_r))
		return 0;
	if (mailbox_sync_folder(f->mailbox, f, &e) < 0)
		return fs_errno(&e);
	return listing_find_name(f, name, find, entry_r) ? 0 : ENOENT;
}

bool listing_folders(const struct fs_folder *f, uint64_t after,
    void (*fill)(const struct fs_folder *f, struct node_entry *entry), node_emit *emit, void *arg)
{
	struct node_entry entry;

	for (const struct fs_folder *c = f->children; c; c = c->next) {
		if (COOKIE(COOKIE_FOLDERS, c->slot) <= after || strlen(c->name) > NAME_MAX_BYTES)
			continue;
		fill(c, &entry);
		if (!emit(arg, c->name, &entry, COOKIE(COOKIE_FOLDERS, c->slot)))
			return false;
	}
	return true;
}

int listing_open(struct tree *t, struct handle *h, bool with_messages, struct fs_folder **f_r)
{
	struct fs_folder *f = tree_folder(t, h->node);
	struct err e;

	if (!f)
		return ESTALE;
	if (mailbox_sync_folder(f->mailbox, with_messages ? f : NULL, &e) < 0)
		return fs_errno(&e);
	if (!tree_folder(t, h->node))
		return ESTALE;
	atomic_store(&f->used_ms, clock_mono_ms());
	pthread_mutex_lock(&f->mailbox->lock);
	*f_r = f;
	return 0;
}

void listing_created(struct draft *d, struct handle *h, struct node_entry *entry_r)
{
	d->writers++;
	*entry_r = (struct node_entry){.node = draft_node(d), .attr_timeout_s = draft_attr_s(d)};
	draft_stat(d, &entry_r->st);
	draft_open(d);
	h->draft = d;
	h->may_write = true;
	h->node = draft_node(d);
}
