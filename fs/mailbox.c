/*
 * fs/mailbox.c - a mailbox's folders and messages, kept as the store has them.
 *
 * The store is asked under `sync` alone; what it answered is put in place under `lock`, together with
 * what the kernel has to be told.  Every step may be repeated: a change that is seen twice is the same.
 */
#include "fs/mailbox.h"

#include "fs/err_map.h"
#include "fs/lead.h"
#include "fs/name.h"
#include "fs/tree.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/directory.h"
#include "store/flags.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLICE 2000u
#define WHAT (MESSAGE_BASIC | MESSAGE_NAME)

struct node fs_folder_node(const struct fs_folder *f)
{
	return (struct node){NODE_folder, f->slot, 0};
}

struct node fs_msg_node(const struct fs_folder *f, uint32_t uid)
{
	return (struct node){NODE_message, f->slot, uid};
}

/* ---- access --------------------------------------------------------------------------------- */

int mailbox_access(struct mailbox *mb, struct mailbox_access *a, struct err *e)
{
	struct session_request request = {.service = SESSION_ADMIN, .actor = mb->user,
	    .mailbox = mb->user, .actor_name = mb->name, .mailbox_name = mb->name,
	    .command = "postern-fs", .pid = getpid()};
	struct session_refusal why;

	*a = (struct mailbox_access){0};
	if (session_acquire(mb->tree->site, &request, &a->session, &why, e) < 0)
		return -1;
	if (store_open(a->session, &a->store, e) < 0) {
		session_release(&a->session);
		return -1;
	}
	return 0;
}

void mailbox_access_end(struct mailbox_access *a)
{
	if (a->store)
		store_close(&a->store);
	if (a->session)
		session_release(&a->session);
}

/* ---- folders -------------------------------------------------------------------------------- */

static struct fs_folder *folder_new(struct mailbox *mb, uint32_t id, const char *path)
{
	struct fs_folder *f = mem_alloc(sizeof *f);

	f->mailbox = mb;
	f->id = id;
	f->path = mem_str(path);
	f->name = mem_str("");
	f->version = 1;
	f->slot = slots_add(&mb->tree->folders, f);
	if (mb->n == mb->size) {
		mb->size = mb->size ? mb->size * 2 : 16;
		mb->folders = mem_realloc(mb->folders, mb->size * sizeof(struct fs_folder *));
	}
	mb->folders[mb->n++] = f;
	return f;
}

/* A folder that is shown, by its id, or, where path is not NULL, by its store name. */
static struct fs_folder *find_folder(struct mailbox *mb, uint32_t id, const char *path)
{
	for (size_t i = 0; i < mb->n; i++) {
		struct fs_folder *f = mb->folders[i];

		if (!f->is_gone && (path ? strcmp(f->path, path) == 0 : f->id == id))
			return f;
	}
	return NULL;
}

struct fs_folder *mailbox_folder_of_use(struct mailbox *mb, enum folder_use use, const char *name)
{
	struct fs_folder *by_name = NULL;

	for (size_t i = 0; i < mb->n; i++) {
		struct fs_folder *f = mb->folders[i];

		if (f->is_gone || f->id == 0)
			continue;
		if (f->use == use)
			return f;
		if (strcmp(f->path, name) == 0)
			by_name = f;
	}
	return by_name;
}

static void set_path(struct fs_folder *f, const char *path)
{
	if (strcmp(f->path, path) != 0) {
		free(f->path);
		f->path = mem_str(path);
	}
}

/* The folder above a path, made as a shadow where the store has none. */
static struct fs_folder *parent_of(struct mailbox *mb, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct fs_folder *f;
	char *above;

	if (!slash)
		return mb->top;
	above = mem_str(path);
	above[slash - path] = '\0';
	f = find_folder(mb, 0, above);
	if (!f)
		f = folder_new(mb, 0, above);
	f->is_seen = true;
	free(above);
	return f;
}

static void hang(struct fs_folder *f, struct fs_folder *parent, struct notices *ns)
{
	const char *slash = strrchr(f->path, '/');
	const char *component = slash ? slash + 1 : f->path;
	struct str_buf name = {0};

	name_folder_encode(str_view(component, strlen(component)), &name);
	if (f->parent != parent || strcmp(f->name, name.p) != 0) {
		if (f->parent) {
			notice_entry(ns, fs_folder_node(f->parent), f->name);
			notice_inode(ns, fs_folder_node(f->parent), true);
			f->parent->version++;
		}
		notice_inode(ns, fs_folder_node(parent), true);
		parent->version++;
		free(f->name);
		f->name = mem_str(name.p);
	}
	f->parent = parent;
	str_buf_fini(&name);
}

static void bury(struct fs_folder *f, struct notices *ns)
{
	if (f->parent) {
		notice_entry(ns, fs_folder_node(f->parent), f->name);
		notice_inode(ns, fs_folder_node(f->parent), true);
		f->parent->version++;
	}
	for (size_t i = 0; i < f->n; i++)
		notice_inode(ns, fs_msg_node(f, f->msgs[i]->uid.n), false);
	notice_inode(ns, fs_folder_node(f), true);
	f->is_gone = true;
	fs_folder_clear(f);
}

/* Children in the order of their slots, which is how they are listed. */
static void relink(struct mailbox *mb)
{
	for (size_t i = 0; i < mb->n; i++)
		mb->folders[i]->children = NULL;
	for (size_t i = mb->n; i-- > 0;) {
		struct fs_folder *f = mb->folders[i];

		if (f->is_gone || f == mb->top)
			continue;
		f->next = f->parent->children;
		f->parent->children = f;
	}
}

/* The whole set of folders, as the store lists it now.  Locked. */
static void apply_folders(struct mailbox *mb, const struct folder_info *list, size_t n,
    struct notices *ns)
{
	size_t i;

	for (i = 0; i < mb->n; i++)
		mb->folders[i]->is_seen = mb->folders[i] == mb->top;
	for (i = 0; i < n; i++) {
		struct fs_folder *f = find_folder(mb, list[i].id.n, NULL);

		if (!f)
			f = folder_new(mb, list[i].id.n, list[i].name);
		set_path(f, list[i].name);
		f->is_seen = true;
		f->use = list[i].use;
		f->uidvalidity = list[i].uidvalidity;
		f->changed_ms = list[i].changed_ms;
	}
	/* Shadows are added behind, and looked at in turn: each needs its parent too. */
	for (i = 0; i < mb->n; i++)
		if (mb->folders[i]->is_seen && mb->folders[i] != mb->top)
			hang(mb->folders[i], parent_of(mb, mb->folders[i]->path), ns);
	for (i = 0; i < mb->n; i++)
		if (!mb->folders[i]->is_seen && !mb->folders[i]->is_gone)
			bury(mb->folders[i], ns);
	relink(mb);
}

/* ---- messages ------------------------------------------------------------------------------- */

static void apply_message(struct fs_folder *f, const struct message_info *info, struct notices *ns)
{
	struct fs_msg *m = fs_msg_new(info, &f->mailbox->tree->show), *old = fs_folder_put(f, m);

	if (!old) {
		f->version++;
		notice_inode(ns, fs_folder_node(f), true);
		return;
	}
	if (strcmp(old->name, m->name) != 0) {
		f->version++;
		notice_entry(ns, fs_folder_node(f), old->name);
		notice_inode(ns, fs_folder_node(f), true);
	}
	notice_inode(ns, fs_msg_node(f, m->uid.n), old->size != m->size);
	free(old);
}

static void drop_message(struct fs_folder *f, uint32_t uid, struct notices *ns)
{
	struct fs_msg *m = fs_folder_drop(f, uid);

	if (!m)
		return;
	f->version++;
	notice_entry(ns, fs_folder_node(f), m->name);
	notice_inode(ns, fs_msg_node(f, uid), false);
	notice_inode(ns, fs_folder_node(f), true);
	free(m);
}

/* All messages of a folder, in slices; f is not shown as loaded before the last. */
static int load_folder(struct mailbox *mb, struct fs_folder *f, struct store *store, struct err *e)
{
	struct uid_range range = {1, UINT32_MAX};
	struct folder_info info;
	struct notices ns = {0};
	struct arena arena = {0};
	struct message_info *list;
	size_t n = SLICE;
	int rc = -1;

	/* First the position, then the messages: what changes meanwhile is told again. */
	if (folder_by_id(store, (struct folder_id){f->id}, &arena, &info, e) < 0)
		goto out;
	f->modseq = info.highestmodseq.n;
	while (n == SLICE) {
		arena_fini(&arena);
		if (message_list(store, (struct folder_id){f->id}, &range, 1, WHAT, SLICE, &arena, &list,
		        &n, e) < 0)
			goto out;
		pthread_mutex_lock(&mb->lock);
		for (size_t i = 0; i < n; i++)
			apply_message(f, &list[i], &ns);
		pthread_mutex_unlock(&mb->lock);
		if (n == 0 || list[n - 1].uid.n == UINT32_MAX)
			break;
		range.from = list[n - 1].uid.n + 1;
	}
	pthread_mutex_lock(&mb->lock);
	f->is_loaded = true;
	pthread_mutex_unlock(&mb->lock);
	rc = 0;
out:
	notices_fini(&ns); /* nothing of it was ever shown */
	arena_fini(&arena);
	return rc;
}

/* What changed in one folder that is in memory. */
static int refresh_folder(struct mailbox *mb, struct fs_folder *f, struct store *store,
    struct notices *ns, struct err *e)
{
	struct folder_changes now;
	struct arena arena = {0};
	int rc = -1;

	if (change_folder(store, (struct folder_id){f->id}, (struct store_modseq){f->modseq}, WHAT,
	        &arena, &now, e) < 0) {
		rc = e->code == ERR_NOTFOUND ? 0 : -1; /* the list of folders says it too */
		goto out;
	}
	pthread_mutex_lock(&mb->lock);
	f->changed_ms = now.info.changed_ms;
	if (now.reset) {
		/* What went is forgotten: everything is read anew when it is asked for. */
		bury(f, ns);
		f->is_gone = false;
	}
	for (size_t i = 0; i < now.expunged_n && !now.reset; i++)
		drop_message(f, now.expunged[i].n, ns);
	for (size_t i = 0; i < now.changed_n && !now.reset; i++)
		apply_message(f, &now.changed[i], ns);
	f->modseq = now.highestmodseq.n;
	pthread_mutex_unlock(&mb->lock);
	rc = 0;
out:
	arena_fini(&arena);
	return rc;
}

/* A folder whose messages were forgotten: the kernel may still hold attributes of them. */
static int tell_folder(struct fs_folder *f, struct store *store, struct notices *ns, struct err *e)
{
	struct folder_changes now;
	struct arena arena = {0};
	int rc = 0;

	notice_inode(ns, fs_folder_node(f), true);
	if (f->modseq == 0)
		return 0;
	if (change_folder(store, (struct folder_id){f->id}, (struct store_modseq){f->modseq},
	        MESSAGE_FLAGS, &arena, &now, e) < 0) {
		rc = e->code == ERR_NOTFOUND ? 0 : -1;
		goto out;
	}
	for (size_t i = 0; i < now.expunged_n; i++)
		notice_inode(ns, fs_msg_node(f, now.expunged[i].n), false);
	for (size_t i = 0; i < now.changed_n; i++)
		notice_inode(ns, fs_msg_node(f, now.changed[i].uid.n), false);
	f->modseq = now.highestmodseq.n;
out:
	arena_fini(&arena);
	return rc;
}

static int refresh_keywords(struct mailbox *mb, struct store *store, struct err *e)
{
	const char *names[63] = {0};
	struct arena arena = {0};
	int rc = flags_keywords(store, &arena, names, e);

	if (rc == 0) {
		pthread_mutex_lock(&mb->lock);
		for (int i = 0; i < 63; i++)
			if (!mb->keywords[i] || !names[i] || strcmp(mb->keywords[i], names[i]) != 0) {
				free(mb->keywords[i]);
				mb->keywords[i] = names[i] ? mem_str(names[i]) : NULL;
			}
		pthread_mutex_unlock(&mb->lock);
	}
	arena_fini(&arena);
	return rc;
}

/* ---- catching up ---------------------------------------------------------------------------- */

static int list_folders(struct mailbox *mb, struct store *store, struct notices *ns, struct err *e)
{
	struct arena arena = {0};
	struct folder_info *list;
	size_t n;
	int rc = folder_list(store, &arena, &list, &n, e);

	if (rc == 0) {
		pthread_mutex_lock(&mb->lock);
		apply_folders(mb, list, n, ns);
		pthread_mutex_unlock(&mb->lock);
	}
	arena_fini(&arena);
	return rc;
}

static int catch_up(struct mailbox *mb, struct store *store, struct notices *ns, struct err *e)
{
	struct store_status status;
	struct store_changes now = {0};
	struct arena arena = {0};
	int rc = -1;

	if (!mb->is_listed) {
		if (store_status(store, &status, e) < 0)
			goto out;
		now.modseq = status.modseq;
	} else if (change_store(store, (struct store_modseq){mb->modseq}, &arena, &now, e) < 0) {
		goto out;
	}
	if (!mb->is_listed || now.changed_n > 0 || now.gone_n > 0 || now.reset) {
		if (list_folders(mb, store, ns, e) < 0 || refresh_keywords(mb, store, e) < 0)
			goto out;
	}
	for (size_t i = 0; i < mb->n; i++) {
		struct fs_folder *f = mb->folders[i];
		bool changed = now.reset;

		for (size_t k = 0; k < now.changed_n && !changed; k++)
			changed = now.changed[k].n == f->id;
		if (!changed || f->is_gone || f->id == 0)
			continue;
		if ((f->is_loaded ? refresh_folder(mb, f, store, ns, e) : tell_folder(f, store, ns, e)) < 0)
			goto out;
	}
	mb->modseq = now.modseq.n;
	mb->is_listed = true;
	rc = 0;
out:
	arena_fini(&arena);
	return rc;
}

static bool is_current(struct mailbox *mb, struct fs_folder *f)
{
	return mb->is_listed && (!f || f->is_loaded || f->id == 0 || f->is_gone) &&
	    change_watch_counter(mb->watch) == atomic_load(&mb->seen);
}

int mailbox_sync_folder(struct mailbox *mb, struct fs_folder *f, struct err *e)
{
	struct mailbox_access access = {0};
	struct notices ns = {0};
	uint64_t counter;
	int rc = -1;

	if (pthread_mutex_trylock(&mb->sync) != 0) {
		lead_let_go();
		pthread_mutex_lock(&mb->sync);
	}
	if (is_current(mb, f)) {
		rc = 0;
		goto out;
	}
	lead_let_go();
	/* The counter first: what is committed behind it moves it again. */
	counter = change_watch_counter(mb->watch);
	if (mailbox_access(mb, &access, e) < 0)
		goto out;
	if (!mb->is_listed || counter != atomic_load(&mb->seen)) {
		if (catch_up(mb, access.store, &ns, e) < 0)
			goto out;
		atomic_store(&mb->seen, counter);
	}
	if (f && f->id && !f->is_loaded && !f->is_gone && load_folder(mb, f, access.store, e) < 0)
		goto out;
	rc = 0;
out:
	mailbox_access_end(&access);
	teller_tell(mb->tree->teller, &ns);
	pthread_mutex_unlock(&mb->sync);
	if (rc < 0)
		log_warn("mailbox-unreadable", "user=%s %s", LOG_Q(mb->name), log_err(e));
	return rc;
}

void mailbox_forget(struct mailbox *mb, struct fs_folder *f)
{
	pthread_mutex_lock(&mb->sync);
	pthread_mutex_lock(&mb->lock);
	fs_folder_clear(f);
	pthread_mutex_unlock(&mb->lock);
	pthread_mutex_unlock(&mb->sync);
}

int mailbox_sync(struct mailbox *mb, struct err *e)
{
	return mailbox_sync_folder(mb, NULL, e);
}

/* ---- the mailboxes of the mount ------------------------------------------------------------- */

static void rang(void *arg)
{
	struct mailbox *mb = arg;

	if (!atomic_exchange(&mb->has_rung, true))
		teller_ring(mb->tree->teller, mb);
}

/* A mailbox's files belong to the user's Unix account, or to the daemon's where he has none. */
static void set_owner(struct mailbox *mb, const char *unix_account)
{
	char buf[4096];
	struct passwd pw, *found = NULL;

	mb->uid = mb->tree->uid;
	mb->gid = mb->tree->gid;
	if (unix_account && getpwnam_r(unix_account, &pw, buf, sizeof buf, &found) == 0 && found) {
		mb->uid = pw.pw_uid;
		mb->gid = pw.pw_gid;
	}
}

static int mailbox_new(struct tree *t, const struct directory_user *user, struct mailbox **mb_r,
    struct err *e)
{
	struct mailbox *mb = mem_alloc(sizeof *mb);

	mb->tree = t;
	mb->user = user->id;
	mb->name = mem_str(user->name);
	pthread_mutex_init(&mb->lock, NULL);
	pthread_mutex_init(&mb->sync, NULL);
	set_owner(mb, user->unix_account);
	if (change_watch(t->site, mb->user, rang, mb, &mb->watch, e) < 0) {
		mailbox_free(&mb);
		return -1;
	}
	mb->top = folder_new(mb, 0, "");
	free(mb->top->name);
	mb->top->name = mem_str(user->name);
	*mb_r = mb;
	return 0;
}

void mailbox_free(struct mailbox **mbp)
{
	struct mailbox *mb = *mbp;

	if (!mb)
		return;
	if (mb->watch)
		change_unwatch(&mb->watch);
	for (size_t i = 0; i < mb->n; i++) {
		fs_folder_clear(mb->folders[i]);
		free(mb->folders[i]->path);
		free(mb->folders[i]->name);
		free(mb->folders[i]);
	}
	for (int i = 0; i < 63; i++)
		free(mb->keywords[i]);
	free(mb->folders);
	free(mb->name);
	pthread_mutex_destroy(&mb->sync);
	pthread_mutex_destroy(&mb->lock);
	mem_free(mbp);
}

static struct mailbox *known(struct tree *t, struct user_id user)
{
	for (size_t i = 0; i < t->mailboxes_n; i++)
		if (t->mailboxes[i]->user.n == user.n)
			return t->mailboxes[i];
	return NULL;
}

int mailbox_find(struct tree *t, const char *name, struct mailbox **mb_r, struct err *e)
{
	struct directory_user user;
	struct arena arena = {0};
	struct mailbox *mb = NULL;
	int rc = -1;

	if (directory_user_find(t->site, name, &arena, &user, e) < 0)
		goto out;
	/* One directory, one name: aliases and other spellings are for logins. */
	if (strcmp(user.name, name) != 0) {
		err_set(e, ERR_NOTFOUND, "user is called %s", user.name);
		goto out;
	}
	pthread_mutex_lock(&t->lock);
	mb = known(t, user.id);
	if (!mb && mailbox_new(t, &user, &mb, e) == 0) {
		if (t->mailboxes_n == t->mailboxes_size) {
			t->mailboxes_size = t->mailboxes_size ? t->mailboxes_size * 2 : 16;
			t->mailboxes =
			    mem_realloc(t->mailboxes, t->mailboxes_size * sizeof(struct mailbox *));
		}
		t->mailboxes[t->mailboxes_n++] = mb;
	}
	pthread_mutex_unlock(&t->lock);
	if (mb) {
		*mb_r = mb;
		rc = 0;
	}
out:
	arena_fini(&arena);
	return rc;
}
