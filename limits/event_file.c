/*
 * limits/event_file.c - lines of the event log: printed, parsed, found by halving, mended.
 *
 * Lines are parsed by cJSON, since people and scripts may have touched the file; what the halving and
 * the mending read of a line is only its beginning, in the fixed order that we write.
 */
#include "limits/event_file.h"
#include "limits/text.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCAN_BYTES 65536

/* ---- one line ---- */

static void put_json_text(struct str_buf *out, const char *text)
{
	str_buf_putc(out, '"');
	for (size_t n; *text; text += n) {
		n = text_utf8_size(text, strlen(text));
		if (n == 0) {
			str_buf_putc(out, '?');
			n = 1;
		} else if ((unsigned char)*text < ' ') {
			str_buf_printf(out, "\\u%04x", (unsigned)*text);
		} else {
			if (*text == '"' || *text == '\\')
				str_buf_putc(out, '\\');
			str_buf_put(out, text, n);
		}
	}
	str_buf_putc(out, '"');
}

static void put_member(struct str_buf *out, const char *name, const char *text)
{
	str_buf_printf(out, ",\"%s\":", name);
	put_json_text(out, text);
}

void event_line_print(const struct event *event, const struct event_filed *filed, struct str_buf *out)
{
	char time[CLOCK_RFC3339_SIZE];

	str_buf_printf(out, "{\"record_id\":%llu,\"time_ms\":%lld", (unsigned long long)event->record_id,
	    (long long)event->time_ms);
	if (filed && filed->latest_ms > event->time_ms)
		str_buf_printf(out, ",\"latest_ms\":%lld", (long long)filed->latest_ms);
	str_buf_printf(out, ",\"count\":%*llu", filed ? EVENT_COUNT_WIDTH : 0, (unsigned long long)event->count);
	put_member(out, "time", clock_rfc3339(event->time_ms, time));
	put_member(out, "source", "MSExchangeIS");
	str_buf_printf(out, ",\"event_id\":%u,\"limit\":%u", event->event_id, event->limit);
	str_buf_printf(out, ",\"held\":%u", event->held);
	put_member(out, "setting", event->setting);
	put_member(out, "object", event->object);
	put_member(out, "user", event->user);
	if (filed)
		str_buf_printf(out, ",\"user_id\":\"%016llx\"", (unsigned long long)filed->user);
	put_member(out, "dn", event->dn);
	put_member(out, "computer", event->computer);
	put_member(out, "explain", event->explain);
	str_buf_putc(out, '}');
}

static bool take_number(const cJSON *object, const char *name, double max, uint64_t *n_r)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > max)
		return false;
	*n_r = (uint64_t)item->valuedouble;
	return true;
}

static bool take_text(const cJSON *object, const char *name, struct arena *arena,
    const char **text_r)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!cJSON_IsString(item))
		return false;
	*text_r = arena_str(arena, item->valuestring);
	return true;
}

static bool take_all(const cJSON *object, struct arena *arena, struct event *event,
    uint64_t *user_r)
{
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(object, "user_id");
	uint64_t time_ms, event_id, limit, held;
	const double big = 9007199254740992.0; /* a double's whole numbers end there */

	if (!take_number(object, "record_id", big, &event->record_id) ||
	    !take_number(object, "time_ms", big, &time_ms) ||
	    !take_number(object, "count", big, &event->count) ||
	    !take_number(object, "event_id", UINT32_MAX, &event_id) ||
	    !take_number(object, "limit", UINT32_MAX, &limit) ||
	    !take_text(object, "setting", arena, &event->setting) ||
	    !take_text(object, "object", arena, &event->object) ||
	    !take_text(object, "user", arena, &event->user) ||
	    !take_text(object, "dn", arena, &event->dn) ||
	    !take_text(object, "computer", arena, &event->computer))
		return false;
	event->time_ms = (int64_t)time_ms;
	event->event_id = (uint32_t)event_id;
	event->limit = (uint32_t)limit;
	/* Records of an earlier version have neither. */
	if (!take_text(object, "explain", arena, &event->explain))
		event->explain = "";
	event->held = take_number(object, "held", UINT32_MAX, &held) ? (uint32_t)held : event->limit;
	*user_r = cJSON_IsString(id) ? strtoull(id->valuestring, NULL, 16) : 0;
	return true;
}

bool event_line_parse(struct str_view line, struct arena *arena, struct event *event_r,
    uint64_t *user_r)
{
	struct event event = {0};
	cJSON *object = cJSON_ParseWithLength(line.p, line.n);
	bool ok = cJSON_IsObject(object) && take_all(object, arena, &event, user_r);

	cJSON_Delete(object);
	if (ok)
		*event_r = event;
	return ok;
}

off_t event_line_count_at(struct str_view line)
{
	static const char name[] = "\"count\":";
	const char *at = memmem(line.p, line.n, name, sizeof name - 1);

	return at ? (off_t)(at - line.p) + (off_t)sizeof name - 1 : -1;
}

/* How a line begins. */
struct start {
	uint64_t id;
	int64_t time_ms, latest_ms;
};

/* False if it does not begin like one of ours. */
static bool take_start(struct str_view line, struct start *start_r)
{
	unsigned long long id;
	long long time_ms, latest_ms;
	char text[120];
	int n;

	snprintf(text, sizeof text, "%.*s", (int)(line.n < sizeof text ? line.n : sizeof text - 1), line.p);
	n = sscanf(text, "{\"record_id\":%llu,\"time_ms\":%lld,\"latest_ms\":%lld,", &id, &time_ms, &latest_ms);
	if (n < 2)
		return false;
	*start_r = (struct start){id, time_ms, n == 3 ? latest_ms : time_ms};
	return true;
}

/* What lines are sorted by, one after the other. */
static int64_t place_of(const struct start *start, enum event_order order)
{
	return order == EVENT_BY_ID ? (int64_t)start->id : start->latest_ms;
}

static bool is_over(const struct start *start, enum event_order order, int64_t over)
{
	return (order == EVENT_BY_ID ? (int64_t)start->id : start->time_ms) > over;
}

/* ---- finding ---- */

/* The first line that begins in [at, end) and is ours: where, and how. */
static bool probe(int fd, off_t at, off_t end, off_t *line_at_r, struct start *start_r)
{
	char bytes[2 * EVENT_LINE_MAX];
	ssize_t n = io_pread_all(fd, bytes, sizeof bytes, at);
	const char *p = bytes, *stop = bytes + (n > 0 ? n : 0);

	while (p < stop && (p = memchr(p, '\n', (size_t)(stop - p)))) {
		p++;
		if (at + (p - bytes) >= end)
			return false;
		if (take_start(str_view(p, (size_t)(stop - p)), start_r)) {
			*line_at_r = at + (p - bytes);
			return true;
		}
	}
	return false;
}

/* A line's start before which nothing is over that; lines between are few. */
static off_t find_start(int fd, enum event_order order, int64_t over, off_t size)
{
	off_t low = 0, high = size;

	while (high - low > 4 * EVENT_LINE_MAX) {
		off_t mid = low + (high - low) / 2, line_at;
		struct start start;

		if (probe(fd, mid, high, &line_at, &start) && place_of(&start, order) <= over)
			low = line_at;
		else
			high = mid;
	}
	return low;
}

/* Lines in bytes, the first beginning at `at` in the file; how much was used up. */
static size_t split(struct str_view bytes, off_t at, enum event_order order, int64_t over,
    bool (*each)(void *arg, struct str_view line, off_t at), void *arg, bool *go_on)
{
	size_t used = 0;
	const char *end;

	while (*go_on && (end = memchr(bytes.p + used, '\n', bytes.n - used))) {
		struct str_view line = str_view(bytes.p + used, (size_t)(end - bytes.p) - used);
		struct start start;

		if (take_start(line, &start) && is_over(&start, order, over))
			*go_on = each(arg, line, at + (off_t)used);
		used += line.n + 1;
	}
	return used;
}

int event_file_lines(int fd, enum event_order order, int64_t over,
    bool (*each)(void *arg, struct str_view line, off_t at), void *arg, struct err *e)
{
	struct str_buf bytes = {0};
	bool go_on = true;
	struct stat st;
	off_t at;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return err_sys(e, ERR_IO, errno, "stat the event log");
	at = find_start(fd, order, over, st.st_size);
	do {
		n = io_pread_all(fd, str_buf_room(&bytes, SCAN_BYTES), SCAN_BYTES, at + (off_t)bytes.n);
		if (n < 0) {
			str_buf_fini(&bytes);
			return err_sys(e, ERR_IO, errno, "read the event log");
		}
		bytes.n += (size_t)n;
		size_t used = split(str_buf_view(&bytes), at, order, over, each, arg, &go_on);

		if (used == 0 && bytes.n > SCAN_BYTES)
			used = bytes.n; /* no line of ours is that long */
		str_buf_consume(&bytes, used);
		at += (off_t)used;
	} while (n > 0 && go_on);
	str_buf_fini(&bytes);
	return 0;
}

/* ---- mending ---- */

int event_file_mend(int fd, struct event_end *end_r, struct err *e)
{
	char bytes[2 * EVENT_LINE_MAX];
	struct stat st;
	off_t from;
	ssize_t n;
	struct start last = {0};

	if (fstat(fd, &st) < 0)
		return err_sys(e, ERR_IO, errno, "stat the event log");
	from = st.st_size > (off_t)sizeof bytes ? st.st_size - (off_t)sizeof bytes : 0;
	n = io_pread_all(fd, bytes, sizeof bytes, from);
	if (n < 0)
		return err_sys(e, ERR_IO, errno, "read the event log");
	const char *end = memrchr(bytes, '\n', (size_t)n);
	size_t kept = end ? (size_t)(end + 1 - bytes) : 0;

	if (kept < (size_t)n && ftruncate(fd, from + (off_t)kept) < 0)
		return err_sys(e, ERR_IO, errno, "mend the event log");
	for (size_t at = 0; at < kept;) {
		size_t line_n = (size_t)((const char *)memchr(bytes + at, '\n', kept - at) - bytes) - at;

		take_start(str_view(bytes + at, line_n), &last);
		at += line_n + 1;
	}
	*end_r = (struct event_end){from + (off_t)kept, last.id, last.latest_ms};
	return 0;
}

void event_file_put_count(int fd, off_t at, uint64_t count)
{
	static const char name[] = "\"count\":";
	char there[sizeof name - 1 + EVENT_COUNT_WIDTH], text[EVENT_COUNT_WIDTH + 2];
	off_t from = at - (off_t)(sizeof name - 1);

	if (from < 0 || io_pread_all(fd, there, sizeof there, from) != sizeof there ||
	    memcmp(there, name, sizeof name - 1) != 0)
		return;
	if (count > 9999999999u)
		count = 9999999999u;
	snprintf(text, sizeof text, "%*llu", EVENT_COUNT_WIDTH, (unsigned long long)count);
	for (size_t i = sizeof name - 1; i < sizeof there; i++)
		if (there[i] != ' ' && (there[i] < '0' || there[i] > '9'))
			return;
	if (io_pwrite_all(fd, text, EVENT_COUNT_WIDTH, at) < 0)
		log_warn("event-count-not-written", "errno=%d", errno);
}
