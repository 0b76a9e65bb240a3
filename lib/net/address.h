/* Addresses as text, for who counts by them. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#define NET_ADDRESS_OCTETS 16

/* What one customer of a network has: an IPv4 address whole (also one mapped into IPv6), of an IPv6 one the
 * first 64 bits.  False: it is no address. */
bool net_address_prefix(const char *text, unsigned char out[NET_ADDRESS_OCTETS]);
/* "127.0.0.1:50123" and "[::1]:50123" without port and brackets; "" for what is none of both ("unix:4711"). */
void net_address_of_peer(const char *peer, char *out, size_t size);

#endif
