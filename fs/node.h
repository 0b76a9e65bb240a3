/*
 * Nodes of the mount, as numbers.  A node id says all there is to know: which kind of node (a row of
 * the node table), which slot of that kind's table (a folder, a draft, a registry key), which item in
 * it (a message's UID).  So nothing has to be remembered for what the kernel has looked up, FORGET costs
 * nothing, and a message that is gone is found to be gone by looking.
 */
#ifndef FS_NODE_H
#define FS_NODE_H

#include "store/store.h"

#include <stdint.h>
#include <sys/stat.h>

/* Rows: NODE(root), NODE(mail), ...; made from the list in fs/meson.build. */
enum node_kind {
	NODE_NONE,
#define NODE(name) NODE_##name,
#include "fs_nodes.tbl.h"
#undef NODE
	NODE_KINDS_N
};

struct node {
	enum node_kind kind;
	uint32_t slot, item;
};

#define NODE_SLOT_MAX ((1u << 26) - 1)
/* The kernel's number of the root (FUSE_ROOT_ID). */
#define NODE_ROOT_INO 1u

static inline uint64_t node_ino(struct node n)
{
	if (n.kind == NODE_root)
		return NODE_ROOT_INO;
	return (uint64_t)n.kind << 58 | (uint64_t)n.slot << 32 | n.item;
}

/* Kind NODE_NONE for a number that is none of ours. */
static inline struct node node_of_ino(uint64_t ino)
{
	uint32_t kind = (uint32_t)(ino >> 58);

	if (ino == NODE_ROOT_INO)
		return (struct node){.kind = NODE_root};
	if (kind >= NODE_KINDS_N)
		kind = NODE_NONE;
	return (struct node){(enum node_kind)kind, (uint32_t)(ino >> 32) & NODE_SLOT_MAX, (uint32_t)ino};
}

/* What LOOKUP and its like tell the kernel. */
struct node_entry {
	struct node node;
	struct stat st;
	double timeout_s; /* of the name and of the attributes; changes are told before (fs/teller.h) */
	double attr_timeout_s; /* of the attributes alone, where they hold longer than the name; else 0 */
};

#endif
