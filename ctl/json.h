/* JSON text, written in place: a value at a time, commas by itself. */
#ifndef CTL_JSON_H
#define CTL_JSON_H

#include "base/str.h"

#include <stdint.h>

struct json {
	struct str_buf *out;
	bool comma; /* the next value or key needs one in front */
};

void json_open(struct json *j, char bracket);
void json_close(struct json *j, char bracket);
void json_key(struct json *j, const char *key);
/* NULL: null.  Bytes that are not UTF-8 become U+FFFD, so that the text is always JSON. */
void json_text(struct json *j, const char *text);
void json_number(struct json *j, int64_t n);
void json_bool(struct json *j, bool b);

#endif
