/* ctl/permission.c - permissions by name, given and taken. */
#include "ctl/permission.h"


#include <stddef.h>
#include <strings.h>

static const struct {
	const char *name;
	enum directory_permission permission;
} permissions[] = {
    {"ViewInformationStoreStatus", PERMISSION_VIEW_INFORMATION_STORE_STATUS},
    {"Administrator", PERMISSION_ADMINISTRATOR},
};

static bool same_word(const char *given, const char *name)
{
	for (; *given; given++) {
		if (*given == ' ' || *given == '-' || *given == '\t')
			continue;
		if ((*given | 0x20) != (*name | 0x20))
			return false;
		name++;
	}
	return !*name;
}

uint32_t permission_parse(const char *name)
{
	for (size_t i = 0; i < sizeof permissions / sizeof *permissions; i++)
		if (same_word(name, permissions[i].name))
			return permissions[i].permission;
	return 0;
}

int permission_change(struct ctl *ctl, char **operands, bool on)
{
	uint32_t permission = permission_parse(operands[1]);
	struct err e;

	if (!permission)
		return ctl_usage(ctl, "there is no permission `%s`; there are %s and %s", operands[1],
		    permissions[0].name, permissions[1].name);
	if (directory_set_permission(ctl->site, operands[0],
		(enum directory_permission)permission, on, &e) < 0)
		return e.code == ERR_NOTFOUND ? ctl_no_user(operands[0]) : ctl_fail_err(&e);
	if (on && permission == PERMISSION_VIEW_INFORMATION_STORE_STATUS)
		ctl_note(ctl, "the permission");
	return CTL_OK;
}
