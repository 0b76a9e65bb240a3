/* ctl/session_line.c - see session_line.h. */
#include "ctl/session_line.h"
#include "base/process.h"

#include <inttypes.h>
#include <stdio.h>

const char *session_ago(int64_t then_ms, int64_t now_ms, char out[SESSION_AGO_SIZE])
{
	int64_t s = now_ms > then_ms ? (now_ms - then_ms) / 1000 : 0;

	if (s < 120)
		snprintf(out, SESSION_AGO_SIZE, "%" PRId64 "s", s);
	else if (s < 7200)
		snprintf(out, SESSION_AGO_SIZE, "%" PRId64 "m", s / 60);
	else
		snprintf(out, SESSION_AGO_SIZE, "%" PRId64 "h", s / 3600);
	return out;
}

/* Where from: the peer, or the program, with its whole command line where that may be seen. */
static void put_where(const struct session_info *s, struct str_buf *out)
{
	size_t before = out->n;

	if (s->peer) {
		str_buf_puts(out, s->peer);
		return;
	}
	if (s->pid > 0)
		process_put_command_line(s->pid, out);
	if (out->n == before)
		str_buf_puts(out, s->command ? s->command : "process");
	str_buf_printf(out, "[%d]", (int)s->pid);
}

void session_put_line(const struct session_info *s, int64_t now_ms, struct str_buf *out)
{
	char opened[SESSION_AGO_SIZE], idle[SESSION_AGO_SIZE], who[96];

	snprintf(who, sizeof who, "%s%s%s", s->actor_name,
	    s->actor.n == s->mailbox.n ? "" : " on ", s->actor.n == s->mailbox.n ? "" : s->mailbox_name);
	str_buf_printf(out, "%-24s %-16s %-9s %-9s %6s %6s  %-3s  ", s->id, who, session_service_name(s->service),
	    session_class_name(session_service_class(s->service)), session_ago(s->opened_ms, now_ms, opened),
	    session_ago(s->active_ms, now_ms, idle), s->is_tls ? "tls" : "-");
	put_where(s, out);
	if (s->open)
		str_buf_printf(out, "  %s", s->open);
	if (s->client)
		str_buf_printf(out, "  (%s)", s->client);
	if (s->application)
		str_buf_printf(out, "  password:%s", s->application);
	str_buf_puts(out, s->holder_stuck ? "  (its daemon does not run)\n" : "\n");
}

void session_put_heading(struct str_buf *out)
{
	str_buf_printf(out, "%-24s %-16s %-9s %-9s %6s %6s  %-3s  %s\n", "ID", "USER", "SERVICE", "CLASS", "OPEN", "IDLE", "TLS",
	    "FROM, FOLDER, CLIENT");
}
