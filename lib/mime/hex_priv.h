/* The value of a hexadecimal digit, -1 for what is none. */
#ifndef MIME_HEX_PRIV_H
#define MIME_HEX_PRIV_H

static inline int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

#endif
