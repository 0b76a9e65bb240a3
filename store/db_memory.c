/*
 * store/db_memory.c - SQLite's memory lies apart.
 *
 * An open database is a megabyte or two in thousands of blocks, most of them pages of its cache, and all of it
 * goes when the janitor closes the handle.  In malloc's heap, what sessions keep for hours came to lie between
 * these blocks, and held the pages around itself.
 */
#include "store/db_priv.h"

#include "base/check.h"
#include "base/heap.h"

static void *take(int n)
{
	return heap_alloc((size_t)n);
}

static void *resize(void *p, int n)
{
	return heap_realloc(p, (size_t)n);
}

static int size_of(void *p)
{
	return (int)heap_size(p);
}

static int roundup(int n)
{
	return (int)heap_roundup((size_t)n);
}

static int begin(void *arg)
{
	(void)arg;
	return SQLITE_OK;
}

static void end(void *arg)
{
	(void)arg;
}

void db_memory_apart(void)
{
	static const sqlite3_mem_methods methods = {
	    .xMalloc = take,
	    .xFree = heap_free,
	    .xRealloc = resize,
	    .xSize = size_of,
	    .xRoundup = roundup,
	    .xInit = begin,
	    .xShutdown = end,
	};

	if (!HEAP_IS_WANTED)
		return;
	CHECK(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK);
	/* Nobody asks for its sums, which take a lock at each block. */
	CHECK(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK);
}
