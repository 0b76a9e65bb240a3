/* mime/msgid.c - one id after the other.  What stands between them (phrases of old In-Reply-To fields,
 * comments) is passed over; an id has an '@' with something on either side. */
#include "mime/msgid.h"

#include <string.h>

/* At a quote: what it holds, unescaped; false where it never closes. */
static bool take_quoted(const char **p, const char *end, struct str_buf *id)
{
	const char *s = *p + 1;

	for (; s < end && *s != '"'; s++) {
		if (*s == '\\' && s + 1 < end)
			s++;
		str_buf_putc(id, *s);
	}
	if (s == end)
		return false;
	*p = s + 1;
	return true;
}

/* Behind '<': moves behind what was read.  False: it is no id, and *p stands where to look on. */
static bool take_id(const char **p, const char *end, struct str_buf *id)
{
	const char *s = *p;
	size_t at = 0;

	str_buf_clear(id);
	while (s < end && *s != '>' && *s != '<') {
		if (*s == '"' && !at) {
			if (!take_quoted(&s, end, id))
				return false;
			continue;
		}
		if (*s == '@')
			at = id->n + 1;
		if (*s > ' ' || *s < 0)
			str_buf_putc(id, *s);
		s++;
	}
	*p = s;
	return s < end && *s == '>' && at > 1 && at < id->n;
}

bool mime_msgid_next(struct str_view *rest, struct str_buf *id)
{
	const char *p = rest->p, *end = rest->n ? rest->p + rest->n : rest->p;

	while (p < end && (p = memchr(p, '<', (size_t)(end - p)))) {
		p++;
		if (take_id(&p, end, id)) {
			*rest = str_view(p + 1, (size_t)(end - p - 1));
			return true;
		}
	}
	*rest = str_view(end, 0);
	return false;
}
