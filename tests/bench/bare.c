/* bench/bare.c - see bare.h. */
#include "bare.h"

#include "base/mem.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

char bare_mail[BARE_MAIL_OCTETS];

double bench_now_us(void)
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

double bench_median(double *values, size_t n)
{
	qsort(values, n, sizeof *values, by_value);
	return values[n / 2];
}

void bare_mail_make(void)
{
	size_t n = (size_t)snprintf(bare_mail, sizeof bare_mail,
	    "Received: from a.example.org by b.example.org; Mon, 23 Nov 2026 04:00:00 +0000\r\n"
	    "From: Anna Schmidt <anna@example.org>\r\nTo: Bob <bob@example.org>, carol@example.org\r\n"
	    "Subject: The minutes of last Tuesday\r\nDate: Mon, 23 Nov 2026 04:00:00 +0000\r\n"
	    "Message-ID: <20261123.1@example.org>\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n\r\n");

	for (; n < sizeof bare_mail; n++)
		bare_mail[n] = n % 72 == 70 ? '\r' : n % 72 == 71 ? '\n' : (char)('a' + n % 26);
	memcpy(bare_mail + sizeof bare_mail - 2, "\r\n", 2);
}

enum { BEGIN, COUNTERS, CONTENT, DATA, MESSAGE, COUNT, COMMIT, STATEMENTS };
static const char *const sql[STATEMENTS] = {
    "BEGIN IMMEDIATE",
    "SELECT highestmodseq + 1, next, (SELECT next FROM counter WHERE folder = ?1) FROM counter "
    "WHERE folder = 0",
    "INSERT INTO content(id, size, size_lf, size_in, hdr, lineends, sent_ms, sent_zone_min, slug, "
    "envelope, bodystructure, parts) VALUES (?1, ?2, ?3, ?2, ?4, 0, ?5, 0, ?6, ?7, ?8, ?9)",
    "INSERT INTO content_data(id, data) VALUES (?1, ?2)",
    "INSERT INTO message(folder, uid, modseq, content, size, born, idate_ms, saved_ms) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?3, ?6, ?7)",
    "UPDATE counter SET highestmodseq = ?2, n_exists = n_exists + 1, n_unseen = n_unseen + 1, "
    "bytes = bytes + ?3, next = next + 1, changed_ms = ?4 WHERE folder = ?1",
    "COMMIT",
};

struct bare {
	sqlite3 *db;
	sqlite3_stmt *stmt[STATEMENTS];
	struct arena arena;        /* holds what `like` points to */
	struct message_info like; /* rows are copies of this one's */
	struct folder_id folder;
};

static void fail(struct bare *b)
{
	fprintf(stderr, "bare: %s\n", sqlite3_errmsg(b->db));
	exit(1);
}

static void run(struct bare *b, int which)
{
	if (sqlite3_step(b->stmt[which]) != SQLITE_DONE)
		fail(b);
	sqlite3_reset(b->stmt[which]);
}

static void bind_ints(struct bare *b, int which, int n, const int64_t *values)
{
	for (int i = 0; i < n; i++)
		sqlite3_bind_int64(b->stmt[which], i + 1, values[i]);
}

static void bind_view(struct bare *b, int which, int at, struct str_view v)
{
	sqlite3_bind_blob64(b->stmt[which], at, v.n ? v.p : "", v.n, SQLITE_STATIC);
}

static void append(struct bare *b)
{
	const struct message_info *m = &b->like;
	int64_t size = (int64_t)m->size, modseq, content, uid, wall = 1795402800001;

	run(b, BEGIN);
	sqlite3_bind_int64(b->stmt[COUNTERS], 1, b->folder.n);
	if (sqlite3_step(b->stmt[COUNTERS]) != SQLITE_ROW)
		fail(b);
	modseq = sqlite3_column_int64(b->stmt[COUNTERS], 0);
	content = sqlite3_column_int64(b->stmt[COUNTERS], 1);
	uid = sqlite3_column_int64(b->stmt[COUNTERS], 2);
	sqlite3_reset(b->stmt[COUNTERS]);
	bind_ints(b, CONTENT, 5,
	    (int64_t[]){content, size, (int64_t)m->size_lf, (int64_t)m->header_n, m->sent_ms});
	sqlite3_bind_text(b->stmt[CONTENT], 6, m->slug, -1, SQLITE_STATIC);
	bind_view(b, CONTENT, 7, m->envelope);
	bind_view(b, CONTENT, 8, m->bodystructure);
	bind_view(b, CONTENT, 9, m->parts);
	run(b, CONTENT);
	bind_ints(b, DATA, 1, (int64_t[]){content * 4096});
	bind_view(b, DATA, 2, str_view(bare_mail, sizeof bare_mail));
	run(b, DATA);
	bind_ints(b, MESSAGE, 7, (int64_t[]){b->folder.n, uid, modseq, content, size, m->idate_ms, wall});
	run(b, MESSAGE);
	bind_ints(b, COUNT, 4, (int64_t[]){0, modseq, size, wall});
	run(b, COUNT);
	bind_ints(b, COUNT, 1, (int64_t[]){b->folder.n});
	run(b, COUNT);
	run(b, COMMIT);
}

static void find_like(struct bare *b, struct store *mailbox)
{
	struct message_info *like;
	struct folder_info inbox;
	struct err e;
	size_t n;

	if (folder_by_name(mailbox, "INBOX", &b->arena, &inbox, &e) < 0 ||
	    message_list(mailbox, inbox.id, &(struct uid_range){1, 1}, 1, MESSAGE_BASIC |
		MESSAGE_ENVELOPE | MESSAGE_BODYSTRUCTURE | MESSAGE_PARTS | MESSAGE_NAME, 1, &b->arena,
		&like, &n, &e) < 0 || n != 1) {
		fprintf(stderr, "bare: there is no first message in INBOX\n");
		exit(1);
	}
	b->folder = inbox.id;
	b->like = like[0];
}

struct bare *bare_open(struct store *mailbox, const char *dir, struct user_id user)
{
	struct bare *b = mem_alloc(sizeof *b);
	char path[256];

	find_like(b, mailbox);
	snprintf(path, sizeof path, "%s/s/mail/%02x/%016" PRIx64 "/mail.db", dir,
	    (unsigned)(user.n >> 56), user.n);
	if (sqlite3_open_v2(path, &b->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ||
	    sqlite3_exec(b->db,
		"PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=FAST;"
		"PRAGMA cache_size=-512; PRAGMA journal_size_limit=4194304; PRAGMA wal_autocheckpoint=1000",
		NULL, NULL, NULL))
		fail(b);
	for (int i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(b->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &b->stmt[i], NULL))
			fail(b);
	return b;
}

void bare_close(struct bare **bare)
{
	struct bare *b = *bare;

	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(b->stmt[i]);
	sqlite3_close(b->db);
	arena_fini(&b->arena);
	mem_free(bare);
}

double bare_round(struct bare *b, int n)
{
	double begun = bench_now_us();

	for (int i = 0; i < n; i++)
		append(b);
	return (bench_now_us() - begun) / n;
}
