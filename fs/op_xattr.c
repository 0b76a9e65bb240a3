/* fs/op_xattr.c - extended attributes. */
#include "fs/op.h"

#include <errno.h>
#include <string.h>

#define XATTR_USER "user."

/* Anything but user. is EOPNOTSUPP: then ls asks once, and not for each file (mount.md, 1.4). */
static bool is_user_xattr(const char *name)
{
	return strncmp(name, XATTR_USER, strlen(XATTR_USER)) == 0;
}

static void reply_xattr(fuse_req_t req, int err, const struct str_buf *value, size_t size)
{
	if (err)
		fuse_reply_err(req, err);
	else if (size == 0)
		fuse_reply_xattr(req, value->n);
	else if (size < value->n)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, value->p ? value->p : "", value->n);
}

static void getxattr_run(struct op *op)
{
	const struct node_row *row = op_row(op->n);
	struct str_buf value = {0};
	int err = op_refusal(op, op->n, OP_READ);

	if (!err)
		err = row && row->getxattr ? row->getxattr(op->t, op->n, op->name, &value) : ENODATA;
	reply_xattr(op->req, err, &value, op->size);
	str_buf_fini(&value);
}

void fs_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct op op = op_of(req, ino, getxattr_run);

	op.name = name;
	op.size = size;
	if (is_user_xattr(name))
		op_when_settled(&op);
	else
		op_reply_err(&op, EOPNOTSUPP);
}

static void listxattr_run(struct op *op)
{
	const struct node_row *row = op_row(op->n);
	struct str_buf names = {0};

	if (row && row->listxattr)
		row->listxattr(op->t, op->n, &names);
	reply_xattr(op->req, 0, &names, op->size);
	str_buf_fini(&names);
}

void fs_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct op op = op_of(req, ino, listxattr_run);

	op.size = size;
	op_when_settled(&op);
}

static void setxattr_run(struct op *op)
{
	const struct node_row *row = op_row(op->n);
	int err = EOPNOTSUPP;

	if (is_user_xattr(op->name))
		err = row && row->setxattr ? row->setxattr(op->t, op->n, op->name, op->octets) : EPERM;
	op_reply_err(op, err);
}

void fs_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
    size_t n, int flags)
{
	struct op op = op_of(req, ino, setxattr_run);

	(void)flags;
	op.name = name;
	op.octets = str_view(value, n);
	if (!op_is_refused(&op, OP_WRITE))
		op_later_settled(&op);
}

void fs_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	(void)ino;
	fuse_reply_err(req, is_user_xattr(name) ? EPERM : EOPNOTSUPP);
}
