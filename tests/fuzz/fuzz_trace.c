/*
 * Fuzz target for ctl/trace_read.c: any octets as a trace, or as a log of the doors; and limits/text.c, whose XML they are.
 *
 * They are refused with a reason, or make a trace that can be run: opens by time from 0, each held to the end or for a time that
 * is within it, by users that are numbered without a hole.  An own form's trace is written again, and read the same.
 */
#include "base/check.h"
#include "ctl/trace.h"
#include "limits/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static bool read_one(const void *octets, size_t n, struct trace *trace)
{
	FILE *in = fmemopen((void *)octets, n, "r");
	struct err e = {0};
	int r;

	CHECK(in);
	r = trace_read(in, "trace", trace, &e);
	fclose(in);
	CHECK(r == 0 || (e.code == ERR_INVALID && strncmp(e.what, "trace", 5) == 0));
	return r == 0;
}

static void demand_sense(const struct trace *trace)
{
	bool *seen = calloc(trace->users_n + 1, sizeof *seen);
	int64_t before_ms = 0;
	size_t seen_n = 0;

	CHECK(seen && trace->n > 0 && trace->refused_n <= trace->n && trace->opens[0].at_ms == 0);
	for (const struct trace_open *open = trace->opens; open < trace->opens + trace->n; open++) {
		CHECK(open->at_ms >= before_ms && open->at_ms <= trace->end_ms);
		CHECK(open->held_ms >= -1 && open->user < trace->users_n && open->service < SESSION_SERVICES_N);
		before_ms = open->at_ms;
		seen_n += !seen[open->user];
		seen[open->user] = true;
	}
	CHECK(seen_n == trace->users_n);
	free(seen);
}

/* Every session with an end that comes after its beginning has a line for both. */
static void read_again(const struct trace *trace)
{
	struct str_buf text = {0};
	struct trace again;
	uint64_t sum = 0;

	for (size_t i = 0; i < trace->n; i++)
		str_buf_printf(&text, "%" PRId64 ".%03d open u%" PRIu32 " %s %zu\n", trace->opens[i].at_ms / 1000,
		    (int)(trace->opens[i].at_ms % 1000), trace->opens[i].user,
		    session_service_name((enum session_service)trace->opens[i].service), i);
	for (size_t i = 0; i < trace->n; i++)
		if (trace->opens[i].held_ms >= 0) {
			int64_t at_ms = trace->opens[i].at_ms + trace->opens[i].held_ms;

			str_buf_printf(&text, "%" PRId64 ".%03d close %zu\n", at_ms / 1000, (int)(at_ms % 1000), i);
		}
	CHECK(read_one(text.p, text.n, &again) && again.n == trace->n && again.users_n == trace->users_n);
	for (size_t i = 0; i < trace->n; i++) { /* users have other numbers, by which opens of one moment are sorted */
		CHECK(again.opens[i].at_ms == trace->opens[i].at_ms);
		sum += (uint64_t)(trace->opens[i].held_ms - again.opens[i].held_ms);
		sum += (uint64_t)(trace->opens[i].service - again.opens[i].service);
	}
	CHECK(sum == 0);
	trace_fini(&again);
	str_buf_fini(&text);
}

static void print_xml(const uint8_t *octets, size_t n)
{
	char *text = malloc(n + 1);
	struct str_buf out = {0};

	CHECK(text);
	memcpy(text, octets, n);
	text[n] = '\0';
	text_put_xml(&out, text);
	for (size_t at = 0, size; at < out.n; at += size) {
		size = text_utf8_size(out.p + at, out.n - at);
		CHECK(size > 0 && !strchr("<>\"", out.p[at]));
		CHECK((unsigned char)out.p[at] >= ' ' || strchr("\t\n\r", out.p[at]));
	}
	str_buf_fini(&out);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct trace trace;

	print_xml(octets, n);
	if (n == 0 || !read_one(octets, n, &trace))
		return 0;
	demand_sense(&trace);
	if (trace.n <= 1000)
		read_again(&trace);
	trace_fini(&trace);
	return 0;
}
