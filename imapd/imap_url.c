/* imapd/imap_url.c - "/mailbox;UIDVALIDITY=1/;UID=2/;SECTION=1.2/;PARTIAL=0.10" (RFC 5092 11).  What names
 * a server is refused: we know only ourselves, and not by which names (RFC 4469 4). */
#include "imapd/catenate.h"

#include "store/folder.h"

#include <string.h>

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 :
	    -1;
}

/* %XX decoded, in the arena with room for one octet more; NUL can't be meant. */
static bool decode(struct str_view text, struct arena *arena, struct str_view *plain_r)
{
	char *to = arena_alloc(arena, text.n + 2);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '%') {
			if (text.n - i < 3 || hex(text.p[i + 1]) < 0 || hex(text.p[i + 2]) < 0)
				return false;
			c = (char)(hex(text.p[i + 1]) << 4 | hex(text.p[i + 2]));
			i += 2;
		}
		if (c == '\0')
			return false;
		to[n++] = c;
	}
	*plain_r = str_view(to, n);
	return true;
}

/* ";NAME=value" at the front of *rest, up to the next '/'. */
static bool take(struct str_view *rest, const char *name, struct str_view *value_r)
{
	size_t n = strlen(name);
	const char *end;

	if (!str_begins_nocase(*rest, str_view(name, n)))
		return false;
	end = memchr(rest->p + n, '/', rest->n - n);
	if (end && end + 1 == rest->p + rest->n)
		return false;
	*value_r = str_view(rest->p + n, end ? (size_t)(end - rest->p) - n : rest->n - n);
	rest->n -= n + value_r->n + (end != NULL);
	rest->p = value_r->p + value_r->n + (end != NULL);
	return true;
}

static bool number(struct str_view text, uint32_t *n_r)
{
	uint64_t n;

	if (!str_number(text, UINT32_MAX, &n))
		return false;
	*n_r = (uint32_t)n;
	return true;
}

static bool positive(struct str_view text, uint32_t *n_r)
{
	return number(text, n_r) && *n_r > 0;
}

/* "mailbox[;UIDVALIDITY=n]/", up to ";UID=". */
static bool take_mailbox(struct str_view *rest, struct arena *arena, struct imap_url *url)
{
	const char *uid = NULL, *end = rest->p + rest->n;
	struct str_view path, name, validity = {0};
	struct str_buf nfc = {0};
	struct err e;

	for (const char *p = rest->p; !uid && p < end && (p = memchr(p, '/', (size_t)(end - p))); p++)
		if (str_begins_nocase(str_view(p, (size_t)(end - p)), SV("/;UID=")))
			uid = p;
	if (!uid || uid == rest->p)
		return false;
	path = str_view(rest->p, (size_t)(uid - rest->p));
	*rest = str_view(uid + 1, (size_t)(end - uid - 1));
	for (const char *p = path.p; p < uid; p++)
		if (str_begins_nocase(str_view(p, (size_t)(uid - p)), SV(";UIDVALIDITY="))) {
			validity = str_view(p + 13, (size_t)(uid - p - 13));
			path.n = (size_t)(p - path.p);
			break;
		}
	if ((validity.p && !positive(validity, &url->uidvalidity)) || !decode(path, arena, &name) ||
	    folder_name_check(name, &nfc, &e) != 0) {
		str_buf_fini(&nfc);
		return false;
	}
	url->mailbox = arena_strn(arena, nfc.p, nfc.n);
	str_buf_fini(&nfc);
	return true;
}

static bool section(struct str_view value, struct arena *arena, const struct parse_limits *limits,
    struct fetch_section *section)
{
	struct str_view plain;

	if (!decode(value, arena, &plain) || plain.n == 0)
		return false;
	((char *)plain.p)[plain.n] = ']';

	struct parse p = {plain.p, plain.p + plain.n + 1, arena, limits, NULL, false};
	const char *word;

	return fetch_parse_section(&p, section, &word) && parse_try(&p, ']') && parse_at_end(&p);
}

/* "from" or "from.n" */
static bool partial(struct str_view value, struct fetch_section *section)
{
	const char *dot = memchr(value.p, '.', value.n);
	size_t n = dot ? (size_t)(dot - value.p) : value.n;

	section->is_partial = true;
	section->octets_max = UINT32_MAX;
	return number(str_view(value.p, n), &section->from) &&
	    (!dot || positive(str_view(dot + 1, value.n - n - 1), &section->octets_max));
}

bool imap_url_parse(struct str_view text, struct arena *arena, const struct parse_limits *limits,
    struct imap_url *url_r)
{
	struct imap_url url = {0};
	struct str_view value;

	if (text.n && text.p[0] == '/') {
		text = str_view(text.p + 1, text.n - 1);
		if (!take_mailbox(&text, arena, &url))
			return false;
	}
	if (!take(&text, ";UID=", &value) || !positive(value, &url.uid))
		return false;
	if (take(&text, ";SECTION=", &value) && !section(value, arena, limits, &url.section))
		return false;
	if (take(&text, ";PARTIAL=", &value) && !partial(value, &url.section))
		return false;
	*url_r = url;
	return text.n == 0;
}
