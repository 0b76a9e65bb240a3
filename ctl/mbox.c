/*
 * ctl/mbox.c - mbox files, read and written a piece at a time: a line of any length costs no more than
 * the buffer.
 */
#include "ctl/mbox.h"

#include "base/mem.h"
#include "ctl/mail_form.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINES_SIZE 131072

/* --- lines --------------------------------------------------------------------------------- */

struct lines {
	int fd;
	char *buf;
	size_t at, n;
	bool eof;
};

static int lines_fill(struct lines *in, struct err *e)
{
	ssize_t r;

	memmove(in->buf, in->buf + in->at, in->n - in->at);
	in->n -= in->at;
	in->at = 0;
	do
		r = read(in->fd, in->buf + in->n, LINES_SIZE - in->n);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_sys(e, ERR_IO, errno, "reading");
	in->eof = r == 0;
	in->n += (size_t)r;
	return 0;
}

/* The next line with its end, or a piece of one that is longer than the buffer; 0: end of file. */
static int lines_next(struct lines *in, struct str_view *line_r, struct err *e)
{
	const char *end;
	size_t n;

	while (!(end = memchr(in->buf + in->at, '\n', in->n - in->at)) && !in->eof &&
	       in->n - in->at < LINES_SIZE)
		if (lines_fill(in, e) < 0)
			return -1;
	n = end ? (size_t)(end + 1 - (in->buf + in->at)) : in->n - in->at;
	*line_r = str_view(in->buf + in->at, n);
	in->at += n;
	return n > 0;
}

/* --- reading ------------------------------------------------------------------------------- */

struct reader {
	const struct mail_sink *sink;
	struct mail_about about;
	bool open;        /* a message is being put into the sink */
	bool in_header, line_start;
	bool after_blank; /* a From_ line may stand here */
	char blank[3];    /* the blank line kept back: it may be the form's */
	struct str_buf out;
};

static int reader_flush(struct reader *r, struct err *e)
{
	int done = r->out.n > 0 ? r->sink->write(r->sink->arg, r->out.p, r->out.n, e) : 0;

	str_buf_clear(&r->out);
	return done;
}

static int message_end(struct reader *r, struct err *e)
{
	if (!r->open)
		return 0;
	r->open = false;
	r->blank[0] = '\0';
	if (reader_flush(r, e) < 0)
		return -1;
	return r->sink->end(r->sink->arg, &r->about, e);
}

static int message_begin(struct reader *r, int64_t idate_ms, int zone_min, struct err *e)
{
	if (message_end(r, e) < 0 || r->sink->begin(r->sink->arg, e) < 0)
		return -1;
	r->about = (struct mail_about){.idate_ms = idate_ms, .zone_min = zone_min};
	r->open = r->in_header = true;
	r->after_blank = false;
	return 0;
}

static bool is_blank(struct str_view line)
{
	return (line.n == 1 && line.p[0] == '\n') || (line.n == 2 && memcmp(line.p, "\r\n", 2) == 0);
}

/* A line's quote is one '>' in front of ">*From ". */
static struct str_view unquote(struct str_view line)
{
	size_t n = 0;

	while (n < line.n && line.p[n] == '>')
		n++;
	if (n == 0 || line.n - n < 5 || memcmp(line.p + n, "From ", 5) != 0)
		return line;
	return str_view(line.p + 1, line.n - 1);
}

/* A line, or a piece of one, that belongs to the message. */
static void line_take(struct reader *r, struct str_view line)
{
	str_buf_puts(&r->out, r->blank);
	r->blank[0] = '\0';
	r->after_blank = r->line_start && is_blank(line);
	if (!r->line_start) {
		str_buf_put(&r->out, line.p, line.n);
		return;
	}
	if (r->after_blank && !r->in_header) {
		memcpy(r->blank, line.p, line.n);
		r->blank[line.n] = '\0';
		return;
	}
	if (r->in_header)
		mail_status_line(line, &r->about.flags);
	if (r->after_blank)
		r->in_header = false;
	line = unquote(line);
	str_buf_put(&r->out, line.p, line.n);
}

static int line_read(struct reader *r, struct str_view line, struct err *e)
{
	int64_t idate_ms;
	int zone_min;

	if (r->line_start && (r->after_blank || !r->open) &&
	    mail_from_line(line, &idate_ms, &zone_min)) {
		if (message_begin(r, idate_ms, zone_min, e) < 0)
			return -1;
	} else if (r->open) {
		line_take(r, line);
	}
	r->line_start = line.p[line.n - 1] == '\n';
	return r->out.n >= LINES_SIZE ? reader_flush(r, e) : 0;
}

int mbox_read(int fd, struct str_view first, int64_t otherwise_ms, const struct mail_sink *sink,
    struct err *e)
{
	struct lines in = {.fd = fd, .buf = mem_alloc(LINES_SIZE), .n = first.n};
	struct reader r = {.sink = sink, .line_start = true};
	struct str_view line;
	int64_t ms;
	int zone_min, got, result = -1;

	memcpy(in.buf, first.p, first.n);
	/* The first line is a From_ line whatever its date looks like: else this were no mbox. */
	got = lines_next(&in, &line, e);
	if (got > 0 && !mail_from_line(line, &ms, &zone_min))
		ms = otherwise_ms, zone_min = 0;
	if (got > 0 && message_begin(&r, ms, zone_min, e) < 0)
		goto out;
	while (got > 0 && (got = lines_next(&in, &line, e)) > 0)
		if (line_read(&r, line, e) < 0)
			goto out;
	if (got == 0)
		result = message_end(&r, e);
out:
	str_buf_fini(&r.out);
	mem_free(&in.buf);
	return result;
}

/* --- writing ------------------------------------------------------------------------------- */

void mbox_from_line(int64_t idate_ms, struct str_buf *out)
{
	time_t t = (time_t)(idate_ms >= 0 ? idate_ms / 1000 : (idate_ms - 999) / 1000);
	char text[64];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "From MAILER-DAEMON %a %b %e %H:%M:%S %Y\n", &tm);
	str_buf_puts(out, text);
}

/* Whether held + c may still become ">*From ". */
static bool quote_goes_on(const struct mbox_quote *q, char c)
{
	static const char word[] = "From ";

	return q->seen == 0 && c == '>' ? true : c == word[q->seen];
}

static void quote_release(struct mbox_quote *q, struct str_buf *out)
{
	str_buf_put(out, q->held.p, q->held.n);
	str_buf_clear(&q->held);
	q->seen = 0;
	q->inside = true;
}

void mbox_quote_feed(struct mbox_quote *q, const char *octets, size_t n, struct str_buf *out)
{
	const char *p = octets, *end = octets + n;

	while (p < end) {
		if (q->inside) { /* to the end of this line in one step */
			const char *nl = memchr(p, '\n', (size_t)(end - p));
			const char *stop = nl ? nl + 1 : end;

			str_buf_put(out, p, (size_t)(stop - p));
			q->inside = nl == NULL;
			p = stop;
		} else if (quote_goes_on(q, *p)) {
			q->seen += *p != '>';
			str_buf_putc(&q->held, *p++);
			if (q->seen == 5) {
				str_buf_putc(out, '>');
				quote_release(q, out);
			}
		} else {
			quote_release(q, out);
		}
	}
}

void mbox_quote_finish(struct mbox_quote *q, struct str_buf *out)
{
	bool ended = !q->inside && q->held.n == 0;

	quote_release(q, out);
	str_buf_puts(out, ended ? "\n" : "\n\n");
	str_buf_fini(&q->held);
	*q = (struct mbox_quote){0};
}
