/*
 * mime/casemap.c - i;unicode-casemap (RFC 5051), carried on until nothing changes: what SEARCH, SORT
 * and THREAD compare with (RFC 5255 4.2).
 *
 * RFC 5051 maps a character to title case once and then decomposes it once; so "ss" and a sharp s, or
 * "FI" and a ligature, stay apart there, since what only the other step brings to light is not mapped
 * again.  Here they are the same: a character is folded fully (Unicode 3.13), decomposed (NFKD), and what
 * that gives is put into title case.  Whatever RFC 5051 calls equal is equal here (a test asks it of
 * every character), and the order is that of title case, as there.
 *
 * Each character is mapped by itself, whatever stands beside it.  So a text that holds another still does
 * when both are mapped, text may be mapped in pieces, and a table does the work.
 */
#include "mime/decode.h"

#include "base/mem.h"

#include <gnu/libc-version.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unistr.h>
#include <unistring/version.h>

/* From here on every character is its own: a test holds that, too. */
#define MAPPED_END 0x30000u
#define BLOCK 256u

/* What a character maps to; n is 0 where there is no room for it. */
struct mapped {
	uint8_t n;
	char bytes[11];
};
static struct mapped *_Atomic blocks[MAPPED_END / BLOCK];

/* The slow way, by the library. */
static void map_exactly(ucs4_t uc, struct str_buf *out)
{
	uint8_t utf8[6];
	int n = u8_uctomb(utf8, uc, sizeof utf8);
	struct str_buf folded = {0};
	const uint8_t *p, *end;

	mime_fold(str_view((const char *)utf8, (size_t)n), &folded);
	for (p = (const uint8_t *)folded.p, end = p + folded.n; p < end;) {
		ucs4_t c;

		p += u8_mbtouc_unsafe(&c, p, (size_t)(end - p));
		n = u8_uctomb(utf8, uc_totitle(c), sizeof utf8);
		str_buf_put(out, utf8, (size_t)n);
	}
	str_buf_fini(&folded);
}

static struct mapped *block_make(size_t block)
{
	struct mapped *made = mem_alloc(BLOCK * sizeof *made), *there = NULL;
	struct str_buf out = {0};

	for (ucs4_t i = 0; i < BLOCK; i++) {
		ucs4_t uc = (ucs4_t)(block * BLOCK) + i;

		if (uc >= 0xd800 && uc < 0xe000)
			continue; /* surrogates: in no valid text */
		str_buf_clear(&out);
		map_exactly(uc, &out);
		if (out.n <= sizeof made->bytes) {
			made[i].n = (uint8_t)out.n;
			memcpy(made[i].bytes, out.p, out.n);
		}
	}
	str_buf_fini(&out);
	if (!atomic_compare_exchange_strong(&blocks[block], &there, made)) {
		free(made);
		made = there;
	}
	return made;
}

/* Characters of valid UTF-8 up to the next ASCII one. */
static const uint8_t *map_run(const uint8_t *p, const uint8_t *end, struct str_buf *out)
{
	while (p < end && *p >= 0x80) {
		const uint8_t *from = p;
		const struct mapped *block, *m;
		ucs4_t uc;

		p += u8_mbtouc_unsafe(&uc, p, (size_t)(end - p));
		if (uc >= MAPPED_END) {
			str_buf_put(out, from, (size_t)(p - from));
			continue;
		}
		block = atomic_load_explicit(&blocks[uc / BLOCK], memory_order_acquire);
		m = (block ? block : block_make(uc / BLOCK)) + uc % BLOCK;
		if (m->n)
			str_buf_put(out, m->bytes, m->n);
		else
			map_exactly(uc, out);
	}
	return p;
}

/* ASCII, eight at a time: bit 7 of each octet tells first what is none, then what is a small letter. */
#define EACH(octet) (UINT64_C(0x0101010101010101) * (octet))
static const uint8_t *map_ascii(const uint8_t *p, const uint8_t *end, struct str_buf *out)
{
	char *begin = str_buf_room(out, (size_t)(end - p)), *to = begin;
	uint64_t w;

	for (; end - p >= 8; p += 8, to += 8) {
		memcpy(&w, p, 8);
		if (w & EACH(0x80))
			break;
		w -= ((w + EACH(0x80 - 'a')) ^ (w + EACH(0x80 - 'z' - 1))) >> 2 & EACH(0x20);
		memcpy(to, &w, 8);
	}
	for (; p < end && *p < 0x80; p++)
		*to++ = (char)(*p - (*p >= 'a' && *p <= 'z' ? 32 : 0));
	out->n += (size_t)(to - begin);
	out->p[out->n] = '\0';
	return p;
}

static void map_valid(struct str_view s, struct str_buf *out)
{
	const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;

	while (p < end) {
		p = map_ascii(p, end, out);
		p = map_run(p, end, out);
	}
}

void mime_casemap(struct str_view utf8, struct str_buf *out)
{
	if (mime_utf8_valid(utf8)) {
		map_valid(utf8, out);
	} else {
		struct str_buf repaired = {0};

		mime_to_utf8("utf-8", utf8, &repaired);
		map_valid(str_buf_view(&repaired), out);
		str_buf_fini(&repaired);
	}
}

/* Raised with every change of what becomes of a text. */
#define TEXT_VERSION 1

uint32_t mime_text_version(void)
{
	uint32_t hash = 0x811c9dc5; /* FNV-1a */

	for (const char *p = gnu_get_libc_version(); *p; p++)
		hash = (hash ^ (unsigned char)*p) * 0x01000193;
	hash = (hash ^ (uint32_t)_libunistring_version) * 0x01000193;
	return ((hash ^ TEXT_VERSION) * 0x01000193) >> 1;
}
