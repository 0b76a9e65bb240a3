/*
 * mime/precis.c - see precis.h: the profiles UsernameCaseMapped, UsernameCasePreserved and OpaqueString (RFC 8265).
 *
 * ASCII is its own form but for its case, and is most of what comes: the library is not asked then.
 */
#include "mime/precis.h"

#include "mime/decode.h"
#include "mime/precis_class.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/* RFC 8264 7: applied again until nothing changes, or it is no such text. */
#define ROUNDS_MAX 4

const char *precis_fault_text(enum precis_fault fault)
{
	switch (fault) {
	case PRECIS_GOOD:
		break;
	case PRECIS_EMPTY:
		return "is empty";
	case PRECIS_NOT_UTF8:
		return "is no UTF-8";
	case PRECIS_FORBIDDEN:
		return "has a character that can't be in one: a control, invisible or unassigned one, or one that only stands for others";
	case PRECIS_OUT_OF_PLACE:
		return "has a character that can't stand where it does";
	case PRECIS_DIRECTION:
		return "mixes characters written from right to left with others, so that it could be read as another";
	case PRECIS_UNSTABLE:
		return "has no form to compare it by";
	}
	return "is good";
}

/* What a text may hold, and what becomes of its characters. */
struct profile {
	enum precis_class of;
	bool maps_width, maps_case, maps_space, judges_direction;
};

static bool is_printable_ascii(struct str_view s, bool with_space)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < (with_space ? ' ' : '!') || s.p[i] > '~')
			return false;
	return true;
}

/* RFC 8265 3.3.2: full and half width forms are those that they stand for. */
static uint32_t width_mapped(uint32_t c)
{
	uint32_t to[UC_DECOMPOSITION_MAX_LENGTH];
	int tag, n = uc_decomposition(c, &tag, to);

	return n == 1 && (tag == UC_DECOMP_WIDE || tag == UC_DECOMP_NARROW) ? to[0] : c;
}

/* The mappings of one round, in the RFC's order: width, other characters, case, NFC.  NULL: no memory, or too long. */
static uint32_t *map(const struct profile *how, const uint32_t *text, size_t n, size_t *n_r)
{
	uint32_t *mapped = malloc(n * sizeof *mapped + 1), *next;

	for (size_t i = 0; mapped && i < n; i++) {
		mapped[i] = how->maps_width ? width_mapped(text[i]) : text[i];
		if (how->maps_space && mapped[i] != ' ' && uc_is_general_category(mapped[i], UC_CATEGORY_Zs))
			mapped[i] = ' ';
	}
	if (!mapped)
		return NULL;
	next = how->maps_case ? u32_tolower(mapped, n, NULL, UNINORM_NFC, NULL, n_r) : u32_normalize(UNINORM_NFC, mapped, n, NULL, n_r);
	explicit_bzero(mapped, n * sizeof *mapped);
	free(mapped);
	return next;
}

static enum precis_fault judge(const struct profile *how, const uint32_t *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (how->of == PRECIS_FREEFORM && text[i] == ' ')
			continue;
		switch (precis_class_value(how->of, text[i])) {
		case PRECIS_VALID:
			break;
		case PRECIS_DISALLOWED:
			return PRECIS_FORBIDDEN;
		case PRECIS_BY_CONTEXT:
			if (!precis_context_good(text, n, i))
				return PRECIS_OUT_OF_PLACE;
		}
	}
	return how->judges_direction && !precis_direction_good(text, n) ? PRECIS_DIRECTION : PRECIS_GOOD;
}

static void wipe(uint32_t **text, size_t n)
{
	if (*text)
		explicit_bzero(*text, n * sizeof **text);
	free(*text);
	*text = NULL;
}

static void put(const uint32_t *text, size_t n, struct str_buf *out)
{
	size_t octets = 0;
	uint8_t *utf8 = u32_to_u8(text, n, NULL, &octets);

	if (!utf8)
		return;
	str_buf_put(out, utf8, octets);
	explicit_bzero(utf8, octets);
	free(utf8);
}

static enum precis_fault enforce(const struct profile *how, struct str_view utf8, struct str_buf *out)
{
	enum precis_fault fault = PRECIS_UNSTABLE;
	size_t n = 0, next_n = 0;
	uint32_t *text = u8_to_u32((const uint8_t *)utf8.p, utf8.n, NULL, &n);

	for (int round = 0; text && fault == PRECIS_UNSTABLE && round < ROUNDS_MAX; round++) {
		uint32_t *next = map(how, text, n, &next_n);
		bool is_same = next && next_n == n && memcmp(next, text, n * sizeof *text) == 0;

		wipe(&text, n);
		text = next;
		n = next_n;
		if (is_same)
			fault = judge(how, text, n);
	}
	if (fault == PRECIS_GOOD)
		put(text, n, out);
	wipe(&text, n);
	return fault;
}

enum precis_fault precis_username(struct str_view utf8, bool mapped, struct str_buf *out)
{
	const struct profile how = {.of = PRECIS_IDENTIFIER, .maps_width = true, .maps_case = mapped, .judges_direction = true};

	if (utf8.n == 0)
		return PRECIS_EMPTY;
	if (is_printable_ascii(utf8, false)) {
		for (size_t i = 0; i < utf8.n; i++)
			str_buf_putc(out, (char)(mapped && utf8.p[i] >= 'A' && utf8.p[i] <= 'Z' ? utf8.p[i] + 32 : utf8.p[i]));
		return PRECIS_GOOD;
	}
	return mime_utf8_valid(utf8) ? enforce(&how, utf8, out) : PRECIS_NOT_UTF8;
}

enum precis_fault precis_opaque(struct str_view utf8, struct str_buf *out)
{
	const struct profile how = {.of = PRECIS_FREEFORM, .maps_space = true};

	if (utf8.n == 0)
		return PRECIS_EMPTY;
	if (is_printable_ascii(utf8, true)) {
		str_buf_put(out, utf8.p, utf8.n);
		return PRECIS_GOOD;
	}
	return mime_utf8_valid(utf8) ? enforce(&how, utf8, out) : PRECIS_NOT_UTF8;
}
