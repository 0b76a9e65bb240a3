/* fs/node_part.c - a file of a message's directory under parts/; it never changes. */
#include "fs/partdir.h"
#include "fs/partread.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static struct fs_folder *part_folder(struct tree *t, struct node n)
{
	struct fs_folder *f;
	uint32_t uid;

	return partdir_of(t, n, &f, &uid) ? f : NULL;
}

/* The file with the list it is in, one reference. */
static int find(struct tree *t, struct node n, struct fs_folder **f_r, uint32_t *uid_r,
    struct partlist **list_r, const struct partfile **file_r)
{
	struct node any;
	int err = partdir_of(t, n, f_r, uid_r) ? partdir_list(t, *f_r, *uid_r, &any, list_r) : ESTALE;

	if (err)
		return err;
	*file_r = partlist_file(*list_r, partdir_file_number(n));
	if (!*file_r) { /* a setting lets fewer be there than when it was looked up */
		partlist_put(list_r);
		return ESTALE;
	}
	return 0;
}

static int part_attr(struct tree *t, struct node n, struct stat *st)
{
	const struct partfile *file;
	struct partlist *list;
	struct fs_folder *f;
	uint32_t uid;
	int err = find(t, n, &f, &uid, &list, &file);

	if (err)
		return handle_stat_gone(t, n, st) ? 0 : err;
	partdir_stat(f, uid, list, file, st);
	partlist_put(&list);
	return 0;
}

static int part_open(struct tree *t, struct handle *h, int flags, struct node_open *how)
{
	const struct partfile *file;
	struct part_message m;
	struct partlist *list;
	struct fs_folder *f;
	uint32_t uid;
	int err;

	if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC))
		return EROFS;
	if ((err = find(t, h->node, &f, &uid, &list, &file)))
		return err;
	if ((err = partdir_message(f, uid, &m))) {
		partlist_put(&list);
		return err;
	}
	h->msg.content = m.content;
	h->msg.size_crlf = m.size_crlf;
	h->msg.serve = m.serve;
	pthread_mutex_lock(&t->lock); /* handle_stat_gone looks at all */
	partdir_stat(f, uid, list, file, &h->msg.st);
	pthread_mutex_unlock(&t->lock);
	h->part = partread_new(list, file);
	how->keep_cache = how->noflush = true;
	return 0;
}

const struct node_row node_part_row = {
	.name = "part",
	.is_session = true,
	.is_cached = true,
	.is_quick = true,
	.attr = part_attr,
	.folder = part_folder,
	.open = part_open,
	.read = fs_message_read,
	.remember = partdir_remember,
	.forget = partdir_forget,
};
