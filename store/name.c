/* store/name.c - see name.h. */
#include "store/name.h"

#include "mime/decode.h"
#include "mime/idn.h"
#include "mime/precis.h"

#include <string.h>

#define LOCAL_CHARACTERS_MAX 64

static bool ascii_allowed(char c, bool first)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("_-+", c)) || (c == '.' && !first);
}

/* PRECIS lets in all of ASCII that can be seen; what would need quotes in an address, or be a path, is no name here. */
static int local_check(struct str_view local, struct err *e)
{
	size_t characters = 0;

	for (struct str_view rest = local; rest.n > 0; characters++) {
		char c = *rest.p;
		bool first = rest.p == local.p;

		if (mime_char_next(&rest) == MIME_CHAR_ASCII && !ascii_allowed(c, first))
			return err_set(e, ERR_INVALID, "a user's name has letters, digits and . _ - +, and no . in front; a domain may follow it, with @");
	}
	if (characters < 1 || characters > LOCAL_CHARACTERS_MAX)
		return err_set(e, ERR_INVALID, "a user's name has 1 to %d characters before the @", LOCAL_CHARACTERS_MAX);
	return 0;
}

static int local_take(struct str_view local, struct arena *arena, const char **local_r, struct err *e)
{
	struct str_buf shown = {0}, key = {0};
	enum precis_fault fault;
	int r = -1;

	if (local_check(local, e) < 0)
		return -1;
	fault = precis_username(local, true, &key);
	if (fault == PRECIS_GOOD)
		fault = precis_username(local, false, &shown);
	if (fault != PRECIS_GOOD)
		err_set(e, ERR_INVALID, "the name %s", precis_fault_text(fault));
	else
		r = local_check(str_buf_view(&shown), e); /* what was of full width may be a slash now */
	if (r == 0)
		*local_r = arena_strn(arena, shown.p, shown.n);
	str_buf_fini(&shown);
	str_buf_fini(&key);
	return r;
}

static int domain_take(struct str_view domain, struct arena *arena, const char **domain_r, struct err *e)
{
	struct str_buf ascii = {0};
	bool good = idn_ascii(domain, &ascii);

	if (good)
		*domain_r = arena_strn(arena, ascii.p, ascii.n);
	str_buf_fini(&ascii);
	return good ? 0 : err_set(e, ERR_INVALID, "what follows the @ is no domain's name");
}

int directory_name_take(const char *name, struct arena *arena, struct directory_name *name_r, struct err *e)
{
	const char *at = strrchr(name, '@');
	struct directory_name taken = {0};

	if (strlen(name) > DIRECTORY_NAME_OCTETS)
		return err_set(e, ERR_INVALID, "a name has at most %d octets", DIRECTORY_NAME_OCTETS);
	if (local_take(str_view(name, at ? (size_t)(at - name) : strlen(name)), arena, &taken.local, e) < 0 ||
	    (at && domain_take(str_view(at + 1, strlen(at + 1)), arena, &taken.domain, e) < 0))
		return -1;
	*name_r = taken;
	return 0;
}

int directory_name_check(const char *name, struct err *e)
{
	struct directory_name taken;
	struct arena arena = {0};
	int r = directory_name_take(name, &arena, &taken, e);

	arena_fini(&arena);
	return r;
}

void directory_name_key(const char *name, struct str_buf *out)
{
	const char *at = strrchr(name, '@');
	struct str_view local = str_view(name, at ? (size_t)(at - name) : strlen(name));
	size_t begin = out->n;

	if (precis_username(local, true, out) == PRECIS_GOOD) {
		if (!at)
			return;
		str_buf_putc(out, '@');
		if (idn_ascii(str_view(at + 1, strlen(at + 1)), out))
			return;
	}
	out->n = begin;
	mime_fold(str_view(name, strlen(name)), out);
}

bool directory_names_equal(const char *a, const char *b)
{
	struct str_buf x = {0}, y = {0};
	bool are_equal;

	directory_name_key(a, &x);
	directory_name_key(b, &y);
	are_equal = str_equal(str_buf_view(&x), str_buf_view(&y));
	str_buf_fini(&x);
	str_buf_fini(&y);
	return are_equal;
}
