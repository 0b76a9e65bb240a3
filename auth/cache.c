/* auth/cache.c - see cache_priv.h. A table of fixed size: a new entry takes the place of what is there. */
#include "auth/cache_priv.h"
#include "base/clock.h"
#include "base/io.h"
#include "net/digest.h"

#include <pthread.h>
#include <string.h>

#define CACHE_SLOTS 4096 /* 192 KB; two users in one slot share it in turns */

struct entry {
	uint64_t user;
	int64_t until_ms; /* monotonic */
	unsigned char digest[NET_DIGEST_OCTETS];
};

static struct entry entries[CACHE_SLOTS];
static unsigned char key[NET_DIGEST_OCTETS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_key(void)
{
	io_random(key, sizeof key);
}

static void digest_of(struct user_id user, const char *verifier, const char *password,
    unsigned char out[NET_DIGEST_OCTETS])
{
	const struct str_view parts[] = {
	    {(const char *)&user.n, sizeof user.n},
	    {verifier, strlen(verifier)},
	    {password, strlen(password)},
	};

	pthread_once(&once, make_key);
	net_digest(key, parts, 3, out);
}

/* Ids are random, so their low bits are as good as a hash. */
static struct entry *entry_of(struct user_id user)
{
	return &entries[user.n % CACHE_SLOTS];
}

bool auth_cache_has(struct user_id user, const char *verifier, const char *password)
{
	unsigned char digest[NET_DIGEST_OCTETS];
	struct entry *entry = entry_of(user);
	bool has;

	digest_of(user, verifier, password, digest);
	pthread_mutex_lock(&lock);
	has = entry->user == user.n && clock_mono_ms() < entry->until_ms &&
	      net_digest_equal(entry->digest, digest);
	pthread_mutex_unlock(&lock);
	return has;
}

void auth_cache_put(struct user_id user, const char *verifier, const char *password, int64_t live_ms)
{
	unsigned char digest[NET_DIGEST_OCTETS];
	struct entry *entry = entry_of(user);

	if (live_ms <= 0)
		return;
	digest_of(user, verifier, password, digest);
	pthread_mutex_lock(&lock);
	entry->user = user.n;
	entry->until_ms = clock_mono_ms() + live_ms;
	memcpy(entry->digest, digest, sizeof digest);
	pthread_mutex_unlock(&lock);
}
