/*
 * mime/eol.c - line ends in and out.  What makes a mixed message go out as it came in are run
 * lengths (varints): so many line ends that were CRLF, so many that were LF, by turns, CRLF
 * first. So a file with one odd line costs three octets, and only a message that alternates
 * costs one a line.
 */
#include "mime/eol.h"
#include "mime/varint_priv.h"

#include <string.h>

/* The open run goes into the exceptions, unless they are full. */
static void close_run(struct eol_in *in)
{
	size_t before = in->exceptions.n;

	if (!in->exceptions_full) {
		varint_put(&in->exceptions, in->run);
		if (in->exceptions.n > EOL_EXCEPTIONS_MAX) {
			in->exceptions.n = before;
			in->exceptions_full = true;
		} else if (in->run_lf) {
			in->lf_kept += in->run;
		}
	}
	in->run = 0;
}

static void count_line_end(struct eol_in *in, bool lf)
{
	if (lf != in->run_lf) {
		close_run(in);
		in->run_lf = lf;
	}
	in->run++;
	if (lf)
		in->lf_n++;
	else
		in->crlf_n++;
}

void eol_in_feed(struct eol_in *in, const void *octets, size_t n, struct str_buf *out)
{
	const char *begin = octets, *end = begin + n, *from = begin, *lf;
	size_t before = out->n;

	if (n == 0)
		return;
	str_buf_room(out, n);
	for (const char *p = begin; (lf = memchr(p, '\n', (size_t)(end - p))); p = lf + 1) {
		bool crlf = lf > begin ? lf[-1] == '\r' : in->after_cr;

		count_line_end(in, !crlf);
		if (!crlf) {
			str_buf_put(out, from, (size_t)(lf - from));
			str_buf_put(out, "\r\n", 2);
			from = lf + 1;
		}
		if (lf + 1 == end)
			break;
	}
	str_buf_put(out, from, (size_t)(end - from));
	in->after_cr = end[-1] == '\r';
	in->size_in += n;
	in->at += out->n - before;
}

void eol_in_finish(struct eol_in *in, struct str_buf *out)
{
	(void)out;
	if (in->run_lf)
		close_run(in); /* a last run of CRLF is what goes out anyway */
	if (eol_in_kind(in) != EOL_MIXED)
		str_buf_fini(&in->exceptions);
}

enum eol_kind eol_in_kind(const struct eol_in *in)
{
	if (in->lf_n == 0)
		return EOL_CRLF;
	return in->crlf_n ? EOL_MIXED : EOL_LF;
}

uint64_t eol_in_size_lf(const struct eol_in *in)
{
	return in->at - in->crlf_n - in->lf_n;
}

uint64_t eol_in_size_back(const struct eol_in *in)
{
	return in->at - in->lf_kept;
}

void eol_in_fini(struct eol_in *in)
{
	str_buf_fini(&in->exceptions);
}

/* Whether the next line end goes out as LF. */
static bool next_is_lf(struct eol_out *out)
{
	if (out->to != EOL_MIXED)
		return out->to == EOL_LF;
	while (out->run == 0) {
		bool first = out->next == 0;

		if (!varint_get(out->exceptions, &out->next, &out->run))
			return false;
		out->run_lf = !first && !out->run_lf;
	}
	out->run--;
	return out->run_lf;
}

void eol_out_feed(struct eol_out *out, const void *octets, size_t n, struct str_buf *to)
{
	const char *begin = octets, *end = begin + n, *from = begin, *lf;

	if (n == 0)
		return;
	if (out->to == EOL_CRLF) {
		str_buf_put(to, octets, n);
		return;
	}
	str_buf_room(to, n + 1);
	if (out->after_cr && (*begin != '\n' || !next_is_lf(out)))
		str_buf_putc(to, '\r');
	for (const char *p = begin; (lf = memchr(p, '\n', (size_t)(end - p))); p = lf + 1) {
		if (lf > begin && lf[-1] == '\r' && next_is_lf(out)) {
			str_buf_put(to, from, (size_t)(lf - 1 - from));
			from = lf;
		}
		if (lf + 1 == end)
			break;
	}
	out->after_cr = end[-1] == '\r';
	str_buf_put(to, from, (size_t)(end - from) - out->after_cr);
}

void eol_out_finish(struct eol_out *out, struct str_buf *to)
{
	if (out->after_cr)
		str_buf_putc(to, '\r');
	out->after_cr = false;
}
