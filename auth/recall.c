/* auth/recall.c - see recall.h. */
#include "auth/recall.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define RECALL_SLOTS 4096u

struct entry {
	unsigned char digest[NET_DIGEST_OCTETS];
	int64_t until_ms; /* monotonic */
	char *text;       /* NULL: free */
};

static struct entry entries[RECALL_SLOTS];
static unsigned char secret[NET_DIGEST_OCTETS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_secret(void)
{
	io_random(secret, sizeof secret);
}

struct recall_key recall_key_of(const struct str_view *parts, size_t n)
{
	struct recall_key key;

	pthread_once(&once, make_secret);
	net_digest(secret, parts, n, key.digest);
	return key;
}

static struct entry *entry_of(const struct recall_key *key)
{
	uint32_t at;

	memcpy(&at, key->digest, sizeof at);
	return &entries[at % RECALL_SLOTS];
}

/* With the lock held. */
static bool is_known(const struct entry *entry, const struct recall_key *key)
{
	return entry->text && clock_mono_ms() < entry->until_ms && net_digest_equal(entry->digest, key->digest);
}

bool recall_has(const struct recall_key *key)
{
	bool has;

	pthread_mutex_lock(&lock);
	has = is_known(entry_of(key), key);
	pthread_mutex_unlock(&lock);
	return has;
}

char *recall_find(const struct recall_key *key)
{
	const struct entry *entry = entry_of(key);
	char *text;

	pthread_mutex_lock(&lock);
	text = is_known(entry, key) ? mem_str(entry->text) : NULL;
	pthread_mutex_unlock(&lock);
	return text;
}

void recall_put(const struct recall_key *key, const char *text, int64_t live_ms)
{
	struct entry *entry = entry_of(key);

	if (live_ms <= 0)
		return;
	pthread_mutex_lock(&lock);
	free(entry->text);
	entry->text = mem_str(text);
	entry->until_ms = clock_mono_ms() + live_ms;
	memcpy(entry->digest, key->digest, sizeof entry->digest);
	pthread_mutex_unlock(&lock);
}
