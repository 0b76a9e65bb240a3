/* lmtpd/cmd_lhlo.c - LHLO (RFC 2033 4.1): who speaks, and what may be said. */
#include "base/mem.h"
#include "limits/registry.h"
#include "lmtpd/cmd.h"

#include <stdlib.h>
#include <string.h>

/* Extensions that are no single command's; SIZE has a value. */
static const char *const always[] = {
    "PIPELINING",          /* RFC 2920 */
    "8BITMIME",            /* RFC 6152 */
    "SMTPUTF8",            /* RFC 6531 */
    "ENHANCEDSTATUSCODES", /* RFC 2034 */
};

/* A name or an address literal; it will stand in a Received field. */
static bool is_name(struct str_view s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= 32 || s.p[i] == 127 || strchr("()<>;,\"\\", s.p[i]))
			return false;
	return s.n > 0 && s.n <= 255;
}

static enum lmtp_next run(struct lmtp_client *client, struct str_view args)
{
	struct str_buf *out = conn_out(client->conn);

	if (!is_name(args))
		return lmtp_bad_usage(client, &lmtp_cmd_lhlo);
	lmtp_reset(client);
	mem_free(&client->helo);
	client->helo = mem_strn(args.p, args.n);
	client->state = LMTP_IDLE;
	str_buf_printf(out, "250-%s\r\n", site_host_name(client->site));
	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		str_buf_printf(out, "250-%s\r\n", always[i]);
	for (const struct lmtp_cmd *const *cmd = lmtp_cmds; *cmd; cmd++)
		if ((*cmd)->capability && (!(*cmd)->offered || (*cmd)->offered(client)))
			str_buf_printf(out, "250-%s\r\n", (*cmd)->capability);
	str_buf_printf(out, "250 SIZE %u\r\n", setting_get(client->site, SETTING_MESSAGE_SIZE_MAX));
	return LMTP_DONE;
}

const struct lmtp_cmd lmtp_cmd_lhlo = {
    .name = "LHLO",
    .rfc = "RFC 2033 4.1",
    .states = LMTP_ANY,
    .usage = "name",
    .run = run,
};
