/*
 * fs/rename.c - folders made, removed and renamed; files and messages removed, moved and named.
 *
 * Runs in the mailbox's lane: nobody else of this mount changes the mailbox meanwhile.  Another process
 * may; then the store's own answer is what counts.
 */
#include "fs/mailop.h"

#include "fs/err_map.h"
#include "fs/name.h"
#include "fs/tree.h"

#include "base/mem.h"
#include "mime/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a name of a folder stands for; at most one of the three is set. Mailbox locked. */
struct target {
	struct fs_folder *folder;
	struct draft *draft;
	uint32_t uid;
};

static struct target find_exactly(struct fs_folder *f, const char *name)
{
	struct target t = {0};
	struct fs_msg *m;
	bool is_alias;

	if ((t.folder = fs_folder_child(f, name)) || (t.draft = draft_by_name(f, PLACE_MAIL, name)))
		return t;
	if ((m = fs_folder_by_name(f, name, &is_alias)))
		t.uid = m->uid.n;
	return t;
}

static struct target find(struct fs_folder *f, const char *name)
{
	struct target t = find_exactly(f, name);
	struct str_buf composed = {0};

	if (!t.folder && !t.draft && !t.uid && name_compose(name, &composed))
		t = find_exactly(f, composed.p);
	str_buf_fini(&composed);
	return t;
}

/* The store's name of a folder called `name` in f. */
static int path_of(const struct fs_folder *f, const char *name, struct str_buf *out)
{
	struct str_buf component = {0};
	int err = name_folder_decode(name, &component);

	if (!err) {
		if (f->path[0])
			str_buf_printf(out, "%s/", f->path);
		str_buf_put(out, component.p, component.n);
	}
	str_buf_fini(&component);
	/* Nothing is called so, and nothing may be. */
	return err == ENOENT ? EINVAL : err;
}

static bool is_inbox(const struct fs_folder *f)
{
	return strcmp(f->path, "INBOX") == 0;
}

int mailop_make_folder(struct tree *t, struct mailbox *mb, const char *path)
{
	struct mailbox_access access;
	struct folder_id id;
	struct err e;
	int err = 0;

	(void)t;
	/* INBOX is one folder in any spelling. */
	if (strcasecmp(path, "INBOX") == 0)
		return EEXIST;
	if (mailbox_access(mb, &access, &e) < 0)
		return fs_errno(&e);
	if (folder_create(access.store, path, FOLDER_NO_USE, &id, &e) < 0)
		err = fs_errno(&e);
	mailbox_access_end(&access);
	return err ? err : mailop_sync(mb, NULL);
}

int mailop_mkdir(struct tree *t, struct fs_folder *f, const char *name)
{
	struct str_buf path = {0};
	int err = mailop_sync(f->mailbox, f);

	if (!err)
		err = path_of(f, name, &path);
	if (!err)
		err = mailop_make_folder(t, f->mailbox, path.p);
	str_buf_fini(&path);
	return err;
}

int mailop_unlink(struct tree *t, struct fs_folder *f, const char *name)
{
	struct mailbox *mb = f->mailbox;
	struct target what;
	int err = mailop_sync(mb, f);

	if (err)
		return err;
	pthread_mutex_lock(&mb->lock);
	what = find(f, name);
	if (what.draft)
		draft_unlink(what.draft);
	pthread_mutex_unlock(&mb->lock);
	if (what.folder)
		return EISDIR;
	if (what.draft || !what.uid)
		return what.draft ? 0 : ENOENT;
	err = mailop_remove(t, f, what.uid);
	return err ? err : mailop_sync(mb, NULL);
}

static int delete_folder(struct fs_folder *f)
{
	struct mailbox_access access;
	struct err e;
	int err = 0;

	if (mailbox_access(f->mailbox, &access, &e) < 0)
		return fs_errno(&e);
	/* Whatever came in since we looked: it stays, and so does the folder. */
	if (folder_delete_empty(access.store, f->path, &e) < 0)
		err = e.code == ERR_EXISTS ? ENOTEMPTY : fs_errno(&e);
	mailbox_access_end(&access);
	return err;
}

/* 0 when it may go: no messages, no files, no folders in it. */
static int may_go(struct fs_folder *f)
{
	int err;

	if (is_inbox(f) || f->use == FOLDER_TRASH)
		return EBUSY;
	if ((err = mailop_sync(f->mailbox, f)))
		return err;
	pthread_mutex_lock(&f->mailbox->lock);
	if (f->n > 0 || f->children)
		err = ENOTEMPTY;
	for (const struct draft *d = f->drafts; d; d = d->next)
		if (d->place == PLACE_MAIL || d->writers > 0 || d->is_closing)
			err = ENOTEMPTY;
	pthread_mutex_unlock(&f->mailbox->lock);
	return err;
}

int mailop_remove_folder(struct tree *t, struct fs_folder *f)
{
	int err;

	(void)t;
	if ((err = may_go(f)) || (err = delete_folder(f)))
		return err;
	return mailop_sync(f->mailbox, NULL);
}

int mailop_rmdir(struct tree *t, struct fs_folder *f, const char *name)
{
	struct mailbox *mb = f->mailbox;
	struct target what;
	int err = mailop_sync(mb, f);

	if (err)
		return err;
	pthread_mutex_lock(&mb->lock);
	what = find(f, name);
	pthread_mutex_unlock(&mb->lock);
	if (!what.folder)
		return what.draft || what.uid ? ENOTDIR : ENOENT;
	return mailop_remove_folder(t, what.folder);
}

static int rename_to(struct fs_folder *f, const char *path, struct fs_folder *over)
{
	struct mailbox_access access;
	struct err e;
	int err = 0;

	if (is_inbox(f))
		return EBUSY;
	if (strcasecmp(path, "INBOX") == 0)
		return EEXIST;
	if (over && ((err = may_go(over)) || (err = delete_folder(over))))
		return err;
	if (mailbox_access(f->mailbox, &access, &e) < 0)
		return fs_errno(&e);
	if (folder_rename(access.store, f->path, path, &e) < 0)
		err = fs_errno(&e);
	mailbox_access_end(&access);
	return err;
}

int mailop_rename_folder(struct tree *t, struct fs_folder *f, const char *path, bool noreplace)
{
	struct mailbox *mb = f->mailbox;
	struct fs_folder *over = NULL;
	int err;

	(void)t;
	pthread_mutex_lock(&mb->lock);
	for (size_t i = 0; i < mb->n; i++)
		if (!mb->folders[i]->is_gone && mb->folders[i]->id && strcmp(mb->folders[i]->path, path) == 0)
			over = mb->folders[i];
	pthread_mutex_unlock(&mb->lock);
	if (over == f)
		return 0;
	if (over && noreplace)
		return EEXIST;
	err = rename_to(f, path, over);
	return err ? err : mailop_sync(mb, NULL);
}

static int rename_folder(struct fs_folder *f, struct fs_folder *to, const char *to_name,
    struct fs_folder *over)
{
	struct str_buf path = {0};
	int err = path_of(to, to_name, &path);

	if (!err)
		err = rename_to(f, path.p, over);
	str_buf_fini(&path);
	return err;
}

/* A file that is no message yet: another name, or a message now. */
static int rename_draft(struct tree *t, struct draft *d, struct fs_folder *to, const char *to_name,
    const struct target *over)
{
	struct mailbox *mb = to->mailbox;
	int err;

	if (over->folder)
		return EISDIR;
	if (to->id == 0)
		return EPERM;
	if (name_use(to_name) == NAME_MAIL && (err = draft_write_err(d)))
		return err; /* half a message is none */
	if (name_use(to_name) == NAME_MAIL && d->writers == 0 && draft_size(d) > 0)
		return mailop_commit(t, d,
		    &(struct mailop_target){.folder = to, .name = to_name, .replaced = over->uid});
	if (over->uid)
		return EBUSY; /* still being written: it takes a message's place when it is closed */
	pthread_mutex_lock(&mb->lock);
	if (name_use(to_name) == NAME_SCRATCH && name_use(d->name) != NAME_SCRATCH && draft_scratch_is_full(mb)) {
		pthread_mutex_unlock(&mb->lock);
		return EDQUOT;
	}
	if (over->draft && over->draft != d)
		draft_unlink(over->draft);
	if (name_use(to_name) == NAME_MAIL && d->writers == 0)
		draft_unlink(d); /* empty: no message */
	else
		draft_move(d, to, PLACE_MAIL, to_name);
	pthread_mutex_unlock(&mb->lock);
	return 0;
}

/* The message is called to_name from now on; its own name needs not be kept. */
static int give_name(struct store *store, struct fs_folder *f, uint32_t uid, const char *to_name)
{
	struct fs_msg *m;
	bool has_it;
	struct err e;
	int err = mailop_sync(f->mailbox, f);

	if (err)
		return err;
	pthread_mutex_lock(&f->mailbox->lock);
	m = fs_folder_by_uid(f, uid);
	has_it = m && strcmp(m->name, to_name) == 0;
	pthread_mutex_unlock(&f->mailbox->lock);
	if (has_it)
		return 0;
	if (message_set_name(store, (struct folder_id){f->id}, (struct store_uid){uid}, to_name, &e) < 0)
		return fs_errno(&e);
	return 0;
}

static int move_message(struct store *store, struct fs_folder *from, uint32_t uid,
    struct fs_folder *to, uint32_t *uid_r)
{
	struct uid_range range = {uid, uid};
	struct message_copied moved;
	struct arena arena = {0};
	struct err e;
	int err = 0;

	if (message_move(store, (struct folder_id){from->id}, &range, 1, (struct folder_id){to->id},
	        &arena, &moved, &e) < 0)
		err = fs_errno(&e);
	else if (moved.n == 0)
		err = ENOENT;
	else
		*uid_r = moved.to[0].n;
	arena_fini(&arena);
	return err;
}

static int rename_message(struct tree *t, struct fs_folder *from, uint32_t uid,
    struct fs_folder *to, const char *to_name, const struct target *over)
{
	uint32_t replaced = from == to && over->uid == uid ? 0 : over->uid;
	struct mailbox_access access;
	struct err e;
	int err = 0;

	if (over->folder)
		return EISDIR;
	if (name_use(to_name) != NAME_MAIL)
		return EINVAL;
	if (to->id == 0)
		return EPERM;
	if (over->draft)
		return EBUSY;
	if (replaced && (err = mailop_remove(t, to, replaced)))
		return err;
	if (mailbox_access(to->mailbox, &access, &e) < 0)
		return fs_errno(&e);
	if (from != to)
		err = move_message(access.store, from, uid, to, &uid);
	if (!err)
		err = give_name(access.store, to, uid, to_name);
	mailbox_access_end(&access);
	return err;
}

int mailop_rename(struct tree *t, struct fs_folder *from, const char *name, struct fs_folder *to,
    const char *to_name, bool noreplace)
{
	struct mailbox *mb = from->mailbox;
	struct target what, over;
	int err;

	if (to->mailbox != mb)
		return EXDEV;
	if (strlen(to_name) > NAME_MAX_BYTES)
		return ENAMETOOLONG;
	if (!mime_utf8_valid(str_view(to_name, strlen(to_name))))
		return EILSEQ;
	if ((err = mailop_sync(mb, from)) || (err = mailop_sync(mb, to)))
		return err;
	pthread_mutex_lock(&mb->lock);
	what = find(from, name);
	over = find(to, to_name);
	if (what.draft)
		draft_ref(what.draft);
	pthread_mutex_unlock(&mb->lock);
	if (noreplace && (over.folder || over.draft || over.uid))
		err = EEXIST;
	else if (what.folder)
		err = over.draft || over.uid ? ENOTDIR : rename_folder(what.folder, to, to_name, over.folder);
	else if (what.draft && name_use(to_name) == NAME_REFUSED)
		err = EINVAL;
	else if (what.draft)
		err = rename_draft(t, what.draft, to, to_name, &over);
	else if (what.uid)
		err = rename_message(t, from, what.uid, to, to_name, &over);
	else
		err = ENOENT;
	if (what.draft)
		draft_put(&what.draft);
	return err ? err : mailop_sync(mb, NULL);
}
