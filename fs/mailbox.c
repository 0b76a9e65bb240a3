/* fs/mailbox.c - the mailboxes of the mount, and the way to their store. */
#include "fs/mailbox_priv.h"

#include "fs/intern.h"
#include "fs/tree.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/directory.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* ---- the mailboxes of the mount ------------------------------------------------------------- */

static void rang(void *arg)
{
	struct mailbox *mb = arg;

	if (!atomic_exchange(&mb->has_rung, true))
		teller_ring(mb->tree->teller, mb);
}

struct owner {
	uid_t uid;
	gid_t gid;
};

/* A mailbox's files belong to the user's Unix account, or to the daemon's where he has none. */
static struct owner owner_of(const struct tree *t, const char *unix_account)
{
	char buf[4096];
	struct passwd pw, *found = NULL;

	if (unix_account && getpwnam_r(unix_account, &pw, buf, sizeof buf, &found) == 0 && found)
		return (struct owner){pw.pw_uid, pw.pw_gid};
	return (struct owner){t->uid, t->gid};
}

/* The user has another account, or none: what the kernel believes of whose files these are is called back.  It asks
 * anew at the top, a second later at the most. */
static void follow_account(struct mailbox *mb, const char *unix_account)
{
	uint64_t generation = directory_generation(mb->tree->site);
	struct notices ns = {0};
	struct owner owner;

	if (atomic_load(&mb->owner_at) == generation)
		return;
	owner = owner_of(mb->tree, unix_account);
	pthread_mutex_lock(&mb->lock);
	if (owner.uid != mb->uid || owner.gid != mb->gid) {
		mb->uid = owner.uid;
		mb->gid = owner.gid;
		for (size_t i = 0; i < mb->n; i++) {
			struct fs_folder *f = mb->folders[i];

			if (f->is_gone)
				continue;
			notice_inode(&ns, fs_folder_node(f), true);
			if (f->parent)
				tree_folder_went(f, &ns);
			for (size_t m = 0; m < f->n; m++)
				tree_message_changed(f, f->msgs[m], f->msgs[m], &ns);
		}
	}
	pthread_mutex_unlock(&mb->lock);
	atomic_store(&mb->owner_at, generation);
	teller_tell(mb->tree->teller, &ns);
}

/* The user has another name: he, or his domain, or the default one is called otherwise. */
static void follow_name(struct mailbox *mb, const char *name)
{
	if (atomic_load(&mb->name) == name)
		return;
	pthread_mutex_lock(&mb->lock);
	free(mb->top->name);
	mb->top->name = mem_str(name);
	pthread_mutex_unlock(&mb->lock);
	atomic_store(&mb->name, name);
}

/* name is interned. */
static int mailbox_new(struct tree *t, const struct directory_user *user, const char *name, struct mailbox **mb_r,
    struct err *e)
{
	struct mailbox *mb = mem_alloc(sizeof *mb);
	struct owner owner = owner_of(t, user->unix_account);

	mb->tree = t;
	mb->user = user->id;
	atomic_init(&mb->name, name);
	pthread_mutex_init(&mb->lock, NULL);
	pthread_mutex_init(&mb->sync, NULL);
	pthread_cond_init(&mb->arrived, NULL);
	mb->uid = owner.uid;
	mb->gid = owner.gid;
	if (change_watch(t->site, mb->user, rang, mb, &mb->watch, e) < 0) {
		mailbox_free(&mb);
		return -1;
	}
	mb->top = mailbox_folder_new(mb, 0, "");
	free(mb->top->name);
	mb->top->name = mem_str(name);
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
		free(mb->folders[i]->maildir.name);
		free(mb->folders[i]);
	}
	for (int i = 0; i < 63; i++)
		free(mb->keywords[i]);
	free(mb->folders);
	pthread_mutex_destroy(&mb->sync);
	pthread_cond_destroy(&mb->arrived);
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
	const char *kept;
	int rc = -1;

	if (directory_user_find(t->site, name, &arena, &user, e) < 0)
		goto out;
	/* One directory, one name: aliases and other spellings are for logins. */
	if (strcmp(user.name, name) != 0) {
		err_set(e, ERR_NOTFOUND, "user is called %s", user.name);
		goto out;
	}
	if (!(kept = intern_name(t, intern(t, name)))) {
		err_set(e, ERR_UNAVAILABLE, "there are no more numbers for names");
		goto out;
	}
	pthread_mutex_lock(&t->lock);
	mb = known(t, user.id);
	if (!mb && mailbox_new(t, &user, kept, &mb, e) == 0) {
		if (t->mailboxes_n == t->mailboxes_size) {
			t->mailboxes_size = t->mailboxes_size ? t->mailboxes_size * 2 : 16;
			t->mailboxes =
			    mem_realloc(t->mailboxes, t->mailboxes_size * sizeof(struct mailbox *));
		}
		t->mailboxes[t->mailboxes_n++] = mb;
	}
	pthread_mutex_unlock(&t->lock);
	if (mb) {
		follow_name(mb, kept);
		follow_account(mb, user.unix_account);
		*mb_r = mb;
		rc = 0;
	}
out:
	arena_fini(&arena);
	return rc;
}
