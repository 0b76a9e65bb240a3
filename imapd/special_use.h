/* What a folder is for, as the wire spells it (RFC 6154 2). */
#ifndef IMAPD_SPECIAL_USE_H
#define IMAPD_SPECIAL_USE_H

#include "base/str.h"
#include "store/folder.h"

#include <stdbool.h>

/* "\Sent"; "" for FOLDER_NO_USE. */
const char *special_use_name(enum folder_use use);
/* A use that a client may give to a folder, its attribute in any case; false: not this one. */
bool special_use_from(struct str_view attribute, enum folder_use *use_r);

#endif
