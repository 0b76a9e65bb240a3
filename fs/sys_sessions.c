/* fs/sys_sessions.c - who holds sessions, and ending them. */
#include "fs/sysfile.h"

#include "fs/err_map.h"

#include "base/clock.h"
#include "base/process.h"

#include <errno.h>
#include <string.h>

#define END_WAIT_MS 1000

/* What is known of a session besides, each with its name. */
static void put_known(const char *name, const char *text, struct str_buf *out)
{
	if (text)
		str_buf_printf(out, " %s=\"%s\"", name, text);
}

static void put_session(const struct session_info *s, bool for_administrator, struct str_buf *out)
{
	char opened[CLOCK_RFC3339_SIZE], active[CLOCK_RFC3339_SIZE];

	str_buf_printf(out, "%-24s %-10s %-16s %-16s %-24s %8d %8d %s %s%s%s", s->id,
	    session_service_name(s->service), s->actor_name, s->mailbox_name,
	    s->peer ? s->peer : (s->command ? s->command : "-"), (int)s->pid, (int)s->holder,
	    clock_rfc3339(s->opened_ms, opened), clock_rfc3339(s->active_ms, active),
	    s->holder_stuck ? " stuck" : "", s->is_tls ? " tls" : "");
	put_known("open", s->open, out);
	put_known("client", s->client, out);
	put_known("application", s->application, out);
	if (for_administrator && s->command && s->pid > 0) {
		str_buf_putc(out, ' ');
		process_put_command_line(s->pid, out);
	}
	str_buf_putc(out, '\n');
}

int sys_sessions_text(struct tree *t, const struct sys_whom *whom, struct str_buf *out)
{
	struct session_info *list;
	struct arena arena = {0};
	struct err e;
	size_t n;
	int err = 0;

	if (session_list(t->site, whom->user, &arena, &list, &n, &e) < 0) {
		err = fs_errno(&e);
		goto out;
	}
	str_buf_printf(out, "%-24s %-10s %-16s %-16s %-24s %8s %8s %-24s %s%s\n", "ID", "SERVICE", "USER",
	    "MAILBOX", "PEER", "PID", "HOLDER", "OPENED", "ACTIVE",
	    whom->name ? "                   OPEN, CLIENT" : "                   OPEN, CLIENT, COMMAND");
	for (size_t i = 0; i < n; i++)
		/* Our own looking around is nobody's session. */
		if (list[i].service != SESSION_ADMIN || !whom->name)
			put_session(&list[i], !whom->name, out);
out:
	arena_fini(&arena);
	return err;
}

/* ---- ctl ---------------------------------------------------------------------------------------- */

/* id NULL: all of them.  ENOENT: there is no such session. */
static int end(struct tree *t, const struct sys_whom *whom, const char *id)
{
	struct session_info *list;
	struct arena arena = {0};
	struct err e;
	size_t n;
	int err = 0;
	bool found = !id;

	if (session_list(t->site, whom->user, &arena, &list, &n, &e) < 0) {
		err = fs_errno(&e);
		goto out;
	}
	for (size_t i = 0; !err && i < n; i++) {
		if (id ? strcmp(list[i].id, id) != 0 : list[i].service == SESSION_ADMIN)
			continue;
		found = true;
		if (session_end(t->site, list[i].id, END_WAIT_MS, &e) < 0 && (id || e.code != ERR_NOTFOUND))
			err = fs_errno(&e);
	}
out:
	arena_fini(&arena);
	return err ? err : found ? 0 : ENOENT;
}

/* A user ends his own alone: another's is not there for him. */
int sys_ctl_command(struct tree *t, const struct sys_whom *whom, struct str_view line)
{
	struct str_view verb = str_word(&line), id = str_word(&line);
	char text[64];

	if (!str_equal(verb, SV("end")) || id.n == 0 || id.n >= sizeof text || str_word(&line).n > 0)
		return EINVAL;
	memcpy(text, id.p, id.n);
	text[id.n] = '\0';
	return end(t, whom, str_equal(id, SV("all")) ? NULL : text);
}

int sys_ctl_text(struct tree *t, const struct sys_whom *whom, struct str_buf *out)
{
	(void)t;
	(void)whom;
	str_buf_puts(out, "end ID\nend all\n");
	return 0;
}
