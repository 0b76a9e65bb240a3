/* fs/sys_events.c - the Application log, of everybody or of one user. */
#include "fs/sysfile.h"

#include "fs/err_map.h"

#include "base/clock.h"
#include "limits/event.h"

static int each_event(struct tree *t, const struct sys_whom *whom,
    void (*put)(const struct event *event, struct str_buf *out),
    const char *behind, struct str_buf *out)
{
	struct event *list;
	struct arena arena = {0};
	struct err e;
	struct str_buf dn = {0};
	size_t n;
	int err = 0;

	if (whom->name)
		event_legacy_dn(whom->name, &dn);
	if (event_list(t->site, 0, 0, whom->name ? dn.p : NULL, &arena, &list, &n, &e) < 0) {
		err = fs_errno(&e);
		goto out;
	}
	for (size_t i = 0; i < n; i++) {
		put(&list[i], out);
		str_buf_puts(out, behind);
	}
out:
	str_buf_fini(&dn);
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
	if (*event->explain)
		str_buf_printf(out, " (%s)", event->explain);
}

int sys_events_text(struct tree *t, const struct sys_whom *whom, struct str_buf *out)
{
	return each_event(t, whom, put_event_line, "\n", out);
}

int sys_events_xml_text(struct tree *t, const struct sys_whom *whom, struct str_buf *out)
{
	int err;

	str_buf_puts(out, "<Events>\n");
	err = each_event(t, whom, event_xml, "\n", out);
	str_buf_puts(out, "</Events>\n");
	return err;
}
