/* mime/varint.c - LEB128: seven bits an octet, the low ones first. */
#include "mime/varint_priv.h"

void varint_put(struct str_buf *out, uint64_t n)
{
	char octets[10];
	size_t i = 0;

	for (; n >= 0x80; n >>= 7)
		octets[i++] = (char)(n | 0x80);
	octets[i++] = (char)n;
	str_buf_put(out, octets, i);
}

bool varint_get(struct str_view s, size_t *at, uint64_t *n_r)
{
	uint64_t n = 0;

	for (unsigned shift = 0; shift < 64 && *at < s.n; shift += 7) {
		unsigned char octet = (unsigned char)s.p[(*at)++];

		if (shift == 63 && octet > 1)
			return false;
		n |= (uint64_t)(octet & 0x7f) << shift;
		if (octet < 0x80) {
			*n_r = n;
			return true;
		}
	}
	return false;
}
