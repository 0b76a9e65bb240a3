/* base/hash.c - SipHash-1-3 (Aumasson, Bernstein 2012): one round a word, three at the end. */
#include "base/hash.h"

#include "base/io.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>

struct sip {
	uint64_t a, b, c, d;
};

static uint64_t key[2];
static pthread_once_t key_made = PTHREAD_ONCE_INIT;

static void make_key(void)
{
	io_random(key, sizeof key);
}

static uint64_t turn(uint64_t n, unsigned bits)
{
	return n << bits | n >> (64 - bits);
}

static void mix(struct sip *s)
{
	s->a += s->b;
	s->c += s->d;
	s->b = turn(s->b, 13) ^ s->a;
	s->d = turn(s->d, 16) ^ s->c;
	s->a = turn(s->a, 32);
	s->c += s->b;
	s->a += s->d;
	s->b = turn(s->b, 17) ^ s->c;
	s->d = turn(s->d, 21) ^ s->a;
	s->c = turn(s->c, 32);
}

static void take(struct sip *s, uint64_t word)
{
	s->d ^= word;
	mix(s);
	s->a ^= word;
}

uint64_t hash_bytes(const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	uint64_t word = 0;
	struct sip s;

	pthread_once(&key_made, make_key);
	s = (struct sip){key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
	    key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
	for (size_t left = n; left >= 8; left -= 8, p += 8) {
		memcpy(&word, p, 8);
		take(&s, le64toh(word));
	}
	word = 0;
	if (n % 8)
		memcpy(&word, p, n % 8);
	take(&s, le64toh(word) | (uint64_t)n << 56);
	s.c ^= 0xff;
	mix(&s);
	mix(&s);
	mix(&s);
	return s.a ^ s.b ^ s.c ^ s.d;
}
