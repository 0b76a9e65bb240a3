/* fs/op.c - where an operation runs, and how it is answered. */
#include "fs/op.h"

#include "fs/mailop.h"
#include "fs/only.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct op op_of(fuse_req_t req, uint64_t ino, void (*run)(struct op *op))
{
	struct fs *fs = fuse_req_userdata(req);
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	return (struct op){.req = req, .t = &fs->tree, .run = run, .n = node_of_ino(ino),
	    .who = caller_of(&fs->tree, ctx->uid, ctx->gid, ctx->pid)};
}

/* Elsewhere the kernel has looked: the mount has default_permissions. */
int op_refusal(const struct op *op, struct node n, unsigned mask)
{
	const struct tree_only *only = &op->t->only;
	const struct node_row *row = op_row(n);
	struct stat st;
	unsigned mode;
	int err;

	if (!only->is_on || !row)
		return 0;
	if ((err = only_check(op->t)) || (err = row->attr(op->t, n, &st)))
		return err;
	mode = st.st_uid == only->uid ? st.st_mode >> 6 : st.st_mode;
	return (mode & mask) == mask ? 0 : EACCES;
}

bool op_is_refused(struct op *op, unsigned mask)
{
	int err = op_refusal(op, op->n, mask);

	if (err)
		op_reply_err(op, err);
	return err != 0;
}

const struct node_row *op_row(struct node n)
{
	return node_rows[n.kind];
}

struct fs_folder *op_folder(struct op *op)
{
	const struct node_row *row = op_row(op->n);

	return row && row->folder ? row->folder(op->t, op->n) : NULL;
}

static void run_copy(void *arg)
{
	struct op *op = arg;

	op->run(op);
	free((char *)op->name);
	free((char *)op->to_name);
	free((char *)op->octets.p);
	free(op);
}

void op_later(struct op *op, struct fs_folder *f)
{
	struct op *copy = mem_alloc(sizeof *copy);
	char *octets;

	*copy = *op;
	if (op->name)
		copy->name = mem_str(op->name);
	if (op->to_name)
		copy->to_name = mem_str(op->to_name);
	if (op->octets.n > 0) {
		octets = mem_alloc(op->octets.n);
		memcpy(octets, op->octets.p, op->octets.n);
		copy->octets.p = octets;
	} else {
		copy->octets.p = NULL;
	}
	pool_put(op->t->pool, f ? &f->mailbox->lane : &op->t->sys_lane, run_copy, copy);
}

/* Whether something that was closed before may change the answer. */
static bool waits(const struct op *op, struct fs_folder *f)
{
	return mailop_is_pending(f) && !(op->name && op_row(op->n)->has_settled_names);
}

void op_in_turn(struct op *op)
{
	struct fs_folder *f = op_folder(op);

	if (f && waits(op, f))
		op_later(op, f);
	else
		op->run(op);
}

void op_unless_slow(struct op *op)
{
	const struct node_row *row = op_row(op->n);

	if (row && row->is_slow && row->is_slow(op->t, op->n))
		op_later(op, op_folder(op));
	else
		op_in_turn(op);
}

static void settled_run(struct op *op)
{
	const struct node_row *row = op_row(op->n);

	switch (row && row->fate ? row->fate(op->t, op->n) : NODE_STAYS) {
	case NODE_STAYS:
		op->then(op);
		break;
	case NODE_BECOMES:
		op_later(op, op_folder(op));
		break;
	case NODE_BECAME:
		op_reply_err(op, ESTALE); /* the kernel looks its name up anew, and asks that */
	}
}

void op_when_settled(struct op *op)
{
	op->then = op->run;
	op->run = settled_run;
	op->run(op);
}

void op_later_settled(struct op *op)
{
	op->then = op->run;
	op->run = settled_run;
	op_later(op, op_folder(op));
}

void op_reply_err(struct op *op, int err)
{
	fuse_reply_err(op->req, err);
}

struct fuse_entry_param op_entry_param(const struct node_entry *entry)
{
	double attr_s = entry->attr_timeout_s > 0 ? entry->attr_timeout_s : entry->timeout_s;

	return (struct fuse_entry_param){.ino = entry->node.kind == NODE_NONE ? 0 : node_ino(entry->node),
	    .attr = entry->st, .attr_timeout = attr_s, .entry_timeout = entry->timeout_s};
}

void op_remember(struct tree *t, struct node n)
{
	if (op_row(n) && op_row(n)->remember)
		op_row(n)->remember(t, n);
}

void op_forget(struct tree *t, struct node n, uint64_t lookups)
{
	if (op_row(n) && op_row(n)->forget)
		op_row(n)->forget(t, n, lookups);
}

void op_reply_entry(struct op *op, int err, const struct node_entry *entry)
{
	struct fuse_entry_param param;

	if (err) {
		op_reply_err(op, err);
		return;
	}
	param = op_entry_param(entry);
	op_remember(op->t, entry->node);
	if (fuse_reply_entry(op->req, &param) < 0)
		op_forget(op->t, entry->node, 1);
}
