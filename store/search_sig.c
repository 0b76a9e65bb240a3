/*
 * store/search_sig.c - the signature of a text: which runs of three octets it holds, hashed into a set of
 * bits.  A text that lacks one of a needle's does not hold the needle; one that has them all may, and
 * is read.
 *
 * The set is collected at its full size and then folded in halves until it is about a quarter full, so a
 * short message has a short signature.  A needle of n octets that is not there then gets through about once
 * in 4^(n-2) times.
 */
#include "store/search_priv.h"

#include <endian.h>
#include <string.h>

#define FULL_BITS (SEARCH_SIG_MAX * 8u)
#define HASH_SHIFT (32 - 18)
_Static_assert(FULL_BITS == 1u << 18, "the hash yields as many bits as there are");

static uint32_t hash(uint32_t trigram)
{
	return trigram * 0x9e3779b1u >> HASH_SHIFT;
}

void search_sig_clear(struct search_sig *sig)
{
	memset(sig, 0, sizeof *sig);
}

void search_sig_add(struct search_sig *sig, struct str_view mapped)
{
	const unsigned char *p = (const unsigned char *)mapped.p;
	uint32_t trigram;

	if (mapped.n < 3)
		return;
	trigram = (uint32_t)p[0] << 8 | p[1];
	for (size_t i = 2; i < mapped.n; i++) {
		uint64_t *word;
		uint32_t bit;

		trigram = (trigram << 8 | p[i]) & 0xffffff;
		bit = hash(trigram);
		word = &sig->bits[bit / 64];
		sig->set += ~*word >> bit % 64 & 1;
		*word |= UINT64_C(1) << bit % 64;
	}
}

/* Folding a half onto the other drops the hash's highest bit. */
void search_sig_put(struct search_sig *sig, struct str_buf *out)
{
	size_t words = FULL_BITS / 64, least = SEARCH_SIG_MIN / 8;

	for (; words > least && sig->set * 3 <= words * 32; words /= 2)
		for (size_t i = 0; i < words / 2; i++)
			sig->bits[i] |= sig->bits[words / 2 + i];
	for (size_t i = 0; i < words; i++)
		sig->bits[i] = htole64(sig->bits[i]);
	str_buf_put(out, sig->bits, words * 8);
	search_sig_clear(sig);
}

bool search_sig_may_hold(struct str_view sig, struct str_view needle)
{
	const unsigned char *p = (const unsigned char *)needle.p;
	/* A size that none has: damaged, so it decides nothing. */
	bool sound = sig.n >= SEARCH_SIG_MIN && sig.n <= SEARCH_SIG_MAX && (sig.n & (sig.n - 1)) == 0;

	for (size_t i = 2; sound && i < needle.n; i++) {
		uint32_t bit = hash((uint32_t)p[i - 2] << 16 | (uint32_t)p[i - 1] << 8 | p[i]) &
			       (uint32_t)(sig.n * 8 - 1);

		if (!((unsigned char)sig.p[bit / 8] >> bit % 8 & 1))
			return false;
	}
	return true;
}
