/*
 * The settings page: the rows' values and the policies as numbers, in a file of the runtime folder
 * that every process maps read-only.  Two slots, of which the generation's last bit names the one in force;
 * a writer fills the other and then moves the generation.
 */
#ifndef LIMITS_REGISTRY_PAGE_H
#define LIMITS_REGISTRY_PAGE_H

#include "limits/registry_tree.h"

#include <stdatomic.h>
#include <sys/stat.h>

#define PAGE_POLICIES_MAX 256
#define PAGE_POLICY_NAME_SIZE 68
#define PAGE_POLICY_ROWS_MAX 16

/* Which registry.reg a slot was made from. */
struct page_stamp {
	uint64_t inode, size;
	int64_t mtime_ns;
};

struct page_policy {
	char name[PAGE_POLICY_NAME_SIZE];
	uint32_t values[PAGE_POLICY_ROWS_MAX];
};

struct page_slot {
	struct page_stamp stamp;
	uint32_t values[SETTINGS_N];
	uint32_t policies_n;
	struct page_policy policies[PAGE_POLICIES_MAX];
};

struct page {
	_Atomic uint64_t generation; /* 0: never filled */
	unsigned char spare[4088];
	_Alignas(4096) struct page_slot slots[2];
};

/* Opens and maps the page of this layout. NOSPACE, IO. */
WARN_UNUSED int page_open(int runtime_fd, int *fd_r, const struct page **page_r, struct err *e);
void page_close(int fd, const struct page *page);

/* The number of a policy row among the policy rows. */
unsigned page_policy_row(enum setting setting);

/* A slot from a tree; values that their row would refuse count as the default, and are logged. */
void page_fill(struct page_slot *slot, const struct reg_tree *tree, struct page_stamp stamp);
/* Under the registry's lock: puts a slot in force. */
WARN_UNUSED int page_publish(int fd, const struct page *page, const struct page_slot *slot,
    struct err *e);

static inline const struct page_slot *page_slot(const struct page *page, uint64_t generation)
{
	return &page->slots[generation & 1];
}

struct page_stamp page_stamp_of(const struct stat *st);
bool page_stamp_equal(struct page_stamp a, struct page_stamp b);

#endif
