/*
 * imapd/sync.c - the selected folder and how its view follows the store.
 *
 * The store is asked for everything since selected->modseq at once, so flags, arrivals and expunges of
 * one instant come together.  An expunge that may not be told yet is a message that the client's view
 * has and the latest has not; all else is the same in both.
 */
#include "imapd/sync.h"

#include "base/log.h"
#include "base/mem.h"
#include "imapd/cmd.h"
#include "imapd/context.h"
#include "imapd/tell.h"
#include "store/flags.h"

#include <stdlib.h>
#include <string.h>

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
	view_fini(&s->latest);
	folder_view_close(&s->folder);
	keyword_names_release(&s->keywords);
	free(s->recent);
	free(s->known);
	free(s->saved.ranges);
	context_end_all(&s->contexts);
	if (s->session)
		session_uncharge(s->session, OBJT_FOLDER, 1);
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
	uint32_t n = 0;

	for (size_t i = 0; i < selected->recent_n; i++)
		n += view_rank(&selected->view, selected->recent[i].to) -
		    view_rank(&selected->view, selected->recent[i].from - 1);
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
static int claim_recent(struct client *client, struct selected *s, struct store_uid from, uint32_t uidnext,
    struct err *e)
{
	uint32_t last = uidnext - 1; /* 4294967295 where the folder is full */

	if (from.n == 0 || from.n > last)
		return 0;
	if (!s->readonly && folder_view_claim_recent(s->folder, client->store, uidnext, &from, e) != 0)
		return -1;
	add_recent(s, from.n, last);
	return 0;
}

static void put_recent(struct client *client)
{
	if (!(client->enabled & ENABLED_REV2))
		conn_printf(client->conn, "* %u RECENT\r\n", sync_recent_n(client->selected));
}

/* To claim is a commit, and may have to open a handle first. */
static bool claims_later(const struct selected *s, const struct folder_info *info, unsigned how)
{
	return (how & SYNC_CLAIM_LATER) && !s->readonly && info->recent_from.n &&
	       info->recent_from.n < info->uidnext && !folder_view_is_claimed(s->folder, info->uidnext);
}

int sync_claim(struct client *client, struct err *e)
{
	struct selected *s = client->selected;
	struct store_uid from = s->unclaimed;

	if (!from.n)
		return 0;
	s->unclaimed.n = 0;
	if (claim_recent(client, s, from, s->uidnext, e) != 0)
		return -1;
	put_recent(client);
	return 0;
}

int sync_keywords(struct client *client, uint64_t used, struct err *e)
{
	struct selected *s = client->selected;
	struct keyword_names *names;
	uint64_t before = s->keywords->bits;

	if (!(used & ~before))
		return 0;
	if (keyword_names_get(client->store, &names, e) != 0)
		return -1;
	keyword_names_release(&s->keywords);
	s->keywords = names;
	if (names->bits & ~before)
		sync_put_flags(client);
	return 0;
}

static void put_keywords(struct str_buf *out, const struct selected *s)
{
	for (unsigned bit = 0; bit < KEYWORDS_MAX; bit++) {
		if (!s->keywords->names[bit])
			continue;
		str_buf_putc(out, ' ');
		str_buf_puts(out, s->keywords->names[bit]);
	}
}

void sync_put_flags(struct client *client)
{
	const struct selected *s = client->selected;
	struct str_buf *out = conn_out(client->conn);

	str_buf_printf(out, "* FLAGS (%s", system_flags);
	put_keywords(out, s);
	str_buf_puts(out, ")\r\n* OK [PERMANENTFLAGS (");
	if (!s->readonly) {
		str_buf_puts(out, system_flags);
		put_keywords(out, s);
		/* \*: new keywords can be made, while there is room (RFC 3501 7.1). */
		if (s->keywords->bits + 1 < (uint64_t)1 << KEYWORDS_MAX)
			str_buf_puts(out, " \\*");
	}
	str_buf_puts(out, s->readonly ? ")] Nothing can be changed here\r\n" :
	                                ")] Flags that stay\r\n");
}

int sync_select(struct client *client, const char *name, bool readonly,
    struct selected **selected_r, struct folder_info *info_r, uint32_t *first_unseen_r,
    struct err *e)
{
	struct selected *s;
	struct folder_moment now;

	if (session_charge(client->session, OBJT_FOLDER, 1, e) != 0)
		return -1;
	s = mem_alloc(sizeof *s);
	s->session = client->session;
	s->readonly = readonly;
	if (folder_view_open(client->store, name, &s->folder, &now, e) != 0)
		goto fail;
	s->id = now.info.id;
	s->uidvalidity = now.info.uidvalidity;
	s->uidnext = now.info.uidnext;
	s->modseq = s->told = now.info.highestmodseq;
	s->bell = now.bell;
	s->view = now.uids;
	s->latest = view_share(&s->view);
	if (claim_recent(client, s, now.info.recent_from, now.info.uidnext, e) != 0 ||
	    keyword_names_get(client->store, &s->keywords, e) != 0)
		goto fail;
	*selected_r = s;
	*info_r = now.info;
	*first_unseen_r = now.first_unseen;
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

void sync_stored(struct selected *s, const struct flags_stored *stored)
{
	/* Results that are kept up to date want to hear of every change. */
	if (s->contexts || s->modseq.n != stored->before.n || stored->after.n == stored->before.n)
		return;
	s->modseq = stored->after;
	s->bell = stored->after.n;
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

		if (seq == 0 || (how & SYNC_NO_FLAGS) || is_known(s, m))
			continue;
		if (sync_keywords(client, m->keywords, e) != 0)
			return -1;
		tell_message(client, seq, m, TELL_FLAGS | (how & SYNC_UID ? TELL_UID : 0));
	}
	s->known_n = 0;
	return 0;
}

static bool has_gone(const struct selected *s)
{
	return s->view.exists != s->latest.exists;
}

static void tell_expunges(struct client *client)
{
	struct selected *s = client->selected;
	struct arena arena = {0};
	size_t n;
	struct uid_range *gone = view_missing(&s->view, &s->latest, &arena, &n);

	context_expunged(client, gone, n);
	tell_gone(client, gone, n);
	s->told_gone = true;
	arena_fini(&arena);
}

static void put_exists(struct client *client)
{
	conn_printf(client->conn, "* %u EXISTS\r\n", client->selected->view.exists);
}

void sync_put_exists(struct client *client)
{
	put_exists(client);
	put_recent(client);
}

/* The view takes what came, and keeps what is gone. */
static void add_arrivals(struct view *view, const struct view *latest)
{
	uint32_t last = view_last_uid(view), seq;

	for (uint32_t i = view_run_of(latest, last + 1); last < UINT32_MAX && i < latest->n; i++) {
		struct uid_range run = view_run(latest, i, &seq);

		for (uint32_t uid = run.from > last ? run.from : last + 1; uid && uid <= run.to; uid++)
			view_append(view, uid);
	}
}

/* Expunges, where they may be told, and arrivals.  info: the counters of `latest`. */
static int follow(struct client *client, const struct folder_info *info, unsigned how, struct err *e)
{
	struct selected *s = client->selected;
	uint32_t last = view_last_uid(&s->view), kept = view_rank(&s->latest, last);
	bool gone = kept < s->view.exists, arrived = kept < s->latest.exists;
	int result = 0;

	if (gone && (how & SYNC_EXPUNGE))
		tell_expunges(client);
	if (gone && !(how & SYNC_EXPUNGE)) {
		add_arrivals(&s->view, &s->latest);
	} else {
		view_fini(&s->view);
		s->view = view_share(&s->latest);
	}
	if (arrived && claims_later(s, info, how)) {
		put_exists(client);
		s->unclaimed = info->recent_from;
	} else if (arrived) {
		result = claim_recent(client, s, info->recent_from, info->uidnext, e);
		sync_put_exists(client);
	}
	return result;
}

/* The first message that came, and not by this client: of its own NOTIFY should tell no more than that they
 * exist (RFC 5465 5.2).  0: none. */
static uint32_t first_fresh(const struct client *client, const struct folder_changes *changes)
{
	uint32_t last = view_last_uid(&client->selected->view);

	for (size_t i = 0; client->notify && i < changes->changed_n; i++) {
		const struct message_info *m = &changes->changed[i];

		if (m->uid.n > last &&
		    !change_is_own(client->store, (struct store_modseq){m->modseq.n - 1}, m->modseq))
			return m->uid.n;
	}
	return 0;
}

/* Asks what changed, and tells all of it.  bell 0: the store itself is asked. */
static int catch_up(struct client *client, unsigned how, uint64_t bell, struct err *e)
{
	struct selected *s = client->selected;
	struct folder_changes changes;
	struct arena arena = {0};
	struct view latest;
	uint32_t fresh = 0;
	int result = folder_view_changes(s->folder, client->store, s->modseq, bell, &arena, &changes,
	    &latest, e);

	if (result == 0) {
		view_fini(&s->latest);
		s->latest = latest;
		fresh = first_fresh(client, &changes);
		result = tell_flags(client, &changes, how, e);
	}
	if (result == 0)
		result = follow(client, &changes.info, how, e);
	if (result == 0)
		context_changed(client, &changes);
	if (result == 0) {
		s->fresh_from = s->fresh_from ? s->fresh_from : fresh;
		s->modseq = changes.highestmodseq;
		s->uidnext = changes.info.uidnext;
	}
	arena_fini(&arena);
	return result;
}

int sync_run(struct client *client, unsigned how, struct err *e)
{
	struct selected *s = client->selected;
	uint64_t bell = change_counter(client->store);
	bool ask = (how & SYNC_ASK) || ((how & SYNC_WOKEN) && bell == s->bell);
	int result = 0;

	if (bell != s->bell || ask) {
		result = catch_up(client, how, ask ? 0 : bell, e);
		if (result == 0)
			s->bell = bell;
		else if (e->code == ERR_NOTFOUND)
			client_bye(client, NULL, "The selected folder was deleted");
	} else if ((how & SYNC_EXPUNGE) && has_gone(s)) {
		result = follow(client, NULL, how, e);
	}
	if (result == 0 && !has_gone(s))
		s->told = s->modseq;
	/* MODSEQs that were told must not make the client forget what is held back (RFC 7162 3.2). */
	else if (result == 0 && (client->enabled & ENABLED_CONDSTORE))
		tell_highestmodseq(client);
	return result;
}
