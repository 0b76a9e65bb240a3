/* fs/node_sysfile.c - a file of the control tree: its text is made at the open, and read from there. */
#include "fs/tree.h"

#include "fs/intern.h"
#include "fs/sysfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* The user a file is of; false: he is gone. */
static bool user_of(struct tree *t, struct node n, struct mailbox **mb_r)
{
	const char *name = intern_name(t, n.slot);
	struct err e;

	*mb_r = NULL;
	return !sysfiles[n.item].is_of_user || (name && mailbox_find(t, name, mb_r, &e) == 0);
}

static struct sys_whom whom_of(const struct mailbox *mb)
{
	return mb ? (struct sys_whom){mb->user, mb->name} : (struct sys_whom){{0}, NULL};
}

static int sysfile_attr(struct tree *t, struct node n, struct stat *st)
{
	struct mailbox *mb;

	if (n.item >= sysfiles_n || !user_of(t, n, &mb))
		return ESTALE;
	tree_stat(t, st, S_IFREG | sysfiles[n.item].mode, mb ? mb->uid : t->uid, mb ? mb->gid : t->gid,
	    t->started_ms);
	st->st_ino = tree_st_ino(t, mb ? mb->user.n : 0, NODE_sysfile, n.item, 0);
	return 0;
}

static int sysfile_open(struct tree *t, struct handle *h, int flags, struct node_open *how)
{
	const struct sysfile *file = &sysfiles[h->node.item];
	struct sys_whom whom;
	struct mailbox *mb;

	if (h->node.item >= sysfiles_n || !user_of(t, h->node, &mb))
		return ESTALE;
	whom = whom_of(mb);
	how->direct_io = true;
	h->may_write = (flags & O_ACCMODE) != O_RDONLY;
	if (h->may_write && !file->command)
		return EPERM;
	return (flags & O_ACCMODE) == O_WRONLY ? 0 : file->text(t, &whom, &h->text);
}

static int sysfile_write(struct tree *t, struct handle *h, uint64_t at, const char *octets,
    size_t n)
{
	struct sys_whom whom;
	struct mailbox *mb;

	(void)at;
	if (!user_of(t, h->node, &mb))
		return ESTALE;
	whom = whom_of(mb);
	return sysfiles[h->node.item].command(t, &whom, str_trim(str_view(octets, n)));
}

const struct node_row node_sysfile_row = {
	.name = "sysfile",
	.slow_writes = true,
	.attr = sysfile_attr,
	.open = sysfile_open,
	.read = sysfile_text_read,
	.write = sysfile_write,
	.set = sysfile_text_set,
};
