/* net/digest.c - SHA-256 and HMAC-SHA-256 by GnuTLS. */
#include "net/digest.h"
#include "base/check.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

void net_digest(const unsigned char key[NET_DIGEST_OCTETS], const struct str_view *parts, size_t n,
    unsigned char out[NET_DIGEST_OCTETS])
{
	gnutls_hmac_hd_t hmac;

	CHECK(gnutls_hmac_init(&hmac, GNUTLS_MAC_SHA256, key, NET_DIGEST_OCTETS) == 0);
	for (size_t i = 0; i < n; i++) {
		uint64_t length = parts[i].n;

		CHECK(gnutls_hmac(hmac, &length, sizeof length) == 0);
		CHECK(gnutls_hmac(hmac, parts[i].p, parts[i].n) == 0);
	}
	gnutls_hmac_deinit(hmac, out);
}

void net_pbkdf2(struct str_view password, struct str_view salt, unsigned iterations, unsigned char out[NET_DIGEST_OCTETS])
{
	const gnutls_datum_t key = {(unsigned char *)password.p, (unsigned)password.n}, with = {(unsigned char *)salt.p, (unsigned)salt.n};

	CHECK(gnutls_pbkdf2(GNUTLS_MAC_SHA256, &key, &with, iterations, out, NET_DIGEST_OCTETS) == 0);
}

bool net_digest_equal(const unsigned char a[NET_DIGEST_OCTETS],
    const unsigned char b[NET_DIGEST_OCTETS])
{
	return gnutls_memcmp(a, b, NET_DIGEST_OCTETS) == 0;
}

void net_sha256_init(struct net_sha256 *hash)
{
	gnutls_hash_hd_t handle;

	CHECK(gnutls_hash_init(&handle, GNUTLS_DIG_SHA256) == 0);
	hash->handle = handle;
}

void net_sha256_feed(struct net_sha256 *hash, const void *octets, size_t n)
{
	CHECK(n == 0 || gnutls_hash(hash->handle, octets, n) == 0);
}

void net_sha256_finish(struct net_sha256 *hash, unsigned char out[NET_DIGEST_OCTETS])
{
	gnutls_hash_deinit(hash->handle, out);
	hash->handle = NULL;
}

void net_sha256_fini(struct net_sha256 *hash)
{
	if (hash->handle)
		gnutls_hash_deinit(hash->handle, NULL);
	hash->handle = NULL;
}
