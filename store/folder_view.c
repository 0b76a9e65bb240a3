/*
 * store/folder_view.c - the views that sessions share.
 *
 * A view stands at a modseq.  Whoever finds that the folder has moved on (its counters or the doorbell
 * say so) brings it up to date under its lock, for everybody.  Sessions take counted copies of the
 * UIDs, which never change under them, and copies of flags, slice by slice.
 */
#include "store/folder_view_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "store/folder_priv.h"

#include <stdlib.h>

/* ---- which there are ---- */

/* Counted; with `make` there is always one, else perhaps none. */
static struct folder_view *acquire(struct mailbox *mb, struct folder_id id, bool make)
{
	struct folder_view *fv;

	pthread_mutex_lock(&mb->lock);
	for (fv = mb->views; fv && fv->id.n != id.n; fv = fv->next)
		;
	if (!fv && make) {
		fv = mem_alloc(sizeof *fv);
		fv->mailbox = mb;
		fv->id = id;
		pthread_mutex_init(&fv->lock, NULL);
		fv->next = mb->views;
		mb->views = fv;
	}
	if (fv)
		fv->refs++;
	pthread_mutex_unlock(&mb->lock);
	return fv;
}

/* After the flags came, grew or went. */
static void count_octets(struct folder_view *fv)
{
	struct store_site *ss = fv->mailbox->site;
	size_t octets = flag_column_octets(&fv->flags);

	atomic_fetch_add(&ss->view_octets, octets - fv->octets);
	fv->octets = octets;
}

static void forget_step(struct folder_view *fv)
{
	arena_fini(&fv->step.arena);
	fv->step = (struct folder_step){0};
}

static void forget_flags(struct folder_view *fv)
{
	flag_column_fini(&fv->flags);
	fv->has_flags = false;
	count_octets(fv);
}

/* Under mailbox->lock; nobody has it open. */
static void free_view(struct folder_view **at)
{
	struct folder_view *fv = *at;

	*at = fv->next;
	forget_flags(fv);
	forget_step(fv);
	view_fini(&fv->uids);
	pthread_mutex_destroy(&fv->lock);
	free(fv);
}

void folder_view_close(struct folder_view **fvp)
{
	struct folder_view *fv = *fvp;

	*fvp = NULL;
	if (!fv)
		return;
	/* It stays for the next one; the janitor takes it away, or the mailbox's end. */
	pthread_mutex_lock(&fv->mailbox->lock);
	fv->refs--;
	pthread_mutex_unlock(&fv->mailbox->lock);
}

void folder_views_free(struct mailbox *mb)
{
	while (mb->views)
		free_view(&mb->views);
}

static void trim_mailbox(struct mailbox *mb, int64_t used_before_ms)
{
	pthread_mutex_lock(&mb->lock);
	for (struct folder_view **at = &mb->views, *fv; (fv = *at);) {
		/* Who has the lock uses it, and may be waiting for the mailbox's. */
		if (pthread_mutex_trylock(&fv->lock) == 0) {
			bool is_idle = fv->used_ms < used_before_ms;

			if (is_idle && fv->has_flags)
				forget_flags(fv);
			if (is_idle)
				forget_step(fv);
			pthread_mutex_unlock(&fv->lock);
			if (is_idle && fv->refs == 0) {
				free_view(at);
				continue;
			}
		}
		at = &fv->next;
	}
	pthread_mutex_unlock(&mb->lock);
}

/* The more octets too many, the shorter the time after which they go. */
void folder_views_trim(struct store_site *ss)
{
	int64_t idle_ms = (int64_t)setting_get(ss->site, SETTING_FOLDER_VIEW_IDLE_S) * 1000;
	size_t max = setting_get(ss->site, SETTING_FOLDER_VIEW_OCTETS);
	int64_t now = clock_mono_ms();

	for (;; idle_ms /= 4) {
		for (size_t i = 0; i < MAILBOX_BUCKETS; i++)
			for (struct mailbox *mb = ss->buckets[i]; mb; mb = mb->next)
				trim_mailbox(mb, now - idle_ms);
		if (atomic_load(&ss->view_octets) <= max || idle_ms == 0)
			return;
	}
}

/* ---- what they are ---- */

static int read_view(struct folder_view *fv, struct store *store,
    const struct folder_view_wish *wish, struct folder_info *info_r, struct err *e)
{
	size_t max = setting_get(fv->mailbox->site->site, SETTING_FOLDER_VIEW_OCTETS);

	if (folder_view_read(fv, store, wish, info_r, e) < 0)
		return -1;
	count_octets(fv);
	if (atomic_load(&fv->mailbox->site->view_octets) > max)
		janitor_start(fv->mailbox->site);
	return 0;
}

static void apply_expunges(struct folder_view *fv, const struct folder_changes *changes)
{
	uint32_t *places = mem_alloc((changes->expunged_n + 1) * sizeof *places), n = 0;
	struct view_cursor at = {0};

	for (size_t i = 0; i < changes->expunged_n; i++) {
		uint32_t seq = view_cursor_seq(&fv->uids, &at, changes->expunged[i].n);

		if (seq)
			places[n++] = seq - 1;
	}
	if (fv->has_flags)
		flag_column_remove(&fv->flags, places, n);
	free(places);
	view_remove(&fv->uids, changes->expunged, n ? changes->expunged_n : 0);
}

void folder_view_apply(struct folder_view *fv, const struct folder_changes *changes)
{
	struct view_cursor at = {0};

	if (changes->expunged_n)
		apply_expunges(fv, changes);
	for (size_t i = 0; i < changes->changed_n; i++) {
		const struct message_info *m = &changes->changed[i];
		struct flag_state state = {m->keywords, (uint8_t)m->flags};
		bool is_new = m->uid.n > view_last_uid(&fv->uids);

		if (is_new)
			view_append(&fv->uids, m->uid.n);
		if (!fv->has_flags)
			continue;
		if (is_new) {
			flag_column_append(&fv->flags, state);
		} else {
			uint32_t seq = view_cursor_seq(&fv->uids, &at, m->uid.n);

			if (seq)
				flag_column_set(&fv->flags, seq - 1, state);
		}
	}
}

void folder_view_stored(struct mailbox *mb, struct folder_id id, const struct flags_stored *stored)
{
	struct folder_view *fv = acquire(mb, id, false);

	if (!fv)
		return;
	pthread_mutex_lock(&fv->lock);
	if (fv->modseq.n == stored->before.n) {
		const struct folder_changes changes = {.changed = stored->now, .changed_n = stored->n};

		folder_view_apply(fv, &changes);
		fv->modseq = stored->after;
		fv->bell = stored->after.n;
	}
	pthread_mutex_unlock(&fv->lock);
	folder_view_close(&fv);
}

int folder_view_open(struct store *store, const char *name, struct folder_view **fv_r,
    struct folder_moment *moment_r, struct err *e)
{
	struct folder_moment m = {.bell = notice_read(store->mailbox)};
	struct folder_view *fv;
	int r = 0;

	if (folder_counters_by_name(store, name, &m.info, e) < 0)
		return -1;
	fv = acquire(store->mailbox, m.info.id, true);
	pthread_mutex_lock(&fv->lock);
	fv->used_ms = clock_mono_ms();
	if (fv->modseq.n != m.info.highestmodseq.n || (m.info.unseen && !fv->has_flags)) {
		const struct folder_view_wish wish = {.flags = m.info.unseen > 0};

		r = read_view(fv, store, &wish, &m.info, e);
		m.bell = fv->bell;
	}
	if (r == 0) {
		fv->bell = m.bell;
		m.uids = view_share(&fv->uids);
		if (m.info.unseen && fv->has_flags)
			m.first_unseen = flag_column_unseen(&fv->flags) + 1;
	}
	pthread_mutex_unlock(&fv->lock);
	if (r < 0) {
		folder_view_close(&fv);
		return -1;
	}
	*fv_r = fv;
	*moment_r = m;
	return 0;
}

/* Of few changes; more are read again by each who asks. */
#define STEP_CHANGES_MAX 64

static void keep_step(struct folder_view *fv, struct store_modseq since,
    const struct folder_changes *changes)
{
	struct folder_step *step = &fv->step;

	forget_step(fv);
	if (changes->reset || changes->changed_n > STEP_CHANGES_MAX)
		return;
	step->since = since;
	step->modseq = fv->modseq;
	step->info = changes->info;
	step->changed_n = changes->changed_n;
	step->changed = arena_copy(&step->arena, changes->changed,
	    changes->changed_n * sizeof *changes->changed);
}

/* What changed, where the last step of the view says it. */
static bool recall_step(const struct folder_view *fv, struct store_modseq since, uint64_t bell,
    struct arena *arena, struct folder_changes *changes_r)
{
	const struct folder_step *step = &fv->step;

	/* 0: there is no bell to go by. */
	if (bell == 0 || bell != fv->bell || step->modseq.n != fv->modseq.n || since.n == 0 ||
	    (since.n != step->since.n && since.n != step->modseq.n))
		return false;
	*changes_r = (struct folder_changes){.highestmodseq = step->modseq, .info = step->info};
	if (since.n == step->since.n) {
		changes_r->changed_n = step->changed_n;
		changes_r->changed = arena_copy(arena, step->changed,
		    step->changed_n * sizeof *step->changed);
	}
	return true;
}

int folder_view_changes(struct folder_view *fv, struct store *store, struct store_modseq since,
    uint64_t bell, struct arena *arena, struct folder_changes *changes_r, struct view *uids_r,
    struct err *e)
{
	struct folder_changes changes = {0};
	const struct folder_view_wish wish = {.since = since, .arena = arena, .changes = &changes};
	int r = 0;

	pthread_mutex_lock(&fv->lock);
	if (!recall_step(fv, since, bell, arena, &changes)) {
		r = read_view(fv, store, &wish, &changes.info, e);
		if (r == 0)
			keep_step(fv, since, &changes);
	}
	if (r == 0)
		*uids_r = view_share(&fv->uids);
	pthread_mutex_unlock(&fv->lock);
	if (r == 0)
		*changes_r = changes;
	return r;
}

bool folder_view_is_claimed(struct folder_view *fv, uint32_t uidnext)
{
	pthread_mutex_lock(&fv->lock);
	bool claimed = fv->claimed >= uidnext - 1;

	pthread_mutex_unlock(&fv->lock);
	return claimed;
}

int folder_view_claim_recent(struct folder_view *fv, struct store *store, uint32_t uidnext,
    struct store_uid *recent_from_r, struct err *e)
{
	uint32_t last = uidnext - 1, before;

	pthread_mutex_lock(&fv->lock);
	before = fv->claimed;
	if (before < last)
		fv->claimed = last;
	pthread_mutex_unlock(&fv->lock);
	if (before >= last) {
		recent_from_r->n = uidnext;
		return 0;
	}
	if (folder_claim_recent(store, fv->id, recent_from_r, e) == 0)
		return 0;
	pthread_mutex_lock(&fv->lock);
	if (fv->claimed == last)
		fv->claimed = before;
	pthread_mutex_unlock(&fv->lock);
	return -1;
}

/* The caller's view may have messages that are gone, and lack some that came. */
static void copy_states(const struct folder_view *fv, const struct view *known, uint32_t seq,
    uint32_t n, struct flag_state *states)
{
	bool same = known->runs == fv->uids.runs;
	struct view_cursor at = {0};

	for (uint32_t i = 0; i < n; i++) {
		uint32_t here = same ? seq + i : view_cursor_seq(&fv->uids, &at, view_uid(known, seq + i));

		states[i] = here ? flag_column_get(&fv->flags, here - 1) :
		                   (struct flag_state){.flags = FLAG_STATE_GONE};
	}
}

int folder_view_flags(struct folder_view *fv, struct store *store, const struct view *known,
    uint32_t seq, uint32_t n, struct flag_state *states, struct err *e)
{
	const struct folder_view_wish wish = {.flags = true};
	struct folder_info info;
	uint64_t bell;
	int r = 0;

	pthread_mutex_lock(&fv->lock);
	bell = notice_read(store->mailbox);
	/* 0: there is no bell to go by. */
	if (!fv->has_flags || bell == 0 || bell != fv->bell)
		r = read_view(fv, store, &wish, &info, e);
	if (r == 0)
		copy_states(fv, known, seq, n, states);
	fv->used_ms = clock_mono_ms();
	pthread_mutex_unlock(&fv->lock);
	return r;
}
