/* What the Content-* fields of one part say, and how BODYSTRUCTURE tells it. */
#ifndef MIME_CONTENT_PRIV_H
#define MIME_CONTENT_PRIV_H

#include "mime/params_priv.h"
#include "mime/scan.h"

struct content {
	const char *type, *subtype; /* lower case; NULL: no Content-Type that makes sense */
	struct params type_params;
	const char *disposition; /* lower case, or NULL */
	struct params disposition_params;
	enum mime_encoding encoding;
	/* p is NULL where there is no such field */
	struct str_view encoding_name, id, description, md5, language, location;
	bool cut; /* parameters were left out */
};

/* Zeroed before the first field.  The first field of a name counts; values borrow from it. */
void content_collect(
    struct content *content, const struct header_field *field, struct arena *arena);
/* Makes it of a type that its fields did not say, with no parameters. */
void content_become(struct content *content, const char *type, const char *subtype);
/* The name of the file it is, as UTF-8 for people; false if none is told. */
bool content_name(const struct content *content, struct str_buf *out);

/* "type" "subtype" (parameters) id description "encoding" */
void content_put_front(const struct content *content, struct str_buf *out);
/* md5 disposition language location; of a multipart: parameters disposition language location
 */
void content_put_back(const struct content *content, bool multipart, struct str_buf *out);

#endif
