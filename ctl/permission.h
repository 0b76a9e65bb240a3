/* The permissions that can be granted, by name. */
#ifndef CTL_PERMISSION_H
#define CTL_PERMISSION_H

#include "ctl/verb.h"
#include "store/directory.h"

#define PERMISSION_HELP                                                                            \
	"PERMISSION (case, blanks and hyphens do not count):\n"                                    \
	"  Administrator                 may reach every mailbox through the mount\n"              \
	"  View Information Store Status counts against the administrators' limit of sessions\n\n" \
	"Either makes `Maximum Allowed Sessions Per Administrator` the user's limit for all\n"     \
	"sessions; the limit of service sessions stays what it is."

/* Case, blanks and hyphens do not count: "View Information Store Status" is one.  0: none. */
uint32_t permission_parse(const char *name);
/* What grant and revoke do; operands: NAME PERMISSION.  An enum ctl_exit. */
int permission_change(struct ctl *ctl, char **operands, bool on);

#endif
