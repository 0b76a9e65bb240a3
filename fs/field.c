/* fs/field.c - fields of a header for people. */
#include "fs/field.h"

#include "mime/decode.h"
#include "mime/msgid.h"

#include <string.h>

static const char id_field[] = "Message-ID";

bool field_text(struct str_view header, const char *name, size_t nth, struct str_buf *out)
{
	struct str_view value;
	struct str_buf text = {0};

	if (!mime_header_find(header, str_view(name, strlen(name)), nth, &value))
		return false;
	if (strcmp(name, id_field) != 0 || !mime_msgid_next(&value, &text))
		mime_header_value(value, &text);
	value = str_trim(str_buf_view(&text));
	for (size_t i = 0; i < value.n; i++)
		str_buf_putc(out, (unsigned char)value.p[i] < ' ' || value.p[i] == 127 ? ' ' : value.p[i]);
	str_buf_fini(&text);
	return true;
}

void field_thread(struct str_view header, struct str_buf *out)
{
	static const char *const names[] = {"References", "In-Reply-To", id_field};
	struct str_buf id = {0};
	struct str_view value;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (mime_header_find(header, str_view(names[i], strlen(names[i])), 0, &value) &&
		    mime_msgid_next(&value, &id)) {
			str_buf_put(out, id.p, id.n);
			break;
		}
	str_buf_fini(&id);
}
