/*
 * mime/precis_class.c - characters that PRECIS lets in, and where (RFC 8264 8 and 9, RFC 5892 A, RFC 5893 2).
 *
 * The RFCs say by which properties a character is judged, so that no table of ours grows old: libunistring's is asked.
 */
#include "mime/precis_class.h"

#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <uninorm.h>

#define ZERO_WIDTH_NON_JOINER 0x200cu
#define VIRAMA 9 /* canonical combining class */

static bool is_within(uint32_t c, uint32_t first, uint32_t last)
{
	return c >= first && c <= last;
}

/* RFC 5892 2.6, which RFC 8264 9.6 takes over: judged by name, not by property. */
static bool is_exception(uint32_t c, enum precis_value *value_r)
{
	static const uint32_t valid[] = {0xdf, 0x3c2, 0x6fd, 0x6fe, 0xf0b, 0x3007},
		by_context[] = {0xb7, 0x375, 0x5f3, 0x5f4, 0x30fb},
		disallowed[] = {0x640, 0x7fa, 0x302e, 0x302f, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303b};
	static const struct {
		const uint32_t *list;
		size_t n;
		enum precis_value value;
	} all[] = {
	    {valid, sizeof valid / sizeof *valid, PRECIS_VALID},
	    {by_context, sizeof by_context / sizeof *by_context, PRECIS_BY_CONTEXT},
	    {disallowed, sizeof disallowed / sizeof *disallowed, PRECIS_DISALLOWED},
	};

	*value_r = PRECIS_BY_CONTEXT;
	if (is_within(c, 0x660, 0x669) || is_within(c, 0x6f0, 0x6f9))
		return true;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		for (size_t k = 0; k < all[i].n; k++)
			if (all[i].list[k] == c) {
				*value_r = all[i].value;
				return true;
			}
	return false;
}

/* RFC 8264 9.9: syllables are for what these make. */
static bool is_old_hangul_jamo(uint32_t c)
{
	return is_within(c, 0x1100, 0x11ff) || is_within(c, 0xa960, 0xa97c) || is_within(c, 0xd7b0, 0xd7c6) || is_within(c, 0xd7cb, 0xd7fb);
}

/* RFC 8264 9.17. */
static bool has_compatible(uint32_t c)
{
	uint32_t buf[32];
	size_t n = sizeof buf / sizeof *buf;
	uint32_t *nfkc = u32_normalize(UNINORM_NFKC, &c, 1, buf, &n);
	bool has = !nfkc || n != 1 || *nfkc != c;

	if (nfkc != buf)
		free(nfkc);
	return has;
}

/* RFC 8264 8, in its order. */
enum precis_value precis_class_value(enum precis_class of, uint32_t c)
{
	const enum precis_value freeform = of == PRECIS_FREEFORM ? PRECIS_VALID : PRECIS_DISALLOWED;
	enum precis_value value;

	if (is_within(c, 0x21, 0x7e))
		return PRECIS_VALID;
	if (is_exception(c, &value))
		return value;
	if (uc_is_general_category(c, UC_CATEGORY_Cn))
		return PRECIS_DISALLOWED;
	if (uc_is_property_join_control(c))
		return PRECIS_BY_CONTEXT;
	if (is_old_hangul_jamo(c) || uc_is_property_default_ignorable_code_point(c) || uc_is_property_not_a_character(c) ||
	    uc_is_general_category(c, UC_CATEGORY_C))
		return PRECIS_DISALLOWED;
	if (has_compatible(c))
		return freeform;
	if (uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Ll | UC_CATEGORY_MASK_Lu | UC_CATEGORY_MASK_Lo | UC_CATEGORY_MASK_Nd |
	        UC_CATEGORY_MASK_Lm | UC_CATEGORY_MASK_Mn | UC_CATEGORY_MASK_Mc))
		return PRECIS_VALID;
	if (uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Lt | UC_CATEGORY_MASK_Nl | UC_CATEGORY_MASK_No | UC_CATEGORY_MASK_Me |
	        UC_CATEGORY_MASK_Zs | UC_CATEGORY_MASK_S | UC_CATEGORY_MASK_P))
		return freeform;
	return PRECIS_DISALLOWED;
}

/* ---- where ---- */

static bool has_script(uint32_t c, const char *name)
{
	const uc_script_t *script = uc_script(c);

	return script && strcmp(script->name, name) == 0;
}

/* The joining type of the next character that has one to say, forth or back from at. */
static int joining_type(const uint32_t *text, size_t n, size_t at, bool forth)
{
	while (forth ? ++at < n : at-- > 0)
		if (uc_joining_type(text[at]) != UC_JOINING_TYPE_T)
			return uc_joining_type(text[at]);
	return UC_JOINING_TYPE_U;
}

/* RFC 5892 A.1 and A.2: where they change how words of some scripts are written. */
static bool joiner_good(const uint32_t *text, size_t n, size_t at)
{
	int before, behind;

	if (at > 0 && uc_combining_class(text[at - 1]) == VIRAMA)
		return true;
	if (text[at] != ZERO_WIDTH_NON_JOINER)
		return false;
	before = joining_type(text, n, at, false);
	behind = joining_type(text, n, at, true);
	return (before == UC_JOINING_TYPE_L || before == UC_JOINING_TYPE_D) && (behind == UC_JOINING_TYPE_R || behind == UC_JOINING_TYPE_D);
}

static bool has_any(const uint32_t *text, size_t n, bool (*is)(uint32_t c))
{
	for (size_t i = 0; i < n; i++)
		if (is(text[i]))
			return true;
	return false;
}

static bool is_arabic_indic(uint32_t c)
{
	return is_within(c, 0x660, 0x669);
}

static bool is_extended_arabic_indic(uint32_t c)
{
	return is_within(c, 0x6f0, 0x6f9);
}

static bool is_of_japanese(uint32_t c)
{
	return has_script(c, "Hiragana") || has_script(c, "Katakana") || has_script(c, "Han");
}

bool precis_context_good(const uint32_t *text, size_t n, size_t at)
{
	switch (text[at]) {
	case 0xb7: /* MIDDLE DOT, between two l (A.3) */
		return at > 0 && at + 1 < n && text[at - 1] == 'l' && text[at + 1] == 'l';
	case 0x375: /* GREEK LOWER NUMERAL SIGN (A.4) */
		return at + 1 < n && has_script(text[at + 1], "Greek");
	case 0x5f3: /* HEBREW PUNCTUATION GERESH, GERSHAYIM (A.5, A.6) */
	case 0x5f4:
		return at > 0 && has_script(text[at - 1], "Hebrew");
	case 0x30fb: /* KATAKANA MIDDLE DOT (A.7) */
		return has_any(text, n, is_of_japanese);
	}
	if (is_arabic_indic(text[at])) /* A.8, A.9: digits of one kind */
		return !has_any(text, n, is_extended_arabic_indic);
	if (is_extended_arabic_indic(text[at]))
		return !has_any(text, n, is_arabic_indic);
	return joiner_good(text, n, at);
}

/* ---- direction ---- */

#define IN(class, set) (1u << (class) & (set))
enum {
	TO_THE_LEFT = 1u << UC_BIDI_R | 1u << UC_BIDI_AL,
	EITHER_WAY = 1u << UC_BIDI_EN | 1u << UC_BIDI_ES | 1u << UC_BIDI_CS | 1u << UC_BIDI_ET | 1u << UC_BIDI_ON | 1u << UC_BIDI_BN | 1u << UC_BIDI_NSM,
};

bool precis_direction_good(const uint32_t *text, size_t n)
{
	unsigned all = 0, ends, first;
	size_t last = n;

	for (size_t i = 0; i < n; i++)
		all |= 1u << uc_bidi_class(text[i]);
	if (!(all & (TO_THE_LEFT | 1u << UC_BIDI_AN)))
		return true;
	while (last > 0 && uc_bidi_class(text[last - 1]) == UC_BIDI_NSM)
		last--;
	if (last == 0)
		return false;
	first = 1u << uc_bidi_class(text[0]);
	ends = 1u << uc_bidi_class(text[last - 1]);
	if (first & TO_THE_LEFT) /* conditions 2 to 4 */
		return !(all & ~(TO_THE_LEFT | 1u << UC_BIDI_AN | EITHER_WAY)) &&
		       ends & (TO_THE_LEFT | 1u << UC_BIDI_EN | 1u << UC_BIDI_AN) && !(IN(UC_BIDI_EN, all) && IN(UC_BIDI_AN, all));
	return false; /* 1 and 5: what begins from left to right has nothing that does not */
}
