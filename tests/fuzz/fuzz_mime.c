/*
 * Fuzz target for lib/mime: scan.c entity.c structure.c content.c params.c address.c envelope.c header.c
 * date.c slug.c words.c charset.c fold.c transfer.c parts.c imaptext.c eol.c.
 *
 * Any octets: whole and in slices they give the same, all invariants hold, line ends come back.
 */
#include "check_message.h"

#include "mime/decode.h"
#include "mime/downgrade.h"
#include "mime/eol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static void demand(const char *why)
{
	if (why) {
		fprintf(stderr, "fuzz_mime: %s\n", why);
		abort();
	}
}

/* The first octet chooses the slices; caps are small, so that short inputs meet them. */
static void fuzz_scan(struct str_view crlf, size_t slice_n, const struct mime_caps *caps)
{
	struct arena arena = {0};
	struct mime_message whole, sliced;

	scan_octets(crlf, 0, caps, &arena, &whole);
	scan_octets(crlf, slice_n, caps, &arena, &sliced);
	demand(check_message(&whole));
	demand(check_same(&whole, &sliced));
	arena_fini(&arena);
}

/* What is told of a header is no longer UTF-8 where it was, is told but once, and has no line more that is blank. */
static void fuzz_downgrade(struct str_view octets)
{
	struct str_buf once = {0}, twice = {0};

	mime_header_downgrade(octets, &once);
	if (mime_header_is_utf8(str_buf_view(&once)))
		demand("a header is UTF-8 still");
	mime_header_downgrade(str_buf_view(&once), &twice);
	if (!str_equal(str_buf_view(&once), str_buf_view(&twice)))
		demand("a header that was told in ASCII is told otherwise");
	if (memmem(once.p ? once.p : "", once.n, "\r\n\r\n", 4) && !memmem(octets.p, octets.n, "\r\n\r\n", 4) &&
	    !memmem(octets.p, octets.n, "\n\n", 2))
		demand("a header ends where it did not");
	str_buf_fini(&once);
	str_buf_fini(&twice);
}

static void fuzz_text(struct str_view octets)
{
	struct str_buf decoded = {0}, folded = {0}, body = {0};
	struct arena arena = {0};
	struct mime_part *parts;
	struct err e;
	size_t n;

	mime_header_decode(octets, &decoded);
	if (!mime_utf8_valid(str_buf_view(&decoded)))
		demand("a decoded header is no UTF-8");
	mime_fold(octets, &folded);
	if (!mime_utf8_valid(str_buf_view(&folded)))
		demand("a folded name is no UTF-8");
	str_buf_clear(&decoded);
	mime_nfc(octets, &decoded);
	mime_body_from_bodystructure(octets, &body);
	if (mime_parts_unpack(octets, &arena, &parts, &n, &e) == 0)
		for (size_t i = 0; i < n; i++)
			mime_part_number(parts, i, &body);
	arena_fini(&arena);
	str_buf_fini(&decoded);
	str_buf_fini(&folded);
	str_buf_fini(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	static const struct mime_caps small = {
		.depth = 4, .parts = 9, .header_octets = 300, .structure_octets = 2000};
	struct str_view raw = str_view((const char *)octets, n);
	struct eol_in in = {0};
	struct str_buf crlf = {0};

	if (n == 0)
		return 0;
	eol_in_feed(&in, raw.p, raw.n, &crlf);
	eol_in_finish(&in, &crlf);
	eol_in_fini(&in);
	fuzz_scan(str_buf_view(&crlf), 1 + octets[0] % 37, &mime_caps_default);
	fuzz_scan(str_buf_view(&crlf), 1 + octets[0] % 37, &small);
	fuzz_scan(raw, 1 + octets[0] % 37, &mime_caps_default);
	demand(check_eol(raw, octets[0]));
	demand(check_decoders(raw));
	fuzz_text(raw);
	fuzz_downgrade(raw);
	str_buf_fini(&crlf);
	return 0;
}
