/* fs/folder.c - a folder's messages by UID and by name. */
#include "fs/folder.h"

#include "base/check.h"
#include "base/heap.h"
#include "base/mem.h"
#include "fs/maildir_name.h"

#include <stdlib.h>
#include <string.h>

/*
 * Wire mail (CRLF) is served with LF, as a Maildir would; what was put in through the mount, which is
 * what has a name of its own, is served as it came, so that cmp and rsync agree.
 */
static bool serve_lf(const struct message_info *info, const struct fs_show *show)
{
	uint32_t uid;

	/* A name that is our own was not given, but went along from folder to folder. */
	return info->lineends == EOL_CRLF && !show->exact &&
	    (!info->name || maildir_is_own_base(info->name, &uid));
}

/* A name that is none for mail/ is a Maildir base: mail/ then shows the usual one. */
static void set_given(struct fs_msg *m, const char *given)
{
	uint32_t uid;

	m->shows_uid = true;
	if (!given)
		return;
	m->given = m->is_named ? m->name : m->name + strlen(m->name) + 1;
	m->is_base = maildir_base_fits(given);
	m->shows_uid = !m->is_base || maildir_is_own_base(given, &uid);
}

struct fs_msg *fs_msg_new(const struct message_info *info, const struct fs_show *show)
{
	bool is_named = info->name && name_use(info->name) == NAME_MAIL;
	struct str_buf name = {0};
	struct fs_msg *m;
	size_t size;

	str_buf_room(&name, 512); /* the usual in one piece */
	if (is_named)
		str_buf_puts(&name, info->name);
	else
		name_of_message(info->idate_ms, info->uid.n, show->plain || !info->slug ? "" : info->slug,
		    &name);
	str_buf_putc(&name, '\0');
	if (info->name && !is_named)
		str_buf_put(&name, info->name, strlen(info->name) + 1);
	/* They come, and are forgotten, by the thousand. */
	size = sizeof *m + name.n;
	m = HEAP_IS_WANTED ? heap_alloc(size) : malloc(size);
	CHECK(m);
	*m = (struct fs_msg){0};
	memcpy(m->name, name.p, name.n);
	str_buf_fini(&name);
	m->is_named = is_named;
	set_given(m, info->name);
	m->is_cur = info->is_cur;
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
	return m;
}

void fs_msg_free(struct fs_msg *m)
{
	heap_free(m);
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

static void given_link(struct fs_folder *f, struct fs_msg *m)
{
	struct fs_msg **at = &f->given[name_hash(m->given) & (f->given_size - 1)];

	m->given_next = *at;
	*at = m;
}

static void given_put(struct fs_folder *f, struct fs_msg *m)
{
	if (f->given_n++ >= f->given_size) {
		free(f->given);
		f->given_size = f->given_size ? f->given_size * 2 : 16;
		f->given = mem_alloc(f->given_size * sizeof *f->given);
		for (size_t i = 0; i < f->n; i++)
			if (f->msgs[i]->given && f->msgs[i] != m)
				given_link(f, f->msgs[i]);
	}
	given_link(f, m);
}

static void given_drop(struct fs_folder *f, struct fs_msg *m)
{
	struct fs_msg **at = &f->given[name_hash(m->given) & (f->given_size - 1)];

	while (*at != m)
		at = &(*at)->given_next;
	*at = m->given_next;
	f->given_n--;
}

struct fs_msg *fs_folder_by_given(const struct fs_folder *f, const char *name)
{
	struct fs_msg *m = f->given_size ? f->given[name_hash(name) & (f->given_size - 1)] : NULL;

	while (m && strcmp(m->given, name) != 0)
		m = m->given_next;
	return m;
}

struct fs_msg *fs_folder_put(struct fs_folder *f, struct fs_msg *m)
{
	size_t i = find(f, m->uid.n);
	struct fs_msg *old = NULL;

	if (i < f->n && f->msgs[i]->uid.n == m->uid.n) {
		old = f->msgs[i];
		if (old->given)
			given_drop(f, old);
	} else {
		if (f->n == f->size) {
			f->size = f->size ? f->size * 2 : 64;
			f->msgs = mem_realloc(f->msgs, f->size * sizeof(struct fs_msg *));
		}
		memmove(f->msgs + i + 1, f->msgs + i, (f->n - i) * sizeof(struct fs_msg *));
		f->n++;
	}
	f->msgs[i] = m;
	if (m->given)
		given_put(f, m);
	return old;
}

struct fs_msg *fs_folder_drop(struct fs_folder *f, uint32_t uid)
{
	size_t i = find(f, uid);
	struct fs_msg *m;

	if (i == f->n || f->msgs[i]->uid.n != uid)
		return NULL;
	m = f->msgs[i];
	if (m->given)
		given_drop(f, m);
	f->n--;
	memmove(f->msgs + i, f->msgs + i + 1, (f->n - i) * sizeof(struct fs_msg *));
	return m;
}

void fs_folder_clear(struct fs_folder *f)
{
	for (size_t i = 0; i < f->n; i++)
		fs_msg_free(f->msgs[i]);
	mem_free(&f->msgs);
	mem_free(&f->given);
	f->n = f->size = f->given_n = f->given_size = 0;
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
	if ((m = fs_folder_by_given(f, name)) && m->is_named)
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
