/* fs/tree.c - the node table, and what all nodes share. */
#include "fs/tree.h"

#include "fs/changes.h"
#include "fs/draft.h"
#include "fs/feed.h"
#include "fs/intern.h"
#include "fs/mailop.h"
#include "fs/message_xattr.h"
#include "fs/partdir.h"
#include "fs/prepared.h"
#include "fs/viewdir.h"

#include "base/clock.h"
#include "base/mem.h"
#include "limits/registry.h"
#include "store/directory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NODE(name) extern const struct node_row node_##name##_row;
#include "fs_nodes.tbl.h"
#undef NODE

const struct node_row *const node_rows[NODE_KINDS_N] = {
#define NODE(name) [NODE_##name] = &node_##name##_row,
#include "fs_nodes.tbl.h"
#undef NODE
};

#define POOL_THREADS 8u

/* 64 bits of it, mixed; what is wanted is that numbers do not collide by being alike. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

uint64_t tree_st_ino(const struct tree *t, uint64_t user, unsigned kind, uint64_t a, uint64_t b)
{
	uint64_t h = t->ino_key[0];

	h = mix(h ^ user) + t->ino_key[1];
	h = mix(h ^ kind) + t->ino_key[0];
	h = mix(h ^ a) + t->ino_key[1];
	h = mix(h ^ b);
	return h > 1 ? h : 2; /* 0 is no file, 1 the root */
}

static void set_time(struct timespec *ts, int64_t ms)
{
	ts->tv_sec = ms / 1000;
	ts->tv_nsec = ms % 1000 * 1000000;
	if (ts->tv_nsec < 0) {
		ts->tv_sec--;
		ts->tv_nsec += 1000000000;
	}
}

void tree_stat(const struct tree *t, struct stat *st, mode_t mode, uid_t uid, gid_t gid,
    int64_t mtime_ms)
{
	(void)t;
	memset(st, 0, sizeof *st);
	st->st_mode = mode;
	st->st_nlink = S_ISDIR(mode) ? 2 : 1;
	st->st_uid = uid;
	st->st_gid = gid;
	st->st_blksize = 131072;
	set_time(&st->st_mtim, mtime_ms);
	st->st_atim = st->st_ctim = st->st_mtim;
}

void tree_stat_ctime(struct stat *st, int64_t ms)
{
	set_time(&st->st_ctim, ms);
}

struct fs_folder *tree_folder(struct tree *t, struct node n)
{
	struct fs_folder *f = slots_get(&t->folders, n.slot);

	return f && !f->is_gone ? f : NULL;
}

void tree_put_path(const struct fs_folder *f, struct str_buf *out)
{
	if (f->parent) {
		tree_put_path(f->parent, out);
		str_buf_putc(out, '/');
	} else {
		str_buf_puts(out, "mail/");
	}
	str_buf_puts(out, f->name);
}

void tree_message_changed(struct fs_folder *f, const struct fs_msg *old, const struct fs_msg *now,
    struct notices *ns)
{
	for (int kind = NODE_NONE + 1; kind < NODE_KINDS_N; kind++)
		if (node_rows[kind]->message_changed)
			node_rows[kind]->message_changed(f, old, now, ns);
}

void tree_folder_went(struct fs_folder *f, struct notices *ns)
{
	for (int kind = NODE_NONE + 1; kind < NODE_KINDS_N; kind++)
		if (node_rows[kind]->folder_went)
			node_rows[kind]->folder_went(f, ns);
}

void tree_folder_came(struct fs_folder *f, struct notices *ns)
{
	for (int kind = NODE_NONE + 1; kind < NODE_KINDS_N; kind++)
		if (node_rows[kind]->folder_came)
			node_rows[kind]->folder_came(f, ns);
}

void tree_message_touched(struct fs_folder *f, uint32_t uid, struct notices *ns)
{
	for (int kind = NODE_NONE + 1; kind < NODE_KINDS_N; kind++)
		if (node_rows[kind]->message_touched)
			node_rows[kind]->message_touched(f, uid, ns);
}

void tree_folder_forgotten(struct fs_folder *f, struct notices *ns)
{
	for (int kind = NODE_NONE + 1; kind < NODE_KINDS_N; kind++)
		if (node_rows[kind]->folder_forgotten)
			node_rows[kind]->folder_forgotten(f, ns);
}

/* The same store gives the same inode numbers at every mount. */
static void derive_key(struct tree *t)
{
	const char *id = site_conf(t->site, "store", "id", "");

	t->ino_key[0] = 0x6a09e667f3bcc908u;
	t->ino_key[1] = 0xbb67ae8584caa73bu;
	for (size_t i = 0; id[i]; i++)
		t->ino_key[i % 2] = mix(t->ino_key[i % 2] ^ (unsigned char)id[i]);
}

int tree_init(struct tree *t, struct site *site, const struct teller_ops *kernel, struct err *e)
{
	t->site = site;
	t->uid = getuid();
	t->gid = getgid();
	t->started_ms = clock_wall_ms();
	pthread_mutex_init(&t->lock, NULL);
	slots_init(&t->folders);
	slots_init(&t->drafts);
	slots_init(&t->handles);
	slots_init(&t->names);
	derive_key(t);
	t->journal = journal_new();
	t->texts = message_texts_new();
	t->partdirs = partdirs_new();
	t->feed = feed_new(setting_get(site, SETTING_FS_CHANGES));
	t->viewdirs = viewdirs_new();
	t->teller = teller_new(kernel);
	t->pool = pool_new(POOL_THREADS);
	if (directory_open(site, e) < 0)
		return -1;
	return prepared_new(t, &t->prepared, e);
}

void tree_stop(struct tree *t)
{
	/* What was closed becomes mail; what is still open is dropped with its writer. */
	pool_free(&t->pool);
	for (uint32_t slot = 1, end = slots_end(&t->handles); slot < end; slot++) {
		struct handle *h = slots_get(&t->handles, slot);

		if (h)
			handle_end_session(h, true);
	}
	teller_stop(t->teller);
}

/* What the kernel had not given back when it went. */
static void free_open(struct tree *t)
{
	for (uint32_t slot = 1, end = slots_end(&t->handles); slot < end; slot++) {
		struct handle *h = slots_get(&t->handles, slot);

		if (h)
			handle_put(t, h);
	}
	for (uint32_t slot = 1, end = slots_end(&t->drafts); slot < end; slot++) {
		struct draft *d = slots_get(&t->drafts, slot);

		if (d)
			draft_free(&d);
	}
}

void tree_fini(struct tree *t)
{
	free_open(t);
	for (size_t i = 0; i < t->mailboxes_n; i++)
		mailbox_free(&t->mailboxes[i]);
	teller_free(&t->teller); /* mailboxes rang it until now */
	free(t->mailboxes);
	free(t->sys_uids);
	intern_fini(t);
	prepared_free(&t->prepared);
	partdirs_free(&t->partdirs);
	message_texts_free(&t->texts);
	viewdirs_free(&t->viewdirs);
	journal_free(&t->journal);
	feed_free(&t->feed);
	slots_fini(&t->folders);
	slots_fini(&t->drafts);
	slots_fini(&t->handles);
	slots_fini(&t->names);
	free(t->only.name);
	pthread_mutex_destroy(&t->lock);
}

/* Messages in memory, and the folder of them that nobody has asked for longest. */
static size_t count_messages(struct tree *t, struct fs_folder **oldest_r)
{
	size_t n = 0;

	*oldest_r = NULL;
	for (uint32_t slot = 1, end = slots_end(&t->folders); slot < end; slot++) {
		struct fs_folder *f = slots_get(&t->folders, slot);

		if (!f || f->is_gone || !f->is_loaded)
			continue;
		n += f->n;
		if (f->n > 0 && (!*oldest_r || f->used_ms < (*oldest_r)->used_ms))
			*oldest_r = f;
	}
	return n;
}

static void forget_messages(struct tree *t)
{
	size_t max = setting_get(t->site, SETTING_FS_CACHED_MESSAGES);
	struct fs_folder *oldest;

	while (count_messages(t, &oldest) > max && oldest)
		mailbox_forget(oldest->mailbox, oldest);
}

void tree_tick(struct tree *t)
{
	for (uint32_t slot = 1, end = slots_end(&t->folders); slot < end; slot++) {
		struct fs_folder *f = slots_get(&t->folders, slot);

		if (f && !f->is_gone)
			mailop_tick(t, f);
	}
	viewdirs_tick(t);
	forget_messages(t);
	changes_tick(t);
}
