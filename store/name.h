/*
 * Names of users and aliases: "local@domain", or "local" alone in the default domain (store/domain.h).
 *
 * Local parts are PRECIS's UsernameCaseMapped (RFC 8265 3.3) where names are compared, and domains their A-labels, so
 * that a name has one key however it is typed.  What older stores hold and that is no such name any more, has another
 * key that nobody else can have.
 */
#ifndef STORE_NAME_H
#define STORE_NAME_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* The octets of a whole name, which is a folder's name in the mount too. */
#define DIRECTORY_NAME_OCTETS 255

struct directory_name {
	const char *local;  /* as it is shown: width mapped, NFC */
	const char *domain; /* its A-labels; NULL: none was said */
};

/*
 * A name for somebody new.  The local part has 1 to 64 characters: letters, digits, '.', '_', '-', '+'; letters of
 * other scripts too; not '.' first.  INVALID.
 */
WARN_UNUSED int directory_name_take(const char *name, struct arena *arena, struct directory_name *name_r, struct err *e);
/* Whether directory_name_take would. */
WARN_UNUSED int directory_name_check(const char *name, struct err *e);
/* What a name is looked up by, and is kept once for; appended. */
void directory_name_key(const char *name, struct str_buf *out);
/* Whether two names are one to the directory. */
bool directory_names_equal(const char *a, const char *b);

#endif
