/* limits/lane.c - the words of lanes: claimed, stepped, shut. */
#include "limits/lane.h"
#include "limits/runtime_priv.h"
#include "base/io.h"
#include "base/mem.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "lanes"
#define BLOCK_WORDS 512u /* a page: as many as a process has hot files, mostly */
#define BLOCK_OCTETS (BLOCK_WORDS * sizeof(uint64_t))
/* Who comes later counts as if there were no lanes. */
#define BLOCKS_MAX 4096u
#define MAP_OCTETS (BLOCKS_MAX * BLOCK_OCTETS)
#define LIVE_AT ((off_t)1 << 40)

#define OPEN ((uint64_t)1 << 31)
#define NUMBER (OPEN - 1)

struct lanes {
	int runtime_fd;
	pthread_mutex_t lock; /* what follows; words is set once */
	int fd; /* -1: not opened yet, or not to be had */
	bool is_tried, has_block;
	uint32_t block;
	bool is_taken[BLOCK_WORDS];
	uint32_t first; /* no word before it is free */
	uint32_t next_tag;
	_Atomic(_Atomic uint64_t *) words;
	_Atomic uint32_t words_n; /* that the file has room for */
};

struct lanes *lanes_new(int runtime_fd)
{
	struct lanes *lanes = mem_alloc(sizeof *lanes);

	lanes->runtime_fd = runtime_fd;
	lanes->fd = -1;
	pthread_mutex_init(&lanes->lock, NULL);
	return lanes;
}

/* The descriptor first: with it goes the lock. */
static void close_file(struct lanes *lanes)
{
	if (lanes->fd >= 0)
		close(lanes->fd);
	lanes->fd = -1;
	if (lanes->words)
		munmap((void *)lanes->words, MAP_OCTETS);
	lanes->words = NULL;
	lanes->words_n = 0;
	lanes->has_block = false;
}

void lanes_free(struct lanes **lanes)
{
	if (!*lanes)
		return;
	close_file(*lanes);
	pthread_mutex_destroy(&(*lanes)->lock);
	mem_free(lanes);
}

void lanes_forked(struct lanes *lanes)
{
	close_file(lanes);
	lanes->is_tried = true;
}

/* ---- the file ---- */

static bool measure(struct lanes *lanes)
{
	struct stat st;

	if (fstat(lanes->fd, &st) < 0)
		return false;
	lanes->words_n = st.st_size < (off_t)MAP_OCTETS ? (uint32_t)((uint64_t)st.st_size / sizeof(uint64_t))
							: BLOCKS_MAX * BLOCK_WORDS;
	return true;
}

/* All that there may ever be is mapped, and touched only where the file has room. */
static bool open_file(struct lanes *lanes)
{
	void *at;

	if (lanes->is_tried)
		return lanes->words != NULL;
	lanes->is_tried = true;
	lanes->fd = io_open_or_make(lanes->runtime_fd, FILE_NAME, RUNTIME_FILE_MODE);
	if (lanes->fd < 0)
		return false;
	at = mmap(NULL, MAP_OCTETS, PROT_READ | PROT_WRITE, MAP_SHARED, lanes->fd, 0);
	if (at != MAP_FAILED)
		lanes->words = at;
	return at != MAP_FAILED && measure(lanes);
}

/* Room first: a store where there is none would be a signal. */
static bool claim_block(struct lanes *lanes)
{
	uint32_t block = 0;

	if (lanes->has_block)
		return true;
	while (io_try_lock(lanes->fd, LIVE_AT + block, 1) < 0)
		if (++block == BLOCKS_MAX)
			return false;
	if (posix_fallocate(lanes->fd, (off_t)(block * BLOCK_OCTETS), (off_t)BLOCK_OCTETS) != 0 ||
	    !measure(lanes) || lanes->words_n < (block + 1) * BLOCK_WORDS) {
		io_unlock(lanes->fd, LIVE_AT + block, 1);
		return false;
	}
	for (uint32_t i = 0; i < BLOCK_WORDS; i++)
		atomic_store(&lanes->words[block * BLOCK_WORDS + i], 0);
	lanes->block = block;
	memset(lanes->is_taken, 0, sizeof lanes->is_taken);
	lanes->first = 0;
	lanes->has_block = true;
	io_random(&lanes->next_tag, sizeof lanes->next_tag);
	return true;
}

/* ---- one's own ---- */

static uint64_t word_of(struct lane_ref ref, uint32_t n, bool is_open)
{
	return (uint64_t)ref.tag << 32 | (is_open ? OPEN : 0) | n;
}

bool lane_claim(struct lanes *lanes, uint32_t n, struct lane *lane_r)
{
	uint32_t i;
	bool ok;

	pthread_mutex_lock(&lanes->lock);
	ok = open_file(lanes) && claim_block(lanes) && n <= NUMBER;
	while (ok && lanes->first < BLOCK_WORDS && lanes->is_taken[lanes->first])
		lanes->first++;
	if (ok && (ok = lanes->first < BLOCK_WORDS)) {
		lanes->is_taken[lanes->first] = true;
		i = lanes->block * BLOCK_WORDS + lanes->first;
		lanes->next_tag += 2;
		lane_r->ref = (struct lane_ref){i + 1, lanes->next_tag | 1}; /* never 0 */
		lane_r->word = &lanes->words[i];
		atomic_store(lane_r->word, word_of(lane_r->ref, n, false));
	}
	pthread_mutex_unlock(&lanes->lock);
	return ok;
}

void lane_drop(struct lanes *lanes, struct lane *lane)
{
	uint32_t i = (lane->ref.place - 1) % BLOCK_WORDS;

	if (!lane->word)
		return;
	pthread_mutex_lock(&lanes->lock);
	if (lanes->words) {
		atomic_store(lane->word, 0);
		lanes->is_taken[i] = false;
		if (i < lanes->first)
			lanes->first = i;
	}
	pthread_mutex_unlock(&lanes->lock);
	*lane = (struct lane){0};
}

bool lane_step(struct lane *lane, uint32_t n, uint32_t to, bool open_only)
{
	uint64_t was = word_of(lane->ref, n, true);

	if (atomic_compare_exchange_strong(lane->word, &was, word_of(lane->ref, to, true)))
		return true;
	return !open_only && lane_set(lane, n, to, false);
}

bool lane_set(struct lane *lane, uint32_t n, uint32_t to, bool is_open)
{
	uint64_t was = atomic_load(lane->word);

	return (was & ~OPEN) == word_of(lane->ref, n, false) &&
	    atomic_compare_exchange_strong(lane->word, &was, word_of(lane->ref, to, is_open));
}

/* ---- others' ---- */

static _Atomic uint64_t *find(struct lanes *lanes, struct lane_ref ref)
{
	_Atomic uint64_t *word = NULL;

	if (ref.place > 0 && ref.place <= lanes->words_n)
		return &lanes->words[ref.place - 1];
	pthread_mutex_lock(&lanes->lock);
	if (ref.place > 0 && open_file(lanes) && measure(lanes) && ref.place <= lanes->words_n)
		word = &lanes->words[ref.place - 1];
	pthread_mutex_unlock(&lanes->lock);
	return word;
}

bool lanes_look(struct lanes *lanes, struct lane_ref ref, uint32_t *n_r, bool *is_open_r)
{
	const _Atomic uint64_t *word = find(lanes, ref);
	uint64_t is = word ? atomic_load(word) : 0;

	if (!word || is >> 32 != ref.tag)
		return false;
	*n_r = (uint32_t)(is & NUMBER);
	*is_open_r = (is & OPEN) != 0;
	return true;
}

bool lanes_shut(struct lanes *lanes, struct lane_ref ref)
{
	_Atomic uint64_t *word = find(lanes, ref);
	uint64_t is = word ? atomic_load(word) : 0;

	while (word && is >> 32 == ref.tag)
		if (atomic_compare_exchange_weak(word, &is, is & ~OPEN))
			return true;
	return false;
}
