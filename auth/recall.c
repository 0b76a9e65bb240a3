/* auth/recall.c - a table of fixed size: a new entry takes the place of what is there. */
#include "auth/recall.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "limits/registry.h"
#include "store/credential.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define RECALL_SLOTS 4096u

struct entry {
	unsigned char digest[NET_DIGEST_OCTETS];
	int64_t until_ms; /* monotonic */
	char *user;       /* NULL: free */
};

static struct entry entries[RECALL_SLOTS];
static unsigned char secret[NET_DIGEST_OCTETS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_secret(void)
{
	io_random(secret, sizeof secret);
}

static struct entry *entry_of(const struct recall_key *key)
{
	uint32_t at;

	memcpy(&at, key->digest, sizeof at);
	return &entries[at % RECALL_SLOTS];
}

/* authd counts by place, so each has to be asked about once. */
static size_t place_length(const char *address)
{
	const char *port = strrchr(address, ':');

	return port ? (size_t)(port - address) : strlen(address);
}

struct recall_key recall_key_of(struct site *site, const struct sasl_peer *peer, const char *address, const char *user,
    const char *password)
{
	uint64_t generation = credential_generation(site);
	unsigned char how[] = {(unsigned char)peer->door, peer->is_private};
	struct recall_key key = {.is_set = generation && setting_get(site, SETTING_VERIFIER_CACHE_TIME)};
	const struct str_view parts[] = {
	    {(const char *)&generation, sizeof generation},
	    {(const char *)how, sizeof how},
	    {address, place_length(address)},
	    {user, strlen(user)},
	    {password, strlen(password)},
	};

	if (!key.is_set)
		return key;
	pthread_once(&once, make_secret);
	net_digest(secret, parts, sizeof parts / sizeof *parts, key.digest);
	return key;
}

char *recall_find(const struct recall_key *key)
{
	struct entry *entry = entry_of(key);
	char *user = NULL;

	if (!key->is_set)
		return NULL;
	pthread_mutex_lock(&lock);
	if (entry->user && clock_mono_ms() < entry->until_ms && net_digest_equal(entry->digest, key->digest))
		user = mem_str(entry->user);
	pthread_mutex_unlock(&lock);
	return user;
}

void recall_put(struct site *site, const struct recall_key *key, const char *user)
{
	struct entry *entry = entry_of(key);

	if (!key->is_set)
		return;
	pthread_mutex_lock(&lock);
	free(entry->user);
	entry->user = mem_str(user);
	entry->until_ms = clock_mono_ms() + 1000 * (int64_t)setting_get(site, SETTING_VERIFIER_CACHE_TIME);
	memcpy(entry->digest, key->digest, sizeof entry->digest);
	pthread_mutex_unlock(&lock);
}
