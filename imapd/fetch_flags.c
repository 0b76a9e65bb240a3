/*
 * imapd/fetch_flags.c - FETCH of FLAGS and UID alone, from the view that sessions share: no row is read.
 * What the flags look like is written once for each value that comes by, and copied.
 */
#include "imapd/fetch.h"
#include "imapd/reply.h"
#include "imapd/set.h"
#include "imapd/sync.h"

#include <string.h>

/* Messages asked for at once, and values of flags whose text is kept. */
#define SLICE 1000
#define TEXTS 16
/* "* 4294967295 UIDFETCH (" and " UID 4294967295)\r\n" */
#define NUMBERS_OCTETS 64

struct flags_text {
	struct flag_state state;
	bool recent;
	struct str_buf text; /* "FLAGS (...)"; NULL: not in use */
};

struct fetch_flags {
	struct seq_set set; /* what is left, as UIDs */
	bool flags, uid, missing;
	unsigned text; /* that was used last */
	struct flags_text texts[TEXTS];
};

bool fetch_flags_do(const struct fetch_args *args)
{
	return !(args->items & ~(unsigned)(FETCH_FLAGS | FETCH_UID)) && !args->sections &&
	    !args->changed_since.n;
}

static void cleanup(struct imap_req *req)
{
	struct fetch_flags *f = req->data;

	for (unsigned i = 0; i < TEXTS; i++)
		str_buf_fini(&f->texts[i].text);
}

static struct str_view text_of(struct fetch_flags *f, const struct selected *s,
    struct flag_state state, bool recent)
{
	struct flags_text *t;

	for (unsigned i = 0; i < TEXTS; i++) {
		t = &f->texts[(f->text + i) % TEXTS];
		if (t->text.n && t->state.flags == state.flags && t->state.keywords == state.keywords &&
		    t->recent == recent) {
			f->text = (f->text + i) % TEXTS;
			return str_buf_view(&t->text);
		}
	}
	f->text = (f->text + TEXTS - 1) % TEXTS;
	t = &f->texts[f->text];
	t->state = state;
	t->recent = recent;
	str_buf_clear(&t->text);
	str_buf_puts(&t->text, "FLAGS ");
	reply_put_flags(&t->text, state.flags, state.keywords, recent, s->keywords->names);
	return str_buf_view(&t->text);
}

static char *put(char *to, const char *text, size_t n)
{
	memcpy(to, text, n);
	return to + n;
}

static char *put_number(char *to, uint32_t n)
{
	char digits[10], *p = digits + sizeof digits;

	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	return put(to, p, (size_t)(digits + sizeof digits - p));
}

static void put_message(struct imap_req *req, uint32_t seq, uint32_t uid, struct str_view flags)
{
	const struct fetch_flags *f = req->data;
	bool uidonly = req->client->enabled & ENABLED_UIDONLY;
	struct str_buf *out = conn_out(req->client->conn);
	char *from = str_buf_room(out, flags.n + NUMBERS_OCTETS), *to = put(from, "* ", 2);

	to = put_number(to, uidonly ? uid : seq);
	to = uidonly ? put(to, " UIDFETCH (", 11) : put(to, " FETCH (", 8);
	to = put(to, flags.p, flags.n);
	if (f->uid) {
		to = put(to, &" UID "[!f->flags], 5 - !f->flags);
		to = put_number(to, uid);
	}
	to = put(to, ")\r\n", 3);
	*to = '\0';
	out->n += (size_t)(to - from);
}

/* Those of a slice that lie in one run of UIDs. */
static void put_run(struct imap_req *req, uint32_t seq, uint32_t uid, const struct flag_state *states,
    uint32_t n)
{
	const struct client *client = req->client;
	bool knows_recent = !(client->enabled & ENABLED_REV2);
	struct fetch_flags *f = req->data;

	for (uint32_t i = 0; i < n; i++) {
		struct str_view text = {"", 0};

		if (states[i].flags == FLAG_STATE_GONE) {
			f->missing = true;
			continue;
		}
		if (f->flags)
			text = text_of(f, client->selected, states[i],
			    knows_recent && sync_is_recent(client->selected, uid + i));
		put_message(req, seq + i, uid + i, text);
	}
}

static void put_slice(struct imap_req *req, uint32_t seq, const struct flag_state *states, uint32_t n)
{
	const struct view *view = &req->client->selected->view;
	uint32_t i = view_run_of(view, view_uid(view, seq)), first;

	for (; n > 0; i++) {
		struct uid_range run = view_run(view, i, &first);
		uint32_t uid = run.from + (seq - first), k = run.to - uid < n ? run.to - uid + 1 : n;

		put_run(req, seq, uid, states, k);
		seq += k;
		states += k;
		n -= k;
	}
}

/* The next slice of the first range. */
static int next_slice(struct imap_req *req, struct err *e)
{
	struct client *client = req->client;
	struct selected *s = client->selected;
	struct fetch_flags *f = req->data;
	struct uid_range range = f->set.ranges[0];
	uint32_t seq = view_rank(&s->view, range.from - 1) + 1;
	uint32_t n = view_rank(&s->view, range.to) + 1 - seq;
	struct flag_state states[SLICE];
	uint64_t keywords = 0;

	if (n > SLICE) {
		n = SLICE;
		range.to = view_uid(&s->view, seq + n - 1);
	}
	set_advance(&f->set, range.to);
	if (n == 0)
		return 0;
	if (folder_view_flags(s->folder, client->store, &s->view, seq, n, states, e) != 0)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		keywords |= states[i].keywords;
	if (sync_keywords(client, keywords, e) != 0)
		return -1;
	put_slice(req, seq, states, n);
	return 0;
}

static enum imap_next step(struct imap_req *req, struct err *e)
{
	struct fetch_flags *f = req->data;

	while (f->set.n) {
		if (next_slice(req, e) != 0)
			return IMAP_FAIL;
		if (conn_should_yield(req->client->conn))
			return IMAP_YIELD;
	}
	/* A UID that is not there is no error (RFC 3501 6.4.8). */
	return fetch_end(req, f->missing && !req->uid);
}

enum imap_next fetch_flags_run(struct imap_req *req, const struct fetch_args *args, struct err *e)
{
	struct fetch_flags *f = ARENA_NEW(&req->client->arena, struct fetch_flags);

	f->set = args->set;
	f->flags = args->items & FETCH_FLAGS;
	f->uid = args->items & FETCH_UID;
	req->data = f;
	req->cleanup = cleanup;
	req->step = step;
	return step(req, e);
}
