/* fs/sysfile.c - what sys/ has to say. */
#include "fs/sysfile.h"

#include "fs/err_map.h"
#include "fs/tree.h"

#include "base/clock.h"
#include "limits/event.h"
#include "limits/registry.h"

#include <errno.h>
#include <string.h>

#define END_WAIT_MS 1000

/* ---- sessions --------------------------------------------------------------------------------- */

static void put_session(const struct session_info *s, struct str_buf *out)
{
	char opened[CLOCK_RFC3339_SIZE], active[CLOCK_RFC3339_SIZE];

	str_buf_printf(out, "%-24s %-10s %-16s %-16s %-24s %8d %8d %s %s%s\n", s->id,
	    session_service_name(s->service), s->actor_name, s->mailbox_name,
	    s->peer ? s->peer : (s->command ? s->command : "-"), (int)s->pid, (int)s->holder,
	    clock_rfc3339(s->opened_ms, opened), clock_rfc3339(s->active_ms, active),
	    s->holder_stuck ? " stuck" : "");
}

static int sessions_text(struct tree *t, struct user_id user, struct str_buf *out)
{
	struct session_info *list;
	struct arena arena = {0};
	struct err e;
	size_t n;
	int err = 0;

	if (session_list(t->site, user, &arena, &list, &n, &e) < 0) {
		err = fs_errno(&e);
		goto out;
	}
	str_buf_printf(out, "%-24s %-10s %-16s %-16s %-24s %8s %8s %-24s %s\n", "ID", "SERVICE", "USER",
	    "MAILBOX", "PEER", "PID", "HOLDER", "OPENED", "ACTIVE");
	for (size_t i = 0; i < n; i++)
		/* Our own looking around is nobody's session. */
		if (list[i].service != SESSION_ADMIN || user.n == 0)
			put_session(&list[i], out);
out:
	arena_fini(&arena);
	return err;
}

/* ---- limits ----------------------------------------------------------------------------------- */

static int all_limits_text(struct tree *t, struct user_id user, struct str_buf *out)
{
	(void)user;
	for (int i = 0; i < SETTINGS_N; i++) {
		const struct setting_row *row = &setting_rows[i];
		uint32_t value = setting_get(t->site, (enum setting)i);

		if (row->scope != REG_PARAMETERS_SYSTEM && row->scope != REG_MAX_OBJS)
			continue;
		str_buf_printf(out, "%-48s %10u  (default %u, %s)\n", row->name, value, row->otherwise,
		    row->unit);
	}
	return 0;
}

static int user_limits_text(struct tree *t, struct user_id user, struct str_buf *out)
{
	struct session_counts counts;
	struct err e;

	if (session_count(t->site, user, &counts, &e) < 0)
		return fs_errno(&e);
	str_buf_printf(out, "%-48s %10u  held %u\n", setting_rows[SETTING_SESSIONS_PER_USER].name,
	    setting_get(t->site, SETTING_SESSIONS_PER_USER), counts.all);
	str_buf_printf(out, "%-48s %10u  held %u\n",
	    setting_rows[SETTING_SERVICE_SESSIONS_PER_USER].name,
	    setting_get(t->site, SETTING_SERVICE_SESSIONS_PER_USER), counts.service);
	if (setting_get(t->site, SETTING_DISABLE_SESSION_LIMIT))
		str_buf_puts(out, "Disable Session Limit is 1: neither is enforced\n");
	return 0;
}

/* ---- events ------------------------------------------------------------------------------------ */

static int each_event(struct tree *t, void (*put)(const struct event *event, struct str_buf *out),
    const char *behind, struct str_buf *out)
{
	struct event *list;
	struct arena arena = {0};
	struct err e;
	size_t n;
	int err = 0;

	if (event_list(t->site, 0, 0, NULL, &arena, &list, &n, &e) < 0) {
		err = fs_errno(&e);
		goto out;
	}
	for (size_t i = 0; i < n; i++) {
		put(&list[i], out);
		str_buf_puts(out, behind);
	}
out:
	arena_fini(&arena);
	return err;
}

static void put_event_line(const struct event *event, struct str_buf *out)
{
	char when[CLOCK_RFC3339_SIZE];

	str_buf_printf(out, "%s %llu Error MSExchangeIS %u count=%llu ",
	    clock_rfc3339(event->time_ms, when), (unsigned long long)event->record_id, event->event_id,
	    (unsigned long long)event->count);
	event_message(event, out);
}

static int events_text(struct tree *t, struct user_id user, struct str_buf *out)
{
	(void)user;
	return each_event(t, put_event_line, "\n", out);
}

static int events_xml_text(struct tree *t, struct user_id user, struct str_buf *out)
{
	int err;

	(void)user;
	str_buf_puts(out, "<Events>\n");
	err = each_event(t, event_xml, "\n", out);
	str_buf_puts(out, "</Events>\n");
	return err;
}

/* ---- log and ctl --------------------------------------------------------------------------------- */

static int log_text(struct tree *t, struct user_id user, struct str_buf *out)
{
	(void)user;
	journal_text(t->journal, out);
	return 0;
}

static int end_all(struct tree *t)
{
	struct user_id everybody = {0};
	struct session_info *list;
	struct arena arena = {0};
	struct err e;
	size_t n;
	int err = 0;

	if (session_list(t->site, everybody, &arena, &list, &n, &e) < 0)
		err = fs_errno(&e);
	for (size_t i = 0; !err && i < n; i++)
		if (list[i].service != SESSION_ADMIN &&
		    session_end(t->site, list[i].id, END_WAIT_MS, &e) < 0 && e.code != ERR_NOTFOUND)
			err = fs_errno(&e);
	arena_fini(&arena);
	return err;
}

static int ctl_command(struct tree *t, struct str_view line)
{
	struct str_view verb = str_word(&line), id = str_word(&line);
	char text[64];
	struct err e;

	if (!str_equal(verb, SV("end")) || id.n == 0 || id.n >= sizeof text || str_word(&line).n > 0)
		return EINVAL;
	if (str_equal(id, SV("all")))
		return end_all(t);
	memcpy(text, id.p, id.n);
	text[id.n] = '\0';
	return session_end(t->site, text, END_WAIT_MS, &e) < 0 ? fs_errno(&e) : 0;
}

static int ctl_text(struct tree *t, struct user_id user, struct str_buf *out)
{
	(void)t;
	(void)user;
	str_buf_puts(out, "end ID\nend all\n");
	return 0;
}

const struct sysfile sysfiles[] = {
    {"sessions", false, 0600, sessions_text, NULL},
    {"limits", false, 0600, all_limits_text, NULL},
    {"events", false, 0600, events_text, NULL},
    {"events.xml", false, 0600, events_xml_text, NULL},
    {"log", false, 0600, log_text, NULL},
    {"ctl", false, 0600, ctl_text, ctl_command},
    {"sessions", true, 0400, sessions_text, NULL},
    {"limits", true, 0400, user_limits_text, NULL},
};
const size_t sysfiles_n = sizeof sysfiles / sizeof *sysfiles;

/* ---- what all files under sys/ have in common ---- */

int sysfile_text_read(struct tree *t, struct handle *h, uint64_t at, char *octets, size_t n,
    size_t *n_r)
{
	(void)t;
	*n_r = 0;
	if (at < h->text.n) {
		*n_r = h->text.n - at < n ? h->text.n - (size_t)at : n;
		memcpy(octets, h->text.p + at, *n_r);
	}
	return 0;
}

/* echo > ctl cuts the file first, which means nothing. */
int sysfile_text_set(struct tree *t, struct node n, const struct stat *st, unsigned what,
    const struct caller *who)
{
	(void)t;
	(void)n;
	(void)st;
	(void)who;
	return what & ~(unsigned)(NODE_SET_SIZE | NODE_SET_MTIME | NODE_SET_ATIME) ? EPERM : 0;
}
