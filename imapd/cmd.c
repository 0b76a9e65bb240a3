/* imapd/cmd.c - the table of commands, generated from the list in imapd/meson.build. */
#include "imapd/cmd.h"

#include <string.h>

#define IMAP_CMD(name) extern const struct imap_cmd imap_cmd_##name;
#include "imapd/imap_cmds.tbl.h"
#undef IMAP_CMD

const struct imap_cmd *const cmd_rows[] = {
#define IMAP_CMD(name) &imap_cmd_##name,
#include "imapd/imap_cmds.tbl.h"
#undef IMAP_CMD
};
const size_t cmd_rows_n = sizeof cmd_rows / sizeof *cmd_rows;

const struct imap_cmd *cmd_find(struct str_view name)
{
	for (size_t i = 0; i < cmd_rows_n; i++)
		if (str_equal_nocase(name, str_view(cmd_rows[i]->name, strlen(cmd_rows[i]->name))))
			return cmd_rows[i];
	return NULL;
}
