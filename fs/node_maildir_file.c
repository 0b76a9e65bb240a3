/*
 * fs/node_maildir_file.c - files in a Maildir that nobody has to write.
 *
 * `.uidvalidity` is where mbsync keeps the numbers that IMAP has anyway: it finds the real ones, and what it
 * writes there is theirs already.  `maildirfolder` marks a folder that is not the top (Maildir++).
 */
#include "fs/maildirfile.h"
#include "fs/maildir.h"
#include "fs/tree.h"

#include "fs/err_map.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static const char *const names[MAILDIR_FILES_N] = {
    [MAILDIR_UIDVALIDITY] = ".uidvalidity", [MAILDIR_MARK] = "maildirfolder"};

const char *maildirfile_name(enum maildirfile file)
{
	return names[file];
}

bool maildirfile_is_in(const struct fs_folder *dir, enum maildirfile file)
{
	return file != MAILDIR_MARK || dir != dir->mailbox->top;
}

enum maildirfile maildirfile_by_name(const struct fs_folder *dir, const char *name)
{
	for (int i = 0; i < MAILDIR_FILES_N; i++)
		if (strcmp(names[i], name) == 0 && maildirfile_is_in(dir, (enum maildirfile)i))
			return (enum maildirfile)i;
	return MAILDIR_FILES_N;
}

/* Mailbox locked. */
static void put_text(struct fs_folder *f, enum maildirfile file, struct str_buf *out)
{
	uint32_t highest = f->uidnext - 1; /* 0: all were given */

	if (file == MAILDIR_UIDVALIDITY)
		str_buf_printf(out, "%u\n%u\n", f->uidvalidity, highest);
}

static int file_attr(struct tree *t, struct node n, struct stat *st)
{
	struct fs_folder *f = tree_folder(t, n);
	struct str_buf text = {0};
	struct mailbox *mb;

	if (!f)
		return ESTALE;
	mb = f->mailbox;
	pthread_mutex_lock(&mb->lock);
	put_text(f, n.item, &text);
	tree_stat(t, st, S_IFREG | 0600, mb->uid, mb->gid, f->changed_ms);
	st->st_ino = tree_st_ino(t, mb->user.n, NODE_maildir_file, f->id, n.item);
	st->st_size = (off_t)text.n;
	pthread_mutex_unlock(&mb->lock);
	str_buf_fini(&text);
	return 0;
}

/* Sizes and contents change without anybody writing: nothing of them is kept by the kernel. */
static int file_open(struct tree *t, struct handle *h, int flags, struct node_open *how)
{
	struct fs_folder *f = tree_folder(t, h->node);
	struct notices ns = {0};
	struct err e;

	if (!f)
		return ESTALE;
	if (mailbox_sync_folder(f->mailbox, f, &e) < 0)
		return fs_errno(&e);
	h->may_write = (flags & O_ACCMODE) != O_RDONLY;
	how->direct_io = true;
	how->noflush = true;
	/* To read is not to go by it: grep -r does as well. */
	if (h->node.item == MAILDIR_UIDVALIDITY && h->may_write) {
		pthread_mutex_lock(&f->mailbox->lock);
		maildir_keeper_came(f, &ns);
		pthread_mutex_unlock(&f->mailbox->lock);
		teller_tell(t->teller, &ns);
		h->is_keeper = true;
	}
	return 0;
}

static void file_closing(struct tree *t, struct handle *h)
{
	struct fs_folder *f = slots_get(&t->folders, h->node.slot);

	if (!h->is_keeper)
		return;
	pthread_mutex_lock(&f->mailbox->lock);
	maildir_keeper_left(f);
	pthread_mutex_unlock(&f->mailbox->lock);
	h->is_keeper = false;
}

static int file_read(struct tree *t, struct handle *h, uint64_t at, char *octets, size_t n, size_t *n_r)
{
	struct fs_folder *f = tree_folder(t, h->node);
	struct str_buf text = {0};
	struct err e;

	if (!f)
		return ESTALE;
	if (mailbox_sync(f->mailbox, &e) < 0)
		return fs_errno(&e);
	pthread_mutex_lock(&f->mailbox->lock);
	put_text(f, h->node.item, &text);
	pthread_mutex_unlock(&f->mailbox->lock);
	*n_r = at >= text.n ? 0 : text.n - at < n ? text.n - at : n;
	memcpy(octets, str_buf_view(&text).p + (*n_r ? at : 0), *n_r);
	str_buf_fini(&text);
	return 0;
}

static int file_write(struct tree *t, struct handle *h, uint64_t at, const char *octets, size_t n)
{
	(void)t;
	(void)h;
	(void)at;
	(void)octets;
	(void)n;
	return 0;
}

static int file_set(struct tree *t, struct node n, const struct stat *st, unsigned what,
    const struct caller *who)
{
	return node_rows[NODE_folder]->set(t, n, st, what, who);
}

const struct node_row node_maildir_file_row = {
	.name = "maildir_file",
	.is_session = true,
	.attr = file_attr,
	.folder = tree_folder,
	.open = file_open,
	.closing = file_closing,
	.read = file_read,
	.write = file_write,
	.set = file_set,
};
