/*
 * Fuzz target for store/search_sig.c, the making of fields in store/search_fields.c, and of lib/mime
 * casemap.c and the texts of headers in header.c and words.c.
 *
 * Whatever a search would find by reading, no signature denies and no remembered field hides.
 */
#include "mime/decode.h"
#include "store/search_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static void demand(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "fuzz_search: %s\n", what);
		abort();
	}
}

/* Mapped once more nothing changes, and in two pieces nothing either. */
static void fuzz_map(struct str_view text, size_t at, struct str_buf *mapped)
{
	struct str_buf again = {0};

	mime_casemap(text, mapped);
	demand(mime_utf8_valid(str_buf_view(mapped)), "mapped text is no UTF-8");
	mime_casemap(str_buf_view(mapped), &again);
	demand(str_equal(str_buf_view(&again), str_buf_view(mapped)), "mapping is not stable");
	while (at < text.n && ((unsigned char)text.p[at] & 0xc0) == 0x80)
		at++;
	if (mime_utf8_valid(text) && at <= text.n) {
		str_buf_clear(&again);
		mime_casemap(str_view(text.p, at), &again);
		mime_casemap(str_view(text.p + at, text.n - at), &again);
		demand(str_equal(str_buf_view(&again), str_buf_view(mapped)), "pieces are mapped otherwise");
	}
	str_buf_fini(&again);
}

static bool holds(struct str_view text, struct str_view what)
{
	return what.n == 0 || memmem(text.p, text.n, what.p, what.n);
}

/* All fields of the header: in its text, in its signature, and, of those remembered, there. */
static void fuzz_header(struct str_view header, struct str_view whole, struct str_view sig)
{
	struct str_buf fields = {0}, text = {0}, mapped = {0};
	struct str_view rest = header, name, value;

	search_fields_make(header, &fields);
	while (mime_header_next(&rest, &name, &value)) {
		size_t field = search_field_of(name);

		str_buf_clear(&text);
		str_buf_clear(&mapped);
		mime_header_value(value, &text);
		mime_casemap(str_buf_view(&text), &mapped);
		demand(holds(whole, str_buf_view(&mapped)), "a field is not in its header's text");
		demand(search_sig_may_hold(sig, str_buf_view(&mapped)), "a field is denied");
		str_buf_putc(&mapped, '\xff');
		demand(field == SEARCH_FIELDS_N ||
			   holds(search_fields_get((const void *)fields.p, field), str_buf_view(&mapped)),
		    "a field is not remembered");
	}
	str_buf_fini(&fields);
	str_buf_fini(&text);
	str_buf_fini(&mapped);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	static struct search_sig set;
	struct str_buf text = {0}, mapped = {0}, plain = {0}, sig = {0};
	struct str_view raw;
	size_t at;

	if (n < 2)
		return 0;
	raw = str_view((const char *)octets + 2, n - 2);
	at = octets[0] % (raw.n + 1);
	fuzz_map(raw, at, &plain);
	mime_header_text(raw, &text);
	fuzz_map(str_buf_view(&text), at, &mapped);
	search_sig_add(&set, str_buf_view(&mapped));
	search_sig_put(&set, &sig);
	at = octets[0] * (mapped.n + 1) / 256;
	demand(search_sig_may_hold(str_buf_view(&sig),
		   str_view(str_buf_view(&mapped).p + at, (mapped.n - at) * octets[1] / 255)),
	    "a piece of the text is denied");
	fuzz_header(raw, str_buf_view(&mapped), str_buf_view(&sig));
	str_buf_fini(&text);
	str_buf_fini(&mapped);
	str_buf_fini(&plain);
	str_buf_fini(&sig);
	return 0;
}
