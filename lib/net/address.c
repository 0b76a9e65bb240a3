/* net/address.c - see address.h. */
#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define PREFIX_OCTETS 8

bool net_address_prefix(const char *text, unsigned char out[NET_ADDRESS_OCTETS])
{
	struct in6_addr v6;
	struct in_addr v4;

	memset(out, 0, NET_ADDRESS_OCTETS);
	if (inet_pton(AF_INET, text, &v4) == 1) {
		out[10] = out[11] = 0xff;
		memcpy(out + 12, &v4, sizeof v4);
		return true;
	}
	if (inet_pton(AF_INET6, text, &v6) != 1)
		return false;
	memcpy(out, &v6, IN6_IS_ADDR_V4MAPPED(&v6) ? sizeof v6 : PREFIX_OCTETS);
	return true;
}

void net_address_of_peer(const char *peer, char *out, size_t size)
{
	unsigned char prefix[NET_ADDRESS_OCTETS];
	const char *colon = strrchr(peer, ':');
	int n = colon ? (int)(colon - peer) : 0;

	if (n >= 2 && peer[0] == '[' && peer[n - 1] == ']')
		snprintf(out, size, "%.*s", n - 2, peer + 1);
	else
		snprintf(out, size, "%.*s", n, peer);
	if (!net_address_prefix(out, prefix))
		*out = '\0';
}
