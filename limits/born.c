/* limits/born.c - a table of keys that only grows: open addressing, a slot taken by one compare-and-exchange. */
#include "limits/born.h"
#include "limits/runtime_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS_N 65536u
#define LOOKS_MAX 64u

struct born {
	_Atomic uint64_t is_used;
	_Atomic uint64_t keys[SLOTS_N];
};

/* Whole on the disk before anybody maps it: a full tmpfs is an error here, not a SIGBUS later. */
int born_make(int runtime_fd, struct err *e)
{
	int fd = openat(runtime_fd, BORN_FILE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, RUNTIME_FILE_MODE);
	int r = fd < 0 ? errno : posix_fallocate(fd, 0, (off_t)sizeof(struct born));

	if (fd >= 0)
		close(fd);
	return r == 0 ? 0 : err_sys(e, r == ENOSPC ? ERR_NOSPACE : ERR_IO, r, "make " BORN_FILE " in the runtime folder");
}

int born_forget(int runtime_fd, struct err *e)
{
	struct born *born = born_open(runtime_fd);
	bool is_used = born && born->is_used;

	born_close(&born);
	if (!is_used)
		return 0;
	if (unlinkat(runtime_fd, BORN_FILE, 0) < 0)
		return err_sys(e, ERR_IO, errno, "remove " BORN_FILE " in the runtime folder");
	return born_make(runtime_fd, e);
}

struct born *born_open(int runtime_fd)
{
	int fd = openat(runtime_fd, BORN_FILE, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(struct born), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	return at == MAP_FAILED ? NULL : at;
}

void born_close(struct born **born)
{
	if (*born)
		munmap(*born, sizeof **born);
	*born = NULL;
}

/* The slot of a key: the one it has, or a free one; NULL: none is near. */
static _Atomic uint64_t *slot_of(struct born *born, uint64_t key)
{
	uint64_t at = key * 0x9e3779b97f4a7c15u >> 48;

	for (unsigned i = 0; born && i < LOOKS_MAX; i++) {
		_Atomic uint64_t *slot = &born->keys[(at + i) % SLOTS_N];
		uint64_t there = atomic_load(slot);

		if (there == key || there == 0)
			return slot;
	}
	return NULL;
}

bool born_has(struct born *born, uint64_t key)
{
	_Atomic uint64_t *slot = slot_of(born, key);

	return slot && atomic_load(slot) == key;
}

void born_add(struct born *born, uint64_t key)
{
	_Atomic uint64_t *slot;
	uint64_t was;

	if (born)
		born->is_used = 1;
	do {
		slot = slot_of(born, key);
		was = 0;
	} while (slot && !atomic_compare_exchange_strong(slot, &was, key) && was != key);
}
