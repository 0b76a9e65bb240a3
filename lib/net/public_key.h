/* Public keys out of PEM, as the numbers they are: for who checks signatures with them elsewhere. */
#ifndef NET_PUBLIC_KEY_H
#define NET_PUBLIC_KEY_H

#include "base/err.h"
#include "base/str.h"

#define NET_PUBLIC_KEY_OCTETS 1024 /* RSA of 8192 bits */

enum net_public_key_kind { NET_PUBLIC_KEY_OTHER, NET_PUBLIC_KEY_RSA, NET_PUBLIC_KEY_P256 };
struct net_public_key {
	enum net_public_key_kind kind;
	/* Big-endian.  RSA: modulus and exponent; P-256: x and y. */
	unsigned char first[NET_PUBLIC_KEY_OCTETS], second[NET_PUBLIC_KEY_OCTETS];
	size_t first_n, second_n;
};

/* Cuts the next PUBLIC KEY or CERTIFICATE off the front of *pem.  0: there is none; -1: INVALID, one that can't be
 * read, or a private key, which nobody should be able to find there. */
WARN_UNUSED int net_public_key_next(struct str_view *pem, struct net_public_key *key_r, struct err *e);

#endif
