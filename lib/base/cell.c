/* lib/base/cell.c - see cell.h. */
#include "base/cell.h"

#include "base/io.h"

#include <stddef.h>
#include <sys/mman.h>

#define CELL_OCTETS sizeof(uint64_t)
/* A process may have 65,530 mappings, and needs some for other things. */
#define CELLS_MAX 16384u

static atomic_uint cells_n;

static void map(struct cell *cell, int fd)
{
	const _Atomic uint64_t *none = NULL;
	void *at;

	if (atomic_fetch_add(&cells_n, 1) >= CELLS_MAX) {
		atomic_fetch_sub(&cells_n, 1);
		return;
	}
	at = mmap(NULL, CELL_OCTETS, PROT_READ, MAP_SHARED, fd, 0);
	if (at != MAP_FAILED && atomic_compare_exchange_strong(&cell->at, &none, at))
		return;
	if (at != MAP_FAILED) /* another thread was faster */
		munmap(at, CELL_OCTETS);
	atomic_fetch_sub(&cells_n, 1);
}

uint64_t cell_read(struct cell *cell, int fd)
{
	const _Atomic uint64_t *at = atomic_load_explicit(&cell->at, memory_order_acquire);
	uint64_t n = 0;

	if (at)
		return atomic_load(at);
	if (fd < 0 || io_pread_all(fd, &n, sizeof n, 0) != sizeof n)
		return 0;
	map(cell, fd);
	return n;
}

void cell_fini(struct cell *cell)
{
	const _Atomic uint64_t *at = atomic_exchange(&cell->at, NULL);

	if (!at)
		return;
	munmap((void *)(uintptr_t)at, CELL_OCTETS);
	atomic_fetch_sub(&cells_n, 1);
}
