/* imapd/objectid.c - "M" and the content's number. */
#include "imapd/objectid.h"

#define OBJECTID_OCTETS_MAX 255

void objectid_put_email(struct str_buf *out, uint64_t content)
{
	str_buf_putc(out, 'M');
	str_buf_put_number(out, content);
}

static bool may_stand(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
	    c == '-';
}

bool parse_objectid(struct parse *p, struct str_view *id_r)
{
	const char *from = p->p;

	while (p->p < p->end && may_stand(*p->p))
		p->p++;
	*id_r = str_view(from, (size_t)(p->p - from));
	return (id_r->n && id_r->n <= OBJECTID_OCTETS_MAX) ||
	    parse_bad(p, "An object's id must stand here");
}

uint64_t objectid_email(struct str_view id)
{
	uint64_t content = 0;

	if (id.n < 2 || id.p[0] != 'M' || id.p[1] == '0' ||
	    !str_number(str_view(id.p + 1, id.n - 1), INT64_MAX, &content))
		return 0;
	return content;
}
