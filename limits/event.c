/* limits/event.c - the Application log, for those who read it: lists, sentences, XML, JSON. */
#include "limits/event.h"
#include "limits/event_file.h"
#include "limits/event_priv.h"
#include "limits/site_priv.h"
#include "limits/text.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ---- lists ---- */

struct listing {
	struct site *site;
	struct arena *arena;
	const char *dn;
	size_t max_n;
	struct event *list;
	size_t n, room;
	uint64_t last_id;
	enum event_order order;
	int64_t over_ms; /* of EVENT_BY_TIME */
};

static void add(struct listing *l, const struct event *event)
{
	if (l->n == l->room) {
		struct event *old = l->list;

		l->room = l->room ? l->room * 2 : 16;
		l->list = ARENA_ARRAY(l->arena, struct event, l->room);
		if (old)
			memcpy(l->list, old, l->n * sizeof *old);
	}
	l->list[l->n++] = *event;
}

/* The file's count may lag; the table's does not. */
static bool take(void *arg, struct str_view line, off_t at)
{
	struct listing *l = arg;
	struct event event;
	uint64_t user;

	(void)at;
	if (!event_line_parse(line, l->arena, &event, &user) || event.record_id <= l->last_id)
		return true;
	l->last_id = event.record_id;
	if (l->dn && strcmp(event.dn, l->dn) != 0)
		return true;
	event.count = event_log_count(l->site, user, &event);
	add(l, &event);
	return l->max_n == 0 || l->n < l->max_n;
}

static int list_file(struct listing *l, const char *name, struct err *e)
{
	int fd = openat(site_dir_fd(l->site), name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, ERR_IO, errno, "open %s", name);
	r = event_file_lines(fd, l->order, l->order == EVENT_BY_TIME ? l->over_ms : (int64_t)l->last_id, take, l, e);
	close(fd);
	return r;
}

static int list_files(struct listing *l, struct event **list_r, size_t *n_r, struct err *e)
{
	if (list_file(l, EVENT_FILE_OLD, e) < 0)
		return -1;
	if ((l->max_n == 0 || l->n < l->max_n) && list_file(l, EVENT_FILE, e) < 0)
		return -1;
	*list_r = l->list;
	*n_r = l->n;
	return 0;
}

int event_list(struct site *site, uint64_t after, size_t max_n, const char *dn,
    struct arena *arena, struct event **list_r, size_t *n_r, struct err *e)
{
	struct listing l = {.site = site, .arena = arena, .dn = dn, .max_n = max_n,
	    .last_id = after, .order = EVENT_BY_ID};

	return list_files(&l, list_r, n_r, e);
}

int event_list_over(struct site *site, int64_t over_ms, struct arena *arena, struct event **list_r, size_t *n_r,
    struct err *e)
{
	struct listing l = {.site = site, .arena = arena, .order = EVENT_BY_TIME, .over_ms = over_ms};

	return list_files(&l, list_r, n_r, e);
}

/* ---- texts ---- */

void event_legacy_dn(const char *user, struct str_buf *out)
{
	str_buf_puts(out, "/o=First Organization/ou=Exchange Administrative Group "
	    "(FYDIBOHF23SPDLT)/cn=Recipients/cn=");
	str_buf_puts(out, user);
}

void event_message(const struct event *event, struct str_buf *out)
{
	str_buf_printf(out, "Mapi session \"%s\" exceeded the maximum of %u objects of type \"%s\".",
	    event->dn, event->limit, event->object);
}

static void put_rendering(const struct event *event, struct str_buf *out)
{
	struct str_buf text = {0};

	event_message(event, &text);
	str_buf_printf(&text, "\n%s", event->explain);
	str_buf_puts(out, "<RenderingInfo Culture=\"en-US\"><Message>");
	text_put_xml(out, text.p);
	str_buf_puts(out, "</Message><Level>Error</Level><Task>General</Task><Channel>Application</Channel>"
	    "<Provider>MSExchangeIS</Provider><Keywords><Keyword>Classic</Keyword></Keywords></RenderingInfo>");
	str_buf_fini(&text);
}

static void put_data(struct str_buf *out, const char *text)
{
	str_buf_puts(out, "<Data>");
	text_put_xml(out, text);
	str_buf_puts(out, "</Data>");
}

void event_xml(const struct event *event, struct str_buf *out)
{
	char time[CLOCK_RFC3339_SIZE];

	str_buf_printf(out,
	    "<Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\"><System>"
	    "<Provider Name=\"MSExchangeIS\"/><EventID Qualifiers=\"49158\">%u</EventID>"
	    "<Level>2</Level><Task>6</Task><Keywords>0x80000000000000</Keywords>"
	    "<TimeCreated SystemTime=\"%s\"/><EventRecordID>%llu</EventRecordID>"
	    "<Channel>Application</Channel><Computer>",
	    event->event_id, clock_rfc3339(event->time_ms, time),
	    (unsigned long long)event->record_id);
	text_put_xml(out, event->computer);
	str_buf_puts(out, "</Computer><Security/></System><EventData>");
	put_data(out, event->dn);
	str_buf_printf(out, "<Data>%u</Data>", event->limit);
	put_data(out, event->object);
	str_buf_printf(out, "<Binary>%016llx</Binary></EventData>", (unsigned long long)event->count);
	if (*event->explain)
		put_rendering(event, out);
	str_buf_puts(out, "</Event>");
}

void event_json(const struct event *event, struct str_buf *out)
{
	event_line_print(event, NULL, out);
}
