/*
 * Figures of lib/mime, medians of five: scanning (large and small mail), line ends, decoders,
 * folding. Prints; judges nothing.
 */
#include "mime/decode.h"
#include "mime/eol.h"
#include "mime/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	ROUNDS = 5
};

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Seconds that one run takes: the median. */
static double measure(
    void (*run)(const struct str_buf *in), const struct str_buf *in, int times)
{
	double took[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		double begin = seconds();

		for (int n = 0; n < times; n++)
			run(in);
		took[i] = (seconds() - begin) / times;
	}
	qsort(took, ROUNDS, sizeof took[0], by_size);
	return took[ROUNDS / 2];
}

static void run_scan(const struct str_buf *in)
{
	struct mime_scan *scan = mime_scan_new(&mime_caps_default);
	struct arena arena = {0};
	struct mime_message m;

	for (size_t at = 0; at < in->n; at += 65536)
		mime_scan_feed(scan, in->p + at, in->n - at < 65536 ? in->n - at : 65536);
	mime_scan_finish(&scan, &arena, &m);
	arena_fini(&arena);
}

static void run_eol(const struct str_buf *in)
{
	struct eol_in e = {0};
	struct str_buf out = {0};

	for (size_t at = 0; at < in->n; at += 65536) {
		str_buf_clear(&out);
		eol_in_feed(&e, in->p + at, in->n - at < 65536 ? in->n - at : 65536, &out);
	}
	eol_in_finish(&e, &out);
	eol_in_fini(&e);
	str_buf_fini(&out);
}

static void run_eol_out(const struct str_buf *in)
{
	struct eol_out e = {.to = EOL_LF};
	struct str_buf out = {0};

	for (size_t at = 0; at < in->n; at += 65536) {
		str_buf_clear(&out);
		eol_out_feed(&e, in->p + at, in->n - at < 65536 ? in->n - at : 65536, &out);
	}
	str_buf_fini(&out);
}

static void decode(enum mime_encoding encoding, const struct str_buf *in)
{
	struct mime_decoder *d = mime_decoder_new(encoding);
	struct str_buf out = {0};

	for (size_t at = 0; at < in->n; at += 65536) {
		str_buf_clear(&out);
		mime_decoder_feed(d, in->p + at, in->n - at < 65536 ? in->n - at : 65536, &out);
	}
	mime_decoder_finish(&d, &out);
	str_buf_fini(&out);
}

static void run_base64(const struct str_buf *in)
{
	decode(MIME_BASE64, in);
}

static void run_qp(const struct str_buf *in)
{
	decode(MIME_QUOTED_PRINTABLE, in);
}

static void run_fold(const struct str_buf *in)
{
	struct str_buf out = {0};

	mime_casemap(str_buf_view(in), &out);
	str_buf_fini(&out);
}

static const char header[] =
    "Return-Path: <list-bounces@lists.example.org>\r\n"
    "Received: from mx.example.org (mx.example.org [192.0.2.7])\r\n"
    "\tby store.example.net (Postfix) with ESMTPS id 4F2A61C0033\r\n"
    "\tfor <alice@example.net>; Mon, 23 Nov 2026 04:21:09 +0000 (UTC)\r\n"
    "Received: from laptop (unknown [198.51.100.9]) by mx.example.org (Postfix)\r\n"
    "\twith ESMTPSA id 77B9E2009E; Mon, 23 Nov 2026 05:21:06 +0100 (CET)\r\n"
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=mail;\r\n"
    "\th=from:to:cc:subject:date:message-id; "
    "bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=;\r\n"
    "\tb=Tm90aGluZyB0byBzZWUgaGVyZSwgcGxlYXNlIG1vdmUgYWxvbmcgdG8gdGhlIG5leHQgbGluZQ==\r\n"
    "From: \"Example, Bob\" <bob@example.org>\r\n"
    "To: Alice <alice@example.net>, Team: carol@example.net, Dave <dave@example.net>;\r\n"
    "Cc: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\n"
    "Subject: Re: [list] =?utf-8?q?Gr=C3=B6=C3=9Fe?= of the next release, and what stands in "
    "its way\r\n"
    "Date: Mon, 23 Nov 2026 05:21:04 +0100\r\n"
    "Message-ID: <20261123042104.77B9E2009E@mx.example.org>\r\n"
    "In-Reply-To: <20261122101010.12345@mail.example.net>\r\n"
    "References: <20261120090909.1@mail.example.net> "
    "<20261122101010.12345@mail.example.net>\r\n"
    "MIME-Version: 1.0\r\n";

static const char lines[] =
    "The quick brown fox jumps over the lazy dog, and nobody asks the dog what it\r\n"
    "> thinks of that.  -- A line that is quoted, as half of all lines in mail are.\r\n"
    "diff --git a/lib/mime/scan.c b/lib/mime/scan.c\r\n\r\n";

static void fill(struct str_buf *b, const char *text, size_t upto)
{
	while (b->n < upto)
		str_buf_puts(b, text);
}

static void small_mail(struct str_buf *b)
{
	str_buf_puts(b, header);
	str_buf_puts(b,
	    "Content-Type: multipart/alternative; boundary=\"=_b1\"\r\n\r\n--=_b1\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n\r\n");
	fill(b, lines, 3200);
	str_buf_puts(b, "--=_b1\r\nContent-Type: text/html; charset=utf-8\r\n"
			"Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	fill(b, lines, 5000);
	str_buf_puts(b, "--=_b1--\r\n");
}

static void large_mail(struct str_buf *b, size_t octets)
{
	str_buf_puts(b, header);
	str_buf_puts(b, "Content-Type: multipart/mixed; boundary=\"=_b1\"\r\n\r\n--=_b1\r\n"
			"Content-Type: text/plain; charset=utf-8\r\n\r\n");
	fill(b, lines, octets / 4);
	str_buf_puts(b, "--=_b1\r\nContent-Type: application/pdf; name=x.pdf\r\n"
			"Content-Transfer-Encoding: base64\r\n\r\n");
	fill(b,
	    "JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZURl\r\n",
	    octets);
	str_buf_puts(b, "--=_b1--\r\n");
}

static void tell(const char *what, double s, size_t octets, const char *bar)
{
	printf("figure: %s | %.1f us, %.0f MB/s | %s\n", what, s * 1e6,
	    (double)octets / s / 1e6, bar);
}

int main(void)
{
	struct str_buf small = {0}, large = {0}, base64 = {0}, lf = {0}, ascii = {0},
		       other = {0};
	struct eol_out to_lf = {.to = EOL_LF};

	small_mail(&small);
	large_mail(&large, 32 << 20);
	fill(&base64,
	    "JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZURl\r\n",
	    8 << 20);
	eol_out_feed(&to_lf, large.p, large.n, &lf);
	fill(&ascii, lines, 8 << 20);
	fill(&other,
	    "Gr\xc3\xb6\xc3\x9f"
	    "e \xd0\x96\xd1\x83\xd0\xba \xe4\xb8\xad\xe6\x96\x87 ",
	    1 << 20);
	tell("scan 32 MB", measure(run_scan, &large, 1), large.n, ">= 500 MB/s");
	tell("scan 5 KB", measure(run_scan, &small, 2000), small.n, "<= 15 us");
	tell("line ends in, CRLF", measure(run_eol, &large, 1), large.n, "");
	tell("line ends in, LF", measure(run_eol, &lf, 1), lf.n, "");
	tell("line ends out, LF", measure(run_eol_out, &large, 1), large.n, "");
	tell("base64", measure(run_base64, &base64, 1), base64.n, "");
	tell("quoted-printable", measure(run_qp, &ascii, 1), ascii.n, "");
	tell("fold, ASCII", measure(run_fold, &ascii, 1), ascii.n, "");
	tell("fold, other", measure(run_fold, &other, 1), other.n, "");
	str_buf_fini(&small);
	str_buf_fini(&large);
	str_buf_fini(&base64);
	str_buf_fini(&lf);
	str_buf_fini(&ascii);
	str_buf_fini(&other);
	return 0;
}
