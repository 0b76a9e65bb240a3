/* ctl/regvalue.c - registry values as text. */
#include "ctl/regvalue.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool regvalue_number(const char *text, uint32_t *n_r)
{
	bool hex = text[0] == '0' && (text[1] | 0x20) == 'x';
	const char *digits = hex ? text + 2 : text;
	unsigned long long n;
	size_t n_digits = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");

	if (n_digits == 0 || digits[n_digits])
		return false;
	errno = 0;
	n = strtoull(digits, NULL, hex ? 16 : 10);
	if (errno || n > UINT32_MAX)
		return false;
	*n_r = (uint32_t)n;
	return true;
}

int regvalue_set(struct ctl *ctl, const char *key, const char *name, const char *text,
    struct err *e)
{
	uint32_t number;

	if (regvalue_number(text, &number))
		return registry_set_dword(ctl->site, key, name, number, e);
	return registry_set_text(ctl->site, key, name, text, e);
}

const char *regvalue_show(const struct registry_value *value, struct arena *arena)
{
	if (value->type == REGISTRY_SZ)
		return value->text;
	return arena_printf(arena, "%" PRIu32, value->dword);
}
