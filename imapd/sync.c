/*
 * imapd/sync.c - the selected folder and how its view follows the store.
 *
 * The store is asked for everything since selected->modseq at once, so flags, arrivals and expunges of
 * one instant come together.  An expunge that may not be told yet waits in selected->gone; the
 * view keeps the message until then.
 */
#include "imapd/sync.h"

#include "base/log.h"
#include "base/mem.h"
#include "imapd/cmd.h"
#include "imapd/tell.h"
#include "store/flags.h"

#include <stdlib.h>
#include <string.h>

/* Rows that are read at a time when a view is built. */
#define SELECT_SLICE 2000

static const char system_flags[] = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";

/* Room for one more element in a growing array. */
#define GROW(array, n, size)                                                                       \
	do {                                                                                       \
		if ((n) == (size)) {                                                               \
			(size) = (size) ? (size) * 2 : 8;                                          \
			(array) = mem_realloc((array), (size) * sizeof *(array));                  \
		}                                                                                  \
	} while (0)

void sync_free(struct selected **selected)
{
	struct selected *s = *selected;

	if (!s)
		return;
	view_fini(&s->view);
	arena_fini(&s->keyword_arena);
	free(s->recent);
	free(s->gone);
	free(s->known);
	free(s->saved.ranges);
	mem_free(selected);
}

bool sync_is_recent(const struct selected *selected, uint32_t uid)
{
	for (size_t i = selected->recent_n; i-- > 0;)
		if (uid >= selected->recent[i].from)
			return uid <= selected->recent[i].to;
	return false;
}

uint32_t sync_recent_n(const struct selected *selected)
{
	const struct view *view = &selected->view;
	uint32_t n = 0;

	for (size_t i = 0; i < selected->recent_n; i++) {
		const struct uid_range *recent = &selected->recent[i];

		for (size_t k = 0; k < view->n; k++) {
			uint32_t from = view->runs[k].uid, to = from + view->runs[k].n - 1;

			from = from > recent->from ? from : recent->from;
			to = to < recent->to ? to : recent->to;
			n += from <= to ? to - from + 1 : 0;
		}
	}
	return n;
}

/* UIDs from `from` up to and with `to` are recent in this session. */
static void add_recent(struct selected *s, uint32_t from, uint32_t to)
{
	if (from > to)
		return;
	if (s->recent_n && s->recent[s->recent_n - 1].to >= from - 1) {
		s->recent[s->recent_n - 1].to = to;
		return;
	}
	GROW(s->recent, s->recent_n, s->recent_size);
	s->recent[s->recent_n++] = (struct uid_range){from, to};
}

/*
 * Messages that came are recent to the first session that is told of them (RFC 3501 2.3.2): whoever
 * may write claims them; who looks in with EXAMINE sees them so and leaves the claim to others.
 */
static int claim_recent(struct client *client, struct selected *s, const struct folder_info *info,
    struct err *e)
{
	struct store_uid from = info->recent_from;
	uint32_t last = info->uidnext - 1; /* 4294967295 where the folder is full */

	if (from.n == 0 || from.n > last)
		return 0;
	if (!s->readonly && folder_claim_recent(client->store, s->id, &from, e) != 0)
		return -1;
	add_recent(s, from.n, last);
	return 0;
}

int sync_keywords(struct client *client, uint64_t used, struct err *e)
{
	struct selected *s = client->selected;
	uint64_t before = s->keyword_bits;

	if (!(used & ~before))
		return 0;
	arena_fini(&s->keyword_arena);
	s->keyword_bits = 0;
	if (flags_keywords(client->store, &s->keyword_arena, s->keywords, e) != 0) {
		memset(s->keywords, 0, sizeof s->keywords);
		return -1;
	}
	for (unsigned bit = 0; bit < 63; bit++)
		s->keyword_bits |= (uint64_t)(s->keywords[bit] != NULL) << bit;
	if (s->keyword_bits & ~before)
		sync_put_flags(client);
	return 0;
}

static void put_keywords(struct str_buf *out, const struct selected *s)
{
	for (unsigned bit = 0; bit < 63; bit++) {
		if (!s->keywords[bit])
			continue;
		str_buf_putc(out, ' ');
		str_buf_puts(out, s->keywords[bit]);
	}
}

void sync_put_flags(struct client *client)
{
	const struct selected *s = client->selected;
	struct str_buf *out = conn_out(client->conn);
	bool room = false;

	str_buf_printf(out, "* FLAGS (%s", system_flags);
	put_keywords(out, s);
	str_buf_puts(out, ")\r\n* OK [PERMANENTFLAGS (");
	for (unsigned bit = 0; bit < 63; bit++)
		room = room || !s->keywords[bit];
	if (!s->readonly) {
		str_buf_puts(out, system_flags);
		put_keywords(out, s);
		/* \*: new keywords can be made, while there is room (RFC 3501 7.1). */
		str_buf_puts(out, room ? " \\*" : "");
	}
	str_buf_puts(out, s->readonly ? ")] Nothing can be changed here\r\n" :
	                                ")] Flags that stay\r\n");
}

/* Fills an empty view with the messages below uidnext. */
static int read_view(struct client *client, struct selected *s, const struct folder_info *info,
    uint32_t *first_unseen_r, struct err *e)
{
	struct uid_range left = {1, info->uidnext - 1};
	struct arena arena = {0};
	struct message_info *list;
	uint32_t first_unseen = 0;
	size_t n = SELECT_SLICE;
	int result = 0;

	while (n == SELECT_SLICE && left.from <= left.to && left.from) {
		result = message_list(client->store, s->id, &left, 1, MESSAGE_FLAGS, SELECT_SLICE,
		    &arena, &list, &n, e);
		if (result != 0)
			break;
		for (size_t i = 0; i < n; i++) {
			view_append(&s->view, list[i].uid.n);
			if (!first_unseen && !(list[i].flags & STORE_FLAG_SEEN))
				first_unseen = s->view.exists;
		}
		left.from = n ? list[n - 1].uid.n + 1 : 0;
		arena_fini(&arena);
	}
	arena_fini(&arena);
	*first_unseen_r = first_unseen;
	return result;
}

int sync_select(struct client *client, const char *name, bool readonly,
    struct selected **selected_r, struct folder_info *info_r, uint32_t *first_unseen_r,
    struct err *e)
{
	struct selected *s = mem_alloc(sizeof *s);

	s->readonly = readonly;
	/* The bell first: what happens while the view is read rings again. */
	s->bell = change_counter(client->store);
	if (folder_by_name(client->store, name, &client->arena, info_r, e) != 0)
		goto fail;
	s->id = info_r->id;
	s->uidvalidity = info_r->uidvalidity;
	s->uidnext = info_r->uidnext;
	s->modseq = s->told = info_r->highestmodseq;
	if (read_view(client, s, info_r, first_unseen_r, e) != 0 ||
	    claim_recent(client, s, info_r, e) != 0 ||
	    flags_keywords(client->store, &s->keyword_arena, s->keywords, e) != 0)
		goto fail;
	for (unsigned bit = 0; bit < 63; bit++)
		s->keyword_bits |= (uint64_t)(s->keywords[bit] != NULL) << bit;
	*selected_r = s;
	return 0;
fail:
	sync_free(&s);
	return -1;
}

void sync_enable(struct client *client, unsigned bits)
{
	bool news = bits & ~client->enabled & ENABLED_CONDSTORE;

	client->enabled |= bits;
	if (news && client->selected)
		tell_highestmodseq(client);
}

void sync_know(struct selected *s, uint32_t uid, struct store_modseq modseq)
{
	/* What was changed by nothing since we asked is not told again: a STORE that changes nothing rings
	 * no bell, and what it noted would never be forgotten. */
	if (modseq.n <= s->modseq.n)
		return;
	GROW(s->known, s->known_n, s->known_size);
	s->known[s->known_n++] = (struct sync_known){uid, modseq.n};
}

static int by_known(const void *a, const void *b)
{
	const struct sync_known *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return (x->modseq > y->modseq) - (x->modseq < y->modseq);
}

static bool is_known(const struct selected *s, const struct message_info *m)
{
	struct sync_known key = {m->uid.n, m->modseq.n};

	return s->known_n && bsearch(&key, s->known, s->known_n, sizeof key, by_known);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void note_gone(struct selected *s, uint32_t uid)
{
	if (!view_seq(&s->view, uid))
		return;
	GROW(s->gone, s->gone_n, s->gone_size);
	s->gone[s->gone_n++] = uid;
}

/* Flags of messages the client knows of; those it does not know are counted, and come later. */
static int tell_flags(struct client *client, const struct folder_changes *changes, unsigned how,
    struct err *e)
{
	struct selected *s = client->selected;
	uint32_t last = view_last_uid(&s->view);
	struct view_cursor at = {0};

	if (s->known_n)
		qsort(s->known, s->known_n, sizeof *s->known, by_known);
	for (size_t i = 0; i < changes->changed_n; i++) {
		const struct message_info *m = &changes->changed[i];
		uint32_t seq = m->uid.n > last ? 0 : view_cursor_seq(&s->view, &at, m->uid.n);

		if (seq == 0 || is_known(s, m))
			continue;
		if (sync_keywords(client, m->keywords, e) != 0)
			return -1;
		tell_message(client, seq, m, TELL_FLAGS | (how & SYNC_UID ? TELL_UID : 0));
	}
	s->known_n = 0;
	return 0;
}

static void tell_expunges(struct client *client)
{
	struct selected *s = client->selected;
	size_t n = 0;

	qsort(s->gone, s->gone_n, sizeof *s->gone, by_number);
	for (size_t i = 0; i < s->gone_n; i++)
		if (n == 0 || s->gone[n - 1] != s->gone[i])
			s->gone[n++] = s->gone[i];
	tell_gone(client, s->gone, n);
	view_remove(&s->view, s->gone, n);
	s->gone_n = 0;
	s->told = s->modseq;
	s->told_gone = true;
}

void sync_put_exists(struct client *client)
{
	const struct selected *s = client->selected;

	conn_printf(client->conn, "* %u EXISTS\r\n", s->view.exists);
	if (!(client->enabled & ENABLED_REV2))
		conn_printf(client->conn, "* %u RECENT\r\n", sync_recent_n(s));
}

static int tell_arrivals(struct client *client, const struct folder_changes *changes, struct err *e)
{
	struct selected *s = client->selected;
	uint32_t before = s->view.exists, last = view_last_uid(&s->view);
	int result;

	for (size_t i = 0; i < changes->changed_n; i++)
		if (changes->changed[i].uid.n > last)
			view_append(&s->view, changes->changed[i].uid.n);
	if (s->view.exists == before)
		return 0;
	result = claim_recent(client, s, &changes->info, e);
	sync_put_exists(client);
	return result;
}

/* Tombstones were pruned while we did not look: what the folder no longer lists is gone. */
static int note_unlisted(struct client *client, struct err *e)
{
	struct selected *s = client->selected;
	struct folder_info info;
	struct selected now = {.id = s->id};
	uint32_t unseen;
	int result = folder_by_id(client->store, s->id, &client->arena, &info, e);

	if (result == 0)
		result = read_view(client, &now, &info, &unseen, e);
	for (size_t i = 0; result == 0 && i < s->view.n; i++)
		for (uint32_t k = 0; k < s->view.runs[i].n; k++)
			if (!view_seq(&now.view, s->view.runs[i].uid + k))
				note_gone(s, s->view.runs[i].uid + k);
	view_fini(&now.view);
	return result;
}

static int tell(struct client *client, const struct folder_changes *changes, unsigned how,
    struct err *e)
{
	struct selected *s = client->selected;

	for (size_t i = 0; i < changes->expunged_n; i++)
		note_gone(s, changes->expunged[i].n);
	if (changes->reset && note_unlisted(client, e) != 0)
		return -1;
	if (tell_flags(client, changes, how, e) != 0)
		return -1;
	if ((how & SYNC_EXPUNGE) && s->gone_n)
		tell_expunges(client);
	if (tell_arrivals(client, changes, e) != 0)
		return -1;
	s->modseq = changes->highestmodseq;
	s->uidnext = changes->info.uidnext;
	if (s->gone_n == 0)
		s->told = s->modseq;
	return 0;
}

int sync_run(struct client *client, unsigned how, struct err *e)
{
	struct selected *s = client->selected;
	struct folder_changes changes = {0};
	struct arena arena = {0};
	uint64_t bell = change_counter(client->store);
	int result = 0;

	if (bell != s->bell || (how & SYNC_ASK)) {
		result = change_folder(client->store, s->id, s->modseq, MESSAGE_FLAGS, &arena,
		    &changes, e);
		if (result == 0)
			result = tell(client, &changes, how, e);
		else if (e->code == ERR_NOTFOUND)
			client_bye(client, NULL, "The selected folder was deleted");
		if (result == 0)
			s->bell = bell;
	} else if ((how & SYNC_EXPUNGE) && s->gone_n) {
		tell_expunges(client);
	}
	/* MODSEQs that were told must not make the client forget what is held back (RFC 7162 3.2). */
	if (result == 0 && s->gone_n && (client->enabled & ENABLED_CONDSTORE))
		tell_highestmodseq(client);
	arena_fini(&arena);
	return result;
}
