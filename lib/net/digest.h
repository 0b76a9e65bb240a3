/* Digests, plain (SHA-256) and keyed (HMAC-SHA-256), here because GnuTLS is wrapped in this folder and nowhere else. */
#ifndef NET_DIGEST_H
#define NET_DIGEST_H

#include "base/str.h"

#define NET_DIGEST_OCTETS 32

/* Of the parts one after the other, each with its length, so that no two lists of parts collide. */
void net_digest(const unsigned char key[NET_DIGEST_OCTETS], const struct str_view *parts, size_t n,
    unsigned char out[NET_DIGEST_OCTETS]);
/* PBKDF2 with HMAC-SHA-256 (RFC 8018 5.2). */
void net_pbkdf2(struct str_view password, struct str_view salt, unsigned iterations, unsigned char out[NET_DIGEST_OCTETS]);
/* SHA-256 of octets as they come.  fini drops one that was not finished; after finish it does nothing. */
struct net_sha256 {
	void *handle;
};
void net_sha256_init(struct net_sha256 *hash);
void net_sha256_feed(struct net_sha256 *hash, const void *octets, size_t n);
void net_sha256_finish(struct net_sha256 *hash, unsigned char out[NET_DIGEST_OCTETS]);
void net_sha256_fini(struct net_sha256 *hash);
/* In equal time. */
bool net_digest_equal(const unsigned char a[NET_DIGEST_OCTETS],
    const unsigned char b[NET_DIGEST_OCTETS]);

#endif
