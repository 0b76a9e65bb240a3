/*
 * fs/maildirop.c - the operations of Maildir tools.
 *
 * A rename is what the tool wants to change, not what is to be: from the letters it saw to those it writes.
 * So a flag that IMAP has set meanwhile stays.
 */
#include "fs/maildirop.h"

#include "fs/err_map.h"
#include "fs/mailop.h"
#include "fs/tree.h"

#include "base/clock.h"
#include "store/flags.h"
#include "store/maildir_letters.h"

#include <errno.h>
#include <string.h>

/* A time can be set so long after a message came. */
#define REDATE_MS 60000

/* What the kernel holds under a name that we list otherwise. */
static void drop_name(struct tree *t, struct fs_folder *f, enum fs_place place, const char *name)
{
	struct notices ns = {0};
	struct maildir_found found;

	pthread_mutex_lock(&f->mailbox->lock);
	found = maildir_find(f, place, name);
	if (!found.m || found.is_alias)
		notice_entry(&ns, maildir_sub_node(f, place), name);
	pthread_mutex_unlock(&f->mailbox->lock);
	teller_tell(t->teller, &ns);
}

static int expunge(struct store *store, struct fs_folder *f, uint32_t uid)
{
	struct uid_range range = {uid, uid};
	struct arena arena = {0};
	struct store_uid *gone;
	struct err e;
	size_t n;
	int err = 0;

	if (message_expunge(store, (struct folder_id){f->id}, &range, 1, false, &arena, &gone, &n, &e) < 0)
		err = fs_errno(&e);
	arena_fini(&arena);
	return err;
}

int maildirop_unlink(struct tree *t, struct fs_folder *f, enum fs_place place, const char *name)
{
	struct mailbox *mb = f->mailbox;
	struct mailbox_access access;
	struct maildir_found found;
	uint32_t uid = 0;
	struct err e;
	int err = mailop_sync(mb, f);

	(void)t;
	if (err)
		return err;
	pthread_mutex_lock(&mb->lock);
	found = maildir_find(f, place, name);
	if (found.d)
		draft_unlink(found.d);
	else if (found.m)
		uid = found.m->uid.n;
	else
		err = ENOENT;
	pthread_mutex_unlock(&mb->lock);
	if (err || uid == 0)
		return err;
	/* The tool has decided: it has a trash of its own, or wants none. */
	if (mailbox_access(mb, &access, &e) < 0)
		return fs_errno(&e);
	err = expunge(access.store, f, uid);
	mailbox_access_end(&access);
	return err ? err : mailop_sync(mb, NULL);
}

/* ---- flags ---------------------------------------------------------------------------------------------- */

static int store_letters(struct store *store, struct fs_folder *f, uint32_t uid, enum flags_how how,
    struct fs_letters letters, enum flags_place place)
{
	static const char *const forwarded[] = {MAILDIR_FORWARDED};
	struct flags_change change = {.how = how, .flags = letters.flags, .keywords = forwarded,
	    .keywords_n = letters.forwarded, .place = place};
	struct uid_range range = {uid, uid};
	struct arena arena = {0};
	struct message_info *now;
	struct store_uid *failed;
	size_t n, failed_n;
	struct err e;
	int err = 0;

	if (flags_store(store, (struct folder_id){f->id}, &range, 1, &change, &arena, &now, &n, &failed,
	        &failed_n, &e) < 0)
		err = fs_errno(&e);
	else if (n == 0)
		err = ENOENT;
	arena_fini(&arena);
	return err;
}

/* from: the letters that the tool saw. */
static int change_flags(struct store *store, struct fs_folder *f, uint32_t uid, struct fs_letters from,
    const struct maildir_name *to, enum fs_place place)
{
	struct fs_letters add = {0}, remove = {0};
	int err;

	if (to->info != MAILDIR_OTHER_INFO) {
		add = (struct fs_letters){.flags = to->flags & ~from.flags,
		    .forwarded = to->forwarded && !from.forwarded};
		remove = (struct fs_letters){.flags = from.flags & ~to->flags,
		    .forwarded = from.forwarded && !to->forwarded};
	}
	err = store_letters(store, f, uid, FLAGS_ADD, add, place == PLACE_CUR ? FLAGS_IN_CUR : FLAGS_IN_NEW);
	if (!err && (remove.flags || remove.forwarded))
		err = store_letters(store, f, uid, FLAGS_REMOVE, remove, FLAGS_ANY_PLACE);
	return err;
}

/* ---- a file becomes a message ----------------------------------------------------------------------------- */

static int deliver(struct tree *t, struct draft *d, struct fs_folder *to, enum fs_place place,
    const struct maildir_name *name, uint32_t replaced, bool keeps_file)
{
	struct mailop_target target = {.folder = to, .name = maildir_name_to_keep(name), .replaced = replaced,
	    .place = place, .uid = name->uid, .flags = name->flags, .forwarded = name->forwarded,
	    .keeps_file = keeps_file};

	return mailop_commit(t, d, &target);
}

/* ---- rename ----------------------------------------------------------------------------------------------- */

static int give_base(struct store *store, struct fs_folder *f, uint32_t uid, const char *base)
{
	struct err e;

	/* Another has it: then it goes by the usual one. */
	if (message_set_name(store, (struct folder_id){f->id}, (struct store_uid){uid}, base, &e) < 0 &&
	    e.code != ERR_EXISTS)
		return fs_errno(&e);
	return 0;
}

static int transfer(struct store *store, struct fs_folder *from, struct fs_folder *to, bool is_move,
    uint32_t *uid)
{
	struct uid_range range = {*uid, *uid};
	struct message_copied done;
	struct arena arena = {0};
	struct err e;
	int err = 0;

	if ((is_move ? message_move : message_copy)(store, (struct folder_id){from->id}, &range, 1,
	        (struct folder_id){to->id}, &arena, &done, &e) < 0)
		err = fs_errno(&e);
	else if (done.n == 0)
		err = ENOENT;
	else
		*uid = done.to[0].n;
	arena_fini(&arena);
	return err;
}

/* What is renamed, or linked, and how it was called. */
struct source {
	struct fs_folder *folder;
	uint32_t uid;
	struct fs_letters letters;
	char base[NAME_MAX_BYTES + 1];
};

static struct source source_of(struct fs_folder *f, const struct fs_msg *m)
{
	struct source s = {f, m->uid.n, maildir_letters(f, m), ""};
	struct str_buf base = {0};

	maildir_put_base(m, &base);
	memcpy(s.base, base.p, base.n + 1);
	str_buf_fini(&base);
	return s;
}

static int put_message(struct source *s, struct fs_folder *to, enum fs_place place,
    const struct maildir_name *name, uint32_t replaced, bool is_move)
{
	const char *base = maildir_name_to_keep(name);
	struct mailbox_access access;
	struct err e;
	int err = 0;

	if (mailbox_access(to->mailbox, &access, &e) < 0)
		return fs_errno(&e);
	if (replaced)
		err = expunge(access.store, to, replaced);
	if (!err && (to != s->folder || !is_move))
		err = transfer(access.store, s->folder, to, is_move, &s->uid);
	if (!err && base && (to != s->folder || !is_move || strcmp(base, s->base) != 0))
		err = give_base(access.store, to, s->uid, base);
	if (!err)
		err = change_flags(access.store, to, s->uid, s->letters, name, place);
	mailbox_access_end(&access);
	return err ? err : mailop_sync(to->mailbox, NULL);
}

/* A file that is none yet: mail, or scratch that is called otherwise. */
static int rename_draft(struct tree *t, struct draft *d, struct fs_folder *to, enum fs_place place,
    const char *to_name, const struct maildir_name *name, uint32_t replaced)
{
	struct mailbox *mb = to->mailbox;
	struct draft *over;
	int err = 0;

	if (d->became)
		return EBUSY;
	if (name && draft_size(d) == 0)
		return EINVAL; /* an empty file is no message */
	if (name && (err = draft_write_err(d)))
		return err; /* half a message is none */
	if (name)
		return deliver(t, d, to, place, name, replaced, false);
	pthread_mutex_lock(&mb->lock);
	over = draft_by_name(to, place, to_name);
	if (!draft_is_scratch(d) && draft_scratch_is_full(mb))
		err = EDQUOT;
	if (!err && over && over != d)
		draft_unlink(over);
	if (!err)
		draft_move(d, to, place, to_name);
	pthread_mutex_unlock(&mb->lock);
	return err;
}

/* Whose place a name takes: the message with its base, whatever the flags. */
static uint32_t replaced_by(struct fs_folder *to, const struct maildir_name *name,
    const struct fs_folder *from, const struct fs_msg *m)
{
	struct fs_msg *there = maildir_by_base(to, name);

	return there && !(to == from && there == m) ? there->uid.n : 0;
}

int maildirop_rename(struct tree *t, struct fs_folder *from, enum fs_place place, const char *name,
    struct fs_folder *to, enum fs_place to_place, const char *to_name, bool noreplace)
{
	struct mailbox *mb = from->mailbox;
	bool is_message = to_place != PLACE_TMP && to_name[0] != '.';
	struct maildir_name was, now;
	struct maildir_found found;
	struct source source = {0};
	uint32_t replaced = 0;
	int err;

	if (to->mailbox != mb)
		return EXDEV;
	if (strlen(to_name) > NAME_MAX_BYTES)
		return ENAMETOOLONG;
	if (is_message && !maildir_name_parse(to_name, &now))
		return EINVAL;
	if ((err = mailop_sync(mb, from)) || (err = mailop_sync(mb, to)))
		return err;
	pthread_mutex_lock(&mb->lock);
	found = maildir_find(from, place, name);
	if (is_message)
		replaced = replaced_by(to, &now, from, found.m);
	if (found.d)
		draft_ref(found.d);
	if (found.m) {
		source = source_of(from, found.m);
		/* Of a name that is out of date: what the tool saw, and not what is. */
		if (found.is_stale && maildir_name_parse(name, &was) && was.info != MAILDIR_OTHER_INFO)
			source.letters = (struct fs_letters){.flags = was.flags, .forwarded = was.forwarded};
	}
	pthread_mutex_unlock(&mb->lock);
	if (noreplace && replaced)
		err = EEXIST;
	else if (found.d)
		err = rename_draft(t, found.d, to, to_place, to_name, is_message ? &now : NULL, replaced);
	else if (!found.m)
		err = ENOENT;
	else if (!is_message)
		err = EPERM; /* a message does not become a file again */
	else
		err = put_message(&source, to, to_place, &now, replaced, true);
	if (found.d)
		draft_put(&found.d);
	if (!err && is_message)
		drop_name(t, to, to_place, to_name);
	return err;
}

/* ---- link ------------------------------------------------------------------------------------------------- */

static int link_message(struct tree *t, struct fs_folder *to, enum fs_place place,
    const struct maildir_name *name, struct node n, uint32_t *uid_r)
{
	struct fs_folder *from = tree_folder(t, n);
	struct source source = {0};
	struct fs_msg *m;
	int err;

	if (!from || from->mailbox != to->mailbox)
		return EXDEV;
	if ((err = mailop_sync(from->mailbox, from)))
		return err;
	pthread_mutex_lock(&from->mailbox->lock);
	m = fs_folder_by_uid(from, n.item);
	if (m)
		source = source_of(from, m);
	pthread_mutex_unlock(&from->mailbox->lock);
	err = m ? put_message(&source, to, place, name, 0, false) : ENOENT;
	*uid_r = source.uid;
	return err;
}

static int link_draft(struct tree *t, struct fs_folder *to, enum fs_place place,
    const struct maildir_name *name, struct draft *d, uint32_t *uid_r)
{
	int err;

	if (d->folder->mailbox != to->mailbox)
		return EXDEV;
	if (d->place == PLACE_MAIL || d->place == PLACE_SIDE || d->became || draft_size(d) == 0)
		return EPERM;
	if ((err = draft_write_err(d)))
		return err;
	err = deliver(t, d, to, place, name, 0, true);
	*uid_r = d->became;
	return err;
}

int maildirop_link(struct tree *t, struct fs_folder *f, enum fs_place place, const char *name,
    struct node n, uint32_t *uid_r)
{
	struct maildir_name parsed;
	struct draft *d;
	bool is_taken;
	int err;

	if (strlen(name) > NAME_MAX_BYTES)
		return ENAMETOOLONG;
	if (place == PLACE_TMP || !maildir_name_parse(name, &parsed))
		return EPERM;
	if ((err = mailop_sync(f->mailbox, f)))
		return err;
	pthread_mutex_lock(&f->mailbox->lock);
	is_taken = maildir_by_base(f, &parsed) != NULL;
	pthread_mutex_unlock(&f->mailbox->lock);
	if (is_taken)
		return EEXIST;
	if (n.kind == NODE_message || n.kind == NODE_maildir_stale)
		err = link_message(t, f, place, &parsed, n, uid_r);
	else if (n.kind == NODE_draft && (d = draft_of_node(t, n)))
		err = link_draft(t, f, place, &parsed, d, uid_r);
	else
		err = EPERM;
	if (!err)
		drop_name(t, f, place, name);
	return err;
}

/* ---- times ------------------------------------------------------------------------------------------------ */

int maildirop_redate(struct tree *t, struct fs_folder *f, uint32_t uid, int64_t ms)
{
	struct mailbox *mb = f->mailbox;
	struct mailbox_access access;
	struct store_uid new_uid;
	struct fs_msg *m;
	struct err e;
	int err = mailop_sync(mb, f);

	(void)t;
	if (err)
		return err;
	pthread_mutex_lock(&mb->lock);
	m = fs_folder_by_uid(f, uid);
	if (!m)
		err = ESTALE;
	else if (m->idate_ms / 1000 == ms / 1000)
		uid = 0; /* it has it */
	else if (!m->is_base || m->is_named || clock_wall_ms() - m->idate_ms > REDATE_MS)
		err = EPERM;
	pthread_mutex_unlock(&mb->lock);
	if (err || uid == 0)
		return err;
	if (mailbox_access(mb, &access, &e) < 0)
		return fs_errno(&e);
	if (message_redate(access.store, (struct folder_id){f->id}, (struct store_uid){uid}, ms, &new_uid, &e) < 0)
		err = fs_errno(&e);
	mailbox_access_end(&access);
	return err ? err : mailop_sync(mb, NULL);
}
