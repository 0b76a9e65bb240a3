/*
 * limits/registry.c - the registry: registry.reg in the store folder, and the page made from it.
 *
 * A writer takes the lock (a file of its own: registry.reg is replaced), reads registry.reg again, writes
 * the new one, and publishes the page.  Killed between the two, it leaves a page that does not
 * match the file; so does an editor.  Everyone compares the two, now and then, and the first to see
 * it makes the page anew.
 */
#include "limits/registry_priv.h"
#include "limits/registry_page.h"
#include "limits/runtime_priv.h"
#include "limits/setting.h"
#include "limits/site_priv.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define REG_FILE "registry.reg"
#define LOCK_FILE "settings.lock"
#define LOCK_WAIT_MS 5000
#define LOOK_EVERY_MS 5000

struct registry {
	int store_fd, lock_fd, page_fd;
	const struct page *page;
	_Atomic int64_t next_look_ms;
	pthread_mutex_t lock; /* in front of lock_fd: OFD locks exclude per open file */
	struct page_stamp bad;      /* the malformed file that was complained of */
};

/* ---- reading ---- */

uint32_t setting_get(struct site *site, enum setting setting)
{
	const struct page *page = site_registry(site)->page;
	uint64_t generation = atomic_load_explicit(&page->generation, memory_order_acquire);

	if (generation == 0)
		return setting_rows[setting].otherwise;
	return page_slot(page, generation)->values[setting];
}

/* A slot that is filled again while its names are compared belongs to the generation before the
 * last: then look again. */
bool registry_policy_value(struct site *site, const char *policy, enum setting setting,
    uint32_t *value_r)
{
	const struct page *page = site_registry(site)->page;
	unsigned row = page_policy_row(setting);
	uint64_t generation;
	bool found;

	do {
		generation = atomic_load_explicit(&page->generation, memory_order_acquire);
		const struct page_slot *slot = page_slot(page, generation);

		found = false;
		for (uint32_t i = 0; i < slot->policies_n && i < PAGE_POLICIES_MAX && !found; i++)
			if (strncasecmp(slot->policies[i].name, policy, PAGE_POLICY_NAME_SIZE) == 0) {
				*value_r = slot->policies[i].values[row];
				found = true;
			}
		atomic_thread_fence(memory_order_acquire);
	} while (generation != atomic_load_explicit(&page->generation, memory_order_relaxed));
	return found;
}

void registry_policy_bounds(struct site *site, enum setting setting, uint32_t *least_r, uint32_t *most_r)
{
	const struct page *page = site_registry(site)->page;
	unsigned row = page_policy_row(setting);
	uint64_t generation;

	do {
		generation = atomic_load_explicit(&page->generation, memory_order_acquire);
		const struct page_slot *slot = page_slot(page, generation);

		*least_r = UINT32_MAX;
		*most_r = 0;
		for (uint32_t i = 0; i < slot->policies_n && i < PAGE_POLICIES_MAX; i++) {
			uint32_t value = slot->policies[i].values[row];

			*least_r = value < *least_r ? value : *least_r;
			*most_r = value > *most_r ? value : *most_r;
		}
		atomic_thread_fence(memory_order_acquire);
	} while (generation != atomic_load_explicit(&page->generation, memory_order_relaxed));
}

/* ---- file and page ---- */

static int collect(void *arg, const struct reg_step *step, struct err *e)
{
	(void)e;
	reg_tree_apply(arg, step);
	return 0;
}

/* No file is an empty registry. */
static int load(const struct registry *registry, struct reg_tree *tree, struct page_stamp *stamp_r,
    struct err *e)
{
	struct str_buf text = {0};
	struct stat st = {0};
	int r = -1;

	if (fstatat(registry->store_fd, REG_FILE, &st, 0) < 0) {
		*stamp_r = (struct page_stamp){0};
		return errno == ENOENT ? 0 : err_sys(e, ERR_IO, errno, "stat " REG_FILE);
	}
	*stamp_r = page_stamp_of(&st);
	if (io_read_file(registry->store_fd, REG_FILE, 2 * REGISTRY_TEXT_MAX, &text, e) == 0)
		r = reg_text_parse(str_buf_view(&text), tree->arena, collect, tree, e);
	str_buf_fini(&text);
	return r < 0 ? err_context(e, REG_FILE) : 0;
}

static bool is_current(const struct registry *registry, struct page_stamp *stamp_r)
{
	uint64_t generation = atomic_load(&registry->page->generation);
	struct stat st;

	*stamp_r = (struct page_stamp){0};
	if (fstatat(registry->store_fd, REG_FILE, &st, 0) == 0)
		*stamp_r = page_stamp_of(&st);
	return generation != 0 &&
	    page_stamp_equal(page_slot(registry->page, generation)->stamp, *stamp_r);
}

static int publish(const struct registry *registry, const struct reg_tree *tree,
    struct page_stamp stamp, struct err *e)
{
	struct page_slot *slot = mem_alloc(sizeof *slot);
	int r;

	page_fill(slot, tree, stamp);
	r = page_publish(registry->page_fd, registry->page, slot, e);
	free(slot);
	return r;
}

static int lock(struct registry *registry, struct err *e)
{
	pthread_mutex_lock(&registry->lock);
	if (io_lock_until(registry->lock_fd, 0, 1, LOCK_WAIT_MS) == 0)
		return 0;
	err_sys(e, errno == ETIMEDOUT ? ERR_BUSY : ERR_IO, errno, "lock the settings");
	pthread_mutex_unlock(&registry->lock);
	return -1;
}

static void unlock(struct registry *registry)
{
	io_unlock(registry->lock_fd, 0, 1);
	pthread_mutex_unlock(&registry->lock);
}

/* Under the lock.  A malformed file leaves the page as it is, and is complained of once. */
static int rebuild(struct registry *registry, struct err *e)
{
	struct arena arena = {0};
	struct reg_tree tree = {.arena = &arena};
	struct page_stamp stamp;
	int r = 0;

	if (is_current(registry, &stamp))
		return 0;
	if (load(registry, &tree, &stamp, e) == 0) {
		r = publish(registry, &tree, stamp, e);
	} else if (!page_stamp_equal(registry->bad, stamp)) {
		registry->bad = stamp;
		log_error("registry-malformed", "%s kept=last-good", log_err(e));
	}
	arena_fini(&arena);
	return r;
}

static void look(struct registry *registry)
{
	struct page_stamp stamp;
	struct err e;

	if (is_current(registry, &stamp) || lock(registry, &e) < 0)
		return;
	if (rebuild(registry, &e) < 0)
		log_warn("registry-rebuild-failed", "%s", log_err(&e));
	unlock(registry);
}

void registry_look(struct site *site)
{
	struct registry *registry = site_registry(site);
	int64_t now_ms = clock_mono_ms(), due_ms = registry->next_look_ms;

	if (site_is_forked(site))
		return;
	if (now_ms >= due_ms && atomic_compare_exchange_strong(&registry->next_look_ms, &due_ms,
	        now_ms + LOOK_EVERY_MS))
		look(registry);
}

uint64_t registry_generation(struct site *site)
{
	registry_look(site);
	return atomic_load(&site_registry(site)->page->generation);
}

int registry_new(int store_fd, int runtime_fd, struct registry **registry_r, struct err *e)
{
	struct registry *registry = mem_alloc(sizeof *registry);
	struct page_stamp stamp;
	int r = 0;

	registry->store_fd = store_fd;
	registry->lock_fd = openat(runtime_fd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    RUNTIME_FILE_MODE);
	if (registry->lock_fd < 0) {
		err_sys(e, errno == EACCES ? ERR_PERM : ERR_IO, errno, "open " LOCK_FILE);
		free(registry);
		return -1;
	}
	if (page_open(runtime_fd, &registry->page_fd, &registry->page, e) < 0) {
		close(registry->lock_fd);
		free(registry);
		return -1;
	}
	pthread_mutex_init(&registry->lock, NULL);
	registry->next_look_ms = clock_mono_ms() + LOOK_EVERY_MS;
	if (!is_current(registry, &stamp) && (r = lock(registry, e)) == 0) {
		r = rebuild(registry, e);
		unlock(registry);
	}
	if (r < 0)
		registry_free(&registry);
	else
		*registry_r = registry;
	return r;
}

void registry_free(struct registry **registry)
{
	if (!*registry)
		return;
	page_close((*registry)->page_fd, (*registry)->page);
	close((*registry)->lock_fd);
	pthread_mutex_destroy(&(*registry)->lock);
	mem_free(registry);
}

/* ---- changing ---- */

static int save(struct registry *registry, const struct reg_tree *tree, struct err *e)
{
	struct str_buf text = {0};
	struct stat st;
	int r = -1;

	reg_text_print(tree, &text);
	if (text.n > REGISTRY_TEXT_MAX)
		err_set(e, ERR_TOOBIG, "the registry would be over %d bytes", REGISTRY_TEXT_MAX);
	else
		r = io_replace_file(registry->store_fd, REG_FILE, text.p, text.n, RUNTIME_FILE_MODE, e);
	str_buf_fini(&text);
	if (r == 0 && fstatat(registry->store_fd, REG_FILE, &st, 0) < 0)
		r = err_sys(e, ERR_IO, errno, "stat " REG_FILE);
	return r < 0 ? -1 : publish(registry, tree, page_stamp_of(&st), e);
}

int registry_update(struct site *site, int (*change)(void *arg, struct reg_tree *tree, struct err *e),
    void *arg, struct err *e)
{
	struct registry *registry = site_registry(site);
	struct arena arena = {0};
	struct reg_tree tree = {.arena = &arena};
	struct page_stamp stamp;
	int r;

	if (site_is_forked(site))
		return err_set(e, ERR_UNAVAILABLE, "a forked child changes no settings");
	if (lock(registry, e) < 0)
		return -1;
	r = load(registry, &tree, &stamp, e);
	if (r == 0)
		r = change(arg, &tree, e);
	if (r == 0)
		r = save(registry, &tree, e);
	unlock(registry);
	arena_fini(&arena);
	return r;
}

int registry_load(struct site *site, struct reg_tree *tree, struct err *e)
{
	struct page_stamp stamp;

	return load(site_registry(site), tree, &stamp, e);
}
