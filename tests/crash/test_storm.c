/*
 * Four processes append, flag, copy, move and expunge in one mailbox, and are killed at random
 * instants.  Afterwards: every invariant holds, every message whose append was acknowledged is there
 * with its octets (unless somebody had set out to move or expunge it), and nothing that was
 * acknowledged as expunged is.  POSTERN_STORM_S says how long (8 s).
 */
#include "../unit/store/support.h"

#include "base/clock.h"
#include "base/io.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define WRITERS 4
#define UIDS 65536

/* What the writers were told, in memory that outlives them.  One folder: index is the UID. */
struct told {
	atomic_uint appended[UIDS]; /* the seed of its text; set after the append returned */
	atomic_bool leaving[UIDS];  /* set before an expunge or a move is tried */
	atomic_bool left[UIDS];     /* set after one returned that named it */
	atomic_uint seeds, operations;
};
static struct told *told;

static void text_make(unsigned seed, struct str_buf *out)
{
	str_buf_printf(out, "Subject: %u\r\n\r\n", seed);
	for (unsigned i = 0; i < seed % 300; i++)
		str_buf_printf(out, "%u %u\r\n", seed, i);
}

static struct uid_range any_range(struct support *s, struct store *store, struct folder_id inbox)
{
	struct folder_info f;
	uint32_t r;

	OK(folder_by_id(store, inbox, &s->arena, &f, &s->e));
	io_random(&r, sizeof r);
	r = 1 + r % f.uidnext;
	return (struct uid_range){r, r + 2};
}

static void do_append(struct support *s, struct store *store, struct folder_id inbox)
{
	unsigned seed = atomic_fetch_add(&told->seeds, 1) + 1;
	struct str_buf text = {0};
	uint32_t uid;

	text_make(seed, &text);
	uid = support_append_n(s, store, inbox, text.p, text.n, 0);
	str_buf_fini(&text);
	if (uid < UIDS)
		atomic_store(&told->appended[uid], seed);
}

static void do_leave(struct support *s, struct store *store, struct folder_id inbox, bool move)
{
	struct uid_range range = any_range(s, store, inbox);
	struct message_copied moved;
	struct store_uid *gone;
	size_t n;

	for (uint32_t uid = range.from; uid <= range.to && uid < UIDS; uid++)
		atomic_store(&told->leaving[uid], true);
	if (move) {
		OK(message_move(store, inbox, &range, 1, support_folder(s, store, "Archive"), &s->arena,
		    &moved, &s->e));
		gone = moved.from;
		n = moved.n;
	} else {
		OK(message_expunge(store, inbox, &range, 1, false, &s->arena, &gone, &n, &s->e));
	}
	for (size_t i = 0; i < n; i++)
		if (gone[i].n < UIDS)
			atomic_store(&told->left[gone[i].n], true);
}

static void do_flags(struct support *s, struct store *store, struct folder_id inbox)
{
	static const char *const names[] = {"a", "b"};
	struct uid_range range = any_range(s, store, inbox);
	struct flags_change change = {.how = (enum flags_how)(range.from % 3), .flags = range.from % 32,
	    .keywords = names, .keywords_n = range.from % 3};
	struct message_info *now;
	struct store_uid *failed;
	size_t n, failed_n;

	OK(flags_store(store, inbox, &range, 1, &change, &s->arena, &now, &n, &failed, &failed_n, &s->e));
}

static void do_copy(struct support *s, struct store *store, struct folder_id inbox)
{
	struct uid_range range = any_range(s, store, inbox);
	struct message_copied copied;

	OK(message_copy(store, inbox, &range, 1, support_folder(s, store, "Sent"), &s->arena, &copied,
	    &s->e));
}

static _Noreturn void write_for_ever(struct support *s)
{
	struct store *store;
	struct folder_id inbox;

	OK(site_open(s->dir, "writer", &s->site, &s->e));
	store = support_open(s, s->alice);
	inbox = support_folder(s, store, "INBOX");
	for (;;) {
		uint32_t what;

		io_random(&what, sizeof what);
		switch (what % 8) {
		case 0:
			do_leave(s, store, inbox, false);
			break;
		case 1:
			do_leave(s, store, inbox, true);
			break;
		case 2:
			do_copy(s, store, inbox);
			break;
		case 3:
		case 4:
			do_flags(s, store, inbox);
			break;
		default:
			do_append(s, store, inbox);
		}
		atomic_fetch_add(&told->operations, 1);
		arena_fini(&s->arena);
	}
}

static pid_t writer_start(struct support *s)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		write_for_ever(s); /* a failed OK ends it with a status, which the parent sees */
	return pid;
}

/* Kills one after the other at random instants; the number of kills. */
static unsigned storm(struct support *s, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms;
	pid_t pids[WRITERS];
	unsigned kills = 0;

	for (int i = 0; i < WRITERS; i++)
		pids[i] = writer_start(s);
	while (clock_mono_ms() < end) {
		struct timespec pause = {0};
		uint32_t r;
		int status;

		io_random(&r, sizeof r);
		pause.tv_nsec = 1000000 + r % 20000000; /* the instant is the point, not the wait */
		nanosleep(&pause, NULL);
		kill(pids[r % WRITERS], SIGKILL);
		waitpid(pids[r % WRITERS], &status, 0);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			fail_msg("a writer failed by itself: status %x", status);
		kills++;
		pids[r % WRITERS] = writer_start(s);
	}
	for (int i = 0; i < WRITERS; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	return kills;
}

static void compare_text(struct support *s, struct store *store, const struct message_info *m,
    unsigned seed)
{
	struct str_view got = support_read(s, store, m->content);
	struct str_buf want = {0};

	text_make(seed, &want);
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.p, want.p, want.n);
	str_buf_fini(&want);
}

static void acknowledged_is_kept_and_invariants_hold(void **state)
{
	struct support support, *s = &support;
	const char *seconds = getenv("POSTERN_STORM_S");
	struct message_info *list;
	struct folder_id inbox;
	struct store *store;
	unsigned kills, kept = 0;
	size_t n, at = 0;

	(void)state;
	told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(told != MAP_FAILED);
	support_begin(s);
	site_close(&s->site); /* children open their own */
	kills = storm(s, (seconds ? atoll(seconds) : 8) * 1000);
	OK(site_open(s->dir, "test", &s->site, &s->e));
	store = support_open(s, s->alice);
	inbox = support_folder(s, store, "INBOX");
	support_check(s, store);
	OK(message_list(store, inbox, &support_all, 1, MESSAGE_BASIC, SIZE_MAX, &s->arena, &list, &n,
	    &s->e));
	for (uint32_t uid = 1; uid < UIDS; uid++) {
		unsigned seed = atomic_load(&told->appended[uid]);

		while (at < n && list[at].uid.n < uid)
			at++;
		bool there = at < n && list[at].uid.n == uid;

		if (seed && !there && !told->leaving[uid])
			fail_msg("message %u was acknowledged and is lost", uid);
		if (told->left[uid] && there)
			fail_msg("message %u was expunged and is back", uid);
		if (seed && there) {
			compare_text(s, store, &list[at], seed);
			kept++;
		}
	}
	print_message("%u kills, %u operations, %u messages compared\n", kills,
	    atomic_load(&told->operations), kept);
	assert_true(atomic_load(&told->operations) > 0);
	support_close(&store);
	support_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(acknowledged_is_kept_and_invariants_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
