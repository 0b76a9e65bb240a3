/*
 * limits/registry_page.c - the settings page in the runtime folder.
 *
 * Programs of two versions may run at once (an upgrade), with other rows: the page's name carries a
 * hash of the rows, so each version has a page of its own, made from the same registry.reg.
 */
#include "limits/registry_page.h"
#include "limits/runtime_priv.h"
#include "limits/setting.h"
#include "base/check.h"
#include "base/io.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t hash_text(uint64_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3u;
	return (h ^ 0xff) * 0x100000001b3u;
}

static uint64_t layout(void)
{
	uint64_t h = 0xcbf29ce484222325u ^ sizeof(struct page);

	for (int i = 0; i < SETTINGS_N; i++) {
		const struct setting_row *row = &setting_rows[i];

		h = hash_text(hash_text(h, row->name), row->unit);
		h = (h ^ row->otherwise ^ (uint64_t)row->max << 32) * 0x100000001b3u;
	}
	return h;
}

/* Whole from the start: a mapping must not reach beyond the file's end, nor find the disk full. */
int page_open(int runtime_fd, int *fd_r, const struct page **page_r, struct err *e)
{
	char name[40];
	void *at;
	int fd, r;

	snprintf(name, sizeof name, "settings-%016llx", (unsigned long long)layout());
	fd = openat(runtime_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, RUNTIME_FILE_MODE);
	if (fd < 0)
		return err_sys(e, errno == EACCES ? ERR_PERM : ERR_IO, errno, "open the settings page");
	r = posix_fallocate(fd, 0, sizeof(struct page));
	if (r != 0) {
		close(fd);
		return err_sys(e, ERR_IO, r, "make the settings page");
	}
	at = mmap(NULL, sizeof(struct page), PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		r = errno;
		close(fd);
		return err_sys(e, ERR_IO, r, "map the settings page");
	}
	*fd_r = fd;
	*page_r = at;
	return 0;
}

void page_close(int fd, const struct page *page)
{
	munmap((void *)(uintptr_t)page, sizeof *page);
	close(fd);
}

unsigned page_policy_row(enum setting setting)
{
	unsigned n = 0;

	for (int i = 0; i < (int)setting; i++)
		n += setting_rows[i].scope == REG_POLICY;
	CHECK(n < PAGE_POLICY_ROWS_MAX);
	return n;
}

static uint32_t number_in(const struct reg_key *key, enum setting setting, uint32_t otherwise)
{
	const struct reg_value *value = key ? reg_key_find(key, setting_rows[setting].name) : NULL;
	uint32_t number;
	struct err e;

	if (!value)
		return otherwise;
	if (setting_number(setting, value, &number, &e) < 0) {
		log_warn("setting-ignored", "key=\"%s\" %s", key->path, log_err(&e));
		return otherwise;
	}
	return number;
}

static void fill_policy(struct page_slot *slot, const struct reg_key *key, const char *name)
{
	struct page_policy *policy = &slot->policies[slot->policies_n++];

	snprintf(policy->name, sizeof policy->name, "%s", name);
	for (int i = 0; i < SETTINGS_N; i++)
		if (setting_rows[i].scope == REG_POLICY)
			policy->values[page_policy_row((enum setting)i)] =
			    number_in(key, (enum setting)i, slot->values[i]);
}

/* What a policy does not say, the default policy does. */
static void fill_policies(struct page_slot *slot, const struct reg_tree *tree)
{
	for (size_t i = 0; i < tree->n; i++) {
		const char *name = setting_policy_of(tree->keys[i].path);

		if (!name || strlen(name) >= PAGE_POLICY_NAME_SIZE)
			continue;
		if (slot->policies_n == PAGE_POLICIES_MAX) {
			log_warn("policy-ignored", "policy=%s max=%d", LOG_Q(name), PAGE_POLICIES_MAX);
			continue;
		}
		fill_policy(slot, &tree->keys[i], name);
	}
}

void page_fill(struct page_slot *slot, const struct reg_tree *tree, struct page_stamp stamp)
{
	memset(slot, 0, sizeof *slot);
	slot->stamp = stamp;
	for (int i = 0; i < SETTINGS_N; i++) {
		enum setting setting = (enum setting)i;

		slot->values[i] = number_in(reg_tree_find(tree, setting_scope_key(setting_rows[i].scope)),
		    setting, setting_rows[i].otherwise);
	}
	fill_policies(slot, tree);
}

/* A reader takes the generation first, so it must not move before the slot is whole.  Half of the
 * eight bytes seen would still name a slot by its last bit. */
int page_publish(int fd, const struct page *page, const struct page_slot *slot, struct err *e)
{
	uint64_t next = atomic_load(&page->generation) + 1;
	off_t at = (off_t)offsetof(struct page, slots) + (off_t)((next & 1) * sizeof *slot);

	if (io_pwrite_all(fd, slot, sizeof *slot, at) < 0 ||
	    io_pwrite_all(fd, &next, sizeof next, (off_t)offsetof(struct page, generation)) < 0)
		return err_sys(e, ERR_IO, errno, "write the settings page");
	return 0;
}

struct page_stamp page_stamp_of(const struct stat *st)
{
	return (struct page_stamp){(uint64_t)st->st_ino, (uint64_t)st->st_size,
	    (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec};
}

bool page_stamp_equal(struct page_stamp a, struct page_stamp b)
{
	return a.inode == b.inode && a.size == b.size && a.mtime_ns == b.mtime_ns;
}
