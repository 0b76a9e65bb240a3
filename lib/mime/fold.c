/* mime/fold.c - names made comparable, NFC, and what kind of character comes next.  What mail says is
 * compared in casemap.c. */
#include "mime/decode.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

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

static void fold_ascii(struct str_view s, struct str_buf *out)
{
	for (size_t i = 0; i < s.n; i++)
		str_buf_putc(out, (char)(s.p[i] + (s.p[i] >= 'A' && s.p[i] <= 'Z' ? 32 : 0)));
}

void mime_fold(struct str_view utf8, struct str_buf *out)
{
	if (mime_ascii_n(utf8) == utf8.n) {
		fold_ascii(utf8, out);
	} else if (mime_utf8_valid(utf8)) {
		fold_exactly(utf8, out);
	} else {
		struct str_buf repaired = {0};

		mime_to_utf8("utf-8", utf8, &repaired);
		fold_exactly(str_buf_view(&repaired), out);
		str_buf_fini(&repaired);
	}
}

bool mime_nfc(struct str_view utf8, struct str_buf *out)
{
	size_t n = 0;
	uint8_t *nfc;

	if (mime_ascii_n(utf8) == utf8.n) {
		str_buf_put(out, utf8.p, utf8.n);
		return true;
	}
	if (!mime_utf8_valid(utf8))
		return false;
	nfc = u8_normalize(UNINORM_NFC, (const uint8_t *)utf8.p, utf8.n, NULL, &n);
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
