/*
 * fs/mailop.c - files become messages, messages go.
 *
 * A file that was closed must not evaporate: where its folder is gone it goes to INBOX, where its name
 * is taken it gets the usual one, and what can't be committed now stays a file and is tried again.
 */
#include "fs/mailop.h"

#include "fs/err_map.h"
#include "fs/flag.h"
#include "fs/maildir.h"
#include "fs/name.h"
#include "fs/tree.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/flags.h"
#include "store/maildir_letters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SCRATCH_KEEP_MS 3600000
#define COPY_BYTES 131072u

bool mailop_is_pending(const struct fs_folder *f)
{
	return atomic_load(&f->pending) > 0;
}

int mailop_sync(struct mailbox *mb, struct fs_folder *f)
{
	struct err e;

	return mailbox_sync_folder(mb, f, &e) < 0 ? fs_errno(&e) : 0;
}

/* ---- a file becomes a message ----------------------------------------------------------------- */

static int feed(struct draft *d, struct append *append, struct err *e)
{
	uint64_t at = 0, size = draft_size(d);
	size_t room = size < COPY_BYTES ? (size_t)size + 1 : COPY_BYTES, n;
	char *octets = mem_alloc(room);
	int rc = -1, err;

	while ((err = draft_read(d, at, octets, room, &n)) == 0 && n > 0) {
		if (append_write(append, octets, n, e) < 0)
			goto out;
		at += n;
	}
	rc = err ? err_sys(e, ERR_IO, err, "reading back a file of the mount") : 0;
out:
	free(octets);
	return rc;
}

/* What it is to be; the keywords live in the arena. */
static struct append_how how_of(struct draft *d, const struct mailop_target *to, struct arena *arena)
{
	struct append_how how = {.folder = {to->folder->id}, .idate_ms = d->mtime_ms, .name = to->name,
	    .flags = to->flags, .is_cur = to->place == PLACE_CUR, .uid = to->uid};
	const char **keywords = ARENA_ARRAY(arena, const char *, KEYWORDS_MAX + 1);
	struct flag_words words = {0};

	/* They were found right when they were set. */
	if (d->flags &&
	    flag_parse(d->folder->mailbox, str_view(d->flags, strlen(d->flags)), true, arena, &words) == 0)
		how.flags |= words.flags;
	memcpy(keywords, words.keywords, words.keywords_n * sizeof *keywords);
	how.keywords = keywords;
	how.keywords_n = words.keywords_n;
	if (to->forwarded)
		keywords[how.keywords_n++] = MAILDIR_FORWARDED;
	return how;
}

/* A Maildir tool's replacement is one change; of mail/ the old one goes to Trash afterwards. */
static bool is_replaced_at_once(const struct mailop_target *to)
{
	return to->replaced && to->place != PLACE_MAIL;
}

/* An append with all of it, ready to be committed. */
static int append_of(struct draft *d, struct store *store, struct append **append_r, struct err *e)
{
	if (append_begin(store, append_r, e) < 0)
		return -1;
	if (feed(d, *append_r, e) == 0 && append_finish(*append_r, e) == 0)
		return 0;
	append_abort(append_r);
	return -1;
}

static int append_once(struct draft *d, struct store *store, const struct mailop_target *to,
    struct store_uid *uid_r, struct err *e)
{
	struct append *append = NULL;
	struct append_done done;
	struct arena arena = {0};
	struct append_how how = how_of(d, to, &arena);
	int rc = append_of(d, store, &append, e);

	if (rc == 0)
		rc = is_replaced_at_once(to)
		    ? append_replace(&append, &how, how.folder, (struct store_uid){to->replaced}, &done, e)
		    : append_commit(&append, &how, 1, &done, e);
	if (rc == 0)
		*uid_r = done.uid;
	arena_fini(&arena);
	return rc;
}

static int append_anyhow(struct draft *d, struct store *store, const struct mailop_target *wish,
    struct store_uid *uid_r, struct err *e)
{
	struct mailop_target to = *wish;
	struct fs_folder inbox = {0};
	struct folder_info info;
	struct arena arena = {0};
	int rc;

	if (to.replaced && !is_replaced_at_once(&to))
		to.name = NULL; /* it gets it when the other is gone */
	rc = append_once(d, store, &to, uid_r, e);
	if (rc < 0 && to.name && e->code == ERR_EXISTS) {
		to.name = NULL;
		rc = append_once(d, store, &to, uid_r, e);
	}
	if (rc < 0 && e->code == ERR_NOTFOUND && folder_by_name(store, "INBOX", &arena, &info, e) == 0) {
		inbox.id = info.id.n;
		to = (struct mailop_target){.folder = &inbox, .flags = to.flags, .forwarded = to.forwarded};
		rc = append_once(d, store, &to, uid_r, e);
	}
	arena_fini(&arena);
	return rc;
}

static struct node dir_of(const struct draft *d)
{
	return d->place == PLACE_MAIL ? fs_folder_node(d->folder) : maildir_sub_node(d->folder, d->place);
}

/* It is a message now.  The directory, in dir_r, is another by that. */
static void retire(struct draft *d, const struct mailop_target *to, uint32_t uid, struct notices *ns,
    struct node *dir_r)
{
	struct mailbox *mb = to->folder->mailbox;

	pthread_mutex_lock(&mb->lock);
	*dir_r = dir_of(d);
	notice_entry(ns, *dir_r, d->name);
	d->became = uid;
	d->became_in = to->folder->slot;
	if (!to->keeps_file)
		draft_unlink(d);
	pthread_mutex_unlock(&mb->lock);
}

int mailop_commit(struct tree *t, struct draft *d, const struct mailop_target *to)
{
	struct mailbox *mb = to->folder->mailbox;
	struct mailbox_access access;
	struct notices ns = {0};
	struct store_uid uid;
	struct node dir;
	struct err e;
	int err = 0, sync_err;

	if (mailbox_access(mb, &access, &e) < 0)
		return fs_errno(&e);
	/* The new one first: whatever stops us here, nothing is lost; and once it is there the file goes, so
	 * that nothing is there twice. */
	if (append_anyhow(d, access.store, to, &uid, &e) < 0) {
		err = fs_errno(&e);
		journal_say(t->journal, "append-failed", "user=%s file=%s errno=%d %s", LOG_Q(mb->name),
		    LOG_Q(d->name), err, log_err(&e));
		goto out;
	}
	if (to->replaced && !is_replaced_at_once(to) && (err = mailop_remove(t, to->folder, to->replaced)) == 0 &&
	    message_set_name(access.store, (struct folder_id){to->folder->id}, uid, to->name, &e) < 0)
		err = fs_errno(&e);
	/* The message is shown before the file goes, so that the name is never missing. */
	sync_err = mailop_sync(mb, to->folder);
	retire(d, to, uid.n, &ns, &dir);
	notice_inode(&ns, dir, true);
	teller_tell(t->teller, &ns);
	if (!err)
		err = sync_err;
out:
	mailbox_access_end(&access);
	return err;
}

/* A closed file's name says what it becomes. */
static struct mailop_target target_of(struct draft *d, struct maildir_name *name)
{
	if (d->place != PLACE_MAIL && maildir_name_parse(d->name, name))
		return (struct mailop_target){.folder = d->folder, .place = d->place,
		    .name = maildir_name_to_keep(name), .uid = name->uid, .flags = name->flags,
		    .forwarded = name->forwarded};
	return (struct mailop_target){.folder = d->folder, .name = d->name};
}

/* ---- files that were closed: those of a mailbox that wait become messages together --------------- */

#define BATCH_N 64u
#define BATCH_OCTETS 1048576u
/* One file is committed at once; where many are closed one after the other, those of so long together, unless
 * somebody waits for them or they are a batch. */
#define GATHER_MS 3
/* The same where nobody is told of them at another door: IDLE wants its news within 10 ms. */
#define GATHER_UNHEARD_MS 40

struct batch {
	struct draft *drafts[BATCH_N];
	struct mailop_target to[BATCH_N];
	struct maildir_name names[BATCH_N];
	size_t n;
};

/* Of the first n: many small ones, or one large. */
static void take_batch(struct mailbox *mb, size_t n, struct batch *b)
{
	uint64_t octets = 0;

	b->n = 0;
	pthread_mutex_lock(&mb->lock);
	while (b->n < BATCH_N && b->n < n) {
		struct draft *d = mb->closed;

		octets += draft_size(d);
		if (b->n > 0 && octets > BATCH_OCTETS)
			break;
		mb->closed = d->next_closed;
		d->next_closed = NULL;
		b->drafts[b->n++] = d;
	}
	mb->closed_n -= b->n;
	pthread_mutex_unlock(&mb->lock);
	for (size_t i = 0; i < b->n; i++)
		b->to[i] = target_of(b->drafts[i], &b->names[i]);
}

/* In one commit, or not at all: then each by itself shows which of them can't be. */
static int append_all(struct batch *b, struct store *store, struct append_done *done, struct err *e)
{
	struct append *appends[BATCH_N] = {0};
	struct append_how how[BATCH_N];
	struct arena arena = {0};
	int rc = 0;

	for (size_t i = 0; i < b->n && rc == 0; i++) {
		how[i] = how_of(b->drafts[i], &b->to[i], &arena);
		rc = append_of(b->drafts[i], store, &appends[i], e);
	}
	if (rc == 0)
		rc = append_commit(appends, how, b->n, done, e);
	for (size_t i = 0; i < b->n; i++)
		append_abort(&appends[i]);
	arena_fini(&arena);
	return rc;
}

/* False: nothing of it was done. */
static bool commit_together(struct tree *t, struct mailbox *mb, struct batch *b)
{
	struct append_done done[BATCH_N];
	struct mailbox_access access;
	struct node dirs[BATCH_N];
	struct notices ns = {0};
	struct err e;
	bool is_done;

	if (mailbox_access(mb, &access, &e) < 0)
		return false;
	is_done = append_all(b, access.store, done, &e) == 0;
	mailbox_access_end(&access);
	if (!is_done)
		return false;
	for (size_t i = 0; i < b->n; i++) {
		mailop_sync(mb, b->to[i].folder); /* asks once per folder; what fails is asked again by who looks */
		retire(b->drafts[i], &b->to[i], done[i].uid.n, &ns, &dirs[i]);
	}
	for (size_t i = 0; i < b->n; i++)
		notice_inode(&ns, dirs[i], true);
	teller_tell(t->teller, &ns);
	return true;
}

static void finish(struct draft *d, bool has_failed)
{
	struct fs_folder *f = d->folder;

	pthread_mutex_lock(&f->mailbox->lock);
	d->is_closing = false;
	d->has_failed = has_failed && d->is_linked;
	pthread_mutex_unlock(&f->mailbox->lock);
	atomic_fetch_sub(&f->pending, 1);
	draft_put(&d);
}

/* Whether nobody who is told of new mail has the mailbox open: at another door, or as a follower of sys/. */
static bool is_unheard(const struct mailbox *mb)
{
	struct session_counts counts;
	struct err e;

	return atomic_load(&mb->tree->followers) == 0 && session_count(mb->tree->site, mb->user, &counts, &e) == 0 &&
	    counts.all == counts.by_service[SESSION_FS];
}

/* What is closed from now on has a job of its own, behind what was asked meanwhile. */
static void commit_job(void *arg)
{
	struct mailbox *mb = arg;
	struct batch *b = mem_alloc(sizeof *b);
	bool unheard = is_unheard(mb);
	size_t left;

	pthread_mutex_lock(&mb->lock);
	left = mb->closed_n;
	mb->closed_octets = 0;
	mb->is_commit_due = false;
	mb->is_unheard = unheard;
	mb->committed_ms = clock_mono_ms();
	pthread_mutex_unlock(&mb->lock);
	for (; left > 0; left -= b->n) {
		bool is_done;

		take_batch(mb, left, b);
		is_done = b->n > 1 && commit_together(mb->tree, mb, b);
		for (size_t i = 0; i < b->n; i++)
			finish(b->drafts[i], !is_done && mailop_commit(mb->tree, b->drafts[i], &b->to[i]) != 0);
	}
	free(b);
}

/* Mailbox locked. */
static void commit_later(struct tree *t, struct draft *d)
{
	struct mailbox *mb = d->folder->mailbox;

	d->is_closing = true;
	draft_ref(d);
	atomic_fetch_add(&d->folder->pending, 1);
	if (mb->closed_n++ == 0)
		mb->closed = d;
	else
		mb->last_closed->next_closed = d;
	mb->last_closed = d;
	mb->closed_octets += draft_size(d);
	if (!mb->is_commit_due) {
		int64_t ago = clock_mono_ms() - mb->committed_ms, gather = mb->is_unheard ? GATHER_UNHEARD_MS : GATHER_MS;

		pool_put_lazy(t->pool, &mb->lane, commit_job, mb, ago < gather ? gather - ago : 0);
	} else if (mb->closed_n >= BATCH_N || mb->closed_octets >= BATCH_OCTETS) {
		pool_hurry(t->pool, &mb->lane);
	}
	mb->is_commit_due = true;
}

void mailop_closing(struct tree *t, struct draft *d, bool drop)
{
	struct mailbox *mb = d->folder->mailbox;

	pthread_mutex_lock(&mb->lock);
	if (--d->writers == 0 && d->is_linked && !d->is_closing && draft_is_mail(d)) {
		/* A file that is empty when it is closed is no message, and no error; one that close(2) failed for
		 * is gone: its writer knows, and it would fill the disk for everybody. */
		if (drop || draft_size(d) == 0 || atomic_load(&d->was_told))
			draft_unlink(d);
		else
			commit_later(t, d);
	}
	pthread_mutex_unlock(&mb->lock);
}

void mailop_tick(struct tree *t, struct fs_folder *f)
{
	int64_t now = clock_wall_ms();
	struct draft *next;

	pthread_mutex_lock(&f->mailbox->lock);
	for (struct draft *d = f->drafts; d; d = next) {
		next = d->next;
		if (d->writers > 0 || d->is_closing)
			continue;
		if (d->has_failed)
			commit_later(t, d);
		else if (draft_is_scratch(d) && now - d->touched_ms > SCRATCH_KEEP_MS)
			draft_unlink(d);
	}
	pthread_mutex_unlock(&f->mailbox->lock);
}

/* ---- a message goes ----------------------------------------------------------------------------- */

static bool is_in_trash(const struct fs_folder *f)
{
	for (; f; f = f->parent)
		if (f->use == FOLDER_TRASH)
			return true;
	return false;
}

static int trash_of(struct mailbox *mb, struct store *store, struct folder_id *id_r, struct err *e)
{
	struct fs_folder *trash;

	pthread_mutex_lock(&mb->lock);
	trash = mailbox_folder_of_use(mb, FOLDER_TRASH, "Trash");
	if (trash)
		id_r->n = trash->id;
	pthread_mutex_unlock(&mb->lock);
	return trash ? 0 : folder_create(store, "Trash", FOLDER_TRASH, id_r, e);
}

int mailop_remove(struct tree *t, struct fs_folder *f, uint32_t uid)
{
	struct uid_range range = {uid, uid};
	struct mailbox_access access;
	struct message_copied moved;
	struct arena arena = {0};
	struct store_uid *gone;
	struct folder_id trash;
	struct err e;
	size_t n;
	int rc;

	if (mailbox_access(f->mailbox, &access, &e) < 0)
		return fs_errno(&e);
	if (t->rm_expunges || is_in_trash(f)) {
		rc = message_expunge(access.store, (struct folder_id){f->id}, &range, 1, false, &arena,
		    &gone, &n, &e);
	} else {
		rc = trash_of(f->mailbox, access.store, &trash, &e);
		if (rc == 0)
			rc = message_move(access.store, (struct folder_id){f->id}, &range, 1, trash, &arena,
			    &moved, &e);
	}
	mailbox_access_end(&access);
	arena_fini(&arena);
	return rc < 0 ? fs_errno(&e) : 0;
}

/* ---- flags ----------------------------------------------------------------------------------------- */

int mailop_set_flags(struct tree *t, struct fs_folder *f, uint32_t uid, struct str_view value)
{
	struct flags_change change = {.how = FLAGS_REPLACE};
	struct uid_range range = {uid, uid};
	struct mailbox_access access;
	struct flag_words words;
	struct arena arena = {0};
	struct message_info *now;
	struct store_uid *failed;
	size_t n, failed_n;
	struct err e;
	int err;

	(void)t;
	if ((err = flag_parse(f->mailbox, value, false, &arena, &words)))
		goto out;
	change.flags = words.flags;
	change.keywords = words.keywords;
	change.keywords_n = words.keywords_n;
	if (mailbox_access(f->mailbox, &access, &e) < 0) {
		err = fs_errno(&e);
		goto out;
	}
	if (flags_store(access.store, (struct folder_id){f->id}, &range, 1, &change, &arena, &now, &n,
	        &failed, &failed_n, &e) < 0)
		err = fs_errno(&e);
	else if (n == 0)
		err = ESTALE;
	mailbox_access_end(&access);
	if (!err)
		err = mailop_sync(f->mailbox, NULL);
out:
	arena_fini(&arena);
	return err;
}
