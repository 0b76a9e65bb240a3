/* Parameters of Content-Type and Content-Disposition (RFC 2045 5.1, RFC 2231). */
#ifndef MIME_PARAMS_PRIV_H
#define MIME_PARAMS_PRIV_H

#include "base/arena.h"
#include "mime/header_priv.h"

/* More than these are left out; no mail needs them, and combining is quadratic. */
enum {
	PARAMS_MAX = 256
};

struct param {
	const char *name;      /* lower case, without section and '*' */
	struct str_view value; /* of an extended one: charset'language'percent-encoded */
	bool extended;
	int section; /* of a value in sections, else -1 */
};
struct params {
	struct param *list;
	size_t n;
	bool cut;
};

/* Reads "; name=value ..." to the end and joins values that came in sections. */
void params_read(struct lex *l, struct arena *arena, struct params *params_r);
/* The first of that name as it stands (not an extended one), or false. */
bool params_raw(const struct params *params, const char *name, struct str_view *value_r);
/* The same as UTF-8, extended before plain; encoded words are decoded too, which no standard
 * allows and half of all mail does. */
bool params_text(const struct params *params, const char *name, struct str_buf *out);
/* ("name" "value" ...) or NIL. */
void params_put(const struct params *params, struct str_buf *out);

#endif
