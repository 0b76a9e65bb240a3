/*
 * store/listing.c - what is told of a message that this process has just taken apart.
 *
 * A client that appends, or is told of what another appended, asks for envelopes next.  In the database they lie
 * spread over pages of which each has to be read first, from the WAL, and which nobody asked for yet.
 */
#include "store/listing_priv.h"

#include <stddef.h>

/* Texts longer than this are rare, and cheap beside their message. */
#define TEXTS_MAX 16384u

struct listing {
	int64_t sent_ms;
	uint64_t size_lf, size_in, header_n;
	int32_t sent_zone_min;
	uint32_t envelope_n;
	enum eol_kind lineends;
	bool header_8bit;
	char texts[]; /* the envelope, the body structure */
};

bool listing_make(const struct append *a, struct str_buf *out)
{
	const struct eol_in *eol = &a->eol;
	const struct mime_message *m = &a->mime;
	const struct listing head = {
	    .sent_ms = m->sent_ms,
	    .size_lf = eol_in_size_lf(eol),
	    .size_in = eol_in_size_back(eol),
	    .header_n = m->header_n,
	    .sent_zone_min = m->sent_ms == INT64_MIN ? 0 : (int32_t)m->sent_zone_min,
	    .envelope_n = (uint32_t)m->envelope.n,
	    .lineends = eol_in_kind(eol),
	    .header_8bit = m->header_8bit,
	};

	if (m->envelope.n + m->bodystructure.n > TEXTS_MAX)
		return false;
	str_buf_clear(out);
	str_buf_put(out, &head, offsetof(struct listing, texts));
	str_buf_put(out, m->envelope.p, m->envelope.n);
	str_buf_put(out, m->bodystructure.p, m->bodystructure.n);
	return true;
}

bool listing_get(struct content_cache *cache, unsigned what, struct message_info *m)
{
	const struct listing *l;
	struct str_view record;

	if (!content_cache_find(cache, CONTENT_LISTING, m->content, &record))
		return false;
	l = (const struct listing *)(const void *)record.p;
	m->sent_ms = l->sent_ms;
	m->size_lf = l->size_lf;
	m->size_in = l->size_in;
	m->header_n = l->header_n;
	m->sent_zone_min = l->sent_zone_min;
	m->lineends = l->lineends;
	m->header_8bit = l->header_8bit;
	if (what & MESSAGE_ENVELOPE)
		m->envelope = str_view(l->texts, l->envelope_n);
	if (what & MESSAGE_BODYSTRUCTURE)
		m->bodystructure = str_view(l->texts + l->envelope_n,
		    record.n - offsetof(struct listing, texts) - l->envelope_n);
	return true;
}
