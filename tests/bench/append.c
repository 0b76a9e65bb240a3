/*
 * What the store costs above SQLite: appends of 4 KB messages through store/, against a bare SQLite
 * transaction that writes the same rows of the same schema (another user's mail.db, opened here
 * directly, with the same pragmas, without writer lock, doorbell, line ends or MIME).  Then batches,
 * flags and listings.  All on one CPU; rounds interleaved, medians of five.
 */
#include "bare.h"

#include "limits/session.h"
#include "limits/site.h"
#include "store/directory.h"
#include "store/flags.h"
#include "store/folder.h"
#include "store/message.h"
#include "store/search.h"
#include "store/store.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROUNDS 5
#define PER_ROUND 500
#define BATCH 100
#define LIST_ROWS 10000

static struct err e;
static struct site *site;
static struct arena arena;
static char dir[] = "/tmp/postern-bench-XXXXXX";

static void die(const char *what)
{
	fprintf(stderr, "%s: %s %s\n", what, err_name(e.code), e.what);
	exit(1);
}
#define OK(call)                                                                                   \
	do                                                                                         \
		if ((call) < 0)                                                                    \
			die(#call);                                                                \
	while (0)

static struct store *open_store(struct user_id user)
{
	struct session_request request = {.service = SESSION_FS, .actor = user, .mailbox = user,
	    .actor_name = "bench", .mailbox_name = "bench"};
	struct session_refusal why;
	struct session *session;
	struct store *store;

	OK(session_acquire(site, &request, &session, &why, &e));
	OK(store_open(session, &store, &e));
	return store;
}

static void close_store(struct store **store)
{
	struct session *session = store_session(*store);

	store_close(store);
	session_release(&session);
}

/* ---- through the store ---- */

static void append_n(struct store *store, struct folder_id folder, size_t n)
{
	struct append *appends[BATCH];
	struct append_how how[BATCH];
	struct append_done done[BATCH];

	for (size_t i = 0; i < n; i++) {
		how[i] = (struct append_how){.folder = folder, .idate_ms = 1795402800000};
		OK(append_begin(store, &appends[i], &e));
		OK(append_write(appends[i], bare_mail, sizeof bare_mail, &e));
	}
	OK(append_commit(appends, how, n, done, &e));
}

static double store_round(struct store *store, struct folder_id folder, size_t batch)
{
	double begun = bench_now_us();

	for (size_t i = 0; i < PER_ROUND; i += batch)
		append_n(store, folder, batch);
	return (bench_now_us() - begun) / PER_ROUND;
}

/* ---- the figures ---- */

static void bench_append(struct user_id alice, struct user_id bob)
{
	double bare[ROUNDS], store[ROUNDS], batched[ROUNDS], ratio[ROUNDS], gain[ROUNDS];
	struct store *a = open_store(alice), *b = open_store(bob);
	struct bare *floor;
	struct folder_info inbox;

	OK(folder_by_name(a, "INBOX", &arena, &inbox, &e));
	append_n(a, inbox.id, 1);
	append_n(b, inbox.id, 1);
	floor = bare_open(b, dir, bob);
	for (int i = 0; i < ROUNDS; i++) {
		bare[i] = bare_round(floor, PER_ROUND);
		store[i] = store_round(a, inbox.id, 1);
		batched[i] = store_round(a, inbox.id, BATCH);
		ratio[i] = store[i] / bare[i];
		gain[i] = store[i] / batched[i];
	}
	bare_close(&floor);
	printf("append 4 KB: bare %.0f us, store %.0f us, in batches of %d %.1f us\n",
	    bench_median(bare, ROUNDS), bench_median(store, ROUNDS), BATCH, bench_median(batched, ROUNDS));
	printf("figure: append 4 KB, store over bare SQLite | %.2f | <= 1.2\n", bench_median(ratio, ROUNDS));
	printf("figure: append in batches of %d over one by one | %.1f | >= 5\n", BATCH,
	    bench_median(gain, ROUNDS));
	close_store(&a);
	close_store(&b);
}

static double flag_round(struct store *store, struct folder_id folder, uint32_t flags)
{
	double begun = bench_now_us();

	for (uint32_t i = 0; i < PER_ROUND; i++) {
		const struct uid_range one = {1 + i * 7 % LIST_ROWS, 1 + i * 7 % LIST_ROWS};
		const struct flags_change change = {.how = FLAGS_REPLACE, .flags = flags};
		struct message_info *now;
		struct store_uid *failed;
		size_t n, failed_n;

		OK(flags_store(store, folder, &one, 1, &change, &arena, &now, &n, &failed, &failed_n, &e));
	}
	return (bench_now_us() - begun) / PER_ROUND;
}

static double list_round(struct store *store, struct folder_id folder, unsigned what)
{
	double begun = bench_now_us();
	uint32_t from = 1;
	size_t rows = 0, n;

	do {
		const struct uid_range range = {from, UINT32_MAX};
		struct message_info *list;

		OK(message_list(store, folder, &range, 1, what, 500, &arena, &list, &n, &e));
		rows += n;
		if (n)
			from = list[n - 1].uid.n + 1;
		arena_fini(&arena);
	} while (n);
	return (bench_now_us() - begun) / (double)rows;
}

static double search_round(struct store *store, struct folder_id folder)
{
	const struct search_key key = {.kind = SEARCH_BODY, .text = SV("no such text")};
	struct store_uid from = {1}, *found;
	double begun = bench_now_us();
	size_t n;

	do {
		OK(search_run(store, folder, &key, from, 100, &arena, &found, &n, &from, &e));
		arena_fini(&arena);
	} while (from.n);
	return (bench_now_us() - begun) / LIST_ROWS;
}

static void bench_flags_and_lists(struct user_id carol)
{
	struct store *store = open_store(carol);
	double flags[ROUNDS], narrow[ROUNDS], wide[ROUNDS], search[ROUNDS];
	struct folder_info inbox;

	OK(folder_by_name(store, "INBOX", &arena, &inbox, &e));
	for (int i = 0; i < LIST_ROWS; i += BATCH)
		append_n(store, inbox.id, BATCH);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		flags[i] = flag_round(store, inbox.id, 1 + i % 2);
		narrow[i] = list_round(store, inbox.id, MESSAGE_FLAGS);
		wide[i] = list_round(store, inbox.id,
		    MESSAGE_BASIC | MESSAGE_ENVELOPE | MESSAGE_BODYSTRUCTURE);
		search[i] = search_round(store, inbox.id);
	}
	printf("figure: STORE of one flag among %d messages, us | %.0f | \n", LIST_ROWS,
	    bench_median(flags, ROUNDS));
	printf("figure: list flags, us a row | %.2f | 0.2\n", bench_median(narrow, ROUNDS));
	printf("figure: list all but bodies, us a row | %.2f | 1.25\n", bench_median(wide, ROUNDS));
	printf("figure: SEARCH BODY in messages of 4 KB, us a message | %.1f | \n",
	    bench_median(search, ROUNDS));
	close_store(&store);
}

int main(void)
{
	char store_dir[64], command[96];
	struct user_id alice, bob, carol;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	sched_setaffinity(0, sizeof one, &one);
	if (!mkdtemp(dir))
		return 1;
	snprintf(store_dir, sizeof store_dir, "%s/s", dir);
	bare_mail_make();
	OK(site_create(store_dir, "run", &e));
	OK(site_open(store_dir, "bench", &site, &e));
	OK(directory_user_add(site, "alice", NULL, &alice, &e));
	OK(directory_user_add(site, "bob", NULL, &bob, &e));
	OK(directory_user_add(site, "carol", NULL, &carol, &e));
	bench_append(alice, bob);
	bench_flags_and_lists(carol);
	arena_fini(&arena);
	site_close(&site);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command) == 0 ? 0 : 1;
}
