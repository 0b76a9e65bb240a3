/*
 * store/keys.c - keys of SORT and THREAD, out of the ENVELOPE that stands ready and, for THREAD, the
 * header's References.
 *
 * A record is what the cache keeps of one content: a fixed head, then the texts, then the references.
 * It is read where it lies, so the copy that the cache hands out is all that a message costs when warm.
 */
#include "store/keys.h"

#include "base/hash.h"
#include "mime/decode.h"
#include "mime/envelope_read.h"
#include "mime/msgid.h"
#include "mime/subject.h"
#include "store/content_cache_priv.h"
#include "store/folder_priv.h"
#include "store/keys_priv.h"
#include "store/message_priv.h"

#include <string.h>

enum text { TEXT_SUBJECT, TEXT_FROM, TEXT_TO, TEXT_CC, TEXT_DISPLAY_FROM, TEXT_DISPLAY_TO, TEXTS };

struct record {
	int64_t sent_ms;
	uint64_t id;
	uint16_t text_n[TEXTS];
	uint16_t refs_n;
	bool is_reply;
};

/* What is kept between messages for its memory. */
struct maker {
	struct txn *t;
	struct content_cache *cache;
	enum keys_what what;
	struct keys_content content;
	struct arena scratch; /* of the message at hand */
	struct str_buf header, plain, record, id;
	struct record head;
	uint64_t refs[KEYS_REFS_MAX];
	size_t refs_n; /* all that were seen; the last KEYS_REFS_MAX stand in refs, as in a ring */
};

static struct str_view cut(struct str_view s, size_t n)
{
	return str_view(s.p, s.n < n ? s.n : n);
}

/* Texts come long before they are decoded, too: what can't matter any more is not looked at. */
static struct str_view cut_raw(struct str_view s)
{
	return cut(s, 8 * KEYS_TEXT_OCTETS_MAX);
}

static void put_text(struct maker *m, enum text text, struct str_view utf8)
{
	size_t before = m->record.n;

	mime_casemap(cut(utf8, 4 * KEYS_TEXT_OCTETS_MAX), &m->record);
	if (m->record.n - before > KEYS_TEXT_OCTETS_MAX)
		m->record.n = before + KEYS_TEXT_OCTETS_MAX;
	m->head.text_n[text] = (uint16_t)(m->record.n - before);
}

static void put_decoded(struct maker *m, enum text text, struct str_view raw)
{
	str_buf_clear(&m->plain);
	mime_header_decode(cut_raw(raw), &m->plain);
	put_text(m, text, str_buf_view(&m->plain));
}

/* RFC 5957 3: the name, else mailbox@host; of a group its name. */
static void put_display(struct maker *m, enum text text, const struct envelope_address *a)
{
	if (a->name.n) {
		put_decoded(m, text, a->name);
		return;
	}
	if (!a->host.n) {
		put_decoded(m, text, a->mailbox);
		return;
	}
	str_buf_clear(&m->plain);
	str_buf_put(&m->plain, a->mailbox.p, cut_raw(a->mailbox).n);
	str_buf_putc(&m->plain, '@');
	str_buf_put(&m->plain, a->host.p, cut_raw(a->host).n);
	put_text(m, text, str_buf_view(&m->plain));
}

uint64_t message_keys_id(struct str_view message_id)
{
	uint64_t hash = hash_bytes(message_id.p, message_id.n);

	return hash ? hash : 1;
}

static uint64_t hash_id(const struct str_buf *id)
{
	return message_keys_id(str_buf_view(id));
}

static void take_references(struct maker *m, struct str_view field)
{
	while (mime_msgid_next(&field, &m->id))
		m->refs[m->refs_n++ % KEYS_REFS_MAX] = hash_id(&m->id);
}

/* RFC 5256 3, REFERENCES step 1: References, and where it has no valid id the first of In-Reply-To. */
static int find_references(struct maker *m, uint64_t content, struct str_view in_reply_to,
    struct err *e)
{
	size_t n = (size_t)m->content.header_n, got;
	struct str_view field;

	m->refs_n = 0;
	str_buf_clear(&m->header);
	if (content_read_in(m->t->db, content, 0, str_buf_room(&m->header, n + 1), n, &got, e) < 0)
		return -1;
	m->header.n = got;
	if (mime_header_find(str_buf_view(&m->header), SV("References"), 0, &field))
		take_references(m, field);
	if (m->refs_n == 0 && mime_msgid_next(&in_reply_to, &m->id))
		m->refs[m->refs_n++] = hash_id(&m->id);
	return 0;
}

static void put_references(struct maker *m)
{
	size_t kept = m->refs_n < KEYS_REFS_MAX ? m->refs_n : KEYS_REFS_MAX;

	for (size_t i = m->refs_n - kept; i < m->refs_n; i++)
		str_buf_put(&m->record, &m->refs[i % KEYS_REFS_MAX], sizeof m->refs[0]);
	m->head.refs_n = (uint16_t)kept;
}

static void put_sort_texts(struct maker *m, const struct envelope_read *envelope)
{
	put_decoded(m, TEXT_FROM, envelope->from.mailbox);
	put_decoded(m, TEXT_TO, envelope->to.mailbox);
	put_decoded(m, TEXT_CC, envelope->cc.mailbox);
	put_display(m, TEXT_DISPLAY_FROM, &envelope->from);
	put_display(m, TEXT_DISPLAY_TO, &envelope->to);
}

/* Makes m->record; what can't be read (an envelope that is not ours) has no keys, and sorts first. */
static int make(struct maker *m, uint64_t content, struct err *e)
{
	struct envelope_read envelope;
	int r = keys_content_read(&m->content, m->t->db, content, e);

	m->head = (struct record){.sent_ms = INT64_MIN};
	str_buf_clear(&m->record);
	str_buf_put(&m->record, &m->head, sizeof m->head);
	if (r < 0)
		return -1;
	if (r > 0 && mime_envelope_read(m->content.envelope, &m->scratch, &envelope)) {
		str_buf_clear(&m->plain);
		m->head.sent_ms = m->content.sent_ms;
		m->head.is_reply = mime_base_subject(cut_raw(envelope.subject), &m->plain);
		put_text(m, TEXT_SUBJECT, str_buf_view(&m->plain));
		if (m->what == KEYS_SORT)
			put_sort_texts(m, &envelope);
		if (mime_msgid_next(&envelope.message_id, &m->id))
			m->head.id = hash_id(&m->id);
		if (m->what == KEYS_THREAD) {
			if (find_references(m, content, envelope.in_reply_to, e) < 0)
				return -1;
			put_references(m);
		}
	}
	memcpy(m->record.p, &m->head, sizeof m->head);
	arena_fini(&m->scratch);
	return 0;
}

/* The views point into the record. */
static void read_record(struct str_view record, struct arena *arena, struct message_keys *keys)
{
	struct str_view texts[TEXTS];
	struct record head;
	const char *p = record.p + sizeof head;
	uint64_t *refs;

	memcpy(&head, record.p, sizeof head);
	for (size_t i = 0; i < TEXTS; i++) {
		texts[i] = str_view(p, head.text_n[i]);
		p += head.text_n[i];
	}
	keys->subject = texts[TEXT_SUBJECT];
	keys->from = texts[TEXT_FROM];
	keys->to = texts[TEXT_TO];
	keys->cc = texts[TEXT_CC];
	keys->display_from = texts[TEXT_DISPLAY_FROM];
	keys->display_to = texts[TEXT_DISPLAY_TO];
	keys->is_reply = head.is_reply;
	if (head.sent_ms != INT64_MIN)
		keys->sent_ms = head.sent_ms;
	keys->id = head.id;
	keys->refs_n = head.refs_n;
	if (!head.refs_n)
		return;
	/* Behind texts of any length: moved to where a number may stand. */
	refs = arena_copy(arena, p, head.refs_n * sizeof *refs);
	keys->refs = refs;
}

/* What is remembered is copied: the list outlives the cache. */
static int fill(struct maker *m, struct keys_row *row, struct arena *arena, struct err *e)
{
	enum content_kind kind = m->what == KEYS_SORT ? CONTENT_SORT : CONTENT_THREAD;
	struct str_view record;

	if (!content_cache_find(m->cache, kind, row->content, &record)) {
		if (make(m, row->content, e) < 0)
			return -1;
		record = str_buf_view(&m->record);
		content_cache_keep(m->cache, kind, row->content, record);
	}
	read_record(str_view(arena_copy(arena, record.p, record.n), record.n), arena, &row->keys);
	return 0;
}

static int list(struct txn *t, struct folder_id folder, const struct uid_range *ranges,
    size_t ranges_n, enum keys_what what, size_t max_n, struct arena *arena,
    struct message_keys **list_r, size_t *n_r, struct err *e)
{
	struct maker m = {.t = t, .cache = content_cache_borrow(t->mailbox), .what = what};
	struct message_keys *keys;
	struct keys_row *rows;
	size_t n;
	int r = folder_exists(t->db, folder, e);

	if (r == 0)
		r = keys_rows(t->db, folder, ranges, ranges_n, max_n, arena, &rows, &n, e);
	for (size_t i = 0; r == 0 && what != KEYS_ROW && i < n; i++)
		r = fill(&m, &rows[i], arena, e);
	keys_content_end(&m.content);
	content_cache_return(t->mailbox, m.cache);
	arena_fini(&m.scratch);
	str_buf_fini(&m.header);
	str_buf_fini(&m.plain);
	str_buf_fini(&m.record);
	str_buf_fini(&m.id);
	if (r != 0)
		return -1;
	keys = ARENA_ARRAY(arena, struct message_keys, n);
	for (size_t i = 0; i < n; i++)
		keys[i] = rows[i].keys;
	*list_r = keys;
	*n_r = n;
	return 0;
}

int message_keys_list(struct store *store, struct folder_id folder, const struct uid_range *ranges,
    size_t ranges_n, enum keys_what what, size_t max_n, struct arena *arena,
    struct message_keys **list_r, size_t *n_r, struct err *e)
{
	struct txn t;
	int r;

	if (txn_read(store, &t, e) < 0)
		return -1;
	r = list(&t, folder, ranges, ranges_n, what, max_n, arena, list_r, n_r, e);
	txn_read_end(&t);
	return r;
}
