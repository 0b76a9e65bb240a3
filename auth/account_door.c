/* auth/account_door.c - the doors' names. */
#include "auth/account.h"

#include <string.h>

static const struct {
	unsigned door;
	const char *name;
} doors[] = {
    {ACCOUNT_DOOR_IMAP, "imap"},
    {ACCOUNT_DOOR_POP3, "pop3"},
    {ACCOUNT_DOOR_SMTP, "smtp"},
};
#define DOORS_N (sizeof doors / sizeof *doors)

unsigned account_door_parse(struct str_view name)
{
	for (size_t i = 0; i < DOORS_N; i++)
		if (str_equal_nocase(name, str_view(doors[i].name, strlen(doors[i].name))))
			return doors[i].door;
	return 0;
}

const char *account_door_name(unsigned door)
{
	for (size_t i = 0; i < DOORS_N; i++)
		if (doors[i].door == door)
			return doors[i].name;
	return "?";
}
