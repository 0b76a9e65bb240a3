/* fs/folder.c - a folder's messages by UID and by name. */
#include "fs/folder.h"

#include "base/mem.h"
#include "fs/name.h"

#include <stdlib.h>
#include <string.h>

/*
 * Wire mail (CRLF) is served with LF, as a Maildir would; what was put in through the mount, which is
 * what has a name of its own, is served as it came, so that cmp and rsync agree.
 */
static bool serve_lf(const struct message_info *info, const struct fs_show *show)
{
	return info->lineends == EOL_CRLF && !show->exact && !info->name;
}

struct fs_msg *fs_msg_new(const struct message_info *info, const struct fs_show *show)
{
	struct str_buf name = {0};
	struct fs_msg *m;

	if (info->name)
		str_buf_puts(&name, info->name);
	else
		name_of_message(info->idate_ms, info->uid.n, show->plain || !info->slug ? "" : info->slug,
		    &name);
	m = mem_alloc(sizeof *m + name.n + 1);
	memcpy(m->name, name.p, name.n + 1);
	str_buf_fini(&name);
	m->uid = info->uid;
	m->flags = info->flags;
	m->keywords = info->keywords;
	m->modseq = info->modseq.n;
	m->idate_ms = info->idate_ms;
	m->changed_ms = info->changed_ms;
	m->content = info->content;
	m->size_crlf = info->size;
	m->lineends = info->lineends;
	m->is_lf = serve_lf(info, show);
	m->size = m->is_lf ? info->size_lf : info->size_in;
	m->is_named = info->name != NULL;
	return m;
}

/* Index of the first message whose UID is not under uid. */
static size_t find(const struct fs_folder *f, uint32_t uid)
{
	size_t low = 0, high = f->n;

	if (high > 0 && f->msgs[high - 1]->uid.n < uid)
		return high; /* new mail comes at the end */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (f->msgs[mid]->uid.n < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static size_t name_hash(const char *name)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3u;
	return (size_t)(h ^ h >> 32);
}

static void named_link(struct fs_folder *f, struct fs_msg *m)
{
	struct fs_msg **at = &f->named[name_hash(m->name) & (f->named_size - 1)];

	m->named_next = *at;
	*at = m;
}

static void named_put(struct fs_folder *f, struct fs_msg *m)
{
	if (f->named_n++ >= f->named_size) {
		free(f->named);
		f->named_size = f->named_size ? f->named_size * 2 : 16;
		f->named = mem_alloc(f->named_size * sizeof *f->named);
		for (size_t i = 0; i < f->n; i++)
			if (f->msgs[i]->is_named && f->msgs[i] != m)
				named_link(f, f->msgs[i]);
	}
	named_link(f, m);
}

static void named_drop(struct fs_folder *f, struct fs_msg *m)
{
	struct fs_msg **at = &f->named[name_hash(m->name) & (f->named_size - 1)];

	while (*at != m)
		at = &(*at)->named_next;
	*at = m->named_next;
	f->named_n--;
}

struct fs_msg *fs_folder_put(struct fs_folder *f, struct fs_msg *m)
{
	size_t i = find(f, m->uid.n);
	struct fs_msg *old = NULL;

	if (i < f->n && f->msgs[i]->uid.n == m->uid.n) {
		old = f->msgs[i];
		if (old->is_named)
			named_drop(f, old);
	} else {
		if (f->n == f->size) {
			f->size = f->size ? f->size * 2 : 64;
			f->msgs = mem_realloc(f->msgs, f->size * sizeof(struct fs_msg *));
		}
		memmove(f->msgs + i + 1, f->msgs + i, (f->n - i) * sizeof(struct fs_msg *));
		f->n++;
	}
	f->msgs[i] = m;
	if (m->is_named)
		named_put(f, m);
	return old;
}

struct fs_msg *fs_folder_drop(struct fs_folder *f, uint32_t uid)
{
	size_t i = find(f, uid);
	struct fs_msg *m;

	if (i == f->n || f->msgs[i]->uid.n != uid)
		return NULL;
	m = f->msgs[i];
	if (m->is_named)
		named_drop(f, m);
	f->n--;
	memmove(f->msgs + i, f->msgs + i + 1, (f->n - i) * sizeof(struct fs_msg *));
	return m;
}

void fs_folder_clear(struct fs_folder *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->msgs[i]);
	mem_free(&f->msgs);
	mem_free(&f->named);
	f->n = f->size = f->named_n = f->named_size = 0;
	f->is_loaded = false;
}

struct fs_msg *fs_folder_by_uid(const struct fs_folder *f, uint32_t uid)
{
	size_t i = find(f, uid);

	return i < f->n && f->msgs[i]->uid.n == uid ? f->msgs[i] : NULL;
}

struct fs_msg *fs_folder_by_name(const struct fs_folder *f, const char *name, bool *is_alias_r)
{
	struct fs_msg *m;
	uint32_t uid;

	*is_alias_r = false;
	if (f->named_size)
		for (m = f->named[name_hash(name) & (f->named_size - 1)]; m; m = m->named_next)
			if (strcmp(m->name, name) == 0)
				return m;
	switch (name_parse(name, &uid)) {
	case NAME_FULL:
		m = fs_folder_by_uid(f, uid);
		return m && strcmp(m->name, name) == 0 ? m : NULL;
	case NAME_ALIAS:
		*is_alias_r = true;
		return fs_folder_by_uid(f, uid);
	case NAME_OTHER:
		break;
	}
	return NULL;
}

struct fs_folder *fs_folder_child(const struct fs_folder *f, const char *name)
{
	for (struct fs_folder *c = f->children; c; c = c->next)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

struct fs_msg *fs_folder_next(const struct fs_folder *f, uint32_t after)
{
	size_t i;

	if (after == UINT32_MAX)
		return NULL;
	i = find(f, after + 1);
	return i < f->n ? f->msgs[i] : NULL;
}
