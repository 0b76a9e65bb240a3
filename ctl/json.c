/* ctl/json.c - JSON text (RFC 8259), for the lists that scripts read. */
#include "ctl/json.h"

#include "mime/decode.h"

#include <inttypes.h>
#include <string.h>

static void separate(struct json *j)
{
	if (j->comma)
		str_buf_putc(j->out, ',');
	j->comma = true;
}

void json_open(struct json *j, char bracket)
{
	separate(j);
	str_buf_putc(j->out, bracket);
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	str_buf_putc(j->out, bracket);
	j->comma = true;
}

static void put_string(struct str_buf *out, struct str_view s)
{
	str_buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			str_buf_putc(out, '\\');
		if (c < 0x20 || c == 0x7f)
			str_buf_printf(out, "\\u%04x", c);
		else
			str_buf_putc(out, (char)c);
	}
	str_buf_putc(out, '"');
}

void json_key(struct json *j, const char *key)
{
	separate(j);
	put_string(j->out, str_view(key, strlen(key)));
	str_buf_putc(j->out, ':');
	j->comma = false;
}

void json_text(struct json *j, const char *text)
{
	struct str_buf utf8 = {0};

	separate(j);
	if (!text) {
		str_buf_puts(j->out, "null");
		return;
	}
	mime_to_utf8("utf-8", str_view(text, strlen(text)), &utf8);
	put_string(j->out, str_buf_view(&utf8));
	str_buf_fini(&utf8);
}

void json_number(struct json *j, int64_t n)
{
	separate(j);
	str_buf_printf(j->out, "%" PRId64, n);
}

void json_bool(struct json *j, bool b)
{
	separate(j);
	str_buf_puts(j->out, b ? "true" : "false");
}
