/*
 * The shared view of a folder against what the store lists: random arrivals, expunges and changes of
 * flags, with sessions that follow at their own pace; and several threads at once.
 */
#include "support.h"

#include "base/clock.h"
#include "store/folder_view_priv.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define FOLLOWERS 3
#define STATES_MAX 4096

/* A session: what it knows of the folder. */
struct follower {
	struct folder_view *folder;
	struct view view;
	struct store_modseq modseq;
	struct flag_state known[STATES_MAX]; /* by UID, as it was told */
};

static struct store *store;

static int setup(void **state)
{
	return support_setup(state, &store);
}

static int teardown(void **state)
{
	return support_teardown(state, &store);
}

static uint32_t chance(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % below;
}

/* ---- what happens to a folder ---- */

static struct uid_range some_range(uint64_t *seed, uint32_t last)
{
	uint32_t from = 1 + chance(seed, last + 1);

	return (struct uid_range){from, from + chance(seed, 6)};
}

static void change_flags(struct support *s, struct store *st, struct folder_id f,
    struct uid_range range, struct flags_change change)
{
	struct message_info *now;
	struct store_uid *failed;
	size_t n, failed_n;

	OK(flags_store(st, f, &range, 1, &change, &s->arena, &now, &n, &failed, &failed_n, &s->e));
}

static void expunge(struct support *s, struct store *st, struct folder_id f, struct uid_range range)
{
	struct store_uid *gone;
	size_t n;

	OK(message_expunge(st, f, &range, 1, false, &s->arena, &gone, &n, &s->e));
}

static void something_happens(struct support *s, struct store *st, struct folder_id f, uint64_t *seed,
    uint32_t *last)
{
	static const char *const words[] = {"work", "later"};
	struct flags_change change = {.how = (enum flags_how)chance(seed, 3),
	    .flags = chance(seed, 32), .keywords = words, .keywords_n = chance(seed, 8) / 6};

	switch (chance(seed, 6)) {
	case 0:
	case 1:
		*last = support_append(s, st, f, "x\r\n", chance(seed, 32));
		break;
	case 2:
		expunge(s, st, f, some_range(seed, *last));
		break;
	default:
		change_flags(s, st, f, some_range(seed, *last), change);
	}
}

/* ---- who follows it ---- */

static void open_follower(struct support *s, struct follower *w)
{
	struct folder_moment now;
	struct flag_state states[STATES_MAX];

	OK(folder_view_open(store, "INBOX", &w->folder, &now, &s->e));
	w->view = now.uids;
	w->modseq = now.info.highestmodseq;
	OK(folder_view_flags(w->folder, store, &w->view, 1, w->view.exists, states, &s->e));
	for (uint32_t i = 0; i < w->view.exists; i++)
		w->known[view_uid(&w->view, i + 1)] = states[i];
}

static void close_follower(struct follower *w)
{
	view_fini(&w->view);
	folder_view_close(&w->folder);
}

static void follow(struct support *s, struct follower *w)
{
	struct folder_changes c;
	struct view now;

	OK(folder_view_changes(w->folder, store, w->modseq, change_counter(store), &s->arena, &c, &now, &s->e));
	view_fini(&w->view);
	w->view = now;
	w->modseq = c.highestmodseq;
	assert_int_equal(now.exists, c.info.exists);
	for (size_t i = 0; i < c.changed_n; i++)
		w->known[c.changed[i].uid.n] = (struct flag_state){c.changed[i].keywords,
		    (uint8_t)c.changed[i].flags};
}

/* What it was told is what the store lists. */
static void compare(struct support *s, const struct follower *w, struct folder_id f)
{
	struct message_info *list;
	size_t n;

	OK(message_list(store, f, &support_all, 1, MESSAGE_FLAGS, STATES_MAX, &s->arena, &list, &n,
	    &s->e));
	assert_int_equal(w->view.exists, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(view_uid(&w->view, (uint32_t)i + 1), list[i].uid.n);
		assert_int_equal(w->known[list[i].uid.n].flags, list[i].flags);
		assert_int_equal(w->known[list[i].uid.n].keywords, list[i].keywords);
	}
}

/* Flags are those of now for every message of a view that may be old. */
static void compare_flags(struct support *s, const struct follower *w, struct folder_id f,
    uint64_t *seed)
{
	struct flag_state states[STATES_MAX];
	uint32_t from = 1 + chance(seed, w->view.exists + 1);
	struct message_info *list;
	size_t n, at = 0;

	OK(folder_view_flags(w->folder, store, &w->view, from, w->view.exists + 1 - from, states,
	    &s->e));
	OK(message_list(store, f, &support_all, 1, MESSAGE_FLAGS, STATES_MAX, &s->arena, &list, &n,
	    &s->e));
	for (uint32_t seq = from; seq <= w->view.exists; seq++) {
		uint32_t uid = view_uid(&w->view, seq);

		while (at < n && list[at].uid.n < uid)
			at++;
		if (at == n || list[at].uid.n != uid) {
			assert_int_equal(states[seq - from].flags, FLAG_STATE_GONE);
			continue;
		}
		assert_int_equal(states[seq - from].flags, list[at].flags);
		assert_int_equal(states[seq - from].keywords, list[at].keywords);
	}
}

/* Who opens it now is told where it begins to be new. */
static void compare_opened(struct support *s, struct folder_id f)
{
	struct folder_view *folder;
	struct folder_moment now;
	struct message_info *list;
	uint32_t unseen = 0;
	size_t n;

	OK(folder_view_open(store, "INBOX", &folder, &now, &s->e));
	OK(message_list(store, f, &support_all, 1, MESSAGE_FLAGS, STATES_MAX, &s->arena, &list, &n,
	    &s->e));
	for (size_t i = n; i-- > 0;)
		if (!(list[i].flags & STORE_FLAG_SEEN))
			unseen = (uint32_t)i + 1;
	assert_int_equal(now.uids.exists, n);
	assert_int_equal(now.first_unseen, unseen);
	assert_int_equal(now.bell, change_counter(store));
	view_fini(&now.uids);
	folder_view_close(&folder);
}

static void followers_are_told_what_the_store_lists(void **state)
{
	struct support *s = *state;
	struct folder_id f = support_folder(s, store, "INBOX");
	struct follower *w = calloc(FOLLOWERS, sizeof *w);
	uint64_t seed = 7;
	uint32_t last = 0;

	/* Flags are forgotten at once and again, as the janitor has it. */
	OK(registry_set_dword(s->site, REGISTRY_STORE, "FolderViewOctets", 65536, &s->e));
	OK(registry_set_dword(s->site, REGISTRY_STORE, "FolderViewIdle", 1, &s->e));
	for (unsigned i = 0; i < FOLLOWERS; i++)
		open_follower(s, &w[i]);
	for (unsigned i = 0; i < 1500; i++) {
		unsigned k = chance(&seed, FOLLOWERS);

		something_happens(s, store, f, &seed, &last);
		if (chance(&seed, 3) == 0) {
			follow(s, &w[k]);
			compare(s, &w[k], f);
		}
		if (chance(&seed, 3) == 0)
			compare_flags(s, &w[k], f, &seed);
		if (chance(&seed, 5) == 0)
			compare_opened(s, f);
		if (chance(&seed, 50) == 0) {
			close_follower(&w[k]);
			open_follower(s, &w[k]);
		}
		if (chance(&seed, 100) == 0)
			clock_advance(10000);
		arena_fini(&s->arena);
	}
	for (unsigned i = 0; i < FOLLOWERS; i++) {
		follow(s, &w[i]);
		compare(s, &w[i], f);
		close_follower(&w[i]);
	}
	free(w);
}

static void what_nobody_asks_for_is_forgotten_and_read_again(void **state)
{
	struct support *s = *state;
	struct folder_id f = support_folder(s, store, "INBOX");
	struct follower *w = calloc(1, sizeof *w);
	uint64_t seed = 1;

	for (int i = 0; i < 5; i++)
		support_append(s, store, f, "x\r\n", (uint32_t)i);
	open_follower(s, w);
	clock_advance(3600000);
	/* Two rounds of the janitor. */
	nanosleep(&(struct timespec){.tv_sec = 2, .tv_nsec = 500000000}, NULL);
	assert_int_equal(store->mailbox->site->view_octets, 0);
	change_flags(s, store, f, (struct uid_range){2, 3},
	    (struct flags_change){.how = FLAGS_ADD, .flags = STORE_FLAG_FLAGGED});
	expunge(s, store, f, (struct uid_range){1, 1});
	compare_flags(s, w, f, &seed);
	follow(s, w);
	compare(s, w, f);
	assert_int_not_equal(store->mailbox->site->view_octets, 0);
	close_follower(w);
	free(w);
}

/* Tombstones go after a long time: what is gone is seen all the same, and so is what changed. */
static void a_pruned_feed_hides_nothing(void **state)
{
	struct support *s = *state;
	struct folder_id f = support_folder(s, store, "INBOX");
	struct follower *w = calloc(1, sizeof *w);
	struct folder_changes c = {0};

	for (int i = 0; i < 5; i++)
		support_append(s, store, f, "x\r\n", 0);
	open_follower(s, w);
	expunge(s, store, f, (struct uid_range){2, 2});
	change_flags(s, store, f, (struct uid_range){4, 4},
	    (struct flags_change){.how = FLAGS_ADD, .flags = STORE_FLAG_SEEN});
	clock_advance((int64_t)400 * 86400000);
	for (int i = 0; i < 100 && !c.reset; i++) {
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
		OK(change_folder(store, f, w->modseq, MESSAGE_FLAGS, &s->arena, &c, &s->e));
	}
	assert_true(c.reset);
	follow(s, w);
	compare(s, w, f);
	close_follower(w);
	free(w);
}

static void a_deleted_folder_is_not_found(void **state)
{
	struct support *s = *state;
	struct folder_view *folder;
	struct folder_moment now;
	struct folder_changes c;
	struct flag_state none;
	struct view uids;

	FAILS(ERR_NOTFOUND, folder_view_open(store, "Nowhere", &folder, &now, &s->e));
	FAILS(ERR_NOTFOUND, folder_view_open(store, "a//b", &folder, &now, &s->e));
	OK(folder_view_open(store, "Sent", &folder, &now, &s->e));
	assert_int_equal(now.uids.exists, 0);
	OK(folder_delete(store, "Sent", &s->e));
	FAILS(ERR_NOTFOUND, folder_view_changes(folder, store, now.info.highestmodseq, 0, &s->arena, &c, &uids,
	    &s->e));
	FAILS(ERR_NOTFOUND, folder_view_flags(folder, store, &now.uids, 1, 0, &none, &s->e));
	folder_view_close(&folder);
}

/* ---- threads ---- */

#define THREADS 4

struct worker {
	struct support s;
	unsigned n;
	struct follower follower;
};

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct folder_id f = support_folder(&w->s, store, "INBOX");
	uint64_t seed = w->n + 1;
	uint32_t last = 50;

	open_follower(&w->s, &w->follower);
	for (unsigned i = 0; i < 150; i++) {
		struct flag_state states[STATES_MAX];
		struct support *s = &w->s;

		if (w->n < 2)
			something_happens(s, store, f, &seed, &last);
		OK(folder_view_flags(w->follower.folder, store, &w->follower.view, 1,
		    w->follower.view.exists, states, &s->e));
		if (chance(&seed, 3) == 0)
			follow(s, &w->follower);
		if (chance(&seed, 20) == 0)
			clock_advance(5000);
		arena_fini(&s->arena);
	}
	return NULL;
}

static void threads_that_share_a_view_agree_at_the_end(void **state)
{
	struct support *s = *state;
	struct folder_id f = support_folder(s, store, "INBOX");
	struct worker *workers = calloc(THREADS, sizeof *workers);
	pthread_t threads[THREADS];

	OK(registry_set_dword(s->site, REGISTRY_STORE, "FolderViewIdle", 1, &s->e));
	for (int i = 0; i < 50; i++)
		support_append(s, store, f, "x\r\n", 0);
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i].s.site = s->site;
		workers[i].n = i;
		assert_int_equal(pthread_create(&threads[i], NULL, worker_main, &workers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < THREADS; i++) {
		follow(s, &workers[i].follower);
		compare(s, &workers[i].follower, f);
		close_follower(&workers[i].follower);
		arena_fini(&workers[i].s.arena);
	}
	free(workers);
}

static void recent_messages_are_claimed_by_one_session(void **state)
{
	struct support *s = *state;
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct folder_moment one, two;
	struct folder_view *first, *second;
	struct store_uid from;

	support_append(s, store, inbox, "A: b\r\n\r\nc\r\n", 0);
	OK(folder_view_open(store, "INBOX", &first, &one, &s->e));
	OK(folder_view_open(store, "INBOX", &second, &two, &s->e));
	assert_false(folder_view_is_claimed(second, two.info.uidnext));
	OK(folder_view_claim_recent(first, store, one.info.uidnext, &from, &s->e));
	assert_int_equal(from.n, 1);
	assert_true(folder_view_is_claimed(second, two.info.uidnext));
	OK(folder_view_claim_recent(second, store, two.info.uidnext, &from, &s->e));
	assert_int_equal(from.n, 2);
	view_fini(&one.uids);
	view_fini(&two.uids);
	folder_view_close(&first);
	folder_view_close(&second);
}

static void what_another_has_asked_is_told_without_the_store(void **state)
{
	struct support *s = *state;
	struct folder_id inbox = support_folder(s, store, "INBOX");
	struct folder_changes asked, told;
	struct folder_moment now;
	struct folder_view *view;
	struct view uids;
	uint64_t bell;

	OK(folder_view_open(store, "INBOX", &view, &now, &s->e));
	view_fini(&now.uids);
	support_append(s, store, inbox, "A: b\r\n\r\nc\r\n", STORE_FLAG_FLAGGED);
	bell = change_counter(store);
	for (int i = 0; i < 2; i++) {
		OK(folder_view_changes(view, store, now.info.highestmodseq, bell, &s->arena,
		    i ? &told : &asked, &uids, &s->e));
		assert_int_equal(uids.exists, 1);
		view_fini(&uids);
	}
	assert_int_equal(told.changed_n, 1);
	assert_int_equal(told.changed[0].uid.n, 1);
	assert_int_equal(told.changed[0].flags, STORE_FLAG_FLAGGED);
	assert_int_equal(told.highestmodseq.n, asked.highestmodseq.n);
	assert_int_equal(told.info.exists, 1);
	/* From there on nothing changed; a commit that rings ends what is remembered. */
	OK(folder_view_changes(view, store, told.highestmodseq, bell, &s->arena, &told, &uids, &s->e));
	assert_int_equal(told.changed_n, 0);
	view_fini(&uids);
	support_append(s, store, inbox, "A: b\r\n\r\nc\r\n", 0);
	OK(folder_view_changes(view, store, now.info.highestmodseq, change_counter(store), &s->arena, &told,
	    &uids, &s->e));
	assert_int_equal(told.changed_n, 2);
	assert_int_equal(uids.exists, 2);
	view_fini(&uids);
	folder_view_close(&view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(recent_messages_are_claimed_by_one_session, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_another_has_asked_is_told_without_the_store, setup, teardown),
	    cmocka_unit_test_setup_teardown(followers_are_told_what_the_store_lists, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_nobody_asks_for_is_forgotten_and_read_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_pruned_feed_hides_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_deleted_folder_is_not_found, setup, teardown),
	    cmocka_unit_test_setup_teardown(threads_that_share_a_view_agree_at_the_end, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
