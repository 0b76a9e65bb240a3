/*
 * What the store costs above SQLite: appends of 4 KB messages through store/, against a bare SQLite
 * transaction that writes the same rows of the same schema (another user's mail.db, opened here
 * directly, with the same pragmas, without writer lock, doorbell, line ends or MIME).  Then batches,
 * flags and listings.  All on one CPU; rounds interleaved, medians of five.
 */
#include "limits/session.h"
#include "limits/site.h"
#include "store/directory.h"
#include "store/flags.h"
#include "store/folder.h"
#include "store/message.h"
#include "store/search.h"
#include "store/store.h"

#include <inttypes.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 5
#define PER_ROUND 500
#define BATCH 100
#define LIST_ROWS 10000
#define MAIL_OCTETS 4096

static struct err e;
static struct site *site;
static struct arena arena;
static char dir[] = "/tmp/postern-bench-XXXXXX", mail[MAIL_OCTETS];

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

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof *values, by_value);
	return values[n / 2];
}

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

static void mail_make(void)
{
	size_t n = (size_t)snprintf(mail, sizeof mail,
	    "Received: from a.example.org by b.example.org; Mon, 23 Nov 2026 04:00:00 +0000\r\n"
	    "From: Anna Schmidt <anna@example.org>\r\nTo: Bob <bob@example.org>, carol@example.org\r\n"
	    "Subject: The minutes of last Tuesday\r\nDate: Mon, 23 Nov 2026 04:00:00 +0000\r\n"
	    "Message-ID: <20261123.1@example.org>\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n\r\n");

	for (; n < sizeof mail; n++)
		mail[n] = n % 72 == 70 ? '\r' : n % 72 == 71 ? '\n' : (char)('a' + n % 26);
	memcpy(mail + sizeof mail - 2, "\r\n", 2);
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
		OK(append_write(appends[i], mail, sizeof mail, &e));
	}
	OK(append_commit(appends, how, n, done, &e));
}

static double store_round(struct store *store, struct folder_id folder, size_t batch)
{
	double begun = now_us();

	for (size_t i = 0; i < PER_ROUND; i += batch)
		append_n(store, folder, batch);
	return (now_us() - begun) / PER_ROUND;
}

/* ---- the bare floor ---- */

enum { BEGIN, COUNTERS, CONTENT, DATA, MESSAGE, COUNT, COMMIT, STATEMENTS };
static const char *const bare_sql[STATEMENTS] = {
    "BEGIN IMMEDIATE",
    "SELECT highestmodseq + 1, next, (SELECT next FROM counter WHERE folder = ?1) FROM counter "
    "WHERE folder = 0",
    "INSERT INTO content(id, size, size_lf, size_in, hdr, lineends, sent_ms, sent_zone_min, slug, "
    "envelope, bodystructure, parts) VALUES (?1, ?2, ?3, ?2, ?4, 0, ?5, 0, ?6, ?7, ?8, ?9)",
    "INSERT INTO content_data(id, data) VALUES (?1, ?2)",
    "INSERT INTO message(folder, uid, modseq, content, size, born, idate_ms, saved_ms) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?3, ?6, ?7)",
    "UPDATE counter SET highestmodseq = ?2, n_exists = n_exists + 1, n_unseen = n_unseen + 1, "
    "bytes = bytes + ?3, next = next + 1, changed_ms = ?4 WHERE folder IN (0, ?1)",
    "COMMIT",
};

struct bare {
	sqlite3 *db;
	sqlite3_stmt *stmt[STATEMENTS];
	struct message_info like; /* rows are copies of this one's */
	struct folder_id folder;
};

static void bare_fail(struct bare *b)
{
	fprintf(stderr, "bare: %s\n", sqlite3_errmsg(b->db));
	exit(1);
}

static void bare_open(struct bare *b, struct user_id user)
{
	char path[256];

	snprintf(path, sizeof path, "%s/s/mail/%02x/%016" PRIx64 "/mail.db", dir,
	    (unsigned)(user.n >> 56), user.n);
	if (sqlite3_open_v2(path, &b->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ||
	    sqlite3_exec(b->db,
		"PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=FAST;"
		"PRAGMA cache_size=-512; PRAGMA journal_size_limit=4194304; PRAGMA wal_autocheckpoint=1000",
		NULL, NULL, NULL))
		bare_fail(b);
	for (int i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(b->db, bare_sql[i], -1, SQLITE_PREPARE_PERSISTENT, &b->stmt[i],
			NULL))
			bare_fail(b);
}

static void bare_close(struct bare *b)
{
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(b->stmt[i]);
	sqlite3_close(b->db);
}

static void bare_run(struct bare *b, int which)
{
	if (sqlite3_step(b->stmt[which]) != SQLITE_DONE)
		bare_fail(b);
	sqlite3_reset(b->stmt[which]);
}

static void bare_ints(struct bare *b, int which, int n, const int64_t *values)
{
	for (int i = 0; i < n; i++)
		sqlite3_bind_int64(b->stmt[which], i + 1, values[i]);
}

static void bare_view(struct bare *b, int which, int at, struct str_view v)
{
	sqlite3_bind_blob64(b->stmt[which], at, v.n ? v.p : "", v.n, SQLITE_STATIC);
}

static void bare_append(struct bare *b)
{
	const struct message_info *m = &b->like;
	int64_t size = (int64_t)m->size, modseq, content, uid, wall = 1795402800001;

	bare_run(b, BEGIN);
	sqlite3_bind_int64(b->stmt[COUNTERS], 1, b->folder.n);
	if (sqlite3_step(b->stmt[COUNTERS]) != SQLITE_ROW)
		bare_fail(b);
	modseq = sqlite3_column_int64(b->stmt[COUNTERS], 0);
	content = sqlite3_column_int64(b->stmt[COUNTERS], 1);
	uid = sqlite3_column_int64(b->stmt[COUNTERS], 2);
	sqlite3_reset(b->stmt[COUNTERS]);
	bare_ints(b, CONTENT, 5,
	    (int64_t[]){content, size, (int64_t)m->size_lf, (int64_t)m->header_n, m->sent_ms});
	sqlite3_bind_text(b->stmt[CONTENT], 6, m->slug, -1, SQLITE_STATIC);
	bare_view(b, CONTENT, 7, m->envelope);
	bare_view(b, CONTENT, 8, m->bodystructure);
	bare_view(b, CONTENT, 9, m->parts);
	bare_run(b, CONTENT);
	bare_ints(b, DATA, 1, (int64_t[]){content * 4096});
	bare_view(b, DATA, 2, str_view(mail, sizeof mail));
	bare_run(b, DATA);
	bare_ints(b, MESSAGE, 7, (int64_t[]){b->folder.n, uid, modseq, content, size, m->idate_ms, wall});
	bare_run(b, MESSAGE);
	bare_ints(b, COUNT, 4, (int64_t[]){b->folder.n, modseq, size, wall});
	bare_run(b, COUNT);
	bare_run(b, COMMIT);
}

static double bare_round(struct bare *b)
{
	double begun = now_us();

	for (int i = 0; i < PER_ROUND; i++)
		bare_append(b);
	return (now_us() - begun) / PER_ROUND;
}

/* ---- the figures ---- */

static void bench_append(struct user_id alice, struct user_id bob)
{
	double bare[ROUNDS], store[ROUNDS], batched[ROUNDS], ratio[ROUNDS], gain[ROUNDS];
	struct store *a = open_store(alice), *b = open_store(bob);
	struct bare floor = {0};
	struct message_info *like;
	struct folder_info inbox;
	size_t n;

	OK(folder_by_name(a, "INBOX", &arena, &inbox, &e));
	floor.folder = inbox.id;
	append_n(a, inbox.id, 1);
	append_n(b, inbox.id, 1);
	OK(message_list(b, inbox.id, &(struct uid_range){1, 1}, 1, MESSAGE_BASIC | MESSAGE_ENVELOPE |
	    MESSAGE_BODYSTRUCTURE | MESSAGE_PARTS | MESSAGE_NAME, 1, &arena, &like, &n, &e));
	floor.like = like[0];
	bare_open(&floor, bob);
	for (int i = 0; i < ROUNDS; i++) {
		bare[i] = bare_round(&floor);
		store[i] = store_round(a, inbox.id, 1);
		batched[i] = store_round(a, inbox.id, BATCH);
		ratio[i] = store[i] / bare[i];
		gain[i] = store[i] / batched[i];
	}
	bare_close(&floor);
	printf("append 4 KB: bare %.0f us, store %.0f us, in batches of %d %.1f us\n",
	    median(bare, ROUNDS), median(store, ROUNDS), BATCH, median(batched, ROUNDS));
	printf("figure: append 4 KB, store over bare SQLite | %.2f | <= 1.2\n", median(ratio, ROUNDS));
	printf("figure: append in batches of %d over one by one | %.1f | >= 5\n", BATCH,
	    median(gain, ROUNDS));
	close_store(&a);
	close_store(&b);
}

static double flag_round(struct store *store, struct folder_id folder, uint32_t flags)
{
	double begun = now_us();

	for (uint32_t i = 0; i < PER_ROUND; i++) {
		const struct uid_range one = {1 + i * 7 % LIST_ROWS, 1 + i * 7 % LIST_ROWS};
		const struct flags_change change = {.how = FLAGS_REPLACE, .flags = flags};
		struct message_info *now;
		struct store_uid *failed;
		size_t n, failed_n;

		OK(flags_store(store, folder, &one, 1, &change, &arena, &now, &n, &failed, &failed_n, &e));
	}
	return (now_us() - begun) / PER_ROUND;
}

static double list_round(struct store *store, struct folder_id folder, unsigned what)
{
	double begun = now_us();
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
	return (now_us() - begun) / (double)rows;
}

static double search_round(struct store *store, struct folder_id folder)
{
	const struct search_key key = {.kind = SEARCH_BODY, .text = SV("no such text")};
	struct store_uid from = {1}, *found;
	double begun = now_us();
	size_t n;

	do {
		OK(search_run(store, folder, &key, from, 100, &arena, &found, &n, &from, &e));
		arena_fini(&arena);
	} while (from.n);
	return (now_us() - begun) / LIST_ROWS;
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
	    median(flags, ROUNDS));
	printf("figure: list flags, us a row | %.2f | 0.2\n", median(narrow, ROUNDS));
	printf("figure: list all but bodies, us a row | %.2f | 1.25\n", median(wide, ROUNDS));
	printf("figure: SEARCH BODY in messages of 4 KB, us a message | %.1f | \n",
	    median(search, ROUNDS));
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
	mail_make();
	OK(site_create(store_dir, "run", &e));
	OK(site_open(store_dir, "bench", &site, &e));
	OK(directory_user_add(site, "alice", NULL, NULL, &alice, &e));
	OK(directory_user_add(site, "bob", NULL, NULL, &bob, &e));
	OK(directory_user_add(site, "carol", NULL, NULL, &carol, &e));
	bench_append(alice, bob);
	bench_flags_and_lists(carol);
	arena_fini(&arena);
	site_close(&site);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command) == 0 ? 0 : 1;
}
