/*
 * limits/event_table.c - the shared table of refusals that are being counted.
 *
 * An entry is given to another key only when its minute is two minutes gone, so that nobody who
 * has just found it counts for the wrong one; unless all entries of a bucket are young, which is
 * noted, so that a record that was pushed out is looked for in the log and not written twice.
 * One of a minute to come is from before the clock was set back, and makes way as well.
 */
#include "limits/event_table.h"
#include "limits/runtime_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNT_BITS 40
#define COUNT_MASK (((uint64_t)1 << COUNT_BITS) - 1)

/* Whole on the disk before it is mapped: a full tmpfs is an error here, not a SIGBUS later. */
int event_table_open(int runtime_fd, struct event_table **table_r, struct err *e)
{
	int fd = openat(runtime_fd, "events", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    RUNTIME_FILE_MODE);
	void *at;
	int r;

	if (fd < 0)
		return err_sys(e, ERR_IO, errno, "open the table of events");
	r = posix_fallocate(fd, 0, sizeof(struct event_table));
	if (r != 0) {
		close(fd);
		return err_sys(e, ERR_IO, r, "make the table of events");
	}
	at = mmap(NULL, sizeof(struct event_table), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	r = errno;
	close(fd);
	if (at == MAP_FAILED)
		return err_sys(e, ERR_IO, r, "map the table of events");
	*table_r = at;
	return 0;
}

void event_table_close(struct event_table *table)
{
	munmap(table, sizeof *table);
}

struct event_key event_key_make(uint64_t user, const char *setting, uint32_t limit,
    int64_t time_ms)
{
	uint32_t h = 0x811c9dc5u;

	for (; *setting; setting++)
		h = (h ^ (unsigned char)*setting) * 0x01000193u;
	for (; limit; limit >>= 8)
		h = (h ^ (limit & 0xff)) * 0x01000193u;
	return (struct event_key){user, (uint32_t)(time_ms / 60000), h};
}

static uint64_t what_of(struct event_key key)
{
	return (uint64_t)key.minute << 32 | key.limit;
}

static size_t bucket_of(struct event_key key)
{
	uint64_t h = (key.user ^ what_of(key)) * 0x9e3779b97f4a7c15u;

	return (h >> 32) % EVENT_BUCKETS_N;
}

static bool is_of(const struct event_entry *entry, struct event_key key)
{
	return entry->what == what_of(key) && entry->user == key.user;
}

struct event_entry *event_table_find(struct event_table *table, struct event_key key)
{
	struct event_entry *bucket = table->entries[bucket_of(key)];

	for (int i = 0; i < EVENT_BUCKET_SIZE; i++)
		if (is_of(&bucket[i], key))
			return &bucket[i];
	return NULL;
}

uint64_t event_entry_count(const struct event_entry *entry)
{
	return entry->state & COUNT_MASK;
}

/* The state is read before the key is compared: where it is the same afterwards, so was the key. */
bool event_table_count(struct event_entry *entry, struct event_key key)
{
	uint64_t state = entry->state;

	while (is_of(entry, key))
		if (atomic_compare_exchange_strong(&entry->state, &state, state + 1))
			return true;
	return false;
}

/* In minutes, either way; a free entry is as far as can be. */
static uint32_t distance(const struct event_entry *entry, struct event_key key)
{
	uint32_t minute = (uint32_t)(entry->what >> 32);

	return minute > key.minute ? minute - key.minute : key.minute - minute;
}

struct event_entry *event_table_place(struct event_table *table, struct event_key key)
{
	struct event_entry *bucket = table->entries[bucket_of(key)];
	struct event_entry *farthest = &bucket[0];

	for (int i = 1; i < EVENT_BUCKET_SIZE; i++)
		if (bucket[i].what == 0 || distance(&bucket[i], key) > distance(farthest, key))
			farthest = &bucket[i];
	if (farthest->what != 0 && distance(farthest, key) <= 1)
		table->overflowed[bucket_of(key)] = key.minute;
	return farthest;
}

uint64_t event_table_take(struct event_entry *entry)
{
	uint64_t state = entry->state;

	entry->what = 0;
	while (!atomic_compare_exchange_weak(&entry->state, &state, ((state >> COUNT_BITS) + 1) << COUNT_BITS))
		;
	return state & COUNT_MASK;
}

void event_table_put(struct event_entry *entry, struct event_key key,
    const struct event_entry *filled)
{
	entry->user = key.user;
	entry->state += filled->state;
	entry->written_count = filled->written_count;
	entry->written_ms = filled->written_ms;
	entry->record_id = filled->record_id;
	entry->file_inode = filled->file_inode;
	entry->count_at = filled->count_at;
	entry->what = what_of(key);
}

bool event_table_may_have_lost(struct event_table *table, struct event_key key)
{
	uint32_t minute = table->overflowed[bucket_of(key)];

	return minute == key.minute || minute == key.minute + 1;
}
