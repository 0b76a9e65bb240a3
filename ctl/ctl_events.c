/* ctl/ctl_events.c - postern events [--xml|--json] [--follow]: the Application log. */
#include "base/clock.h"
#include "ctl/verb.h"
#include "limits/event.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

#define FOLLOW_MS 500

static bool as_xml, as_json, follow;

/* As the Event Viewer's "General" pane and its table have it. */
static void event_text(const struct event *event, struct str_buf *out)
{
	char time[CLOCK_RFC3339_SIZE];

	str_buf_printf(out,
	    "Log Name:      Application\nSource:        MSExchangeIS\nDate:          %s\n"
	    "Event ID:      %" PRIu32 "\nTask Category: General\nLevel:         Error\n"
	    "Keywords:      Classic\nUser:          N/A\nComputer:      %s\nDescription:   ",
	    clock_rfc3339(event->time_ms, time), event->event_id, event->computer);
	event_message(event, out);
	str_buf_printf(out, "\n               (%" PRIu64 " in that minute; the limit is `%s`, held %" PRIu32 ")\n",
	    event->count, event->setting, event->held);
	if (*event->explain)
		str_buf_printf(out, "               %s\n", event->explain);
}

/* Writes what came after *after and moves it. */
static int events_print(struct ctl *ctl, uint64_t *after, struct err *e)
{
	struct arena arena = {0};
	struct str_buf out = {0};
	struct event *list;
	size_t n;
	int r = event_list(ctl->site, *after, 0, NULL, &arena, &list, &n, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		str_buf_clear(&out);
		if (as_xml)
			event_xml(&list[i], &out);
		else if (as_json)
			event_json(&list[i], &out);
		else
			event_text(&list[i], &out);
		puts(out.p);
		*after = list[i].record_id;
	}
	str_buf_fini(&out);
	arena_fini(&arena);
	return r;
}

/* Whether the log was written to since the last call: one stat, so that waiting costs nothing. */
static bool log_moved(struct ctl *ctl, struct stat *last)
{
	struct stat now;

	if (fstatat(site_dir_fd(ctl->site), "events.log", &now, 0) < 0)
		return false;
	if (now.st_ino == last->st_ino && now.st_size == last->st_size)
		return false;
	*last = now;
	return true;
}

static int events_run(struct ctl *ctl, char **operands, int n)
{
	struct stat last = {0};
	uint64_t after = 0;
	struct err e;

	(void)operands, (void)n;
	if (as_xml && as_json)
		return ctl_usage(ctl, "--xml and --json exclude each other");
	if (as_xml && !follow)
		puts("<Events>");
	log_moved(ctl, &last);
	if (events_print(ctl, &after, &e) < 0)
		return ctl_fail_err(&e);
	while (follow && fflush(stdout) == 0) {
		poll(NULL, 0, FOLLOW_MS);
		if (log_moved(ctl, &last) && events_print(ctl, &after, &e) < 0)
			return ctl_fail_err(&e);
	}
	if (as_xml && !follow)
		puts("</Events>");
	return CTL_OK;
}

static const struct verb_option options[] = {
    {0, "xml", NULL, &as_xml, "one <Events> element"},
    {0, "json", NULL, &as_json, "one JSON object a line"},
    {'f', "follow", NULL, &follow, "go on with what is logged from now on"},
    {0},
};

const struct verb ctl_verb_events = {
    .name = "events",
    .summary = "show the Application log: who ran into which limit",
    .help = "Event 9646 of source MSExchangeIS: one record per user, limit and minute, with a count of\n"
	    "the refusals in it. With --follow and --xml each record is an <Event> element of its own.",
    .site = true,
    .actions =
	(const struct verb_action[]){
	    {NULL, "", 0, 0, options, events_run, NULL},
	    {0},
	},
};
