/*
 * mime/fold.c - text made comparable.  Runs of ASCII take a path of their own; that is exact,
 * since an ASCII character neither decomposes nor moves in NFKD, and what follows it never
 * reorders past it.
 */
#include "mime/decode.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>
#include <unistr.h>

static size_t run_length(struct str_view s, bool ascii)
{
	size_t n = 0;

	while (n < s.n && ((unsigned char)s.p[n] < 0x80) == ascii)
		n++;
	return n;
}

static void fold_ascii(struct str_view s, struct str_buf *out)
{
	char *to = str_buf_room(out, s.n);

	for (size_t i = 0; i < s.n; i++)
		to[i] = (char)(s.p[i] + (s.p[i] >= 'A' && s.p[i] <= 'Z' ? 32 : 0));
	out->n += s.n;
	out->p[out->n] = '\0';
}

/* Case folding and NFKD, twice: what the first NFKD brings to light may have case
 * (Unicode 3.13, D146). */
static void fold_exactly(struct str_view s, struct str_buf *out)
{
	size_t n = 0, n2 = 0;
	uint8_t *once = u8_casefold((const uint8_t *)s.p, s.n, NULL, UNINORM_NFKD, NULL, &n);
	uint8_t *twice = once ? u8_casefold(once, n, NULL, UNINORM_NFKD, NULL, &n2) : NULL;

	if (twice)
		str_buf_put(out, twice, n2);
	else
		str_buf_put(out, s.p, s.n);
	free(twice);
	free(once);
}

/*
 * What characters fold to, kept for one text: a text has few different ones, and the library
 * takes a microsecond for each.  Character by character is exact as long as none folds to
 * something that begins with a combining mark, which might have to move past the mark before
 * it.
 */
struct folded {
	ucs4_t uc;
	uint8_t n;
	char bytes[11];
};
struct fold_cache {
	struct folded list[256];
};

/* NULL: it needs the exact way, in its context. */
static const struct folded *fold_one(struct fold_cache *cache, ucs4_t uc, struct str_view utf8)
{
	struct folded *f = &cache->list[uc % 256];
	struct str_buf out = {0};
	ucs4_t first = 0;

	if (f->uc == uc)
		return f->n ? f : NULL;
	fold_exactly(utf8, &out);
	if (out.n)
		u8_mbtouc(&first, (const uint8_t *)out.p, out.n);
	*f = (struct folded){.uc = uc};
	if (out.n && out.n <= sizeof f->bytes && uc_combining_class(first) == 0) {
		f->n = (uint8_t)out.n;
		memcpy(f->bytes, out.p, out.n);
	}
	str_buf_fini(&out);
	return f->n ? f : NULL;
}

/* A run without ASCII. */
static void fold_other(struct fold_cache *cache, struct str_view s, struct str_buf *out)
{
	const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
	size_t before = out->n;

	while (p < end) {
		ucs4_t uc;
		int n = u8_mbtouc(&uc, p, (size_t)(end - p));
		const struct folded *f =
		    fold_one(cache, uc, str_view((const char *)p, (size_t)n));

		if (!f) {
			out->n = before;
			fold_exactly(s, out);
			return;
		}
		str_buf_put(out, f->bytes, f->n);
		p += n;
	}
}

static void fold_valid(struct str_view s, struct str_buf *out)
{
	struct fold_cache cache;

	if (run_length(s, true) < s.n)
		memset(&cache, 0, sizeof cache);
	while (s.n) {
		size_t n = run_length(s, true);

		fold_ascii(str_view(s.p, n), out);
		s = str_view(s.p + n, s.n - n);
		n = run_length(s, false);
		if (n)
			fold_other(&cache, str_view(s.p, n), out);
		s = str_view(s.p + n, s.n - n);
	}
}

void mime_fold(struct str_view utf8, struct str_buf *out)
{
	if (mime_utf8_valid(utf8)) {
		fold_valid(utf8, out);
	} else {
		struct str_buf repaired = {0};

		mime_to_utf8("utf-8", utf8, &repaired);
		fold_valid(str_buf_view(&repaired), out);
		str_buf_fini(&repaired);
	}
}

bool mime_nfc(struct str_view utf8, struct str_buf *out)
{
	if (!mime_utf8_valid(utf8))
		return false;
	if (run_length(utf8, true) == utf8.n) {
		str_buf_put(out, utf8.p, utf8.n);
		return true;
	}
	size_t n = 0;
	uint8_t *nfc = u8_normalize(UNINORM_NFC, (const uint8_t *)utf8.p, utf8.n, NULL, &n);

	if (!nfc)
		return false;
	str_buf_put(out, nfc, n);
	free(nfc);
	return true;
}

enum mime_char mime_char_next(struct str_view *rest)
{
	ucs4_t c;
	int used = u8_mbtoucr(&c, (const uint8_t *)rest->p, rest->n);

	*rest =
	    str_view(rest->p + (used > 0 ? used : 1), rest->n - (size_t)(used > 0 ? used : 1));
	if (used <= 0)
		return MIME_CHAR_BAD;
	if (c < 0x80)
		return MIME_CHAR_ASCII;
	if (uc_is_alpha(c))
		return MIME_CHAR_LETTER;
	return uc_is_general_category(c, UC_CATEGORY_M) ? MIME_CHAR_MARK : MIME_CHAR_OTHER;
}
