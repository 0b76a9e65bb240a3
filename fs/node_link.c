/* fs/node_link.c - a link to a message, in view/USER/unread/ and its like.  Reading it takes no session. */
#include "fs/tree.h"

#include <errno.h>

/* Directories between the link and the top of the mount. */
static unsigned depth_of(struct node n)
{
	return n.kind == NODE_link ? 3 : 4;
}

/* Mailbox locked. */
static void put_target(struct node n, const struct fs_folder *f, const struct fs_msg *m,
    struct str_buf *out)
{
	for (unsigned i = 0; i < depth_of(n); i++)
		str_buf_puts(out, "../");
	tree_put_path(f, out);
	str_buf_putc(out, '/');
	str_buf_puts(out, m->name);
}

int fs_link_attr(struct tree *t, struct node n, struct stat *st)
{
	struct str_buf target = {0};
	struct fs_folder *f;
	struct fs_msg *m = fs_message_hold(t, n, &f);

	if (!m)
		return ESTALE;
	fs_message_stat(f, m, st);
	put_target(n, f, m, &target);
	st->st_mode = S_IFLNK | 0777;
	st->st_size = (off_t)target.n;
	st->st_blocks = 0;
	st->st_ino = tree_st_ino(t, f->mailbox->user.n, n.kind, f->id, m->uid.n);
	fs_message_let_go(f);
	str_buf_fini(&target);
	return 0;
}

int fs_link_read(struct tree *t, struct node n, struct str_buf *out)
{
	struct fs_folder *f;
	struct fs_msg *m = fs_message_hold(t, n, &f);

	if (!m)
		return ESTALE;
	put_target(n, f, m, out);
	fs_message_let_go(f);
	return 0;
}

const struct node_row node_link_row = {
	.name = "link",
	.attr = fs_link_attr,
	.folder = tree_folder,
	.readlink = fs_link_read,
};
